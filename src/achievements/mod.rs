//! Achievements (科技成果): what universities and institutes offer.
//!
//! Words: a *draft* is what an owner says before anyone else sees it; a *version* is a content that
//! the public was shown; the *owner* is an organization, and any of its members acts for it.
//!
//! Promises:
//! - strangers see published achievements and nothing else, in lists as one by one;
//! - every content that the public was shown is kept, with who wrote it;
//! - only listings of verified organizations leave `draft`, and what one has published goes down with it
//!   when it is suspended, and comes back with it.
//!
//! May use: `kernel`, `markets`, `accounts`. Used by: `discovery` and everyone above.
pub mod http;
pub mod model;
pub mod rules;
mod service;
mod store;

pub use service::{
    check_draft, create, create_published, draft, follow_owner, is_visible, may_act_for, tasks,
    tick,
};
pub use store::{all_open, all_published, find, find_many, for_index};
