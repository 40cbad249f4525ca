//! The metrics against the reference definition of the test sets this crate is measured on: nDCG@10 with gain
//! `2^grade − 1` and discount `log2(rank + 1)`, MRR@10 and Recall@50 of grades from 2 on.
//!
//! The figures below were worked out once by the script that defines them. It knows no ties: where documents
//! are tied, they are its mean over every order the tied ones can stand in.
use super::*;

/// A query with its kind | the documents found, best first, `=` between tied ones | grades.
const FIXTURE: &str = "
n1 need | b7 a1 c3 b2 c9 c4 | a1:3 b2:2 b7:1 b5:2 c9:0
n2 need | x1..x10 a2 | a2:3 b1:1
n3 need | y1..y9 b1 y10..y48 a3 b2 b3 y49..y60 | a3:3 b1:2 b2:2 b3:2 b4:2
n4 need | | a4:3 b8:2
n5 need | c1 a5=x2=b6 c2=c7 b9 | a5:3 b6:2 c2:1 b9:2
n6 need | k1..k14 | k2:3 k1:2 k3:2 k4:2 k5:2 k6:2 k7:2 k8:2 k9:2 k10:2 k11:2 k12:2 k13:1 k14:1
t1 topic | a6 | a6:2
t2 topic | z1..z7 b1=z8=a7=z9 z10=b2 z11 | a7:3 b1:2 b2:2 b3:1
t3 topic | z1..z48 a8=z49=z50=b4 z51 | a8:3 b4:2 b5:2
u1 topic | a1 b2 |
";

/// nDCG@10, MRR@10, Recall@50.
const BY_QUERY: [(&str, [f64; 3]); 9] = [
    ("n1", [0.619_814_213, 0.500_000_000, 0.666_666_667]),
    ("n2", [0.000_000_000, 0.000_000_000, 1.000_000_000]),
    ("n3", [0.067_510_238, 0.100_000_000, 0.400_000_000]),
    ("n4", [0.000_000_000, 0.000_000_000, 0.000_000_000]),
    ("n5", [0.607_650_496, 0.444_444_444, 1.000_000_000]),
    ("n6", [0.916_266_352, 1.000_000_000, 1.000_000_000]),
    ("t1", [1.000_000_000, 1.000_000_000, 1.000_000_000]),
    ("t2", [0.209_165_833, 0.116_203_704, 1.000_000_000]),
    ("t3", [0.000_000_000, 0.000_000_000, 0.333_333_333]),
];
const BY_KIND: [(&str, usize, [f64; 3]); 2] = [
    ("need", 6, [0.368_540_216, 0.340_740_741, 0.677_777_778]),
    ("topic", 3, [0.403_055_278, 0.372_067_901, 0.777_777_778]),
];

/// `y1..y9` as nine documents, `a=b` as two of the same score.
fn places(run: &str) -> Vec<Vec<String>> {
    run.split_whitespace()
        .flat_map(|place| match place.split_once("..") {
            Some((first, last)) => {
                let number = |name: &str| name.get(1..).unwrap().parse::<usize>().unwrap();
                let letter = first.chars().next().unwrap();
                let all = number(first)..=number(last);
                all.map(|n| vec![format!("{letter}{n}")]).collect::<Vec<_>>()
            }
            None => vec![place.split('=').map(str::to_owned).collect()],
        })
        .collect()
}

/// Queries, what was found for each, and the judgements; the last query has none.
fn fixture() -> (Vec<Query>, Vec<Ranked>, Judgements) {
    let (mut queries, mut run, mut judgements) = (Vec::new(), Vec::new(), Judgements::new());
    for line in FIXTURE.trim().lines() {
        let mut columns = line.split('|').map(str::trim);
        let (head, found, grades) =
            (columns.next().unwrap(), columns.next().unwrap(), columns.next().unwrap());
        let (id, kind) = head.split_once(' ').unwrap();
        queries.push(Query {
            id: id.to_owned(),
            text: String::new(),
            title: None,
            kind: Some(kind.to_owned()),
        });
        let scored = (0..).zip(places(found)).flat_map(|(place, tied)| {
            tied.into_iter().map(move |id| (id, 100.0 - f64::from(place)))
        });
        run.push(scored.collect());
        for (document, grade) in grades.split_whitespace().filter_map(|g| g.split_once(':')) {
            let of = judgements.entry(id.to_owned()).or_default();
            of.insert(document.to_owned(), grade.parse().unwrap());
        }
    }
    (queries, run, judgements)
}

fn assert_near(what: &str, has: [f64; 3], wants: [f64; 3]) {
    for (has, wants) in has.iter().zip(wants) {
        assert!((has - wants).abs() < 1e-6, "{what}: {has} instead of {wants}");
    }
}

#[test]
fn every_query_is_measured_as_the_reference_does() {
    let (queries, run, judgements) = fixture();
    for (id, wants) in BY_QUERY {
        let at = queries.iter().position(|q| q.id == id).unwrap();
        let m = measure(&run[at], &judgements[id]).unwrap();
        assert_near(id, [m.ndcg, m.mrr.unwrap(), m.recall.unwrap()], wants);
    }
}

#[test]
fn kinds_are_the_means_of_their_judged_queries() {
    let (queries, run, judgements) = fixture();
    let rows = rows_of("ours", &queries, &run, &judgements);
    assert_eq!(rows.len(), 3, "the last is that of all together");
    for (kind, count, wants) in BY_KIND {
        let row = rows.iter().find(|row| row.kind == kind).unwrap();
        assert_eq!(row.queries, count);
        assert_near(kind, [row.ndcg_10.mean, row.mrr_10.mean, row.recall_50.mean], wants);
    }
}
