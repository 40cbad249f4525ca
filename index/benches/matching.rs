//! Matching and the search box against the bare engine, and every demand of a market at once.
//!
//! `KESHI_BENCH_CORPUS=… cargo bench -p keshi-index --bench matching [demand] [box] [cross]`
//!
//! `KESHI_BENCH_LISTINGS` (100,000) achievements are made of the corpus by recombination, or are the corpus
//! itself where it holds as many; `KESHI_BENCH_DEMANDS` names a file of demands (`title`, `description`,
//! `keywords`), without it they are made of the corpus as well; `KESHI_BENCH_ASKED` (500) is how many are
//! asked.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions
)]
mod common;

use std::{env, fs, path::Path, time::Instant};

use keshi_index::{measure, recombine::Pool, *};

fn main() {
    let size = common::number("KESHI_BENCH_LISTINGS", 100_000);
    let asked = common::number("KESHI_BENCH_ASKED", 500);
    let named: Vec<String> = env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|a| a == name);
    let corpus = evaluation::listings(&common::corpus()).expect("a corpus");
    let start = Instant::now();
    let index = Index::in_memory().unwrap();
    let (bare, pool) = if corpus.len() >= size {
        let pool = Pool::of(corpus.clone());
        (measure::fill(&index, corpus.into_iter().take(size)).unwrap(), pool)
    } else {
        let pool = Pool::of(corpus);
        (measure::fill(&index, pool.listings(Kind::Achievement, 1, size)).unwrap(), pool)
    };
    println!(
        "{size} listings in {:.0} s; bare engine: {} segments; {:?} MB of memory",
        start.elapsed().as_secs_f64(),
        bare.segments(),
        common::memory()
    );
    let demands: Vec<MatchRequest> = match env::var_os("KESHI_BENCH_DEMANDS") {
        Some(file) => demands(Path::new(&file)),
        None => pool.listings(Kind::Demand, 5, asked).map(|l| MatchRequest::from(&l)).collect(),
    };
    if wanted("demand") {
        for round in 1..=3 {
            let few = &demands[..asked.min(demands.len())];
            println!("demand, round {round}: {}", measure::matching(&index, &bare, few).unwrap());
        }
    }
    if wanted("box") {
        let questions = measure::questions(pool.listings(Kind::Achievement, 9, asked));
        for round in 1..=3 {
            let told = measure::searching(&index, &questions).unwrap();
            println!("search box, round {round}: page against order alone {told}");
        }
    }
    if wanted("cross") {
        // answers are counted and let go, a batch at a time
        let count = common::number("KESHI_BENCH_CROSS", 10_000);
        let (start, mut matches) = (Instant::now(), 0);
        for from in (0..count).step_by(500) {
            let many: Vec<MatchRequest> = (from..count.min(from + 500))
                .map(|n| MatchRequest::from(&pool.listing(Kind::Demand, 6, n)))
                .collect();
            let answers = index.match_many(&many, 2).unwrap();
            matches += answers.iter().map(Vec::len).sum::<usize>();
        }
        let took = start.elapsed().as_secs_f64();
        println!(
            "{count} demands × {size}: {took:.1} s, {:.0} demands/s on 2 threads, {matches} explained; {:?} MB",
            count as f64 / took,
            common::memory()
        );
    }
}

fn demands(file: &Path) -> Vec<MatchRequest> {
    let text = fs::read_to_string(file).expect("demands");
    let of = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let keywords = value["keywords"].as_array().into_iter().flatten();
        MatchRequest {
            title: Some(text("title")),
            text: text("description"),
            keywords: keywords.filter_map(|k| k.as_str().map(str::to_owned)).collect(),
            field: Some("03".into()),
            region: Some("210100".into()),
            ..MatchRequest::default()
        }
    };
    text.lines().map(of).collect()
}
