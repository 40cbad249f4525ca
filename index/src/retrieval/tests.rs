//! Taking a short way must not change where it leads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use proptest::prelude::*;

use crate::{
    Filters, Index, Kind, Listing, Match, MatchRequest,
    ranking::{Fitting, Plan, score},
    retrieval::Judge,
    weights::ranking,
};

/// The same question, answered by weighing every listing.
fn weighed_one_by_one(index: &Index, request: &MatchRequest) -> Vec<(String, f64, f64)> {
    let view = index.view();
    let weights = ranking().weights(request.path());
    let plan = Plan::of_request(&index.analyzer, request, weights);
    let listings = view.size(request.want).listings;
    let floor = ranking().suitability(request.path(), plan.wanted.len(), listings).floor();
    let scored = score(index, &view, &plan, request.want, &[request.want], weights).unwrap();
    let judge = Fitting { request, weights };
    let mut all: Vec<(String, f64, f64)> = Vec::new();
    for (flat, row) in view.rows() {
        let points = scored.points[flat];
        if points > 0.0
            && (points >= floor || request.include_unsuitable)
            && let Some(values) = judge.values(row)
        {
            all.push((row.id().to_string(), points + values, scored.covered[flat]));
        }
    }
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all.truncate(request.limit.max(1));
    all
}

fn same(index: &Index, request: &MatchRequest) -> Result<(), TestCaseError> {
    let whole = weighed_one_by_one(index, request);
    let short: Vec<Match> = index.matches(request).unwrap();
    let ids = |m: &[Match]| m.iter().map(|m| m.id.clone()).collect::<Vec<_>>();
    prop_assert_eq!(ids(&short), whole.iter().map(|w| w.0.clone()).collect::<Vec<_>>());
    for (short, whole) in short.iter().zip(&whole) {
        prop_assert!((short.score - whole.1).abs() < 1e-9, "{} {}", short.score, whole.1);
    }
    Ok(())
}

/// Characters of very different rarity, so that some lists are long and others short.
fn text(dice: &mut u64, length: usize) -> String {
    let common: Vec<char> = "电池材料水处理机器轴承石墨烯膜催化控制系统".chars().collect();
    let mut next = || {
        *dice =
            dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*dice >> 33).unwrap()
    };
    (0..length)
        .map(|_| match next() % 10 {
            0..6 => common[next() % common.len()],
            6..9 => char::from_u32(0x4E00 + u32::try_from(next() % 200).unwrap()).unwrap(),
            _ => char::from_u32(0x5E00 + u32::try_from(next() % 4_000).unwrap()).unwrap(),
        })
        .collect()
}

fn market(dice: &mut u64, listings: usize, parts: usize) -> Index {
    let index = Index::in_memory().unwrap();
    for part in 0..parts {
        let many: Vec<Listing> = (0..listings / parts)
            .map(|n| {
                let length = 10 + usize::try_from(*dice >> 40).unwrap() % 120;
                let title = text(dice, 4 + n % 5);
                Listing {
                    text: text(dice, length),
                    keywords: vec![text(dice, 2), text(dice, 3)],
                    field: Some(format!("{:02}", n % 5)),
                    region: Some(["210100", "210200", "220100"][n % 3].into()),
                    trl: Some(u8::try_from(n % 9).unwrap() + 1),
                    amount_fen: Some(i64::try_from(n % 7).unwrap() * 1_000_000),
                    owner: format!("o{}", n % 4),
                    hidden: n % 11 == 0,
                    published_at: i64::try_from(n % 6).unwrap() * 400 * 86_400_000_000,
                    ..Listing::new(Kind::Achievement, format!("{part}-{n:05}"), title)
                }
            })
            .collect();
        // one after the other: the same market has the same segments and order
        many.iter().for_each(|listing| index.put(listing).unwrap());
        index.commit(i64::try_from(part).unwrap()).unwrap();
    }
    for n in 0..listings / parts / 20 {
        index.remove(Kind::Achievement, &format!("0-{:05}", n * 7)).unwrap();
    }
    index.commit(100).unwrap();
    index
}

fn request(dice: &mut u64, length: usize, values: bool, filtered: bool) -> MatchRequest {
    let given = |text: &str| values.then(|| text.to_owned());
    MatchRequest {
        title: (length > 30).then(|| text(dice, 8)),
        text: text(dice, length),
        field: given("02"),
        region: given("210100"),
        trl: values.then_some(5),
        amount_fen: values.then_some(3_000_000),
        exclude_owner: given("o1"),
        now: values.then_some(1_900 * 86_400_000_000),
        filters: Filters {
            field: filtered.then(|| "02".to_owned()),
            trl_min: filtered.then_some(3),
            include_hidden: filtered,
            ..Filters::default()
        },
        ..MatchRequest::default()
    }
}

#[test]
fn a_long_market_with_many_windows() {
    let mut dice = 7;
    let index = market(&mut dice, 6_000, 2);
    for length in [3, 12, 60, 400] {
        for limit in [1, 20, 300] {
            for values in [false, true] {
                let asked = MatchRequest { limit, ..request(&mut dice, length, values, false) };
                same(&index, &asked).unwrap();
                let (_, effort) = index.matches_with_effort(&asked).unwrap();
                if length == 400 && limit == 1 {
                    // something was left out, or this tests nothing
                    assert!(effort.scored < 1_000 && effort.added < effort.postings, "{effort:?}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_short_way_finds_the_same(
        seed in any::<u64>(),
        listings in 1..900_usize,
        parts in 1..4_usize,
        lengths in prop::collection::vec(1..250_usize, 1..5),
        limit in 1..60_usize,
        values in any::<bool>(),
        filtered in any::<bool>(),
        include_unsuitable in any::<bool>(),
    ) {
        let mut dice = seed | 1;
        let index = market(&mut dice, listings.max(parts), parts);
        for length in lengths {
            let asked = MatchRequest {
                limit,
                include_unsuitable,
                ..request(&mut dice, length, values, filtered)
            };
            same(&index, &asked)?;
        }
    }
}
