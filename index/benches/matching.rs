//! Matching and the search box against the bare engine, and every demand of a market at once: what
//! `keshi bench search` tells, one part at a time and with demands of one's own.
//!
//! `KESHI_BENCH_CORPUS=… cargo bench -p keshi-index --bench matching [demand] [box] [cross]`
//!
//! `KESHI_BENCH_LISTINGS` (100,000) achievements are made of the corpus by recombination, or are the corpus
//! itself where it holds as many; `KESHI_BENCH_FOLDER` keeps them for another run, which otherwise are held
//! in memory; `KESHI_BENCH_DEMANDS` names a file of demands (`title`, `description`, `keywords`), without it
//! they are made of the corpus as well; `KESHI_BENCH_ASKED` (500) is how many are asked, and
//! `KESHI_BENCH_CROSS` (10,000) how many at once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions
)]
mod common;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use keshi_index::{measure::Ground, *};

fn main() {
    let size = common::number("KESHI_BENCH_LISTINGS", 100_000);
    let asked = common::number("KESHI_BENCH_ASKED", 500);
    let named: Vec<String> = env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|a| a == name);
    let folder = env::var_os("KESHI_BENCH_FOLDER").map(PathBuf::from);
    let ground = Ground::make(&common::corpus(), size, folder.as_deref()).expect("a corpus");
    println!(
        "{size} listings, filled in {:?}; bare engine: {} segments; {:?} MB of memory",
        ground.filled,
        ground.bare_segments(),
        common::memory()
    );
    if wanted("demand") {
        let demands: Vec<MatchRequest> = match env::var_os("KESHI_BENCH_DEMANDS") {
            Some(file) => demands(Path::new(&file)).into_iter().take(asked).collect(),
            None => ground.demands(5, asked).collect(),
        };
        for round in 1..=3 {
            println!("demand, round {round}: {}", ground.matching(&demands).unwrap());
        }
    }
    if wanted("box") {
        let questions = ground.questions(asked);
        for round in 1..=3 {
            println!("search box, round {round}: {}", ground.searching(&questions).unwrap());
        }
    }
    if wanted("cross") {
        let told = ground.cross(common::number("KESHI_BENCH_CROSS", 10_000)).unwrap();
        println!("{told}; {:?} MB", common::memory());
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
