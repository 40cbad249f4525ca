//! Fits the constants of the ranking: `fit CORPUS QUERIES QRELS [FOLDS [OUT]]`.
use std::path::Path;

use keshi_index::{Ranking, fitting::fit};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [corpus, queries, qrels, rest @ ..] = arguments.as_slice() else {
        return Err("usage: fit CORPUS QUERIES QRELS [FOLDS [OUT]]".into());
    };
    let folds = rest.first().map_or(Ok(5), |n| n.parse())?;
    let from = Ranking::shipped()?;
    let fit = fit(Path::new(corpus), Path::new(queries), Path::new(qrels), folds, &from)?;
    println!("{fit}");
    if let Some(out) = rest.get(1) {
        std::fs::write(out, fit.ranking.to_toml()?)?;
    }
    Ok(())
}
