//! Matching and the search box over a market of any size, against the bare engine with the same terms.
use std::path::{Path, PathBuf};

use clap::Args;
use keshi_index::measure::Ground;

use super::peak_memory_mb;
use crate::demo;

#[derive(Args, Debug, Clone)]
pub struct Search {
    /// Texts to make the market of, in the format of `keshi eval`; without it those of the demo market.
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
    /// Achievements of the market: those of the corpus, or sentences of them put together anew.
    #[arg(long, default_value_t = 100_000)]
    listings: usize,
    /// Demands, and questions for the search box.
    #[arg(long, default_value_t = 500)]
    asked: usize,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Demands of the cross-match; 0 for none.
    #[arg(long, default_value_t = 1_000)]
    cross: usize,
    /// Where the market stays for another run; without it, it is held in memory.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub fn run(search: &Search) -> anyhow::Result<()> {
    match &search.corpus {
        Some(corpus) => over(corpus, search),
        None => demo::with_shipped_set(|[corpus, ..]| over(corpus, search)),
    }
}

fn over(corpus: &Path, search: &Search) -> anyhow::Result<()> {
    let ground = Ground::make(corpus, search.listings, search.folder.as_deref())?;
    match ground.filled {
        Some(took) => println!("{} listings filled in {:.0} s", ground.size, took.as_secs_f64()),
        None => println!("{} listings of an earlier run", ground.size),
    }
    let demands: Vec<_> = ground.demands(5, search.asked).collect();
    let questions = ground.questions(search.asked);
    for round in 1..=search.rounds {
        println!("matches, round {round}: {}", ground.matching(&demands)?);
        println!("search box, round {round}: {}", ground.searching(&questions)?);
    }
    if search.cross > 0 {
        println!("{}", ground.cross(search.cross)?);
    }
    println!("peak memory {} MB", peak_memory_mb()?);
    Ok(())
}
