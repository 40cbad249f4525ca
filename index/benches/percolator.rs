//! How long a new listing takes against 100,000 saved questions.
//!
//! `cargo bench -p keshi-index --bench percolator [-- LISTINGS.jsonl.gz [QUESTIONS [MARKET]]]`, where
//! the file holds one object of `title`, `abstract`, `keywords` a line. Questions are cut from the texts
//! themselves with a fixed seed: seven in ten are searches of two to four words, two in ten short texts,
//! one in ten a whole listing that looks for partners.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions
)]
use std::{
    env,
    fs::File,
    io::{BufRead, BufReader},
    time::Instant,
};

use flate2::read::GzDecoder;
use keshi_index::{
    Filters, Index, Kind, Listing, MatchRequest, Percolator, Saved, SearchRequest,
    analysis::Analyzer,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    title: String,
    #[serde(default, rename = "abstract")]
    text: String,
    #[serde(default)]
    keywords: Vec<String>,
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n.max(1) as u64) as usize
    }
}

const FIELDS: [&str; 11] = ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11"];
const REGIONS: [&str; 4] = ["210100", "210200", "210300", "220100"];

fn listing(line: &Line, number: usize, dice: &mut Dice) -> Listing {
    let kind = if number.is_multiple_of(4) { Kind::Demand } else { Kind::Achievement };
    Listing {
        text: line.text.clone(),
        keywords: line.keywords.clone(),
        field: Some(FIELDS[dice.below(11)].into()),
        region: Some(REGIONS[dice.below(4)].into()),
        owner: format!("o{}", dice.below(2_000)),
        ..Listing::new(kind, format!("l{number}"), line.title.clone())
    }
}

fn question(analyzer: &Analyzer, line: &Line, dice: &mut Dice) -> Saved {
    let want = if dice.below(4) == 0 { Kind::Demand } else { Kind::Achievement };
    let filters = Filters {
        field: (dice.below(3) == 0).then(|| FIELDS[dice.below(11)].into()),
        region: (dice.below(4) == 0).then(|| REGIONS[dice.below(4)].into()),
        ..Filters::default()
    };
    match dice.below(10) {
        0 => Saved::Match(MatchRequest {
            title: Some(line.title.clone()),
            text: line.text.clone(),
            keywords: line.keywords.clone(),
            want,
            filters,
            ..MatchRequest::default()
        }),
        1 | 2 => Saved::Match(MatchRequest {
            text: line.text.chars().take(60).collect(),
            want,
            filters,
            ..MatchRequest::default()
        }),
        _ => {
            let words: Vec<String> = analyzer
                .analyse(&format!("{}。{}", line.title, line.text))
                .words
                .into_iter()
                .map(|t| t.term)
                .filter(|t| t.chars().count() > 1)
                .collect();
            let count = 2 + dice.below(3);
            let q: Vec<&str> = (0..count)
                .filter_map(|_| words.get(dice.below(words.len())).map(String::as_str))
                .collect();
            let kind = (dice.below(3) > 0).then_some(want);
            Saved::Search(SearchRequest {
                q: q.join(" "),
                kind,
                filters,
                ..SearchRequest::default()
            })
        }
    }
}

/// Megabytes of this process that are in memory.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap_or_default() / 1024
}

/// Milliseconds that this thread has had a processor, which a busy machine does not lengthen; 0 where the
/// system does not tell.
fn busy() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|n| n.parse::<f64>().ok());
    nanos.unwrap_or_default() / 1e6
}

fn report(name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("  {name}: median {:.2} ms, p99 {:.2} ms, most {:.2} ms", at(0.5), at(0.99), at(1.0));
}

fn main() {
    let args: Vec<String> = env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let Some(path) = args.first() else {
        println!("name a file of listings: see the head of benches/percolator.rs");
        return;
    };
    let number = |at: usize, or: usize| args.get(at).and_then(|a| a.parse().ok()).unwrap_or(or);
    let (questions, market) = (number(1, 100_000), number(2, 20_000));
    let reader = BufReader::new(GzDecoder::new(File::open(path).expect("the file of listings")));
    let lines: Vec<Line> = reader
        .lines()
        .map_while(Result::ok)
        .filter_map(|l| serde_json::from_str(&l).ok())
        .collect();
    let mut dice = Dice(20_261_122);
    let folder = tempfile::tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap().index;
    for (n, line) in lines.iter().take(market).enumerate() {
        index.put(&listing(line, n, &mut dice)).unwrap();
    }
    index.commit(1).unwrap();
    println!("market of {} listings, {} MB", index.len(), memory());

    let (analyzer, before, began) = (Analyzer::new().unwrap(), memory(), Instant::now());
    let mut percolator = Percolator::new().unwrap();
    for n in 0..questions {
        let line = &lines[dice.below(lines.len())];
        percolator
            .put(&format!("00000000-0000-0000-0000-{n:012}"), question(&analyzer, line, &mut dice));
    }
    println!(
        "{} questions taken in, {:.1} s, {} MB more",
        percolator.len(),
        began.elapsed().as_secs_f64(),
        memory() - before
    );

    let mut at = market;
    let mut run = |name: &str, percolator: &mut Percolator, count: usize| {
        let (mut times, mut worked) = (Vec::new(), Vec::new());
        let (mut hits, asked) = (0, percolator.searches());
        for _ in 0..count {
            let new = listing(&lines[at % lines.len()], at, &mut dice);
            at += 1;
            index.put(&new).unwrap();
            index.commit(at as i64).unwrap();
            let (began, before) = (Instant::now(), busy());
            hits += percolator.hits(&index, new.kind, &new.id).unwrap().len();
            times.push(began.elapsed().as_secs_f64() * 1e3);
            worked.push(busy() - before);
        }
        let asked = percolator.searches() - asked;
        let each = hits as f64 / count as f64;
        println!(
            "{name}: {count} listings, {each:.1} hits each, the market was asked {asked} times"
        );
        report("time", times);
        report("of a processor", worked);
    };
    run("cold", &mut percolator, 20);
    let began = Instant::now();
    let warmed = percolator.warm(&index, usize::MAX).unwrap();
    println!("{warmed} witnesses sought, {:.1} s", began.elapsed().as_secs_f64());
    run("warm", &mut percolator, 300);
    println!("{} MB in all", memory());
}
