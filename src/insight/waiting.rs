//! How long a step takes, when some cases have not taken it yet and others never will. Pure.
//!
//! Of the cases that have taken the step the quick ones came first, so their median alone is too small while
//! others still wait. The share that has taken the step after a time is estimated for all cases together
//! (Aalen and Johansen: a case that still waits counts until now, one that ended otherwise counts as
//! ended). A quantile is then the time after which that share of all is reached that have taken the step or
//! still may, as if every one that waits longer than anybody was seen to would take it in the end. Where no
//! case ended otherwise this is the estimate of Kaplan and Meier; where none waits any more, it is the plain
//! quantile of those that took the step.
use std::collections::BTreeMap;

use super::decimal::Decimal;

/// What became of a case in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Moved,
    /// It ended before, or went another way.
    Ended,
    /// It may still take the step.
    Open,
}

/// The precision in which times are kept: a tenth of a day.
const SECONDS: i64 = 86_400 / 10;

/// Cases of one step by how long they had waited, in tenths of a day, when they met their fate.
#[derive(Debug, Clone, Default)]
pub struct Waits(BTreeMap<i64, Counts>);

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    moved: u32,
    ended: u32,
    wait: u32,
}

impl Waits {
    /// Adds a case that met its fate after `seconds`; what was dated back counts as at once.
    pub fn add(&mut self, seconds: i64, fate: Fate) {
        let counts = self.0.entry(seconds.max(0) / SECONDS).or_default();
        let one = match fate {
            Fate::Moved => &mut counts.moved,
            Fate::Ended => &mut counts.ended,
            Fate::Open => &mut counts.wait,
        };
        *one = one.saturating_add(1);
    }

    pub fn count(&self, fate: Fate) -> i64 {
        let of = |c: &Counts| match fate {
            Fate::Moved => c.moved,
            Fate::Ended => c.ended,
            Fate::Open => c.wait,
        };
        self.0.values().map(|c| i64::from(of(c))).sum()
    }

    /// The days after which `percent` of those that take the step have taken it, to a tenth; none where that
    /// share is not reached yet, or nobody has taken it.
    pub fn quantile(&self, percent: u8) -> Option<Decimal> {
        let all = |c: &Counts| f64::from(c.moved) + f64::from(c.ended) + f64::from(c.wait);
        let mut at_risk: f64 = self.0.values().map(all).sum();
        let (mut undecided, mut moved) = (1.0, 0.0);
        let mut curve = Vec::new();
        for (time, counts) in &self.0 {
            let decided = f64::from(counts.moved) + f64::from(counts.ended);
            if counts.moved > 0 {
                moved += undecided * f64::from(counts.moved) / at_risk;
                curve.push((*time, moved));
            }
            undecided *= 1.0 - decided / at_risk;
            at_risk -= all(counts);
        }
        // sums of fractions miss a whole by less than this
        let share = (moved + undecided) * f64::from(percent) / 100.0 - 1e-9;
        let (time, _) = curve.into_iter().find(|(_, reached)| *reached >= share)?;
        Some(Decimal::new(time, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::{Fate::*, *};
    use proptest::prelude::*;

    fn of(cases: &[(i64, Fate)]) -> Waits {
        let mut waits = Waits::default();
        cases.iter().for_each(|(days, fate)| waits.add(days * 86_400, *fate));
        waits
    }
    fn told(waits: &Waits, percent: u8) -> String {
        waits.quantile(percent).map_or("-".into(), |d| d.to_string())
    }

    #[test]
    fn without_anybody_waiting_it_is_the_plain_quantile() {
        let all = of(&[(1, Moved), (2, Moved), (4, Moved), (10, Moved), (3, Ended), (9, Ended)]);
        assert_eq!((told(&all, 50), told(&all, 90)), ("2".into(), "10".into()));
        assert_eq!((all.count(Moved), all.count(Ended), all.count(Open)), (4, 2, 0));
    }

    /// The trial of Freireich and others (1963), 6-MP arm, as in every textbook: the median is 23 weeks,
    /// and the ninth decile is not reached.
    #[test]
    fn without_other_ends_it_is_kaplan_and_meier() {
        let moved = [6, 6, 6, 7, 10, 13, 16, 22, 23].map(|t| (t, Moved));
        let wait = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map(|t| (t, Open));
        let all = of(&[moved.as_slice(), wait.as_slice()].concat());
        assert_eq!((told(&all, 50), told(&all, 90)), ("23".into(), "-".into()));
        assert_eq!(told(&all, 25), "13");
    }

    #[test]
    fn those_who_wait_make_a_step_longer_and_never_shorter() {
        let quick = [(1, Moved), (2, Moved), (3, Moved)];
        assert_eq!(told(&of(&quick), 50), "2");
        let waiting = of(&[&quick[..], &[(30, Open), (40, Open)]].concat());
        assert_eq!(told(&waiting, 50), "3");
        let more = of(&[&quick[..], &[(30, Open); 4]].concat());
        assert_eq!(told(&more, 50), "-", "most of them wait still");
        assert_eq!(told(&Waits::default(), 50), "-");
        assert_eq!(told(&of(&[(1, Ended)]), 50), "-");
    }

    proptest! {
        #[test]
        fn it_lies_between_the_quick_ones_and_never(
            cases in prop::collection::vec((0i64..200, 0u8..3), 1..60),
        ) {
            let fate = |n: u8| [Moved, Ended, Open][usize::from(n)];
            let cases: Vec<(i64, Fate)> = cases.iter().map(|(t, n)| (*t, fate(*n))).collect();
            let decided: Vec<_> = cases.iter().copied().filter(|(_, f)| *f != Open).collect();
            let tenths = |w: &Waits| w.quantile(50).and_then(|d| d.at_scale(1));
            let (naive, honest) = (tenths(&of(&decided)), tenths(&of(&cases)));
            if let Some(honest) = honest {
                prop_assert!(cases.iter().any(|(t, f)| *f == Moved && t * 10 == honest));
            }
            // nobody waits: both are the same
            if decided.len() == cases.len() {
                prop_assert_eq!(naive, honest);
            }
        }
    }
}
