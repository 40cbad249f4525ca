//! Loading drafts from a file on the command line: all of it or nothing.
//!
//! A line of JSON is the body that the API takes. A table (CSV in UTF-8, or the first sheet of an xlsx)
//! has the names of the same fields in its first row; a cell holds a text, a number, `true` or `false`,
//! several values separated by `;`, indicators as `name:target`, or JSON for what has parts of its own
//! (parties, lines). Everything is checked against the same published schema and the same rules, in the
//! name of somebody who may list. What is loaded are drafts: publication and registration go the
//! ordinary way.
use std::path::Path;

use anyhow::{Context, bail};
use calamine::{Data, DataType, Reader, Xlsx};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use utoipa::PartialSchema;

use crate::{
    accounts,
    achievements::{self, model::AchievementDraft},
    contracts::{self, draft::ContractBody},
    demands::{self, model::DemandDraft},
    kernel::{Actor, Db, Error, Fault, Result, Tx, body},
};

crate::codes! {
    /// What a file holds.
    pub enum ImportKind {
        Achievements = "achievements" "科技成果" "Achievements",
        Demands = "demands" "技术需求" "Demands",
        Contracts = "contracts" "技术合同" "Contracts",
    }
}

/// Faulty places that are told before the rest is only counted.
const TOLD: usize = 50;

/// One thing to load, with the place that a fault is told by: `line 3`, `row 7`.
type Entry = (String, Vec<u8>);

/// Loads everything in `file` as drafts on behalf of the account with the address `email`; answers how
/// many there were. One faulty entry refuses the whole file, and all faulty entries are named.
pub fn run(db: &Db, kind: ImportKind, file: &Path, email: &str) -> anyhow::Result<usize> {
    let entries = match file.extension().and_then(|e| e.to_str()).unwrap_or_default() {
        "jsonl" | "ndjson" | "json" => json_lines(file)?,
        "csv" => objects(kind, csv_rows(file)?)?,
        "xlsx" => objects(kind, sheet_rows(file)?)?,
        _ => bail!("{} should end in .jsonl, .csv or .xlsx", file.display()),
    };
    let Some(actor) = db.read_now(|conn| accounts::actor_by_email(conn, email))? else {
        bail!("there is no account with the address {email}");
    };
    let bar = ProgressBar::new(u64::try_from(entries.len())?);
    let mut faults = Vec::new();
    let loaded = db.write_now(|tx| {
        for (place, entry) in &entries {
            bar.inc(1);
            match draft(tx, kind, &actor, entry) {
                Ok(()) => {}
                Err(Error::Invalid(found)) => {
                    let told = |f: &Fault| format!("{place}: {} {}", f.pointer, f.detail);
                    faults.extend(found.iter().map(told));
                }
                Err(Error::Internal(cause)) => return Err(Error::Internal(cause)),
                Err(refusal) => faults.push(format!("{place}: {refusal}")),
            }
        }
        if faults.is_empty() {
            Ok(entries.len())
        } else {
            Err(Error::conflict("import_refused", "文件未导入。"))
        }
    });
    bar.finish_and_clear();
    match loaded {
        Err(Error::Conflict { code: "import_refused", .. }) => {
            let more = faults.len().saturating_sub(TOLD);
            faults.truncate(TOLD);
            let rest = if more > 0 { format!("\nand {more} more") } else { String::new() };
            bail!("nothing was loaded:\n{}{rest}", faults.join("\n"))
        }
        done => Ok(done?),
    }
}

fn json_lines(file: &Path) -> anyhow::Result<Vec<Entry>> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    Ok(lines.map(|(line, n)| (format!("line {n}"), line.as_bytes().to_vec())).collect())
}

fn csv_rows(file: &Path) -> anyhow::Result<Vec<Vec<String>>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_path(file)
        .with_context(|| format!("reading {}", file.display()))?;
    let rows = reader.records().map(|row| Ok(row?.iter().map(str::to_owned).collect()));
    rows.collect::<Result<_, csv::Error>>()
        .with_context(|| format!("{} is no CSV in UTF-8", file.display()))
}

fn sheet_rows(file: &Path) -> anyhow::Result<Vec<Vec<String>>> {
    let not_a_workbook = || format!("{} is no xlsx workbook", file.display());
    let mut book: Xlsx<_> = calamine::open_workbook(file).with_context(not_a_workbook)?;
    let sheet =
        book.worksheet_range_at(0).with_context(not_a_workbook)?.with_context(not_a_workbook)?;
    let text = |cell: &Data| match cell.as_date().filter(|_| cell.is_datetime()) {
        Some(day) => day.to_string(),
        None => cell.to_string(),
    };
    Ok(sheet.rows().map(|row| row.iter().map(text).collect()).collect())
}

/// The rows of a table as the bodies that the API takes.
fn objects(kind: ImportKind, rows: Vec<Vec<String>>) -> anyhow::Result<Vec<Entry>> {
    let schema = match kind {
        ImportKind::Achievements => serde_json::to_value(AchievementDraft::schema()),
        ImportKind::Demands => serde_json::to_value(DemandDraft::schema()),
        ImportKind::Contracts => serde_json::to_value(ContractBody::schema()),
    }?;
    let fields = schema.get("properties").cloned().unwrap_or_default();
    let mut rows = rows.into_iter().zip(1..);
    let Some((names, _)) = rows.next() else { bail!("the table has no first row of field names") };
    let filled = rows.filter(|(row, _)| row.iter().any(|cell| !cell.trim().is_empty()));
    filled
        .map(|(row, n)| {
            let cells = names.iter().zip(&row).filter(|(_, cell)| !cell.trim().is_empty());
            let object: serde_json::Map<String, Value> = cells
                .map(|(name, cell)| {
                    let name = name.trim().trim_start_matches('\u{feff}');
                    (name.to_owned(), value(name, fields.get(name), cell.trim()))
                })
                .collect();
            Ok((format!("row {n}"), serde_json::to_vec(&object)?))
        })
        .collect()
}

/// What a cell says. A cell that does not fit its field stays a text, and the schema says what is wrong.
fn value(name: &str, field: Option<&Value>, cell: &str) -> Value {
    let is = |kind: &str| match field.and_then(|f| f.get("type")) {
        Some(Value::String(only)) => only == kind,
        Some(Value::Array(some)) => some.iter().any(|k| k == kind),
        _ => false,
    };
    if cell.starts_with(['{', '[']) {
        return serde_json::from_str(cell).unwrap_or_else(|_| cell.into());
    }
    if is("array") {
        let parts = cell.split([';', '；', '\n']).map(str::trim).filter(|part| !part.is_empty());
        return parts
            .map(|part| match part.split_once([':', '：']).filter(|_| name == "indicators") {
                Some((name, target)) => json!({ "name": name.trim(), "target": target.trim() }),
                None => part.into(),
            })
            .collect();
    }
    if is("integer") || name.ends_with("_fen") {
        return cell.parse::<i64>().map_or_else(|_| cell.into(), Value::from);
    }
    match cell.to_lowercase().as_str() {
        "true" | "是" if is("boolean") => true.into(),
        "false" | "否" if is("boolean") => false.into(),
        _ => cell.into(),
    }
}

fn draft(tx: &mut Tx<'_>, kind: ImportKind, actor: &Actor, line: &[u8]) -> Result<()> {
    match kind {
        ImportKind::Achievements => achievements::create(tx, actor, body::parse(line)?).map(|_| ()),
        ImportKind::Demands => demands::create(tx, actor, body::parse(line)?).map(|_| ()),
        ImportKind::Contracts => {
            contracts::service::draft(tx, actor, body::parse(line)?).map(|_| ())
        }
    }
}
