//! The search box: what is found, in which order, with what marked.
use std::{borrow::Cow, cmp::Ordering, collections::BTreeMap};

use serde::Deserialize;

use crate::{
    Result,
    analysis::{Analysis, Analyzer, Token, Wanted, is_han, told_apart},
    index::{Index, head},
    listing::Kind,
    number::small,
    ranking::{Plan, score},
    request::{
        FacetCount, Facets, Highlight, HighlightField, MAX_LIMIT, MAX_QUERY, MAX_TEXT, MatchPath,
        SearchAfter, SearchItem, SearchPage, SearchRequest, Sort,
    },
    view::{Row, View, is_alive},
    weights::{Weights, ranking},
};

/// Characters of a snippet.
pub const SNIPPET_CHARS: usize = 120;

/// Share of the question's idf weight a listing must have to count as found.
pub(crate) const LEAST_COVERED: f64 = 0.15;
/// Share of what the best listing has, likewise: one full hit keeps loose ones out.
pub(crate) const LEAST_OF_BEST: f64 = 0.35;

/// A listing that answers the question.
#[derive(Clone, Copy)]
struct Found<'v> {
    flat: usize,
    row: Row<'v>,
    points: f64,
}

/// The place of a listing in an order; smaller comes first.
#[derive(Clone, Copy)]
enum Place<'a> {
    Of(Row<'a>),
    After(&'a SearchAfter),
}

impl<'a> Place<'a> {
    fn at(self) -> i64 {
        match self {
            Self::Of(row) => row.published_at(),
            Self::After(after) => after.at,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Of(row) => row.kind(),
            Self::After(after) => after.kind,
        }
    }

    fn id(self) -> &'a str {
        match self {
            Self::Of(row) => row.id(),
            Self::After(after) => &after.id,
        }
    }
}

/// Scores are compared by their bits: one that is never negative sorts so. What decides seldom is looked up
/// only then.
fn order(a: (u64, Place), b: (u64, Place)) -> Ordering {
    b.0.cmp(&a.0)
        .then_with(|| b.1.at().cmp(&a.1.at()))
        .then_with(|| a.1.kind().cmp(&b.1.kind()))
        .then_with(|| a.1.id().cmp(b.1.id()))
}

/// The page of what was found that the request asks for, in its order, and where it ends if there is more.
fn ranked<'v>(
    mut found: Vec<Found<'v>>,
    request: &SearchRequest,
) -> (Vec<Found<'v>>, Option<SearchAfter>) {
    let by_score = request.sort == Sort::Relevance;
    let rank = |found: &Found<'v>| {
        (if by_score { found.points.to_bits() } else { 0 }, Place::Of(found.row))
    };
    if let Some(after) = &request.after {
        let end = (after.score, Place::After(after));
        found.retain(|found| order(rank(found), end).is_gt());
    }
    let limit = request.limit.clamp(1, MAX_LIMIT);
    let more = found.len() > limit;
    let by_rank = |a: &Found<'v>, b: &Found<'v>| order(rank(a), rank(b));
    if more {
        found.select_nth_unstable_by(limit - 1, by_rank);
        found.truncate(limit);
    }
    found.sort_by(by_rank);
    let next = found.last().filter(|_| more).map(|last| SearchAfter {
        score: rank(last).0,
        at: last.row.published_at(),
        kind: last.row.kind(),
        id: last.row.id().to_owned(),
    });
    (found, next)
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
        let facets = facets(&found);
        let (ranked, next) = ranked(found, request);
        let marker = Marker::new(&self.analyzer, &plan);
        let items = ranked.into_iter().map(|found| self.item(&view, &marker, found));
        Ok(SearchPage { items: items.collect::<Result<_>>()?, total, facets, next })
    }

    /// The ids of the page alone, and how many were found.
    pub(crate) fn search_order(&self, request: &SearchRequest) -> Result<(Vec<String>, usize)> {
        let view = self.view();
        let weights = ranking().weights(MatchPath::Keyword);
        let plan = Plan::of_question(&self.analyzer, head(&request.q, MAX_QUERY), weights);
        let found = self.found(&view, &plan, request, weights)?;
        let total = found.len();
        let (ranked, _) = ranked(found, request);
        Ok((ranked.into_iter().map(|found| found.row.id().to_owned()).collect(), total))
    }

    /// The terms that a question is weighed by: words, then pairs of characters.
    pub(crate) fn terms_of_question(&self, request: &SearchRequest) -> (Vec<String>, Vec<String>) {
        let weights = ranking().weights(MatchPath::Keyword);
        let plan = Plan::of_question(&self.analyzer, head(&request.q, MAX_QUERY), weights);
        let (words, characters) = plan.marks();
        let owned = |terms: Vec<&str>| terms.into_iter().map(str::to_owned).collect();
        (owned(words), owned(characters))
    }

    fn found<'v>(
        &self,
        view: &'v View,
        plan: &Plan,
        request: &SearchRequest,
        weights: &Weights,
    ) -> Result<Vec<Found<'v>>> {
        let wanted = |row: Row| {
            request.kind.is_none_or(|kind| kind == row.kind()) && row.passes(&request.filters)
        };
        let found = |(flat, row), points| Found { flat, row, points };
        if plan.is_empty() {
            let all = view.rows().filter(|(_, row)| wanted(*row));
            return Ok(all.map(|listing| found(listing, 0.0)).collect());
        }
        if let Some(single) = plan.single() {
            let all = view.rows().filter(|(_, row)| wanted(*row));
            let points = all.map(|listing| found(listing, single_points(listing.1, single)));
            return Ok(points.filter(|found| found.points > 0.0).collect());
        }
        let kinds: Vec<Kind> = request.kind.map_or_else(|| Kind::ALL.to_vec(), |kind| vec![kind]);
        let mut covering = Vec::new();
        for kind in &kinds {
            let scored = score(self, view, plan, *kind, &kinds, weights)?;
            for (reader, segment) in view.readers() {
                let documents = segment.base..segment.base + segment.rows.len();
                let points = scored.points.get(documents.clone()).unwrap_or_default();
                let covered = scored.covered.get(documents).unwrap_or_default();
                // most listings have earned nothing, and nothing else of them need be looked at
                for (doc, (points, covered)) in points.iter().zip(covered).enumerate() {
                    if *covered >= LEAST_COVERED
                        && *points > 0.0
                        && is_alive(reader, small(doc))
                        && let Some(row) = segment.rows.get(doc)
                        && row.kind() == *kind
                        && wanted(row)
                    {
                        covering.push((found((segment.base + doc, row), *points), *covered));
                    }
                }
            }
        }
        let best = covering.iter().map(|(_, covered)| *covered).fold(0.0, f64::max);
        covering.retain(|(_, covered)| *covered >= best * LEAST_OF_BEST);
        Ok(covering.into_iter().map(|(found, _)| found).collect())
    }

    fn item(&self, view: &View, marker: &Marker, found: Found) -> Result<SearchItem> {
        let (row, stored) = (found.row, view.stored(found.flat)?);
        let shown: Option<Shown> = stored.as_deref().map(serde_json::from_str).transpose()?;
        let text = shown.map(|shown| shown.text).unwrap_or_default();
        let in_text = marker.marks(head(&text, MAX_TEXT));
        let (snippet_start, snippet_end) = window(&in_text, text.chars().count());
        let snippet =
            text.chars().skip(snippet_start).take(snippet_end - snippet_start).collect::<String>();
        let mark = |field| move |(start, end): (usize, usize)| Highlight { field, start, end };
        let mut highlights: Vec<Highlight> = marker
            .marks(head(row.title(), MAX_TEXT))
            .into_iter()
            .map(mark(HighlightField::Title))
            .collect();
        let shown = in_text.into_iter().filter_map(|(start, end)| {
            let (start, end) = (start.max(snippet_start), end.min(snippet_end));
            (start < end).then_some((start, end))
        });
        highlights.extend(shown.map(mark(HighlightField::Text)));
        Ok(SearchItem {
            kind: row.kind(),
            id: row.id().to_owned(),
            title: row.title().to_owned(),
            snippet,
            snippet_start,
            highlights,
            score: found.points,
            field: row.field().map(str::to_owned),
            region: row.region().map(str::to_owned),
            stage: row.stage().map(str::to_owned),
            trl: row.trl(),
            amount_fen: row.amount_fen(),
            industry: row.industry().map(str::to_owned),
            published_at: row.published_at(),
            owner: row.owner().to_owned(),
            hidden: row.hidden(),
        })
    }
}

/// Of a listing as it is stored, what its row does not say.
#[derive(Deserialize)]
struct Shown<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

/// One Chinese character: too common for postings of pairs to say much, so the title decides, then the
/// keywords.
fn single_points(row: Row, single: &str) -> f64 {
    let (title, keywords) =
        (row.folded_title().contains(single), row.folded_keywords().contains(single));
    f64::from(u8::from(title)) * 2.0 + f64::from(u8::from(keywords))
}

fn facets(found: &[Found]) -> Facets {
    let (mut field, mut region, mut stage) = Default::default();
    let same_segment = |a: &Found, b: &Found| std::ptr::eq(a.row.place().0, b.row.place().0);
    for found in found.chunk_by(same_segment) {
        let Some((rows, _)) = found.first().map(|found| found.row.place()) else { continue };
        let documents = || found.iter().map(|found| found.row.place().1);
        rows.field.count(documents(), &mut field);
        rows.region.count(documents(), &mut region);
        rows.stage.count(documents(), &mut stage);
    }
    let sorted = |counts: BTreeMap<&str, usize>| {
        let of = |(value, count): (&str, usize)| FacetCount { value: value.to_owned(), count };
        let mut list: Vec<FacetCount> = counts.into_iter().map(of).collect();
        list.sort_by_key(|facet| std::cmp::Reverse(facet.count)); // stable: ties stay by value
        list
    };
    Facets { field: sorted(field), region: sorted(region), stage: sorted(stage) }
}

/// Finds the terms of a question in original text.
struct Marker<'a> {
    analyzer: &'a Analyzer,
    words: Vec<&'a str>,
    characters: Vec<&'a str>,
    single: Option<&'a str>,
    /// The words of one Chinese character: every longer one is marked by its pairs, and what has none of
    /// these needs no dictionary.
    short: Vec<&'a str>,
    /// A bit for the last byte of each term: most of a text is told apart by it.
    lasts: u64,
    /// Whether nothing but Chinese is looked for.
    all_han: bool,
}

impl<'a> Marker<'a> {
    fn new(analyzer: &'a Analyzer, plan: &'a Plan) -> Self {
        let (mut words, mut characters) = plan.marks();
        words.sort_unstable();
        characters.sort_unstable();
        let is_short = |word: &&str| word.chars().count() == 1 && word.chars().all(is_han);
        let short = words.iter().copied().filter(is_short).collect();
        let lasts = words.iter().chain(&characters).fold(0, |bits, term| bits | last_bit(term));
        let all_han = characters.iter().all(|term| term.chars().all(is_han));
        Self { analyzer, words, characters, single: plan.single(), short, lasts, all_han }
    }

    fn wants(&self, term: &str) -> bool {
        let known = self.lasts & last_bit(term) != 0
            && (has(&self.characters, term) || has(&self.words, term));
        known || self.single.is_some_and(|single| term.contains(single))
    }

    /// Disjoint ranges of characters, rising.
    fn marks(&self, text: &str) -> Vec<(usize, usize)> {
        if self.words.is_empty() && self.characters.is_empty() {
            return Vec::new();
        }
        if let Some(ranges) = self.seen(text) {
            return ranges;
        }
        let words_of = |run: &str| self.short.iter().any(|word| run.contains(word));
        let wanted = Wanted { term: &|term| self.wants(term), words_of: &words_of };
        let Analysis { words, characters, .. } = self.analyzer.find(text, wanted);
        self.ranges(&words, &characters)
    }

    fn ranges(&self, words: &[Token], characters: &[Token]) -> Vec<(usize, usize)> {
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
        merged(ranges)
    }

    /// The same without folding the text or cutting all of it, where nothing in it calls for either.
    fn seen(&self, text: &str) -> Option<Vec<(usize, usize)>> {
        if !self.all_han || self.single.is_some() {
            return None;
        }
        let mut ranges = Vec::new();
        // the stretch of Chinese characters before: its first character, and where that begins
        let mut run = None;
        let mut before = '\0';
        for (at, (byte, c)) in text.char_indices().enumerate() {
            match (told_apart(std::mem::replace(&mut before, c), c)?, run) {
                (true, None) => run = Some((at, byte)),
                (false, Some((first, start))) => {
                    self.run(text.get(start..byte)?, first, &mut ranges);
                    run = None;
                }
                _ => (),
            }
        }
        if let Some((first, start)) = run {
            self.run(text.get(start..)?, first, &mut ranges);
        }
        Some(merged(ranges))
    }

    /// Marks a stretch of Chinese characters, the first of which has that number.
    fn run(&self, run: &str, first: usize, ranges: &mut Vec<(usize, usize)>) {
        let (mut before, mut has_short) = (0, false);
        for (at, (byte, c)) in run.char_indices().enumerate() {
            let end = byte + c.len_utf8();
            let own = run.get(byte..end).unwrap_or_default();
            if self.lasts & last_bit(own) != 0 {
                has_short |= self.short.contains(&own);
                // a pair, or all there is
                let term = run.get(before..end).unwrap_or_default();
                if (at > 0 || end == run.len()) && has(&self.characters, term) {
                    ranges.push(((first + at).saturating_sub(usize::from(at > 0)), first + at + 1));
                }
            }
            before = byte;
        }
        if has_short {
            let mut at = first;
            for word in self.analyzer.words(run) {
                let end = at + word.chars().count();
                if self.short.contains(&word) {
                    ranges.push((at, end));
                }
                at = end;
            }
        }
    }
}

/// Ranges that touch become one.
fn merged(mut ranges: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
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

fn has(sorted: &[&str], term: &str) -> bool {
    sorted.binary_search(&term).is_ok()
}

/// Chinese characters differ most in their last six bits.
fn last_bit(term: &str) -> u64 {
    term.bytes().next_back().map_or(0, |byte| 1 << (byte & 63))
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
        fn what_is_wanted_alone_marks_what_the_whole_text_would(
            question in "[石墨烯膜电池的料废水处理5g,a-z -]{1,12}",
            text in "[石墨烯膜电池電的料废水处理廢看著苧麻5g,a-z -。℃㊀〇\u{301}]{0,40}[石墨烯膜电池的料废水处理，α]{0,40}",
        ) {
            let analyzer = Analyzer::new().unwrap();
            let weights = ranking().weights(MatchPath::Keyword);
            let plan = Plan::of_question(&analyzer, &question, weights);
            let marker = Marker::new(&analyzer, &plan);
            let whole = analyzer.analyse(&text);
            prop_assert_eq!(marker.marks(&text), marker.ranges(&whole.words, &whole.characters));
        }
    }
}
