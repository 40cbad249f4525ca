//! Achievements (科技成果): what universities and institutes offer.
//!
//! May use: `kernel`, `markets`, `accounts`. Used by: `discovery` and everyone above.
pub mod model;
mod store;

pub use store::{find, find_many};
