//! What people can ask and set.
pub mod actuals;
#[cfg(test)]
mod disclosure;
pub mod flows;
pub mod forecasts;
pub mod funnel;
pub mod grids;
pub mod indicators;
pub mod rankings;
pub mod targets;
pub mod turnover;

pub use grids::Grids;
