//! Insight: what the policy papers ask for, what the market turned over, and how far both are apart.
//!
//! Words: a *target* is a figure that a policy paper sets for a region and a period; an *entry* says
//! how many *postings* of a contract have been counted (a registration, and each change, cancellation or
//! revocation after it); a *cell* adds up the postings of a month or year that agree in one
//! attribute, in every place that they count in; the *roll-ups* are entries and cells together. The
//! *funnel* follows a *cohort* of listings and requests from stage to stage; a *report* puts the statistics of
//! a period on one paper, each with the call that gives it anew.
//!
//! Promises:
//! - every posting is counted exactly once, to the fen; both bases (as reported, as restated) are sums of
//!   the same postings;
//! - [`rollups::verify`] finds any cell that the contracts do not account for;
//! - what the public is shown of all tables together never gives away a suppressed row ([`secrecy`]);
//! - every figure of a report can be asked for again, and has the same digest;
//! - no figure is a float: amounts are fen, other values whole numbers with a decimal scale.
//!
//! May use: `kernel`, `markets`, `deals`, `contracts`, and, alone of all rooms, the tables of others: it
//! reads postings, contracts, listings, requests, deals and the journal. Used by: `console`, the commands `demo` and `verify`.
pub mod decimal;
pub mod http;
pub mod indicators;
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

pub use rollups::{RollUps, rebuild, verify};
pub use service::{Grids, targets::targets_beside_actuals};
pub use shipped::{Actual, actuals, load_shipped_targets};
