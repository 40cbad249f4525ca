//! PostgreSQL for tests: a server that is named, or a private throw-away cluster from the server
//! programs of this machine, also when the tests run as root.
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Set for the second run of the test program, which works on this server.
pub const SERVER: &str = "KESHI_TEST_POSTGRES";

/// A server to make databases on. Dropping a private cluster stops it and removes its folder.
pub struct Cluster {
    pub url: String,
    private: Option<(PathBuf, tempfile::TempDir)>,
}

impl Cluster {
    /// The server of `TEST_DATABASE_URL`, or a private one; `None` when neither is to be had.
    pub fn find() -> Option<Self> {
        if let Ok(url) = env::var("TEST_DATABASE_URL") {
            return Some(Self { url, private: None });
        }
        let programs = server_programs()?;
        let dir = tempfile::Builder::new().prefix("keshi-pg").tempdir().unwrap();
        if is_root() {
            let id = |flag: &str| said("id", &[flag, "postgres"]).parse().unwrap();
            std::os::unix::fs::chown(dir.path(), Some(id("-u")), Some(id("-g"))).unwrap();
        }
        let (at, data) =
            (dir.path().display().to_string(), dir.path().join("data").display().to_string());
        let encoding = ["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C"];
        run(&programs.join("initdb"), &[&["-D", &data], &encoding[..]].concat());
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{at}' -c fsync=off -c full_page_writes=off \
             -c max_connections=400"
        );
        let log = format!("{at}/log");
        run(&programs.join("pg_ctl"), &["-D", &data, "-w", "-l", &log, "-o", &options, "start"]);
        let url = format!("postgres:///postgres?host={at}&user=postgres");
        Some(Self { url, private: Some((programs, dir)) })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some((programs, dir)) = &self.private {
            let data = dir.path().join("data").display().to_string();
            run(&programs.join("pg_ctl"), &["-D", &data, "-m", "immediate", "stop"]);
        }
    }
}

fn server_programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .chain(env::split_paths(&env::var_os("PATH").unwrap_or_default()))
        .filter(|bin| bin.join("initdb").exists() && bin.join("pg_ctl").exists())
        .collect();
    found.sort();
    found.pop()
}

fn is_root() -> bool {
    said("id", &["-u"]) == "0"
}

fn said(program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// Runs a server program, as user `postgres` where we are root: they refuse to run as root.
fn run(program: &Path, args: &[&str]) {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    // the server inherits what it is started with: a pipe would keep its reader waiting for ever
    let quiet = command.args(args).current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
    let status = quiet.stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "{} failed", program.display());
}

/// The same server, another database.
pub fn database(url: &str, name: &str) -> String {
    let (base, query) =
        url.split_once('?').map_or((url, String::new()), |(b, q)| (b, format!("?{q}")));
    let (server, _) = base.rsplit_once('/').unwrap();
    format!("{server}/{name}{query}")
}
