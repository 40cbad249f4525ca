//! The facts that ship with the program: every target of the policy papers, and the true turnover.
use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;

use super::{
    decimal::Decimal,
    indicators::Indicator,
    model::{Document, Flow, Month, NewTarget, Operator, TargetKind, TargetPart},
    service, store,
};
use crate::kernel::{Day, Id, Region, Result, Tx, journal, money::FEN_PER_YI, of};

const TARGETS: &str = include_str!("data/targets.csv");
const ACTUALS: &str = include_str!("data/actuals.csv");

/// Figures of the China Science and Technology Statistical Yearbook for Liaoning.
const SERIES: &str = "A yearbook";

fn rows<T: for<'de> Deserialize<'de>>(text: &str) -> anyhow::Result<Vec<T>> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    reader.deserialize().map(|row| Ok(row?)).collect()
}

#[derive(Deserialize)]
struct TargetRow {
    region_code: String,
    indicator: Indicator,
    label: String,
    kind: TargetKind,
    kind_stated: bool,
    operator: Operator,
    value: String,
    upper: Option<String>,
    first_year: i64,
    last_year: i64,
    baseline: Option<String>,
    breakdown: String,
    document: String,
    issued_on: Option<Day>,
    /// The title of the paper whose target this one replaces.
    supersedes: Option<String>,
    note: Option<String>,
}

/// A target of the file, and the title of the paper whose target it replaces.
struct Shipped {
    target: NewTarget,
    supersedes: Option<String>,
}

impl TargetRow {
    fn parse(self) -> anyhow::Result<Shipped> {
        let region: Region = self.region_code.parse()?;
        let mut breakdown = Vec::new();
        for part in self.breakdown.split(';').filter(|p| !p.is_empty()) {
            let (label, value) = part.split_once('=').context("a part is label=value")?;
            breakdown.push(TargetPart { label: label.to_owned(), value: value.parse()? });
        }
        let target = NewTarget {
            region_code: region,
            indicator: self.indicator,
            label: self.label,
            first_year: self.first_year,
            last_year: self.last_year,
            operator: self.operator,
            value: self.value.parse()?,
            upper: self.upper.map(|u| u.parse()).transpose()?,
            kind: self.kind,
            kind_stated: self.kind_stated,
            document: Document { title: self.document, issued_on: self.issued_on },
            supersedes: None,
            baseline: self.baseline.map(|b| b.parse()).transpose()?,
            breakdown,
            note: self.note,
        };
        Ok(Shipped { target, supersedes: self.supersedes })
    }
}

fn shipped_targets() -> anyhow::Result<Vec<Shipped>> {
    rows::<TargetRow>(TARGETS)?.into_iter().map(TargetRow::parse).collect()
}

/// What tells a shipped target from all others.
type Key = (Region, Indicator, String, i64, i64, TargetKind, String);

fn key(target: &NewTarget) -> Key {
    (
        target.region_code.clone(),
        target.indicator,
        target.label.clone(),
        target.first_year,
        target.last_year,
        target.kind,
        target.document.title.clone(),
    )
}

/// Loads every target of the policy papers that is not there yet; answers how many.
pub fn load_shipped_targets(tx: &mut Tx<'_>) -> Result<usize> {
    let mut there: BTreeMap<Key, Id<of::Target>> = store::shipped(tx)?
        .into_iter()
        .map(|t| {
            let years = (t.first_year, t.last_year);
            let title = t.document_title;
            ((t.region_code, t.indicator, t.label, years.0, years.1, t.kind, title), t.id)
        })
        .collect();
    let mut loaded = 0;
    // the list shows the newest first: the first of the file is made last, after what it replaces
    let (replacing, plain): (Vec<_>, Vec<_>) = shipped_targets()
        .context("data/targets.csv")?
        .into_iter()
        .rev()
        .partition(|row| row.supersedes.is_some());
    for Shipped { mut target, supersedes } in plain.into_iter().chain(replacing) {
        if there.contains_key(&key(&target)) {
            continue;
        }
        if let Some(title) = supersedes {
            let older =
                there.iter().find(|((region, indicator, _, first, last, kind, paper), _)| {
                    (region, *indicator) == (&target.region_code, target.indicator)
                        && (*first, *last, *kind)
                            == (target.first_year, target.last_year, target.kind)
                        && *paper == title
                });
            let (_, id) = older.context("data/targets.csv: supersedes names no target")?;
            target.supersedes = Some(*id);
        }
        let id = service::targets::store_target(tx, &target, journal::CLOCK, None)?;
        there.insert(key(&target), id);
        loaded += 1;
    }
    Ok(loaded)
}

/// The published turnover of Liaoning in one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actual {
    pub year: i64,
    pub flow: Flow,
    pub contracts: i64,
    pub total_fen: i64,
}

/// A published figure of a part of a year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartYear {
    pub region: Region,
    /// As it was published, `2018Q1-Q3`.
    pub period: String,
    /// The last day that it counts; the first is that of the year.
    pub until: Day,
    pub total_fen: i64,
    /// `B province` or `C city`: press figures, a little higher than the yearbook's.
    pub series: String,
}

#[derive(Deserialize)]
struct ActualRow {
    region_code: Region,
    period: String,
    flow: String,
    contracts: Option<i64>,
    amount_yi_yuan: String,
    series: String,
}

/// The yearbook's series for Liaoning, 2010 to 2023, exact to the fen it is given in.
pub fn actuals() -> Result<Vec<Actual>> {
    let rows = rows::<ActualRow>(ACTUALS).context("data/actuals.csv")?;
    let series = rows.into_iter().filter(|row| row.series == SERIES);
    Ok(series.map(actual).collect::<anyhow::Result<_>>().context("data/actuals.csv")?)
}

fn actual(row: ActualRow) -> anyhow::Result<Actual> {
    Ok(Actual {
        year: row.period.parse()?,
        flow: if row.flow == "export" { Flow::Output } else { Flow::Absorbed },
        contracts: row.contracts.context("the yearbook counts contracts")?,
        total_fen: fen_of(&row.amount_yi_yuan)?,
    })
}

fn fen_of(yi: &str) -> anyhow::Result<i64> {
    let hundredths =
        yi.parse::<Decimal>()?.at_scale(2).context("亿元 with at most two decimals")?;
    hundredths.checked_mul(FEN_PER_YI / 100).context("out of range")
}

/// The press figures that end before their year does, as published.
pub fn part_years() -> Result<Vec<PartYear>> {
    let rows = rows::<ActualRow>(ACTUALS).context("data/actuals.csv")?;
    let parts = rows.into_iter().filter(|row| row.series != SERIES && row.period.len() > 4);
    Ok(parts.map(part_year).collect::<anyhow::Result<_>>().context("data/actuals.csv")?)
}

fn part_year(row: ActualRow) -> anyhow::Result<PartYear> {
    let (year, part) = row.period.split_at_checked(4).context("a period begins with its year")?;
    let month = match part {
        "H1" => 6,
        "Q1-Q3" => 9,
        months => months.strip_prefix("-01..").context("a part of a year")?.parse()?,
    };
    let until = Month::parse(&format!("{year}-{month:02}")).and_then(Month::last_day);
    Ok(PartYear {
        until: until.context("no month of a year")?,
        total_fen: fen_of(&row.amount_yi_yuan)?,
        region: row.region_code,
        period: row.period,
        series: row.series,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_yearbook_to_the_fen() {
        let all = actuals().unwrap();
        assert_eq!(all.len(), 26);
        let of = |year, flow| *all.iter().find(|a| (a.year, a.flow) == (year, flow)).unwrap();
        assert_eq!(
            of(2020, Flow::Output),
            Actual {
                year: 2020,
                flow: Flow::Output,
                contracts: 17_301,
                total_fen: 6_328_100_000_000
            }
        );
        assert_eq!(of(2023, Flow::Absorbed).total_fen, 10_904_700_000_000);
        let demo: i64 = (2015..=2023).map(|y| of(y, Flow::Output).total_fen).sum();
        assert_eq!(demo, 56_569_700_000_000);
    }

    #[test]
    fn parts_of_years_end_where_they_say() {
        let all = part_years().unwrap();
        let told: Vec<_> = all.iter().map(|p| (p.period.as_str(), p.until.to_string())).collect();
        let day = |text: &str| text.to_owned();
        assert_eq!(
            told,
            [
                ("2018H1", day("2018-06-30")),
                ("2018Q1-Q3", day("2018-09-30")),
                ("2019Q1-Q3", day("2019-09-30")),
                ("2018-01..11", day("2018-11-30")),
            ]
        );
        assert_eq!(all[2].total_fen, 2_939_000_000_000);
    }

    #[test]
    fn every_target_of_the_papers() {
        let shipped = shipped_targets().unwrap();
        let all: Vec<_> = shipped.iter().map(|s| &s.target).collect();
        assert_eq!(all.len(), 95);
        let units: Vec<_> = include_str!("data/targets.csv")
            .lines()
            .skip(2)
            .map(|line| line.split(',').nth(3).unwrap())
            .collect();
        for (target, unit) in all.iter().zip(units) {
            assert_eq!(target.indicator.unit(), unit, "{}", target.label);
        }
        let turnover: Vec<_> = all
            .iter()
            .filter(|t| t.indicator == Indicator::Turnover)
            .map(|t| (t.first_year, t.value.to_string()))
            .collect();
        assert_eq!(
            turnover,
            [(2020, "8000000000000".to_owned()), (2020, "6000000000000".to_owned())]
        );
        assert!(all.iter().any(|t| t.value.to_string() == "7.36"));
        let undated = all.iter().filter(|t| t.document.issued_on.is_none());
        assert!(undated.clone().all(|t| t.document.title.ends_with("辽科创发〔2019〕5号")));
        assert_eq!(undated.count(), 16);
        let count = |kind| all.iter().filter(|t| t.kind == kind).count();
        let kinds =
            [TargetKind::Level, TargetKind::Flow, TargetKind::Cumulative, TargetKind::Ratio];
        assert_eq!(kinds.map(count).iter().sum::<usize>(), 95);
        assert_eq!(all.iter().filter(|t| !t.kind_stated).count(), 1);
        assert_eq!(all.iter().filter(|t| t.baseline.is_some()).count(), 5);
        assert_eq!(all.iter().filter(|t| !t.breakdown.is_empty()).count(), 7);
        assert_eq!(shipped.iter().filter(|s| s.supersedes.is_some()).count(), 1);
    }
}
