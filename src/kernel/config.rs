//! Settings: read once, from the environment, then `keshi.toml`, then defaults; every problem is
//! reported together.
use std::{
    collections::BTreeMap,
    fmt::Write,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use super::{Day, Fen, Secret};

/// Every setting: its key, its default and what it means.
const KEYS: &[(&str, &str, &str)] = &[
    ("DATABASE_URL", "", "`sqlite:PATH` or `postgres://…`; default: `keshi.db` in the data folder"),
    ("KESHI_DATA_DIR", "data", "SQLite file, index, documents"),
    ("KESHI_LISTEN", "127.0.0.1:8080", "address and port; port 0 takes a free one"),
    (
        "KESHI_METRICS_LISTEN",
        "",
        "a second listener for /metrics; without it metrics are served to loopback only",
    ),
    ("KESHI_JWT_SECRET", "", "at least 32 bytes; signs tokens"),
    (
        "KESHI_SMTP_URL",
        "",
        "`smtp://`, `smtps://` or `file:FOLDER`; default: `file:` in the data folder",
    ),
    ("KESHI_MAIL_FROM", "科市 <noreply@keshi.invalid>", "the sender of mails"),
    ("KESHI_PUBLIC_URL", "", "the base of links in mails; default: the listen address"),
    (
        "KESHI_LISTING_REVIEW",
        "always",
        "`always`, or `trusted`: listings of verified organizations are published at once",
    ),
    (
        "KESHI_RULES_DIR",
        "",
        "a folder whose rule_sets.toml, calendar.toml and cue_words.toml replace the shipped ones",
    ),
    ("KESHI_RANKING", "", "a file whose constants of the ranking replace the shipped ones"),
    (
        "KESHI_SEMANTIC_MODEL",
        "",
        "a model that ranks the best 20 matches once more by meaning: a file, or a folder with e5-small-q4.bin; needs a build with `--features semantic`",
    ),
    (
        "KESHI_EXPOSURE",
        "off",
        "`off`, or percent (1 to 50): a listing that matches showed oftener than others can lose so much of its score",
    ),
    ("KESHI_REQUEST_DAYS", "14", "days to answer a match request"),
    ("KESHI_BROKER_DAYS", "7", "days to agree to a broker in a deal"),
    ("KESHI_INTENT_DAYS", "14", "days to confirm an intent"),
    (
        "KESHI_COMMISSION_CAPS",
        "",
        "caps on brokers' commissions with the day from which they hold: `2026-01-01 bp=150 fen=10000000; …`",
    ),
    (
        "KESHI_STORAGE_URL",
        "",
        "where documents are kept: `file:FOLDER` or `s3://BUCKET/PREFIX`; default: `documents` in the data folder",
    ),
    ("KESHI_STORAGE_ENDPOINT", "", "the address of an S3-compatible store that is not Amazon's"),
    ("KESHI_STORAGE_REGION", "us-east-1", "the region of the S3 store"),
    ("KESHI_STORAGE_ACCESS_KEY", "", "the key id for the S3 store"),
    ("KESHI_STORAGE_SECRET_KEY", "", "the secret key for the S3 store"),
    ("KESHI_DOCUMENT_LIMIT", "52428800", "the largest document, in bytes"),
    ("KESHI_REQUIRE_TOTP", "true", "operators and registration clerks need a second factor"),
    ("KESHI_RATE_LIMIT", "on", "`on` or `off`"),
    ("KESHI_WEBHOOK_ALLOW_PRIVATE", "false", "webhook targets on loopback and private networks"),
    (
        "KESHI_TRUSTED_PROXIES",
        "",
        "networks whose X-Forwarded-For is believed, such as `10.0.0.0/8, ::1`",
    ),
];

const MIN_SECRET_BYTES: usize = 32;

/// What a broker may be paid at most, from a day on. What is `None` has no cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommissionCap {
    pub from: Day,
    pub rate_bp: Option<i64>,
    pub amount_fen: Option<Fen>,
}

/// Where documents are kept.
#[derive(Clone)]
pub struct StorageSettings {
    /// `file:FOLDER` or `s3://BUCKET/PREFIX`.
    pub url: String,
    pub endpoint: String,
    pub region: String,
    pub access_key: String,
    pub secret_key: Secret,
}

/// No `Debug`: it knows where every secret came from.
#[derive(Clone)]
pub struct Config {
    pub database_url: String,
    pub data_dir: PathBuf,
    pub listen: SocketAddr,
    pub metrics_listen: Option<SocketAddr>,
    /// Empty until a server is started: commands that serve nothing need none.
    pub jwt_secret: Secret,
    pub smtp_url: String,
    pub mail_from: String,
    /// Without a slash at its end.
    pub public_url: String,
    /// Listings of verified organizations need no review.
    pub trusted_listings: bool,
    /// The operator's file with the constants of the ranking; none: the shipped one.
    pub ranking: Option<PathBuf>,
    /// The operator's sentence-embedding model; none: matches are ranked by wording alone.
    pub semantic_model: Option<PathBuf>,
    /// Where the operator's rules of registration are; none: the shipped ones.
    pub rules_dir: Option<PathBuf>,
    /// The share of its score that a listing shown often can lose; 0: answers are not evened out.
    pub exposure: f64,
    /// Days that a match request, a broker's proposal and an intent wait for an answer.
    pub request_days: i64,
    pub broker_days: i64,
    pub intent_days: i64,
    pub commission_caps: Vec<CommissionCap>,
    pub storage: StorageSettings,
    /// The largest document, in bytes.
    pub document_limit: i64,
    pub require_totp: bool,
    pub rate_limit: bool,
    pub webhook_allow_private: bool,
    trusted_proxies: Vec<(IpAddr, u8)>,
    sources: BTreeMap<&'static str, (String, &'static str)>,
}

impl Config {
    /// Reads the process environment and `keshi.toml` in the working folder.
    pub fn load() -> Result<Self, String> {
        let file = match std::fs::read_to_string("keshi.toml") {
            Ok(text) => text,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(cause) => return Err(format!("keshi.toml cannot be read: {cause}")),
        };
        Self::read(&file, |key| std::env::var(key).ok())
    }

    /// Reads the text of a `keshi.toml` and an environment; names every problem in the error.
    pub fn read(file: &str, env: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut problems = Vec::new();
        let table: toml::Table = file.parse().unwrap_or_else(|e| {
            problems.push(format!("keshi.toml: {e}"));
            toml::Table::new()
        });
        for key in table.keys().filter(|k| !KEYS.iter().any(|(known, ..)| known == k)) {
            problems.push(format!("keshi.toml: there is no setting {key:?}"));
        }
        let sources: BTreeMap<_, _> = KEYS
            .iter()
            .map(|(key, default, _)| {
                let found = match (env(key), table.get(*key)) {
                    (Some(value), _) => (value, "environment"),
                    (None, Some(toml::Value::String(value))) => (value.clone(), "keshi.toml"),
                    (None, Some(value)) => (value.to_string(), "keshi.toml"),
                    (None, None) => ((*default).to_owned(), "default"),
                };
                (*key, found)
            })
            .collect();
        let text = |key: &str| {
            sources.get(key).map(|(value, _)| value.trim().to_owned()).unwrap_or_default()
        };
        let mut flag = |key: &str, yes: &str, no: &str| match text(key) {
            value if value == yes => true,
            value if value == no => false,
            value => {
                problems.push(format!("{key} is {value:?}; it takes {yes:?} or {no:?}"));
                false
            }
        };
        let require_totp = flag("KESHI_REQUIRE_TOTP", "true", "false");
        let rate_limit = flag("KESHI_RATE_LIMIT", "on", "off");
        let webhook_allow_private = flag("KESHI_WEBHOOK_ALLOW_PRIVATE", "true", "false");
        let trusted_listings = flag("KESHI_LISTING_REVIEW", "trusted", "always");
        let exposure = match text("KESHI_EXPOSURE").as_str() {
            "off" => 0.0,
            share => match share.parse::<u8>() {
                Ok(percent @ 1..=50) => f64::from(percent) / 100.0,
                _ => {
                    problems.push(format!(
                        "KESHI_EXPOSURE is {share:?}; it takes \"off\" or a percentage from 1 to 50"
                    ));
                    0.0
                }
            },
        };
        let mut address = |key: &str| match text(key).parse::<SocketAddr>() {
            Ok(at) => Some(at),
            Err(_) if text(key).is_empty() => None,
            Err(_) => {
                problems.push(format!(
                    "{key} is {:?}; it takes an address and a port such as 127.0.0.1:8080",
                    text(key)
                ));
                None
            }
        };
        let listen = address("KESHI_LISTEN").unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
        let metrics_listen = address("KESHI_METRICS_LISTEN");
        let trusted_proxies = text("KESHI_TRUSTED_PROXIES")
            .split(',')
            .map(str::trim)
            .filter(|net| !net.is_empty())
            .filter_map(|net| {
                network(net).or_else(|| {
                    problems.push(format!(
                        "KESHI_TRUSTED_PROXIES: {net:?} is no network such as 10.0.0.0/8"
                    ));
                    None
                })
            })
            .collect();
        let mut number = |key: &str, least: i64, most: i64| match text(key).parse::<i64>() {
            Ok(n) if (least..=most).contains(&n) => n,
            _ => {
                problems.push(format!(
                    "{key} is {:?}; it takes a number from {least} to {most}",
                    text(key)
                ));
                least
            }
        };
        let request_days = number("KESHI_REQUEST_DAYS", 1, 365);
        let broker_days = number("KESHI_BROKER_DAYS", 1, 365);
        let intent_days = number("KESHI_INTENT_DAYS", 1, 365);
        let document_limit = number("KESHI_DOCUMENT_LIMIT", 1, 1 << 34);
        let commission_caps = text("KESHI_COMMISSION_CAPS")
            .split(';')
            .map(str::trim)
            .filter(|cap| !cap.is_empty())
            .filter_map(|cap| {
                commission_cap(cap).or_else(|| {
                    problems.push(format!(
                        "KESHI_COMMISSION_CAPS: {cap:?} is no cap such as `2026-01-01 bp=150 fen=10000000`"
                    ));
                    None
                })
            })
            .collect();
        let secret = text("KESHI_JWT_SECRET");
        if !secret.is_empty() && secret.len() < MIN_SECRET_BYTES {
            problems.push(format!(
                "KESHI_JWT_SECRET has {} bytes; it needs at least {MIN_SECRET_BYTES}",
                secret.len()
            ));
        }
        let data_dir = PathBuf::from(text("KESHI_DATA_DIR"));
        let database_url = match text("DATABASE_URL") {
            url if url.is_empty() => format!("sqlite:{}", data_dir.join("keshi.db").display()),
            url => url,
        };
        if !["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| database_url.starts_with(scheme))
        {
            problems.push("DATABASE_URL takes sqlite:PATH or postgres://…".into());
        }
        let smtp_url = match text("KESHI_SMTP_URL") {
            url if url.is_empty() => format!("file:{}", data_dir.join("mail").display()),
            url => url,
        };
        if !["smtp://", "smtps://", "file:"].iter().any(|scheme| smtp_url.starts_with(scheme)) {
            problems.push("KESHI_SMTP_URL takes smtp://…, smtps://… or file:FOLDER".into());
        }
        let storage = StorageSettings {
            url: match text("KESHI_STORAGE_URL") {
                url if url.is_empty() => format!("file:{}", data_dir.join("documents").display()),
                url => url,
            },
            endpoint: text("KESHI_STORAGE_ENDPOINT"),
            region: text("KESHI_STORAGE_REGION"),
            access_key: text("KESHI_STORAGE_ACCESS_KEY"),
            secret_key: Secret::new(text("KESHI_STORAGE_SECRET_KEY")),
        };
        if !["file:", "s3://"].iter().any(|scheme| storage.url.starts_with(scheme)) {
            problems.push("KESHI_STORAGE_URL takes file:FOLDER or s3://BUCKET/PREFIX".into());
        }
        if storage.url.starts_with("s3://") && storage.access_key.is_empty() {
            problems.push("KESHI_STORAGE_URL names an S3 store: set KESHI_STORAGE_ACCESS_KEY and KESHI_STORAGE_SECRET_KEY".into());
        }
        let public_url = match text("KESHI_PUBLIC_URL") {
            url if url.is_empty() => format!("http://{listen}"),
            url => url.trim_end_matches('/').to_owned(),
        };
        if !problems.is_empty() {
            return Err(problems.join("\n"));
        }
        Ok(Self {
            database_url,
            data_dir,
            listen,
            metrics_listen,
            jwt_secret: Secret::new(secret),
            smtp_url,
            mail_from: text("KESHI_MAIL_FROM"),
            public_url,
            trusted_listings,
            ranking: Some(text("KESHI_RANKING")).filter(|f| !f.is_empty()).map(PathBuf::from),
            semantic_model: Some(text("KESHI_SEMANTIC_MODEL"))
                .filter(|f| !f.is_empty())
                .map(PathBuf::from),
            rules_dir: Some(text("KESHI_RULES_DIR")).filter(|d| !d.is_empty()).map(PathBuf::from),
            exposure,
            request_days,
            broker_days,
            intent_days,
            commission_caps,
            storage,
            document_limit,
            require_totp,
            rate_limit,
            webhook_allow_private,
            trusted_proxies,
            sources,
        })
    }

    /// Refuses a configuration that a server must not start with.
    pub fn fit_to_serve(&self) -> Result<(), String> {
        let mut problems = Vec::new();
        if self.jwt_secret.expose().is_empty() {
            problems.push(
                "KESHI_JWT_SECRET is not set. It signs the access tokens: set it to at least 32 random bytes, \
                 for example the output of `openssl rand -base64 48`, the same on every node.",
            );
        }
        if !cfg!(feature = "pg-tls") && is_remote_postgres(&self.database_url) {
            problems.push(
                "DATABASE_URL names a PostgreSQL server on another machine, and this binary was built without TLS: \
                 build it with `--features pg-tls`.",
            );
        }
        if !cfg!(feature = "semantic") && self.semantic_model.is_some() {
            problems.push(
                "KESHI_SEMANTIC_MODEL names a model, and this binary was built without the reader of models: \
                 build it with `--features semantic`, or leave the setting out.",
            );
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
    }

    /// The demo asks no second factor, unless the operator of it does.
    pub fn with_demo_defaults(self) -> Self {
        let chosen =
            self.sources.get("KESHI_REQUIRE_TOTP").is_some_and(|(_, from)| *from != "default");
        Self { require_totp: self.require_totp && chosen, ..self }
    }

    /// The same with a secret made for it.
    pub fn with_secret(self, jwt_secret: Secret) -> Self {
        Self { jwt_secret, ..self }
    }

    /// The same, once the port is known: links in mails lead there unless a public address is set.
    pub fn listening_on(self, address: SocketAddr) -> Self {
        let chosen =
            self.sources.get("KESHI_PUBLIC_URL").is_some_and(|(value, _)| !value.is_empty());
        let public_url = if chosen { self.public_url } else { format!("http://{address}") };
        Self { listen: address, public_url, ..self }
    }

    pub fn trusts_proxy(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|(net, bits)| in_network(address, *net, *bits))
    }

    pub fn index_dir(&self) -> PathBuf {
        self.data_dir.join("index")
    }

    /// What is in force and where each value came from, secrets masked.
    pub fn show(&self) -> String {
        KEYS.iter().fold(String::new(), |mut out, (key, _, meaning)| {
            let (value, source) = self.sources.get(key).map_or(("", ""), |(v, s)| (v.as_str(), *s));
            let shown = match *key {
                "KESHI_JWT_SECRET" | "KESHI_STORAGE_SECRET_KEY" if !value.is_empty() => {
                    "***".to_owned()
                }
                "KESHI_STORAGE_URL" => self.storage.url.clone(),
                "DATABASE_URL" => masked(&self.database_url),
                "KESHI_SMTP_URL" => masked(&self.smtp_url),
                "KESHI_PUBLIC_URL" => self.public_url.clone(),
                _ => value.to_owned(),
            };
            // writing to a String cannot fail
            let _ = writeln!(out, "{key} = {shown:?}  # {source}; {meaning}");
            out
        })
    }

    /// A configuration for `dir` alone, with a secret of its own: for tests and benchmarks.
    pub fn for_folder(dir: &Path, secret: &str) -> Result<Self, String> {
        let dir = dir.display().to_string();
        Self::read("", |key| match key {
            "KESHI_DATA_DIR" => Some(dir.clone()),
            "KESHI_JWT_SECRET" => Some(secret.to_owned()),
            "KESHI_LISTEN" => Some("127.0.0.1:0".into()),
            _ => None,
        })
    }
}

/// The URL without its password.
fn masked(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, rest)), Some((_, host))) if rest.contains('@') => {
            let user = rest.split([':', '@']).next().unwrap_or_default();
            format!("{scheme}://{user}:***@{host}")
        }
        _ => url.to_owned(),
    }
}

fn is_remote_postgres(url: &str) -> bool {
    let Some((_, rest)) =
        url.split_once("://").filter(|(scheme, _)| scheme.starts_with("postgres"))
    else {
        return false;
    };
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = host.split(['/', '?']).next().unwrap_or_default();
    let local = ["localhost", "127.0.0.1", "[::1]", "%2f"];
    !host.is_empty()
        && !url.contains("host=/")
        && !local.iter().any(|l| host.to_lowercase().starts_with(l))
}

/// `2026-01-01 bp=150 fen=10000000`, where one of the two may be missing.
fn commission_cap(text: &str) -> Option<CommissionCap> {
    let mut words = text.split_whitespace();
    let from = words.next()?.parse().ok()?;
    let (mut rate_bp, mut amount_fen) = (None, None);
    for word in words {
        match word.split_once('=')? {
            ("bp", n) => rate_bp = Some(n.parse().ok().filter(|bp| (1..=10_000).contains(bp))?),
            ("fen", n) => amount_fen = Some(n.parse().ok().filter(|fen| *fen > 0).map(Fen)?),
            _ => return None,
        }
    }
    (rate_bp.is_some() || amount_fen.is_some()).then_some(CommissionCap {
        from,
        rate_bp,
        amount_fen,
    })
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |b| b.parse().ok()).filter(|b| *b <= most)?;
    Some((address, bits))
}

fn in_network(address: IpAddr, net: IpAddr, bits: u8) -> bool {
    match (address, net) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            bits == 0 || (a.to_bits() ^ n.to_bits()) >> (32 - u32::from(bits)) == 0
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            bits == 0 || (a.to_bits() ^ n.to_bits()) >> (128 - u32::from(bits)) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_told_at_once() {
        let told = Config::read("KESHI_LISTN = 1\nKESHI_RATE_LIMIT = 'maybe'", |key| match key {
            "KESHI_LISTEN" => Some("here".into()),
            "KESHI_JWT_SECRET" => Some("short".into()),
            _ => None,
        })
        .err()
        .unwrap();
        for part in ["KESHI_LISTN", "KESHI_RATE_LIMIT", "KESHI_LISTEN", "has 5 bytes"] {
            assert!(told.contains(part), "{told}");
        }
    }

    #[test]
    fn caps_hold_from_a_day() {
        let read =
            |text: &str| Config::read("", |k| (k == "KESHI_COMMISSION_CAPS").then(|| text.into()));
        let caps = read("2026-01-01 bp=150; 2027-01-01 fen=10000000 bp=300").ok().unwrap();
        assert_eq!(caps.commission_caps.len(), 2);
        assert_eq!(caps.commission_caps[1].amount_fen, Some(Fen(10_000_000)));
        for wrong in
            ["2026-13-01 bp=1", "2026-01-01", "2026-01-01 bp=10001", "2026-01-01 fen=0", "bp=1"]
        {
            assert!(read(wrong).err().unwrap().contains("KESHI_COMMISSION_CAPS"), "{wrong}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let config = Config::read("", |key| match key {
            "KESHI_JWT_SECRET" => Some("a-very-secret-value-of-many-bytes!".into()),
            "DATABASE_URL" => Some("postgres://keshi:pass@word@127.0.0.1/keshi".into()),
            "KESHI_SMTP_URL" => Some("smtp://user:hunter2@mail.example".into()),
            _ => None,
        })
        .unwrap();
        let shown = format!("{}{:?}", config.show(), config.jwt_secret);
        for secret in ["a-very", "pass@word", "hunter2"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("postgres://keshi:***@127.0.0.1/keshi"), "{shown}");
    }

    #[test]
    fn serving_needs_a_secret() {
        let bare = Config::read("", |_| None).unwrap();
        assert!(bare.fit_to_serve().unwrap_err().contains("KESHI_JWT_SECRET"));
        let with_model = Config::read("", |k| (k == "KESHI_SEMANTIC_MODEL").then(|| "e5".into()));
        let told = with_model.unwrap().fit_to_serve().unwrap_err();
        assert_eq!(told.contains("--features semantic"), !cfg!(feature = "semantic"), "{told}");
        assert!(is_remote_postgres("postgres://u:p@db.example/keshi"));
        assert!(!is_remote_postgres("postgres://u:p@127.0.0.1:5432/keshi"));
    }

    #[test]
    fn proxies_are_trusted_by_network() {
        let config =
            Config::read("", |k| (k == "KESHI_TRUSTED_PROXIES").then(|| "10.0.0.0/8, ::1".into()))
                .unwrap();
        assert!(
            config.trusts_proxy([10, 9, 8, 7].into()) && !config.trusts_proxy([11, 0, 0, 1].into())
        );
        assert!(config.trusts_proxy("::1".parse().unwrap()));
    }
}
