//! Speed, as ratios to a bare limit that is measured in the same run on the same machine.
//!
//! Absolute figures change from machine to machine and from hour to hour; a ratio of two measurements that
//! take turns does not. Each pair is measured in rounds (A B A B …) and the median of the rounds is told.
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::{Context, bail};
use clap::Subcommand;
use diesel::{RunQueryDsl, sql_query, sql_types::Text};

use super::market;
use crate::{
    Keshi,
    kernel::{Config, Tx, db::DbConn, secret},
};

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
}

pub fn run(bench: Bench) -> anyhow::Result<()> {
    let dir = std::env::temp_dir().join(format!("keshi-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let config = Config::for_folder(&dir, &secret::token()?)
        .map_err(anyhow::Error::msg)?
        .with_demo_defaults();
    DbConn::open(&config.database_url)?.migrate()?;
    let done = match bench {
        Bench::Load => load(&config),
        Bench::Get => get(&config),
        Bench::Post => post(&config),
    };
    std::fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
    done
}

fn load(config: &Config) -> anyhow::Result<()> {
    let started = Instant::now();
    market::load(config, None)?;
    println!(
        "demo load with cross-match: {:.2} s, peak memory {} MB",
        started.elapsed().as_secs_f64(),
        peak_memory_mb()?
    );
    Ok(())
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

fn get(config: &Config) -> anyhow::Result<()> {
    market::load(config, None)?;
    let keshi = Keshi::open(config.clone())?;
    let id = market::any_achievement(&keshi)?;
    let path = format!("/api/v1/achievements/{id}");
    let ours = serve(move |l| {
        Ok(HttpServer::new(move || crate::app(&keshi))
            .workers(2)
            .worker_max_blocking_threads(2)
            .listen(l)?
            .run())
    })?;
    let body = ask(&mut connect(ours)?, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))?;
    let bare =
        serve(move |l| {
            let body = web::Bytes::from(body);
            Ok(HttpServer::new(move || {
                let body = body.clone();
                App::new().route("/bare", web::get().to(move || {
                let body = body.clone();
                async move { HttpResponse::Ok().content_type("application/json").body(body) }
            }))
            })
            .workers(2)
            .listen(l)?
            .run())
        })?;
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let ours = hammer(ours, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))?;
        rates.push((ours, hammer(bare, "GET /bare HTTP/1.1\r\nHost: x\r\n\r\n")?));
    }
    tell("GET /achievements/{id}", "bare route of the same bytes", "requests/s", &rates);
    Ok(())
}

fn post(config: &Config) -> anyhow::Result<()> {
    let keshi = Keshi::open(config.clone())?;
    let token = market::somebody_who_may_list(&keshi)?;
    let ours = {
        let keshi = keshi.clone();
        serve(move |l| {
            Ok(HttpServer::new(move || crate::app(&keshi))
                .workers(2)
                .worker_max_blocking_threads(8)
                .listen(l)?
                .run())
        })?
    };
    let body = market::LISTING_BODY;
    let request = format!(
        "POST /api/v1/achievements HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    ask(&mut connect(ours)?, &request)?;
    // the rows that one POST wrote, to be written again by hand
    let mut conn = DbConn::open(&config.database_url)?;
    sql_query("CREATE TABLE bare_achievements AS SELECT * FROM achievements WHERE 0")
        .execute(&mut conn)?;
    sql_query("CREATE UNIQUE INDEX bare_key ON bare_achievements (id)").execute(&mut conn)?;
    sql_query("CREATE INDEX bare_newest ON bare_achievements (state, created_at, id)")
        .execute(&mut conn)?;
    sql_query("CREATE INDEX bare_owner ON bare_achievements (organization_id, created_at, id)")
        .execute(&mut conn)?;
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        rates.push((hammer(ours, &request)?, bare_commits(&mut conn)?));
    }
    tell(
        "durable POST /achievements",
        "bare loop of the same rows, one transaction each",
        "commits/s",
        &rates,
    );
    Ok(())
}

/// Copies of one listing and one line of the journal, each pair in a transaction of its own.
fn bare_commits(conn: &mut DbConn) -> anyhow::Result<f64> {
    let started = Instant::now();
    let mut commits = 0u32;
    while started.elapsed() < ROUND {
        let id = uuid::Uuid::now_v7().to_string();
        Tx::run(conn, |tx| {
            sql_query(
                "INSERT INTO bare_achievements SELECT $1, organization_id, created_by, state, title, abstract, keywords, \
                 field, stage, trl, ip_kind, patents, transfer_modes, price_fen, price_negotiable, region_code, industry, \
                 chain, details, reasons, version, created_at, updated_at, published_at, expires_on \
                 FROM achievements LIMIT 1",
            )
            .bind::<Text, _>(&id)
            .execute(&mut **tx)?;
            sql_query(
                "INSERT INTO journal (at, actor, topic, subject, body) SELECT at, actor, topic, $1, body FROM journal \
                 WHERE topic = 'achievement.created' LIMIT 1",
            )
            .bind::<Text, _>(&id)
            .execute(&mut **tx)?;
            Ok(())
        })?;
        commits += 1;
    }
    Ok(f64::from(commits) / started.elapsed().as_secs_f64())
}

fn tell(ours: &str, bare: &str, unit: &str, rates: &[(f64, f64)]) {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
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
