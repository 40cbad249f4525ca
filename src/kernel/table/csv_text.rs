//! CSV: UTF-8 with or without a mark, UTF-16 with one, or GB18030, as Excel saves it in China.
use std::{fs::File, io::Read, ops::ControlFlow};

use anyhow::Context;
use encoding_rs::{Encoding, GB18030};

use super::{Row, Value, refused};
use crate::kernel::Result;

/// The whole text, with plain line ends; as large as an upload may be.
pub struct Text {
    text: String,
    delimiter: u8,
}

impl Text {
    pub fn open(mut file: File) -> Result<Self> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).context("reading a table")?;
        let mut text = decoded(&bytes)?;
        // one line end only: the number of a row is counted by it
        if text.contains('\r') {
            text = text.replace("\r\n", "\n").replace('\r', "\n");
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        if let Some(n) = text.split('\n').position(|line| line.chars().any(is_alien)) {
            return Err(refused(
                "control_character",
                format!("第 {} 行含有控制字符：这不是 CSV 文本，也不是 xlsx 工作簿。", n + 1),
            ));
        }
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let delimiter = if !first.contains(',') && first.contains('\t') { b'\t' } else { b',' };
        Ok(Self { text, delimiter })
    }

    pub fn rows(&mut self, each: &mut dyn FnMut(Row) -> Result<ControlFlow<()>>) -> Result<()> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .from_reader(self.text.as_bytes());
        let (mut record, mut within) = (csv::StringRecord::new(), 0u64);
        while reader.read_record(&mut record).context("reading CSV that was decoded")? {
            // a line end within a cell begins no row
            let inner: usize = record.iter().map(|cell| cell.matches('\n').count()).sum();
            within += u64::try_from(inner).unwrap_or_default();
            let line = reader.position().line().saturating_sub(1).saturating_sub(within);
            let cells: Vec<_> = record
                .iter()
                .enumerate()
                .filter_map(|(column, cell)| Some((column, value(cell)?)))
                .collect();
            let number = u32::try_from(line).unwrap_or(u32::MAX);
            if !cells.is_empty() && each(Row { number, cells })?.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// What a cell says. An apostrophe before a sign is how exports keep a text from being taken for a formula.
fn value(cell: &str) -> Option<Value> {
    let cell = cell.trim();
    if cell.starts_with('=') {
        return Some(Value::formula());
    }
    let plain = cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@']));
    Value::of_text(plain.unwrap_or(cell))
}

fn is_alien(c: char) -> bool {
    c.is_control() && c != '\t'
}

fn decoded(bytes: &[u8]) -> Result<String> {
    let (encoding, from) = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => (encoding, mark),
        None if std::str::from_utf8(bytes).is_ok() => (encoding_rs::UTF_8, 0),
        None => (GB18030, 0),
    };
    let bytes = bytes.get(from..).unwrap_or_default();
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok(text.into_owned()),
        None => Err(refused(
            "bad_encoding",
            "文件既不是 xlsx 工作簿，也不是 UTF-8、UTF-16 或 GB18030 编码的 CSV 文本。",
        )),
    }
}
