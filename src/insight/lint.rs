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
    model::{LintRule, LintSide, Operator, Target, TargetFinding, TargetKind},
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

/// A figure without its unit.
fn plain(amount: i128) -> String {
    Decimal::of_ten_thousandths(amount).map_or_else(String::new, |value| value.to_string())
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

fn finding(code: LintRule, sides: &[&Target], detail: String) -> Option<TargetFinding> {
    let first = sides.first()?;
    Some(TargetFinding {
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
pub fn lint(targets: &[Target]) -> Vec<TargetFinding> {
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
    found.sort_by(|a, b| (a.severity, &a.region_code).cmp(&(b.severity, &b.region_code)));
    found
}

/// What a target alone does not fit or leaves open.
fn of_one(target: &Target) -> Vec<TargetFinding> {
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
fn breakdown(target: &Target) -> Option<TargetFinding> {
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
        "分项 {parts} 合计 {}，目标{} {}，{word}。",
        shown(target, sum),
        target.operator.zh(),
        shown(target, value(target)),
    );
    finding(code, &[target], detail)
}

fn undated(targets: &[Target]) -> Vec<TargetFinding> {
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
fn replacement(newer: &Target, older: &Target) -> Option<TargetFinding> {
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
fn same_figure(a: &Target, b: &Target) -> Option<TargetFinding> {
    let what = |t: &Target| (t.indicator, t.kind, t.first_year, t.last_year);
    let said = |t: &Target| (value(t), t.operator, upper(t));
    if a.region_code != b.region_code || what(a) != what(b) || said(a) == said(b) {
        return None;
    }
    let both = format!(
        "{} 年“{}”有两个目标值：{} {} 与 {} {}",
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
fn part_of(part: &Target, whole: &Target) -> Option<TargetFinding> {
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
fn cumulative(target: &Target, there: &[&Target]) -> Option<TargetFinding> {
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
        "年度值共 {}，{n} 年合计 {n} × {} = {}，累计目标{} {}，两者不符。",
        shown(target, each),
        plain(each),
        shown(target, each * i128::from(n)),
        target.operator.zh(),
        shown(target, value(target)),
    );
    let sides: Vec<&Target> = std::iter::once(target).chain(flows).collect();
    finding(LintRule::FlowsAndCumulative, &sides, detail)
}

/// A stock beside what is added to it each year, and the baseline that it was counted from.
fn stock(target: &Target, there: &[&Target]) -> Vec<TargetFinding> {
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

fn stock_and_additions(stock: &Target, flow: &Target) -> Option<TargetFinding> {
    let n = years(flow);
    let (added, goal) = (Range::of(flow).times(n), Range::of(stock));
    let sum = format!(
        "{n} 年新增合计 {n} × {} = {}",
        flow.value(),
        shown(stock, value(flow) * i128::from(n))
    );
    if let Some(base) = baseline(stock) {
        let detail = format!(
            "基数 {} 加 {sum}，得 {}，存量目标{} {}，两者不符。",
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
        "存量目标 {} 减 {sum}，推得 {} 年前的基数{most} {}；文件没有写明基数。",
        shown(stock, value(stock)),
        flow.first_year,
        shown(stock, implied),
    );
    finding(LintRule::ImpliedBaseline, &[stock, flow], detail)
}

fn stock_and_part(stock: &Target, flow: &Target) -> Option<TargetFinding> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        insight::{
            load_shipped_targets,
            model::{LintSeverity, TargetPart},
            store,
            testing::Market,
        },
        kernel::{Id, JsonText, Moment},
    };

    /// `kind operator value first-last`, of 朝阳市, in a paper of 2021.
    fn target(indicator: Indicator, said: &str) -> Target {
        let words: Vec<&str> = said.split(' ').collect();
        let value: Decimal = words[2].parse().unwrap();
        let (first, last) = words[3].split_once('-').unwrap_or((words[3], words[3]));
        Target {
            id: Id::fresh(),
            region_code: "211300".parse().unwrap(),
            indicator,
            label: indicator.zh().into(),
            first_year: first.parse().unwrap(),
            last_year: last.parse().unwrap(),
            operator: Operator::from_slug(words[1]).unwrap(),
            value: value.at_scale(value.scale()).unwrap(),
            upper: None,
            scale: i64::from(value.scale()),
            kind: TargetKind::from_slug(words[0]).unwrap(),
            document_title: "方案".into(),
            document_issued_on: Some("2021-08-18".parse().unwrap()),
            supersedes: None,
            baseline: None,
            breakdown: JsonText::of(Vec::new()).unwrap(),
            note: None,
            created_by: None,
            version: 1,
            created_at: Moment::now(),
            kind_stated: true,
        }
    }

    fn split(mut target: Target, parts: &[i64]) -> Target {
        let parts = parts.iter().enumerate();
        let parts: Vec<TargetPart> = parts
            .map(|(n, v)| TargetPart { label: format!("第{n}类"), value: Decimal::whole(*v) })
            .collect();
        target.breakdown = JsonText::of(parts).unwrap();
        target
    }

    fn from(base: i64, mut target: Target) -> Target {
        target.baseline = Some(base);
        target
    }

    fn codes(targets: &[Target]) -> Vec<&'static str> {
        lint(targets).iter().map(|f| f.code.slug()).collect()
    }

    #[test]
    fn each_rule_finds_its_own_and_nothing_else() {
        use Indicator::*;
        let t = target;
        let table: Vec<(&str, Vec<Target>, &[&str])> = vec![
            (
                "the same twice",
                vec![t(Eaglets, "level = 9 2025"), t(Eaglets, "level = 9 2025")],
                &[],
            ),
            (
                "two values",
                vec![t(Eaglets, "level = 9 2025"), t(Eaglets, "level = 8 2025")],
                &["conflicting_values"],
            ),
            (
                "two floors",
                vec![t(Eaglets, "level >= 9 2025"), t(Eaglets, "level > 8 2025")],
                &["differing_values"],
            ),
            (
                "a floor that is not passed",
                vec![t(Eaglets, "level > 9 2025"), t(Eaglets, "level = 9 2025")],
                &["conflicting_values"],
            ),
            ("two years", vec![t(Eaglets, "level = 9 2025"), t(Eaglets, "level = 8 2024")], &[]),
            (
                "about the same",
                vec![t(Eaglets, "level approx 10 2025"), t(Eaglets, "level = 9.5 2025")],
                &["differing_values"],
            ),
            ("parts that add up", vec![split(t(NewEaglets, "flow = 80 2025"), &[35, 35, 10])], &[]),
            (
                "parts that do not",
                vec![split(t(NewEaglets, "flow = 80 2025"), &[35, 35, 11])],
                &["breakdown_sum"],
            ),
            (
                "parts about right",
                vec![split(t(NewEaglets, "flow approx 80 2025"), &[35, 35, 11])],
                &[],
            ),
            (
                "floors",
                vec![split(t(NewEaglets, "flow >= 20 2025"), &[4, 15, 2])],
                &["breakdown_floors"],
            ),
            (
                "years that make the whole",
                vec![
                    t(SkilledTalents, "cumulative = 800 2021-2025"),
                    t(SkilledTalents, "flow = 160 2021-2025"),
                ],
                &[],
            ),
            (
                "years that make more",
                vec![
                    t(SkilledTalents, "cumulative = 799 2021-2025"),
                    t(SkilledTalents, "flow = 160 2021-2025"),
                ],
                &["flows_and_cumulative"],
            ),
            (
                "years of another span",
                vec![
                    t(SkilledTalents, "cumulative = 799 2021-2025"),
                    t(SkilledTalents, "flow = 160 2022-2025"),
                ],
                &[],
            ),
            (
                "floors that leave room",
                vec![
                    t(SkilledTalents, "cumulative = 900 2021-2025"),
                    t(SkilledTalents, "flow >= 160 2021-2025"),
                ],
                &[],
            ),
            (
                "the sum of two",
                vec![
                    t(ChallengeProjectsTotal, "cumulative = 100 2021-2025"),
                    t(Challenges, "flow = 12 2021-2025"),
                    t(Transplants, "flow = 16 2021-2025"),
                ],
                &["flows_and_cumulative"],
            ),
            (
                "one of two",
                vec![
                    t(ChallengeProjectsTotal, "cumulative = 100 2021-2025"),
                    t(Challenges, "flow = 12 2021-2025"),
                ],
                &[],
            ),
            (
                "baseline and additions",
                vec![from(41, t(Agencies, "level = 60 2019")), t(NewAgencies, "flow = 10 2019")],
                &["stock_and_additions"],
            ),
            (
                "baseline and additions that fit",
                vec![from(50, t(Agencies, "level = 60 2019")), t(NewAgencies, "flow = 10 2019")],
                &[],
            ),
            (
                "more than the floor",
                vec![from(213, t(Brokers, "level >= 300 2019")), t(NewBrokers, "flow = 100 2019")],
                &[],
            ),
            (
                "additions beyond the stock",
                vec![
                    t(SubstantiveAlliances, "level = 200 2025"),
                    t(NewSubstantiveAlliances, "flow = 80 2021-2025"),
                ],
                &["additions_exceed_stock"],
            ),
            (
                "nothing before",
                vec![t(Gazelles, "level = 20 2025"), t(NewGazelles, "flow = 4 2021-2025")],
                &[],
            ),
            (
                "something before",
                vec![t(Eaglets, "level = 90 2025"), t(NewEaglets, "flow = 15 2021-2025")],
                &["implied_baseline"],
            ),
            (
                "doubled",
                vec![from(40, t(HighTechValueAdded, "level = 80 2025"))],
                &["implied_baseline"],
            ),
            ("not doubled", vec![from(41, t(HighTechValueAdded, "level = 80 2025"))], &[]),
            (
                "a stock and the growth of a part",
                vec![
                    t(ServicePlatforms, "level = 200 2025"),
                    t(FirmPlatforms, "flow = 14 2021-2025"),
                ],
                &["stock_and_flow"],
            ),
            (
                "a part",
                vec![
                    t(MedicalCentres, "level = 30 2020"),
                    t(MedicalCentresAdvanced, "level = 10 2020"),
                ],
                &[],
            ),
            (
                "a part that is more",
                vec![
                    t(MedicalCentresAdvanced, "level = 31 2020"),
                    t(MedicalCentres, "level = 30 2020"),
                ],
                &["part_exceeds_whole"],
            ),
            ("twice of what", vec![t(RdInputMultiple, "ratio = 2 2020")], &["unclear_base"]),
            ("per what", vec![t(TechSmesPer10k, "ratio = 220 2025")], &["unclear_unit"]),
            ("per cent", vec![t(RdGdpShare, "ratio = 2.3 2020")], &[]),
        ];
        for (name, targets, wanted) in table {
            assert_eq!(codes(&targets), wanted, "{name}");
        }
    }

    #[test]
    fn what_is_replaced_is_told_as_such() {
        let mut old = target(Indicator::Turnover, "level = 80000000000 2020");
        let mut new = target(Indicator::Turnover, "level = 60000000000 2020");
        new.supersedes = Some(old.id);
        old.document_issued_on = Some("2015-08-03".parse().unwrap());
        assert_eq!(codes(&[old.clone(), new.clone()]), ["superseded"]);
        assert_eq!(codes(&[new.clone(), old.clone()]), ["superseded"]);
        // a third one is compared with what holds
        let third = target(Indicator::Turnover, "level = 80000000000 2020");
        assert_eq!(codes(&[old.clone(), new.clone(), third]), ["conflicting_values", "superseded"]);
        old.document_issued_on = Some("2022-08-03".parse().unwrap());
        assert_eq!(codes(&[old, new]), ["superseded_is_newer"]);
        // regions do not mix
        let mut elsewhere = target(Indicator::Eaglets, "level = 8 2025");
        elsewhere.region_code = "210100".parse().unwrap();
        assert_eq!(codes(&[target(Indicator::Eaglets, "level = 9 2025"), elsewhere]), [""; 0]);
        let mut undated = target(Indicator::Eaglets, "level = 9 2025");
        (undated.document_issued_on, undated.kind_stated) = (None, false);
        assert_eq!(codes(&[undated]), ["kind_assumed", "undated_document"]);
    }

    #[test]
    fn the_papers_as_shipped() {
        let market = Market::open();
        market.db.write_now(load_shipped_targets).unwrap();
        let targets = market.db.read_now(store::all).unwrap();
        assert_eq!(targets.len(), 95);
        let found = lint(&targets);
        let told: Vec<String> = found
            .iter()
            .map(|f| {
                let side = |s: &LintSide| format!("    {}｜{}", s.document, s.quote);
                let sides: Vec<_> = f.sides.iter().map(side).collect();
                format!("{} {}：{}\n{}", f.code.slug(), f.region_code, f.detail, sides.join("\n"))
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"));
        let contradictions: Vec<_> = found
            .iter()
            .filter(|f| f.severity == LintSeverity::Contradiction)
            .map(|f| (f.code.slug(), f.indicator.slug()))
            .collect();
        assert_eq!(
            contradictions,
            [
                ("stock_and_additions", "agencies"),
                ("flows_and_cumulative", "challenge_projects_total"),
                ("additions_exceed_stock", "substantive_alliances"),
            ]
        );
    }
}
