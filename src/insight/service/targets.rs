//! Targets: setting them, and how far they have come. Each function is one transaction.
use serde_json::json;

use super::{
    grids::{Grids, pieces},
    turnover::digest,
};
use crate::{
    insight::{
        decimal::Decimal,
        indicators::Indicator,
        model::{
            Basis, By, Figures, Flow, Month, NewTarget, Progress, Target, TargetView, TargetsQuery,
            code_of, region_of,
        },
        rules::{self, Span, Uncounted},
        store::{self, Of, Wanted},
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
    let zone = query.region.as_deref().filter(|text| text.starts_with("LNZ-"));
    // a zone of a policy paper may have targets without being a market here
    let region = match zone.and_then(|text| text.parse().ok()) {
        Some(zone) => Some(zone),
        None => region_of(query.region.as_deref(), &mut faults),
    };
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
    let insider = rules::sees_all(actor, Some(&target.region_code));
    let asked = as_of;
    let as_of = if insider { as_of } else { rules::public_cut(as_of, today) };
    let span = Span::of_years(target.first_year, target.last_year)
        .ok_or_else(|| anyhow::anyhow!("target {id} has years out of any calendar"))?;
    let position = store::position(conn)?;
    let mut progress = Progress {
        target_id: target.id,
        indicator: target.indicator,
        period: target.period(),
        as_of,
        unit: target.indicator.unit(),
        value: target.value(),
        actual: None,
        ratio: None,
        elapsed: rules::elapsed(span, as_of),
        expected_by_now: None,
        pace: None,
        forecast: None,
        required_per_month: None,
        basis: String::new(),
        position,
        digest: String::new(),
    };
    if let Err(why) = rules::is_counted(&target) {
        progress.basis = uncounted(&target, why);
        return Ok(progress);
    }
    let sum = if as_of < span.first {
        Figures::default()
    } else {
        output_until(conn, &target.region_code, span.first, as_of.min(span.last))?
    };
    let first = span.first;
    let expected = rules::standing(span, as_of, target.value, sum.total_fen);
    progress.expected_by_now = Some(Decimal::whole(expected.expected_by_now));
    progress.basis = basis(&target, span, as_of, asked);
    let place = target.region_code.as_str();
    let span = pieces(Month::of(span.first), Month::of(as_of.min(span.last)), today);
    let table = (Flow::Output, place, By::Month);
    let seen = insider || as_of < first || grids.shows(conn, table, None, &span)?;
    if !seen {
        progress.basis.push_str("合同过少或单项占比过高，按统计保密规则不公布实际值。");
        return Ok(progress);
    }
    progress.actual = Some(Decimal::whole(sum.total_fen));
    progress.ratio = expected.ratio;
    progress.pace = expected.pace;
    progress.required_per_month = expected.required_per_month.map(Decimal::whole);
    Ok(progress)
}

/// The turnover targets of `region` whose period is over, each beside what was registered in it, one
/// sentence each: for reports on paper and on a terminal.
pub fn targets_beside_actuals(conn: &mut DbConn, region: &Region) -> Result<Vec<String>> {
    let wanted =
        Wanted { region: Some(region.clone()), indicator: Some(Indicator::Turnover), year: None };
    let (targets, _) = store::list(conn, &wanted, &Window { limit: page::MAX_LIMIT, after: None })?;
    let mut told = Vec::new();
    for target in targets.iter().filter(|t| rules::is_counted(t).is_ok()) {
        let Some(span) = Span::of_years(target.first_year, target.last_year) else { continue };
        let actual = output_until(conn, &target.region_code, span.first, span.last)?;
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

/// What sellers of `region` turned over from a day to another, as reported.
fn output_until(conn: &mut DbConn, region: &Region, first: Day, last: Day) -> Result<Figures> {
    let of = Of { basis: Basis::Reported, flow: Flow::Output, place: region.as_str() };
    store::until(conn, of, first, last)
}

fn uncounted(target: &Target, why: Uncounted) -> String {
    let label = &target.label;
    match why {
        Uncounted::NoStatistics => {
            format!("平台尚未统计“{label}”，没有实际值；elapsed 为期间已过天数的占比。")
        }
        Uncounted::NoSingleSum => format!(
            "“{label}”的目标为{}（{}），不能与单一期间的登记成交额相比，没有实际值。",
            target.kind.zh(),
            target.period()
        ),
    }
}

fn basis(target: &Target, span: Span, as_of: Day, asked: Day) -> String {
    let place = regions::name(&target.region_code);
    let code = &target.region_code;
    let (first, last) = (span.first, as_of.min(span.last));
    let counted = if as_of < span.first {
        format!("期间自 {first} 起，截至 {as_of} 尚未开始。")
    } else {
        format!(
            "实际值为 {first} 至 {last}（北京时间，按登记日期）卖方所在地为{place}（{code}）的已登记技术合同成交总额，\
             技术输出口径，本平台登记数据。"
        )
    };
    let cut = if as_of == asked {
        String::new()
    } else {
        format!("对外只按整月公布，故截止日由 {asked} 改为 {as_of}。")
    };
    format!(
        "{counted}{cut}目标：{} {} 亿元；应达值按时间线性折算：目标值 × 已过天数 ÷ 期间总天数；\
         实际值在应达值上下 5% 以内为 on_track。",
        target.operator.zh(),
        Fen(target.value).in_yi(),
    )
}
