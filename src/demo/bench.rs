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
use sha2::{Digest, Sha256};

use super::market;
use crate::{
    Keshi,
    accounts::{
        self, NewAccount,
        model::{OrganizationState, inputs::NewOrganization},
    },
    exchange::{self, ImportKind, ImportState},
    kernel::{
        Actor, Config, Fen, Id, Lang, MemberRole, OrganizationKind, Region, Tx,
        db::DbConn,
        idempotency::hex,
        secret,
        table::{self, Put, TableFormat},
    },
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
    /// A workbook of contracts, checked and committed, against reading it and writing the bare rows.
    Import {
        #[arg(long, default_value_t = 50_000)]
        rows: u32,
    },
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
        Bench::Import { rows } => import(&config, rows),
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

/// The headings of the measured workbook, and its cells but for the number, the title and the amount.
const SHEET: [(&str, &str); 18] = [
    ("合同细类", "委托开发"),
    ("买方名称", "渤海示例装备有限公司"),
    ("买方信用代码", "91210200F00000003M"),
    ("买方区划", "210200"),
    ("买方类别", "企业"),
    ("签订日期", "2026-03-01"),
    ("生效日期", "2026-03-01"),
    ("有效期至", "2028-02-28"),
    ("技术领域", "新材料及其应用"),
    ("知识产权构成", "发明专利;技术秘密"),
    ("计划来源", "计划外"),
    ("社会经济目标", "工商业发展"),
    ("行业", "C38"),
    ("支付方式", "分期支付"),
    ("关联交易", "否"),
    ("跨境", "境内"),
    ("设备(元)", "200000"),
    ("登记机构", "登记处（示例）"),
];

fn workbook(rows: u32) -> anyhow::Result<std::fs::File> {
    let mut heads = vec!["合同编号", "合同名称", "技术价款(元)"];
    heads.extend(SHEET.iter().map(|(head, _)| *head));
    let file = tempfile::tempfile()?;
    let mut out = table::Writer::new(TableFormat::Xlsx, file, "技术合同", &heads)?;
    for n in 0..i64::from(rows) {
        let mut cells = vec![
            Put::text(format!("HT-{n:06}")),
            Put::text(format!("高镍三元正极材料包覆工艺委托开发第 {n} 号")),
            Put::Yuan(Fen(100_000_000 + n)),
        ];
        cells.extend(SHEET.iter().map(|(_, cell)| Put::text(*cell)));
        out.row(&cells)?;
    }
    Ok(out.finish()?)
}

/// Somebody of a university, beside the registrar of its city.
fn a_filer(keshi: &Keshi) -> anyhow::Result<Actor> {
    use OrganizationKind::{Registrar, University};
    let region: Region = "210100".parse()?;
    let made = keshi.db.write_now(|tx| {
        let mut ids = Vec::new();
        for (kind, name) in [(University, "大学（示例）"), (Registrar, "登记处（示例）")]
        {
            let new = NewOrganization {
                name: name.to_owned(),
                kind,
                uscc: accounts::uscc::fictional(kind, &region, 1),
                region_code: region.clone(),
            };
            let state = OrganizationState::Verified;
            ids.push(accounts::create_organization(tx, &new, state)?.id);
        }
        let new = NewAccount {
            email: "filer@bench.keshi.invalid".to_owned(),
            name: "示例".to_owned(),
            password_hash: String::new(),
            lang: Lang::Zh,
            verified: true,
            platform: None,
        };
        let account = accounts::create_account(tx, new)?;
        if let Some(house) = ids.first() {
            accounts::add_member(tx, *house, account, MemberRole::Member)?;
        }
        Ok(account)
    })?;
    let actor = keshi.db.read_now(|conn| accounts::actor_again(conn, made, None))?;
    actor.context("the account that was just made")
}

fn import(config: &Config, rows: u32) -> anyhow::Result<()> {
    let keshi = Keshi::open(config.clone())?;
    let actor = a_filer(&keshi)?;
    let file = workbook(rows)?;
    let size = i64::try_from(file.metadata()?.len())?;
    let bare = file.try_clone()?;
    let id = Id::fresh();
    let key = format!("imports/{id}");
    let sha256 = {
        let (mut copy, mut bytes) = (file.try_clone()?, Vec::new());
        copy.read_to_end(&mut bytes)?;
        hex(&Sha256::digest(&bytes))
    };
    let order = exchange::Order { kind: ImportKind::Contracts, dry_run: true, organization: None };
    let stored = exchange::Stored {
        id,
        name: "合同.xlsx".to_owned(),
        format: TableFormat::Xlsx,
        size,
        sha256,
        key: key.clone(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let started = Instant::now();
    runtime.block_on(keshi.storage.put(&key, file))?;
    keshi.db.write_now(|tx| exchange::begin(tx, &actor, &order, &stored).map(drop))?;
    exchange::work_off(&keshi.db, &keshi.storage)?;
    let checked = started.elapsed().as_secs_f64();
    keshi.db.write_now(|tx| exchange::commit(tx, &actor, id).map(drop))?;
    exchange::work_off(&keshi.db, &keshi.storage)?;
    let whole = started.elapsed().as_secs_f64();
    let view = keshi.db.read_now(|conn| exchange::view(conn, &actor, id))?;
    if view.state != ImportState::Committed {
        bail!("the import is {:?} with {} faults", view.state, view.faults);
    }
    let started = Instant::now();
    let read = bare_rows(bare, &mut DbConn::open(&config.database_url)?)?;
    let bare = started.elapsed().as_secs_f64();
    println!(
        "import of {rows} contracts ({} KB): check {checked:.1} s, commit {:.1} s, together {whole:.1} s; \
         reading the file and writing {read} bare rows: {bare:.1} s; ratio {:.1}; peak memory {} MB",
        size / 1024,
        whole - checked,
        whole / bare,
        peak_memory_mb()?
    );
    Ok(())
}

/// Reads the workbook and copies, for every row of it, one contract, its case and its line of the journal;
/// all in one transaction.
fn bare_rows(file: std::fs::File, conn: &mut DbConn) -> anyhow::Result<u32> {
    for table in ["contracts", "contract_cases", "journal"] {
        let sql = format!("CREATE TABLE bare_{table} AS SELECT * FROM {table} LIMIT 1");
        sql_query(sql).execute(conn)?;
    }
    let mut book = table::Table::open(file, i64::from(u32::MAX))?;
    let mut rows = 0u32;
    Tx::run(conn, |tx| {
        book.rows(|_| {
            rows += 1;
            for table in ["contracts", "contract_cases", "journal"] {
                let sql = format!("INSERT INTO bare_{table} SELECT * FROM bare_{table} LIMIT 1");
                sql_query(sql).execute(&mut **tx)?;
            }
            Ok(std::ops::ControlFlow::Continue(()))
        })
    })?;
    Ok(rows)
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
