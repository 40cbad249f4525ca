//! How long the demo market takes to load.
use std::time::Instant;

use super::peak_memory_mb;
use crate::{demo::market, kernel::Config};

pub fn run(config: &Config) -> anyhow::Result<()> {
    let started = Instant::now();
    market::load(config, None)?;
    println!(
        "demo load with cross-match: {:.2} s, peak memory {} MB",
        started.elapsed().as_secs_f64(),
        peak_memory_mb()?
    );
    Ok(())
}
