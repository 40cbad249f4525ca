//! Speed as ratios to a bare limit measured in the same run: matching against the engine's own best 20 of
//! the same terms, and a page of the search box against its order alone. Used by the benchmarks and by
//! `keshi bench search`.
//!
//! Absolute figures change with the machine and the hour; two measurements that take turns change
//! together.
use std::{
    fmt,
    time::{Duration, Instant},
};

use tantivy::{
    IndexWriter, Searcher, TantivyDocument, Term,
    collector::TopDocs,
    merge_policy::LogMergePolicy,
    query::{BooleanQuery, Occur, Query, TermQuery},
    schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions, Value},
};

use crate::{
    Effort, Index, Kind, Listing, MatchRequest, Result, SearchRequest,
    index::{CUT, TextFields, register_cut},
};

/// The engine alone over the same listings: words and character pairs in two fields, cut the same way.
pub struct Bare {
    searcher: Searcher,
    words: Field,
    characters: Field,
}

/// Listings that go between two commits.
const BATCH: usize = 50_000;

/// Fills the index and the bare engine with the same achievements, in as many segments as either makes.
pub fn fill(at: &Index, listings: impl Iterator<Item = Listing>) -> Result<Bare> {
    let mut schema = Schema::builder();
    let mut field = |name: &str, option| {
        let indexing = TextFieldIndexing::default().set_tokenizer(CUT).set_index_option(option);
        schema.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
    };
    let words = field("words", IndexRecordOption::WithFreqs);
    let characters = field("characters", IndexRecordOption::WithFreqsAndPositions);
    let bare = tantivy::Index::create_in_ram(schema.build());
    register_cut(&bare);
    let mut writer: IndexWriter = bare.writer_with_num_threads(1, 40 << 20)?;
    let mut policy = LogMergePolicy::default();
    policy.set_min_num_segments(6);
    writer.set_merge_policy(Box::new(policy));
    let fields = *at.fields.text(Kind::Achievement);
    let mut batch = Vec::with_capacity(BATCH);
    let mut number = 0;
    let mut listings = listings.peekable();
    while listings.peek().is_some() {
        batch.extend(listings.by_ref().take(BATCH));
        at.put_many_and(&batch, |document| {
            writer.add_document(copy(document, &fields, words, characters))?;
            Ok(())
        })?;
        batch.clear();
        writer.commit()?;
        number += 1;
        at.commit(number)?;
    }
    writer.wait_merging_threads()?;
    Ok(Bare { searcher: bare.reader()?.searcher(), words, characters })
}

fn copy(
    document: &TantivyDocument,
    fields: &TextFields,
    words: Field,
    characters: Field,
) -> TantivyDocument {
    let mut d = TantivyDocument::new();
    for (from, to) in [(fields.words, words), (fields.characters, characters)] {
        for text in document.get_all(from).filter_map(|value| value.as_str()) {
            d.add_text(to, text);
        }
    }
    d
}

impl Bare {
    pub fn segments(&self) -> usize {
        self.searcher.segment_readers().len()
    }

    /// Its best by BM25 of any of the terms, words and pairs of characters; how many it found.
    pub fn best(&self, terms: &(Vec<String>, Vec<String>), limit: usize) -> Result<usize> {
        let (words, characters) = terms;
        let of = |field: Field, term: &String| -> (Occur, Box<dyn Query>) {
            let term = Term::from_field_text(field, term);
            (Occur::Should, Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)))
        };
        let clauses = words.iter().map(|t| of(self.words, t));
        let clauses = clauses.chain(characters.iter().map(|t| of(self.characters, t)));
        let query = BooleanQuery::new(clauses.collect());
        let top = TopDocs::with_limit(limit.max(1)).order_by_score();
        Ok(self.searcher.search(&query, &top)?.len())
    }
}

/// Two ways that took turns.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    ours: Vec<Duration>,
    limit: Vec<Duration>,
}

impl Turns {
    fn add(&mut self, ours: Duration, limit: Duration) {
        self.ours.push(ours);
        self.limit.push(limit);
    }

    /// Median of ours, median of the limit.
    pub fn medians(&self) -> (Duration, Duration) {
        (median(&self.ours), median(&self.limit))
    }

    /// Median of ours over the median of the limit.
    pub fn ratio(&self) -> f64 {
        let (ours, limit) = self.medians();
        ours.as_secs_f64() / limit.as_secs_f64().max(1e-9)
    }
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |times: &[Duration], part| 1e3 * quantile(times, part).as_secs_f64();
        write!(
            f,
            "{:.2} ms against {:.2} ms, ratio {:.2} (medians of {}; p99 {:.2} against {:.2} ms)",
            ms(&self.ours, 50),
            ms(&self.limit, 50),
            self.ratio(),
            self.ours.len(),
            ms(&self.ours, 99),
            ms(&self.limit, 99)
        )
    }
}

fn median(times: &[Duration]) -> Duration {
    quantile(times, 50)
}

fn quantile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times.get(last * percent / 100).copied().unwrap_or_default()
}

fn time<T>(f: impl FnOnce() -> Result<T>) -> Result<(Duration, T)> {
    let start = Instant::now();
    let value = f()?;
    Ok((start.elapsed(), value))
}

/// What answering many requests took.
#[derive(Debug, Clone, Default)]
pub struct Matching {
    pub turns: Turns,
    /// Added up over the requests.
    pub effort: Effort,
    pub terms: usize,
    pub matches: usize,
}

impl fmt::Display for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.turns.ours.len().max(1);
        let e = &self.effort;
        writeln!(f, "{}", self.turns)?;
        write!(
            f,
            "a request has {} terms and {} entries in their lists; {} were added, {} listings were \
             candidates, {} scored by every term, {} accounted for, {} shown",
            self.terms / n,
            e.postings / n,
            e.added / n,
            e.candidates / n,
            e.scored / n,
            e.accounted / n,
            self.matches / n
        )
    }
}

/// The best matches of each request with their explanations, in turn with the bare engine's best so many
/// of the same terms.
pub fn matching(at: &Index, bare: &Bare, requests: &[MatchRequest]) -> Result<Matching> {
    let mut told = Matching::default();
    for request in requests {
        let terms = at.terms_of(request)?;
        let (limit, _) = time(|| bare.best(&terms, request.limit))?;
        let (ours, (matches, effort)) = time(|| at.matches_with_effort(request))?;
        told.turns.add(ours, limit);
        told.effort = told.effort.plus(effort);
        told.terms += terms.0.len() + terms.1.len();
        told.matches += matches.len();
    }
    Ok(told)
}

/// A page of the search box, in turn with the same question answered by its order alone: no facets, no
/// snippets, no marks.
pub fn searching(at: &Index, requests: &[SearchRequest]) -> Result<Turns> {
    let mut turns = Turns::default();
    for request in requests {
        let (limit, _) = time(|| at.search_order(request))?;
        let (ours, _) = time(|| at.search(request))?;
        turns.add(ours, limit);
    }
    Ok(turns)
}

/// Questions for the search box: the beginnings of titles.
pub fn questions(listings: impl Iterator<Item = Listing>) -> Vec<SearchRequest> {
    let start = |n: usize, title: &str| title.chars().take(3 + n % 8).collect();
    let asked = listings.enumerate();
    asked
        .map(|(n, l)| SearchRequest { q: start(n, &l.title), ..SearchRequest::default() })
        .collect()
}
