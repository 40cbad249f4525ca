//! A report as a page for print: everything in one file, drawn with SVG, nothing from elsewhere.
use std::sync::LazyLock;

use anyhow::Context;
use minijinja::{Environment, UndefinedBehavior, Value, context, value::Serde};
use serde::Serialize;

use super::{Money, shown, words::Words};
use crate::{
    insight::model::{Figure, FigureCall, FigureChart, FigureRow, FigureUnit, FigureValue, Report},
    kernel::{Code, Lang, Result},
};

const TEMPLATE: &str = "report.html";

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut all = Environment::new();
    all.set_undefined_behavior(UndefinedBehavior::Strict);
    if let Err(cause) = all.add_template(TEMPLATE, include_str!("../templates/report.html")) {
        tracing::error!(%cause, "the template of reports is faulty");
    }
    all
});

/// The size of a drawing, in units of SVG.
const WIDTH: i64 = 640;
const HEIGHT: i64 = 200;
/// Room for the names beside bars, and for the figures behind them.
const NAMES: i64 = 150;
const FIGURES: i64 = 110;
const BAR: i64 = 18;
/// Characters that a cell always has room for.
const SHORT: usize = 10;

#[derive(Serialize)]
struct Cell {
    /// How it is laid out: `n` a number, `s` a short text, which is kept on one line.
    class: &'static str,
    text: String,
}

impl Cell {
    fn new(text: String, unit: FigureUnit) -> Self {
        let class = match unit {
            FigureUnit::Text if text.chars().count() > SHORT => "",
            FigureUnit::Text => "s",
            _ => "n",
        };
        Self { class, text }
    }
}

#[derive(Serialize)]
struct Line {
    cells: Vec<Cell>,
    is_total: bool,
}

/// A bar with its name and figure, placed.
#[derive(Serialize)]
struct Bar {
    x: i64,
    y: i64,
    width: i64,
    height: i64,
    name: String,
    figure: String,
}

#[derive(Serialize)]
struct Curve {
    /// `x,y` of each month.
    points: String,
    name: String,
    class: usize,
}

/// What is drawn below a table.
#[derive(Serialize, Default)]
struct Drawing {
    width: i64,
    height: i64,
    rows: Vec<Bar>,
    columns: Vec<Bar>,
    curves: Vec<Curve>,
    most: String,
}

#[derive(Serialize)]
struct Table<'a> {
    title: &'a str,
    heads: Vec<String>,
    lines: Vec<Line>,
    drawing: Option<Drawing>,
    sources: &'a [FigureCall],
}

#[derive(Serialize)]
struct Part<'a> {
    title: &'a str,
    tables: Vec<Table<'a>>,
}

/// The page.
pub fn page(report: &Report, lang: Lang) -> Result<String> {
    let words = Words(lang);
    let parts: Vec<Part<'_>> = report
        .sections
        .iter()
        .map(|s| Part {
            title: &s.title,
            tables: s.figures.iter().map(|f| table(f, words)).collect(),
        })
        .collect();
    let text = TEMPLATES
        .get_template(TEMPLATE)
        .and_then(|template| {
            template.render(context! {
                lang => lang.slug(),
                title => &report.title,
                period => &report.period_name,
                cut_off => Value::from(Serde(report.cut_off)),
                basis => words.code(report.query.basis),
                findings => &report.findings,
                notes => &report.notes,
                parts => Value::from(Serde(parts)),
                call => &report.call,
                digest => &report.digest,
                made => report.as_of.clock_in_shanghai(),
                words => context! {
                    up_to => words.pick("数据截止", "Up to"),
                    position => words.pick("日志序号", "Journal"),
                    basis => words.pick("口径", "Basis"),
                    findings => words.pick("要点", "Findings"),
                    notes => words.pick("说明", "Notes"),
                    call => words.pick("取数地址", "Call"),
                    digest => words.pick("摘要", "Digest"),
                    made => words.pick("生成时间（北京时间）", "Made (Asia/Shanghai)"),
                    page => words.pick("第", "Page"),
                    of => words.pick("页，共", "of"),
                    pages => words.pick("页", ""),
                },
            })
        })
        .context("the template of reports")?;
    Ok(text)
}

fn table(figure: &Figure, words: Words) -> Table<'_> {
    let money = Money::of(figure);
    let heads = figure.columns.iter().map(|c| words.heading(&c.label, c.unit, money));
    let lines = figure.rows.iter().map(|row| {
        let cells = row.cells.iter().zip(&figure.columns);
        let cells = cells.map(|(value, c)| Cell::new(shown(value, c.unit, money), c.unit));
        Line { cells: cells.collect(), is_total: row.is_total }
    });
    Table {
        title: &figure.title,
        heads: heads.collect(),
        lines: lines.collect(),
        drawing: drawing(figure, money),
        sources: &figure.sources,
    }
}

fn amount(row: &FigureRow, at: usize) -> Option<i64> {
    match row.cells.get(at) {
        Some(FigureValue::Whole(fen)) => Some(*fen),
        _ => None,
    }
}

fn name(row: &FigureRow, at: usize) -> String {
    match row.cells.get(at) {
        Some(FigureValue::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

/// `value` as a part of `room`, when `most` fills it; what is negative has no length.
fn scaled(value: i64, most: i64, room: i64) -> i64 {
    if most <= 0 {
        return 0;
    }
    let part = i128::from(value.max(0)) * i128::from(room) / i128::from(most);
    i64::try_from(part).unwrap_or(room).min(room)
}

/// What is hidden is not drawn.
fn drawing(figure: &Figure, money: Money) -> Option<Drawing> {
    match figure.chart.as_ref()? {
        FigureChart::Bars { label, value } | FigureChart::Shares { label, value } => {
            bars(figure, money, (*label, *value))
        }
        FigureChart::Months { label, value, lines } => {
            curves(figure, money, (*label, *value), lines)
        }
    }
}

fn bars(figure: &Figure, money: Money, (label, value): (usize, usize)) -> Option<Drawing> {
    let rows = figure.rows.iter().filter(|row| !row.is_total);
    let shown: Vec<(String, i64)> =
        rows.filter_map(|row| Some((name(row, label), amount(row, value)?))).collect();
    let most = shown.iter().map(|(_, fen)| *fen).max().filter(|_| shown.len() > 1)?;
    let mut drawing = Drawing { width: WIDTH, height: 4, ..Drawing::default() };
    for (name, fen) in shown {
        drawing.rows.push(Bar {
            x: NAMES,
            y: drawing.height,
            width: scaled(fen, most, WIDTH - NAMES - FIGURES),
            height: BAR - 5,
            name,
            figure: money.show(fen),
        });
        drawing.height += BAR;
    }
    Some(drawing)
}

fn curves(
    figure: &Figure,
    money: Money,
    (label, value): (usize, usize),
    lines: &[usize],
) -> Option<Drawing> {
    let rows: Vec<&FigureRow> = figure.rows.iter().filter(|row| !row.is_total).collect();
    let months = i64::try_from(rows.len()).ok().filter(|n| *n > 1)?;
    let all = rows.iter().flat_map(|row| lines.iter().chain([&value]).map(|at| amount(row, *at)));
    let most = all.flatten().max().filter(|most| *most > 0)?;
    let (left, top, room) = (10, 16, HEIGHT - 40);
    let step = (WIDTH - left * 2) / months;
    let mut drawing =
        Drawing { width: WIDTH, height: HEIGHT, most: money.show(most), ..Drawing::default() };
    for (n, row) in (0..months).zip(&rows) {
        let height = amount(row, value).map_or(0, |fen| scaled(fen, most, room));
        drawing.columns.push(Bar {
            x: left + n * step + step / 4,
            y: top + room - height,
            width: step / 2,
            height,
            name: name(row, label),
            figure: String::new(),
        });
    }
    for (class, at) in lines.iter().enumerate() {
        let points = (0..months).zip(&rows).filter_map(|(n, row)| {
            let y = top + room - scaled(amount(row, *at)?, most, room);
            Some(format!("{},{y}", left + n * step + step / 2))
        });
        let points: Vec<String> = points.collect();
        let name = figure.columns.get(*at).map(|c| c.label.clone()).unwrap_or_default();
        drawing.curves.push(Curve { points: points.join(" "), name, class });
    }
    Some(drawing)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_template_is_there() {
        assert!(super::TEMPLATES.get_template(super::TEMPLATE).is_ok());
    }

    #[test]
    fn bars_are_as_long_as_their_figures() {
        assert_eq!(super::scaled(50, 100, 300), 150);
        assert_eq!(super::scaled(-5, 100, 300), 0);
        assert_eq!(super::scaled(i64::MAX, i64::MAX, 300), 300);
        assert_eq!(super::scaled(5, 0, 300), 0);
    }
}
