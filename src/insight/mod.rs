//! Insight: what the policy papers ask for, what the market turned over, and how far both are apart.
//!
//! Words: a *target* is a figure that a policy paper sets for a region and a period; an *entry* says
//! that one registered contract has been counted; a *cell* adds up the contracts of one month that
//! agree in every statistical attribute; the *roll-ups* are entries and cells together.
//!
//! Promises:
//! - a registered contract is counted exactly once, in the month of its registration, to the fen;
//! - [`rollups::verify`] finds any cell that the contracts do not account for;
//! - what the public is shown of one table never gives away a suppressed row ([`rules::publish`]);
//! - no figure is a float: amounts are fen, other values whole numbers with a decimal scale.
//!
//! May use: `kernel`, `markets`, `contracts`, and, alone of all rooms, the tables of others: it reads
//! `contracts` and the journal. Used by: `console`, the commands `demo` and `verify`.
pub mod decimal;
pub mod http;
pub mod indicators;
pub mod model;
pub mod rollups;
pub mod rules;
pub mod service;
pub mod shipped;
mod store;

pub use rollups::{RollUps, rebuild, verify};
pub use service::targets_beside_actuals;
pub use shipped::{Actual, actuals, load_shipped_targets};
