//! Tables that people send and fetch: the first sheet of an xlsx workbook, or CSV.
//!
//! Words: a *heading* names a column, in the first row that has at least two known ones (a title may stand
//! above it); every *cell* keeps its *address* (`Sheet1!C17`, in CSV `C17`), by which every fault is told.
//!
//! What is read is only what stands there: a formula is refused and never computed, its cached value is
//! never taken, for nobody can tell whether it is of today; so is what lies in merged cells. A file is
//! looked into before it is opened, its rows come one by one, and after [`MOST_ROWS`] of them reading
//! stops: a sheet of a million rows costs no memory.
mod answer;
mod columns;
mod csv_text;
mod value;
mod workbook;
mod write;

use std::{
    fs::File,
    io::{Seek, SeekFrom},
    ops::ControlFlow,
};

use anyhow::Context;

pub use answer::download;
pub use columns::{Heads, Name};
pub use value::{Flaw, Value, folded};
pub use write::{Put, Writer};

use super::{
    Error, Result,
    archive::{self, read_full},
};
use crate::codes;

/// Rows with something in them below the headings.
pub const MOST_ROWS: i64 = 100_000;
/// Columns with something in them.
const MOST_COLUMNS: usize = 200;
/// Rows above the headings, with them.
const HEADINGS_WITHIN: usize = 10;

codes! {
    /// How a table is written down.
    pub enum TableFormat {
        Xlsx = "xlsx" "Excel 工作簿" "Excel workbook",
        Csv = "csv" "CSV 文本" "CSV text",
    }
}

impl TableFormat {
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// A row with something in it.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// As the sheet counts, from 1.
    pub number: u32,
    /// What is filled, with its column from 0, from left to right.
    pub cells: Vec<(usize, Value)>,
}

impl Row {
    pub fn get(&self, column: usize) -> Option<&Value> {
        self.cells.iter().find(|(at, _)| *at == column).map(|(_, value)| value)
    }
}

/// Cells that were made one: first and last row from 1, first and last column from 0.
#[derive(Debug, Clone, Copy)]
pub struct Merged {
    pub rows: (u32, u32),
    pub columns: (usize, usize),
}

enum Source {
    Book(Box<workbook::Book>),
    Text(csv_text::Text),
}

/// A table that has been opened: its rows can be read as often as wanted.
pub struct Table {
    source: Source,
}

impl Table {
    /// Opens what `file` is by its content. `limit` is the largest file in bytes.
    ///
    /// Refuses with 422 at `/file`: `empty_file`, `old_workbook` (xls), `not_a_workbook`, `broken_workbook`,
    /// `bad_encoding`, and what archives are refused for.
    pub fn open(mut file: File, limit: i64) -> Result<Self> {
        let size = file.seek(SeekFrom::End(0)).context("measuring a table")?;
        file.seek(SeekFrom::Start(0)).context("reading a table")?;
        let mut head = [0; 8];
        let n = read_full(&mut file, &mut head).context("reading a table")?;
        let head = head.get(..n).unwrap_or_default();
        file.seek(SeekFrom::Start(0)).context("reading a table")?;
        if head.is_empty() {
            return Err(refused("empty_file", "文件是空的（0 字节）。"));
        }
        if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
            return Err(refused(
                "old_workbook",
                "这是旧版 xls 文件或加密的工作簿；请去掉密码，另存为 xlsx 或 CSV 后再上传。",
            ));
        }
        let source = if archive::is_archive(head) {
            let limit = u64::try_from(limit).unwrap_or_default();
            Source::Book(Box::new(workbook::Book::open(file, size, limit)?))
        } else {
            Source::Text(csv_text::Text::open(file)?)
        };
        Ok(Self { source })
    }

    pub fn format(&self) -> TableFormat {
        match self.source {
            Source::Book(_) => TableFormat::Xlsx,
            Source::Text(_) => TableFormat::Csv,
        }
    }

    /// `Sheet1!C17`, or `C17` where there are no sheets.
    pub fn address(&self, row: u32, column: usize) -> String {
        let cell = format!("{}{row}", letters(column));
        match &self.source {
            Source::Book(book) => format!("{}!{cell}", quoted(book.sheet())),
            Source::Text(_) => cell,
        }
    }

    /// `Sheet1!C17:D20`.
    pub fn address_of(&self, merged: Merged) -> String {
        let (rows, columns) = (merged.rows, merged.columns);
        format!("{}:{}{}", self.address(rows.0, columns.0), letters(columns.1), rows.1)
    }

    /// Cells that were made one.
    pub fn merged(&mut self) -> Result<Vec<Merged>> {
        match &mut self.source {
            Source::Book(book) => book.merged(),
            Source::Text(_) => Ok(Vec::new()),
        }
    }

    /// Gives every row that has something in it to `each`, until it has had enough. Refuses
    /// `too_many_columns` by the cell that is too much.
    pub fn rows(&mut self, mut each: impl FnMut(Row) -> Result<ControlFlow<()>>) -> Result<()> {
        let widest = |row: &Row| row.cells.last().map_or(0, |(at, _)| *at);
        let mut wide = None;
        let mut narrow = |row: Row| {
            if widest(&row) >= MOST_COLUMNS {
                wide = Some((row.number, widest(&row)));
                return Ok(ControlFlow::Break(()));
            }
            each(row)
        };
        match &mut self.source {
            Source::Book(book) => book.rows(&mut narrow)?,
            Source::Text(text) => text.rows(&mut narrow)?,
        }
        match wide {
            Some((row, column)) => Err(Error::invalid(
                &self.address(row, column),
                "too_many_columns",
                format!("最多 {MOST_COLUMNS} 列；请删去多余的列。"),
            )),
            None => Ok(()),
        }
    }

    /// The rows below `heads`, at most [`MOST_ROWS`]; refuses `too_many_rows` by the row that is too much.
    pub fn rows_below(
        &mut self,
        heads: &Heads,
        mut each: impl FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        let (mut seen, mut over) = (0i64, None);
        self.rows(|row| {
            if row.number <= heads.row {
                return Ok(ControlFlow::Continue(()));
            }
            seen += 1;
            if seen > MOST_ROWS {
                over = Some(row.number);
                return Ok(ControlFlow::Break(()));
            }
            each(row)?;
            Ok(ControlFlow::Continue(()))
        })?;
        match over {
            Some(row) => Err(Error::invalid(
                &self.address(row, 0),
                "too_many_rows",
                format!("最多 {MOST_ROWS} 行；请把表格拆成几个文件分别导入。"),
            )),
            None => Ok(()),
        }
    }

    /// How many rows there are below `heads`.
    pub fn count(&mut self, heads: &Heads) -> Result<i64> {
        let mut rows = 0;
        self.rows_below(heads, |_| {
            rows += 1;
            Ok(())
        })?;
        Ok(rows)
    }
}

fn refused(code: &'static str, why: impl Into<String>) -> Error {
    Error::invalid("/file", code, why)
}

/// `A` for 0, `AA` for 26.
pub fn letters(column: usize) -> String {
    const ALPHABET: [char; 26] = [
        'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R',
        'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z',
    ];
    let (mut rest, mut out): (usize, Vec<char>) = (column + 1, Vec::new());
    while rest > 0 {
        rest -= 1;
        out.extend(ALPHABET.get(rest % 26));
        rest /= 26;
    }
    out.iter().rev().collect()
}

/// A name of a sheet as formulas write it.
fn quoted(sheet: &str) -> String {
    if sheet.chars().all(|c| c.is_alphanumeric() || c == '_') {
        sheet.to_owned()
    } else {
        format!("'{}'", sheet.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests;
