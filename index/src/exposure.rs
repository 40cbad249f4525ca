//! Evening out what is shown.
//!
//! A ranking that always shows the same few listings starves the others of the attention they would
//! need to prove themselves. [`even_out`] is a pass over a finished ranking: a listing that was shown
//! oftener than others gives up a share of its score, at most `strength` of it, in a part of its own.
//!
//! **Bound.** With `s` the scores before and a strength of `λ`, the listing at any place after the pass
//! has at least `(1 − λ)` times the score of the one that stood there before: every one of the first
//! `r` keeps that much, so the new `r`-th has no less. What that costs in judged quality, and what it
//! gains in evenness, `benches/exposure.rs` measures: at 10 % on 8,554 abstracts asked 2,005 questions the
//! Gini coefficient of the first 20 falls from 0.410 to 0.386 and nDCG@10 goes from 0.686 to 0.688; at 30 %
//! they are 0.341 and 0.691 (2026-11-22, model bm25-wb-2). Evenness cost no judged quality here, because
//! what is shown for everything fits little of it.
use crate::{
    explanation::{Evidence, Part, PartKind, Place},
    number::{real, small},
    request::{MAX_LIMIT, Match},
};

/// The share of its score that a listing can lose, where a market turns this on and says no other.
pub const STRENGTH: f64 = 0.1;

/// How many matches to ask for so that `limit` of them can be chosen: what stands lower is further away
/// than any strength that makes sense reaches.
pub fn reach(limit: usize) -> usize {
    (limit.saturating_mul(2)).max(limit.saturating_add(20)).min(MAX_LIMIT)
}

/// Ranks `matches` anew and keeps the first `limit`. `shown` tells how often each was shown so far, and
/// `usual` how often a listing of its kind was on average.
pub fn even_out(
    matches: &mut Vec<Match>,
    limit: usize,
    strength: f64,
    usual: f64,
    shown: impl Fn(&Match) -> u64,
) {
    let strength = strength.clamp(0.0, 1.0);
    for found in matches.iter_mut() {
        let times = shown(found);
        let often = real(usize::try_from(times).unwrap_or(usize::MAX));
        // half of it at the usual number of times, all of it in the limit
        let share = if often > 0.0 { often / (often + usual.max(1.0)) } else { 0.0 };
        let cost = strength * share * found.score.max(0.0);
        if cost <= 0.0 {
            continue;
        }
        let evidence =
            vec![Evidence { term: format!("shown {times}"), field: Place::Value, span: None }];
        let part = Part { part: PartKind::Exposure, contribution: -cost, evidence };
        found.explanation.parts.push(part);
        found.score = found.explanation.total();
    }
    matches.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    matches.truncate(limit.max(1));
}

/// How unevenly the counts are spread: 0 where all are the same, towards 1 where one has everything.
/// None where there is nothing to spread.
pub fn gini(counts: &mut [u64]) -> Option<f64> {
    counts.sort_unstable();
    let total: f64 = counts.iter().map(|c| float(*c)).sum();
    if total <= 0.0 {
        return None;
    }
    let n = f64::from(small(counts.len()));
    let ranked: f64 = (1..).zip(counts.iter()).map(|(rank, c)| f64::from(rank) * float(*c)).sum();
    Some((2.0 * ranked / (n * total) - (n + 1.0) / n).clamp(0.0, 1.0))
}

fn float(count: u64) -> f64 {
    real(usize::try_from(count).unwrap_or(usize::MAX))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Explanation, Kind};

    fn found(id: usize, score: f64) -> Match {
        let part = Part { part: PartKind::Words, contribution: score, evidence: Vec::new() };
        Match {
            kind: Kind::Achievement,
            id: format!("{id:03}"),
            title: String::new(),
            owner: String::new(),
            score,
            suitable: true,
            probability: 0.5,
            grade: crate::Grade::Fair,
            explanation: Explanation { parts: vec![part], misfits: Vec::new() },
        }
    }

    #[test]
    fn what_was_shown_often_makes_room_within_the_bound() {
        let all = || vec![found(0, 50.0), found(1, 48.0), found(2, 30.0)];
        let order = |m: &[Match]| m.iter().map(|m| m.id.clone()).collect::<Vec<_>>();
        let mut some = all();
        even_out(&mut some, 3, 0.1, 5.0, |m| if m.id == "000" { 500 } else { 0 });
        assert_eq!(order(&some), ["001", "000", "002"]);
        let part = some[1].explanation.parts.iter().find(|p| p.part == PartKind::Exposure);
        assert_eq!(part.map(|p| p.evidence[0].term.as_str()), Some("shown 500"));
        // never past what is much worse
        let mut most = all();
        even_out(&mut most, 2, 0.1, 5.0, |m| if m.id == "002" { 0 } else { 1_000_000 });
        assert_eq!(order(&most), ["000", "001"]);
        let mut none = all();
        even_out(&mut none, 3, 0.0, 5.0, |_| 1_000);
        assert_eq!(none, all());
    }

    #[test]
    fn gini_of_known_spreads() {
        assert_eq!(gini(&mut []), None);
        assert_eq!(gini(&mut [0, 0]), None);
        assert_eq!(gini(&mut [3, 3, 3]), Some(0.0));
        assert_eq!(gini(&mut [0, 0, 0, 8]), Some(0.75));
        let told = gini(&mut [1, 2, 3, 4]).unwrap_or_default();
        assert!((told - 0.25).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn every_place_keeps_its_share(
            scores in proptest::collection::vec(0.0..100.0f64, 1..40),
            shown in proptest::collection::vec(0u64..10_000, 40),
            strength in 0.0..1.0f64,
        ) {
            let mut before: Vec<Match> = (0..).zip(&scores).map(|(i, s)| found(i, *s)).collect();
            before.sort_by(|a, b| b.score.total_cmp(&a.score));
            let mut after = before.clone();
            even_out(&mut after, 40, strength, 100.0, |m| shown[m.id.parse::<usize>().unwrap_or(0)]);
            for (then, now) in before.iter().zip(&after) {
                let was = now.explanation.parts[0].contribution;
                prop_assert!(was >= (1.0 - strength) * then.score - 1e-9);
                prop_assert!((now.score - now.explanation.total()).abs() < 1e-9);
            }
        }
    }
}
