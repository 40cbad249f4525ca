//! Demands (技术需求): what firms ask for.
//!
//! Words: a *masked* demand is public and its owner is not; a *private* one is shown only to the
//! *brokers* it names; a *version* is a content that the public was shown; a *reader* is an organization
//! that was let in on a demand for good, because a request on it was accepted; a *diagnosis* says what a
//! demand leaves out ([`diagnosis`]).
//!
//! Promises:
//! - strangers see published demands that are not private, in lists as one by one, and never learn
//!   the owner of a masked one here; readers and the broker in charge of a diagnosis do;
//! - every content that the public was shown is kept, with who wrote it;
//! - only listings of verified organizations leave `draft`, and what one has published goes down with it
//!   when it is suspended, and comes back with it.
//!
//! May use: `kernel`, `markets`, `accounts`. Used by: `discovery` and everyone above.
pub mod diagnosis;
pub mod http;
pub mod model;
mod rules;
mod service;
mod store;

use rules::check;
pub use service::{
    admit, check_draft, create, create_published, draft, follow_owner, is_visible, may_act_for,
    tasks, tick,
};
pub use store::{all_open, all_published, find, find_many, for_index, kinds};
