//! Promises about the structure of the source: who may import whom, where SQL stands, what is pure.
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Every room and what it may use beside itself, the tables and the two macros.
const ROOMS: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("markets", &["kernel"]),
    ("accounts", &["kernel", "markets"]),
    ("achievements", &["kernel", "markets", "accounts"]),
    ("demands", &["kernel", "markets", "accounts"]),
    ("discovery", &["kernel", "markets", "accounts", "achievements", "demands"]),
    ("deals", &["kernel", "markets", "accounts", "achievements", "demands", "discovery"]),
    (
        "contracts",
        &["kernel", "markets", "accounts", "achievements", "demands", "discovery", "deals"],
    ),
    (
        "brokerage",
        &[
            "kernel",
            "markets",
            "accounts",
            "achievements",
            "demands",
            "discovery",
            "deals",
            "contracts",
        ],
    ),
    (
        "exchange",
        &[
            "kernel",
            "markets",
            "accounts",
            "achievements",
            "demands",
            "discovery",
            "deals",
            "contracts",
        ],
    ),
    ("insight", BELOW_THE_TOP),
    ("notices", BELOW_THE_TOP),
    (
        "console",
        &[
            "kernel",
            "markets",
            "accounts",
            "achievements",
            "demands",
            "discovery",
            "deals",
            "contracts",
            "brokerage",
            "exchange",
            "insight",
            "notices",
        ],
    ),
];
const BELOW_THE_TOP: &[&str] = &[
    "kernel",
    "markets",
    "accounts",
    "achievements",
    "demands",
    "discovery",
    "deals",
    "contracts",
    "brokerage",
];
const EVERYWHERE: &[&str] = &["codes", "each_db", "schema"];

/// A source file: where it is below `src/`, all of it, and the part that is compiled into the service,
/// without comments.
struct Source {
    at: String,
    text: String,
    code: String,
}

impl Source {
    fn room(&self) -> &str {
        self.at.split('/').next().unwrap().trim_end_matches(".rs")
    }
    fn file(&self) -> &str {
        self.at.rsplit('/').next().unwrap()
    }
    fn is_store(&self) -> bool {
        self.at.ends_with("/store.rs") || self.at.contains("/store/")
    }
    fn is_model(&self) -> bool {
        self.at.ends_with("/model.rs") || self.at.contains("/model/")
    }
    fn is_rules(&self) -> bool {
        self.at.ends_with("/rules.rs") || self.at.contains("/rules/")
    }
    /// Tests set the stage with rows of every room.
    fn is_test(&self) -> bool {
        self.file() == "tests.rs"
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn sources(dir: &str) -> Vec<Source> {
    let dir = root().join(dir);
    let mut files = Vec::new();
    rust_files(&dir, &mut files);
    files.sort();
    let read = |path: &PathBuf| {
        let at = path.strip_prefix(&dir).unwrap().display().to_string();
        let text = fs::read_to_string(path).unwrap();
        let code = compiled(&text);
        Source { at, text, code }
    };
    files.iter().map(read).collect()
}

/// `text` without the module of tests at its end and without comments.
fn compiled(text: &str) -> String {
    let end =
        ["\n#[cfg(test)]\nmod ", "\n#[cfg(test)]\npub mod ", "\n#[cfg(test)]\npub(crate) mod "]
            .iter()
            .filter_map(|m| text.find(m))
            .min()
            .unwrap_or(text.len());
    without_comments(&text[..end])
}

fn without_comments(text: &str) -> String {
    let line = |l: &str| l.split("//").next().unwrap_or_default().to_owned() + "\n";
    text.lines().map(line).collect()
}

/// Every path that begins with `crate::`, lists taken apart: `crate::{a, b::{c, d}}` is `a`, `b::c`, `b::d`.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        tree("", &code[at + "crate::".len()..], &mut found);
    }
    found
}

/// Reads one use tree at the start of `rest` and answers what follows it.
fn tree<'a>(prefix: &str, rest: &'a str, found: &mut Vec<String>) -> &'a str {
    let mut rest = rest.trim_start();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner.trim_start();
        while !rest.is_empty() && !rest.starts_with('}') {
            let before = rest.len();
            rest = tree(prefix, rest, found).trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
            assert!(rest.len() < before, "this is no use tree: {:.60}", rest);
        }
        return rest.strip_prefix('}').unwrap_or(rest);
    }
    let end =
        rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*').unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}::{name}") };
    if let Some(deeper) = after.strip_prefix("::")
        && deeper.trim_start().starts_with(|c: char| c.is_alphabetic() || "_{*".contains(c))
    {
        return tree(&path, deeper, found);
    }
    found.push(path);
    match after.trim_start().strip_prefix("as ") {
        Some(alias) => alias.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
        None => after,
    }
}

#[track_caller]
fn none(what: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{what}:\n  {}", broken.join("\n  "));
}

#[test]
fn use_trees_are_read() {
    let code =
        "use crate::{a, b::{c as x, d::{self, e}}, f::*}; crate::g::h(1); pub(crate) fn i() {}";
    assert_eq!(paths(code), ["a", "b::c", "b::d::self", "b::d::e", "f::*", "g::h"]);
    assert_eq!(compiled("a // b\nc\n#[cfg(test)]\nmod tests {"), "a \nc\n");
}

#[test]
fn every_folder_is_a_room_of_the_table() {
    let mut folders: Vec<_> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .map(|p| p.file_name().unwrap().to_str().unwrap().to_owned())
        // the demo loads a market through all rooms; the snapshots belong to lib.rs
        .filter(|name| name != "demo" && name != "snapshots")
        .collect();
    folders.sort();
    let mut rooms: Vec<_> = ROOMS.iter().map(|(name, _)| (*name).to_owned()).collect();
    rooms.sort();
    assert_eq!(folders, rooms);
}

#[test]
fn imports_run_down_only() {
    let rooms: BTreeMap<_, _> = ROOMS.iter().copied().collect();
    let (mut seen, mut broken) = (0, Vec::new());
    for source in sources("src") {
        let Some(below) = rooms.get(source.room()) else { continue };
        // tests keep to the order, too
        for path in paths(&without_comments(&source.text)) {
            seen += 1;
            let first = path.split("::").next().unwrap();
            let fine =
                first == source.room() || below.contains(&first) || EVERYWHERE.contains(&first);
            if !fine {
                broken.push(format!("{} uses crate::{path}", source.at));
            }
        }
    }
    none("imports that run up or across", &broken);
    assert!(seen > 100, "only {seen} uses were seen");
}

#[test]
fn sql_stands_in_stores_only() {
    let (mut seen, mut broken) = (0, Vec::new());
    for source in sources("src") {
        // kernel files own their tables; the benchmarks measure loops of bare statements, and load in bulk
        let bench = source.at.starts_with("demo/bench/");
        if source.room() == "kernel" || source.is_test() || bench {
            continue;
        }
        let statements = ["diesel::insert_into", "diesel::update", "diesel::delete", "sql_query"];
        let mut sql: Vec<String> = statements
            .iter()
            .filter(|s| source.code.contains(**s))
            .map(|s| (*s).to_owned())
            .collect();
        let tables = paths(&source.code).into_iter().filter(|p| p.starts_with("schema::"));
        // rows are derived from their table beside the model
        sql.extend(tables.filter(|_| !source.is_model()));
        seen += sql.len();
        if !source.is_store() {
            broken.extend(sql.iter().map(|s| format!("{} has {s}", source.at)));
        }
    }
    none("SQL outside of stores", &broken);
    assert!(seen > 20, "only {seen} statements were seen");
}

/// Table → the room under whose comment it stands in src/schema.rs.
pub fn owners() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("src/schema.rs")).unwrap();
    let (mut room, mut found, mut open) = (String::new(), BTreeMap::new(), false);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("// ") {
            room = name.to_owned();
        } else if line.starts_with("diesel::table!") {
            open = true;
        } else if open && line.contains('(') {
            found.insert(line.trim().split(' ').next().unwrap().to_owned(), room.clone());
            open = false;
        }
    }
    found
}

#[test]
fn no_room_but_insight_names_tables_of_others() {
    let owners = owners();
    assert!(owners.len() > 20, "{owners:?}");
    for room in owners.values() {
        assert!(ROOMS.iter().any(|(name, _)| name == room), "schema.rs: `// {room}` is no room");
    }
    let (mut seen, mut broken) = (0, Vec::new());
    for source in sources("src") {
        let is_room = ROOMS.iter().any(|(name, _)| *name == source.room());
        if !is_room || source.is_test() || source.room() == "insight" {
            continue;
        }
        for path in paths(&source.code) {
            let Some(table) = path.strip_prefix("schema::") else { continue };
            let table = table.split("::").next().unwrap();
            seen += 1;
            if owners.get(table).map(String::as_str) != Some(source.room()) {
                broken.push(format!("{} names {path}", source.at));
            }
        }
    }
    none("tables of other rooms", &broken);
    assert!(seen > 20, "only {seen} tables were seen");
}

#[test]
fn rules_are_pure() {
    let impure = [
        "DbConn",
        "Tx<",
        "HttpRequest",
        "Moment::now",
        "std::env",
        "std::fs",
        "env::var",
        "fs::read",
    ];
    let (mut seen, mut broken) = (0, Vec::new());
    for source in sources("src").iter().filter(|s| s.is_rules()) {
        seen += 1;
        let found = impure.iter().filter(|word| source.code.contains(**word));
        broken.extend(found.map(|word| format!("{} has {word}", source.at)));
    }
    none("rules that reach outside", &broken);
    assert!(seen >= 8, "only {seen} files of rules were seen");
}

#[test]
fn nothing_is_left_to_do() {
    let unfinished = ["todo!", "unimplemented!", "FIXME", "dbg!(", "#[ignore"];
    let mut broken = Vec::new();
    let all = sources("src").into_iter().chain(sources("index/src"));
    for source in all {
        let found = unfinished.iter().filter(|word| source.text.contains(**word));
        broken.extend(found.map(|word| format!("{} has {word}", source.at)));
    }
    none("unfinished work", &broken);
}
