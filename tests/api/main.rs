//! The service from outside: one module a room, one database a test, and the promises.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions
)]
mod accounts;
mod achievements;
mod both;
mod contracts;
mod demands;
mod discovery;
mod market;
mod notices;
mod operations;
mod story;
mod support;
