//! Statistics over very many registered contracts: how fast they load and are counted, how fast every
//! statistic answers, what one more registration costs, and how fast all of it is verified.
//!
//! The goals are absolute (20 ms at the 99th percentile, 300 MB, 5 ms), so the machine should be quiet.
mod asking;
mod made;
mod one_more;
mod store;

use std::time::Instant;

use anyhow::{Context, bail};

pub use asking::run as ask;

use super::peak_memory_mb;
use crate::{
    Keshi,
    demo::market,
    insight,
    kernel::{Config, Moment, journal},
};

/// How many contracts are registered in turn with a bare commit.
const ROUNDS: u32 = 200;
/// Contracts of one transaction.
const BATCH: usize = 10_000;

pub fn run(config: &Config, contracts: usize) -> anyhow::Result<()> {
    let keshi = Keshi::open(config.clone())?;
    let there = keshi.db.read_now(store::contracts_there)?;
    if there == 0 {
        load(&keshi, contracts.max(10))?;
    } else {
        println!("{there} contracts are there already; loading is left out");
        verify(&keshi, usize::try_from(there)?)?;
    }
    drop(keshi);
    println!("database: {:.2} GB", gigabytes(config)?);

    let asked = std::process::Command::new(std::env::current_exe()?)
        .args(["bench", "ask-figures", "--folder"])
        .arg(&config.data_dir)
        .status()
        .context("starting a process that serves")?;
    if !asked.success() {
        bail!("the process that serves failed: {asked}");
    }
    one_more::run(&Keshi::open(config.clone())?, ROUNDS)?;
    println!("peak memory of loading, counting and verifying: {} MB", peak_memory_mb()?);
    Ok(())
}

fn gigabytes(config: &Config) -> anyhow::Result<f64> {
    let mut bytes = 0u64;
    for entry in std::fs::read_dir(&config.data_dir)? {
        let meta = entry?.metadata()?;
        bytes += if meta.is_file() { meta.len() } else { 0 };
    }
    let megabytes = u32::try_from(bytes / 1_000_000)?;
    Ok(f64::from(megabytes) / 1_000.0)
}

/// Loads a tenth, counts and verifies it; then the rest, by tenths, and counts and verifies all.
fn load(keshi: &Keshi, contracts: usize) -> anyhow::Result<()> {
    let registrars = market::registrars(keshi)?;
    let yesterday = Moment::now().plus_days(-1).day();
    let ids = registrars.iter().map(|(id, _)| *id).collect();
    let mut maker = made::Maker::new(contracts, yesterday, ids);
    let mut registrars = store::Registrar::all(registrars);
    // a transaction of many pages is written once only where they find room
    let digests = keshi.db.write_now(store::drop_digests)?;
    let (tenth, started) = (contracts / 10, Instant::now());
    let mut counting = 0.0;
    for part in 1..=10usize {
        let count = if part == 10 { contracts - tenth * 9 } else { tenth };
        let loading = Instant::now();
        let mut left = count;
        while left > 0 {
            let mut batch = store::Batch::default();
            for made in maker.by_ref().take(left.min(BATCH)) {
                let registrar = registrars.get_mut(made.registrar).context("a registrar")?;
                batch.add(made, registrar)?;
            }
            keshi.db.write_now(|tx| batch.write(tx))?;
            left -= left.min(BATCH);
        }
        println!("loading {part}/10: {}", rate(count, loading));
        if part == 1 {
            let from = Instant::now();
            count_all(keshi, count)?;
            verify(keshi, count)?;
            counting = from.elapsed().as_secs_f64();
        }
    }
    let indexing = Instant::now();
    keshi.db.write_now(|tx| store::make_digests(tx, &digests))?;
    keshi.db.write_now(|tx| store::keep_numbers(tx, &registrars))?;
    println!("index of digests: {:.1} s", indexing.elapsed().as_secs_f64());
    let seconds = started.elapsed().as_secs_f64() - counting;
    println!("loading in all: {seconds:.1} s, {:.0} contracts/s", per_second(contracts, seconds));
    count_all(keshi, contracts)?;
    verify(keshi, contracts)
}

fn count_all(keshi: &Keshi, contracts: usize) -> anyhow::Result<()> {
    let started = Instant::now();
    keshi.db.write_now(insight::count_history)?;
    println!("counting {contracts}: {}", rate(contracts, started));
    Ok(())
}

fn verify(keshi: &Keshi, contracts: usize) -> anyhow::Result<()> {
    let started = Instant::now();
    match keshi.db.read_now(insight::verify)? {
        Ok(counted) => println!("verifying the figures of {counted}: {}", rate(contracts, started)),
        Err(difference) => bail!("the figures are wrong: {difference}"),
    }
    let started = Instant::now();
    match keshi.db.read_now(journal::verify)? {
        Ok(events) => {
            println!("verifying the chain of {events} events: {}", rate(contracts, started));
        }
        Err(difference) => bail!("the journal is wrong: {difference}"),
    }
    Ok(())
}

fn per_second(n: usize, seconds: f64) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX)) / seconds
}

fn rate(contracts: usize, since: Instant) -> String {
    let seconds = since.elapsed().as_secs_f64();
    format!("{seconds:.1} s, {:.0} contracts/s", per_second(contracts, seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kernel::{DbConn, secret},
        worker::Consumers,
    };

    #[test]
    fn what_is_loaded_in_bulk_is_what_registration_writes() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::for_folder(folder.path(), &secret::token().unwrap()).unwrap();
        DbConn::open(&config.database_url).unwrap().migrate().unwrap();
        let keshi = Keshi::open(config).unwrap();
        load(&keshi, 1_200).unwrap();
        assert_eq!(keshi.db.read_now(store::contracts_there).unwrap(), 1_200);
        // registration goes on behind it, and the consumer counts on
        one_more::run(&keshi, 3).unwrap();
        Consumers::new(&keshi).unwrap().settle().unwrap();
        verify(&keshi, 1_203).unwrap();
        assert_eq!(keshi.db.read_now(insight::verify).unwrap(), Ok(1_203));
    }
}
