//! Insight: what the policy papers ask for, what the market turned over, and how far both are apart.
//!
//! Words: a *target* is a figure that a policy paper sets for a region and a period; an *entry* says
//! how many *postings* of a contract have been counted (a registration, and each change, cancellation or
//! revocation after it); a *cell* adds up the postings of a month or year that agree in one
//! attribute, in every place that they count in; the *roll-ups* are entries and cells together.
//!
//! Promises:
//! - every posting is counted exactly once, to the fen; both bases (as reported, as restated) are sums of
//!   the same postings;
//! - [`rollups::verify`] finds any cell that the contracts do not account for;
//! - what the public is shown of all tables together never gives away a suppressed row ([`secrecy`]);
//! - no figure is a float: amounts are fen, other values whole numbers with a decimal scale.
//!
//! May use: `kernel`, `markets`, `contracts`, and, alone of all rooms, the tables of others: it reads
//! postings, contracts and the journal. Used by: `console`, the commands `demo` and `verify`.
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
