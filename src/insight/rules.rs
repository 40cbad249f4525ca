//! Who may set a target and see what the public may not, and how a target stands. Nothing here reads a
//! clock, a row or a request.
use std::collections::BTreeSet;

use chrono::{Datelike, Days};

use super::{
    decimal::Decimal,
    indicators::Indicator,
    model::{IndicatorValue, Pace, Target, TargetKind},
};
use crate::{
    kernel::{Actor, Day, Region},
    markets::regions,
};

/// Operators set targets for their region and all below it, and for the zones that lie there.
pub fn may_set(actor: &Actor, region: &Region) -> bool {
    regions::operates(actor, region)
}

/// Who oversees a region sees figures that the public may not.
pub fn sees_all(actor: Option<&Actor>, region: Option<&Region>) -> bool {
    let actor = actor.filter(|a| !a.second_factor_missing);
    actor.zip(region).is_some_and(|(actor, region)| regions::oversees(actor, region))
}

/// The years of a target as days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub first: Day,
    pub last: Day,
}

impl Span {
    /// None for years that no calendar has.
    pub fn of_years(first: i64, last: i64) -> Option<Self> {
        Some(Self {
            first: Day::from_ymd_opt(i32::try_from(first).ok()?, 1, 1)?,
            last: Day::from_ymd_opt(i32::try_from(last).ok()?, 12, 31)?,
        })
    }
    fn days(self) -> i64 {
        (self.last - self.first).num_days() + 1
    }
    /// Days that are over when `day` is, never more than there are.
    fn passed(self, day: Day) -> i64 {
        ((day - self.first).num_days() + 1).clamp(0, self.days())
    }
}

/// How the figures of a target's kind add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// What there is when a day is over.
    Stock,
    /// What came in from the first day on.
    Sum,
    /// A rate, which has a value at any time and no way to it.
    Rate,
}

/// Turnover is a level of its year in the papers, which is what came in from January on.
pub fn nature(indicator: Indicator, kind: TargetKind) -> Nature {
    match kind {
        TargetKind::Ratio => Nature::Rate,
        TargetKind::Flow | TargetKind::Cumulative => Nature::Sum,
        TargetKind::Level if indicator == Indicator::Turnover => Nature::Sum,
        TargetKind::Level => Nature::Stock,
    }
}

/// Whether a target asks for a sum of turnover.
pub fn is_turnover(target: &Target) -> bool {
    target.indicator == Indicator::Turnover && nature(target.indicator, target.kind) == Nature::Sum
}

/// The days that a target is measured in when `as_of` is over: a yearly figure of several years in the
/// year of that day (the first or last of them before or after), everything else in all its years.
pub fn measured(target: &Target, as_of: Day) -> Option<Span> {
    let (first, last) = (target.first_year, target.last_year);
    match target.kind {
        TargetKind::Flow => {
            let year = i64::from(as_of.year()).clamp(first, last);
            Span::of_years(year, year)
        }
        // what a year turns over is told of the last of them
        TargetKind::Level if target.indicator == Indicator::Turnover => Span::of_years(last, last),
        // of a stock and a rate that are set for several years the end counts, and the way there is all of
        // them
        TargetKind::Level | TargetKind::Cumulative | TargetKind::Ratio => {
            Span::of_years(first, last)
        }
    }
}

/// Entered figures that make up what was asked for.
#[derive(Debug, Default)]
pub struct Entered<'a> {
    /// In 10^-4 of the unit.
    pub amount: i128,
    /// One, or several that adjoin.
    pub rows: Vec<&'a IndicatorValue>,
}

/// What was entered of an indicator for `first` to `last`. Of its `rows` the first of each span counts. A stock or rate is the
/// latest that was known; a sum is made of spans that adjoin, the longest first, from `first` on.
pub fn entered(
    rows: &[IndicatorValue],
    indicator: Indicator,
    nature: Nature,
    (first, last): (Day, Day),
) -> Option<Entered<'_>> {
    let mut seen = BTreeSet::new();
    let counting: Vec<&IndicatorValue> = rows
        .iter()
        .filter(|r| r.indicator == indicator)
        .filter(|r| seen.insert((r.first_day, r.last_day)) && r.last_day <= last)
        .collect();
    let mut found = Entered::default();
    if nature != Nature::Sum {
        // of two that end together the narrower one says more
        let row = counting.into_iter().max_by_key(|r| (r.last_day, r.first_day))?;
        return Some(Entered { amount: row.value().ten_thousandths(), rows: vec![row] });
    }
    let mut at = Some(first);
    while let Some(next) =
        counting.iter().filter(|r| Some(r.first_day) == at).max_by_key(|r| r.last_day)
    {
        found.amount += next.value().ten_thousandths();
        found.rows.push(next);
        at = next.last_day.succ_opt();
    }
    (!found.rows.is_empty()).then_some(found)
}

/// The last day that the public may ask for: amounts of single days would tell about single
/// contracts, so a day inside a month that is over counts as the end of the month before.
pub fn public_cut(as_of: Day, today: Day) -> Day {
    let month_ends = as_of.succ_opt().is_some_and(|next| next.day() == 1);
    if month_ends || as_of >= today {
        return as_of;
    }
    as_of.checked_sub_days(Days::new(u64::from(as_of.day()))).unwrap_or(as_of)
}

/// Where a figure stands beside its target.
#[derive(Debug, PartialEq, Eq)]
pub struct Standing {
    pub ratio: Option<Decimal>,
    pub expected_by_now: Option<i64>,
    pub pace: Option<Pace>,
    pub required_per_month: Option<i64>,
}

pub fn elapsed(span: Span, as_of: Day) -> Decimal {
    Decimal::ratio(span.passed(as_of), span.days()).unwrap_or(Decimal::whole(0))
}

/// How `actual` stands to `value` when `as_of` is over, on a straight line that begins with `base`; without
/// one there is no line. Before the period there is no pace.
pub fn standing(span: Span, as_of: Day, base: Option<i64>, value: i64, actual: i64) -> Standing {
    let (passed, days) = (i128::from(span.passed(as_of)), i128::from(span.days()));
    // between base and value, so it fits
    let expected = base.map(|base| {
        let way = i128::from(value) - i128::from(base);
        i128::from(base) + (way * passed * 2 + days).div_euclid(days * 2)
    });
    let hundred = i128::from(actual) * 100;
    let pace = expected.filter(|_| passed > 0).map(|expected| {
        if hundred >= expected * 105 && hundred > expected * 100 {
            Pace::Ahead
        } else if hundred >= expected * 95 {
            Pace::OnTrack
        } else {
            Pace::Behind
        }
    });
    Standing {
        ratio: Decimal::ratio(actual, value),
        expected_by_now: expected.map(|e| i64::try_from(e).unwrap_or(value)),
        pace,
        required_per_month: required(span, as_of, value.saturating_sub(actual).max(0)),
    }
}

/// `missing` over the months that are left: the whole ones, and of the running month the share of
/// days that is left. Rounded up, so that it is enough. None when no time is left.
fn required(span: Span, as_of: Day, missing: i64) -> Option<i64> {
    let month = |day: Day| i128::from(day.year()) * 12 + i128::from(day.month0());
    let (whole, left, length) = if as_of < span.first {
        (month(span.last) - month(span.first) + 1, 0, 1)
    } else if as_of >= span.last {
        return (missing == 0).then_some(0);
    } else {
        let length = i128::from(days_in_month(as_of)?);
        (month(span.last) - month(as_of), length - i128::from(as_of.day()), length)
    };
    // missing / (whole + left / length)
    let months = whole * length + left;
    i64::try_from((i128::from(missing) * length + months - 1).div_euclid(months)).ok()
}

fn days_in_month(day: Day) -> Option<u32> {
    let first = day.with_day(1)?;
    Some(first.checked_add_months(chrono::Months::new(1))?.pred_opt()?.day())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    proptest! {
        #[test]
        fn what_is_required_is_enough_and_not_a_fen_more(
            value in 1i64..10_000_000_000_000, share in 0i64..200, d in 0u64..364,
        ) {
            let span = Span::of_years(2026, 2026).unwrap();
            let as_of = span.first + Days::new(d);
            let actual = value / 100 * share;
            let s = standing(span, as_of, Some(0), value, actual);
            let per_month = i128::from(s.required_per_month.unwrap());
            let length = i128::from(days_in_month(as_of).unwrap());
            let months = i128::from(11 - as_of.month0()) * length + length - i128::from(as_of.day());
            let missing = i128::from((value - actual).max(0)) * length;
            prop_assert!(per_month * months >= missing);
            prop_assert!(per_month == 0 || (per_month - 1) * months < missing);
            prop_assert!((0..=value).contains(&s.expected_by_now.unwrap()));
        }
    }

    #[test]
    fn the_province_in_2020() {
        let span = Span::of_years(2020, 2020).unwrap();
        let at = |value| standing(span, day("2020-12-31"), Some(0), value, 6_328_100_000_000);
        let met = at(6_000_000_000_000);
        assert_eq!(met.ratio.unwrap().to_string(), "1.0547");
        assert_eq!((met.pace, met.required_per_month), (Some(Pace::Ahead), Some(0)));
        let missed = at(8_000_000_000_000);
        assert_eq!(missed.ratio.unwrap().to_string(), "0.791");
        assert_eq!((missed.pace, missed.required_per_month), (Some(Pace::Behind), None));
        assert_eq!(elapsed(span, day("2020-12-31")), Decimal::whole(1));
        assert_eq!(elapsed(span, day("2020-06-30")).to_string(), "0.4973");
    }

    #[test]
    fn halfway_and_before() {
        let span = Span::of_years(2026, 2026).unwrap();
        let s = standing(span, day("2026-06-30"), Some(0), 3_650_000, 1_810_000);
        assert_eq!((s.expected_by_now, s.pace), (Some(1_810_000), Some(Pace::OnTrack)));
        assert_eq!(s.required_per_month, Some(306_667), "1,840,000 over six months");
        let at = |actual| standing(span, day("2026-06-30"), Some(0), 3_650_000, actual);
        let pace = |actual| at(actual).pace.unwrap();
        assert_eq!((pace(1_900_500), pace(1_900_499)), (Pace::Ahead, Pace::OnTrack));
        assert_eq!((pace(1_719_500), pace(1_719_499)), (Pace::OnTrack, Pace::Behind));
        let before = standing(span, day("2025-12-31"), Some(0), 1_200, 0);
        assert_eq!((before.expected_by_now, before.pace), (Some(0), None));
        assert_eq!(before.required_per_month, Some(100));
    }

    #[test]
    fn a_stock_goes_from_its_baseline() {
        let span = Span::of_years(2019, 2019).unwrap();
        let s = standing(span, day("2019-12-31"), Some(41), 60, 51);
        assert_eq!((s.expected_by_now, s.pace), (Some(60), Some(Pace::Behind)));
        let s = standing(span, day("2019-06-30"), Some(41), 60, 51);
        assert_eq!((s.expected_by_now, s.pace), (Some(50), Some(Pace::OnTrack)));
        assert_eq!(s.required_per_month, Some(2));
        let unknown = standing(span, day("2019-06-30"), None, 60, 51);
        assert_eq!((unknown.expected_by_now, unknown.pace), (None, None));
        assert_eq!(unknown.ratio.unwrap().to_string(), "0.85");
    }

    fn value(first: &str, last: &str, digits: i64) -> IndicatorValue {
        IndicatorValue {
            id: crate::kernel::Id::fresh(),
            region_code: "210100".parse().unwrap(),
            indicator: Indicator::Gdp,
            period: String::new(),
            first_day: day(first),
            last_day: day(last),
            value: digits,
            scale: 1,
            source: "统计公报".into(),
            source_date: day("2026-01-01"),
            created_at: crate::kernel::Moment::now(),
        }
    }

    #[test]
    fn entered_figures_adjoin_or_are_the_latest() {
        let rows = [
            value("2021-01-01", "2021-12-31", 100),
            // an older figure for the same year
            value("2021-01-01", "2021-12-31", 90),
            value("2022-01-01", "2022-03-31", 20),
            value("2022-01-01", "2022-12-31", 110),
            value("2024-01-01", "2024-12-31", 130),
            value("2024-12-31", "2024-12-31", 7),
        ];
        let sum = |first: &str, last: &str| {
            entered(&rows, Indicator::Gdp, Nature::Sum, (day(first), day(last)))
                .map(|e| e.amount / 1000)
        };
        assert_eq!(sum("2021-01-01", "2021-12-31"), Some(100));
        assert_eq!(sum("2021-01-01", "2022-06-30"), Some(120), "the first quarter is known");
        assert_eq!(sum("2021-01-01", "2025-12-31"), Some(210), "2023 is missing");
        assert_eq!(sum("2023-01-01", "2025-12-31"), None);
        let stock = |last: &str| {
            entered(&rows, Indicator::Gdp, Nature::Stock, (day("2020-01-01"), day(last)))
                .map(|e| e.amount / 1000)
        };
        assert_eq!(stock("2024-12-31"), Some(7));
        assert_eq!(stock("2024-12-30"), Some(110));
        assert_eq!(stock("2020-12-31"), None);
        let days = (day("2021-01-01"), day("2021-12-31"));
        assert!(entered(&rows, Indicator::Firms, Nature::Sum, days).is_none());
    }

    #[test]
    fn the_public_asks_by_whole_months() {
        let cut = |as_of, today| public_cut(day(as_of), day(today)).to_string();
        assert_eq!(cut("2020-06-15", "2026-11-22"), "2020-05-31");
        assert_eq!(cut("2020-06-30", "2026-11-22"), "2020-06-30");
        assert_eq!(cut("2026-11-22", "2026-11-22"), "2026-11-22");
        assert_eq!(cut("2026-11-21", "2026-11-22"), "2026-10-31");
        assert_eq!(cut("2020-01-05", "2026-11-22"), "2019-12-31");
    }
}
