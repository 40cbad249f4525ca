//! Fitting the constants of the ranking to a test set.
//!
//! What a listing earns is a function of few counts: how often it says each term of the request, and
//! where. So the best listings of every query are looked at once and their counts kept; with those, any
//! constants can be tried in a fraction of a second and give the points that the engine gives (a test
//! holds the two together).
//!
//! **Search.** Coordinate ascent from the constants in use: one after the other is moved a step up or
//! down, and a move is kept where the mean nDCG@10 over the kinds of query grows by more than
//! [`LEAST_GAIN`]; steps shrink until nothing moves. Only the folds are drawn, from a fixed seed.
//!
//! What was tried beside the constants and gained nothing on held-out folds of 2,005 queries (2026-11-27): points
//! for the share of the request's worth that is found, for a title all of which the request says, and for
//! neighbouring words of the request standing close together. They are not in the ranking.
//!
//! **Honesty.** Queries are dealt to folds by the document they look for, so that no fold has seen the
//! answer of another. What is told of a fold comes from constants that were fitted without it. Where the
//! fitted constants are no better on what was held out, the former ones stay.
//!
//! A test set is one kind of text, and a market another: who takes only half of the way from the former
//! constants to the fitted ones ([`Outcome::halfway`]) is told what that is worth on what was held out, too.
mod ascent;
mod cases;
mod suitability;

use std::{collections::BTreeMap, fmt, path::Path};

use serde::Serialize;

use crate::{
    Error, MatchPath, Ranking, Result,
    evaluation::{Dice, Figure, TestSet, figure},
    number::real,
    weights::Weights,
};

use ascent::{Knob, climb, halfway};
use cases::{Case, Cases};
pub use suitability::{Bin, Checked};

/// What a move must gain in nDCG@10 to be kept.
pub const LEAST_GAIN: f64 = 2e-4;
/// Deals the queries to folds.
pub const SEED: u64 = 20_261_127;

/// What to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The constants of the order, then the probabilities.
    All,
    /// The probabilities that the present order's points come to.
    Probabilities,
}

/// nDCG@10 of one kind of query, before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    pub path: MatchPath,
    pub kind: String,
    pub queries: usize,
    /// With the constants that the fit began with.
    pub before: Figure,
    /// With constants fitted to all of these queries.
    pub train: Figure,
    /// Every query with constants that were fitted without its fold.
    pub held_out: Figure,
    /// What the fit gained on what was held out, by query.
    pub gained: Figure,
    /// The same two where each fold's constants go only half of the way from the former to the fitted ones.
    pub halfway: Figure,
    pub gained_halfway: Figure,
}

/// What became of one path.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fitted {
    pub path: MatchPath,
    /// Whether the fitted constants were better on what was held out, and are kept.
    pub kept: bool,
    /// The constants that moved: name, from, to.
    pub moved: Vec<(String, f64, f64)>,
}

/// What [`fit`] found. `Display` prints it as text.
#[derive(Debug, Clone, Serialize)]
pub struct Fit {
    pub folds: usize,
    pub outcomes: Vec<Outcome>,
    pub paths: Vec<Fitted>,
    /// What the probabilities are worth, by path.
    pub checked: Vec<Checked>,
    #[serde(skip)]
    pub ranking: Ranking,
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "nDCG@10 [95 %], {} folds", self.folds)?;
        writeln!(
            f,
            "{:<9} {:<10} {:>7}  {:<21} {:<21} {:<21} gained on what was held out",
            "path", "kind", "queries", "before", "train", "held out"
        )?;
        let told = |v: &Figure| format!("{:.4} [{:.3}, {:.3}]", v.mean, v.low, v.high);
        for o in &self.outcomes {
            writeln!(
                f,
                "{:<9} {:<10} {:>7}  {:<21} {:<21} {:<21} {:+.4} [{:+.4}, {:+.4}]",
                o.path.slug(),
                o.kind,
                o.queries,
                told(&o.before),
                told(&o.train),
                told(&o.held_out),
                o.gained.mean,
                o.gained.low,
                o.gained.high
            )?;
        }
        for o in &self.outcomes {
            writeln!(
                f,
                "{:<9} {:<10} half of the way, held out: {:<21} {:+.4} [{:+.4}, {:+.4}]",
                o.path.slug(),
                o.kind,
                told(&o.halfway),
                o.gained_halfway.mean,
                o.gained_halfway.low,
                o.gained_halfway.high
            )?;
        }
        for path in &self.paths {
            let what = if path.kept { "fitted" } else { "left as it was" };
            write!(f, "{}: {what}", path.path.slug())?;
            for (name, from, to) in &path.moved {
                write!(f, ", {name} {from} -> {to}")?;
            }
            writeln!(f)?;
        }
        for c in &self.checked {
            writeln!(
                f,
                "{}: {} of {} queries' listings; AUC {:.3} ({:.3} of the first ones), Brier {:.4} (always the \
                 share: {:.4}), ECE {:.4}; right ones kept {:.3}, nothing told where nothing is {:.3}",
                c.path.slug(),
                c.listings,
                c.queries,
                c.auc,
                c.auc_of_first,
                c.brier,
                c.brier_of_share,
                c.ece,
                c.right_kept.mean,
                c.nothing_told.mean
            )?;
            let bins = c.bins.iter().map(|b| format!("{:.3}/{:.3}", b.said, b.came_true));
            writeln!(f, "  said/came true: {}", bins.collect::<Vec<_>>().join(" "))?;
        }
        write!(f, "{}", self.ranking.model())
    }
}

/// Fits the constants of every path that the test set has queries for, beginning with those of `from`.
///
/// # Errors
/// [`Error::TestSet`] as in [`crate::evaluation::evaluate`], and where there are fewer than two folds.
pub fn fit(
    corpus: &Path,
    queries: &Path,
    qrels: &Path,
    folds: usize,
    scope: Scope,
    from: &Ranking,
) -> Result<Fit> {
    if folds < 2 {
        let why = "at least two folds are needed to hold something out".to_owned();
        return Err(Error::TestSet { file: queries.display().to_string(), line: 0, why });
    }
    let set = TestSet::read(corpus, queries, qrels)?;
    let cases = Cases::gather(&set, from)?;
    let mut fit = Fit {
        folds,
        outcomes: Vec::new(),
        paths: Vec::new(),
        checked: Vec::new(),
        ranking: from.clone(),
    };
    for path in MatchPath::ALL {
        let of: Vec<&Case> = cases.cases.iter().filter(|c| c.path == path).collect();
        if !of.is_empty() {
            fit.path(&cases, &of, path, scope)?;
        }
    }
    Ok(fit)
}

impl Fit {
    fn path(&mut self, cases: &Cases, of: &[&Case], path: MatchPath, scope: Scope) -> Result<()> {
        if scope == Scope::All {
            self.order(cases, of, path)?;
        }
        let (fair, weights) = (self.ranking.grades().fair, *self.ranking.weights(path));
        let (curve, checked) = suitability::fit(cases, of, &weights, self.folds, fair, path);
        // one test set has one size: how the curve moves with the market stays what it was
        let curve = curve.spread(cases.documents, self.ranking.curve(path).market);
        self.ranking = self.ranking.with_curve(path, curve)?;
        self.checked.push(checked);
        Ok(())
    }

    fn order(&mut self, cases: &Cases, of: &[&Case], path: MatchPath) -> Result<()> {
        let start = *self.ranking.weights(path);
        let before = values(cases, of, &start);
        let (fitted, moved) = climb(cases, of, &start);
        let train = values(cases, of, &fitted);
        let dealt = deal(of, self.folds);
        let (mut held_out, mut half_held_out) = (vec![0.0; of.len()], vec![0.0; of.len()]);
        for fold in 0..self.folds {
            let part = |held: bool| -> Vec<&Case> {
                let both = of.iter().zip(&dealt);
                both.filter(|(_, at)| (**at == fold) == held).map(|(case, _)| *case).collect()
            };
            let (without, _) = climb(cases, &part(false), &start);
            for (weights, all) in
                [(without, &mut held_out), (halfway(&start, &without), &mut half_held_out)]
            {
                let mut told = values(cases, &part(true), &weights).into_iter();
                for (value, at) in all.iter_mut().zip(&dealt) {
                    if *at == fold {
                        *value = told.next().unwrap_or_default();
                    }
                }
            }
        }
        let over_before = |values: &[f64]| -> Vec<f64> {
            values.iter().zip(&before).map(|(a, b)| a - b).collect()
        };
        let (gained, gained_halfway) = (over_before(&held_out), over_before(&half_held_out));
        let mut by_kind: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, case) in of.iter().enumerate() {
            by_kind.entry(&case.kind).or_default().push(at);
        }
        for (kind, at) in &by_kind {
            let pick = |v: &[f64]| figure(at.iter().filter_map(|i| v.get(*i).copied()).collect());
            self.outcomes.push(Outcome {
                path,
                kind: (*kind).to_owned(),
                queries: at.len(),
                before: pick(&before),
                train: pick(&train),
                held_out: pick(&held_out),
                gained: pick(&gained),
                halfway: pick(&half_held_out),
                gained_halfway: pick(&gained_halfway),
            });
        }
        let kept = mean_of_kinds(of, &gained) > 0.0;
        if kept {
            self.ranking = self.ranking.with(path, fitted)?;
        }
        let told = |knob: &Knob| (knob.name.to_owned(), (knob.get)(&start), (knob.get)(&fitted));
        let moved = moved.iter().map(|knob| told(knob)).collect();
        self.paths.push(Fitted { path, kept, moved });
        Ok(())
    }
}

/// The fold of every case; the same target, the same fold.
fn deal(of: &[&Case], folds: usize) -> Vec<usize> {
    let mut targets: Vec<&str> = of.iter().map(|c| c.target.as_str()).collect();
    targets.sort_unstable();
    targets.dedup();
    let mut dice = Dice(SEED);
    for last in (1..targets.len()).rev() {
        targets.swap(last, dice.below(last + 1));
    }
    let fold: BTreeMap<&str, usize> = targets.into_iter().zip((0..folds).cycle()).collect();
    of.iter().map(|c| fold.get(c.target.as_str()).copied().unwrap_or_default()).collect()
}

/// nDCG@10 of every case.
fn values(cases: &Cases, of: &[&Case], weights: &Weights) -> Vec<f64> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = of.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let helpers: Vec<_> = of
            .chunks(share)
            .map(|part| {
                let one = |case: &&Case| case.value(cases, weights);
                scope.spawn(move || part.iter().map(one).collect::<Vec<f64>>())
            })
            .collect();
        let join = |helper: std::thread::ScopedJoinHandle<'_, Vec<f64>>| match helper.join() {
            Ok(values) => values,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        helpers.into_iter().flat_map(join).collect()
    })
}

/// The mean over the kinds of query of the mean over their queries: no kind counts for more because a
/// test set has more of it.
fn mean_of_kinds(of: &[&Case], values: &[f64]) -> f64 {
    let mut kinds: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    for (case, value) in of.iter().zip(values) {
        let (sum, count) = kinds.entry(&case.kind).or_default();
        *sum += value;
        *count += 1;
    }
    let means = kinds.values().map(|(sum, count)| sum / real(*count));
    means.sum::<f64>() / real(kinds.len().max(1))
}

#[cfg(test)]
mod tests;
