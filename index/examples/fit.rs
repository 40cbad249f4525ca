//! Fits the constants of the ranking: `fit CORPUS QUERIES QRELS [FOLDS [OUT]]`, from those that ship or those
//! of the file `KESHI_RANKING`. With `KESHI_FIT_PROBABILITIES=1` the order stays as it is.
use std::path::Path;

use keshi_index::{
    Ranking,
    fitting::{Scope, fit},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [corpus, queries, qrels, rest @ ..] = arguments.as_slice() else {
        return Err("usage: fit CORPUS QUERIES QRELS [FOLDS [OUT]]".into());
    };
    let folds = rest.first().map_or(Ok(5), |n| n.parse())?;
    let from = match std::env::var_os("KESHI_RANKING") {
        Some(file) => Ranking::read(Path::new(&file))?,
        None => Ranking::shipped()?,
    };
    let scope = match std::env::var_os("KESHI_FIT_PROBABILITIES") {
        Some(_) => Scope::Probabilities,
        None => Scope::All,
    };
    let fit = fit(Path::new(corpus), Path::new(queries), Path::new(qrels), folds, scope, &from)?;
    println!("{fit}");
    if let Some(out) = rest.get(1) {
        std::fs::write(out, fit.ranking.to_toml()?)?;
    }
    Ok(())
}
