//! The demo market: everything a visitor needs to try keshi, made in seconds.
//!
//! The text that ships was written for this project; its organizations are fictional and say so in their
//! names (（示例）). With a folder, real text is loaded instead, and then only the text, its owners and the
//! judged matches are real: stages, prices, people and contracts are made up.
//!
//! Promises:
//! - the same folder and text make the same market, but for ids, passwords and the day;
//! - the contracts of each year from 2015 to 2023 add up to the true turnover of Liaoning, to the fen;
//! - a second start finds the market and loads nothing.
pub mod ablation;
pub mod bench;
mod contracts;
mod market;
pub mod text;
pub mod variation;

pub use market::load;

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use keshi_index::{
    evaluation::{self, Report},
    semantic::Semantic,
};

/// Measures the matching on the set that ships.
pub fn shipped_quality(run: Option<&Path>, meaning: Option<&Semantic>) -> anyhow::Result<Report> {
    with_shipped_set(|[corpus, queries, qrels]| {
        Ok(evaluation::evaluate(corpus, queries, qrels, run, meaning)?)
    })
}

/// Does something with the set that ships: its corpus, queries and judgements as files.
pub fn with_shipped_set<T>(
    of: impl FnOnce(&[PathBuf; 3]) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let dir = std::env::temp_dir().join(format!("keshi-eval-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
    let files = ["corpus.jsonl", "queries.jsonl", "qrels.tsv"].map(|name| dir.join(name));
    let done = text::write_test_set(&dir).and_then(|()| of(&files));
    std::fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
    done
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("writing {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
