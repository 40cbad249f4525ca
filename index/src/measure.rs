//! Speed as ratios to a bare limit measured in the same run: matching against the engine's own best 20 of
//! the same terms, a page of the search box against its order alone, and that against the engine again. Used
//! by the benchmark `matching` and by `keshi bench search`.
//!
//! Absolute figures change with the machine and the hour; measurements that take turns change together.
use std::{
    fmt, fs,
    path::Path,
    time::{Duration, Instant},
};

use tantivy::{
    Searcher, TantivyDocument, TantivyError, Term,
    collector::TopDocs,
    directory::MmapDirectory,
    merge_policy::LogMergePolicy,
    query::{BooleanQuery, Occur, Query, TermQuery},
    schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions, Value},
};

use crate::{
    Effort, Error, Index, Kind, Listing, MatchRequest, Result, SearchRequest, evaluation,
    index::{CUT, TextFields, register_cut},
    number::real,
    parallel,
    recombine::Pool,
};

/// Listings that go between two commits.
const BATCH: usize = 50_000;
/// Requests of a cross-match that are answered before their answers are let go.
const AT_ONCE: usize = 500;

/// An index and the bare engine over the same achievements.
pub struct Ground {
    pub index: Index,
    pub size: usize,
    /// What filling both took; none where an earlier run had.
    pub filled: Option<Duration>,
    bare: Bare,
    pool: Pool,
}

impl Ground {
    /// `size` achievements of a corpus in the format of [`evaluation`], or made of it by recombination where
    /// it holds fewer. In memory; or in a folder, where a later run of the same size finds them again.
    pub fn make(corpus: &Path, size: usize, folder: Option<&Path>) -> Result<Self> {
        let real = evaluation::listings(corpus)?;
        let folder = folder.map(|folder| folder.join(size.to_string()));
        if let Some(folder) = &folder
            && folder.exists()
        {
            let bare = Bare::open(&folder.join("bare"))?;
            let index = Index::open(&folder.join("index"))?.index;
            if index.len() == size && bare.len() == size {
                return Ok(Self { index, size, filled: None, bare, pool: Pool::of(real) });
            }
            // an earlier run did not come to its end
            drop((index, bare));
            fs::remove_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        }
        let index = match &folder {
            Some(folder) => Index::open(&folder.join("index"))?.index,
            None => Index::in_memory()?,
        };
        let bare = folder.map(|folder| folder.join("bare"));
        let start = Instant::now();
        let (bare, pool) = if real.len() >= size {
            let listings = real.iter().take(size).cloned();
            (fill(&index, bare.as_deref(), listings)?, Pool::of(real))
        } else {
            let pool = Pool::of(real);
            let listings = pool.listings(Kind::Achievement, 1, size);
            (fill(&index, bare.as_deref(), listings)?, pool)
        };
        Ok(Self { index, size, filled: Some(start.elapsed()), bare, pool })
    }

    /// Demands made of the corpus: `seed` names others.
    pub fn demands(&self, seed: u64, count: usize) -> impl Iterator<Item = MatchRequest> {
        self.pool.listings(Kind::Demand, seed, count).map(|listing| MatchRequest::from(&listing))
    }

    /// Questions for the search box: the beginnings of titles.
    pub fn questions(&self, count: usize) -> Vec<SearchRequest> {
        let start = |n: usize, title: &str| title.chars().take(3 + n % 8).collect();
        let asked = self.pool.listings(Kind::Achievement, 9, count).enumerate();
        asked
            .map(|(n, l)| SearchRequest { q: start(n, &l.title), ..SearchRequest::default() })
            .collect()
    }

    /// The best matches of each request with their explanations, in turn with the bare engine's best so many
    /// of the same terms.
    pub fn matching(&self, requests: &[MatchRequest]) -> Result<Matching> {
        let mut told = Matching::default();
        for request in requests {
            let terms = self.index.terms_of(request)?;
            let (limit, _) = time(|| self.bare.best(&terms, request.limit))?;
            let (ours, (matches, effort)) = time(|| self.index.matches_with_effort(request))?;
            told.turns.add(ours, limit);
            told.effort = told.effort.plus(effort);
            told.terms += terms.0.len() + terms.1.len();
            told.matches += matches.len();
        }
        Ok(told)
    }

    /// A page of the search box, in turn with the same question answered by its order alone (no facets, no
    /// snippets, no marks), and with the bare engine's best so many of the same terms.
    pub fn searching(&self, requests: &[SearchRequest]) -> Result<Searching> {
        let mut told = Searching::default();
        for (number, request) in requests.iter().enumerate() {
            let terms = self.index.terms_of_question(request);
            let (bare, _) = time(|| self.bare.best(&terms, request.limit))?;
            let order = || time(|| self.index.search_order(request));
            let page = || time(|| self.index.search(request));
            // whichever comes second finds the postings near the processor
            let ((order, _), (page, found)) = if number % 2 == 0 {
                let order = order()?;
                (order, page()?)
            } else {
                let page = page()?;
                (order()?, page)
            };
            told.page.add(page, order);
            told.order.add(order, bare);
            told.found += found.total;
        }
        Ok(told)
    }

    /// The best matches of very many demands with their explanations and where their evidence stands. Answers
    /// are counted and let go, a batch at a time.
    pub fn cross(&self, count: usize) -> Result<Cross> {
        let mut told = Cross { threads: parallel::cores(), size: self.size, ..Cross::default() };
        let mut demands = self.demands(6, count);
        let start = Instant::now();
        loop {
            let many: Vec<MatchRequest> = demands.by_ref().take(AT_ONCE).collect();
            if many.is_empty() {
                told.took = start.elapsed();
                return Ok(told);
            }
            let mut answers = self.index.match_many(&many, told.threads)?;
            self.index.locate_many(&mut answers, told.threads)?;
            told.demands += many.len();
            told.matches += answers.iter().map(Vec::len).sum::<usize>();
        }
    }

    /// As how many segments the bare engine keeps them.
    pub fn bare_segments(&self) -> usize {
        self.bare.searcher.segment_readers().len()
    }
}

/// The engine alone: words and character pairs in two fields, cut as ours are.
struct Bare {
    searcher: Searcher,
    words: Field,
    characters: Field,
}

/// Fills the index and the bare engine, in as many segments as either makes.
fn fill(at: &Index, bare: Option<&Path>, listings: impl Iterator<Item = Listing>) -> Result<Bare> {
    let mut schema = Schema::builder();
    let mut field = |name: &str, option| {
        let indexing = TextFieldIndexing::default().set_tokenizer(CUT).set_index_option(option);
        schema.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
    };
    let words = field("words", IndexRecordOption::WithFreqs);
    let characters = field("characters", IndexRecordOption::WithFreqsAndPositions);
    let bare = match bare {
        Some(dir) => {
            fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
            let directory = MmapDirectory::open(dir).map_err(TantivyError::from)?;
            tantivy::Index::open_or_create(directory, schema.build())?
        }
        None => tantivy::Index::create_in_ram(schema.build()),
    };
    register_cut(&bare);
    let mut writer = bare.writer_with_num_threads(1, 40 << 20)?;
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
    Bare::over(&bare)
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
    fn over(engine: &tantivy::Index) -> Result<Self> {
        let field = |name| engine.schema().get_field(name);
        let (words, characters) = (field("words")?, field("characters")?);
        Ok(Self { searcher: engine.reader()?.searcher(), words, characters })
    }

    fn open(dir: &Path) -> Result<Self> {
        let engine = tantivy::Index::open_in_dir(dir)?;
        register_cut(&engine);
        Self::over(&engine)
    }

    fn len(&self) -> usize {
        usize::try_from(self.searcher.num_docs()).unwrap_or(usize::MAX)
    }

    /// Its best by BM25 of any of the terms, words and pairs of characters; how many it found.
    fn best(&self, terms: &(Vec<String>, Vec<String>), limit: usize) -> Result<usize> {
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

/// What answering many questions took.
#[derive(Debug, Clone, Default)]
pub struct Searching {
    /// A whole page against its order alone.
    pub page: Turns,
    /// The order alone against the bare engine.
    pub order: Turns,
    /// Listings found, added up over the questions.
    pub found: usize,
}

impl fmt::Display for Searching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "page against order alone {}", self.page)?;
        writeln!(f, "order alone against the bare engine {}", self.order)?;
        write!(f, "a question finds {} listings", self.found / self.page.ours.len().max(1))
    }
}

/// What matching very many demands took.
#[derive(Debug, Clone, Default)]
pub struct Cross {
    pub demands: usize,
    pub size: usize,
    pub matches: usize,
    pub threads: usize,
    pub took: Duration,
}

impl fmt::Display for Cross {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = self.took.as_secs_f64();
        let rate = real(self.demands) / took.max(1e-9);
        write!(
            f,
            "{} demands × {} in {took:.2} s: {rate:.0} demands/s on {} threads, {} matches explained and located",
            self.demands, self.size, self.threads, self.matches
        )
    }
}
