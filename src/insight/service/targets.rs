//! Targets: setting them, and how far they have come. Each function is one transaction.
use serde_json::json;

use chrono::Datelike;

use super::{
    actuals::{self, Actual, Place, Viewer, output_between},
    forecasts::{self, Told},
    grids::Grids,
    turnover::digest,
};
use crate::{
    insight::{
        decimal::Decimal,
        indicators::Indicator,
        lint,
        model::{
            LintQuery, LintReport, LintSeverity, NewTarget, Pace, Progress, Target, TargetKind,
            TargetView, TargetsQuery, YearStanding, code_of, place_of,
        },
        rules::{self, Nature, Span},
        store::{self, Wanted},
    },
    kernel::{
        Actor, After, Code, Day, DbConn, Error, Faults, Fen, Id, Page, Region, Result, Tx, Window,
        journal, of, page,
    },
    markets::regions,
};

/// Sets a target on behalf of an operator of its region.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, target: &NewTarget) -> Result<TargetView> {
    if !rules::may_set(actor, &target.region_code) {
        return Err(Error::forbidden(
            "not_operator_of_region",
            "只有该地区（或其上级地区）的运营人员可以设定目标。",
        ));
    }
    if let Some(older) = target.supersedes {
        let fine = store::find(tx, older)?.is_some_and(|t| {
            t.region_code == target.region_code && t.indicator == target.indicator
        });
        if !fine {
            return Err(Error::invalid(
                "/supersedes",
                "no_such_target",
                "supersedes 应为同一地区、同一指标的已有目标的 id。",
            ));
        }
    }
    let id = store_target(tx, target, &actor.name(), Some(actor.account))?;
    find(tx, id)
}

/// Stores a target and tells the journal.
pub fn store_target(
    tx: &mut Tx<'_>,
    target: &NewTarget,
    actor: &str,
    by: Option<Id<of::Account>>,
) -> Result<Id<of::Target>> {
    let id = store::insert(tx, target, by)?;
    let body = json!({
        "region_code": target.region_code,
        "indicator": target.indicator,
        "years": [target.first_year, target.last_year],
        "supersedes": target.supersedes,
    });
    journal::record(tx, actor, "target.created", &format!("target:{id}"), &body)?;
    Ok(id)
}

fn load(conn: &mut DbConn, id: Id<of::Target>) -> Result<Target> {
    store::find(conn, id)?.ok_or(Error::NotFound("目标"))
}

pub fn find(conn: &mut DbConn, id: Id<of::Target>) -> Result<TargetView> {
    Ok(load(conn, id)?.into())
}

/// Reads the parameters of a list of targets.
pub fn wanted(query: TargetsQuery) -> Result<(Wanted, Window<After<of::Target>>)> {
    let window = Window::read(query.limit, query.cursor.as_deref())?;
    let mut faults = Faults::default();
    let region = place_of(query.region.as_deref(), &mut faults);
    let indicator = code_of("indicator", query.indicator.as_deref(), &mut faults);
    let fine = query.year.is_none_or(|y| (1900..=2200).contains(&y));
    faults.check(fine, "year", "out_of_range", "year 应为四位年份。");
    faults.finish()?;
    Ok((Wanted { region, indicator, year: query.year }, window))
}

pub fn list(
    conn: &mut DbConn,
    wanted: &Wanted,
    window: &Window<After<of::Target>>,
) -> Result<Page<TargetView>> {
    let (rows, total) = store::list(conn, wanted, window)?;
    let page = window.page(rows, total, |t| After { at: t.created_at, id: t.id })?;
    Ok(page.map(TargetView::from))
}

/// Where the targets of a region and all that lies in it contradict each other or themselves.
pub fn lint(conn: &mut DbConn, query: &LintQuery) -> Result<LintReport> {
    let mut faults = Faults::default();
    let region = place_of(query.region.as_deref(), &mut faults);
    faults.finish()?;
    let mut targets = store::all(conn)?;
    if let Some(region) = &region {
        targets.retain(|t| t.region_code == *region || regions::covers(region, &t.region_code));
    }
    let findings = lint::lint(&targets);
    let contradictions =
        findings.iter().filter(|f| f.severity == LintSeverity::Contradiction).count();
    Ok(LintReport {
        region,
        targets: targets.len(),
        contradictions,
        notes: findings.len() - contradictions,
        findings,
    })
}

/// How far a target has come when `as_of` is over.
pub fn progress(
    conn: &mut DbConn,
    grids: &Grids,
    actor: Option<&Actor>,
    id: Id<of::Target>,
    when: (Day, Day),
) -> Result<Progress> {
    let mut told = standing(conn, grids, actor, id, when)?;
    // where the journal stands is no part of what a target has come to
    let position = std::mem::take(&mut told.position);
    told.digest = digest(&told)?;
    Ok(Progress { position, ..told })
}

fn standing(
    conn: &mut DbConn,
    grids: &Grids,
    actor: Option<&Actor>,
    id: Id<of::Target>,
    (as_of, today): (Day, Day),
) -> Result<Progress> {
    let target = load(conn, id)?;
    let region = &target.region_code;
    let viewer = Viewer::of(grids, actor, region, today);
    let asked = as_of;
    let as_of = if viewer.insider { as_of } else { rules::public_cut(as_of, today) };
    let out_of_calendar = || anyhow::anyhow!("target {id} has years out of any calendar");
    let span = rules::measured(&target, as_of).ok_or_else(out_of_calendar)?;
    let position = store::position(conn)?;
    let nature = rules::nature(target.indicator, target.kind);
    let place = Place::of(conn, region)?;
    let told = told(conn, viewer, (&target, &place), nature, (span, as_of))?;
    let standing = stands(&target, nature, (span, as_of), told.value);
    let forecast = if !rules::is_turnover(&target) {
        Told::none("只预测技术合同成交额。")
    } else if told.value.is_none() {
        Told::none("实际值不公布，因此不作预测。")
    } else {
        forecasts::of_target(conn, viewer, &target, span, as_of)?
    };
    let mut basis = told.basis;
    if as_of < span.first && nature == Nature::Sum {
        basis = format!("期间自 {} 起，截至 {as_of} 尚未开始。", span.first);
    }
    if as_of != asked {
        basis.push_str(&format!("对外只按整月公布，故截止日由 {asked} 改为 {as_of}。"));
    }
    basis.push_str(&line(&target, nature));
    Ok(Progress {
        target_id: target.id,
        indicator: target.indicator,
        period: target.period(),
        from: span.first,
        to: span.last,
        as_of,
        unit: target.indicator.unit(),
        value: target.value(),
        actual: told.value,
        source: told.source,
        parts: told.parts,
        entered: told.entered,
        years: years(conn, viewer, (&target, &place), nature, as_of)?,
        ratio: standing.ratio,
        elapsed: rules::elapsed(span, as_of),
        expected_by_now: standing.expected_by_now,
        pace: standing.pace,
        forecast: forecast.forecast,
        forecast_basis: forecast.basis,
        without_largest: forecast.without_largest,
        required_per_month: standing.required_per_month,
        basis,
        position,
        digest: String::new(),
    })
}

/// The figure of a target in its days, none counted before they begin.
fn told(
    conn: &mut DbConn,
    viewer: Viewer<'_>,
    (target, place): (&Target, &Place<'_>),
    nature: Nature,
    (span, as_of): (Span, Day),
) -> Result<Actual> {
    let what = (target.indicator, nature);
    actuals::actual(conn, viewer, what, place, (span.first, as_of.min(span.last)))
}

/// Every year so far of a yearly figure that is set for several.
fn years(
    conn: &mut DbConn,
    viewer: Viewer<'_>,
    (target, place): (&Target, &Place<'_>),
    nature: Nature,
    as_of: Day,
) -> Result<Vec<YearStanding>> {
    let several = target.kind == TargetKind::Flow && target.first_year < target.last_year;
    let so_far = target.last_year.min(i64::from(as_of.year()));
    let mut years = Vec::new();
    for year in (target.first_year..=so_far).filter(|_| several) {
        let Some(span) = Span::of_years(year, year) else { continue };
        let told = told(conn, viewer, (target, place), nature, (span, as_of))?;
        let ratio = stands(target, nature, (span, as_of), told.value).ratio;
        years.push(YearStanding { year, actual: told.value, ratio, source: told.source });
    }
    Ok(years)
}

/// What stands beside the value, in the unit of the target.
#[derive(Default)]
struct Stands {
    ratio: Option<Decimal>,
    expected_by_now: Option<Decimal>,
    pace: Option<Pace>,
    required_per_month: Option<Decimal>,
}

/// Value, baseline and figure are brought to the same decimals; where they do not fit, nothing is said.
fn stands(
    target: &Target,
    nature: Nature,
    (span, as_of): (Span, Day),
    actual: Option<Decimal>,
) -> Stands {
    let own = target.value();
    let base = match nature {
        Nature::Sum => Some(Decimal::whole(0)),
        Nature::Stock => target.baseline.map(|digits| Decimal::new(digits, target.scale)),
        Nature::Rate => None,
    };
    let all = [Some(own), base, actual];
    let scale = all.into_iter().flatten().map(Decimal::scale).max().unwrap_or_default();
    let at = |value: Decimal| value.at_scale(scale);
    let back = |digits: i64| Decimal::new(digits, i64::from(scale));
    let Some(value) = at(own) else { return Stands::default() };
    // what is expected hangs on no figure
    let figure = actual.and_then(at);
    let s = rules::standing(span, as_of, base.and_then(at), value, figure.unwrap_or_default());
    let known = |x: Option<i64>| x.filter(|_| figure.is_some()).map(back);
    Stands {
        ratio: s.ratio.filter(|_| figure.is_some()),
        expected_by_now: s.expected_by_now.map(back),
        pace: s.pace.filter(|_| figure.is_some()),
        required_per_month: known(s.required_per_month).filter(|_| nature != Nature::Rate),
    }
}

/// The turnover targets of `region` whose period is over, each beside what was registered in it, one
/// sentence each: for reports on paper and on a terminal.
pub fn targets_beside_actuals(conn: &mut DbConn, region: &Region) -> Result<Vec<String>> {
    let wanted =
        Wanted { region: Some(region.clone()), indicator: Some(Indicator::Turnover), year: None };
    let (targets, _) = store::list(conn, &wanted, &Window { limit: page::MAX_LIMIT, after: None })?;
    let mut told = Vec::new();
    let one_sum = |t: &&Target| rules::is_turnover(t) && t.kind != TargetKind::Flow;
    for target in targets.iter().filter(one_sum) {
        let Some(span) = Span::of_years(target.first_year, target.last_year) else { continue };
        let actual = output_between(conn, &target.region_code, span.first, span.last)?;
        let ratio = Decimal::ratio(actual.total_fen, target.value).map_or_else(String::new, |r| {
            format!("，完成 {:.1} %", r.to_string().parse::<f64>().unwrap_or_default() * 100.0)
        });
        told.push(format!(
            "{} 年 目标 {} {} 亿元（{}），登记 {} 项、{} 亿元{ratio}",
            target.period(),
            target.operator.zh(),
            Fen(target.value).in_yi(),
            target.document_title,
            actual.contracts,
            Fen(actual.total_fen).in_yi(),
        ));
    }
    Ok(told)
}

/// The target and how its straight line was drawn.
fn line(target: &Target, nature: Nature) -> String {
    let goal = lint::figure(target.indicator.unit(), target.value().ten_thousandths());
    let drawn = match nature {
        Nature::Sum => "应达值按时间线性折算：目标值 × 已过天数 ÷ 期间总天数",
        Nature::Stock if target.baseline.is_some() => "应达值自基数起按时间线性折算",
        Nature::Stock => {
            return format!("目标：{} {goal}；文件没有基数，不折算应达值。", target.operator.zh());
        }
        Nature::Rate => {
            return format!("目标：{} {goal}；比率不按时间折算应达值。", target.operator.zh());
        }
    };
    format!(
        "目标：{} {goal}；{drawn}；实际值在应达值上下 5% 以内为 on_track。",
        target.operator.zh()
    )
}
