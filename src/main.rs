//! The command line: one binary that serves, loads, checks and repairs.
//!
//! Exit status: 0 done, 1 found something wrong, 2 called wrongly.
use std::{
    io::IsTerminal,
    net::TcpListener,
    path::{Path, PathBuf},
    process::ExitCode,
};

use actix_web::{App, HttpServer, web};
use anyhow::{Context, anyhow, bail};
use clap::{Parser, Subcommand};
use keshi::{
    Keshi,
    accounts::{self, NewAccount, credentials::Hasher, rules::password},
    demo, discovery,
    exchange::{self, ImportKind},
    insight,
    kernel::{
        Code, Config, Db, Error, Faults, Id, Lang, MemberRole, OrganizationKind, PlatformRole,
        Region, Secret, db::DbConn, journal, of, secret, telemetry,
    },
    openapi, operations,
    worker::Worker,
};
use keshi_index::{Ranking, fitting::Scope};

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 科市 keshi, a technology market.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Migrate the database and serve.
    Serve {
        /// Leave the schema as it is.
        #[arg(long)]
        no_migrate: bool,
    },
    /// Load the demo market into a fresh data folder, then serve it.
    Demo {
        /// Real text instead of the text that ships: a folder with achievements.jsonl and demands.jsonl.
        #[arg(long, value_name = "FOLDER")]
        from: Option<PathBuf>,
        /// Load and report, but do not serve.
        #[arg(long)]
        load_only: bool,
    },
    /// Bring the database schema up to date.
    Migrate,
    /// Make the index anew from the tables. A running server is asked to do so beside its traffic.
    Reindex,
    /// Recompute the journal's chain, the rolled-up figures and the index.
    Verify,
    /// Copy the SQLite database into FILE while the server runs.
    Backup { file: PathBuf },
    /// Put a backup in the place of a database that is not there.
    Restore { file: PathBuf },
    /// Accounts made without mail.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Load drafts from JSON lines, CSV or xlsx, all of them or none.
    Import {
        /// achievements, demands or contracts
        kind: String,
        file: PathBuf,
        /// The address of the account in whose name they are made.
        #[arg(long = "as", value_name = "EMAIL")]
        email: String,
        /// Only check, and name every faulty cell.
        #[arg(long)]
        dry_run: bool,
        /// Write what became of every row into FILE (.xlsx or .csv).
        #[arg(long, value_name = "FILE")]
        result: Option<PathBuf>,
    },
    /// Matching quality on a test set; with KESHI_SEMANTIC_MODEL, what ranking by meaning gains and costs, too.
    Eval {
        #[arg(long, required_unless_present_any = ["shipped", "diagnosis"])]
        corpus: Option<PathBuf>,
        #[arg(long, required_unless_present_any = ["shipped", "diagnosis"])]
        queries: Option<PathBuf>,
        #[arg(long, required_unless_present_any = ["shipped", "diagnosis"])]
        qrels: Option<PathBuf>,
        /// The set that ships with the program.
        #[arg(long, conflicts_with_all = ["corpus", "queries", "qrels"])]
        shipped: bool,
        /// What each thing that a diagnosis asks for is worth to matching, on the set that ships; JSON.
        #[arg(long, conflicts_with_all = ["corpus", "queries", "qrels", "shipped", "run"])]
        diagnosis: bool,
        /// Write a TREC run file.
        #[arg(long, value_name = "OUT")]
        run: Option<PathBuf>,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Fit the constants of the ranking to a test set, and tell what they gain on queries held out.
    Fit {
        #[arg(long, required_unless_present = "shipped")]
        corpus: Option<PathBuf>,
        #[arg(long, required_unless_present = "shipped")]
        queries: Option<PathBuf>,
        #[arg(long, required_unless_present = "shipped")]
        qrels: Option<PathBuf>,
        /// The set that ships with the program.
        #[arg(long, conflicts_with_all = ["corpus", "queries", "qrels"])]
        shipped: bool,
        /// Parts of the queries that are held out in turn.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=50))]
        folds: u8,
        /// Leave the order as it is and fit the probabilities of its matches alone.
        #[arg(long)]
        probabilities: bool,
        /// Write the constants as a file that KESHI_RANKING can name.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Print the settings in force and where each came from.
    Config,
    /// Measure against a bare limit in the same run.
    Bench {
        #[command(subcommand)]
        bench: demo::bench::Bench,
    },
}

#[derive(Subcommand)]
enum UserCommand {
    /// Create an account; the password comes from KESHI_PASSWORD or is asked for.
    Create {
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        /// operator or auditor
        #[arg(long, requires = "region", conflicts_with = "clerk_of")]
        role: Option<String>,
        /// The region of the role.
        #[arg(long)]
        region: Option<String>,
        /// A registrar's organization id: the account becomes its clerk.
        #[arg(long, required_unless_present = "role")]
        clerk_of: Option<String>,
    },
}

fn main() -> ExitCode {
    telemetry::start_logging();
    let cli = Cli::parse();
    let config = match Config::load() {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(2);
        }
    };
    match run(cli.command, config) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("keshi: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn run(command: Command, config: Config) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve { no_migrate } => {
            if let Err(problems) = config.fit_to_serve() {
                eprintln!("{problems}");
                return Ok(ExitCode::from(2));
            }
            prepare(&config, !no_migrate)?;
            serve(config, None)?;
        }
        Command::Demo { from, load_only } => {
            let config = config_of_demo(config)?;
            prepare(&config, true)?;
            let welcome = demo::load(&config, from.as_deref())?;
            if load_only {
                println!("{welcome}");
            } else {
                serve(config, Some(welcome))?;
            }
        }
        Command::Migrate => {
            make_folder(&config.data_dir)?;
            let ran = DbConn::open(&config.database_url)?.migrate()?;
            println!("{ran} migrations run");
        }
        Command::Reindex => {
            let dir = config.index_dir();
            let keshi = match Keshi::open(config) {
                Err(Error::Internal(cause)) if is_busy(&cause) => {
                    discovery::ask_to_rebuild(&dir)?;
                    println!("the server that holds the index builds another beside it");
                    return Ok(ExitCode::SUCCESS);
                }
                opened => opened?,
            };
            let position = discovery::rebuild(&keshi.db, &keshi.catalogue)?;
            let listings = keshi.catalogue.index().len();
            println!("{listings} listings indexed, up to journal position {position}");
        }
        Command::Verify => return verify(config),
        Command::Backup { file } => backup(&config, &file)?,
        Command::Restore { file } => restore(&config, &file)?,
        Command::User { command } => return create_user(&config, command),
        Command::Import { kind, file, email, dry_run, result } => {
            let Some(kind) = ImportKind::from_slug(&kind) else {
                eprintln!("keshi import takes achievements, demands or contracts, not {kind:?}");
                return Ok(ExitCode::from(2));
            };
            let db = Db::open(&config.database_url)?;
            let options = exchange::command::Options { dry_run, result: result.as_deref() };
            let drafts = exchange::command::run(&db, kind, &file, &email, &options)?;
            println!("{drafts} drafts {}", if dry_run { "are fit to be loaded" } else { "loaded" });
        }
        Command::Eval { diagnosis: true, .. } => {
            keshi::use_ranking(&config)?;
            println!("{}", serde_json::to_string_pretty(&demo::ablation::gains()?)?);
        }
        Command::Eval { corpus, queries, qrels, shipped, run, json, diagnosis: false } => {
            keshi::use_ranking(&config)?;
            // apart from a server's, so that both may run
            let vectors = config.data_dir.join("eval");
            if config.semantic_model.is_some() {
                make_folder(&vectors)?;
            }
            let meaning = keshi::meaning(&config, &vectors)?;
            let (run, meaning) = (run.as_deref(), meaning.as_ref());
            let given = [corpus, queries, qrels].map(Option::unwrap_or_default);
            let report = if shipped {
                demo::shipped_quality(run, meaning)?
            } else {
                let [corpus, queries, qrels] = &given;
                keshi_index::evaluation::evaluate(corpus, queries, qrels, run, meaning)?
            };
            if json {
                println!("{}", serde_json::to_string_pretty(&report)?);
            } else {
                println!("{report}");
            }
        }
        Command::Fit { corpus, queries, qrels, shipped, folds, probabilities, out, json } => {
            let scope = if probabilities { Scope::Probabilities } else { Scope::All };
            let from = match &config.ranking {
                Some(file) => Ranking::read(file)?,
                None => Ranking::shipped()?,
            };
            let given = [corpus, queries, qrels].map(Option::unwrap_or_default);
            let fit = |[corpus, queries, qrels]: &[PathBuf; 3]| {
                Ok(keshi_index::fitting::fit(corpus, queries, qrels, folds.into(), scope, &from)?)
            };
            let found = if shipped { demo::with_shipped_set(fit)? } else { fit(&given)? };
            if json {
                println!("{}", serde_json::to_string_pretty(&found)?);
            } else {
                println!("{found}");
            }
            if let Some(out) = out {
                std::fs::write(&out, found.ranking.to_toml()?)
                    .with_context(|| format!("writing {}", out.display()))?;
            }
        }
        Command::Openapi => println!("{}", openapi::document().to_pretty_json()?),
        Command::Config => print!("{}", config.show()),
        Command::Bench { bench } => demo::bench::run(bench)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the cause is that another process has the index open.
fn is_busy(cause: &anyhow::Error) -> bool {
    cause
        .chain()
        .filter_map(|cause| cause.downcast_ref())
        .any(|cause| matches!(cause, keshi_index::Error::Busy(_)))
}

fn make_folder(dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir)
        .with_context(|| format!("making the data folder {}", dir.display()))
}

fn prepare(config: &Config, migrate: bool) -> anyhow::Result<()> {
    make_folder(&config.data_dir)?;
    if migrate {
        let ran = DbConn::open(&config.database_url).context("opening the database")?.migrate()?;
        if ran > 0 {
            tracing::info!(ran, "database schema brought up to date");
        }
    }
    Ok(())
}

/// The demo needs no setting: its secret is made once and kept in its folder.
fn config_of_demo(config: Config) -> anyhow::Result<Config> {
    make_folder(&config.data_dir)?;
    let path = config.data_dir.join("jwt_secret");
    if !config.jwt_secret.expose().is_empty() {
        return Ok(config.with_demo_defaults());
    }
    let secret = match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().to_owned(),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            let fresh = secret::token()?;
            demo::write_private(&path, &fresh)?;
            fresh
        }
        Err(cause) => return Err(cause).with_context(|| format!("reading {}", path.display())),
    };
    Ok(config.with_secret(Secret::new(secret)).with_demo_defaults())
}

fn serve(config: Config, welcome: Option<String>) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.listen)
        .with_context(|| format!("listening on {}", config.listen))?;
    let address = listener.local_addr()?;
    let config = config.listening_on(address);
    let metrics = config.metrics_listen;
    // the first line is read by scripts
    println!("listening on http://{address}");
    if let Some(welcome) = welcome {
        println!("{welcome}");
        println!("接口 http://{address}/api/v1 · 文档 http://{address}/docs/");
    }
    let keshi = Keshi::open(config)?;
    let worker = Worker::start(&keshi)?;
    let served = actix_web::rt::System::new().block_on(async move {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let server = HttpServer::new(move || keshi::app(&keshi))
            .workers(cores)
            .worker_max_blocking_threads(4)
            .shutdown_timeout(20)
            .listen(listener)?
            .run();
        let Some(at) = metrics else { return server.await };
        let pages = HttpServer::new(|| {
            App::new().route("/metrics", web::get().to(|| async { operations::answer_metrics() }))
        })
        .workers(1)
        .bind(at)?
        .run();
        futures_util::future::try_join(server, pages).await.map(|_| ())
    });
    worker.stop();
    served.context("serving")
}

fn verify(config: Config) -> anyhow::Result<ExitCode> {
    let keshi = Keshi::open(config)?;
    let mut wrong = false;
    let mut told = |what: &str, found: Result<String, String>| match found {
        Ok(fine) => println!("{what}: {fine}"),
        Err(difference) => {
            wrong = true;
            println!("{what}: WRONG, {difference}");
        }
    };
    let chain = keshi.db.read_now(journal::verify)?;
    told("journal", chain.map(|events| format!("{events} events, chain intact")));
    // of one state: a server may be counting meanwhile
    let cells = keshi.db.read_snapshot_now(insight::verify)?;
    told(
        "figures",
        cells.map(|n| format!("{n} registered contracts, every cell equal to the recount")),
    );
    let listings = discovery::verify(&keshi.db, &keshi.catalogue)?;
    told("index", listings.map(|n| format!("{n} listings, all as in the tables")));
    Ok(if wrong { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn sqlite_file(config: &Config) -> anyhow::Result<PathBuf> {
    match config.database_url.strip_prefix("sqlite:") {
        Some(path) => Ok(PathBuf::from(path.strip_prefix("//").unwrap_or(path))),
        None => bail!(
            "this is for the embedded database; a PostgreSQL server is backed up with pg_dump or its own tools"
        ),
    }
}

fn backup(config: &Config, file: &Path) -> anyhow::Result<()> {
    sqlite_file(config)?;
    if file.exists() {
        bail!("{} is there already; name a new file", file.display());
    }
    DbConn::open(&config.database_url)?.copy_to(file)?;
    println!("the database stands in {}; the index is not in it: it is made anew", file.display());
    Ok(())
}

fn restore(config: &Config, file: &Path) -> anyhow::Result<()> {
    let target = sqlite_file(config)?;
    if target.exists() {
        bail!(
            "{} is there; move it away first, so that no market is lost by mistake",
            target.display()
        );
    }
    if !file.is_file() {
        bail!("there is no file {}", file.display());
    }
    make_folder(&config.data_dir)?;
    let mut source = DbConn::open(&format!("sqlite:{}", file.display()))?;
    match journal::verify(&mut source)? {
        Ok(events) => println!("the backup's journal is intact: {events} events"),
        Err(difference) => bail!("the backup is not sound: {difference}"),
    }
    source.copy_to(&target)?;
    // an index of another database must not outlive it
    let index = config.index_dir();
    if index.exists() {
        std::fs::remove_dir_all(&index).with_context(|| format!("removing {}", index.display()))?;
    }
    println!("restored to {}", target.display());
    Ok(())
}

fn create_user(config: &Config, command: UserCommand) -> anyhow::Result<ExitCode> {
    let UserCommand::Create { email, name, role, region, clerk_of } = command;
    prepare(config, true)?;
    let password = match std::env::var("KESHI_PASSWORD") {
        Ok(password) => password,
        Err(_) if std::io::stdin().is_terminal() => rpassword::prompt_password("password: ")?,
        Err(_) => bail!("set KESHI_PASSWORD, or call from a terminal to be asked for the password"),
    };
    let platform = role
        .map(|role| {
            let role = PlatformRole::from_slug(&role)
                .ok_or_else(|| anyhow!("--role takes operator or auditor, not {role:?}"))?;
            let region: Region = region.unwrap_or_default().parse()?;
            Ok::<_, anyhow::Error>((role, region))
        })
        .transpose()?;
    let clerk_of: Option<Id<of::Organization>> = clerk_of
        .map(|id| id.parse().map_err(|_| anyhow!("--clerk-of takes the id of a registrar")))
        .transpose()?;
    let db = Db::open(&config.database_url)?;
    let made = (|| {
        let mut faults = Faults::default();
        faults.keep(password::check("KESHI_PASSWORD", &password, &email, &name));
        let registrar = match clerk_of {
            Some(id) => db.read_now(|conn| accounts::organization(conn, id))?,
            None => None,
        };
        let fits = registrar.as_ref().is_some_and(|o| o.kind == OrganizationKind::Registrar);
        faults.check(
            clerk_of.is_none() || fits,
            "--clerk-of",
            "not_a_registrar",
            "没有这个登记机构。",
        );
        faults.finish()?;
        let password_hash = Hasher::strong()?.hash(&password)?;
        db.write_now(|tx| {
            let lang = Lang::Zh;
            let new = NewAccount { email, name, password_hash, lang, verified: true, platform };
            let account = accounts::create_account(tx, new)?;
            if let Some(registrar) = clerk_of {
                accounts::add_member(tx, registrar, account, MemberRole::Member)?;
            }
            Ok(account)
        })
    })();
    match made {
        Ok(id) => {
            println!("{id}");
            Ok(ExitCode::SUCCESS)
        }
        Err(Error::Invalid(faults)) => {
            for fault in faults {
                eprintln!("{}: {}", fault.pointer, fault.detail);
            }
            Ok(ExitCode::from(2))
        }
        Err(other) => Err(other.into()),
    }
}
