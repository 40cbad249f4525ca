//! Rows, questions and answers of the room: [`figures`] for what was turned over, [`statistics`] for what
//! can be asked of it, [`funnel`] for what came before a contract, [`targets`] for what was set, [`lint`]
//! for what is wrong with that.
pub mod figures;
pub mod forecasts;
pub mod funnel;
pub mod indicators;
pub mod lint;
pub mod report;
pub mod statistics;
pub mod targets;

use crate::{
    kernel::{Code, Faults, Label, Region, labels},
    markets::regions,
};

pub use figures::*;
pub use forecasts::*;
pub use funnel::*;
pub use indicators::*;
pub use lint::*;
pub use report::*;
pub use statistics::*;
pub use targets::*;

use super::indicators::Indicator;

/// The code lists of this room, by their names at `GET /codes`.
pub fn codes() -> Vec<(&'static str, Vec<Label>)> {
    vec![
        ("indicator", labels::<Indicator>()),
        ("target_operator", labels::<Operator>()),
        ("target_kind", labels::<TargetKind>()),
        ("turnover_flow", labels::<Flow>()),
        ("turnover_by", labels::<By>()),
        ("turnover_basis", labels::<Basis>()),
        ("pace", labels::<Pace>()),
        ("figure_source", labels::<FigureSource>()),
        ("lint_rule", labels::<LintRule>()),
        ("lint_severity", labels::<LintSeverity>()),
        ("funnel_stage", labels::<FunnelStage>()),
        ("report_kind", labels::<ReportKind>()),
    ]
}

/// The region of a query parameter, which has to exist.
pub fn region_of(text: Option<&str>, faults: &mut Faults) -> Option<Region> {
    let Ok(region) = text?.parse::<Region>() else {
        faults.add(
            "region",
            "bad_region",
            "region 应为 GB/T 2260 六位代码（如 210100）或功能区代码（LNZ-…）。",
        );
        return None;
    };
    faults.keep(regions::check("region", &region))?;
    Some(region)
}

/// The same, but a zone of a policy paper may have targets and figures without being a market here.
pub fn place_of(text: Option<&str>, faults: &mut Faults) -> Option<Region> {
    let zone = text.filter(|text| text.starts_with("LNZ-")).and_then(|text| text.parse().ok());
    zone.or_else(|| region_of(text, faults))
}

/// The value of a code list in a query parameter.
pub fn code_of<C: Code>(name: &str, text: Option<&str>, faults: &mut Faults) -> Option<C> {
    let text = text?;
    let found = C::from_slug(text);
    if found.is_none() {
        let all: Vec<_> = C::ALL.iter().map(|c| c.slug()).collect();
        faults.add(
            name,
            "not_in_list",
            format!("{name} 没有这个取值；可用的有：{}。", all.join("、")),
        );
    }
    found
}
