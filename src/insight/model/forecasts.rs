//! Forecasts, and how good they have been.
use serde::{Deserialize, Serialize};

use super::figures::Flow;
use crate::{
    insight::decimal::Decimal,
    kernel::{Day, Region},
};

/// What the period will come to at its end: an 80 % band, and how likely the target is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Forecast {
    /// The last day that it knows of.
    #[schema(value_type = String, format = Date, example = "2020-09-30")]
    pub origin: Day,
    /// One in ten years ends below; never less than there is already.
    #[schema(example = 6_012_300_000_000i64)]
    pub p10: Decimal,
    #[schema(example = 6_298_700_000_000i64)]
    pub p50: Decimal,
    /// One in ten years ends above.
    #[schema(example = 6_603_100_000_000i64)]
    pub p90: Decimal,
    /// That the target is reached, to four decimals.
    #[schema(example = 0.8731)]
    pub probability: Decimal,
    /// How many whole past years speak.
    #[schema(example = 5)]
    pub years: usize,
    /// The share that past years had reached by this day; null before anything is registered.
    #[schema(example = 0.5142)]
    pub usual_share: Option<Decimal>,
}

/// The forecast without the largest contracts of the period so far, as if they had never been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Sensitivity {
    /// How many contracts were left out: five, or all there are.
    #[schema(example = 5)]
    pub contracts: usize,
    /// What they come to.
    #[schema(example = 231_400_000_000i64)]
    pub total: Decimal,
    /// Their share of the actual figure.
    #[schema(example = 0.3512)]
    pub share: Option<Decimal>,
    pub forecast: Option<Forecast>,
}

/// One forecast of the past beside what came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Trial {
    #[schema(example = "2019")]
    pub year: String,
    /// The last day that the forecast knew of.
    #[schema(value_type = String, format = Date, example = "2019-09-30")]
    pub origin: Day,
    pub flow: Flow,
    /// What had been registered by then.
    pub so_far: Decimal,
    /// What came; the unit of all figures is fen.
    pub actual: Decimal,
    /// Null where the model refuses: too little history.
    pub p10: Option<Decimal>,
    pub p50: Option<Decimal>,
    pub p90: Option<Decimal>,
    /// What past years had by then, as far as known, taken for this year's share, however few years.
    pub by_share: Option<Decimal>,
    /// Last year grown as it had grown itself.
    pub by_growth: Option<Decimal>,
    /// A straight line: through the two years before, or through what there was by then.
    pub by_line: Option<Decimal>,
}

/// How far forecasts lay from what came. Errors are shares of what came, to four decimals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Score {
    /// Forecasts that the model made.
    #[schema(example = 16)]
    pub n: usize,
    /// Where it refused for want of history.
    pub refused: usize,
    /// Mean absolute error of the median.
    #[schema(example = 0.0712)]
    pub mape: Option<Decimal>,
    /// The share of what came that lay in the 80 % band.
    #[schema(example = 0.9375)]
    pub coverage: Option<Decimal>,
    /// Mean absolute errors of the plain methods, over the same forecasts.
    pub mape_by_share: Option<Decimal>,
    pub mape_by_growth: Option<Decimal>,
    pub mape_by_line: Option<Decimal>,
}

/// Forecasts made again over published figures.
#[derive(Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BackTest {
    /// What the figures are and where they come from.
    pub series: String,
    pub score: Score,
    pub trials: Vec<Trial>,
}

/// Forecasts made again at the end of each month, over what was registered here. No amounts.
#[derive(Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MarketTest {
    pub region_code: Region,
    /// What the figures are.
    pub series: String,
    /// The first and last year that were forecast; null where none could be.
    pub years: Option<[i32; 2]>,
    pub score: Score,
    /// By the number of months that were known, 1 to 11.
    pub by_month: Vec<MonthScore>,
}

#[derive(Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MonthScore {
    pub months: u32,
    #[serde(flatten)]
    pub score: Score,
}

/// How good the forecasts of turnover are.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ForecastQuality {
    /// How it is forecast.
    pub model: String,
    pub limits: Vec<String>,
    /// Whole years, forecast at the end of the year before.
    pub yearly: BackTest,
    /// Part-year figures that were published, and the year they belong to.
    pub within_year: BackTest,
    /// Published part-year figures that nothing can be measured against.
    pub unused: Vec<String>,
    /// Null where the months of this market may not be told of to this caller.
    pub market: Option<MarketTest>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct QualityQuery {
    /// Whose registered turnover the forecasts are made over again, beside the published series; 210000
    /// without it.
    #[param(example = "210000")]
    pub region: Option<String>,
}
