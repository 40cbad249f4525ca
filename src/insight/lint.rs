//! Targets that contradict each other or their own breakdown, and what they leave unclear. Pure.
//!
//! A target stands for a range of figures: `达到 100` is 100 alone, `不低于 100` everything from there on,
//! `约 100` a tenth to either side. Yearly figures are multiplied by their years, parts and baselines added;
//! where the ranges of both sides do not meet, both cannot be true. What relates one indicator to another is
//! told in [`super::indicators`]; no paper is known here by name. A target that another one replaces is
//! compared with that one only.
use std::collections::BTreeSet;

use super::{
    decimal::Decimal,
    indicators::{Indicator, Scope},
    model::{Finding, LintRule, LintSide, Operator, Target, TargetKind},
};
use crate::kernel::{Code, Fen};

/// The figures that a target allows, in 10^-4 of its unit, both ends counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    low: i128,
    high: Option<i128>,
}

impl Range {
    fn of(target: &Target) -> Self {
        let value = target.value().ten_thousandths();
        let to = |high| Self { low: value, high: Some(high) };
        match target.operator {
            Operator::AtLeast => Self { low: value, high: None },
            Operator::MoreThan => Self { low: value + 1, high: None },
            Operator::Equal => to(value),
            Operator::About => Self { low: value * 9 / 10, high: Some(value * 11 / 10) },
            Operator::Between => to(upper(target).unwrap_or(value)),
        }
    }
    fn exactly(value: i128) -> Self {
        Self { low: value, high: Some(value) }
    }
    fn times(self, n: i64) -> Self {
        let n = i128::from(n);
        Self { low: self.low * n, high: self.high.map(|high| high * n) }
    }
    fn plus(self, other: Self) -> Self {
        let high = self.high.zip(other.high).map(|(a, b)| a + b);
        Self { low: self.low + other.low, high }
    }
    fn meets(self, other: Self) -> bool {
        let below = |a: Self, b: Self| a.high.is_none_or(|high| b.low <= high);
        below(self, other) && below(other, self)
    }
}

fn upper(target: &Target) -> Option<i128> {
    target.upper.map(|digits| Decimal::new(digits, target.scale).ten_thousandths())
}

fn baseline(target: &Target) -> Option<i128> {
    target.baseline.map(|digits| Decimal::new(digits, target.scale).ten_thousandths())
}

fn years(target: &Target) -> i64 {
    target.last_year - target.first_year + 1
}

/// A figure with its unit, money in 亿元.
pub fn figure(unit: &str, amount: i128) -> String {
    let Some(value) = Decimal::of_ten_thousandths(amount) else {
        return format!("{amount}e-4 {unit}");
    };
    match value.at_scale(0).filter(|_| unit == "fen") {
        Some(fen) => format!("{} 亿元", Fen(fen).in_yi()),
        None => format!("{value} {unit}"),
    }
}

fn shown(target: &Target, amount: i128) -> String {
    figure(target.indicator.unit(), amount)
}

fn value(target: &Target) -> i128 {
    target.value().ten_thousandths()
}

/// What a target says, in one line.
fn quote(target: &Target) -> String {
    let mut told = format!("{} {} ", target.label, target.operator.zh());
    match upper(target) {
        Some(upper) => told.push_str(&format!("{}～{}", target.value(), shown(target, upper))),
        None => told.push_str(&shown(target, value(target))),
    }
    told.push_str(&format!("（{} 年，{}）", target.period(), target.kind.zh()));
    if let Some(base) = baseline(target) {
        told.push_str(&format!("，基数 {}", shown(target, base)));
    }
    let parts: Vec<_> = target
        .breakdown
        .iter()
        .map(|part| format!("{} {}", part.label, shown(target, part.value.ten_thousandths())))
        .collect();
    if !parts.is_empty() {
        told.push_str(&format!("，其中{}", parts.join("、")));
    }
    told
}

fn finding(code: LintRule, sides: &[&Target], detail: String) -> Option<Finding> {
    let first = sides.first()?;
    Some(Finding {
        code,
        severity: code.severity(),
        region_code: first.region_code.clone(),
        indicator: first.indicator,
        detail,
        sides: sides
            .iter()
            .map(|t| LintSide {
                target_id: t.id,
                document: t.document_title.clone(),
                issued_on: t.document_issued_on,
                quote: quote(t),
            })
            .collect(),
    })
}

/// Everything that does not fit or is not clear, contradictions first.
pub fn lint(targets: &[Target]) -> Vec<Finding> {
    let replaced: BTreeSet<_> = targets.iter().filter_map(|t| t.supersedes).collect();
    let in_force: Vec<&Target> = targets.iter().filter(|t| !replaced.contains(&t.id)).collect();
    let mut found = Vec::new();
    for (n, target) in targets.iter().enumerate() {
        found.extend(of_one(target));
        for other in targets.iter().skip(n + 1) {
            found.extend(replacement(target, other).or_else(|| replacement(other, target)));
        }
    }
    found.extend(undated(targets));
    for (n, target) in in_force.iter().enumerate() {
        for other in in_force.iter().skip(n + 1) {
            found.extend(same_figure(target, other));
            found.extend(part_of(target, other).or_else(|| part_of(other, target)));
        }
        let there: Vec<&Target> = in_force
            .iter()
            .copied()
            .filter(|t| t.region_code == target.region_code && t.last_year == target.last_year)
            .collect();
        found.extend(cumulative(target, &there));
        found.extend(stock(target, &there));
    }
    found.sort_by_key(|f| f.severity);
    found
}

/// What a target alone does not fit or leaves open.
fn of_one(target: &Target) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(breakdown(target));
    let unit = target.indicator.unit();
    let ratio = target.kind == TargetKind::Ratio;
    if ratio && unit == "倍" && target.baseline.is_none() {
        let detail = format!("“{}”是倍数目标，但没有基数，无法判断是否完成。", target.label);
        found.extend(finding(LintRule::UnclearBase, &[target], detail));
    }
    if ratio && !["%", "倍"].contains(&unit) {
        let detail = format!("“{}”是比率目标，单位只写“{unit}”，分母没有写进单位。", target.label);
        found.extend(finding(LintRule::UnclearUnit, &[target], detail));
    }
    if !target.kind_stated {
        let detail = format!(
            "“{}”没有写明是期末水平、年度值还是累计值，此处按“{}”理解。",
            target.label,
            target.kind.zh()
        );
        found.extend(finding(LintRule::KindAssumed, &[target], detail));
    }
    found
}

/// Parts are floors where the whole is one: then they need not add up, but it is worth knowing.
fn breakdown(target: &Target) -> Option<Finding> {
    if target.breakdown.is_empty() {
        return None;
    }
    let amounts: Vec<i128> = target.breakdown.iter().map(|p| p.value.ten_thousandths()).collect();
    let sum: i128 = amounts.iter().sum();
    let floors = matches!(target.operator, Operator::AtLeast | Operator::MoreThan);
    let fits =
        if floors { sum == value(target) } else { Range::exactly(sum).meets(Range::of(target)) };
    if fits {
        return None;
    }
    let parts =
        target.breakdown.iter().map(|p| p.value.to_string()).collect::<Vec<_>>().join(" + ");
    let (code, word) = if floors {
        (LintRule::BreakdownFloors, "各分项也是下限，不必相加得总数，因此不算矛盾")
    } else {
        (LintRule::BreakdownSum, "两者不符")
    };
    let detail = format!(
        "分项 {parts} 合计 {}，目标{}{}，{word}。",
        shown(target, sum),
        target.operator.zh(),
        shown(target, value(target)),
    );
    finding(code, &[target], detail)
}

fn undated(targets: &[Target]) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    targets
        .iter()
        .filter(|t| t.document_issued_on.is_none() && seen.insert(&t.document_title))
        .filter_map(|t| {
            let detail = format!("《{}》没有印发日期，无法按日期判断先后。", t.document_title);
            finding(LintRule::UndatedDocument, &[t], detail)
        })
        .collect()
}

/// `newer` replaces `older`.
fn replacement(newer: &Target, older: &Target) -> Option<Finding> {
    if newer.supersedes != Some(older.id) {
        return None;
    }
    let days = newer.document_issued_on.zip(older.document_issued_on);
    if let Some((new, old)) = days.filter(|(new, old)| new < old) {
        let detail = format!("取代它的文件印发于 {new}，被取代的文件却印发于 {old}，更晚。");
        return finding(LintRule::SupersededIsNewer, &[newer, older], detail);
    }
    let detail = format!(
        "{} 年“{}”先后有两个目标：{} 被 {} 取代。两者都保留，分别与实际值对照。",
        newer.period(),
        newer.label,
        shown(older, value(older)),
        shown(newer, value(newer)),
    );
    finding(LintRule::Superseded, &[older, newer], detail)
}

/// Two targets for the same figure.
fn same_figure(a: &Target, b: &Target) -> Option<Finding> {
    let what = |t: &Target| (t.indicator, t.kind, t.first_year, t.last_year);
    let said = |t: &Target| (value(t), t.operator, upper(t));
    if a.region_code != b.region_code || what(a) != what(b) || said(a) == said(b) {
        return None;
    }
    let both = format!(
        "{} 年“{}”有两个目标值：{}{} 与 {}{}",
        a.period(),
        a.label,
        a.operator.zh(),
        shown(a, value(a)),
        b.operator.zh(),
        shown(b, value(b)),
    );
    if Range::of(a).meets(Range::of(b)) {
        finding(LintRule::DifferingValues, &[a, b], format!("{both}，可以同时成立，以较严者为准。"))
    } else {
        let detail = format!("{both}，不能同时成立，也没有说明谁取代谁。");
        finding(LintRule::ConflictingValues, &[a, b], detail)
    }
}

/// A stock that is more than the stock it is a part of.
fn part_of(part: &Target, whole: &Target) -> Option<Finding> {
    let same = |t: &Target| (t.region_code.clone(), t.kind, t.last_year);
    if part.indicator.whole() != Some(whole.indicator) || same(part) != same(whole) {
        return None;
    }
    let (least, most) = (Range::of(part).low, Range::of(whole).high?);
    if least <= most {
        return None;
    }
    let detail = format!("部分至少 {}，整体至多 {}。", shown(part, least), shown(whole, most));
    finding(LintRule::PartExceedsWhole, &[part, whole], detail)
}

/// A cumulative target beside the yearly figures of the same years.
fn cumulative(target: &Target, there: &[&Target]) -> Option<Finding> {
    if target.kind != TargetKind::Cumulative {
        return None;
    }
    let yearly = |indicator: Indicator| {
        there.iter().copied().find(|t| {
            (t.indicator, t.kind, t.first_year) == (indicator, TargetKind::Flow, target.first_year)
        })
    };
    let own = yearly(target.indicator).map(|t| vec![t]);
    let parts = || target.indicator.parts().iter().map(|p| yearly(*p)).collect::<Option<Vec<_>>>();
    let flows = own.or_else(parts).filter(|flows| !flows.is_empty())?;
    let n = years(target);
    let sum = flows.iter().fold(Range::exactly(0), |sum, t| sum.plus(Range::of(t).times(n)));
    if sum.meets(Range::of(target)) {
        return None;
    }
    let each: i128 = flows.iter().map(|t| value(t)).sum();
    let detail = format!(
        "年度值 {}，{n} 年合计 {}，累计目标{}{}，两者不符。",
        shown(target, each),
        shown(target, each * i128::from(n)),
        target.operator.zh(),
        shown(target, value(target)),
    );
    let sides: Vec<&Target> = std::iter::once(target).chain(flows).collect();
    finding(LintRule::FlowsAndCumulative, &sides, detail)
}

/// A stock beside what is added to it each year, and the baseline that it was counted from.
fn stock(target: &Target, there: &[&Target]) -> Vec<Finding> {
    if target.kind != TargetKind::Level {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut alone = true;
    for (indicator, scope) in target.indicator.additions() {
        let flows =
            there.iter().filter(|t| (t.indicator, t.kind) == (*indicator, TargetKind::Flow));
        for flow in flows {
            alone = false;
            found.extend(match scope {
                Scope::Whole => stock_and_additions(target, flow),
                Scope::Part => stock_and_part(target, flow),
            });
        }
    }
    if let Some(base) = baseline(target).filter(|base| alone && *base > 0) {
        let times = value(target) / base;
        if value(target) % base == 0 && times >= 2 {
            let detail = format!(
                "目标 {} 恰为基数 {} 的 {times} 倍：基数多半由“翻番”一类的说法推得，应以公布的实际值核对。",
                shown(target, value(target)),
                shown(target, base),
            );
            found.extend(finding(LintRule::ImpliedBaseline, &[target], detail));
        }
    }
    found
}

fn stock_and_additions(stock: &Target, flow: &Target) -> Option<Finding> {
    let n = years(flow);
    let (added, goal) = (Range::of(flow).times(n), Range::of(stock));
    let sum = format!(
        "{n} 年新增合计 {n} × {} = {}",
        flow.value(),
        shown(stock, value(flow) * i128::from(n))
    );
    if let Some(base) = baseline(stock) {
        let detail = format!(
            "基数 {} 加{sum}，得 {}，存量目标{}{}，两者不符。",
            shown(stock, base),
            shown(stock, base + value(flow) * i128::from(n)),
            stock.operator.zh(),
            shown(stock, value(stock)),
        );
        return (!Range::exactly(base).plus(added).meets(goal))
            .then(|| finding(LintRule::StockAndAdditions, &[stock, flow], detail))
            .flatten();
    }
    let implied = goal.low - added.low;
    if goal.high.is_some_and(|most| added.low > most) {
        let detail = format!(
            "{sum}，超过存量目标 {}：两处口径不同，或有一处不实。",
            shown(stock, value(stock))
        );
        return finding(LintRule::AdditionsExceedStock, &[stock, flow], detail);
    }
    if implied <= 0 {
        return None;
    }
    let most = if added.high.is_none() { "至多" } else { "" };
    let detail = format!(
        "存量目标 {} 减{sum}，推得 {} 年前的基数{most} {}；文件没有写明基数。",
        shown(stock, value(stock)),
        flow.first_year,
        shown(stock, implied),
    );
    finding(LintRule::ImpliedBaseline, &[stock, flow], detail)
}

fn stock_and_part(stock: &Target, flow: &Target) -> Option<Finding> {
    let n = years(flow);
    let detail = format!(
        "“{}”是期末存量 {}，“{}”是其中一类的年度增量（{n} 年合计 {}）：口径不同，不能互相推算。",
        stock.label,
        shown(stock, value(stock)),
        flow.label,
        shown(flow, value(flow) * i128::from(n)),
    );
    finding(LintRule::StockAndFlow, &[stock, flow], detail)
}
