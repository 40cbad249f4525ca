use super::*;
use crate::{
    evaluation::*,
    ranking::{MATCHING, SEARCHING, Weights},
};
use std::path::Path;
#[test]
#[ignore]
fn tune() {
    let base = "/work/shared/data/bench";
    let set = Bench::load(
        Path::new(&format!("{base}/corpus.jsonl.gz")),
        Path::new(&format!("{base}/dev/queries.jsonl")),
        Path::new(&format!("{base}/dev/qrels.tsv")),
    )
    .unwrap();
    let spec = std::fs::read_to_string("/tmp/tune.txt").unwrap();
    for line in spec.lines() {
        let mut kinds = "need need_hard topic".to_string();
        let (mut long, mut short): (Weights, Weights) = (MATCHING, SEARCHING);
        for kv in line.split_whitespace() {
            let (k, v) = kv.split_once('=').unwrap();
            if k == "kinds" {
                kinds = v.replace(',', " ");
                continue;
            }
            let v: f64 = v.parse().unwrap();
            for w in [&mut long, &mut short] {
                match k {
                    "k1" => w.k1 = v,
                    "b" => w.b = v,
                    "bc" => w.b_characters = v,
                    "k3" => w.k3 = v,
                    "words" => w.words = v,
                    "chars" => w.characters = v,
                    "title" => w.title = v,
                    "kw" => w.keywords = v,
                    "pt" => w.phrase_title = v,
                    "pk" => w.phrase_keyword = v,
                    "pwk" => w.phrase_whole_keyword = v,
                    "px" => w.phrase_text = v,
                    "gen" => w.generic = v,
                    "most" => w.most_terms = v as usize,
                    "cov" => w.coverage = v,
                    "idf" => w.idf_power = v,
                    _ => panic!("{k}"),
                }
            }
        }
        let t = std::time::Instant::now();
        let out = set.run(&long, &short, &kinds);
        println!("{line:<50} {out} {:.1}s", t.elapsed().as_secs_f64());
    }
}
