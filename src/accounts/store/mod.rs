//! Every SQL statement about accounts.
pub(super) mod brokers;
pub(super) mod organizations;
pub(super) mod people;
pub(super) mod sessions;

pub use brokers::{broker, broker_of};
pub use organizations::{agencies, members, organization, organizations, registrars};
pub use people::person;
