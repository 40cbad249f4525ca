//! Writing tables, row by row, into a file.
//!
//! A text that begins like a formula (`=`, `+`, `-`, `@`) is never one: in a workbook it is marked as
//! text, in CSV an apostrophe is set before it, which reading takes off again.
use std::{
    borrow::Cow,
    fs::File,
    io::{Seek, SeekFrom, Write},
};

use anyhow::Context;
use rust_xlsxwriter::{Format as Style, Workbook};

use super::TableFormat;
use crate::kernel::{Day, Error, Fen, Result};

/// Rows of a sheet, as the format has it.
const MOST: u32 = 1_048_576;

/// What is put into a cell.
#[derive(Debug, Clone)]
pub enum Put<'a> {
    Nothing,
    Text(Cow<'a, str>),
    /// An amount in yuan with two decimals.
    Yuan(Fen),
    Int(i64),
    Day(Day),
}

impl<'a> Put<'a> {
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }
    pub fn maybe(text: Option<&'a str>) -> Self {
        text.map_or(Self::Nothing, Self::text)
    }
    pub fn yes_or_no(is: bool) -> Self {
        Self::text(if is { "是" } else { "否" })
    }
}

/// A workbook and how its cells look.
struct Book {
    book: Workbook,
    file: File,
    plain: Style,
    quoted: Style,
    yuan: Style,
    day: Style,
}

enum Target {
    Book(Box<Book>),
    Text(Box<csv::Writer<File>>),
}

/// A table on its way into a file.
pub struct Writer {
    target: Target,
    row: u32,
}

impl Writer {
    /// Begins a table in `file` with these headings.
    pub fn new(format: TableFormat, mut file: File, sheet: &str, heads: &[&str]) -> Result<Self> {
        let target = match format {
            TableFormat::Xlsx => {
                let mut book = Workbook::new();
                let page = book.add_worksheet_with_constant_memory().map_err(unwritten)?;
                page.set_name(sheet).map_err(unwritten)?;
                page.set_freeze_panes(1, 0).map_err(unwritten)?;
                Target::Book(Box::new(Book {
                    book,
                    file,
                    plain: Style::new(),
                    quoted: Style::new().set_quote_prefix(),
                    yuan: Style::new().set_num_format("#,##0.00"),
                    day: Style::new().set_num_format("yyyy-mm-dd"),
                }))
            }
            TableFormat::Csv => {
                // Excel takes text without a mark for GB18030
                file.write_all("\u{feff}".as_bytes()).context("writing a table")?;
                Target::Text(Box::new(csv::WriterBuilder::new().flexible(true).from_writer(file)))
            }
        };
        let mut begun = Self { target, row: 0 };
        let heads: Vec<_> = heads.iter().map(|head| Put::text(*head)).collect();
        begun.row(&heads)?;
        Ok(begun)
    }

    pub fn row(&mut self, cells: &[Put<'_>]) -> Result<()> {
        let row = self.row;
        self.row += 1;
        match &mut self.target {
            Target::Book(target) => {
                let Book { book, plain, quoted, yuan, day, .. } = &mut **target;
                if row >= MOST {
                    return Err(Error::invalid(
                        "format",
                        "too_many_rows",
                        format!("超过 {MOST} 行，xlsx 放不下；请缩小范围，或改用 csv。"),
                    ));
                }
                let page = book.worksheet_from_index(0).map_err(unwritten)?;
                for (cell, column) in cells.iter().zip(0u16..) {
                    let done = match cell {
                        Put::Nothing => continue,
                        Put::Text(text) => {
                            let style = if is_risky(text) { &*quoted } else { &*plain };
                            page.write_string_with_format(row, column, fitting(text), style)
                        }
                        Put::Yuan(fen) => {
                            let amount: f64 = in_yuan(*fen).parse().context("an amount")?;
                            page.write_number_with_format(row, column, amount, yuan)
                        }
                        Put::Int(n) => match i32::try_from(*n) {
                            Ok(n) => page.write_number(row, column, n),
                            Err(_) => page.write_string(row, column, n.to_string()),
                        },
                        Put::Day(on) => page.write_datetime_with_format(row, column, on, day),
                    };
                    done.map_err(unwritten)?;
                }
            }
            Target::Text(out) => {
                let cells = cells.iter().map(|cell| match cell {
                    Put::Nothing => Cow::Borrowed(""),
                    Put::Text(text) if is_risky(text) => Cow::Owned(format!("'{text}")),
                    Put::Text(text) => Cow::Borrowed(text.as_ref()),
                    Put::Yuan(fen) => Cow::Owned(in_yuan(*fen)),
                    Put::Int(n) => Cow::Owned(n.to_string()),
                    Put::Day(day) => Cow::Owned(day.to_string()),
                });
                out.write_record(cells.map(|c| c.as_bytes().to_vec()))
                    .context("writing a table")?;
            }
        }
        Ok(())
    }

    /// The whole file, to be read from its beginning.
    pub fn finish(self) -> Result<File> {
        let mut file = match self.target {
            Target::Book(target) => {
                let Book { mut book, mut file, .. } = *target;
                book.save_to_writer(&mut file).map_err(unwritten)?;
                file
            }
            Target::Text(out) => {
                out.into_inner().map_err(|e| anyhow::anyhow!("writing a table: {e}"))?
            }
        };
        file.seek(SeekFrom::Start(0)).context("reading a table back")?;
        Ok(file)
    }
}

/// Whether a spreadsheet might take the text for a formula.
fn is_risky(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// What a cell of a workbook holds at the most.
fn fitting(text: &str) -> String {
    text.chars().take(32_767).collect()
}

/// `1200000.05`.
fn in_yuan(fen: Fen) -> String {
    fen.in_yuan().replace(',', "")
}

fn unwritten(cause: rust_xlsxwriter::XlsxError) -> Error {
    anyhow::Error::new(cause).context("writing a workbook").into()
}
