//! Quality on a test set: documents, queries and graded judgements in, figures with intervals out.
//!
//! | file | a line |
//! |---|---|
//! | corpus, `.jsonl` or `.jsonl.gz` | `{"id", "title", "abstract", "keywords", "field"}`, all but the id may be missing |
//! | queries, `.jsonl` | `{"id", "text", "kind", "title"}`, kind and title may be missing |
//! | qrels, `.tsv` | query, document, grade (0..), parted by tabs |
//!
//! Metrics, averaged over the queries that have judgements: **nDCG@10** with gain `2^grade − 1` and
//! discount `log2(rank + 1)`; **MRR@10** of the first document of grade 2 or more; **Recall@50** of
//! documents of grade 2 or more. Documents of the same score have no order among them: each figure is the
//! mean over all orders they could stand in. The intervals are 95 % bootstrap intervals over queries with a
//! fixed seed, so that the same run gives the same figures.
//!
//! A query that takes the keyword path ([`MatchPath`]) goes to the search box, every other one to
//! matching, as in the service.
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    fs::File,
    io::{BufRead, BufReader, BufWriter, Read, Write},
    path::Path,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    Error, Index, Kind, Listing, MatchPath, MatchRequest, Ranking, Result, SearchRequest, model,
    number::{real, whole},
    semantic::Semantic,
    weights::ranking,
};

/// Documents of a ranking that are kept and written to the run file.
pub const DEPTH: usize = 100;
const RESAMPLES: usize = 1_000;
const SEED: u64 = 20_260_101;

/// A mean over queries, with its 95 % bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

/// One system on one kind of query.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// [`model`], that with [`Semantic::model`], `random` or `newest`.
    pub system: String,
    /// Kind of query; `all` is every query together.
    pub kind: String,
    pub queries: usize,
    pub ndcg_10: Figure,
    pub mrr_10: Figure,
    pub recall_50: Figure,
}

/// What [`evaluate`] found out. `Display` prints it as a text table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub model: String,
    pub documents: usize,
    pub rows: Vec<Row>,
    pub seconds_indexing: f64,
    pub seconds_answering: f64,
    /// Where there is a model for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_meaning: Option<ByMeaning>,
}

/// What ranking the best once more by meaning gains and costs. Questions for the search box are not ranked so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ByMeaning {
    /// nDCG@10 with it less nDCG@10 without it, query by query, by kind.
    pub gained: Vec<(String, Figure)>,
    /// Vectors that were not there yet.
    pub vectors: usize,
    pub ms_per_vector: f64,
    /// Queries that were ranked once more, and what that took, the vector of the query among it.
    pub queries: usize,
    pub ms_per_query: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} on {} documents; indexing {:.1} s, answering {:.1} s",
            self.model, self.documents, self.seconds_indexing, self.seconds_answering
        )?;
        let width = self.rows.iter().map(|row| row.system.len()).max().unwrap_or_default().max(12);
        writeln!(
            f,
            "{:<width$} {:<10} {:>7}  {:<21} {:<21} {:<21}",
            "system", "kind", "queries", "nDCG@10 [95 %]", "MRR@10 [95 %]", "Recall@50 [95 %]"
        )?;
        for row in &self.rows {
            let figure = |v: Figure| format!("{:.4} [{:.3}, {:.3}]", v.mean, v.low, v.high);
            writeln!(
                f,
                "{:<width$} {:<10} {:>7}  {:<21} {:<21} {:<21}",
                row.system,
                row.kind,
                row.queries,
                figure(row.ndcg_10),
                figure(row.mrr_10),
                figure(row.recall_50)
            )?;
        }
        let Some(by) = &self.by_meaning else { return Ok(()) };
        for (kind, gained) in &by.gained {
            let Figure { mean, low, high } = gained;
            writeln!(f, "by meaning, {kind}: nDCG@10 {mean:+.4} [{low:+.4}, {high:+.4}]")?;
        }
        writeln!(
            f,
            "by meaning: {:.1} ms for each of {} queries; {:.1} ms for each of {} vectors, once",
            by.ms_per_query, by.queries, by.ms_per_vector, by.vectors
        )
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Document {
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default, rename = "abstract")]
    text: String,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    field: Option<String>,
    /// ISO date; where it is missing, later in the file counts as newer.
    #[serde(default)]
    published_at: Option<String>,
}

impl Document {
    fn listing(self, published_at: i64) -> Listing {
        Listing {
            text: self.text,
            keywords: self.keywords,
            field: self.field,
            published_at,
            ..Listing::new(Kind::Achievement, self.id, self.title)
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Query {
    pub id: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    pub kind: Option<String>,
}

/// Grades by query and document.
pub(crate) type Judgements = HashMap<String, HashMap<String, u32>>;

/// A test set as read.
pub(crate) struct TestSet {
    documents: Vec<Document>,
    pub queries: Vec<Query>,
    pub judgements: Judgements,
}

impl TestSet {
    /// # Errors
    /// [`Error::TestSet`] names file and line of what cannot be read, among them two documents or
    /// queries of the same id, and a test set in which no query has a judgement.
    pub fn read(corpus: &Path, queries: &Path, qrels: &Path) -> Result<Self> {
        let documents: Vec<Document> = read_lines(corpus, |d: &Document| d.id.clone())?;
        let queries: Vec<Query> = read_lines(queries, |q: &Query| q.id.clone())?;
        let judgements = read_judgements(qrels)?;
        let judged = |q: &Query| judgements.get(&q.id).is_some_and(|grades| ideal(grades) > 0.0);
        if !queries.iter().any(judged) {
            let why = "no query has a judgement with a grade above 0".to_owned();
            return Err(Error::TestSet { file: qrels.display().to_string(), line: 0, why });
        }
        Ok(Self { documents, queries, judgements })
    }

    /// The documents as achievements, later ones newer.
    pub fn listings(&self) -> Vec<Listing> {
        (0..).zip(&self.documents).map(|(i, document)| document.clone().listing(i)).collect()
    }

    /// All documents in memory.
    pub fn index(&self) -> Result<Index> {
        let at = Index::in_memory()?;
        for listing in self.listings() {
            at.put(&listing)?;
        }
        at.commit(0)?;
        Ok(at)
    }
}

/// Indexes the corpus in memory, answers every query and measures the answers.
///
/// `run_out` takes a TREC run: `query Q0 document rank score model`, [`DEPTH`] lines a query. With `meaning`,
/// the best are ranked once more by it; that is the run then, and what it gains is told.
///
/// # Errors
/// [`Error::TestSet`] names file and line of what is wrong with the test set.
pub fn evaluate(
    corpus: &Path,
    queries: &Path,
    qrels: &Path,
    run_out: Option<&Path>,
    meaning: Option<&Semantic>,
) -> Result<Report> {
    let set = TestSet::read(corpus, queries, qrels)?;
    let start = Instant::now();
    let at = set.index()?;
    let seconds_indexing = start.elapsed().as_secs_f64();
    let TestSet { documents, queries: queries_read, judgements } = set;

    let start = Instant::now();
    let mut run: Vec<Ranked> = Vec::with_capacity(queries_read.len());
    for query in &queries_read {
        run.push(query.answer(&at, ranking(), DEPTH)?);
    }
    let seconds_answering = start.elapsed().as_secs_f64();
    let again = match meaning {
        Some(meaning) => Some(again(&at, &queries_read, &run, &judgements, meaning)?),
        None => None,
    };
    if let Some(path) = run_out {
        let (run, model) = match (&again, meaning) {
            (Some((run, _)), Some(meaning)) => (run, meaning.model()),
            _ => (&run, model()),
        };
        write_run(path, &queries_read, run, model)?;
    }

    let mut newest: Vec<&Document> = documents.iter().rev().collect();
    newest.sort_by(|a, b| b.published_at.cmp(&a.published_at));
    let newest: Vec<&str> = newest.into_iter().take(DEPTH).map(|d| d.id.as_str()).collect();
    let mut dice = Dice(SEED);
    let random: Vec<Ranked> =
        queries_read.iter().map(|_| ordered(dice.sample(&documents, DEPTH))).collect();

    let mut rows = Vec::new();
    rows.extend(rows_of(model(), &queries_read, &run, &judgements));
    if let (Some((run, _)), Some(meaning)) = (&again, meaning) {
        rows.extend(rows_of(meaning.model(), &queries_read, run, &judgements));
    }
    rows.extend(rows_of("random", &queries_read, &random, &judgements));
    let newest = vec![ordered(newest); queries_read.len()];
    rows.extend(rows_of("newest", &queries_read, &newest, &judgements));
    Ok(Report {
        model: model().to_owned(),
        documents: documents.len(),
        rows,
        seconds_indexing,
        seconds_answering,
        by_meaning: again.map(|(_, by_meaning)| by_meaning),
    })
}

/// The best documents of a query, each with its score.
type Ranked = Vec<(String, f64)>;

/// Ranks the best of every query once more by meaning.
fn again(
    at: &Index,
    queries: &[Query],
    run: &[Ranked],
    judgements: &Judgements,
    meaning: &Semantic,
) -> Result<(Vec<Ranked>, ByMeaning)> {
    let (mut making, mut ranking_once_more) = (Duration::ZERO, Duration::ZERO);
    let (before, mut ranked) = (meaning.vectors(), 0_usize);
    let mut lists = Vec::with_capacity(run.len());
    for (query, list) in queries.iter().zip(run) {
        let request = MatchRequest { limit: DEPTH, ..query.request() };
        if request.path() == MatchPath::Keyword {
            lists.push(list.clone());
            continue;
        }
        let mut found = at.matches(&request)?;
        let start = Instant::now();
        meaning.prepare(at, &found)?;
        making += start.elapsed();
        let start = Instant::now();
        meaning.rank(at, &request, &mut found)?;
        ranking_once_more += start.elapsed();
        ranked += 1;
        lists.push(found.into_iter().map(|m| (m.id, m.score)).collect());
    }
    let mut by_kind: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for ((query, then), now) in queries.iter().zip(run).zip(&lists) {
        let Some(grades) = judgements.get(&query.id) else { continue };
        if let (Some(then), Some(now)) = (measure(then, grades), measure(now, grades)) {
            let kind = query.kind.as_deref().unwrap_or("other");
            by_kind.entry(kind).or_default().push(now.ndcg - then.ndcg);
        }
    }
    let each = |spent: Duration, count: usize| spent.as_secs_f64() * 1e3 / real(count.max(1));
    let vectors = meaning.vectors() - before;
    let by_meaning = ByMeaning {
        gained: by_kind.into_iter().map(|(kind, by)| (kind.to_owned(), figure(by))).collect(),
        vectors,
        ms_per_vector: each(making, vectors),
        queries: ranked,
        ms_per_query: each(ranking_once_more, ranked),
    };
    Ok((lists, by_meaning))
}

impl Query {
    /// As a request, whichever way it is asked.
    pub(crate) fn request(&self) -> MatchRequest {
        MatchRequest {
            title: self.title.clone().filter(|t| !t.trim().is_empty()),
            text: self.text.clone(),
            include_unsuitable: true,
            ..MatchRequest::default()
        }
    }

    /// The best `limit` documents: a few words go to the search box, everything else to matching.
    pub(crate) fn answer(&self, at: &Index, ranking: &Ranking, limit: usize) -> Result<Ranked> {
        let request = MatchRequest { limit, ..self.request() };
        if request.path() == MatchPath::Keyword {
            let question = SearchRequest { q: request.text, limit, ..SearchRequest::default() };
            let page = at.search_weighed(&question, ranking.weights(MatchPath::Keyword))?;
            return Ok(page.items.into_iter().map(|item| (item.id, item.score)).collect());
        }
        let found = at.matches_ranked(&request, ranking)?;
        Ok(found.into_iter().map(|m| (m.id, m.score)).collect())
    }
}

fn write_run(path: &Path, queries: &[Query], run: &[Ranked], model: &str) -> Result<()> {
    let fault = |e| Error::io(path, e);
    let mut out = BufWriter::new(File::create(path).map_err(fault)?);
    for (query, list) in queries.iter().zip(run) {
        for (rank, (id, score)) in (1_usize..).zip(list) {
            writeln!(out, "{} Q0 {id} {rank} {score:.6} {model}", query.id).map_err(fault)?;
        }
    }
    out.flush().map_err(fault)
}

/// An order without scores as one with.
fn ordered(list: Vec<&str>) -> Ranked {
    (1..).zip(list).map(|(rank, id)| (id.to_owned(), -f64::from(rank))).collect()
}

fn rows_of(system: &str, queries: &[Query], run: &[Ranked], judgements: &Judgements) -> Vec<Row> {
    let mut by_kind: BTreeMap<&str, Vec<Measured>> = BTreeMap::new();
    let mut all = Vec::new();
    for (query, list) in queries.iter().zip(run) {
        let Some(grades) = judgements.get(&query.id) else { continue };
        let Some(measured) = measure(list, grades) else { continue };
        by_kind.entry(query.kind.as_deref().unwrap_or("other")).or_default().push(measured);
        all.push(measured);
    }
    let mut rows: Vec<Row> =
        by_kind.iter().map(|(kind, measured)| row(system, kind, measured)).collect();
    if rows.len() > 1 {
        rows.push(row(system, "all", &all));
    }
    rows
}

fn row(system: &str, kind: &str, measured: &[Measured]) -> Row {
    let figure =
        |of: fn(&Measured) -> Option<f64>| figure(measured.iter().filter_map(of).collect());
    Row {
        system: system.to_owned(),
        kind: kind.to_owned(),
        queries: measured.len(),
        ndcg_10: figure(|m| Some(m.ndcg)),
        mrr_10: figure(|m| m.mrr),
        recall_50: figure(|m| m.recall),
    }
}

/// One answer. The last two are none where nothing has grade 2.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Measured {
    ndcg: f64,
    mrr: Option<f64>,
    recall: Option<f64>,
}

fn gain(grade: u32) -> f64 {
    f64::from(2_u32.saturating_pow(grade.min(20))) - 1.0
}

/// The discounted gain of grades in an order, at ten.
pub(crate) fn dcg(grades: impl Iterator<Item = u32>) -> f64 {
    (2..).zip(grades.take(10)).map(|(i, grade)| gain(grade) / f64::from(i).log2()).sum()
}

/// The most there is to gain.
pub(crate) fn ideal(grades: &HashMap<String, u32>) -> f64 {
    let mut ideal: Vec<u32> = grades.values().copied().collect();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    dcg(ideal.into_iter())
}

/// Best first, each document with its score.
fn measure(list: &[(String, f64)], grades: &HashMap<String, u32>) -> Option<Measured> {
    let best = ideal(grades);
    if best <= 0.0 {
        return None;
    }
    let relevant = grades.values().filter(|g| **g >= 2).count();
    let (mut sum, mut mrr, mut recall) = (0.0, 0.0, 0.0);
    let (mut before, mut none_yet) = (0_usize, 1.0_f64);
    for tied in list.chunk_by(|a, b| a.1 == b.1) {
        let of: Vec<u32> =
            tied.iter().map(|(id, _)| grades.get(id).copied().unwrap_or(0)).collect();
        let (size, hits) = (of.len(), of.iter().filter(|g| **g >= 2).count());
        let mean = of.iter().map(|g| gain(*g)).sum::<f64>() / real(size);
        // while the tied ones that do not count stand before the first that does
        let mut all_wrong = none_yet;
        for (at, rank) in (0..size).zip(before + 1..) {
            if rank <= 10 {
                sum += mean / (real(rank) + 1.0).log2();
                let left = real(size - at);
                let right_next = (real(hits) / left).min(1.0);
                mrr += all_wrong * right_next / real(rank);
                all_wrong *= 1.0 - right_next;
            }
            if rank <= 50 {
                recall += real(hits) / real(size);
            }
        }
        if hits > 0 {
            none_yet = 0.0;
        }
        before += size;
    }
    let graded = relevant > 0;
    Some(Measured {
        ndcg: sum / best,
        mrr: graded.then_some(mrr),
        recall: graded.then(|| recall / real(relevant)),
    })
}

pub(crate) fn figure(values: Vec<f64>) -> Figure {
    let count = values.len();
    if count == 0 {
        return Figure { mean: 0.0, low: 0.0, high: 0.0 };
    }
    let mean = values.iter().sum::<f64>() / real(count);
    let mut dice = Dice(SEED);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn = (0..count).filter_map(|_| values.get(dice.below(count)));
            drawn.sum::<f64>() / real(count)
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |share: usize| means.get(RESAMPLES * share / 1000).copied().unwrap_or(mean);
    Figure { mean, low: at(25), high: at(975) }
}

/// SplitMix64: small, seeded, the same on every machine.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % whole(count.max(1))).unwrap_or(0)
    }

    fn sample<'a>(&mut self, documents: &'a [Document], count: usize) -> Vec<&'a str> {
        let count = count.min(documents.len());
        let mut drawn: Vec<usize> = Vec::with_capacity(count);
        while drawn.len() < count {
            let i = self.below(documents.len());
            if !drawn.contains(&i) {
                drawn.push(i);
            }
        }
        drawn.into_iter().filter_map(|i| documents.get(i)).map(|d| d.id.as_str()).collect()
    }
}

/// The documents of a corpus as achievements, later ones newer.
pub fn listings(corpus: &Path) -> Result<Vec<Listing>> {
    let documents: Vec<Document> = read_lines(corpus, |d: &Document| d.id.clone())?;
    Ok((0..).zip(documents).map(|(i, document)| document.listing(i)).collect())
}

fn open(path: &Path) -> Result<Box<dyn Read>> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let packed = path.extension().is_some_and(|e| e == "gz");
    Ok(if packed { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Every line that is not blank, with its number from 1.
fn lines(path: &Path) -> Result<impl Iterator<Item = Result<(usize, String)>>> {
    let owned = path.to_path_buf();
    let lines = (1..).zip(BufReader::new(open(path)?).lines());
    Ok(lines
        .map(move |(n, line)| Ok((n, line.map_err(|e| Error::io(&owned, e))?)))
        .filter(|line| line.as_ref().map_or(true, |(_, text)| !text.trim().is_empty())))
}

fn read_lines<T: for<'a> Deserialize<'a>>(path: &Path, id: fn(&T) -> String) -> Result<Vec<T>> {
    let mut seen = HashMap::new();
    let mut values = Vec::new();
    for line in lines(path)? {
        let (number, text) = line?;
        let fault =
            |why: String| Error::TestSet { file: path.display().to_string(), line: number, why };
        let value: T = serde_json::from_str(&text).map_err(|e| fault(e.to_string()))?;
        if let Some(first) = seen.insert(id(&value), number) {
            return Err(fault(format!("id {} stands in line {first} already", id(&value))));
        }
        values.push(value);
    }
    Ok(values)
}

fn read_judgements(path: &Path) -> Result<Judgements> {
    let mut judgements = Judgements::new();
    for line in lines(path)? {
        let (number, text) = line?;
        let fault = |why: &str| Error::TestSet {
            file: path.display().to_string(),
            line: number,
            why: why.to_owned(),
        };
        let mut columns = text.trim_end().split('\t');
        let (Some(query), Some(document), Some(grade), None) =
            (columns.next(), columns.next(), columns.next(), columns.next())
        else {
            return Err(fault("three columns parted by tabs: query, document, grade"));
        };
        let grade = grade.parse().map_err(|_| fault("the grade is a whole number from 0"))?;
        judgements.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
    }
    Ok(judgements)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod reference;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn grades(pairs: &[(&str, u32)]) -> HashMap<String, u32> {
        pairs.iter().map(|(id, grade)| ((*id).to_owned(), *grade)).collect()
    }

    /// Worked out by hand from the definitions of the reference script.
    #[test]
    fn metrics_are_those_of_the_reference() {
        let judged = grades(&[("a", 3), ("b", 2), ("c", 1)]);
        let measure = |list: &[&str], grades: &HashMap<String, u32>| {
            super::measure(&ordered(list.to_vec()), grades)
        };
        let m = measure(&["x", "b", "c", "a"], &judged).unwrap();
        let dcg = 3.0 / 3_f64.log2() + 1.0 / 4_f64.log2() + 7.0 / 5_f64.log2();
        let ideal = 7.0 + 3.0 / 3_f64.log2() + 1.0 / 4_f64.log2();
        assert!((m.ndcg - dcg / ideal).abs() < 1e-12);
        assert_eq!((m.mrr, m.recall), (Some(0.5), Some(1.0)));
        let late: Vec<&str> = std::iter::repeat_n("x", 10).chain(["a"]).collect();
        let m = measure(&late, &judged).unwrap();
        assert_eq!((m.ndcg, m.mrr, m.recall), (0.0, Some(0.0), Some(0.5)));
        assert_eq!(measure(&["a"], &grades(&[("a", 0)])), None);
        assert_eq!(measure(&["c"], &grades(&[("c", 1)])).unwrap().recall, None);
    }

    /// Against the mean over every order of what is tied.
    #[test]
    fn what_is_tied_has_no_order() {
        let judged = grades(&[("a", 3), ("b", 2), ("c", 1)]);
        let list = |ids: [&str; 5], scores: [f64; 5]| -> Vec<(String, f64)> {
            ids.iter().zip(scores).map(|(id, score)| ((*id).to_owned(), score)).collect()
        };
        let tied = measure(&list(["x", "b", "y", "a", "c"], [9.0, 5.0, 5.0, 5.0, 1.0]), &judged);
        let orders = [
            ["x", "b", "y", "a", "c"],
            ["x", "b", "a", "y", "c"],
            ["x", "y", "b", "a", "c"],
            ["x", "y", "a", "b", "c"],
            ["x", "a", "b", "y", "c"],
            ["x", "a", "y", "b", "c"],
        ];
        let each: Vec<Measured> = orders
            .iter()
            .map(|ids| measure(&list(*ids, [5.0, 4.0, 3.0, 2.0, 1.0]), &judged).unwrap())
            .collect();
        let mean = |of: fn(&Measured) -> f64| each.iter().map(of).sum::<f64>() / 6.0;
        let tied = tied.unwrap();
        assert!((tied.ndcg - mean(|m| m.ndcg)).abs() < 1e-12);
        assert!((tied.mrr.unwrap() - mean(|m| m.mrr.unwrap())).abs() < 1e-12);
        assert_eq!(tied.recall, Some(1.0));
        // at the edge of fifty
        let mut long: Vec<(String, f64)> =
            (0..49).map(|n| (format!("n{n}"), 100.0 - f64::from(n))).collect();
        long.extend(["a", "x", "y", "z"].map(|id| (id.to_owned(), 1.0)));
        let edge = measure(&long, &grades(&[("a", 3)])).unwrap();
        assert_eq!(edge.recall, Some(0.25));
    }

    #[test]
    fn intervals_hold_the_mean_and_repeat() {
        let values: Vec<f64> = (0..200).map(|i| f64::from(i % 7) / 7.0).collect();
        let one = figure(values.clone());
        assert_eq!(one, figure(values));
        assert!(one.low < one.mean && one.mean < one.high);
    }

    #[test]
    fn a_test_set_is_read_measured_and_written() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let corpus = "{\"id\":\"d1\",\"title\":\"石墨烯导热膜\"}\n{\"id\":\"d2\",\"title\":\"稻瘟病抗性\"}\n";
        let mut packed = flate2::write::GzEncoder::new(
            File::create(at("corpus.jsonl.gz")).unwrap(),
            flate2::Compression::fast(),
        );
        packed.write_all(corpus.as_bytes()).unwrap();
        packed.finish().unwrap();
        std::fs::write(at("q"), "{\"id\":\"q1\",\"text\":\"石墨烯\",\"kind\":\"topic\"}\n")
            .unwrap();
        std::fs::write(at("j"), "q1\td1\t3\n").unwrap();
        let run = at("run");
        let report =
            evaluate(&at("corpus.jsonl.gz"), &at("q"), &at("j"), Some(&run), None).unwrap();
        assert_eq!(report.rows.len(), 3);
        assert!(report.rows.iter().any(|r| r.system == model() && r.ndcg_10.mean == 1.0));
        assert!(report.to_string().contains("topic"));
        let run = std::fs::read_to_string(run).unwrap();
        assert!(run.starts_with("q1 Q0 d1 1 ") && run.trim_end().ends_with(model()), "{run}");

        std::fs::write(at("bad"), "q1\td1\t3\n\nq1 d1 3\n").unwrap();
        let error = evaluate(&at("corpus.jsonl.gz"), &at("q"), &at("bad"), None, None).unwrap_err();
        assert!(error.to_string().contains("bad:3: three columns"), "{error}");
        std::fs::write(at("twice"), format!("{corpus}{corpus}")).unwrap();
        let error = evaluate(&at("twice"), &at("q"), &at("j"), None, None).unwrap_err();
        assert!(error.to_string().contains("twice:3: id d1 stands in line 1"), "{error}");
    }
}
