//! Promises about the tables: one schema on both databases, and a way back from every migration.
use std::{collections::BTreeMap, env, fs, path::Path};

use diesel::{
    QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text,
};
use keshi::{
    each_db,
    kernel::{DbConn, Id, of},
};

use crate::support::postgres::{self, SERVER};

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Text)]
    text: String,
}

fn ask(conn: &mut DbConn, sqlite: &str, postgres: &str) -> Vec<String> {
    let sql = if matches!(conn, DbConn::Sqlite(_)) { sqlite } else { postgres };
    let told: Vec<Told> = each_db!(conn, c => sql_query(sql).load(c)).unwrap();
    told.into_iter().map(|t| t.text).collect()
}

/// `table.column TYPE` with `?` where null may stand, in order.
fn columns(conn: &mut DbConn) -> Vec<String> {
    let sqlite = "SELECT m.name || '.' || p.name || ' ' || p.type || \
        CASE WHEN p.\"notnull\" = 1 OR p.pk > 0 THEN '' ELSE '?' END AS text \
        FROM sqlite_master m JOIN pragma_table_info(m.name) p \
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '__diesel%'";
    let postgres = "SELECT table_name || '.' || column_name || ' ' || data_type || \
        CASE WHEN is_nullable = 'NO' THEN '' ELSE '?' END AS text \
        FROM information_schema.columns \
        WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%'";
    let mut all: Vec<_> = ask(conn, sqlite, postgres).iter().map(|line| folded(line)).collect();
    all.sort();
    all
}

/// The same word for the same type.
fn folded(line: &str) -> String {
    let (name, kind) = line.split_once(' ').unwrap();
    let (kind, null) = kind.strip_suffix('?').map_or((kind, ""), |k| (k, "?"));
    let kind = match kind.to_ascii_uppercase().as_str() {
        // SQLite numbers rows by itself only where the key is INTEGER, which holds 64 bits there
        "INTEGER" if name.ends_with(".id") => "BIGINT".to_owned(),
        "TIMESTAMP WITHOUT TIME ZONE" => "TIMESTAMP".to_owned(),
        other => other.to_owned(),
    };
    format!("{name} {kind}{null}")
}

/// Everything that the migrations make, as the database tells it.
fn whole(conn: &mut DbConn) -> Vec<String> {
    let mut all = columns(conn);
    all.extend(ask(
        conn,
        "SELECT sql AS text FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' \
         AND name NOT LIKE '__diesel%' ORDER BY name",
        "SELECT indexdef AS text FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE \
         '\\_\\_diesel%' UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) \
         FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE '\\_\\_diesel%' ORDER BY 1",
    ));
    all
}

/// A fresh migrated file of SQLite.
fn sqlite(dir: &tempfile::TempDir) -> DbConn {
    let mut conn =
        DbConn::open(&format!("sqlite:{}", dir.path().join("schema.db").display())).unwrap();
    conn.migrate().unwrap();
    conn
}

/// A fresh migrated database of the server that is named, if one is.
fn postgres() -> Option<DbConn> {
    let server = env::var(SERVER).ok()?;
    let name = format!("keshi_{}", Id::<of::Account>::fresh().to_string().replace('-', ""));
    let sql = format!("CREATE DATABASE {name} TEMPLATE template0");
    DbConn::open(&server).unwrap().batch_execute(&sql).unwrap();
    let mut conn = DbConn::open(&postgres::database(&server, &name)).unwrap();
    conn.migrate().unwrap();
    Some(conn)
}

fn migrations(database: &str) -> Vec<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        for file in ["up.sql", "down.sql"] {
            let text = fs::read_to_string(path.join(file)).unwrap();
            assert!(!text.trim().is_empty(), "{}/{file} is empty", path.display());
        }
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    names
}

#[test]
fn migrations_come_in_pairs() {
    let names = migrations("sqlite");
    assert!(names.len() >= 7, "{names:?}");
    assert_eq!(names, migrations("postgres"));
}

#[test]
fn both_databases_have_the_same_columns() {
    let dir = tempfile::tempdir().unwrap();
    let here = columns(&mut sqlite(&dir));
    assert!(here.len() > 150, "only {} columns were seen", here.len());
    if let Some(mut conn) = postgres() {
        assert_eq!(here, columns(&mut conn));
    }
}

/// The same lines as [`columns`], read from the text of src/schema.rs.
fn declared() -> Vec<String> {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schema.rs")).unwrap();
    let mut all = Vec::new();
    for block in text.split("diesel::table! {").skip(1) {
        let block = block.split("\n}").next().unwrap();
        let table = block.trim().split(' ').next().unwrap();
        let mut sql_name = None;
        for part in block.split_once('{').unwrap().1.split([',', '\n']) {
            if let Some(name) = part.trim().strip_prefix("#[sql_name = \"") {
                sql_name = Some(name.trim_end_matches("\"]").to_owned());
            }
            let Some((name, kind)) = part.split_once(" -> ") else { continue };
            let name = sql_name.take().unwrap_or_else(|| name.trim().to_owned());
            let inner = kind.strip_prefix("Nullable<").and_then(|k| k.strip_suffix('>'));
            let kind = match inner.unwrap_or(kind) {
                "Bool" => "BOOLEAN".to_owned(),
                other => other.to_ascii_uppercase(),
            };
            all.push(format!("{table}.{name} {kind}{}", if inner.is_some() { "?" } else { "" }));
        }
    }
    all.sort();
    all
}

#[test]
fn the_code_knows_the_columns_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(declared(), columns(&mut sqlite(&dir)));
}

#[test]
fn no_table_is_wider_than_diesel_was_built_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut width = BTreeMap::<String, usize>::new();
    for column in columns(&mut sqlite(&dir)) {
        *width.entry(column.split('.').next().unwrap().to_owned()).or_default() += 1;
    }
    let wide: Vec<_> = width.iter().filter(|(_, n)| **n > 32).collect();
    assert!(wide.is_empty(), "{wide:?}");
}

#[test]
fn every_migration_can_be_taken_back_and_run_again() {
    let dir = tempfile::tempdir().unwrap();
    for mut conn in [Some(sqlite(&dir)), postgres()].into_iter().flatten() {
        let before = whole(&mut conn);
        let count = migrations("sqlite").len();
        assert_eq!(conn.revert_all().unwrap(), count);
        assert_eq!(whole(&mut conn), [""; 0], "something was left behind");
        assert_eq!(conn.migrate().unwrap(), count);
        assert_eq!(whole(&mut conn), before);
    }
}
