use std::io::{Cursor, Write};

use rust_xlsxwriter::{ExcelDateTime, Format as Style, Workbook};

use super::*;
use crate::kernel::{Day, Fen};

const NAMES: &[Name] = &[
    Name { zh: "名称", en: "title", required: true },
    Name { zh: "成交额（元）", en: "amount", required: true },
    Name { zh: "签订日期", en: "signed_on", required: false },
];

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn open(bytes: &[u8]) -> Result<Table> {
    Table::open(file(bytes), 10 << 20)
}

fn code(refused: Result<impl Sized>) -> String {
    match refused {
        Ok(_) => "fine".to_owned(),
        Err(Error::Invalid(faults)) => faults
            .iter()
            .map(|f| format!("{} {}", f.pointer, f.code))
            .collect::<Vec<_>>()
            .join("; "),
        Err(other) => other.to_string(),
    }
}

fn all(table: &mut Table) -> Vec<Row> {
    let mut rows = Vec::new();
    table
        .rows(|row| {
            rows.push(row);
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    rows
}

fn book(make: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut book = Workbook::new();
    make(book.add_worksheet());
    book.save_to_buffer().unwrap()
}

#[test]
fn columns_have_letters() {
    let told: Vec<_> = [0, 25, 26, 51, 52, 701, 702].map(letters).to_vec();
    assert_eq!(told, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
}

#[test]
fn what_is_no_table_is_told_apart() {
    assert_eq!(code(open(b"")), "/file empty_file");
    assert_eq!(code(open(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest")), "/file old_workbook");
    assert_eq!(code(open(b"%PDF-1.7\n\x01\x02")), "/file control_character");
    assert_eq!(code(open(b"a,b\n\xff\xff\xff")), "/file bad_encoding");
    assert_eq!(code(open(b"PK\x03\x04nothing")), "/file broken_archive");
    let mut zip = zip::write::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("a.txt", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all("名称".as_bytes()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    assert_eq!(code(open(&zip)), "/file not_a_workbook");
    let whole = book(|page| {
        page.write_string(0, 0, "名称").unwrap();
    });
    assert_eq!(code(open(&whole[..whole.len() / 2])), "/file broken_archive");
}

#[test]
fn csv_is_read_in_the_encodings_that_excel_writes() {
    let text = "名称,签订日期\n\"两行\n的名称\",2026-03-01\n\n末行,\n";
    let gb = encoding_rs::GB18030.encode(text).0.into_owned();
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(text.replace(',', "\t").encode_utf16().flat_map(u16::to_le_bytes));
    let with_mark = format!("\u{feff}{text}").replace('\n', "\r\n").into_bytes();
    for bytes in [text.as_bytes().to_vec(), with_mark, gb, utf16] {
        let mut table = open(&bytes).unwrap();
        let rows = all(&mut table);
        let numbers: Vec<_> = rows.iter().map(|row| row.number).collect();
        assert_eq!(numbers[..2], [1, 2]);
        assert_eq!(rows[0].cells[0].1, Value::Text("名称".into()));
        assert_eq!(rows[2].cells[0].1, Value::Text("末行".into()));
        assert_eq!(table.address(17, 2), "C17");
    }
    // an empty line is a row, a line end within a cell is none
    let numbers: Vec<_> =
        all(&mut open(text.as_bytes()).unwrap()).iter().map(|r| r.number).collect();
    assert_eq!(numbers, [1, 2, 4]);
}

#[test]
fn a_workbook_keeps_addresses_and_types() {
    let day = Style::new().set_num_format("yyyy-mm-dd");
    let bytes = book(|page| {
        page.set_name("合同 表").unwrap();
        page.merge_range(0, 0, 0, 2, "技术合同一览", &Style::new()).unwrap();
        for (at, head) in ["名称*", "成交额（元）", "签订日期"].iter().enumerate() {
            page.write_string(1, u16::try_from(at).unwrap(), *head).unwrap();
        }
        page.write_string(4, 0, " 甲 ").unwrap();
        page.write_number(4, 1, 0.1 + 0.2).unwrap();
        let on = ExcelDateTime::from_ymd(2026, 3, 1).unwrap();
        page.write_datetime_with_format(4, 2, &on, &day).unwrap();
        page.write_formula(5, 1, "=1+1").unwrap();
        page.merge_range(6, 0, 7, 1, "两格", &Style::new()).unwrap();
    });
    let mut table = open(&bytes).unwrap();
    let heads = Heads::find(&mut table, NAMES).unwrap();
    assert_eq!((heads.row, &heads.at[..]), (2, &[Some(0), Some(1), Some(2)][..]));
    let mut rows = Vec::new();
    table
        .rows_below(&heads, |row| {
            rows.push(row);
            Ok(())
        })
        .unwrap();
    assert_eq!(rows[0].number, 5);
    assert_eq!(rows[0].get(0), Some(&Value::Text("甲".into())));
    assert_eq!(rows[0].get(1).unwrap().fen(), Ok(Fen(30)));
    assert_eq!(rows[0].get(2), Some(&Value::Day(Day::from_ymd_opt(2026, 3, 1).unwrap())));
    assert_eq!(rows[1].get(1).unwrap().fen().unwrap_err().code, "formula");
    assert_eq!(table.address(6, 1), "'合同 表'!B6");
    let merged = table.merged().unwrap();
    assert_eq!(table.address_of(merged[1]), "'合同 表'!A7:B8");
    assert_eq!(table.count(&heads).unwrap(), 3);
}

#[test]
fn headings_that_do_not_fit_are_all_named() {
    let told = |text: &str| code(Heads::find(&mut open(text.as_bytes()).unwrap(), NAMES));
    assert_eq!(told("名称,amount,备注,title\n"), "C1 unknown_column; D1 duplicate_column");
    assert_eq!(told("名称,成交额(万元)\n"), "B1 unknown_column; A1 missing_column");
    assert_eq!(told("Title ,成交额(元)(amount)\n"), "fine");
    assert_eq!(told("\n \n"), "/file empty_table");
}

#[test]
fn a_text_that_looks_like_a_formula_is_none() {
    for format in [TableFormat::Xlsx, TableFormat::Csv] {
        let out = tempfile::tempfile().unwrap();
        let mut writer = Writer::new(format, out, "表", &["名称", "成交额（元）"]).unwrap();
        for text in ["=HYPERLINK(\"x\")", "+1", "-1", "@SUM(A1)", "平常"] {
            writer.row(&[Put::text(text), Put::Yuan(Fen(120_000_005))]).unwrap();
        }
        let mut file = writer.finish().unwrap();
        if format == TableFormat::Csv {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut file, &mut text).unwrap();
            assert!(text.contains("'=HYPERLINK") && text.contains("\n'-1,1200000.05\n"), "{text}");
        }
        let mut table = Table::open(file, 1 << 20).unwrap();
        let rows = all(&mut table);
        let told: Vec<_> = rows.iter().map(|row| row.get(0).unwrap().text().unwrap()).collect();
        assert_eq!(told, ["名称", "=HYPERLINK(\"x\")", "+1", "-1", "@SUM(A1)", "平常"]);
        assert_eq!(rows[1].get(1).unwrap().fen(), Ok(Fen(120_000_005)));
    }
}

#[test]
fn a_sheet_without_end_is_left_early() {
    let mut text = "名称,成交额(元)\n".to_owned();
    text.push_str(&"甲,1\n".repeat(100_001));
    let mut table = open(text.as_bytes()).unwrap();
    let heads = Heads::find(&mut table, NAMES).unwrap();
    let mut seen = 0;
    let told = table.rows_below(&heads, |_| {
        seen += 1;
        Ok(())
    });
    assert_eq!((code(told).as_str(), seen), ("A100002 too_many_rows", 100_000));
    let wide = format!("{},x\n", ",".repeat(250));
    assert_eq!(
        code(Heads::find(&mut open(wide.as_bytes()).unwrap(), NAMES)),
        "IR1 too_many_columns"
    );
}
