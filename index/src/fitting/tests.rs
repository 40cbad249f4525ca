//! The counts give the engine's points, and a fit never ends below where it began.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::path::PathBuf;

use super::*;
use crate::{MatchRequest, PartKind};

const SUBJECTS: [&str; 12] = [
    "石墨烯导热膜的连续制备",
    "钙钛矿太阳能电池的界面钝化",
    "稻瘟病抗性基因的分子标记",
    "焦化废水的臭氧氧化处理",
    "滚动轴承故障诊断与剩余寿命预测",
    "菱镁矿浮选脱硅药剂",
    "海参养殖池塘的水质在线监测",
    "燃气轮机叶片热障涂层喷涂工艺",
    "LiFePO4/C 正极材料的碳包覆",
    "5G-NR 基站天线的散热设计",
    "镁碳砖的抗氧化与热震稳定性",
    "盐碱地水稻品种的选育",
];

/// Twelve subjects, three documents each; every document is looked for in three ways.
fn test_set(dir: &Path) -> [PathBuf; 3] {
    let (mut corpus, mut queries, mut qrels) = (String::new(), String::new(), String::new());
    for (i, subject) in SUBJECTS.iter().enumerate() {
        for j in 0..3 {
            let other = SUBJECTS[(i * 5 + j) % 12];
            let text =
                format!("围绕{subject}开展研究，{}与{other}比较。", "参数优化，".repeat(j * 4));
            let keyword: String = subject.chars().take(3 + j).collect();
            let title = if j == 2 { other } else { subject };
            let line = serde_json::json!({ "id": format!("d{i}-{j}"), "title": title,
                "abstract": text, "keywords": [keyword] });
            corpus.push_str(&format!("{line}\n"));
        }
        let long = format!(
            "公司成立于1998年，现有员工300人。希望研发解决{subject}中成本高、寿命短的问题，{}。",
            SUBJECTS[(i + 7) % 12]
        );
        let short: String = subject.chars().take(6).collect();
        for (kind, title, text) in [
            ("topic", None, short.as_str()),
            ("need", None, &long),
            ("demand", Some(*subject), &long),
        ] {
            let id = format!("{kind}{i}");
            let line = serde_json::json!({ "id": id, "title": title, "text": text, "kind": kind });
            queries.push_str(&format!("{line}\n"));
            qrels.push_str(&format!("{id}\td{i}-0\t3\n{id}\td{i}-1\t2\n{id}\td{i}-2\t1\n"));
        }
    }
    let files = ["corpus.jsonl", "queries.jsonl", "qrels.tsv"].map(|name| dir.join(name));
    for (file, text) in files.iter().zip([corpus, queries, qrels]) {
        std::fs::write(file, text).unwrap();
    }
    files
}

#[test]
fn counts_give_the_points_of_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let [corpus, queries, qrels] = test_set(dir.path());
    let set = TestSet::read(&corpus, &queries, &qrels).unwrap();
    let at = set.index().unwrap();
    let shipped = Ranking::shipped().unwrap();
    let cases = Cases::gather(&set, &shipped).unwrap();
    let mut seen = 0;
    // the constants in use, and others that move every term
    let mut others = *shipped.weights(MatchPath::Problem);
    (others.k1, others.b, others.rarity, others.words) = (0.7, 0.4, 0.8, 1.7);
    (others.title, others.keywords, others.generic, others.firm) = (0.9, 0.6, 0.5, 0.2);
    (others.most_terms, others.from_title) = (9, 3.0);
    let moved = shipped.with(MatchPath::Problem, others).unwrap();
    let moved = moved.with(MatchPath::Listing, others).unwrap();
    (others.phrase_text, others.phrase_title, others.phrase_whole_keyword) = (0.5, 0.3, 0.2);
    let moved = moved.with(MatchPath::Keyword, others).unwrap();
    for ranking in [&shipped, &moved] {
        for (case, query) in cases.cases.iter().zip(&set.queries) {
            let request = MatchRequest { limit: 1_000, ..query.request() };
            let weights = ranking.weights(case.path);
            let worth = case.worth(weights);
            let found = at.matches_ranked(&request, ranking).unwrap();
            for candidate in &case.candidates {
                let points = case.points(&cases, candidate, &worth, weights);
                let Some(engine) = found.iter().find(|m| m.id == candidate.id) else {
                    assert_eq!(points, 0.0, "{} {}", query.id, candidate.id);
                    continue;
                };
                let wording: f64 = engine
                    .explanation
                    .parts
                    .iter()
                    .filter(|p| p.part.is_wording())
                    .map(|p| p.contribution)
                    .sum();
                assert!((points - wording).abs() < 1e-9, "{} {}", query.id, candidate.id);
                let said =
                    ranking.suitability(case.path, worth.said, cases.documents).probability(points);
                assert!((said - engine.probability).abs() < 1e-12, "{} {said}", query.id);
                seen +=
                    usize::from(engine.explanation.parts.iter().any(|p| p.part == PartKind::Title));
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn half_of_the_way_lies_in_the_middle() {
    let start = *Ranking::shipped().unwrap().weights(MatchPath::Problem);
    let fitted = Weights { k1: start.k1 + 0.4, firm: 0.0, ..start };
    let half = ascent::halfway(&start, &fitted);
    assert!((half.k1 - start.k1 - 0.2).abs() < 1e-12, "{half:?}");
    assert_eq!(half, Weights { k1: half.k1, firm: start.firm / 2.0, ..start });
    assert_eq!(ascent::halfway(&start, &start), start);
}

#[test]
fn a_fit_is_told_by_fold_and_repeats() {
    let dir = tempfile::tempdir().unwrap();
    let [corpus, queries, qrels] = test_set(dir.path());
    let shipped = Ranking::shipped().unwrap();
    let found = fit(&corpus, &queries, &qrels, 3, Scope::All, &shipped).unwrap();
    assert_eq!(found.outcomes.len(), 3);
    for outcome in &found.outcomes {
        assert_eq!(outcome.queries, 12);
        assert!(outcome.train.mean >= outcome.before.mean, "{outcome:?}");
        let gained = outcome.halfway.mean - outcome.before.mean;
        assert!((outcome.gained_halfway.mean - gained).abs() < 1e-9, "{outcome:?}");
    }
    assert_eq!(found.paths.len(), 3);
    for path in &found.paths {
        let same = found.ranking.weights(path.path) == shipped.weights(path.path);
        assert_eq!(same, !path.kept || path.moved.is_empty(), "{path:?}");
    }
    let again = fit(&corpus, &queries, &qrels, 3, Scope::All, &shipped).unwrap();
    assert_eq!(found.to_string(), again.to_string());
    let written = dir.path().join("mine.toml");
    std::fs::write(&written, found.ranking.to_toml().unwrap()).unwrap();
    assert_eq!(Ranking::read(&written).unwrap().model(), found.ranking.model());
    let error = fit(&corpus, &queries, &qrels, 1, Scope::All, &shipped).unwrap_err().to_string();
    assert!(error.contains("at least two folds"), "{error}");
}
