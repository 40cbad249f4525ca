//! The service from outside: one module a room, one database a test, and the promises.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions
)]
mod accounts;
mod achievements;
mod bad_input;
mod both;
mod brokerage;
mod brokers;
mod contracts;
mod contracts_file;
mod contracts_life;
mod deals;
mod demands;
mod diagnosis;
mod discovery;
mod doors;
mod exposure;
mod funnel;
mod imports;
mod killed;
mod likeness;
mod market;
mod meaning;
mod national;
mod notices;
mod openapi;
mod operations;
mod reports;
mod robustness;
mod rooms;
mod schema;
mod story;
mod subscriptions;
mod support;
mod targets;
mod webhooks;
