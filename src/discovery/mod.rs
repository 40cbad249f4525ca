//! Discovery: search and explained matching over the index, and the index's consumer of the journal.
//!
//! Words: the *catalogue* is this node's copy of what may be found, made from the tables and never
//! the other way round; a *match* is a listing of the other kind with the reasons for its place; the
//! *cross-match* matches many at once.
//!
//! Promises:
//! - only published listings are in the catalogue, private demands never come out of it;
//! - what is published is found, and what is withdrawn is gone, within a second of the commit;
//! - the parts of an explanation add up to the score.
//!
//! May use: `kernel`, `markets`, `accounts`, `achievements`, `demands`, the crate `keshi-index`.
//! Used by: `deals` and everyone above.
mod catalogue;
pub mod http;
pub mod model;
pub mod quality;
pub mod service;

pub use catalogue::{
    Catalogue, IndexFeed, listing_of_achievement, listing_of_demand, rebuild, verify,
};
