//! The headings of a table, and which column of it is which of those that are wanted.
use std::ops::ControlFlow;

use super::{HEADINGS_WITHIN, Row, Table, Value, folded, refused, value::short};
use crate::kernel::{Error, Faults, Result};

/// What a column may be called.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    /// The heading that templates have.
    pub zh: &'static str,
    /// The name of the field.
    pub en: &'static str,
    pub required: bool,
}

/// Where the headings stand, and in which column (from 0) each of the wanted ones is.
#[derive(Debug, Clone)]
pub struct Heads {
    pub row: u32,
    pub at: Vec<Option<usize>>,
    /// One past the last column that has a heading.
    pub width: usize,
}

impl Heads {
    /// Finds `names` in the headings of `table`. Every column that is unknown, there twice or missing is
    /// named in one answer, by its address.
    pub fn find(table: &mut Table, names: &[Name]) -> Result<Self> {
        let mut first: Vec<Row> = Vec::new();
        table.rows(|row| {
            first.push(row);
            let enough = first.len() >= HEADINGS_WITHIN;
            Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        let known = |row: &Row| row.cells.iter().filter(|(_, v)| which(names, v).is_some()).count();
        let row = first.iter().find(|row| known(row) >= 2).or_else(|| first.first());
        let Some(row) = row else {
            return Err(refused("empty_table", "表格是空的；请从模板开始填写。"));
        };
        let mut faults = Faults::default();
        let mut at: Vec<Option<usize>> = vec![None; names.len()];
        for (column, value) in &row.cells {
            let place = table.address(row.number, *column);
            let told = value.text().unwrap_or_default();
            match which(names, value).and_then(|n| at.get_mut(n)) {
                None => faults.add(
                    place,
                    "unknown_column",
                    format!("没有名为“{}”的列；请对照模板改正列名，或删去这一列。", short(&told)),
                ),
                Some(slot @ None) => *slot = Some(*column),
                Some(Some(earlier)) => faults.add(
                    place,
                    "duplicate_column",
                    format!(
                        "“{}”与 {} 是同一列，只能有一列。",
                        short(&told),
                        table.address(row.number, *earlier)
                    ),
                ),
            }
        }
        let missing: Vec<_> = names
            .iter()
            .zip(&at)
            .filter(|(n, at)| n.required && at.is_none())
            .map(|(n, _)| n.zh)
            .collect();
        if !missing.is_empty() {
            faults.add(
                table.address(row.number, 0),
                "missing_column",
                format!("第 {} 行应为列名，其中缺少：{}。", row.number, missing.join("、")),
            );
        }
        let width = row.cells.last().map_or(0, |(column, _)| column + 1);
        let heads = Self { row: row.number, at, width };
        faults.finish().map(|()| heads)
    }

    /// What the first cell without a heading is faulty by, if a row has one.
    pub fn stray(&self, row: &Row) -> Option<usize> {
        row.cells.iter().map(|(column, _)| *column).find(|c| !self.at.contains(&Some(*c)))
    }

    /// That there is a table with rows below.
    pub fn not_empty(rows: i64) -> Result<(), Error> {
        if rows > 0 {
            return Ok(());
        }
        Err(refused("empty_table", "列名之下没有数据行。"))
    }
}

/// Which of `names` a heading is: `成交额(元)`, `amount`, or both; a star or blanks do not matter.
fn which(names: &[Name], value: &Value) -> Option<usize> {
    let Value::Text(text) = value else { return None };
    let told = plain(text);
    names.iter().position(|name| {
        let (zh, en) = (plain(name.zh), plain(name.en));
        told == zh || told == en || told == format!("{zh}({en})") || told == format!("{zh}{en}")
    })
}

fn plain(text: &str) -> String {
    let kept = folded(text).to_lowercase();
    kept.chars().filter(|c| !c.is_whitespace() && *c != '*').collect()
}
