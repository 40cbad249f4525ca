//! Contracts: registration of technology contracts (技术合同认定登记).
//!
//! Words: the *seller* provides the technology and the *buyer* takes it; the *filer* is the
//! organization that applies, which is the seller, the intermediary of an intermediary contract, or the
//! domestic buyer of technology from abroad; the *registrar* examines and registers through its
//! *clerks*; the *examiner* is the clerk who took the contract under review, and an *assigned* clerk may
//! open its text; the *authority* is an operator of the region. *Total* is 成交额, *tech* is 技术交易额,
//! *income* is 技术性收入. A *rule set* holds from a day on and decides by the day of acceptance; a
//! *case* is how far the examination is; a *version* is what was registered, as it was then; a *posting*
//! is what an act does to the figures. The *national system* has numbers and amounts of its own for the same
//! contracts; a *reconciliation* compares a registrar's year here and there.
//!
//! Promises:
//! - a contract changes its state only through a [`rules::Move`], and every move is in the history and in
//!   the journal;
//! - whoever examined a contract or its change does not register it;
//! - only assigned clerks and the authority open the text and its papers, and every opening is in the journal;
//!   the file of a paper is stored before its row names it, so that a crash leaves no row without one;
//! - registration numbers have no gaps within a registrar and year, and none is given twice;
//! - the same contract (parties and day, with its number, or with title and total) is live at most once;
//! - versions are never changed, and the signed postings of a contract add up to what it counts now.
//!
//! What may change with the law is data: the rule sets, the calendar of working days and the cue words in
//! [`rulebook`].
//!
//! May use: `kernel`, `markets`, `accounts`, `achievements`, `demands`, `deals`. Used by: `insight`,
//! `notices`, `console`.
pub mod amounts;
pub mod capitals;
pub mod commission;
mod deal;
pub mod draft;
pub mod http;
pub mod model;
pub mod rulebook;
pub mod rules;
pub mod service;
mod store;

pub use model::code_lists;
pub use service::{sweep, tasks};
pub use store::{find, totals};
