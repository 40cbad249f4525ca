//! Loading drafts from a file on the command line: all of it or nothing.
//!
//! A line of JSON is the body that the API takes, checked against the same published schema and the same
//! rules, in the name of somebody who may list. What is loaded are drafts: publication and registration
//! go the ordinary way.
use std::path::Path;

use anyhow::{Context, bail};
use indicatif::ProgressBar;

use crate::{
    accounts, achievements, contracts, demands,
    kernel::{Actor, Code, Db, Error, Result, Tx, body},
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

/// Loads every line of `file` as a draft on behalf of the account with the address `email`; answers how
/// many there were. One faulty line refuses the whole file, and all faulty lines are named.
pub fn run(db: &Db, kind: ImportKind, file: &Path, email: &str) -> anyhow::Result<usize> {
    if file.extension().is_none_or(|e| e != "jsonl" && e != "ndjson" && e != "json") {
        bail!(
            "{} should be JSON lines (.jsonl), one {} a line",
            file.display(),
            kind.en().to_lowercase()
        );
    }
    let text =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let lines: Vec<(usize, &str)> = text
        .lines()
        .zip(1..)
        .map(|(line, n)| (n, line))
        .filter(|(_, l)| !l.trim().is_empty())
        .collect();
    let Some(actor) = db.read_now(|conn| accounts::actor_by_email(conn, email))? else {
        bail!("there is no account with the address {email}");
    };
    let bar = ProgressBar::new(u64::try_from(lines.len())?);
    let mut faults = Vec::new();
    let loaded = db.write_now(|tx| {
        for (n, line) in &lines {
            bar.inc(1);
            match draft(tx, kind, &actor, line.as_bytes()) {
                Ok(()) => {}
                Err(Error::Invalid(found)) => {
                    faults.extend(
                        found.into_iter().map(|f| format!("line {n}: {} {}", f.pointer, f.detail)),
                    );
                }
                Err(Error::Internal(cause)) => return Err(Error::Internal(cause)),
                Err(refusal) => faults.push(format!("line {n}: {refusal}")),
            }
        }
        if faults.is_empty() {
            Ok(lines.len())
        } else {
            Err(Error::conflict("import_refused", "文件未导入。"))
        }
    });
    bar.finish_and_clear();
    match loaded {
        Ok(count) => Ok(count),
        Err(Error::Conflict { code: "import_refused", .. }) => {
            let more = faults.len().saturating_sub(TOLD);
            faults.truncate(TOLD);
            let rest = if more > 0 { format!("\nand {more} more") } else { String::new() };
            bail!("nothing was loaded:\n{}{rest}", faults.join("\n"))
        }
        Err(other) => Err(other.into()),
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
