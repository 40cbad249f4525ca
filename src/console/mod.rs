//! The console: what a person looks at first, put together from all rooms.
//!
//! May use: every room. Used by: `lib.rs`.
pub mod http;
