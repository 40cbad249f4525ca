//! A report as a workbook: a sheet for each section, with charts that Excel draws itself.
//!
//! Amounts are whole numbers of fen divided into yuan, so that they add up in Excel; how many of them make
//! a 万元 or 亿元 is the cell's format. The bytes are the same for the same report.
use anyhow::Context;
use rust_xlsxwriter::{
    Chart, ChartFormat, ChartLine, ChartType, DocProperties, Format, FormatAlign, FormatBorder,
    Workbook, Worksheet, XlsxError,
};

use super::{Money, words::Words};
use crate::{
    insight::{
        decimal::Decimal,
        model::{Figure, FigureChart, FigureRow, FigureUnit, FigureValue, Report, ReportSection},
    },
    kernel::{Lang, Result},
};

/// Rows that a chart takes, and its height in pixels: 20 for each row.
const CHART_ROWS: u32 = 16;
const CHART_HEIGHT: u32 = 310;
const CHART_WIDTH: u32 = 900;
/// How wide columns are, in digits of the usual size.
const FIRST_WIDTH: u32 = 26;
const WIDTH: u32 = 15;
/// A4.
const PAPER: u8 = 9;
/// What a header or footer of Excel may hold.
const MARGIN_TEXT: usize = 250;

/// The bytes of a workbook.
pub fn workbook(report: &Report, lang: Lang) -> Result<Vec<u8>> {
    Ok(write(report, Words(lang)).context("writing a workbook")?)
}

fn write(report: &Report, words: Words) -> std::result::Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // the day of the figures, not the time of the request
    let properties = DocProperties::new()
        .set_title(format!("{} {}", report.title, report.period_name))
        .set_comment(&report.call)
        .set_keywords(&report.digest)
        .set_creation_datetime(&report.cut_off.day);
    book.set_properties(&properties);
    let styles = Styles::new();
    cover(book.add_worksheet(), report, words, &styles)?;
    for section in &report.sections {
        sheet(book.add_worksheet(), report, section, words, &styles)?;
    }
    book.save_to_buffer()
}

struct Styles {
    title: Format,
    heading: Format,
    label: Format,
    text: Format,
    small: Format,
}

impl Styles {
    fn new() -> Self {
        let cell = || Format::new().set_border(FormatBorder::Thin);
        Self {
            title: Format::new().set_bold().set_font_size(16),
            heading: cell()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Center)
                .set_align(FormatAlign::VerticalCenter)
                .set_background_color(0xDD_EB_F7),
            label: Format::new().set_bold().set_font_size(12),
            text: Format::new().set_text_wrap().set_align(FormatAlign::Top),
            small: Format::new()
                .set_font_size(8)
                .set_font_color(0x60_60_60)
                .set_text_wrap()
                .set_align(FormatAlign::Top),
        }
    }

    /// How a value of a unit is shown, bold in a total.
    fn value(&self, unit: FigureUnit, money: Money, is_total: bool) -> Format {
        let format = Format::new().set_border(FormatBorder::Thin);
        let format = if is_total { format.set_bold() } else { format };
        match number_format(unit, money) {
            Some(code) => format.set_num_format(code).set_align(FormatAlign::Right),
            None => format.set_text_wrap(),
        }
    }
}

/// The format of a number. What follows the last digit divides by a thousand for each comma, and the point
/// is written into what is left: 1 亿元 is a hundred million yuan.
fn number_format(unit: FigureUnit, money: Money) -> Option<&'static str> {
    match (unit, money) {
        (FigureUnit::Text, _) => None,
        (FigureUnit::Fen, Money::Yi) => Some("0\\.00,,"),
        (FigureUnit::Fen, Money::Wan) => Some("0\\.0,"),
        (FigureUnit::Count, _) => Some("#,##0"),
        (FigureUnit::Ratio, _) => Some("0.00%"),
        (FigureUnit::Days, _) => Some("0.0"),
        (FigureUnit::Number, _) => Some("General"),
        (FigureUnit::Change, _) => Some("+0;-0;0"),
    }
}

/// The first sheet: what is reported, the findings, and how to check it.
fn cover(
    sheet: &mut Worksheet,
    report: &Report,
    words: Words,
    styles: &Styles,
) -> std::result::Result<(), XlsxError> {
    sheet.set_name(words.pick("说明", "About"))?;
    page(sheet, report, words)?;
    sheet.set_column_width(0, 120)?;
    sheet.write_string_with_format(0, 0, &report.title, &styles.title)?;
    sheet.write_string_with_format(1, 0, &report.period_name, &styles.label)?;
    let mut row = 3;
    let mut list = |sheet: &mut Worksheet, title: &str, lines: &[String]| {
        if lines.is_empty() {
            return Ok(());
        }
        sheet.write_string_with_format(row, 0, title, &styles.label)?;
        for line in lines {
            row += 1;
            sheet.write_string_with_format(row, 0, line, &styles.text)?;
        }
        row += 2;
        Ok::<(), XlsxError>(())
    };
    list(sheet, words.pick("要点", "Findings"), &report.findings)?;
    list(sheet, words.pick("说明", "Notes"), &report.notes)?;
    let check = [
        format!("{} {}", words.pick("数据截止", "Up to"), report.cut_off.day),
        format!(
            "{} {}",
            words.pick("日志序号", "Position in the journal"),
            report.cut_off.position
        ),
        format!("{} {}", words.pick("口径", "Basis"), words.code(report.query.basis)),
        format!("{} {}", words.pick("取数地址", "Call"), report.call),
        format!("{} {}", words.pick("摘要", "Digest"), report.digest),
    ];
    list(sheet, words.pick("核对", "To check it"), &check)?;
    sheet.set_print_area(0, 0, row, 0)?;
    Ok(())
}

/// A4 across, one page wide, with the title above and cut-off, basis and digest below.
fn page(
    sheet: &mut Worksheet,
    report: &Report,
    words: Words,
) -> std::result::Result<(), XlsxError> {
    let plain = |text: &str| text.replace('&', "&&");
    let head = format!("&C{} {}", plain(&report.title), plain(&report.period_name));
    let left = format!(
        "&L{} {} · {}",
        words.pick("截至", "Up to"),
        report.cut_off.day,
        words.code(report.query.basis)
    );
    let foot = format!(
        "{left}&C{}&R{} {}",
        words.pick("第 &P 页 共 &N 页", "&P / &N"),
        words.pick("摘要", "Digest"),
        report.digest.get(..16).unwrap_or(&report.digest)
    );
    sheet.set_paper_size(PAPER).set_landscape().set_print_fit_to_pages(1, 0);
    sheet.set_header(cut(head)).set_footer(cut(foot));
    Ok(())
}

fn cut(text: String) -> String {
    text.chars().take(MARGIN_TEXT).collect()
}

fn sheet(
    sheet: &mut Worksheet,
    report: &Report,
    section: &ReportSection,
    words: Words,
    styles: &Styles,
) -> std::result::Result<(), XlsxError> {
    sheet.set_name(&section.title)?;
    page(sheet, report, words)?;
    let title = format!("{} {}", section.title, report.period_name);
    sheet.write_string_with_format(0, 0, title, &styles.title)?;
    let (mut row, mut widest) = (2, 1);
    let alone = section.figures.len() == 1;
    for figure in &section.figures {
        if alone {
            // title, caption and headings on every page, and on the screen
            sheet.set_repeat_rows(0, row + 1)?.set_freeze_panes(row + 2, 1)?;
        }
        row = table(sheet, (row, &section.title), figure, words, styles)?;
        widest = widest.max(figure.columns.len());
    }
    if !alone {
        sheet.set_repeat_rows(0, 0)?.set_freeze_panes(1, 0)?;
    }
    let last = column(widest.saturating_sub(1));
    for at in 0..=last {
        sheet.set_column_width(at, if at == 0 { FIRST_WIDTH } else { WIDTH })?;
    }
    sheet.set_print_area(0, 0, row, last)?;
    Ok(())
}

fn column(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

/// Writes a figure from a row on and answers the next one that is free.
fn table(
    sheet: &mut Worksheet,
    (first, name): (u32, &str),
    figure: &Figure,
    words: Words,
    styles: &Styles,
) -> std::result::Result<u32, XlsxError> {
    let money = Money::of(figure);
    sheet.write_string_with_format(first, 0, &figure.title, &styles.label)?;
    let mut row = first + 1;
    for (n, head) in figure.columns.iter().enumerate() {
        let text = words.heading(&head.label, head.unit, money);
        sheet.write_string_with_format(row, column(n), text, &styles.heading)?;
    }
    for line in &figure.rows {
        row += 1;
        for (n, (cell, head)) in line.cells.iter().zip(&figure.columns).enumerate() {
            let format = styles.value(head.unit, money, line.is_total);
            let at = column(n);
            match cell {
                FigureValue::Text(text) => sheet.write_string_with_format(row, at, text, &format),
                FigureValue::Hidden => sheet.write_string_with_format(row, at, "—", &format),
                FigureValue::Nothing => sheet.write_blank(row, at, &format),
                FigureValue::Whole(fen) if head.unit == FigureUnit::Fen => {
                    sheet.write_number_with_format(row, at, real(Decimal::new(*fen, 2)), &format)
                }
                FigureValue::Whole(n) => {
                    sheet.write_number_with_format(row, at, real(Decimal::whole(*n)), &format)
                }
                FigureValue::Decimal(d) => {
                    sheet.write_number_with_format(row, at, real(*d), &format)
                }
            }?;
        }
    }
    row += 1;
    for source in &figure.sources {
        let told = [
            format!("{} {}", words.pick("口径：", "Basis:"), source.basis),
            format!(
                "{} {}　{} {}　{} {}",
                words.pick("截至", "Up to"),
                source.cut_off.day,
                words.pick("日志序号", "Journal"),
                source.cut_off.position,
                words.pick("摘要", "Digest"),
                source.digest
            ),
            format!("{} {}", words.pick("取数", "Call"), source.query),
        ];
        for line in told {
            small(sheet, (row, figure.columns.len()), &line, &styles.small)?;
            row += 1;
        }
    }
    if let Some(chart) = drawn(figure, money, (first + 2, name)) {
        sheet.insert_chart(row, 0, &chart)?;
        row += CHART_ROWS;
    }
    Ok(row + 1)
}

/// Writes small print below a table, as wide as the table and as high as it takes: Excel does not fit the
/// height of merged cells.
fn small(
    sheet: &mut Worksheet,
    (row, columns): (u32, usize),
    text: &str,
    format: &Format,
) -> std::result::Result<(), XlsxError> {
    let last = column(columns.saturating_sub(1));
    if last == 0 {
        sheet.write_string_with_format(row, 0, text, format)?;
        return Ok(());
    }
    sheet.merge_range(row, 0, row, last, text, format)?;
    // Chinese is twice as wide as a digit, and small print takes three quarters of the usual
    let length: u32 = text.chars().map(|c| if c.is_ascii() { 3 } else { 6 }).sum();
    let room = (FIRST_WIDTH + u32::from(last) * WIDTH) * 4;
    sheet.set_row_height(row, (length / room + 1) * 11)?;
    Ok(())
}

/// The nearest number of Excel: exact up to 90 万亿元.
fn real(value: Decimal) -> f64 {
    value.to_string().parse().unwrap_or_default()
}

/// The chart of a figure whose first row of values is `first`: of the rows before the first one that is
/// hidden, because Excel would draw that as nil.
fn drawn(figure: &Figure, money: Money, (first, sheet): (u32, &str)) -> Option<Chart> {
    let chart = figure.chart.as_ref()?;
    let (FigureChart::Bars { value, .. }
    | FigureChart::Shares { value, .. }
    | FigureChart::Months { value, .. }) = chart;
    let seen = |row: &&FigureRow| {
        !row.is_total && matches!(row.cells.get(*value), Some(FigureValue::Whole(_)))
    };
    let rows = u32::try_from(figure.rows.iter().take_while(seen).count()).ok()?;
    // one bar compares nothing
    let last = first + rows.checked_sub(2)? + 1;
    let range = |at: usize| (sheet, first, column(at), last, column(at));
    let named = |at: usize| figure.columns.get(at).map(|c| c.label.clone()).unwrap_or_default();
    let format = number_format(FigureUnit::Fen, money).unwrap_or_default();
    let of = |kind: ChartType, label: usize, value: usize| {
        let mut chart = Chart::new(kind);
        chart
            .add_series()
            .set_name(named(value).as_str())
            .set_categories(range(label))
            .set_values(range(value));
        chart
    };
    let mut drawn = match chart {
        FigureChart::Bars { label, value } => {
            let mut chart = of(ChartType::Bar, *label, *value);
            // the first row on top
            chart.x_axis().set_reverse();
            chart.y_axis().set_num_format(format);
            chart.legend().set_hidden();
            chart
        }
        FigureChart::Shares { label, value } => of(ChartType::Pie, *label, *value),
        FigureChart::Months { label, value, lines } => {
            let mut chart = of(ChartType::Column, *label, *value);
            let mut line = Chart::new(ChartType::Line);
            let colours = [0xC0_50_4D, 0x70_AD_47, 0x7F_60_00, 0x5F_49_7A];
            for (at, colour) in lines.iter().zip(colours.into_iter().cycle()) {
                line.add_series()
                    .set_name(named(*at).as_str())
                    .set_categories(range(*label))
                    .set_values(range(*at))
                    .set_format(ChartFormat::new().set_line(ChartLine::new().set_color(colour)));
            }
            chart.combine(&line);
            chart.y_axis().set_num_format(format);
            chart
        }
    };
    drawn.title().set_name(figure.title.as_str());
    drawn.set_width(CHART_WIDTH).set_height(CHART_HEIGHT);
    Some(drawn)
}
