//! Targets: what a policy paper asks for, and how far it has come.
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    super::{decimal::Decimal, indicators::Indicator},
    forecasts::{Forecast, Sensitivity},
    indicators::{FigureSource, IndicatorValueView},
};
use crate::{
    codes,
    kernel::{Code, Day, Error, Faults, Id, JsonText, Moment, Region, Result, of},
    markets::regions,
    schema::targets,
};

codes! {
    /// How the actual figure has to stand to the value.
    pub enum Operator {
        AtLeast = ">=" "不低于" "At least",
        MoreThan = ">" "超过" "More than",
        Equal = "=" "达到" "Reaches",
        About = "approx" "约" "About",
        Between = "between" "介于" "Between",
    }
}

codes! {
    /// What kind of figure the target sets.
    pub enum TargetKind {
        Level = "level" "期末水平" "Level in the last year",
        Flow = "flow" "年度值" "Per year",
        Cumulative = "cumulative" "累计值" "Cumulative over the period",
        Ratio = "ratio" "比率" "Ratio or growth",
    }
}

codes! {
    /// Where the actual figure stands beside a straight line to the target, within 5 %.
    pub enum Pace {
        Ahead = "ahead" "超前" "Ahead",
        OnTrack = "on_track" "符合进度" "On track",
        Behind = "behind" "滞后" "Behind",
    }
}

/// A share of a target that falls to one sector or place, in the unit of the target. Shares are
/// quoted from the paper and need not add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetPart {
    #[schema(min_length = 1, max_length = 50, example = "工业")]
    pub label: String,
    pub value: Decimal,
}

/// The paper that sets the target.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    #[schema(min_length = 1, max_length = 200, example = "辽宁省科技创新驱动发展实施方案")]
    pub title: String,
    #[schema(value_type = Option<String>, format = Date, example = "2015-08-03")]
    pub issued_on: Option<Day>,
}

#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = targets)]
pub struct Target {
    pub id: Id<of::Target>,
    pub region_code: Region,
    pub indicator: Indicator,
    pub label: String,
    pub first_year: i64,
    pub last_year: i64,
    pub operator: Operator,
    pub value: i64,
    pub upper: Option<i64>,
    pub scale: i64,
    pub kind: TargetKind,
    pub document_title: String,
    pub document_issued_on: Option<Day>,
    pub supersedes: Option<Id<of::Target>>,
    pub baseline: Option<i64>,
    pub breakdown: JsonText<Vec<TargetPart>>,
    pub note: Option<String>,
    pub created_by: Option<Id<of::Account>>,
    pub version: i64,
    pub created_at: Moment,
    /// Whether the paper says what kind of figure it sets, or it was taken for one.
    pub kind_stated: bool,
}

impl Target {
    pub fn value(&self) -> Decimal {
        Decimal::new(self.value, self.scale)
    }
    pub fn period(&self) -> String {
        if self.first_year == self.last_year {
            self.first_year.to_string()
        } else {
            format!("{}-{}", self.first_year, self.last_year)
        }
    }
}

/// A target as everybody sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TargetView {
    #[schema(value_type = String, format = Uuid)]
    pub id: Id<of::Target>,
    pub region_code: Region,
    #[schema(example = "辽宁省")]
    pub region_name: String,
    pub indicator: Indicator,
    /// The indicator in the words of the paper.
    #[schema(example = "技术市场合同成交额")]
    pub label: String,
    /// A year or a span of years.
    #[schema(example = "2020")]
    pub period: String,
    pub operator: Operator,
    /// In `unit`, exactly; money is whole fen.
    pub value: Decimal,
    /// The upper end, with operator `between` only.
    pub upper: Option<Decimal>,
    /// `fen` for money, otherwise the Chinese unit.
    #[schema(example = "fen")]
    pub unit: &'static str,
    pub kind: TargetKind,
    /// False where the paper does not say what kind of figure it sets.
    pub kind_stated: bool,
    pub document: Document,
    /// The older target that this one replaces.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub supersedes: Option<Id<of::Target>>,
    pub baseline: Option<Decimal>,
    pub breakdown: Vec<TargetPart>,
    pub note: Option<String>,
    #[schema(example = 1)]
    pub version: i64,
    pub created_at: Moment,
}

impl From<Target> for TargetView {
    fn from(t: Target) -> Self {
        let of = |digits: i64| Decimal::new(digits, t.scale);
        Self {
            id: t.id,
            region_name: regions::name(&t.region_code),
            period: t.period(),
            operator: t.operator,
            value: of(t.value),
            upper: t.upper.map(of),
            unit: t.indicator.unit(),
            kind: t.kind,
            kind_stated: t.kind_stated,
            document: Document { title: t.document_title, issued_on: t.document_issued_on },
            supersedes: t.supersedes,
            baseline: t.baseline.map(of),
            breakdown: t.breakdown.into_inner(),
            note: t.note,
            version: t.version,
            created_at: t.created_at,
            region_code: t.region_code,
            indicator: t.indicator,
            label: t.label,
        }
    }
}

/// A target to be set.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTargetBody {
    region_code: Region,
    indicator: Indicator,
    /// The indicator in the words of the paper; without it the name of the indicator.
    #[schema(min_length = 1, max_length = 100, example = "技术合同成交额")]
    label: Option<String>,
    /// A year or a span of years.
    #[schema(pattern = "^[0-9]{4}(-[0-9]{4})?$", example = "2026")]
    period: String,
    operator: Operator,
    value: Decimal,
    /// The upper end, with operator `between` only.
    upper: Option<Decimal>,
    /// May be left out; if given, it has to be the unit of the indicator (`fen` for money).
    #[schema(max_length = 20, example = "fen")]
    unit: Option<String>,
    /// Without it `level`, and `ratio` for an indicator in per cent; the target then says that its kind
    /// was not stated.
    kind: Option<TargetKind>,
    document: Document,
    #[schema(value_type = Option<String>, format = Uuid)]
    supersedes: Option<Id<of::Target>>,
    baseline: Option<Decimal>,
    #[serde(default)]
    #[schema(max_items = 50)]
    breakdown: Vec<TargetPart>,
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// A target that says what a target must, not yet stored.
#[derive(Debug, Clone)]
pub struct NewTarget {
    pub region_code: Region,
    pub indicator: Indicator,
    pub label: String,
    pub first_year: i64,
    pub last_year: i64,
    pub operator: Operator,
    pub value: Decimal,
    pub upper: Option<Decimal>,
    pub kind: TargetKind,
    pub kind_stated: bool,
    pub document: Document,
    pub supersedes: Option<Id<of::Target>>,
    pub baseline: Option<Decimal>,
    pub breakdown: Vec<TargetPart>,
    pub note: Option<String>,
}

impl NewTarget {
    /// The decimals that value, upper end and baseline are stored with.
    pub fn scale(&self) -> u32 {
        let all = [Some(self.value), self.upper, self.baseline];
        all.into_iter().flatten().map(Decimal::scale).max().unwrap_or_default()
    }
}

/// `2026` or `2021-2025`, at most 30 years of this century.
fn years(period: &str) -> Option<(i64, i64)> {
    let (first, last) = period.split_once('-').unwrap_or((period, period));
    let (first, last): (i64, i64) = (first.parse().ok()?, last.parse().ok()?);
    ((2000..=2100).contains(&first) && (first..=first + 30).contains(&last))
        .then_some((first, last))
}

impl NewTargetBody {
    pub fn parse(self) -> Result<NewTarget> {
        let mut faults = Faults::default();
        faults.keep(regions::check("/region_code", &self.region_code));
        let years = years(&self.period);
        faults.check(
            years.is_some(),
            "/period",
            "bad_period",
            "period 应为 2000 至 2100 之间的年份（2026）或起止年份（2021-2025，先小后大，至多 30 年）。",
        );
        let unit = self.indicator.unit();
        if self.unit.as_deref().is_some_and(|given| given != unit) {
            faults.add("/unit", "wrong_unit", format!("该指标的单位是 {unit}（金额一律以分计）。"));
        }
        let breakdown = self.breakdown.iter().enumerate();
        let amounts = [
            ("/value".to_owned(), Some(self.value)),
            ("/upper".into(), self.upper),
            ("/baseline".into(), self.baseline),
        ];
        let parts = breakdown.map(|(i, p)| (format!("/breakdown/{i}/value"), Some(p.value)));
        for (pointer, value) in amounts.into_iter().chain(parts) {
            if unit == "fen" && value.is_some_and(|v| v.scale() > 0) {
                faults.add(pointer, "not_whole", "金额以分计，应为整数。");
            }
        }
        let between = self.operator == Operator::Between;
        faults.check(
            between == self.upper.is_some(),
            "/upper",
            "upper_and_operator",
            "upper 只与 operator=between 同时出现，且必须出现。",
        );
        let wide = self.upper.is_none_or(|u| {
            let scale = u.scale().max(self.value.scale());
            u.at_scale(scale) > self.value.at_scale(scale)
        });
        faults.check(wide, "/upper", "too_small", "upper 应大于 value。");
        for (i, part) in self.breakdown.iter().enumerate() {
            if self.breakdown.iter().take(i).any(|earlier| earlier.label == part.label) {
                faults.add(format!("/breakdown/{i}/label"), "duplicate", "分项名称不得重复。");
            }
        }
        let usual = if unit == "%" { TargetKind::Ratio } else { TargetKind::Level };
        let (first_year, last_year) = years.unwrap_or_default();
        faults.finish()?;
        let target = NewTarget {
            label: self.label.unwrap_or_else(|| self.indicator.zh().to_owned()),
            region_code: self.region_code,
            indicator: self.indicator,
            first_year,
            last_year,
            operator: self.operator,
            value: self.value,
            upper: self.upper,
            kind: self.kind.unwrap_or(usual),
            kind_stated: self.kind.is_some(),
            document: self.document,
            supersedes: self.supersedes,
            baseline: self.baseline,
            breakdown: self.breakdown,
            note: self.note,
        };
        let scale = target.scale();
        let fits = [Some(target.value), target.upper, target.baseline]
            .into_iter()
            .flatten()
            .all(|v| v.at_scale(scale).is_some());
        if fits {
            Ok(target)
        } else {
            Err(Error::invalid("/value", "too_large", "数值过大。"))
        }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TargetsQuery {
    /// Targets of exactly this region.
    #[param(example = "210000")]
    pub region: Option<String>,
    /// The slug of an indicator.
    #[param(example = "turnover")]
    pub indicator: Option<String>,
    /// Targets whose period holds this year.
    #[param(example = 2020)]
    pub year: Option<i64>,
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProgressQuery {
    /// The last day that counts, `YYYY-MM-DD` in Asia/Shanghai, or an instant; without it today.
    #[param(example = "2020-12-31")]
    pub as_of: Option<String>,
}

impl ProgressQuery {
    pub fn parse(self, today: Day) -> Result<Day> {
        let Some(text) = self.as_of else { return Ok(today) };
        let day = text.parse::<Day>().ok().filter(|d| d.to_string() == text);
        day.or_else(|| text.parse::<Moment>().ok().map(Moment::day)).ok_or_else(|| {
            Error::invalid(
                "as_of",
                "bad_day",
                "as_of 应为存在的日期 YYYY-MM-DD，或 RFC 3339 时间。",
            )
        })
    }
}

/// How far a target has come.
#[derive(Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Progress {
    #[schema(value_type = String, format = Uuid)]
    pub target_id: Id<of::Target>,
    pub indicator: Indicator,
    #[schema(example = "2020")]
    pub period: String,
    /// The days it is measured in: the period, and of yearly figures for several years that of the day.
    #[schema(value_type = String, format = Date, example = "2020-01-01")]
    pub from: Day,
    #[schema(value_type = String, format = Date, example = "2020-12-31")]
    pub to: Day,
    /// The last day that is counted.
    #[schema(value_type = String, format = Date, example = "2020-12-31")]
    pub as_of: Day,
    /// The unit of `value`, `actual`, `expected_by_now` and `required_per_month`.
    #[schema(example = "fen")]
    pub unit: &'static str,
    pub value: Decimal,
    /// Null where there is no figure for this indicator, or it may not be published.
    #[schema(example = 6_328_100_000_000i64)]
    pub actual: Option<Decimal>,
    /// Where `actual` comes from.
    pub source: Option<FigureSource>,
    /// What a counted figure is made of.
    pub parts: Vec<TargetPart>,
    /// The newest figure that was entered by hand for these days, also where the market counts by itself.
    pub entered: Option<IndicatorValueView>,
    /// Of yearly figures for several years, every year so far.
    pub years: Vec<YearStanding>,
    /// `actual / value` to four decimals.
    #[schema(example = 1.0547)]
    pub ratio: Option<Decimal>,
    /// The share of the days from `from` to `to` that have passed, to four decimals.
    #[schema(example = 1)]
    pub elapsed: Decimal,
    /// On a straight line from nil, or from the baseline of a stock, to `value`; null for a stock without a
    /// baseline and for rates.
    pub expected_by_now: Option<Decimal>,
    pub pace: Option<Pace>,
    /// What turnover will come to at the end of the period. Null outside of the period, with too little
    /// history, and where it would tell what may not be published; `forecast_basis` says which.
    pub forecast: Option<Forecast>,
    /// What was forecast from, or why nothing was.
    pub forecast_basis: String,
    /// For those who oversee the region only.
    pub without_largest: Option<Sensitivity>,
    /// What each month of the rest must bring on average; null when no time is left.
    pub required_per_month: Option<Decimal>,
    /// What was counted, up to when, and how the straight line was drawn.
    pub basis: String,
    /// How many events of the journal the figures have taken in.
    pub position: i64,
    /// SHA-256 over the JSON of all the rest but `position`: the same day with the same digest stands alike.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub digest: String,
}

/// One year of a target that is set for each of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct YearStanding {
    #[schema(example = 2021)]
    pub year: i64,
    /// Null where there is no figure, or it may not be published.
    #[schema(example = 160)]
    pub actual: Option<Decimal>,
    #[schema(example = 1)]
    pub ratio: Option<Decimal>,
    pub source: Option<FigureSource>,
}
