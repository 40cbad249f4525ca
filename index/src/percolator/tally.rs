//! Who looks for what: of each term the questions that look for it, and the adding up of what a listing
//! has of each of them.
//!
//! Adding up is done for every question that shares a term with the listing, one after the other in
//! memory and in half the precision. It only names those that are worth a closer look: the others are
//! known to have too little of what the question is worth at least. That *least worth* follows the
//! frequencies term by term, at a number of listings that is a little too small ([`Frozen`]).
//!
//! Of a long question only the strongest terms count, and a term may become one of them while others cease
//! to be. So only those are counted in its least worth that are certain to be among them, because they are
//! worth more than its *cut*, the most that the first one left out can be worth.
use std::collections::HashMap;

use super::{
    LEAST_COVERED, Sight,
    frequencies::{Change, Frequencies, Scale},
    saved::{Lane, Slot, nth},
};
use crate::{number::index, view::View};

/// More than all errors of rounding in a sum together.
const SLACK: f32 = 1.001;

/// How far the number of listings may move before the least worths are worked out anew.
const DRIFT: f64 = 0.01;

/// Worths of a lane for more and for fewer listings than there are.
struct Frozen {
    low: Scale,
    high: Scale,
}

#[derive(Default)]
pub(super) struct Tally {
    /// Of each lane, by the number of the term: the numbers of the questions, and how much they look
    /// for it.
    lists: [HashMap<u32, Vec<(u32, f32)>>; Lane::COUNT],
    frozen: [Option<Frozen>; Lane::COUNT],
    questions: Vec<Question>,
    sums: Vec<f32>,
    /// Questions whose least worth is not known yet.
    fresh: Vec<u32>,
}

/// What is known of a question without looking at its terms.
#[derive(Clone, Copy)]
struct Question {
    /// Of its worth a listing must have so much to be looked at.
    share: f64,
    /// None is below: it is looked at in any case.
    least: f64,
    cuts: [f64; 2],
}

impl Default for Question {
    fn default() -> Self {
        Self { share: 0.0, least: f64::NEG_INFINITY, cuts: [0.0; 2] }
    }
}

impl Question {
    /// What a listing must have to be looked at.
    fn needs(&self) -> f64 {
        if self.least == f64::NEG_INFINITY { 0.0 } else { self.share * self.least }
    }
}

impl Tally {
    pub fn put(&mut self, number: u32, slot: &Slot) {
        let at = index(number);
        if self.sums.len() <= at {
            self.sums.resize(at + 1, 0.0);
            self.questions.resize(at + 1, Question::default());
        }
        let share = match slot.lane {
            Lane::SearchAll | Lane::Search(_) => LEAST_COVERED,
            Lane::Match(..) if slot.has_runs() => 0.0,
            Lane::Match(..) => slot.floor(0.0) / 100.0,
        };
        if let Some(question) = self.questions.get_mut(at) {
            *question = Question { share, ..Question::default() };
        }
        self.fresh.push(number);
        let Some(lists) = self.lists.get_mut(slot.lane.number()) else { return };
        for (term, weight) in &slot.terms {
            lists.entry(*term).or_default().push((number, half(*weight)));
        }
    }

    pub fn remove(&mut self, number: u32, slot: &Slot) {
        let Some(lists) = self.lists.get_mut(slot.lane.number()) else { return };
        for (term, _) in &slot.terms {
            if let Some(list) = lists.get_mut(term) {
                list.retain(|(n, _)| *n != number);
            }
        }
    }

    /// Brings the least worths to the frequencies as they are now.
    pub fn follow(
        &mut self,
        slots: &[Option<Slot>],
        frequencies: &Frequencies,
        view: &View,
        changes: &[Change],
    ) {
        for lane in Lane::ALL {
            let scale = frequencies.scale(view, lane, 1.0);
            let Some(frozen) = self.frozen.get_mut(lane.number()) else { continue };
            if frozen.as_ref().is_some_and(|f| {
                f.low.listings <= scale.listings && scale.listings <= f.high.listings
            }) {
                self.follow_lane(lane, frequencies, changes);
            } else {
                let low = frequencies.scale(view, lane, 1.0 - DRIFT);
                let high = frequencies.scale(view, lane, 1.0 + DRIFT);
                *frozen = Some(Frozen { low, high });
                let all =
                    (0..).zip(slots).filter(|(_, s)| s.as_ref().is_some_and(|s| s.lane == lane));
                self.fresh.extend(all.map(|(number, _)| number));
            }
        }
        let mut worths = Vec::new();
        for number in std::mem::take(&mut self.fresh) {
            let Some(slot) = slots.get(index(number)).and_then(Option::as_ref) else { continue };
            let Some(Some(frozen)) = self.frozen.get(slot.lane.number()) else { continue };
            let Some(question) = self.questions.get_mut(index(number)) else { continue };
            question.least = 0.0;
            let most = slot.lane.weights().most_terms;
            for (part, cut) in slot.sights().into_iter().zip(&mut question.cuts) {
                let count = |number| frequencies.listings(number, slot.lane);
                worths.clear();
                worths.extend(
                    part.iter().map(|(n, w)| f64::from(half(*w)) * frozen.high.of(count(*n))),
                );
                *cut = nth(&mut worths, most).unwrap_or_default();
                let low = part.iter().map(|(n, w)| f64::from(half(*w)) * frozen.low.of(count(*n)));
                question.least += low.filter(|worth| *worth > *cut).sum::<f64>();
            }
        }
    }

    fn follow_lane(&mut self, lane: Lane, frequencies: &Frequencies, changes: &[Change]) {
        let Some(Some(frozen)) = self.frozen.get(lane.number()) else { return };
        let Some(lists) = self.lists.get(lane.number()) else { return };
        for change in changes {
            let (from, to) = (lane.count(change.from), lane.count(change.to));
            let Some(list) = lists.get(&change.number).filter(|_| from != to) else { continue };
            let sight = match frequencies.term(change.number) {
                Some((Sight::Characters, _)) => 1,
                _ => 0,
            };
            let (low, high) = (
                (frozen.low.of(from), frozen.low.of(to)),
                (frozen.high.of(from), frozen.high.of(to)),
            );
            for (number, weight) in list {
                let Some(question) = self.questions.get_mut(index(*number)) else { continue };
                let weight = f64::from(*weight);
                let cut = question.cuts.get(sight).copied().unwrap_or_default();
                let counted = |worth: f64| if weight * worth > cut { weight * worth } else { 0.0 };
                question.least += counted(low.1) - counted(low.0);
                if weight * high.0 <= cut && weight * high.1 > cut {
                    // one more may be among the strongest, and another may cease to be
                    question.least = f64::NEG_INFINITY;
                }
            }
        }
    }

    /// Adds what each term earns to the questions of a lane.
    pub fn add(&mut self, lane: Lane, gains: impl Iterator<Item = (u32, f64)>) {
        let Some(lists) = self.lists.get(lane.number()) else { return };
        for (term, gain) in gains {
            let gain = half(gain);
            for (number, weight) in lists.get(&term).into_iter().flatten() {
                if let Some(sum) = self.sums.get_mut(index(*number)) {
                    *sum += weight * gain;
                }
            }
        }
    }

    /// The questions that something was added to, by rising number; where `enough` only those whose sum
    /// may be enough. The next adding starts from nothing.
    pub fn take(&mut self, enough: bool) -> Vec<u32> {
        let all = (0..).zip(self.sums.iter().zip(&self.questions));
        let touched = all.filter(|(_, (sum, question))| {
            **sum > 0.0 && (!enough || f64::from(**sum * SLACK) >= question.needs())
        });
        let touched = touched.map(|(number, _)| number).collect();
        self.sums.fill(0.0);
        touched
    }

    /// Has the least worth of a question that was looked at, and is worth `total`, worked out anew where
    /// it was lost.
    pub fn looked_at(&mut self, number: u32, total: f64) {
        let question = self.questions.get(index(number));
        debug_assert!(question.is_none_or(|q| q.least <= total * (1.0 + 1e-6)), "{total}");
        if question.is_some_and(|question| question.least == f64::NEG_INFINITY) {
            self.fresh.push(number);
        }
    }
}

/// Rounds.
#[allow(clippy::as_conversions)] // there is no other way, and sums are rough on purpose
fn half(value: f64) -> f32 {
    value as f32
}
