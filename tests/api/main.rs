//! The service from outside.
mod achievements;
mod catalogue;
mod demands;
mod market;
