//! keshi (科市), a technology market: the map of its rooms.
pub mod accounts;
pub mod achievements;
pub mod catalogue;
pub mod deals;
pub mod demands;
pub mod insight;
pub mod kernel;
pub mod markets;
pub mod notices;
pub mod schema;
