//! The first visible sheet of an xlsx workbook.
use std::{fs::File, io::BufReader, ops::ControlFlow};

use calamine::{
    Data, DataRef, DataType, Reader, SheetType, SheetVisible, Xlsx, XlsxError, XlsxFormulaMetadata,
};

use super::{Merged, Row, Value, refused};
use crate::kernel::{Error, Result, archive};

pub struct Book {
    book: Xlsx<BufReader<File>>,
    sheet: String,
}

impl Book {
    pub fn open(file: File, size: u64, limit: u64) -> Result<Self> {
        let mut file = BufReader::new(file);
        let names = archive::entries(&mut file, size, limit)?;
        if !names.iter().any(|name| name == "xl/workbook.xml") {
            return Err(refused(
                "not_a_workbook",
                "这是一个压缩包，但不是 xlsx 工作簿；请上传 xlsx 或 CSV 文件，不要压缩。",
            ));
        }
        let book: Xlsx<_> = Xlsx::new(file).map_err(broken)?;
        let sheet = book
            .sheets_metadata()
            .iter()
            .find(|s| s.typ == SheetType::WorkSheet && s.visible == SheetVisible::Visible)
            .map(|s| s.name.clone())
            .ok_or_else(|| refused("not_a_workbook", "工作簿中没有可见的工作表。"))?;
        Ok(Self { book, sheet })
    }

    pub fn sheet(&self) -> &str {
        &self.sheet
    }

    pub fn merged(&mut self) -> Result<Vec<Merged>> {
        let found = self.book.merge_cells_by_sheet_name(&self.sheet).map_err(broken)?;
        let column = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        Ok(found
            .iter()
            .map(|d| Merged {
                rows: (d.start.0.saturating_add(1), d.end.0.saturating_add(1)),
                columns: (column(d.start.1), column(d.end.1)),
            })
            .collect())
    }

    pub fn rows(&mut self, each: &mut dyn FnMut(Row) -> Result<ControlFlow<()>>) -> Result<()> {
        let mut cells = self.book.worksheet_cells_reader(&self.sheet).map_err(broken)?;
        let mut row = Row::default();
        while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(broken)? {
            let number = cell.pos.0.saturating_add(1);
            if number != row.number {
                let done = std::mem::replace(&mut row, Row { number, cells: Vec::new() });
                if !done.cells.is_empty() && each(done)?.is_break() {
                    return Ok(());
                }
            }
            if let Some(value) = value(&cell.value, cell.formula.as_ref()) {
                row.cells.push((usize::try_from(cell.pos.1).unwrap_or(usize::MAX), value));
            }
        }
        if !row.cells.is_empty() {
            // it was the last one
            let _ = each(row)?;
        }
        Ok(())
    }
}

/// What a cell says; nothing when it is empty.
fn value(cell: &DataRef<'_>, formula: Option<&XlsxFormulaMetadata>) -> Option<Value> {
    if formula.is_some() {
        return Some(Value::formula());
    }
    Some(match cell {
        DataRef::Empty => return None,
        DataRef::String(text) => return Value::of_text(text),
        DataRef::SharedString(text) => return Value::of_text(text),
        DataRef::DateTimeIso(text) => return Value::of_text(text),
        DataRef::Float(number) => Value::Number(*number),
        DataRef::Int(number) => return Value::of_text(&number.to_string()),
        DataRef::Bool(is) => Value::Bool(*is),
        // counted from 1900 or 1904, as the workbook says
        DataRef::DateTime(at) if at.is_datetime() => match Data::DateTime(*at).as_date() {
            Some(day) => Value::Day(day),
            None => Value::bad("bad_date", "这个单元格的日期不存在。"),
        },
        DataRef::DateTime(_) | DataRef::DurationIso(_) => {
            Value::bad("bad_date", "这个单元格是一段时长，不是日期。")
        }
        DataRef::Error(what) => {
            Value::bad("cell_error", format!("单元格的值是错误 {what}；请改正后再导入。"))
        }
    })
}

fn broken(cause: XlsxError) -> Error {
    tracing::debug!(%cause, "a workbook could not be read");
    refused(
        "broken_workbook",
        "工作簿已损坏或不符合 xlsx 格式，无法读取；请用 Excel 或 WPS 打开后另存。",
    )
}
