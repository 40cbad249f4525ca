//! Loading drafts from a file on the command line: all of it or nothing.
//!
//! A line of JSON is the body that the API takes; a table (CSV, or the first sheet of an xlsx) is read as
//! over HTTP. Everything is checked against the same published schema and the same rules, in the name of
//! somebody who may list. What is loaded are drafts: publication and registration go the ordinary way.
use std::{fs::File, path::Path};

use anyhow::{Context, bail};
use indicatif::ProgressBar;

use super::{
    model::{FaultSeverity, ImportFault, ImportKind},
    rules,
    service::{Loader, Sheet, Stack},
};
use crate::{
    accounts,
    kernel::{
        Code, Db, Error,
        table::{Put, TableFormat, Writer},
    },
    markets::listing,
};

/// Faulty places that are told before the rest is only counted.
const TOLD: usize = 50;
/// Files of whoever has the command line may be larger than uploads.
const FILE_LIMIT: i64 = 1 << 30;

/// How a file is loaded.
#[derive(Debug, Default)]
pub struct Options<'a> {
    /// Only check.
    pub dry_run: bool,
    /// Where to write what became of every row: `.xlsx` or `.csv`.
    pub result: Option<&'a Path>,
}

/// Loads everything in `file` as drafts on behalf of the account with the address `email`; answers how
/// many there were. One faulty cell refuses the whole file, and all faulty cells are named.
pub fn run(
    db: &Db,
    kind: ImportKind,
    file: &Path,
    email: &str,
    options: &Options<'_>,
) -> anyhow::Result<usize> {
    let result =
        options.result.map(|path| Ok::<_, anyhow::Error>((path, format_of(path)?))).transpose()?;
    let Some(actor) = db.read_now(|conn| accounts::actor_by_email(conn, email))? else {
        bail!("there is no account with the address {email}");
    };
    let organization =
        listing::speaks_for(&actor, None, rules::owners(kind)).or_else(|refusal| {
            // with several organizations every row must say whose it is
            actor.memberships.first().ok_or(refusal)
        })?;
    let organization = organization.organization;
    let mut loader = db.read_now(|conn| Loader::new(conn, kind, actor, organization))?;
    let bar = ProgressBar::new(0);
    let mut stack = Stack::new(tempfile::tempfile()?);
    let mut found = Vec::new();
    match file.extension().and_then(|e| e.to_str()).unwrap_or_default() {
        "jsonl" | "ndjson" | "json" => {
            found = json_lines(db, &mut loader, file, &mut stack, &bar)?;
        }
        "csv" | "xlsx" => {
            let open = File::open(file).with_context(|| format!("reading {}", file.display()))?;
            let mut sheet = Sheet::open(kind, open, FILE_LIMIT).map_err(told)?;
            sheet
                .sift(db, &mut loader, Some(&mut stack), |sum, some| {
                    bar.set_length(u64::try_from(sum.rows).unwrap_or_default());
                    bar.set_position(u64::try_from(sum.done).unwrap_or_default());
                    found.extend(some);
                    Ok(())
                })
                .map_err(told)?;
        }
        _ => bail!("{} should end in .jsonl, .csv or .xlsx", file.display()),
    }
    bar.finish_and_clear();
    let errors: Vec<_> = found.iter().filter(|f| f.severity == FaultSeverity::Error).collect();
    for warning in found.iter().filter(|f| f.severity == FaultSeverity::Warning).take(TOLD) {
        eprintln!("{}", line(warning));
    }
    let made = if errors.is_empty() && !options.dry_run {
        db.write_now(|tx| {
            let mut made = Vec::new();
            stack.pour(|line, ready| {
                made.push((line, loader.write(tx, ready)?));
                Ok(())
            })?;
            Ok(made)
        })?
    } else {
        let mut fit = Vec::new();
        stack.pour(|line, _| {
            fit.push((line, String::new()));
            Ok(())
        })?;
        fit
    };
    if let Some((path, format)) = result {
        write_result(path, format, &made, &found)?;
    }
    if !errors.is_empty() {
        let lines: Vec<_> = errors.iter().take(TOLD).map(|fault| line(fault)).collect();
        let more = errors.len().saturating_sub(TOLD);
        let rest = if more > 0 { format!("\nand {more} more") } else { String::new() };
        bail!("nothing was loaded:\n{}{rest}", lines.join("\n"));
    }
    Ok(made.len())
}

fn line(fault: &ImportFault) -> String {
    format!("{}: {} {}", fault.cell, fault.column, fault.detail)
}

/// A refusal of the whole file, with every place of it.
fn told(refused: Error) -> anyhow::Error {
    match refused {
        Error::Invalid(faults) => {
            let lines: Vec<_> =
                faults.iter().map(|f| format!("{}: {}", f.pointer, f.detail)).collect();
            anyhow::anyhow!("nothing was loaded:\n{}", lines.join("\n"))
        }
        other => other.into(),
    }
}

fn json_lines(
    db: &Db,
    loader: &mut Loader,
    file: &Path,
    stack: &mut Stack,
    bar: &ProgressBar,
) -> anyhow::Result<Vec<ImportFault>> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let lines = || text.lines().zip(1i64..).filter(|(line, _)| !line.trim().is_empty());
    bar.set_length(u64::try_from(lines().count())?);
    let mut found = Vec::new();
    db.read_now(|conn| {
        for (text, n) in lines() {
            bar.inc(1);
            let mut add = |pointer: &str, code: &str, detail: String| {
                found.push(ImportFault {
                    seq: 0,
                    line: n,
                    severity: FaultSeverity::Error,
                    cell: format!("line {n}"),
                    column: pointer.to_owned(),
                    code: code.to_owned(),
                    detail,
                });
            };
            match serde_json::from_str(text) {
                Err(cause) => add(
                    "",
                    "malformed_json",
                    format!("不是合法的 JSON（第 {} 列）。", cause.column()),
                ),
                Ok(body) => match loader.check(conn, body)? {
                    Ok(ready) => stack.push(n, ready)?,
                    Err(faults) => {
                        faults.into_iter().for_each(|f| add(&f.pointer, f.code, f.detail))
                    }
                },
            }
        }
        Ok(())
    })?;
    Ok(found)
}

fn format_of(path: &Path) -> anyhow::Result<TableFormat> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    TableFormat::from_slug(extension)
        .with_context(|| format!("{} should end in .xlsx or .csv", path.display()))
}

fn write_result(
    path: &Path,
    format: TableFormat,
    made: &[(i64, String)],
    found: &[ImportFault],
) -> anyhow::Result<()> {
    let file = File::options().read(true).write(true).create(true).truncate(true).open(path);
    let file = file.with_context(|| format!("writing {}", path.display()))?;
    let heads = ["行号", "结果", "编号", "单元格", "列名", "代码", "说明"];
    let mut out = Writer::new(format, file, "导入结果", &heads)?;
    for (line, id) in made {
        let result = if id.is_empty() { "检查通过" } else { "已导入" };
        out.row(&[Put::Int(*line), Put::text(result), Put::text(id)])?;
    }
    for fault in found {
        out.row(&[
            Put::Int(fault.line),
            Put::text(fault.severity.zh()),
            Put::Nothing,
            Put::text(&fault.cell),
            Put::text(&fault.column),
            Put::text(&fault.code),
            Put::text(&fault.detail),
        ])?;
    }
    out.finish()?;
    Ok(())
}
