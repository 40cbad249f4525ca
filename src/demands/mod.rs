//! Demands (技术需求): what firms ask for.
//!
//! May use: `kernel`, `markets`, `accounts`. Used by: `discovery` and everyone above.
pub mod model;
mod store;

pub use store::{find, find_many};
