//! The funnel: how far listings and requests came, and how long each step takes.
use chrono::Datelike;
use serde::{Deserialize, Serialize};

use super::{Flow, Month, code_of, months_of, region_of};
use crate::{
    codes,
    insight::decimal::Decimal,
    kernel::{Day, Faults, Moment, Region, Result},
    markets::model::Field,
};

codes! {
    /// How far a listing, and a request about it, has come.
    pub enum FunnelStage {
        Listings = "listings" "发布" "Listings published",
        Requests = "requests" "对接请求" "Match requests",
        Accepted = "accepted" "接受请求" "Requests accepted",
        Intents = "intents" "达成意向" "Intents signed",
        Contracts = "contracts" "签订合同" "Contracts drawn up",
        Registered = "registered" "合同登记" "Contracts registered",
    }
}

/// Years that one funnel may span: every case of them is read.
const MOST_YEARS: i32 = 10;

/// The question of `GET /statistics/funnel`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FunnelQuery {
    /// A GB/T 2260 code or a zone code; without it the whole country.
    #[param(example = "210000")]
    region: Option<String>,
    /// The first month, `YYYY-MM`; without it the first month of this year.
    #[param(example = "2026-01")]
    from: Option<String>,
    /// The last month, `YYYY-MM`, counted in; without it the last month of this year. At most 10 years.
    #[param(example = "2026-12")]
    to: Option<String>,
    /// `output` (achievements of the region, the default) or `absorbed` (its demands).
    #[param(example = "output")]
    flow: Option<String>,
    /// A technical field, `01` to `11`.
    #[param(example = "05")]
    field: Option<String>,
    /// The last day that counts, `YYYY-MM-DD`; what came later is not looked at. Without it today.
    #[param(example = "2026-11-22")]
    as_of: Option<String>,
}

/// A question about the funnel that can be answered.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FunnelAsked {
    pub region: Option<Region>,
    #[schema(value_type = String, example = "2026-01")]
    pub from: Month,
    #[schema(value_type = String, example = "2026-12")]
    pub to: Month,
    pub flow: Flow,
    pub field: Option<Field>,
    /// The last day that counts. For callers who do not oversee the region the end of a month, or today.
    #[schema(value_type = String, format = Date, example = "2026-11-22")]
    pub as_of: Day,
}

impl FunnelQuery {
    pub fn parse(self, today: Day) -> Result<FunnelAsked> {
        let mut faults = Faults::default();
        let region = region_of(self.region.as_deref(), &mut faults);
        let flow = code_of("flow", self.flow.as_deref(), &mut faults).unwrap_or(Flow::Output);
        let field = code_of("field", self.field.as_deref(), &mut faults);
        let (from, to) = months_of(self.from.as_deref(), self.to.as_deref(), today, &mut faults);
        faults.check(
            flow != Flow::Local,
            "flow",
            "not_in_list",
            "漏斗按 output（成果方）或 absorbed（需求方）统计。",
        );
        faults.check(
            to.year() - from.year() < MOST_YEARS,
            "to",
            "span_too_long",
            "漏斗一次最多统计 10 年。",
        );
        let as_of = match self.as_of.as_deref() {
            None => Some(today),
            Some(text) => text.parse::<Day>().ok().filter(|day| day.to_string() == text),
        };
        let fine = as_of.is_some_and(|day| (1900..=2200).contains(&day.year()));
        faults.check(fine, "as_of", "bad_day", "as_of 应为存在的日期，写作 YYYY-MM-DD。");
        faults.finish()?;
        Ok(FunnelAsked { region, from, to, flow, field, as_of: as_of.unwrap_or(today).min(today) })
    }
}

/// How many came to a stage.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StageCount {
    pub stage: FunnelStage,
    #[schema(example = "达成意向")]
    pub label: &'static str,
    /// Listings at the first stage, match requests at all others. Null where the caller may not see it.
    #[schema(example = 12)]
    pub count: Option<i64>,
    pub suppressed: bool,
}

/// The way from one stage to the next. Null where the caller may not see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FunnelStep {
    pub from: FunnelStage,
    pub to: FunnelStage,
    /// Cases that stood before the step.
    #[schema(example = 40)]
    pub entered: Option<i64>,
    /// Those that took it.
    #[schema(example = 12)]
    pub reached: Option<i64>,
    /// `reached / entered` to four decimals. Some of those that are open may still follow.
    #[schema(example = 0.3)]
    pub rate: Option<Decimal>,
    /// Those that came to an end before it: declined, withdrawn, expired, closed.
    pub ended: Option<i64>,
    /// Those that may still take it.
    pub open: Option<i64>,
    /// Of `reached`, those that went past the stage without a stop at it: a contract without an intent.
    pub skipped: Option<i64>,
    /// How many cases took the step in a time that is known: what the times rest on.
    pub timed: Option<i64>,
    /// Days after which half of those have taken the step who take it, with those that are open as open
    /// (see `basis`). Null where that is not reached.
    #[schema(example = 6.5)]
    pub median_days: Option<Decimal>,
    /// Days after which nine of ten have.
    #[schema(example = 21)]
    pub p90_days: Option<Decimal>,
    pub suppressed: bool,
}

/// How far the listings and requests of a span of time came.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MarketFunnel {
    pub query: FunnelAsked,
    pub stages: Vec<StageCount>,
    pub steps: Vec<FunnelStep>,
    /// Which listings and requests are counted, and how times are estimated.
    pub basis: String,
    pub as_of: Moment,
    /// How many events of the journal there were.
    pub position: i64,
    /// SHA-256 over the JSON of `[query, stages, steps]`.
    pub digest: String,
}
