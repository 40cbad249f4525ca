//! What the benchmarks share: where text comes from, and how figures are told.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions
)]
use std::{
    env, fs,
    path::PathBuf,
    time::{Duration, Instant},
};

/// As in the service.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The corpus (format: `keshi_index::evaluation`) that KESHI_BENCH_CORPUS names. No text ships for this.
pub fn corpus() -> PathBuf {
    file("KESHI_BENCH_CORPUS")
}

pub fn file(key: &str) -> PathBuf {
    env::var_os(key).map(PathBuf::from).unwrap_or_else(|| {
        eprintln!("set {key} to a file; this benchmark needs it");
        std::process::exit(2);
    })
}

/// A number from the environment.
pub fn number(key: &str, usual: usize) -> usize {
    env::var(key).ok().map_or(usual, |text| text.parse().expect("a number"))
}

/// Memory of this process in MB: resident, and of that what no file backs.
pub fn memory() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |key: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(key)).unwrap_or("0 kB");
        line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0) / 1024
    };
    (of("VmRSS:"), of("RssAnon:"))
}

/// Time this thread was on a processor: what a busy machine does not lengthen.
pub fn cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default();
    Duration::from_nanos(nanos)
}

/// Times, to be told by their quantiles.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn time<T>(&mut self, f: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let value = f();
        self.0.push(start.elapsed());
        value
    }
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }
    pub fn quantile(&mut self, q: f64) -> Duration {
        self.0.sort();
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * q).round() as usize).copied().unwrap_or_default()
    }
    pub fn told(&mut self) -> String {
        let ms = |d: Duration| d.as_secs_f64() * 1e3;
        format!(
            "{} times: p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
            self.0.len(),
            ms(self.quantile(0.5)),
            ms(self.quantile(0.9)),
            ms(self.quantile(0.99)),
            ms(self.quantile(1.0))
        )
    }
}

/// SplitMix64.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
    pub fn chance(&mut self, p: f64) -> bool {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64 <= p
    }
}
