//! What became of every row, as a file.
use std::fs::File;

use super::see;
use crate::{
    exchange::{
        model::{FaultSeverity, Import, ImportKind, ImportState},
        store,
    },
    kernel::{
        Actor, Code, DbConn, Error, Id, Result, of,
        table::{Put, TableFormat, Writer},
    },
};

const PAGE: i64 = 1_000;

/// Writes what became of the rows of an import that is over into `file`: of a committed one every row with
/// what it became, of any the cells that were found fault with.
pub fn result(
    conn: &mut DbConn,
    actor: &Actor,
    id: Id<of::Import>,
    format: TableFormat,
    file: File,
) -> Result<File> {
    let (row, _) = see(conn, actor, id)?;
    if matches!(row.state, ImportState::Checking | ImportState::Committing) {
        return Err(Error::conflict("not_finished", "导入尚未完成；请稍后再取结果。"));
    }
    let heads = ["行号", "结果", "编号", "地址", "单元格", "列名", "代码", "说明"];
    let mut out = Writer::new(format, file, "导入结果", &heads)?;
    write_made(conn, &row, &mut out)?;
    let mut after = 0;
    loop {
        let some = store::faults(conn, row.id, None, after, PAGE)?;
        let Some(last) = some.last() else { return out.finish() };
        after = last.seq;
        for fault in &some {
            let result = match fault.severity {
                FaultSeverity::Error => FaultSeverity::Error.zh(),
                FaultSeverity::Warning => FaultSeverity::Warning.zh(),
            };
            out.row(&[
                Put::Int(fault.line),
                Put::text(result),
                Put::Nothing,
                Put::Nothing,
                Put::text(&fault.cell),
                Put::text(&fault.column),
                Put::text(&fault.code),
                Put::text(&fault.detail),
            ])?;
        }
    }
}

fn write_made(conn: &mut DbConn, row: &Import, out: &mut Writer) -> Result<()> {
    let path = match row.kind {
        ImportKind::Achievements => "achievements",
        ImportKind::Demands => "demands",
        ImportKind::Contracts => "contracts",
    };
    let mut after = 0;
    loop {
        let some = store::made(conn, row.id, after, PAGE)?;
        let Some((last, _)) = some.last() else { return Ok(()) };
        after = *last;
        for (line, made) in &some {
            let address = format!("/api/v1/{path}/{made}");
            out.row(&[Put::Int(*line), Put::text("已导入"), Put::text(made), Put::text(address)])?;
        }
    }
}
