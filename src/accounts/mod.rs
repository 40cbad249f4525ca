//! Accounts: people, organizations, memberships, sessions, API keys, brokers.
//!
//! May use: `kernel`, `markets`. Used by: everyone above.
pub mod model;
mod store;

pub use store::{broker, broker_of, members, organization, organizations, person};
