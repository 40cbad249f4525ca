//! What people do with imports. The long part is the porter's (`work`).
mod loader;
mod result;
mod work;

use serde_json::json;

pub use loader::{Loader, Sheet, Stack, Sum};
pub use result::result;
pub use store::in_use;
pub use work::{Porter, sweep, tick, work_off};

use super::{
    model::{FaultSeverity, Import, ImportFault, ImportKind, ImportState, ImportView},
    rules::{self, ImportAct, Scope, Side},
    store,
};
use crate::{
    kernel::{
        Actor, After, DbConn, Error, Id, Label, Moment, Page, Result, Tx, Window, journal, labels,
        of, table::TableFormat,
    },
    markets::listing,
};

const UNSEEN: Error = Error::NotFound("导入");

/// The largest file that is taken, in bytes: 100,000 rows of contracts come to about 20 million.
pub const FILE_LIMIT: i64 = 64 * 1024 * 1024;

/// The code lists of this room, by the names of `GET /codes`.
pub fn code_lists() -> Vec<(&'static str, Vec<Label>)> {
    vec![
        ("import_kind", labels::<ImportKind>()),
        ("import_state", labels::<ImportState>()),
        ("fault_severity", labels::<FaultSeverity>()),
    ]
}

/// What is ordered: all of an import that its file does not say.
#[derive(Debug)]
pub struct Order {
    pub kind: ImportKind,
    pub dry_run: bool,
    pub organization: Option<Id<of::Organization>>,
}

/// A file that is stored already.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: Id<of::Import>,
    pub name: String,
    pub format: TableFormat,
    pub size: i64,
    pub sha256: String,
    pub key: String,
}

/// Whether the caller may import at all: asked before a byte is read.
pub fn may_import(actor: &Actor) -> Result<()> {
    if actor.memberships.is_empty() {
        return Err(Error::forbidden(
            "no_organization",
            "只有单位成员才能导入；请先注册单位或接受单位的邀请。",
        ));
    }
    Ok(())
}

/// Begins an import; the porter does the rest.
pub fn begin(tx: &mut Tx<'_>, actor: &Actor, order: &Order, file: &Stored) -> Result<ImportView> {
    let member = listing::speaks_for(actor, order.organization, rules::owners(order.kind))?;
    let now = tx.now();
    let row = Import {
        id: file.id,
        kind: order.kind,
        state: ImportState::Checking,
        organization_id: member.organization,
        region_code: member.region.clone(),
        created_by: actor.account,
        api_key_id: actor.api_key,
        dry_run: order.dry_run,
        file_name: file.name.clone(),
        format: file.format,
        size: file.size,
        sha256: file.sha256.clone(),
        storage_key: Some(file.key.clone()),
        rows_total: None,
        rows_done: 0,
        errors: 0,
        warnings: 0,
        reason: None,
        attempts: 0,
        lease_until: None,
        created_at: now,
        updated_at: now,
    };
    store::insert(tx, &row)?;
    note(tx, &actor.name(), "import.begun", &row, json!({ "kind": row.kind }))?;
    Ok(view_of(row, Side::Owner))
}

pub fn view(conn: &mut DbConn, actor: &Actor, id: Id<of::Import>) -> Result<ImportView> {
    let (row, side) = see(conn, actor, id)?;
    Ok(view_of(row, side))
}

pub fn list(
    conn: &mut DbConn,
    actor: &Actor,
    window: &Window<After<of::Import>>,
) -> Result<Page<ImportView>> {
    let (rows, total) = store::list(conn, &Scope::of(actor), window)?;
    let page = window.page(rows, total, |row| After { at: row.created_at, id: row.id })?;
    Ok(page.map(|row| {
        let side = rules::side(&row, actor).unwrap_or(Side::Overseer);
        view_of(row, side)
    }))
}

/// What was found, in the order of the sheet.
pub fn faults(
    conn: &mut DbConn,
    actor: &Actor,
    id: Id<of::Import>,
    severity: Option<FaultSeverity>,
    window: &Window<i64>,
) -> Result<Page<ImportFault>> {
    see(conn, actor, id)?;
    let after = window.after.unwrap_or_default();
    let rows = store::faults(conn, id, severity, after, window.limit.saturating_add(1))?;
    let total = store::fault_count(conn, id, severity)?;
    window.page(rows, total, |fault| fault.seq)
}

/// Lets everything be written that was found fit.
pub fn commit(tx: &mut Tx<'_>, actor: &Actor, id: Id<of::Import>) -> Result<ImportView> {
    let (row, side) = see(tx, actor, id)?;
    if side != Side::Owner {
        return Err(Error::forbidden("not_a_member", "只有导入单位的成员才能执行导入。"));
    }
    let Some(step) = rules::decide(row.state, ImportAct::Commit) else {
        let open = rules::open_to(row.state, side);
        return Err(Error::illegal_transition(
            "commit",
            crate::kernel::Code::slug(row.state),
            open,
        ));
    };
    // what is written is written in the name of whoever orders it
    let row = store::taken_over(tx, &row, actor.account, actor.api_key)?;
    let row = store::apply(tx, &row, step, None)?;
    note(tx, &actor.name(), "import.ordered", &row, json!({ "kind": row.kind }))?;
    Ok(view_of(row, side))
}

/// The import, if the caller may see it.
pub fn see(conn: &mut DbConn, actor: &Actor, id: Id<of::Import>) -> Result<(Import, Side)> {
    let row = store::find(conn, id)?.ok_or(UNSEEN)?;
    let side = rules::side(&row, actor).ok_or(UNSEEN)?;
    Ok((row, side))
}

/// Under which key a file is stored: made of its id alone.
pub fn key(id: Id<of::Import>) -> String {
    format!("{}/{id}", work::PREFIX)
}

fn view_of(row: Import, side: Side) -> ImportView {
    let open = rules::open_to(row.state, side);
    ImportView::of(row, open)
}

fn note(
    tx: &mut Tx<'_>,
    by: &str,
    topic: &str,
    row: &Import,
    body: serde_json::Value,
) -> Result<()> {
    journal::record(tx, by, topic, &format!("import:{}", row.id), &body)
}

/// The day after which a file that was found fit and not committed is too old.
pub(super) fn too_old(now: Moment) -> Moment {
    now.plus_days(-7)
}
