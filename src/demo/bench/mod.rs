//! Speed, as ratios to a bare limit that is measured in the same run on the same machine.
//!
//! Absolute figures change from machine to machine and from hour to hour; a ratio of two measurements that
//! take turns does not. Each pair is measured in rounds (A B A B …) and the median of the rounds is told.
//! Where a goal is an absolute figure ([`figures`]), the machine has to be quiet.
mod figures;
mod get;
mod import;
mod load;
mod post;
mod search;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Subcommand;

use crate::kernel::{Config, db::DbConn, secret};

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

#[derive(Subcommand, Debug, Clone)]
pub enum Bench {
    /// `GET /achievements/{id}` against a bare route that answers the same bytes.
    Get,
    /// A durable `POST /achievements` against a bare loop that writes the same rows, one transaction each.
    Post,
    /// Loading the demo market: seconds and peak memory.
    Load,
    /// Statistics over very many registered contracts: loading, asking, registering one more, verifying.
    Figures {
        #[arg(long, default_value_t = 100_000)]
        contracts: usize,
        /// Where the market is made. A folder that is there already is kept, and with a market in it loading
        /// is left out.
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
        /// Leave the market in its folder.
        #[arg(long)]
        keep: bool,
    },
    /// The part of `figures` that only serves, in a process of its own for the sake of its memory.
    #[command(hide = true)]
    AskFigures {
        #[arg(long)]
        folder: PathBuf,
    },
    /// A workbook of contracts, checked and committed, against reading it and writing the bare rows.
    Import {
        #[arg(long, default_value_t = 50_000)]
        rows: u32,
    },
    /// Matches with their explanations, and pages of the search box with facets and marks, against the bare
    /// engine with the same terms.
    Search(search::Search),
}

pub fn run(bench: Bench) -> anyhow::Result<()> {
    let temporary = || std::env::temp_dir().join(format!("keshi-bench-{}", std::process::id()));
    let (dir, keep) = match &bench {
        Bench::Figures { folder, keep, .. } => (folder.clone().unwrap_or_else(temporary), *keep),
        Bench::AskFigures { folder } => (folder.clone(), true),
        Bench::Get | Bench::Post | Bench::Load | Bench::Import { .. } | Bench::Search(_) => {
            (temporary(), false)
        }
    };
    // what was there before is not ours to remove
    let keep = keep || dir.exists();
    std::fs::create_dir_all(&dir)?;
    let config = Config::for_folder(&dir, &secret::token()?)
        .map_err(anyhow::Error::msg)?
        .with_demo_defaults();
    DbConn::open(&config.database_url)?.migrate()?;
    let done = match bench {
        Bench::Load => load::run(&config),
        Bench::Get => get::run(&config),
        Bench::Post => post::run(&config),
        Bench::Figures { contracts, .. } => figures::run(&config, contracts),
        Bench::AskFigures { .. } => figures::ask(&config),
        Bench::Import { rows } => import::run(&config, rows),
        Bench::Search(search) => search::run(&search),
    };
    if !keep {
        std::fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
    }
    done
}

/// `VmHWM` of this process.
fn peak_memory_mb() -> anyhow::Result<u64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("peak memory is read from /proc")?;
    let kb = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(kb.trim().trim_end_matches("kB").trim().parse::<u64>()? / 1024)
}

/// Serves `app` on a thread of its own until the process ends.
fn serve(
    make: impl FnOnce(TcpListener) -> std::io::Result<actix_web::dev::Server> + Send + 'static,
) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::Builder::new().name("server".into()).spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            match make(listener) {
                Ok(server) => server.await,
                Err(error) => Err(error),
            }
        })
    })?;
    Ok(address)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn tell(ours: &str, bare: &str, unit: &str, rates: &[(f64, f64)]) {
    let a = median(rates.iter().map(|r| r.0).collect());
    let b = median(rates.iter().map(|r| r.1).collect());
    let ratio = median(rates.iter().map(|r| r.0 / r.1).collect());
    println!(
        "{ours}: {a:.0} {unit}; {bare}: {b:.0} {unit}; ratio {:.1} % (median of {} rounds)",
        ratio * 100.0,
        rates.len()
    );
}

fn connect(address: SocketAddr) -> anyhow::Result<BufReader<TcpStream>> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(BufReader::new(stream));
            }
            Err(_) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(50)),
            Err(error) => return Err(error.into()),
        }
    }
}

/// One request on a kept-alive connection.
fn ask(stream: &mut BufReader<TcpStream>, request: &str) -> anyhow::Result<String> {
    stream.get_mut().write_all(request.as_bytes())?;
    let (mut status, mut length, mut line) = (0, 0usize, String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            bail!("the server closed the connection");
        }
        let text = line.trim();
        if text.is_empty() {
            break;
        }
        if let Some(code) = text.strip_prefix("HTTP/1.1 ") {
            status = code.get(..3).unwrap_or_default().parse()?;
        } else if let Some(n) = text.to_ascii_lowercase().strip_prefix("content-length:") {
            length = n.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let body = String::from_utf8(body)?;
    if !(200..300).contains(&status) {
        bail!("{status}: {body}");
    }
    Ok(body)
}

/// Requests per second over kept-alive connections for one round.
fn hammer(address: SocketAddr, request: &str) -> anyhow::Result<f64> {
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let started = Instant::now();
    let workers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (stop, done, text) = (stop.clone(), done.clone(), request.to_owned());
            std::thread::spawn(move || -> anyhow::Result<()> {
                let mut stream = connect(address)?;
                while !stop.load(Ordering::Relaxed) {
                    ask(&mut stream, &text)?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            })
        })
        .collect();
    std::thread::sleep(ROUND);
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        match worker.join() {
            Ok(result) => result?,
            Err(_) => bail!("a client thread panicked"),
        }
    }
    let done = u32::try_from(done.load(Ordering::Relaxed))?;
    Ok(f64::from(done) / started.elapsed().as_secs_f64())
}
