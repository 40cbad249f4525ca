//! What is wrong or unclear in the targets, each with the words of both sides.
use serde::{Deserialize, Serialize};

use crate::{
    codes,
    insight::indicators::Indicator,
    kernel::{Day, Id, Region, of},
};

codes! {
    /// Whether both sides can be true.
    pub enum LintSeverity {
        Contradiction = "contradiction" "矛盾" "Contradiction",
        Note = "note" "提示" "Note",
    }
}

codes! {
    /// What two targets, or a target and its own parts, do to each other.
    pub enum LintRule {
        ConflictingValues = "conflicting_values" "同一指标、地区、年份的目标值互不相容" "Values that cannot both hold",
        SupersededIsNewer = "superseded_is_newer" "被取代的文件晚于取代它的文件" "The paper replaced is the newer one",
        BreakdownSum = "breakdown_sum" "分项之和与目标值不符" "Parts that do not add up",
        FlowsAndCumulative = "flows_and_cumulative" "年度值乘年数与累计值不符" "Yearly figures that do not make the cumulative one",
        StockAndAdditions = "stock_and_additions" "基数加新增与存量目标不符" "Baseline and additions that do not make the stock",
        AdditionsExceedStock = "additions_exceed_stock" "新增合计超过存量目标" "Additions that exceed the stock",
        PartExceedsWhole = "part_exceeds_whole" "部分超过整体" "A part that exceeds the whole",
        Superseded = "superseded" "后发文件取代先发文件" "Replaced by a newer paper",
        DifferingValues = "differing_values" "同一指标、地区、年份有不同但相容的目标值" "Different values that can both hold",
        BreakdownFloors = "breakdown_floors" "分项下限之和不等于总下限" "Floors of parts that do not make the floor",
        ImpliedBaseline = "implied_baseline" "基数由目标推得" "A baseline that the target implies",
        StockAndFlow = "stock_and_flow" "存量与其一部分的年度增量并列" "A stock beside the yearly growth of a part of it",
        UnclearBase = "unclear_base" "倍数目标没有基数" "A multiple of an unknown base",
        UnclearUnit = "unclear_unit" "比率目标的单位不含分母" "A ratio whose unit names no denominator",
        KindAssumed = "kind_assumed" "文件未写明数值类型" "The paper does not say what kind of figure it sets",
        UndatedDocument = "undated_document" "文件没有日期" "A paper without a day",
    }
}

impl LintRule {
    pub fn severity(self) -> LintSeverity {
        match self {
            Self::ConflictingValues
            | Self::SupersededIsNewer
            | Self::BreakdownSum
            | Self::FlowsAndCumulative
            | Self::StockAndAdditions
            | Self::AdditionsExceedStock
            | Self::PartExceedsWhole => LintSeverity::Contradiction,
            Self::Superseded
            | Self::DifferingValues
            | Self::BreakdownFloors
            | Self::ImpliedBaseline
            | Self::StockAndFlow
            | Self::UnclearBase
            | Self::UnclearUnit
            | Self::KindAssumed
            | Self::UndatedDocument => LintSeverity::Note,
        }
    }
}

/// What one target says, in its own words and figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LintSide {
    #[schema(value_type = String, format = Uuid)]
    pub target_id: Id<of::Target>,
    #[schema(example = "朝阳市推进科技创新赋能高质量发展工作方案")]
    pub document: String,
    #[schema(value_type = Option<String>, format = Date, example = "2021-08-18")]
    pub issued_on: Option<Day>,
    #[schema(example = "揭榜挂帅项目 达到 12 个（2021-2025 年，年度值）")]
    pub quote: String,
}

/// Something that does not fit, or is not clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TargetFinding {
    pub code: LintRule,
    pub severity: LintSeverity,
    pub region_code: Region,
    pub indicator: Indicator,
    #[schema(example = "年度值合计 5 × 28 = 140 个，累计目标为 100 个，两者不符。")]
    pub detail: String,
    pub sides: Vec<LintSide>,
}

/// Everything that was found, contradictions first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LintReport {
    pub region: Option<Region>,
    /// How many targets were looked at.
    #[schema(example = 95)]
    pub targets: usize,
    #[schema(example = 3)]
    pub contradictions: usize,
    pub notes: usize,
    pub findings: Vec<TargetFinding>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LintQuery {
    /// Targets of this region and all that lies in it; without it all.
    #[param(example = "211300")]
    pub region: Option<String>,
}
