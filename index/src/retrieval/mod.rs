//! The best listings for a plan, without weighing all of them.
//!
//! A listing is worth looking at only while the points of the terms it was seen to have, with the most
//! that all other terms could add, reach what the worst of the best so far has. So the terms of a request
//! are taken strongest first, over a [`window`] of documents at a time: the first of them add up points
//! for every document; from where the rest together could no longer lift a listing among the best, only
//! those seen so far go on, and they grow fewer with every term. What is left at the end is a handful,
//! whose exact account is then made from the postings.
//!
//! **Exact.** Sums are kept in single precision and every comparison leaves room for their rounding, so
//! that nothing is lost which the exact account could rank among the best; a test holds this against
//! weighing everything. Points for values (field, region …) are small and bounded, and count for a
//! listing as soon as it is a candidate.
//!
//! **Words.** A *list* is one term in one field of one segment. Its *peak* is the most it gives any
//! listing. The *bar* is what a total must reach.
mod best;
mod lists;
mod peaks;
#[cfg(test)]
mod tests;
mod window;

use tantivy::SegmentReader;

pub(crate) use peaks::Peaks;

use best::Best;
use lists::Lists;
use window::Window;

use crate::{
    Result,
    explanation::PartKind,
    index::Index,
    listing::Kind,
    ranking::{Plan, Wanted, Weights},
    view::{Row, Segment, View},
};

/// What is looked for.
pub(crate) struct Quest<'a> {
    pub plan: &'a Plan,
    pub kind: Kind,
    pub weights: &'a Weights,
    /// The best so many are wanted.
    pub limit: usize,
    /// Points of the wording that are too few in any case.
    pub floor: f64,
    /// The most that [`Judge::values`] answers.
    pub most_values: f64,
}

/// What decides on a listing beside the wording.
pub(crate) trait Judge {
    /// Whether it may be shown, and what its values add; negative where they cost.
    fn values(&self, row: Row) -> Option<f64>;
}

/// What was given for one term: of `Plan::wanted`, or of `Plan::phrases` for the phrase part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gain {
    pub part: PartKind,
    pub term: usize,
    pub points: f64,
}

/// The exact account of what the wording of one listing earned.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Account {
    pub flat: usize,
    pub points: f64,
    /// Of the request's idf weight, the share found; 0..1.
    pub covered: f64,
    /// In the order of the plan.
    pub gains: Vec<Gain>,
}

/// How much was looked at; benchmarks tell it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// Entries of all lists.
    pub postings: usize,
    /// Entries whose gain was added to a listing.
    pub added: usize,
    /// Listings that were candidates when their window ran out of strong terms.
    pub candidates: usize,
    /// Listings that every term was weighed for.
    pub scored: usize,
    /// Listings the exact account was made for.
    pub accounted: usize,
}

impl Effort {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            postings: self.postings + other.postings,
            added: self.added + other.added,
            candidates: self.candidates + other.candidates,
            scored: self.scored + other.scored,
            accounted: self.accounted + other.accounted,
        }
    }
}

/// The terms of a plan that are looked up: the strongest of each view.
pub(crate) fn terms<'a>(at: &'a Index, view: &View, quest: &Quest<'a>) -> Result<Vec<&'a Wanted>> {
    Ok(lists::look_up(at, view, quest)?.wanted().collect())
}

/// Accounts of the best, and of whatever rounding cannot tell from them; in no order. Whoever asked
/// ranks them and keeps as many as were wanted.
pub(crate) fn best(
    at: &Index,
    view: &View,
    quest: &Quest,
    judge: &impl Judge,
) -> Result<(Vec<Account>, Effort)> {
    let mut effort = Effort::default();
    let lookup = lists::look_up(at, view, quest)?;
    if lookup.worth <= 0.0 {
        return Ok((Vec::new(), effort));
    }
    let mut best = Best::new(quest.limit, quest.floor, quest.most_values);
    let mut window = Window::default();
    let mut all: Vec<(&SegmentReader, &Segment, Lists)> = Vec::new();
    for (ordinal, (reader, segment)) in view.readers().enumerate() {
        let mut lists = lookup.open(ordinal, reader, segment)?;
        effort.postings += lists.postings();
        window.run(ordinal, reader, segment, &mut lists, judge, &mut best, &mut effort);
        all.push((reader, segment, lists));
    }
    let kept = best.into_kept();
    effort.accounted = kept.len();
    let mut accounts = Vec::with_capacity(kept.len());
    for (ordinal, (_, segment, lists)) in all.iter().enumerate() {
        let docs: Vec<u32> = kept.iter().filter(|k| k.segment == ordinal).map(|k| k.doc).collect();
        if !docs.is_empty() {
            accounts.extend(lists.account(segment, &docs)?);
        }
    }
    Ok((accounts, effort))
}
