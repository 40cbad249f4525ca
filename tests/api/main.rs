//! Black-box tests of the service.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may stop at the first surprise
mod accounts;
//! The service from outside: one module a room, one database a test, and the promises.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions
)]
mod achievements;
mod both;
mod contracts;
mod demands;
mod market;
mod notices;
mod story;
mod support;
