//! The porter: takes an import that waits, checks it piece by piece, and writes it at once.
//!
//! Whoever works on an import holds a lease that every piece of progress makes longer, and every write is
//! held against the number of the attempt: a porter that was thought dead writes nothing any more.
use std::{
    fs::File,
    io::Write,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::Context;
use futures_util::StreamExt;
use serde_json::json;

use super::{Loader, Sheet, Stack, Sum, note, too_old};
use crate::{
    accounts,
    exchange::{
        model::{FaultSeverity, Import, ImportFault, ImportState},
        rules::{ImportAct, Move, decide},
        store::{self, Progress},
    },
    kernel::{Actor, Db, Error, Fault, Moment, Result, Storage, Tx, blocking, journal},
};

const LOOK_EVERY: Duration = Duration::from_millis(400);
const LEASE_SECONDS: i64 = 120;
/// A file that kills its worker so often is let alone.
const MOST_ATTEMPTS: i64 = 3;
/// Findings that are kept; beyond them they are only counted.
const MOST_KEPT: i64 = 100_000;
/// All files are below this prefix.
pub const PREFIX: &str = "imports";

/// Works on imports, one after the other.
pub struct Porter {
    db: Db,
    storage: Storage,
}

impl Porter {
    pub fn new(db: &Db, storage: &Storage) -> Self {
        Self { db: db.clone(), storage: storage.clone() }
    }

    /// Works until told to stop. What is under way then is let go, and begun again by whoever comes next.
    pub fn run(self, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            match self.one(stop) {
                Ok(true) => {}
                Ok(false) => std::thread::sleep(LOOK_EVERY),
                Err(error) => {
                    tracing::error!(%error, cause = ?error, "an import could not be worked on; it will be tried again");
                    std::thread::sleep(Duration::from_secs(2));
                }
            }
        }
    }

    /// Works on the import that waits longest; answers whether there was one.
    fn one(&self, stop: &AtomicBool) -> Result<bool> {
        let now = Moment::now();
        let Some(row) = self.db.read_now(|conn| store::due(conn, now))? else { return Ok(false) };
        let until = now.plus_seconds(LEASE_SECONDS);
        let Some(row) = self.db.write_now(|tx| store::lease(tx, &row, now, until))? else {
            return Ok(true);
        };
        if row.attempts > MOST_ATTEMPTS {
            let why = "多次尝试均未能完成，已停止；请联系运营人员。";
            self.db.write_now(|tx| go(tx, &row, ImportAct::GiveUp, Some(why)).map(drop))?;
            return Ok(true);
        }
        let done = self.work(&row, stop);
        match done {
            Ok(()) => Ok(true),
            // another one has it now
            Err(Error::Stale) => Ok(true),
            // the file as a whole, or one place of it at which reading ends
            Err(Error::Invalid(faults)) => {
                self.db.write_now(|tx| refuse(tx, &row, &faults))?;
                Ok(true)
            }
            // its lease ends by itself, and the attempt is counted
            Err(Error::Internal(cause)) => Err(Error::Internal(cause)),
            Err(Error::Busy { .. }) => {
                self.db.write_now(|tx| store::release(tx, &row))?;
                Ok(false)
            }
            Err(refusal) => {
                let why = refusal.to_string();
                self.db.write_now(|tx| go(tx, &row, ImportAct::GiveUp, Some(&why)).map(drop))?;
                Ok(true)
            }
        }
    }

    fn work(&self, row: &Import, stop: &AtomicBool) -> Result<()> {
        let found = |conn: &mut _| accounts::actor_again(conn, row.created_by, row.api_key_id);
        let actor = self
            .db
            .read_now(found)?
            .ok_or_else(|| Error::forbidden("not_a_member", "发起导入的账号或密钥已失效。"))?;
        let mut loader = self
            .db
            .read_now(|conn| Loader::new(conn, row.kind, actor.clone(), row.organization_id))?;
        let file = self.fetch(row)?;
        let mut sheet = Sheet::open(row.kind, file, super::FILE_LIMIT)?;
        let committing = row.state == ImportState::Committing;
        let mut stack = committing.then(|| self.storage.spool().map(Stack::new)).transpose()?;
        self.db.write_now(|tx| store::forget_faults(tx, row.id))?;
        let sum = sheet.sift(&self.db, &mut loader, stack.as_mut(), |sum, found| {
            if stop.load(Ordering::Acquire) {
                return Err(Error::busy("stopping", 2));
            }
            self.db.write_now(|tx| {
                keep(tx, row, &found)?;
                let until = Moment::now().plus_seconds(LEASE_SECONDS);
                store::note(tx, row, &progress(sum), until)
            })
        })?;
        match stack {
            Some(stack) if sum.errors == 0 => {
                let place = |line| sheet.table().address(line, 0);
                self.write(row, &actor, &mut loader, stack, place)
            }
            _ => self.db.write_now(|tx| checked(tx, row, &sum)),
        }
    }

    /// Writes everything, or nothing.
    fn write(
        &self,
        row: &Import,
        actor: &Actor,
        loader: &mut Loader,
        stack: Stack,
        place: impl Fn(u32) -> String,
    ) -> Result<()> {
        self.db.write_now(|tx| {
            let done = go(tx, row, ImportAct::Write, None)?;
            let mut rows = 0i64;
            stack.pour(|line, ready| {
                rows += 1;
                let made = loader.write(tx, ready).map_err(|error| {
                    at_place(&place(u32::try_from(line).unwrap_or_default()), error)
                })?;
                store::keep_row(tx, row.id, line, &made)
            })?;
            let body = json!({ "kind": row.kind, "rows": rows });
            note(tx, &actor.name(), "import.committed", &done, body)
        })
    }

    /// The very file that was sent: its digest is looked at on the way.
    fn fetch(&self, row: &Import) -> Result<File> {
        let key = row.storage_key.clone().context("an open import without a file")?;
        let mut file = self.storage.spool()?;
        runtime()?.block_on(async {
            let mut pieces = self.storage.get(&key, row.sha256.clone()).await?;
            while let Some(piece) = pieces.next().await {
                file.write_all(&piece?).context("writing to the spool")?;
            }
            Ok(file)
        })
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.context("starting a runtime for the storage")?)
}

fn progress(sum: &Sum) -> Progress {
    Progress { total: sum.rows, done: sum.done, errors: sum.errors, warnings: sum.warnings }
}

fn keep(tx: &mut Tx<'_>, row: &Import, found: &[ImportFault]) -> Result<()> {
    for fault in found.iter().filter(|fault| fault.seq <= MOST_KEPT) {
        store::keep_fault(tx, row.id, fault)?;
    }
    Ok(())
}

/// Moves the import by `act`. What the porter and the clock do is in the journal, too; of a commit and of what
/// was written, their callers say more.
fn go(tx: &mut Tx<'_>, row: &Import, act: ImportAct, reason: Option<&str>) -> Result<Import> {
    let step: Move = decide(row.state, act).ok_or(Error::Stale)?;
    let row = store::apply(tx, row, step, reason)?;
    let topic = match act {
        ImportAct::Commit | ImportAct::Write => return Ok(row),
        ImportAct::Pass => "import.checked",
        ImportAct::Find => "import.faulty",
        ImportAct::GiveUp => "import.failed",
        ImportAct::Expire => "import.expired",
    };
    note(tx, journal::CLOCK, topic, &row, json!({ "kind": row.kind, "errors": row.errors }))?;
    Ok(row)
}

/// The check is over.
fn checked(tx: &mut Tx<'_>, row: &Import, sum: &Sum) -> Result<()> {
    if sum.errors > 0 {
        return go(tx, row, ImportAct::Find, None).map(drop);
    }
    let repeated = store::is_repeated(tx, row)?;
    let why = repeated.then_some("同一文件此前已经导入过；再次导入会产生重复的草稿。");
    let row = go(tx, row, ImportAct::Pass, why)?;
    if row.dry_run { Ok(()) } else { go(tx, &row, ImportAct::Commit, why).map(drop) }
}

/// The file is refused as a whole, at one place or a few.
fn refuse(tx: &mut Tx<'_>, row: &Import, faults: &[Fault]) -> Result<()> {
    store::forget_faults(tx, row.id)?;
    for (fault, seq) in faults.iter().zip(1i64..) {
        let kept = ImportFault {
            seq,
            line: line_of(&fault.pointer),
            severity: FaultSeverity::Error,
            cell: fault.pointer.clone(),
            column: String::new(),
            code: fault.code.to_owned(),
            detail: fault.detail.clone(),
        };
        store::keep_fault(tx, row.id, &kept)?;
    }
    let errors = i64::try_from(faults.len()).unwrap_or(i64::MAX);
    let found =
        Progress { errors, total: row.rows_total.unwrap_or_default(), ..Progress::default() };
    store::note(tx, row, &found, Moment::now())?;
    go(tx, row, ImportAct::Find, None).map(drop)
}

/// The number at the end of an address.
fn line_of(address: &str) -> i64 {
    let digits = address.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or_default()
}

/// What the transaction found out that the check had not: something has changed in between.
fn at_place(cell: &str, error: Error) -> Error {
    match error {
        Error::Invalid(faults) => {
            let here = |f: Fault| Fault::new(cell, f.code, format!("{}：{}", f.pointer, f.detail));
            Error::Invalid(faults.into_iter().map(here).collect())
        }
        ours @ (Error::Internal(_) | Error::Busy { .. } | Error::Stale) => ours,
        other => Error::invalid(cell, other.code(), other.to_string()),
    }
}

/// Works on everything that waits; answers how many imports that were.
pub fn work_off(db: &Db, storage: &Storage) -> Result<usize> {
    let (porter, never) = (Porter::new(db, storage), AtomicBool::new(false));
    let mut done = 0;
    while porter.one(&never)? {
        done += 1;
    }
    Ok(done)
}

/// Imports that were found fit and forgotten expire.
pub fn tick(tx: &mut Tx<'_>) -> Result<usize> {
    let then = too_old(tx.now());
    let old = store::forgotten(tx, then, 100)?;
    for row in &old {
        go(tx, row, ImportAct::Expire, None)?;
    }
    Ok(old.len())
}

/// Deletes the files that are of no more use: of imports that are over, and of uploads that were broken
/// off. Answers how many.
pub async fn sweep(db: &Db, storage: &Storage, now: Moment) -> Result<usize> {
    let gone = storage.sweep(db, (PREFIX, store::in_use), now).await?;
    let count = gone.len();
    if count > 0 {
        let db = db.clone();
        let forget =
            move |tx: &mut Tx<'_>| gone.iter().try_for_each(|key| store::file_gone(tx, key));
        blocking(move || db.write_now(forget)).await?;
    }
    Ok(count)
}
