//! Figures of indicators that somebody published, entered by hand.
use chrono::Datelike;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    super::{decimal::Decimal, indicators::Indicator},
    figures::Month,
    place_of,
    targets::TargetPart,
};
use crate::{
    codes,
    kernel::{Day, Faults, Id, Moment, Region, Result},
    markets::regions,
    schema::indicator_values,
};

/// What an id of an entered figure points at.
#[derive(Debug)]
pub enum IndicatorValueKey {}

codes! {
    /// Where the figure of an indicator comes from.
    pub enum FigureSource {
        Counted = "counted" "平台统计" "Counted here",
        Entered = "entered" "人工填报" "Entered by hand",
        Computed = "computed" "由其他指标算得" "Computed of other figures",
    }
}

/// The days that a figure is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FigureSpan {
    pub first: Day,
    pub last: Day,
}

impl FigureSpan {
    pub fn day(day: Day) -> Self {
        Self { first: day, last: day }
    }
    /// A year (`2025`), a quarter (`2025-Q2`), a month (`2025-06`), or the first and last of several years
    /// or months (`2021-2025`, `2025-01..2025-06`), from 1990 to 2100.
    pub fn parse(text: &str) -> Option<Self> {
        let span = match (text.split_once(".."), text.split_once('-')) {
            (Some((from, to)), _) => Self::months(Month::parse(from)?, Month::parse(to)?)?,
            (None, None) => Self::years(text, text)?,
            (None, Some((year, quarter))) if quarter.starts_with('Q') => {
                let first = match quarter {
                    "Q1" => 1,
                    "Q2" => 4,
                    "Q3" => 7,
                    "Q4" => 10,
                    _ => return None,
                };
                let month = |m: u32| Month::parse(&format!("{year}-{m:02}"));
                Self::months(month(first)?, month(first + 2)?)?
            }
            (None, Some((from, to))) if to.len() == 4 => Self::years(from, to)?,
            (None, Some(_)) => Self::months(Month::parse(text)?, Month::parse(text)?)?,
        };
        let fine = span.first <= span.last && span.first.year() >= 1990 && span.last.year() <= 2100;
        fine.then_some(span)
    }
    fn years(from: &str, to: &str) -> Option<Self> {
        let year = |text: &str| (text.len() == 4).then(|| text.parse::<i32>().ok()).flatten();
        Self::months(Month::january(year(from)?), Month::december(year(to)?))
    }
    fn months(from: Month, to: Month) -> Option<Self> {
        Some(Self { first: from.first_day()?, last: to.last_day()? })
    }
    /// The calendar year that it is, exactly.
    pub fn whole_year(self) -> Option<i32> {
        let year = self.first.year();
        (Some(self.first) == Day::from_ymd_opt(year, 1, 1)
            && Some(self.last) == Day::from_ymd_opt(year, 12, 31))
        .then_some(year)
    }
}

#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = indicator_values)]
pub struct IndicatorValue {
    pub id: Id<IndicatorValueKey>,
    pub region_code: Region,
    pub indicator: Indicator,
    pub period: String,
    pub first_day: Day,
    pub last_day: Day,
    pub value: i64,
    pub scale: i64,
    pub source: String,
    pub source_date: Day,
    pub created_at: Moment,
}

impl IndicatorValue {
    pub fn value(&self) -> Decimal {
        Decimal::new(self.value, self.scale)
    }
    pub fn span(&self) -> FigureSpan {
        FigureSpan { first: self.first_day, last: self.last_day }
    }
}

/// A figure that somebody published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct IndicatorValueView {
    #[schema(value_type = String, format = Uuid)]
    pub id: Id<IndicatorValueKey>,
    pub indicator: Indicator,
    pub region_code: Region,
    #[schema(example = "沈阳市")]
    pub region_name: String,
    /// A year, quarter, month or span of them; of a figure of one day, that day.
    #[schema(example = "2025")]
    pub period: String,
    pub value: Decimal,
    #[schema(example = "fen")]
    pub unit: &'static str,
    #[schema(example = "沈阳市2025年国民经济和社会发展统计公报")]
    pub source: String,
    #[schema(value_type = String, format = Date, example = "2026-04-02")]
    pub source_date: Day,
    /// Whether it is the newest for its region and period; older ones stay to be seen.
    pub counts: bool,
    pub created_at: Moment,
}

impl IndicatorValueView {
    pub fn new(row: IndicatorValue, counts: bool) -> Self {
        Self {
            id: row.id,
            indicator: row.indicator,
            region_name: regions::name(&row.region_code),
            value: row.value(),
            unit: row.indicator.unit(),
            period: row.period,
            source: row.source,
            source_date: row.source_date,
            counts,
            created_at: row.created_at,
            region_code: row.region_code,
        }
    }
}

/// A figure to be entered. To correct one, enter it anew: the newest counts.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IndicatorValueInput {
    region_code: Region,
    /// A year `2025`, a quarter `2025-Q2`, a month `2025-06`, years `2021-2025` or months
    /// `2025-01..2025-06`. Either this or `day`.
    #[schema(min_length = 4, max_length = 16, example = "2025")]
    period: Option<String>,
    /// For a stock on one day.
    #[schema(value_type = Option<String>, format = Date, example = "2025-12-31")]
    day: Option<Day>,
    value: Decimal,
    /// May be left out; if given, it has to be the unit of the indicator (`fen` for money).
    #[schema(max_length = 20, example = "fen")]
    unit: Option<String>,
    /// Who published it, and where.
    #[schema(min_length = 2, max_length = 200, example = "沈阳市2025年国民经济和社会发展统计公报")]
    source: String,
    /// When it was published.
    #[schema(value_type = String, format = Date, example = "2026-04-02")]
    source_date: Day,
}

/// A figure that says what it must, not yet stored.
#[derive(Debug, Clone)]
pub struct NewIndicatorValue {
    pub region_code: Region,
    pub indicator: Indicator,
    pub period: String,
    pub span: FigureSpan,
    pub value: Decimal,
    pub source: String,
    pub source_date: Day,
}

impl IndicatorValueInput {
    pub fn parse(self, indicator: Indicator, today: Day) -> Result<NewIndicatorValue> {
        let mut faults = Faults::default();
        // a zone of a policy paper may have figures without being a market here
        if place_of(Some(self.region_code.as_str()), &mut Faults::default()).is_none() {
            faults.keep(regions::check("/region_code", &self.region_code));
        }
        let unit = indicator.unit();
        if self.unit.as_deref().is_some_and(|given| given != unit) {
            faults.add("/unit", "wrong_unit", format!("该指标的单位是 {unit}（金额一律以分计）。"));
        }
        let whole = unit != "fen" || self.value.scale() == 0;
        faults.check(whole, "/value", "not_whole", "金额以分计，应为整数。");
        let (period, span) = match (self.period, self.day) {
            (Some(period), None) => {
                let span = FigureSpan::parse(&period);
                faults.check(
                    span.is_some(),
                    "/period",
                    "bad_period",
                    "period 应为年（2025）、季（2025-Q2）、月（2025-06）、起止年（2021-2025）或起止月\
                     （2025-01..2025-06），在 1990 与 2100 年之间，先小后大。",
                );
                (period, span)
            }
            (None, Some(day)) => (day.to_string(), Some(FigureSpan::day(day))),
            (None, None) | (Some(_), Some(_)) => {
                faults.add("/period", "period_or_day", "period 与 day 应填且只填一个。");
                (String::new(), None)
            }
        };
        let source = self.source.trim().to_owned();
        let told = source.chars().count() >= 2;
        faults.check(told, "/source", "too_short", "请写明是谁、在哪里公布的。");
        let (over, known) = (self.source_date <= today, span.is_none_or(|s| s.last <= today));
        faults.check(over, "/source_date", "in_the_future", "公布日期不能晚于今天。");
        let where_ = if self.day.is_some() { "/day" } else { "/period" };
        faults.check(known, where_, "in_the_future", "只填报已经结束的期间的数值。");
        faults.finish()?;
        let span = span.ok_or_else(|| anyhow::anyhow!("a period without faults has days"))?;
        Ok(NewIndicatorValue {
            region_code: self.region_code,
            indicator,
            period,
            span,
            value: self.value,
            source,
            source_date: self.source_date,
        })
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct IndicatorValuesQuery {
    /// Figures of exactly this region.
    #[param(example = "210100")]
    pub region: Option<String>,
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct IndicatorsQuery {
    /// A GB/T 2260 code or a zone code; 210000 without it.
    #[param(example = "210100")]
    pub region: Option<String>,
    /// The last day that counts, `YYYY-MM-DD`; without it today. Callers who do not oversee the region are
    /// answered for whole months, and for today.
    #[param(example = "2026-10-31")]
    pub as_of: Option<String>,
}

/// What an indicator comes to in a region.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct IndicatorFigure {
    pub indicator: Indicator,
    #[schema(example = "技术经纪人")]
    pub label: &'static str,
    #[schema(example = "名")]
    pub unit: &'static str,
    /// Null where there is no figure, or it may not be published.
    pub value: Option<Decimal>,
    pub source: Option<FigureSource>,
    /// The first day that was counted; null for a stock, which is told as of the last.
    #[schema(value_type = Option<String>, format = Date, example = "2026-01-01")]
    pub from: Option<Day>,
    #[schema(value_type = Option<String>, format = Date, example = "2026-10-31")]
    pub to: Option<Day>,
    /// What a counted figure is made of.
    pub parts: Vec<TargetPart>,
    /// What was counted, or who published it and when.
    pub basis: String,
    /// The newest figure that was entered by hand, also where the market counts by itself.
    pub entered: Option<IndicatorValueView>,
}

/// Every indicator of a region.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct IndicatorFigures {
    pub region_code: Region,
    #[schema(value_type = String, format = Date, example = "2026-10-31")]
    pub as_of: Day,
    pub items: Vec<IndicatorFigure>,
}
