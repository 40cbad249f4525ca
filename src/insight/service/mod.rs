//! What people can ask and set.
#[cfg(test)]
mod disclosure;
pub mod flows;
pub mod funnel;
pub mod grids;
pub mod rankings;
pub mod targets;
pub mod turnover;

pub use grids::Grids;
