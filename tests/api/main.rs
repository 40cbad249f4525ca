//! Black-box tests of the service.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a test may stop at the first surprise
mod accounts;
mod achievements;
mod catalogue;
mod demands;
mod market;
mod contracts;
mod notices;
