//! Insight: what the policy papers ask for, what the market turned over, and how far both are apart.
//!
//! Words: a *target* is a figure that a policy paper sets for a region and a period; an *entry* says
//! how many *postings* of a contract have been counted (a registration, and each change, cancellation or
//! revocation after it); a *cell* adds up the postings of a month or year that agree in one
//! attribute, in every place that they count in; the *roll-ups* are entries and cells together. An
//! *indicator* is what a target is set for; its figure is *counted* here or *entered* by hand, with source and
//! date; a *finding* is what two targets, or one alone, do not fit; a *forecast* is what a year will come to.
//! The *funnel* follows a *cohort* of listings and requests from stage to stage; a *report* puts the
//! statistics of a period on one paper, each with the call that gives it anew.
//!
//! Promises:
//! - every posting is counted exactly once, to the fen; both bases (as reported, as restated) are sums of
//!   the same postings;
//! - [`rollups::verify`] finds any cell that the contracts do not account for;
//! - what the public is shown of all tables together never gives away a suppressed row ([`secrecy`]);
//! - every figure of a report can be asked for again, and has the same digest;
//! - an entered figure is never overwritten: a correction stands beside it and counts;
//! - a forecast knows nothing that was not known at its day, and says so when it knows too little;
//! - no figure is a float: amounts are fen, other values whole numbers with a decimal scale; forecasts
//!   reckon in floats and answer in fen.
//!
//! Its events: `target.created` (on `target:ID`), `indicator.value_entered` (on `indicator_value:ID`).
//!
//! May use: `kernel`, `markets`, `accounts`, `deals`, `contracts`, `brokerage`, and, alone of all rooms, the
//! tables of others: it reads postings, contracts, listings, requests, deals, brokers, recognitions and the
//! journal. Used by: `console`, the commands `demo` and `verify`.
mod backtest;
pub mod decimal;
pub mod forecast;
pub mod http;
pub mod indicators;
pub mod lint;
pub mod model;
pub mod places;
pub mod report;
pub mod rollups;
pub mod rules;
pub mod secrecy;
pub mod service;
pub mod shipped;
mod store;
mod tally;
#[cfg(test)]
mod testing;
mod waiting;

pub use rollups::{RollUps, count_history, rebuild, verify};
pub use service::{Grids, targets::targets_beside_actuals};
pub use shipped::{Actual, actuals, load_shipped_targets};
