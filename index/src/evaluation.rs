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
//! documents of grade 2 or more. The intervals are 95 % bootstrap intervals over queries with a
//! fixed seed, so that the same run gives the same figures.
//!
//! A query without a title and of at most [`ranking::SHORT`] characters goes to the search box, every
//! other one to matching, as in the service.
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    fs::File,
    io::{BufRead, BufReader, BufWriter, Read, Write},
    path::Path,
    time::Instant,
};

use serde::{Deserialize, Serialize};

use crate::{
    Error, Index, Kind, Listing, MODEL, MatchRequest, Result, SearchRequest,
    number::{index, real, small, whole},
    ranking,
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
    /// [`MODEL`], `random` or `newest`.
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
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} on {} documents; indexing {:.1} s, answering {:.1} s",
            self.model, self.documents, self.seconds_indexing, self.seconds_answering
        )?;
        writeln!(
            f,
            "{:<12} {:<10} {:>7}  {:<21} {:<21} {:<21}",
            "system", "kind", "queries", "nDCG@10 [95 %]", "MRR@10 [95 %]", "Recall@50 [95 %]"
        )?;
        for row in &self.rows {
            let figure = |v: Figure| format!("{:.4} [{:.3}, {:.3}]", v.mean, v.low, v.high);
            writeln!(
                f,
                "{:<12} {:<10} {:>7}  {:<21} {:<21} {:<21}",
                row.system,
                row.kind,
                row.queries,
                figure(row.ndcg_10),
                figure(row.mrr_10),
                figure(row.recall_50)
            )?;
        }
        Ok(())
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

#[derive(Debug, Clone, Deserialize)]
struct Query {
    id: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    kind: Option<String>,
}

/// Grades by query and document.
type Judgements = HashMap<String, HashMap<String, u32>>;

/// Indexes the corpus in memory, answers every query and measures the answers.
///
/// `run_out` takes a TREC run: `query Q0 document rank score model`, [`DEPTH`] lines a query.
///
/// # Errors
/// [`Error::TestSet`] names file and line of what cannot be read, among them two documents or
/// queries of the same id, and a test set in which no query has a judgement.
pub fn evaluate(
    corpus: &Path,
    queries: &Path,
    qrels: &Path,
    run_out: Option<&Path>,
) -> Result<Report> {
    let documents: Vec<Document> = read_lines(corpus, |d: &Document| d.id.clone())?;
    let queries_read: Vec<Query> = read_lines(queries, |q: &Query| q.id.clone())?;
    let judgements = read_judgements(qrels)?;

    let start = Instant::now();
    let at = Index::in_memory()?;
    for (i, document) in documents.iter().enumerate() {
        at.put(&Listing {
            text: document.text.clone(),
            keywords: document.keywords.clone(),
            field: document.field.clone(),
            published_at: i64::from(small(i)),
            ..Listing::new(Kind::Achievement, &document.id, &document.title)
        })?;
    }
    at.commit(0)?;
    let seconds_indexing = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let mut run: Vec<Vec<(String, f64)>> = Vec::with_capacity(queries_read.len());
    for query in &queries_read {
        run.push(answer(&at, query)?);
    }
    let seconds_answering = start.elapsed().as_secs_f64();
    if let Some(path) = run_out {
        write_run(path, &queries_read, &run)?;
    }

    let mut newest: Vec<&Document> = documents.iter().rev().collect();
    newest.sort_by(|a, b| b.published_at.cmp(&a.published_at));
    let newest: Vec<&str> = newest.iter().take(DEPTH).map(|d| d.id.as_str()).collect();
    let mut dice = Dice(SEED);
    let random: Vec<Vec<&str>> =
        queries_read.iter().map(|_| dice.sample(&documents, DEPTH)).collect();

    let mut rows = Vec::new();
    let own: Vec<Vec<&str>> =
        run.iter().map(|list| list.iter().map(|(id, _)| id.as_str()).collect()).collect();
    rows.extend(rows_of(MODEL, &queries_read, &own, &judgements));
    rows.extend(rows_of("random", &queries_read, &random, &judgements));
    let newest = vec![newest; queries_read.len()];
    rows.extend(rows_of("newest", &queries_read, &newest, &judgements));
    if rows.is_empty() {
        let why = "no query has a judgement with a grade above 0".to_owned();
        return Err(Error::TestSet { file: qrels.display().to_string(), line: 0, why });
    }
    Ok(Report {
        model: MODEL.to_owned(),
        documents: documents.len(),
        rows,
        seconds_indexing,
        seconds_answering,
    })
}

fn answer(at: &Index, query: &Query) -> Result<Vec<(String, f64)>> {
    let title = query.title.clone().filter(|t| !t.trim().is_empty());
    let short = query.text.chars().count() <= index(ranking::SHORT);
    if title.is_none() && short {
        let request =
            SearchRequest { q: query.text.clone(), limit: DEPTH, ..SearchRequest::default() };
        let page = at.search(&request)?;
        return Ok(page.items.into_iter().map(|item| (item.id, item.score)).collect());
    }
    let request = MatchRequest {
        title,
        text: query.text.clone(),
        limit: DEPTH,
        include_unsuitable: true,
        ..MatchRequest::default()
    };
    Ok(at.matches(&request)?.into_iter().map(|m| (m.id, m.score)).collect())
}

fn write_run(path: &Path, queries: &[Query], run: &[Vec<(String, f64)>]) -> Result<()> {
    let fault = |e| Error::io(path, e);
    let mut out = BufWriter::new(File::create(path).map_err(fault)?);
    for (query, list) in queries.iter().zip(run) {
        for (rank, (id, score)) in (1..).zip(list) {
            let line: (usize, &str) = (rank, &query.id);
            writeln!(out, "{} Q0 {id} {} {score:.6} {MODEL}", line.1, line.0).map_err(fault)?;
        }
    }
    out.flush().map_err(fault)
}

fn rows_of(
    system: &str,
    queries: &[Query],
    run: &[Vec<&str>],
    judgements: &Judgements,
) -> Vec<Row> {
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

fn measure(list: &[&str], grades: &HashMap<String, u32>) -> Option<Measured> {
    let gain = |grade: u32| f64::from(2_u32.saturating_pow(grade.min(20))) - 1.0;
    let dcg = |grades: &[u32]| -> f64 {
        (2..).zip(grades.iter().take(10)).map(|(i, g)| gain(*g) / f64::from(i).log2()).sum()
    };
    let mut ideal: Vec<u32> = grades.values().copied().collect();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    let best = dcg(&ideal);
    if best <= 0.0 {
        return None;
    }
    let found: Vec<u32> =
        list.iter().take(50).map(|id| grades.get(*id).copied().unwrap_or(0)).collect();
    let relevant = ideal.iter().filter(|g| **g >= 2).count();
    let first = found.iter().take(10).position(|g| *g >= 2);
    let hits = found.iter().filter(|g| **g >= 2).count();
    let graded = relevant > 0;
    Some(Measured {
        ndcg: dcg(&found) / best,
        mrr: graded.then(|| first.map_or(0.0, |i| 1.0 / real(i + 1))),
        recall: graded.then(|| real(hits) / real(relevant)),
    })
}

fn figure(values: Vec<f64>) -> Figure {
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
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
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
pub(crate) struct Bench {
    at: Index,
    queries: Vec<Query>,
    judgements: Judgements,
}
#[cfg(test)]
impl Bench {
    pub(crate) fn load(c: &Path, q: &Path, j: &Path) -> Result<Self> {
        let documents: Vec<Document> = read_lines(c, |d: &Document| d.id.clone())?;
        let at = Index::in_memory()?;
        for d in &documents {
            at.put(&Listing {
                text: d.text.clone(),
                keywords: d.keywords.clone(),
                ..Listing::new(Kind::Achievement, &d.id, &d.title)
            })?;
        }
        at.commit(0)?;
        Ok(Self {
            at,
            queries: read_lines(q, |q: &Query| q.id.clone())?,
            judgements: read_judgements(j)?,
        })
    }
    pub(crate) fn run(
        &self,
        long: &ranking::Weights,
        short: &ranking::Weights,
        kinds: &str,
    ) -> String {
        let mut out = String::new();
        for kind in kinds.split(' ') {
            let qs: Vec<&Query> =
                self.queries.iter().filter(|q| q.kind.as_deref() == Some(kind)).collect();
            let work = |qs: &[&Query]| -> Vec<Measured> {
                qs.iter()
                    .map(|q| {
                        let list: Vec<String> = if q.text.chars().count() <= 24 {
                            self.at
                                .search_weighed(
                                    &SearchRequest {
                                        q: q.text.clone(),
                                        limit: 50,
                                        ..Default::default()
                                    },
                                    short,
                                )
                                .unwrap()
                                .items
                                .into_iter()
                                .map(|i| i.id)
                                .collect()
                        } else {
                            self.at
                                .matches_weighed(
                                    &MatchRequest {
                                        text: q.text.clone(),
                                        limit: 50,
                                        include_unsuitable: true,
                                        ..Default::default()
                                    },
                                    long,
                                    short,
                                )
                                .unwrap()
                                .into_iter()
                                .map(|i| i.id)
                                .collect()
                        };
                        measure(
                            &list.iter().map(String::as_str).collect::<Vec<_>>(),
                            &self.judgements[&q.id],
                        )
                        .unwrap()
                    })
                    .collect()
            };
            let (a, b) = qs.split_at(qs.len() / 2);
            let m: Vec<Measured> = std::thread::scope(|s| {
                let h = s.spawn(|| work(a));
                let mut y = work(b);
                y.extend(h.join().unwrap());
                y
            });
            let n = m.len() as f64;
            out += &format!(
                " {kind}: {:.4} {:.4} {:.4} |",
                m.iter().map(|m| m.ndcg).sum::<f64>() / n,
                m.iter().filter_map(|m| m.mrr).sum::<f64>() / n,
                m.iter().filter_map(|m| m.recall).sum::<f64>() / n
            );
        }
        out
    }
}
