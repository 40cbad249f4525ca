//! The search box: what is found, in which order, with what marked.
use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use crate::{
    Result,
    analysis::{Analysis, Analyzer, is_han},
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

/// Place in the order, flat number, points.
type Ranked<'v> = (Rank<'v>, usize, f64, &'v Row);

/// The page of what was found that the request asks for, in its order, and where it ends if there is more.
fn ranked<'v>(
    found: Vec<(usize, &'v Row, f64)>,
    request: &SearchRequest,
) -> (Vec<Ranked<'v>>, Option<SearchAfter>) {
    let by_score = request.sort == Sort::Relevance;
    let rank = |row: &'v Row, points: f64| Rank {
        score: if by_score { points.to_bits() } else { 0 },
        at: row.published_at,
        kind: row.kind,
        id: &row.id,
    };
    let mut ranked: Vec<Ranked> = found
        .into_iter()
        .map(|(flat, row, points)| (rank(row, points), flat, points, row))
        .collect();
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
    (ranked, next)
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
        let total = found.len();
        let facets = Counts::of(found.iter().map(|(_, row, _)| *row));
        let (ranked, next) = ranked(found, request);
        let marker = Marker::new(&self.analyzer, &plan);
        let items: Result<Vec<SearchItem>> = ranked
            .into_iter()
            .map(|(_, flat, points, row)| self.item(&view, &marker, flat, points, row))
            .collect();
        Ok(SearchPage { items: items?, total, facets, next })
    }

    /// The ids of the page alone, and how many were found.
    pub(crate) fn search_order(&self, request: &SearchRequest) -> Result<(Vec<String>, usize)> {
        let view = self.view();
        let weights = ranking().weights(MatchPath::Keyword);
        let plan = Plan::of_question(&self.analyzer, head(&request.q, MAX_QUERY), weights);
        let found = self.found(&view, &plan, request, weights)?;
        let total = found.len();
        let (ranked, _) = ranked(found, request);
        Ok((ranked.into_iter().map(|(rank, ..)| rank.id.to_owned()).collect(), total))
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

/// Counts of values. Listings of one segment share the text of a value, so most are told apart by where
/// it stands in memory.
#[derive(Default)]
struct Counts<'a>(HashMap<*const u8, (&'a str, usize)>);

impl<'a> Counts<'a> {
    fn of(rows: impl Iterator<Item = &'a Row>) -> Facets {
        let (mut field, mut region, mut stage) =
            (Counts::default(), Counts::default(), Counts::default());
        for row in rows {
            field.count(row.field.as_deref());
            region.count(row.region.as_deref());
            stage.count(row.stage.as_deref());
        }
        Facets { field: field.sorted(), region: region.sorted(), stage: stage.sorted() }
    }

    fn count(&mut self, value: Option<&'a str>) {
        if let Some(value) = value {
            self.0.entry(value.as_ptr()).or_insert((value, 0)).1 += 1;
        }
    }

    fn sorted(self) -> Vec<FacetCount> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (value, count) in self.0.into_values() {
            *counts.entry(value).or_default() += count;
        }
        let mut list: Vec<FacetCount> = counts
            .into_iter()
            .map(|(value, count)| FacetCount { value: value.to_owned(), count })
            .collect();
        list.sort_by_key(|f| std::cmp::Reverse(f.count)); // stable: ties stay by value
        list
    }
}

/// Finds the terms of a question in original text.
struct Marker<'a> {
    analyzer: &'a Analyzer,
    words: Vec<&'a str>,
    characters: Vec<&'a str>,
    single: Option<&'a str>,
    /// Whether a word of one character is asked for: every longer one is marked by its pairs, and what
    /// needs no words needs no dictionary.
    needs_words: bool,
}

impl<'a> Marker<'a> {
    fn new(analyzer: &'a Analyzer, plan: &'a Plan) -> Self {
        let (mut words, mut characters) = plan.marks();
        words.sort_unstable();
        characters.sort_unstable();
        let is_single = |word: &&str| word.chars().count() == 1 && word.chars().all(is_han);
        let needs_words = words.iter().any(is_single);
        Self { analyzer, words, characters, single: plan.single(), needs_words }
    }

    /// Disjoint ranges of characters, rising.
    fn marks(&self, text: &str) -> Vec<(usize, usize)> {
        if self.words.is_empty() && self.characters.is_empty() {
            return Vec::new();
        }
        let Analysis { words, characters, .. } = match self.needs_words {
            true => self.analyzer.analyse(text),
            false => Analysis { characters: self.analyzer.characters(text), ..Analysis::default() },
        };
        let has = |sorted: &[&str], term: &str| sorted.binary_search(&term).is_ok();
        let words = words.iter().filter(|t| has(&self.words, &t.term));
        let pairs = characters.iter().filter(|t| has(&self.characters, &t.term));
        let mut ranges: Vec<(usize, usize)> =
            words.chain(pairs).map(|t| (t.start, t.end)).collect();
        if let Some(single) = self.single {
            let pairs = characters.iter().filter(|t| t.term.contains(single));
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pairs_mark_what_words_would(
            question in "[石墨烯膜电池的料废水处理5g,a-z -]{2,12}",
            text in "[石墨烯膜电池的料废水处理5g,a-z -]{0,80}",
        ) {
            let analyzer = Analyzer::new().unwrap();
            let weights = ranking().weights(MatchPath::Keyword);
            let plan = Plan::of_question(&analyzer, &question, weights);
            let marker = Marker::new(&analyzer, &plan);
            let with_words = Marker { needs_words: true, ..Marker::new(&analyzer, &plan) };
            prop_assert_eq!(marker.marks(&text), with_words.marks(&text));
        }
    }
}
