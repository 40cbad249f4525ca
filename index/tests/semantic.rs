//! Ranking by meaning, with a scorer that is told what texts mean, and with a model where one is named.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::{fs, path::Path};

use keshi_index::{
    Index, Kind, Lang, Listing, Match, MatchRequest, PartKind,
    evaluation::evaluate,
    semantic::{PENDING, REACH, Semantic, SemanticScorer},
};

/// Texts with 近 mean one thing, all others another.
struct Told([u8; 16]);

impl SemanticScorer for Told {
    fn fingerprint(&self) -> [u8; 16] {
        self.0
    }

    fn width(&self) -> usize {
        2
    }

    fn vector(&self, text: &str) -> Vec<f32> {
        if text.contains('近') { vec![1.0, 0.0] } else { vec![0.0, 1.0] }
    }
}

fn told(folder: &Path, model: u8) -> Semantic {
    Semantic::with(Box::new(Told([model; 16])), folder).unwrap()
}

fn market() -> Index {
    let index = Index::in_memory().unwrap();
    for number in 0..30 {
        let title = format!("石墨烯改性镁碳砖{}", "石墨烯".repeat(number % 5));
        let mut listing = Listing::new(Kind::Achievement, format!("a{number:02}"), title);
        if number == 7 {
            listing.text = "近".into();
        }
        index.put(&listing).unwrap();
    }
    index.commit(1).unwrap();
    index
}

fn asked(limit: usize) -> MatchRequest {
    MatchRequest {
        text: "石墨烯改性镁碳砖，近来需要".into(), limit, ..MatchRequest::default()
    }
}

fn ids(found: &[Match]) -> Vec<&str> {
    found.iter().map(|m| &*m.id).collect()
}

#[test]
fn what_is_near_in_meaning_comes_first_and_says_why() {
    let (index, folder) = (market(), tempfile::tempdir().unwrap());
    let semantic = told(folder.path(), 1);
    let request = asked(30);
    let plain = index.matches(&request).unwrap();
    let early = semantic.matches(&index, &request).unwrap();
    assert_eq!(ids(&early), ids(&plain), "no vectors yet");
    for (rank, (one, before)) in early.iter().zip(&plain).enumerate() {
        let of = one.explanation.parts.iter().find(|p| p.part == PartKind::Semantic);
        let says = of.map(|p| (p.contribution, p.evidence[0].term.as_str()));
        assert_eq!(says, (rank < REACH).then_some((0.0, PENDING)));
        assert_eq!(one.score, before.score);
        let summary = one.explanation.summary(Lang::Zh);
        assert_eq!(summary.contains("含义尚未比对"), rank < REACH, "{summary}");
    }
    assert_eq!(semantic.tend(&index, 4).unwrap(), 4);
    assert_eq!(semantic.tend(&index, 100).unwrap(), 2, "texts that are the same share a vector");
    assert_eq!(semantic.tend(&index, 100).unwrap(), 0);
    let found = semantic.matches(&index, &request).unwrap();
    let place = |found: &[Match]| found.iter().position(|m| m.id == "a07").unwrap();
    assert!((1..REACH).contains(&place(&plain)), "else this shows nothing");
    assert_eq!(place(&found), 0);
    assert_eq!(ids(&found[REACH..]), ids(&plain[REACH..]), "the rest stays where it was");
    for one in &found {
        assert!((one.score - one.explanation.total()).abs() < 1e-6);
        let has = one.explanation.parts.iter().any(|p| p.part == PartKind::Semantic);
        assert_eq!(has, one.id == "a07");
        let summary = [Lang::Zh, Lang::En].map(|lang| one.explanation.summary(lang).to_lowercase());
        assert_eq!(summary[0].contains("含义相近"), has, "{summary:?}");
        assert_eq!(summary[1].contains("near in meaning"), has, "{summary:?}");
    }
    let many = semantic.match_many(&index, &[request.clone(), asked(1)], 2).unwrap();
    assert_eq!((&many[0], ids(&many[1])), (&found, vec!["a07"]));
    assert_eq!(
        ids(&semantic.matches(&index, &asked(1)).unwrap()),
        ["a07"],
        "reaches beyond the limit"
    );
}

#[test]
fn an_evaluation_tells_what_meaning_gains() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let corpus = file(
        "corpus.jsonl",
        "{\"id\":\"d1\",\"title\":\"石墨烯改性镁碳砖\",\"abstract\":\"远处的另一种说法，不用那些词。\"}\n{\"id\":\"d2\",\"title\":\"石墨烯改性镁碳砖\",\"abstract\":\"近处的另一种说法，不用那些词。\"}\n",
    );
    let queries = file(
        "queries.jsonl",
        "{\"id\":\"q1\",\"text\":\"石墨烯改性镁碳砖，近来需要\",\"kind\":\"need\"}\n{\"id\":\"q2\",\"text\":\"石墨烯\",\"kind\":\"topic\"}\n",
    );
    let qrels = file("qrels.tsv", "q1\td2\t3\nq2\td2\t3\n");
    let semantic = told(folder.path(), 1);
    let run = folder.path().join("run");
    let report = evaluate(&corpus, &queries, &qrels, Some(&run), Some(&semantic)).unwrap();
    let ndcg = |system: &str, kind: &str| {
        let row = report.rows.iter().find(|r| r.system == system && r.kind == kind);
        row.unwrap().ndcg_10.mean
    };
    let (plain, again) = (ndcg(keshi_index::model(), "need"), ndcg(semantic.model(), "need"));
    assert!(plain < 1.0 && again == 1.0, "{plain} {again}");
    let by = report.by_meaning.as_ref().unwrap();
    assert_eq!((by.vectors, by.queries), (2, 1), "the search box is not ranked so");
    let gained = |kind: &str| by.gained.iter().find(|(k, _)| k == kind).unwrap().1.mean;
    assert!((gained("need") - (again - plain)).abs() < 1e-12);
    assert_eq!(gained("topic"), 0.0);
    assert!(report.to_string().contains("by meaning, need: nDCG@10 +"), "{report}");
    let run = fs::read_to_string(run).unwrap();
    assert!(run.starts_with("q1 Q0 d2 1 ") && run.contains(semantic.model()), "{run}");
    assert!(evaluate(&corpus, &queries, &qrels, None, None).unwrap().by_meaning.is_none());
}

#[test]
fn vectors_last_as_long_as_model_and_text() {
    let (index, folder) = (market(), tempfile::tempdir().unwrap());
    let made = told(folder.path(), 1).tend(&index, 100).unwrap();
    assert_eq!(told(folder.path(), 1).tend(&index, 100).unwrap(), 0, "they were kept");
    let changed =
        Listing { text: "远".into(), ..Listing::new(Kind::Achievement, "a07", "石墨烯") };
    index.put(&changed).unwrap();
    index.commit(2).unwrap();
    assert_eq!(told(folder.path(), 1).tend(&index, 100).unwrap(), 1, "of the new text");
    // a crash in the middle of writing
    let path = folder.path().join("vectors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    assert_eq!(told(folder.path(), 1).tend(&index, 100).unwrap(), 1, "the one that was cut off");
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(told(folder.path(), 2).tend(&index, 100).unwrap(), made, "another model");
}

#[test]
fn vectors_of_texts_that_are_gone_are_forgotten() {
    let (index, folder) = (Index::in_memory().unwrap(), tempfile::tempdir().unwrap());
    let semantic = told(folder.path(), 1);
    for round in 1..5 {
        for number in 0..300 {
            let title = format!("石墨烯{round}之{number}");
            index.put(&Listing::new(Kind::Demand, format!("d{number}"), title)).unwrap();
        }
        index.commit(round).unwrap();
        assert_eq!(semantic.tend(&index, 1_000).unwrap(), 300);
    }
    let size = || fs::metadata(folder.path().join("vectors")).unwrap().len();
    let before = size();
    assert_eq!(semantic.tend(&index, 1_000).unwrap(), 0);
    assert!(size() * 3 < before, "{before} {}", size());
    assert_eq!(told(folder.path(), 1).tend(&index, 1_000).unwrap(), 0, "the file has them all");
}

#[test]
fn a_file_that_is_no_model_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.bin");
    fs::write(&path, b"no model").unwrap();
    let error = Semantic::open(&path, folder.path()).err().unwrap().to_string();
    let why = if cfg!(feature = "semantic") { "E5S1" } else { "--features semantic" };
    assert!(error.contains("model.bin") && error.contains(why), "{error}");
}

/// `KESHI_SEMANTIC_MODEL` names a model.
#[cfg(feature = "semantic")]
#[test]
fn a_real_model_knows_what_belongs_together() {
    let Some(path) = std::env::var_os("KESHI_SEMANTIC_MODEL") else { return };
    let folder = tempfile::tempdir().unwrap();
    let semantic = Semantic::open(Path::new(&path), folder.path()).unwrap();
    let index = Index::in_memory().unwrap();
    // the first says more of the same words, the second the same in others
    let texts = ["锂离子电池在水稻病虫害防治中的应用", "磷酸铁锂电池阴极的合成"];
    for (number, title) in texts.iter().enumerate() {
        index.put(&Listing::new(Kind::Achievement, format!("a{number}"), *title)).unwrap();
    }
    index.commit(1).unwrap();
    semantic.tend(&index, 10).unwrap();
    let request = MatchRequest {
        text: "锂离子电池正极材料的制备".into(),
        include_unsuitable: true,
        ..MatchRequest::default()
    };
    let found = semantic.matches(&index, &request).unwrap();
    let part = |id: &str| -> f64 {
        let one = found.iter().find(|m| m.id == id).unwrap();
        let parts = one.explanation.parts.iter().filter(|p| p.part == PartKind::Semantic);
        parts.map(|p| p.contribution).sum()
    };
    assert!(part("a1") > part("a0") + 1.0, "{} {}", part("a1"), part("a0"));
}
