//! Every SQL statement about imports.
use diesel::prelude::*;

use super::{
    model::{FaultSeverity, Import, ImportFault, ImportState},
    rules::{Move, Scope},
};
use crate::{
    kernel::{After, DbConn, Error, Id, Moment, Result, Tx, Window, db::MultiBackend, of},
    markets::regions::Reach,
    schema::{import_faults as faults, import_rows as rows, imports},
};

pub fn find(conn: &mut DbConn, id: Id<of::Import>) -> Result<Option<Import>> {
    Ok(Import::query().filter(imports::id.eq(id)).first(conn).optional()?)
}

pub fn insert(tx: &mut Tx<'_>, row: &Import) -> Result<()> {
    diesel::insert_into(imports::table).values(row).execute(&mut **tx)?;
    Ok(())
}

/// Those that `scope` sees, newest first, one more than the window shows, and how many there are.
pub fn list(
    conn: &mut DbConn,
    scope: &Scope,
    window: &Window<After<of::Import>>,
) -> Result<(Vec<Import>, i64)> {
    let seen = || {
        let Reach { like, zones } = scope.overseen.clone();
        imports::table.into_boxed::<MultiBackend>().filter(
            imports::organization_id
                .eq_any(scope.own.clone())
                .or(imports::region_code.like(like))
                .or(imports::region_code.eq_any(zones)),
        )
    };
    let total = seen().count().get_result(conn)?;
    let mut query = seen();
    if let Some(After { at, id }) = &window.after {
        let same = imports::created_at.eq(*at).and(imports::id.lt(*id));
        query = query.filter(imports::created_at.lt(*at).or(same));
    }
    let found = query
        .order((imports::created_at.desc(), imports::id.desc()))
        .limit(window.limit + 1)
        .select(Import::as_select())
        .load(conn)?;
    Ok((found, total))
}

/// Carries out `step`, unless somebody else has moved or taken the import since it was read.
pub fn apply(tx: &mut Tx<'_>, row: &Import, step: Move, reason: Option<&str>) -> Result<Import> {
    let mine = imports::table
        .find(row.id)
        .filter(imports::state.eq(step.from()).and(imports::attempts.eq(row.attempts)));
    let done = diesel::update(mine)
        .set((
            imports::state.eq(step.to()),
            imports::reason.eq(reason),
            imports::lease_until.eq(None::<Moment>),
            imports::updated_at.eq(tx.now()),
            // what is begun next may be tried as often again
            imports::attempts.eq(0),
        ))
        .execute(&mut **tx)?;
    if done == 0 {
        return Err(Error::Stale);
    }
    find(tx, row.id)?.ok_or(Error::Stale)
}

/// The import that waits longest to be worked on.
pub fn due(conn: &mut DbConn, now: Moment) -> Result<Option<Import>> {
    Ok(Import::query()
        .filter(imports::state.eq_any([ImportState::Checking, ImportState::Committing]))
        .filter(imports::lease_until.is_null().or(imports::lease_until.lt(now)))
        .order((imports::created_at, imports::id))
        .first(conn)
        .optional()?)
}

/// Takes an import until `until`; nothing when another node was faster. The number of the attempt is what
/// every later write is held against.
pub fn lease(tx: &mut Tx<'_>, row: &Import, now: Moment, until: Moment) -> Result<Option<Import>> {
    let free = imports::table
        .find(row.id)
        .filter(imports::state.eq(row.state).and(imports::attempts.eq(row.attempts)))
        .filter(imports::lease_until.is_null().or(imports::lease_until.lt(now)));
    let taken = diesel::update(free)
        .set((imports::lease_until.eq(until), imports::attempts.eq(row.attempts + 1)))
        .execute(&mut **tx)?;
    if taken == 1 { find(tx, row.id) } else { Ok(None) }
}

/// Lets an import go that was taken and not finished, as if it had not been.
pub fn release(tx: &mut Tx<'_>, row: &Import) -> Result<()> {
    let mine = imports::table
        .find(row.id)
        .filter(imports::state.eq(row.state).and(imports::attempts.eq(row.attempts)));
    diesel::update(mine)
        .set((imports::lease_until.eq(None::<Moment>), imports::attempts.eq(row.attempts - 1)))
        .execute(&mut **tx)?;
    Ok(())
}

/// How far a check is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    pub total: i64,
    pub done: i64,
    pub errors: i64,
    pub warnings: i64,
}

/// Notes the progress and keeps the import for longer; refuses when another node has it.
pub fn note(tx: &mut Tx<'_>, row: &Import, progress: &Progress, until: Moment) -> Result<()> {
    let mine = imports::table
        .find(row.id)
        .filter(imports::state.eq(row.state).and(imports::attempts.eq(row.attempts)));
    let done = diesel::update(mine)
        .set((
            imports::rows_total.eq(progress.total),
            imports::rows_done.eq(progress.done),
            imports::errors.eq(progress.errors),
            imports::warnings.eq(progress.warnings),
            imports::lease_until.eq(until),
            imports::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    if done == 1 { Ok(()) } else { Err(Error::Stale) }
}

pub fn forget_faults(tx: &mut Tx<'_>, id: Id<of::Import>) -> Result<()> {
    diesel::delete(faults::table.filter(faults::import_id.eq(id))).execute(&mut **tx)?;
    Ok(())
}

pub fn keep_fault(tx: &mut Tx<'_>, id: Id<of::Import>, fault: &ImportFault) -> Result<()> {
    let row = (
        faults::import_id.eq(id),
        faults::seq.eq(fault.seq),
        faults::line.eq(fault.line),
        faults::severity.eq(fault.severity),
        faults::cell.eq(&fault.cell),
        faults::head.eq(&fault.column),
        faults::code.eq(&fault.code),
        faults::detail.eq(&fault.detail),
    );
    diesel::insert_into(faults::table).values(row).execute(&mut **tx)?;
    Ok(())
}

/// What was found, in the order of the sheet: at most `limit` after the one with the number `after`.
pub fn faults(
    conn: &mut DbConn,
    id: Id<of::Import>,
    severity: Option<FaultSeverity>,
    after: i64,
    limit: i64,
) -> Result<Vec<ImportFault>> {
    let mut query = faults::table
        .filter(faults::import_id.eq(id).and(faults::seq.gt(after)))
        .into_boxed::<MultiBackend>();
    if let Some(severity) = severity {
        query = query.filter(faults::severity.eq(severity));
    }
    Ok(query.order(faults::seq).limit(limit).select(ImportFault::as_select()).load(conn)?)
}

pub fn fault_count(
    conn: &mut DbConn,
    id: Id<of::Import>,
    severity: Option<FaultSeverity>,
) -> Result<i64> {
    let mut query = faults::table.filter(faults::import_id.eq(id)).into_boxed::<MultiBackend>();
    if let Some(severity) = severity {
        query = query.filter(faults::severity.eq(severity));
    }
    Ok(query.count().get_result(conn)?)
}

/// Notes what a row of the file became.
pub fn keep_row(tx: &mut Tx<'_>, id: Id<of::Import>, line: i64, made: &str) -> Result<()> {
    let row = (rows::import_id.eq(id), rows::line.eq(line), rows::made_id.eq(made));
    diesel::insert_into(rows::table).values(row).execute(&mut **tx)?;
    Ok(())
}

/// What the rows after `after` became, at most `limit` of them.
pub fn made(
    conn: &mut DbConn,
    id: Id<of::Import>,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, String)>> {
    Ok(rows::table
        .filter(rows::import_id.eq(id).and(rows::line.gt(after)))
        .order(rows::line)
        .limit(limit)
        .select((rows::line, rows::made_id))
        .load(conn)?)
}

/// Whether this very file has been committed for the organization before.
pub fn is_repeated(conn: &mut DbConn, row: &Import) -> Result<bool> {
    let same = imports::table
        .filter(imports::organization_id.eq(row.organization_id).and(imports::kind.eq(row.kind)))
        .filter(imports::sha256.eq(&row.sha256).and(imports::id.ne(row.id)))
        .filter(imports::state.eq(ImportState::Committed));
    Ok(same.count().get_result::<i64>(conn)? > 0)
}

/// Imports that were found fit before `then` and never committed.
pub fn forgotten(conn: &mut DbConn, then: Moment, most: i64) -> Result<Vec<Import>> {
    Ok(Import::query()
        .filter(imports::state.eq(ImportState::Checked).and(imports::updated_at.lt(then)))
        .order((imports::updated_at, imports::id))
        .limit(most)
        .load(conn)?)
}

/// Those of `keys` whose files are still needed.
pub fn in_use(conn: &mut DbConn, keys: &[String]) -> Result<Vec<String>> {
    let open = [ImportState::Checking, ImportState::Checked, ImportState::Committing];
    let found: Vec<Option<String>> = imports::table
        .filter(imports::storage_key.eq_any(keys).and(imports::state.eq_any(open)))
        .select(imports::storage_key)
        .load(conn)?;
    Ok(found.into_iter().flatten().collect())
}

/// The files of these keys are gone.
pub fn file_gone(tx: &mut Tx<'_>, key: &str) -> Result<()> {
    diesel::update(imports::table.filter(imports::storage_key.eq(key)))
        .set(imports::storage_key.eq(None::<String>))
        .execute(&mut **tx)?;
    Ok(())
}

/// From now on the import is done in the name of `account`.
pub fn taken_over(
    tx: &mut Tx<'_>,
    row: &Import,
    account: Id<of::Account>,
    key: Option<Id<of::ApiKey>>,
) -> Result<Import> {
    diesel::update(imports::table.find(row.id))
        .set((imports::created_by.eq(account), imports::api_key_id.eq(key)))
        .execute(&mut **tx)?;
    find(tx, row.id)?.ok_or(Error::Stale)
}
