//! The curve that makes a probability of points, fitted and checked.
//!
//! A test set has an answer for every query, a market has not. So for every other target the judged
//! documents are taken away before the best of the rest are looked at: what is shown then is wrong by
//! construction, however well it reads. What counts as right otherwise is a grade of 2 or more.
use serde::Serialize;

use super::{
    cases::{Case, Cases},
    deal,
};
use crate::{
    MatchPath,
    calibration::Curve,
    evaluation::{Figure, figure},
    number::real,
    weights::Weights,
};

/// Of each query so many of the best are looked at.
const SHOWN: usize = 10;
/// Newton's method needs few steps here.
const STEPS: usize = 50;
/// Keeps the curve of a small or perfectly separable set finite.
const RIDGE: f64 = 1e-3;

/// One listing that would be shown.
#[derive(Clone, Copy)]
struct Shown {
    points: f64,
    terms: usize,
    right: bool,
    /// Whether it is the best of its query.
    first: bool,
    fold: usize,
    /// Whether the query had its answers taken away.
    robbed: bool,
}

/// A stretch of probabilities: what was said, and how often it came true.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bin {
    pub listings: usize,
    pub said: f64,
    pub came_true: f64,
}

/// What a curve is worth on queries it was not fitted on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checked {
    pub path: MatchPath,
    pub queries: usize,
    pub listings: usize,
    /// How often a right one has more than a wrong one: of everything shown, and of the first of each
    /// query alone.
    pub auc: f64,
    pub auc_of_first: f64,
    /// Mean squared error of the probability, and of always saying the share that is right.
    pub brier: f64,
    pub brier_of_share: f64,
    /// Mean distance between what was said and what came true, by [`Checked::bins`].
    pub ece: f64,
    pub bins: Vec<Bin>,
    /// Of the right ones shown, the share that stays suitable by the grades in force.
    pub right_kept: Figure,
    /// Of the queries without an answer, the share that is told that there is nothing.
    pub nothing_told: Figure,
}

/// Fits the curve of one path; `folds` of it are held out in turn for what is told of it.
pub(super) fn fit(
    cases: &Cases,
    of: &[&Case],
    weights: &Weights,
    folds: usize,
    fair: f64,
    path: MatchPath,
) -> (Curve, Checked) {
    let shown = shown(cases, of, weights, folds);
    let all: Vec<Shown> = shown.iter().flatten().copied().collect();
    let curve = logistic(&all);
    let without: Vec<Curve> = (0..folds)
        .map(|fold| logistic(&all.iter().filter(|s| s.fold != fold).copied().collect::<Vec<_>>()))
        .collect();
    let told =
        |s: &Shown| without.get(s.fold).map_or(0.0, |curve| curve.probability(s.points, s.terms));
    let said: Vec<(f64, Shown)> = all.iter().map(|s| (told(s), *s)).collect();
    let pairs = |only_first: bool| -> Vec<(f64, bool)> {
        let counted = said.iter().filter(|(_, s)| s.first || !only_first);
        counted.map(|(p, s)| (*p, s.right)).collect()
    };
    let everything = pairs(false);
    let share =
        real(everything.iter().filter(|(_, right)| *right).count()) / real(everything.len().max(1));
    let truth = |right: bool| f64::from(u8::from(right));
    let brier = |of: &dyn Fn(f64) -> f64| {
        let errors = everything.iter().map(|(p, right)| (of(*p) - truth(*right)).powi(2));
        errors.sum::<f64>() / real(everything.len().max(1))
    };
    let bins = bins(&everything);
    let distance = bins.iter().map(|b| real(b.listings) * (b.said - b.came_true).abs());
    let is_nothing = |list: &&Vec<Shown>| list.iter().all(|s| told(s) < fair);
    let robbed = shown.iter().filter(|list| list.iter().any(|s| s.robbed));
    let checked = Checked {
        path,
        queries: of.len(),
        listings: all.len(),
        auc: auc(&everything),
        auc_of_first: auc(&pairs(true)),
        brier: brier(&|p| p),
        brier_of_share: brier(&|_| share),
        ece: distance.sum::<f64>() / real(all.len().max(1)),
        bins,
        right_kept: figure(
            said.iter().filter(|(_, s)| s.right).map(|(p, _)| truth(*p >= fair)).collect(),
        ),
        nothing_told: figure(robbed.map(|list| truth(is_nothing(&list))).collect()),
    };
    (curve, checked)
}

/// The best of every query, without their answers where those are taken away.
fn shown(cases: &Cases, of: &[&Case], weights: &Weights, folds: usize) -> Vec<Vec<Shown>> {
    let (dealt, robbed) = (deal(of, folds), deal(of, 2 * folds));
    let each = of.iter().zip(dealt.iter().zip(&robbed));
    each.map(|(case, (fold, half))| {
        let robbed = *half >= folds;
        let worth = case.worth(weights);
        let mut list: Vec<(f64, u32)> = case
            .candidates
            .iter()
            .filter(|c| !robbed || c.grade == 0)
            .map(|c| (case.points(cases, c, &worth, weights), c.grade))
            .collect();
        list.sort_by(|a, b| b.0.total_cmp(&a.0));
        let best = list.into_iter().take(SHOWN).enumerate();
        best.map(|(rank, (points, grade))| Shown {
            points,
            terms: worth.said,
            right: grade >= 2,
            first: rank == 0,
            fold: *fold,
            robbed,
        })
        .collect()
    })
    .collect()
}

/// Logistic regression by Newton's method.
fn logistic(of: &[Shown]) -> Curve {
    let mut at = [0.0_f64; 3];
    for _ in 0..STEPS {
        let mut slope = at.map(|value| -RIDGE * value);
        let mut bend = [[0.0_f64; 3]; 3];
        for s in of {
            let x = Curve::features(s.points, s.terms);
            let z: f64 = x.iter().zip(&at).map(|(x, b)| x * b).sum();
            let p = 1.0 / (1.0 + (-z).exp());
            let error = f64::from(u8::from(s.right)) - p;
            for ((row, up), xi) in bend.iter_mut().zip(&mut slope).zip(x) {
                *up += error * xi;
                for (cell, xj) in row.iter_mut().zip(x) {
                    *cell += p * (1.0 - p) * xi * xj;
                }
            }
        }
        for (i, row) in bend.iter_mut().enumerate() {
            if let Some(cell) = row.get_mut(i) {
                *cell += RIDGE;
            }
        }
        let step = solved(bend, slope);
        at.iter_mut().zip(step).for_each(|(value, step)| *value += step);
        if step.iter().all(|s| s.abs() < 1e-9) {
            break;
        }
    }
    let [base, points, terms] = at.map(|value| (value * 1e4).round() / 1e4);
    Curve { base, points: points.max(0.01), terms, market: 0.0 }
}

/// Solves three equations by Cramer's rule; zeros where they have no single answer.
fn solved(m: [[f64; 3]; 3], right: [f64; 3]) -> [f64; 3] {
    let det = |m: [[f64; 3]; 3]| {
        let [[a, b, c], [d, e, f], [g, h, i]] = m;
        a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    };
    let whole = det(m);
    if whole.abs() < 1e-300 {
        return [0.0; 3];
    }
    let [r0, r1, r2] = right;
    let [[a, b, c], [d, e, f], [g, h, i]] = m;
    [
        det([[r0, b, c], [r1, e, f], [r2, h, i]]) / whole,
        det([[a, r0, c], [d, r1, f], [g, r2, i]]) / whole,
        det([[a, b, r0], [d, e, r1], [g, h, r2]]) / whole,
    ]
}

/// How often a right one has a higher probability than a wrong one; ties count half.
fn auc(of: &[(f64, bool)]) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let right = real(sorted.iter().filter(|(_, right)| *right).count());
    let wrong = real(sorted.len()) - right;
    if right == 0.0 || wrong == 0.0 {
        return 0.5;
    }
    let (mut below, mut wins) = (0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let good = real(tied.iter().filter(|(_, right)| *right).count());
        let bad = real(tied.len()) - good;
        wins += good * (below + bad / 2.0);
        below += bad;
    }
    wins / (right * wrong)
}

/// Ten stretches of equally many.
fn bins(of: &[(f64, bool)]) -> Vec<Bin> {
    let mut sorted = of.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let size = sorted.len().div_ceil(10).max(1);
    sorted
        .chunks(size)
        .map(|chunk| {
            let count = real(chunk.len());
            Bin {
                listings: chunk.len(),
                said: chunk.iter().map(|(p, _)| p).sum::<f64>() / count,
                came_true: real(chunk.iter().filter(|(_, right)| *right).count()) / count,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_of_known_orders() {
        assert_eq!(auc(&[(0.1, false), (0.2, false), (0.3, true)]), 1.0);
        assert_eq!(auc(&[(0.1, true), (0.2, false)]), 0.0);
        assert_eq!(auc(&[(0.5, true), (0.5, false)]), 0.5);
        assert_eq!(auc(&[(0.5, true)]), 0.5);
        assert_eq!(auc(&[(0.1, false), (0.4, true), (0.3, false), (0.2, true)]), 0.75);
    }

    #[test]
    fn a_curve_is_found_again() {
        let truth = Curve { base: -6.0, points: 2.5, terms: -0.5, market: 0.0 };
        // each point so often right as the curve says, of a thousand
        let mut shown = Vec::new();
        for terms in [5, 20, 80, 200] {
            for points in 1..40_u32 {
                let points = f64::from(points);
                for n in 0..1_000_u32 {
                    let right = f64::from(n) + 0.5 < 1_000.0 * truth.probability(points, terms);
                    let (first, robbed) = (true, false);
                    shown.push(Shown { points, terms, right, first, fold: 0, robbed });
                }
            }
        }
        let found = logistic(&shown);
        assert!((found.base - truth.base).abs() < 0.02, "{found:?}");
        assert!((found.points - truth.points).abs() < 0.02, "{found:?}");
        assert!((found.terms - truth.terms).abs() < 0.02, "{found:?}");
    }
}
