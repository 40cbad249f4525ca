//! The search box: what is found, in which order, with what marked.
use std::{cmp::Ordering, collections::BTreeMap};

use crate::{
    Result,
    analysis::Analyzer,
    index::{Index, head},
    listing::Kind,
    ranking::{Plan, score},
    request::{
        FacetCount, Facets, Highlight, HighlightField, MAX_LIMIT, MAX_QUERY, MAX_TEXT, MatchPath,
        SearchAfter, SearchItem, SearchPage, SearchRequest, Sort,
    },
    view::{Row, View},
    weights::{Weights, ranking},
};

/// Characters of a snippet.
pub const SNIPPET_CHARS: usize = 120;

/// Share of the question's idf weight a listing must have to count as found.
pub(crate) const LEAST_COVERED: f64 = 0.15;
/// Share of what the best listing has, likewise: one full hit keeps loose ones out.
pub(crate) const LEAST_OF_BEST: f64 = 0.35;

/// The place of a listing in an order; smaller comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rank<'a> {
    /// Bits of a score that is never negative, which sort as the score does.
    score: u64,
    at: i64,
    kind: Kind,
    id: &'a str,
}

impl Ord for Rank<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.score, other.at)
            .cmp(&(self.score, self.at))
            .then_with(|| self.kind.cmp(&other.kind))
            .then_with(|| self.id.cmp(other.id))
    }
}

impl PartialOrd for Rank<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Index {
    /// One page of what the question finds. Deterministic for one commit.
    pub fn search(&self, request: &SearchRequest) -> Result<SearchPage> {
        self.search_weighed(request, ranking().weights(MatchPath::Keyword))
    }

    pub(crate) fn search_weighed(
        &self,
        request: &SearchRequest,
        weights: &Weights,
    ) -> Result<SearchPage> {
        let view = self.view();
        let plan = Plan::of_question(&self.analyzer, head(&request.q, MAX_QUERY), weights);
        let found = self.found(&view, &plan, request, weights)?;
        let by_score = request.sort == Sort::Relevance;
        let mut facets = Counts::default();
        let mut ranked: Vec<(Rank, usize, f64, &Row)> = Vec::with_capacity(found.len());
        for (flat, row, points) in &found {
            facets.count(row);
            let rank = Rank {
                score: if by_score { points.to_bits() } else { 0 },
                at: row.published_at,
                kind: row.kind,
                id: &row.id,
            };
            ranked.push((rank, *flat, *points, row));
        }
        let total = ranked.len();
        if let Some(after) = &request.after {
            let place = Rank { score: after.score, at: after.at, kind: after.kind, id: &after.id };
            ranked.retain(|(rank, ..)| *rank > place);
        }
        let limit = request.limit.clamp(1, MAX_LIMIT);
        let more = ranked.len() > limit;
        if more {
            ranked.select_nth_unstable_by(limit - 1, |a, b| a.0.cmp(&b.0));
            ranked.truncate(limit);
        }
        ranked.sort_by(|a, b| a.0.cmp(&b.0));
        let next = ranked.last().filter(|_| more).map(|(rank, ..)| SearchAfter {
            score: rank.score,
            at: rank.at,
            kind: rank.kind,
            id: rank.id.to_owned(),
        });
        let marker = Marker::new(&self.analyzer, &plan);
        let items: Result<Vec<SearchItem>> = ranked
            .into_iter()
            .map(|(_, flat, points, row)| self.item(&view, &marker, flat, points, row))
            .collect();
        Ok(SearchPage { items: items?, total, facets: facets.into(), next })
    }

    fn found<'v>(
        &self,
        view: &'v View,
        plan: &Plan,
        request: &SearchRequest,
        weights: &Weights,
    ) -> Result<Vec<(usize, &'v Row, f64)>> {
        let wanted = |row: &Row| {
            request.kind.is_none_or(|kind| kind == row.kind) && row.passes(&request.filters)
        };
        if plan.is_empty() {
            return Ok(view.rows().filter(|(_, r)| wanted(r)).map(|(i, r)| (i, r, 0.0)).collect());
        }
        if let Some(single) = plan.single() {
            return self.found_single(view, single, wanted);
        }
        let kinds: Vec<Kind> = request.kind.map_or_else(|| Kind::ALL.to_vec(), |kind| vec![kind]);
        let mut found = Vec::new();
        for kind in &kinds {
            let scored = score(self, view, plan, *kind, &kinds, weights)?;
            for (flat, row) in view.rows().filter(|(_, row)| row.kind == *kind && wanted(row)) {
                let points = scored.points.get(flat).copied().unwrap_or_default();
                let covered = scored.covered.get(flat).copied().unwrap_or_default();
                if points > 0.0 && covered >= LEAST_COVERED {
                    found.push((flat, row, points, covered));
                }
            }
        }
        let best = found.iter().map(|f| f.3).fold(0.0, f64::max);
        found.retain(|f| f.3 >= best * LEAST_OF_BEST);
        Ok(found.into_iter().map(|(flat, row, points, _)| (flat, row, points)).collect())
    }

    /// One Chinese character: too common for postings of pairs to say much, so the title decides,
    /// then the keywords.
    fn found_single<'v>(
        &self,
        view: &'v View,
        single: &str,
        wanted: impl Fn(&Row) -> bool,
    ) -> Result<Vec<(usize, &'v Row, f64)>> {
        let mut found = Vec::new();
        for (flat, row) in view.rows().filter(|(_, row)| wanted(row)) {
            let (title, keywords) =
                (row.folded_title.contains(single), row.folded_keywords.contains(single));
            let points = f64::from(u8::from(title)) * 2.0 + f64::from(u8::from(keywords));
            if points > 0.0 {
                found.push((flat, row, points));
            }
        }
        Ok(found)
    }

    fn item(
        &self,
        view: &View,
        marker: &Marker,
        flat: usize,
        score: f64,
        row: &Row,
    ) -> Result<SearchItem> {
        let text =
            view.listing(&self.fields, flat)?.map(|listing| listing.text).unwrap_or_default();
        let in_text = marker.marks(head(&text, MAX_TEXT));
        let (snippet_start, snippet_end) = window(&in_text, text.chars().count());
        let snippet =
            text.chars().skip(snippet_start).take(snippet_end - snippet_start).collect::<String>();
        let mark = |field| move |(start, end): (usize, usize)| Highlight { field, start, end };
        let mut highlights: Vec<Highlight> = marker
            .marks(head(&row.title, MAX_TEXT))
            .into_iter()
            .map(mark(HighlightField::Title))
            .collect();
        let shown = in_text.into_iter().filter_map(|(start, end)| {
            let (start, end) = (start.max(snippet_start), end.min(snippet_end));
            (start < end).then_some((start, end))
        });
        highlights.extend(shown.map(mark(HighlightField::Text)));
        let text = |value: &Option<std::sync::Arc<str>>| value.as_deref().map(str::to_owned);
        Ok(SearchItem {
            kind: row.kind,
            id: row.id.to_string(),
            title: row.title.to_string(),
            snippet,
            snippet_start,
            highlights,
            score,
            field: text(&row.field),
            region: text(&row.region),
            stage: text(&row.stage),
            trl: row.trl,
            amount_fen: row.amount_fen,
            industry: text(&row.industry),
            published_at: row.published_at,
            owner: row.owner.to_string(),
            hidden: row.hidden,
        })
    }
}

#[derive(Default)]
struct Counts<'a> {
    field: BTreeMap<&'a str, usize>,
    region: BTreeMap<&'a str, usize>,
    stage: BTreeMap<&'a str, usize>,
}

impl<'a> Counts<'a> {
    fn count(&mut self, row: &'a Row) {
        let facets = [
            (&mut self.field, &row.field),
            (&mut self.region, &row.region),
            (&mut self.stage, &row.stage),
        ];
        for (counts, value) in facets {
            if let Some(value) = value.as_deref() {
                *counts.entry(value).or_default() += 1;
            }
        }
    }
}

impl From<Counts<'_>> for Facets {
    fn from(counts: Counts) -> Self {
        let sorted = |counts: BTreeMap<&str, usize>| {
            let mut list: Vec<FacetCount> = counts
                .into_iter()
                .map(|(value, count)| FacetCount { value: value.to_owned(), count })
                .collect();
            list.sort_by_key(|f| std::cmp::Reverse(f.count)); // stable: ties stay by value
            list
        };
        Self {
            field: sorted(counts.field),
            region: sorted(counts.region),
            stage: sorted(counts.stage),
        }
    }
}

/// Finds the terms of a question in original text.
struct Marker<'a> {
    analyzer: &'a Analyzer,
    words: Vec<&'a str>,
    characters: Vec<&'a str>,
    single: Option<&'a str>,
}

impl<'a> Marker<'a> {
    fn new(analyzer: &'a Analyzer, plan: &'a Plan) -> Self {
        let (mut words, mut characters) = plan.marks();
        words.sort_unstable();
        characters.sort_unstable();
        Self { analyzer, words, characters, single: plan.single() }
    }

    /// Disjoint ranges of characters, rising.
    fn marks(&self, text: &str) -> Vec<(usize, usize)> {
        if self.words.is_empty() && self.characters.is_empty() {
            return Vec::new();
        }
        let analysis = self.analyzer.analyse(text);
        let has = |sorted: &[&str], term: &str| sorted.binary_search(&term).is_ok();
        let words = analysis.words.iter().filter(|t| has(&self.words, &t.term));
        let pairs = analysis.characters.iter().filter(|t| has(&self.characters, &t.term));
        let mut ranges: Vec<(usize, usize)> =
            words.chain(pairs).map(|t| (t.start, t.end)).collect();
        if let Some(single) = self.single {
            let pairs = analysis.characters.iter().filter(|t| t.term.contains(single));
            ranges.extend(pairs.map(|t| match t.term.starts_with(single) {
                true => (t.start, (t.start + 1).min(t.end)),
                false => (t.end.saturating_sub(1).max(t.start), t.end),
            }));
        }
        ranges.sort_unstable();
        let mut merged: Vec<(usize, usize)> = Vec::with_capacity(ranges.len());
        for (start, end) in ranges {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        merged
    }
}

/// The stretch of text with most marked characters, a little before its first mark.
fn window(marks: &[(usize, usize)], length: usize) -> (usize, usize) {
    const BEFORE: usize = 15;
    let mut best = (0, 0);
    for (i, (start, _)) in marks.iter().enumerate() {
        let end = start + SNIPPET_CHARS - BEFORE;
        let inside = marks.iter().skip(i).take_while(|m| m.1 <= end);
        let marked: usize = inside.map(|(a, b)| b - a).sum();
        if marked > best.0 {
            best = (marked, *start);
        }
    }
    let start = best.1.saturating_sub(BEFORE).min(length.saturating_sub(SNIPPET_CHARS));
    (start, (start + SNIPPET_CHARS).min(length))
}
