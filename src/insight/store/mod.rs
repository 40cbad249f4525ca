//! Every SQL statement of the room. Read from others: postings and states of contracts, the `journal` (which
//! of them the roll-ups have still to take), and for the funnel listings, requests and deals.
mod figures;
mod funnel;
mod indicators;
mod recount;
mod targets;

pub use figures::*;
pub use funnel::*;
pub use indicators::*;
pub use recount::*;
pub use targets::*;
