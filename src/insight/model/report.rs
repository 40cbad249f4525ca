//! Reports: figures of several statistics on one paper, each with the question that gives it anew.
use serde::{Deserialize, Serialize, Serializer};

use super::{Basis, Month, code_of, period_of, region_of};
use crate::{
    codes,
    insight::decimal::Decimal,
    kernel::{Day, Faults, Moment, Region, Result, month_of},
    markets::regions::LIAONING,
};

codes! {
    /// The rhythm of a report.
    pub enum ReportKind {
        Monthly = "monthly" "月调度" "Monthly dispatch",
        Quarterly = "quarterly" "季通报" "Quarterly bulletin",
        Annual = "annual" "年排名" "Annual ranking",
    }
}

codes! {
    /// How a report is written.
    pub enum ReportFormat {
        Json = "json" "JSON" "JSON",
        Xlsx = "xlsx" "Excel 工作簿" "Excel workbook",
        Html = "html" "打印页" "Page for print",
    }
}

codes! {
    /// What a column of a figure holds.
    pub enum FigureUnit {
        Text = "text" "文字" "Text",
        Count = "count" "件数" "Count",
        Fen = "fen" "金额（分）" "Amount in fen",
        Ratio = "ratio" "比率" "Ratio",
        Days = "days" "天数" "Days",
        Number = "number" "数值" "Number",
        Change = "change" "位次变化" "Change of place",
    }
}

/// The question of `GET /reports/{kind}`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// `2026-10` for `monthly`, `2026-Q3` for `quarterly`, `2026` for `annual`; without it the one that
    /// today lies in.
    #[param(example = "2026-10")]
    period: Option<String>,
    /// A GB/T 2260 code or a zone code; without it Liaoning. Outside of Liaoning provinces only.
    #[param(example = "210000")]
    region: Option<String>,
    /// `reported` (the default), or `restated` for those who oversee the region.
    #[param(example = "reported")]
    basis: Option<String>,
    /// `json` (the default), `xlsx` or `html`.
    #[param(example = "xlsx")]
    format: Option<String>,
}

/// A question about a report that can be answered.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReportAsked {
    pub kind: ReportKind,
    #[schema(example = "2026-10")]
    pub period: String,
    pub region: Region,
    #[schema(value_type = String, example = "2026-10")]
    pub from: Month,
    #[schema(value_type = String, example = "2026-10")]
    pub to: Month,
    pub basis: Basis,
}

impl ReportQuery {
    pub fn parse(self, kind: ReportKind, today: Day) -> Result<(ReportAsked, ReportFormat)> {
        let mut faults = Faults::default();
        let region = region_of(self.region.as_deref(), &mut faults);
        let basis = code_of("basis", self.basis.as_deref(), &mut faults).unwrap_or(Basis::Reported);
        let format =
            code_of("format", self.format.as_deref(), &mut faults).unwrap_or(ReportFormat::Json);
        let now = Month::of(today);
        let period = self.period.unwrap_or_else(|| match kind {
            ReportKind::Monthly => month_of(today),
            ReportKind::Quarterly => format!("{:04}-Q{}", now.year(), now.quarter0() + 1),
            ReportKind::Annual => format!("{:04}", now.year()),
        });
        let (fits, how) = match kind {
            ReportKind::Monthly => (Month::parse(&period).is_some(), "月份，写作 2026-10"),
            ReportKind::Quarterly => (period.contains("-Q"), "季度，写作 2026-Q3"),
            ReportKind::Annual => (period.len() == 4, "年份，写作 2026"),
        };
        let months = period_of(&period).filter(|_| fits);
        if months.is_none() {
            let detail = format!("{}的 period 应为{how}。", crate::kernel::Code::zh(kind));
            faults.add("period", "bad_period", detail);
        }
        let (from, to) = months.unwrap_or((now, now));
        faults.check(from <= now, "period", "not_begun", "该期间尚未开始，没有可以报告的数据。");
        faults.finish()?;
        let region = region.unwrap_or_else(|| LIAONING.clone());
        Ok((ReportAsked { kind, period, region, from, to, basis }, format))
    }
}

/// Up to when a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CutOff {
    /// The last day that is counted.
    #[schema(value_type = String, format = Date, example = "2026-10-31")]
    pub day: Day,
    /// How many events of the journal the figure has taken in.
    pub position: i64,
}

/// Where a figure, or a row of it, comes from: whoever asks `query` again gets an answer with `digest`, as
/// long as nothing that counts has changed.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FigureCall {
    /// The call that gives the figure anew.
    #[schema(
        example = "/api/v1/statistics/turnover?region=210000&from=2026-10&to=2026-10&flow=output&by=category&basis=reported&compare=previous_year"
    )]
    pub query: String,
    /// The `digest` of its answer.
    pub digest: String,
    pub cut_off: CutOff,
    /// What was counted.
    pub basis: String,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FigureColumn {
    #[schema(example = "total_fen")]
    pub key: &'static str,
    #[schema(example = "成交额")]
    pub label: String,
    pub unit: FigureUnit,
}

/// A value of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FigureValue {
    Text(String),
    Whole(i64),
    Decimal(Decimal),
    /// There is one, and this caller may not see it.
    Hidden,
    /// There is none.
    Nothing,
}

impl FigureValue {
    pub fn whole(value: Option<i64>, otherwise: Self) -> Self {
        value.map_or(otherwise, Self::Whole)
    }
    pub fn decimal(value: Option<Decimal>, otherwise: Self) -> Self {
        value.map_or(otherwise, Self::Decimal)
    }
}

impl Serialize for FigureValue {
    fn serialize<S: Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => s.serialize_str(text),
            Self::Whole(n) => s.serialize_i64(*n),
            Self::Decimal(d) => d.serialize(s),
            Self::Hidden | Self::Nothing => s.serialize_none(),
        }
    }
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FigureRow {
    #[schema(example = "210100")]
    pub key: String,
    /// One for each column; null where there is none, or where `suppressed` says that the caller may not
    /// see it.
    #[schema(value_type = Vec<serde_json::Value>)]
    pub cells: Vec<FigureValue>,
    /// Some of `cells` are null because the caller may not see them.
    pub suppressed: bool,
    /// The sum of the others.
    pub is_total: bool,
}

impl FigureRow {
    pub fn new(key: impl Into<String>, cells: Vec<FigureValue>) -> Self {
        let suppressed = cells.contains(&FigureValue::Hidden);
        Self { key: key.into(), cells, suppressed, is_total: false }
    }
    pub fn total(key: impl Into<String>, cells: Vec<FigureValue>) -> Self {
        Self { is_total: true, ..Self::new(key, cells) }
    }
}

/// How a figure is drawn beside its table. Numbers are those of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FigureChart {
    /// A bar for each row.
    Bars { label: usize, value: usize },
    /// Parts of a whole.
    Shares { label: usize, value: usize },
    /// Columns by month, and lines.
    Months { label: usize, value: usize, lines: Vec<usize> },
}

/// A table of a report.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Figure {
    #[schema(example = "category")]
    pub key: &'static str,
    #[schema(example = "按合同类别")]
    pub title: String,
    pub columns: Vec<FigureColumn>,
    pub rows: Vec<FigureRow>,
    /// One for the whole table, or one for each row in the order of the rows.
    pub sources: Vec<FigureCall>,
    /// Of the only source, or SHA-256 over the JSON of the digests of all.
    pub digest: String,
    #[serde(skip)]
    pub chart: Option<FigureChart>,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReportSection {
    #[schema(example = "structure")]
    pub key: &'static str,
    #[schema(example = "成交结构")]
    pub title: String,
    pub figures: Vec<Figure>,
}

/// A report.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Report {
    pub query: ReportAsked,
    #[schema(example = "辽宁省技术市场月调度")]
    pub title: String,
    #[schema(example = "2026年10月")]
    pub period_name: String,
    pub cut_off: CutOff,
    /// What the figures say, in sentences: where the market stands, what lags and why.
    pub findings: Vec<String>,
    pub sections: Vec<ReportSection>,
    /// How the figures are to be read.
    pub notes: Vec<String>,
    /// The call that gives this report anew.
    #[schema(example = "/api/v1/reports/monthly?period=2026-10&region=210000&basis=reported")]
    pub call: String,
    pub as_of: Moment,
    /// SHA-256 over the JSON of the question, the last day, and key, calls and digests of every figure: the
    /// same in each format and language.
    pub digest: String,
}
