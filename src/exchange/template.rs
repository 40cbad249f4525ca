//! The template of a table: headings, an example that is not imported, the code lists, and what goes where.
use std::fs::File;

use rust_xlsxwriter::{DataValidation, Format as Style, Formula, Workbook, Worksheet};

use super::{
    model::ImportKind,
    rules::columns::{Column, Reading, columns},
};
use crate::kernel::{
    Code, Error, Label, Result,
    table::{MOST_ROWS, Put, TableFormat, Writer, letters},
};

/// Stands in the first cell of the example: such a row is not imported.
const MARK: &str = "#示例，导入时跳过";

fn shown(kind: ImportKind) -> Vec<&'static Column> {
    columns(kind).iter().filter(|column| !column.hidden).collect()
}

/// What the example says in the column at `at`.
fn example(column: &Column, at: usize) -> String {
    if at == 0 { format!("{MARK} {}", column.example) } else { column.example.to_owned() }
}

/// Writes the template into `file`.
pub fn write(kind: ImportKind, format: TableFormat, mut file: File) -> Result<File> {
    match format {
        TableFormat::Csv => {
            let all = shown(kind);
            let heads: Vec<_> = all.iter().map(|column| column.name.zh).collect();
            let mut out = Writer::new(format, file, kind.zh(), &heads)?;
            let cells: Vec<_> =
                all.iter().enumerate().map(|(at, column)| Put::text(example(column, at))).collect();
            out.row(&cells)?;
            out.finish()
        }
        TableFormat::Xlsx => {
            let mut book = workbook(kind).map_err(unwritten)?;
            book.save_to_writer(&mut file).map_err(unwritten)?;
            std::io::Seek::rewind(&mut file).map_err(anyhow::Error::from)?;
            Ok(file)
        }
    }
}

fn unwritten(cause: rust_xlsxwriter::XlsxError) -> Error {
    anyhow::Error::new(cause).context("writing a template").into()
}

type Done<T = ()> = std::result::Result<T, rust_xlsxwriter::XlsxError>;

const LISTS: &str = "代码表";

fn workbook(kind: ImportKind) -> Done<Workbook> {
    let all = shown(kind);
    let mut lists: Vec<(&'static str, Vec<Label>)> = Vec::new();
    for column in &all {
        if let Some(list) = column.list() {
            lists.push((column.name.zh, list));
        }
    }
    let mut book = Workbook::new();
    fill_data(book.add_worksheet(), kind, &all, &lists)?;
    fill_lists(book.add_worksheet(), &lists)?;
    fill_about(book.add_worksheet(), &all)?;
    Ok(book)
}

fn fill_data(
    page: &mut Worksheet,
    kind: ImportKind,
    all: &[&Column],
    lists: &[(&'static str, Vec<Label>)],
) -> Done {
    page.set_name(kind.zh())?;
    page.set_freeze_panes(1, 0)?;
    let (must, may) =
        (Style::new().set_bold().set_background_color("#FFE699"), Style::new().set_bold());
    let grey = Style::new().set_italic().set_font_color("#808080");
    let (text, day) = (Style::new().set_num_format("@"), Style::new().set_num_format("yyyy-mm-dd"));
    let amount = Style::new().set_num_format("#,##0.00");
    for (column, at) in all.iter().zip(0u16..) {
        let name = &column.name;
        let head = if name.required { format!("{}*", name.zh) } else { name.zh.to_owned() };
        page.write_string_with_format(0, at, head, if name.required { &must } else { &may })?;
        page.write_string_with_format(1, at, example(column, usize::from(at)), &grey)?;
        page.set_column_width(at, 16)?;
        match column.reading {
            Reading::Day => page.set_column_format(at, &day)?,
            Reading::Yuan | Reading::Line(_) | Reading::Total => {
                page.set_column_format(at, &amount)?
            }
            Reading::Integer | Reading::Sets | Reading::Fen => page,
            // a code of many digits must not become a number
            _ => page.set_column_format(at, &text)?,
        };
        if let Some(rule) = validation(column, lists)? {
            let last = u32::try_from(MOST_ROWS).unwrap_or(u32::MAX);
            page.add_data_validation(2, at, last, at, &rule)?;
        }
    }
    Ok(())
}

/// The choice that a cell of the column offers.
fn validation(
    column: &Column,
    lists: &[(&'static str, Vec<Label>)],
) -> Done<Option<DataValidation>> {
    let rule = match column.reading {
        Reading::Boolean => DataValidation::new().allow_list_strings(&["是", "否"])?,
        Reading::Code(_) => {
            let place = lists.iter().position(|(name, _)| *name == column.name.zh);
            let Some((place, (_, list))) = place.and_then(|at| Some((at, lists.get(at)?))) else {
                return Ok(None);
            };
            // names stand in every second column, below a heading
            let letter = letters(place * 3 + 1);
            let last = list.len() + 1;
            let range = format!("={LISTS}!${letter}$2:${letter}${last}");
            DataValidation::new().allow_list_formula(Formula::new(range))
        }
        _ => return Ok(None),
    };
    let rule = rule
        .set_error_title("不在列表之内")?
        .set_error_message("请从下拉列表中选择，或填写代码表中的代码。")?
        // codes are allowed, too
        .set_error_style(rust_xlsxwriter::DataValidationErrorStyle::Warning);
    Ok(Some(rule))
}

/// Three columns a list: code, name, and an empty one.
fn fill_lists(page: &mut Worksheet, lists: &[(&'static str, Vec<Label>)]) -> Done {
    page.set_name(LISTS)?;
    page.set_freeze_panes(1, 0)?;
    let bold = Style::new().set_bold();
    for ((name, list), at) in lists.iter().zip((0u16..).step_by(3)) {
        page.write_string_with_format(0, at, format!("{name} 代码"), &bold)?;
        page.write_string_with_format(0, at + 1, *name, &bold)?;
        page.set_column_width(at + 1, 24)?;
        for (label, row) in list.iter().zip(1u32..) {
            page.write_string(row, at, label.code)?;
            page.write_string(row, at + 1, label.zh)?;
        }
    }
    Ok(())
}

fn fill_about(page: &mut Worksheet, all: &[&Column]) -> Done {
    page.set_name("填写说明")?;
    let bold = Style::new().set_bold();
    let general = [
        "第一张工作表填写数据：第 1 行为列名，不要改动；带 * 的列必填；第 2 行是示例，以 # 开头的行不导入。",
        "金额一律以元为单位，至多两位小数；日期可用日期格式，也可写作 2026-03-01、2026/3/1、2026年3月1日。",
        "代码列可填代码或名称；可多选的列以分号隔开。不要使用公式与合并单元格。",
        "至多 100000 行；所有行检查无误才会导入，导入后为草稿。",
    ];
    let mut row = 0;
    for line in general {
        page.write_string(row, 0, line)?;
        row += 1;
    }
    row += 1;
    for (head, at) in ["列名", "字段", "必填", "说明"].iter().zip(0u16..) {
        page.write_string_with_format(row, at, *head, &bold)?;
    }
    for column in all {
        row += 1;
        page.write_string(row, 0, column.name.zh)?;
        page.write_string(row, 1, column.name.en)?;
        page.write_string(row, 2, if column.name.required { "是" } else { "" })?;
        page.write_string(row, 3, column.about)?;
    }
    page.set_column_width(0, 22)?.set_column_width(1, 28)?.set_column_width(3, 60)?;
    Ok(())
}
