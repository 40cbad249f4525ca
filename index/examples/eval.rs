//! Matching quality on a test set: `eval CORPUS QUERIES QRELS [RUN]`, figures as text, or as JSON
//! with `KESHI_EVAL_JSON=1`. `KESHI_RANKING` names other constants than those that ship, and
//! `KESHI_SEMANTIC_MODEL` a model that ranks the best once more; the vectors it makes are kept beside the queries.
use std::path::Path;

use keshi_index::semantic::Semantic;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (corpus, queries, qrels, run) = match arguments.as_slice() {
        [corpus, queries, qrels] => (corpus, queries, qrels, None),
        [corpus, queries, qrels, run] => (corpus, queries, qrels, Some(Path::new(run))),
        _ => return Err("usage: eval CORPUS QUERIES QRELS [RUN]".into()),
    };
    if let Some(file) = std::env::var_os("KESHI_RANKING") {
        keshi_index::weights::install(Path::new(&file))?;
    }
    let meaning = match std::env::var_os("KESHI_SEMANTIC_MODEL") {
        Some(model) => {
            let beside = Path::new(queries).parent().unwrap_or(Path::new("."));
            Some(Semantic::open(Path::new(&model), beside)?)
        }
        None => None,
    };
    let report = keshi_index::evaluation::evaluate(
        Path::new(corpus),
        Path::new(queries),
        Path::new(qrels),
        run,
        meaning.as_ref(),
    )?;
    if std::env::var_os("KESHI_EVAL_JSON").is_some() {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}
