//! What people can ask and set. Each function is one transaction.
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    decimal::Decimal,
    indicators::Indicator,
    model::{
        Asked, By, Figures, NewTarget, Progress, Row, Target, TargetView, TargetsQuery, Turnover,
        code_of,
    },
    rules::{self, Span, Uncounted},
    store::{self, Wanted},
};
use crate::{
    contracts::model::{Category, PartyType},
    kernel::{
        Actor, After, Code, Day, DbConn, Error, Faults, Fen, Id, Moment, Page, Region, Result, Tx,
        Window, idempotency::hex, journal, of, page,
    },
    markets::{model::Field, regions},
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
        None => super::model::region_of(query.region.as_deref(), &mut faults),
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

/// Turnover of registered contracts, with what this caller may not see left out.
pub fn turnover(
    conn: &mut DbConn,
    actor: Option<&Actor>,
    query: Asked,
    now: Moment,
) -> Result<Turnover> {
    // before the figures: what they hold more than this position says is no harm
    let position = store::position(conn)?;
    let mut sums: Vec<(String, Figures)> = Vec::new();
    let mut total = Figures::default();
    for (key, figures) in store::grouped(conn, &query)? {
        let key = match query.by {
            By::Region => rules::row_of(query.region.as_ref(), &key),
            _ => key,
        };
        total = total.plus(figures)?;
        match sums.iter_mut().find(|(k, _)| *k == key) {
            Some((_, sum)) => *sum = sum.plus(figures)?,
            None => sums.push((key, figures)),
        }
    }
    sums.sort_by(|a, b| a.0.cmp(&b.0));
    let hidden = if rules::sees_all(actor, query.region.as_ref()) {
        rules::Hidden::default()
    } else {
        let figures: Vec<_> = sums.iter().map(|(_, f)| *f).collect();
        rules::publish(&figures, total)?
    };
    let rows: Vec<Row> = sums
        .into_iter()
        .enumerate()
        .map(|(i, (key, f))| row(label(query.by, &key), key, f, hidden.rows.contains(&i)))
        .collect();
    // an empty table hides nobody
    let total = row(Some("合计".into()), "total".into(), total, hidden.total && !rows.is_empty());
    let canonical = serde_json::to_vec(&(&query, &rows, &total))?;
    let digest = hex(&Sha256::digest(canonical));
    Ok(Turnover { query, rows, total, as_of: now, position, digest })
}

fn row(label: Option<String>, key: String, f: Figures, suppressed: bool) -> Row {
    let shown = |figure: i64| (!suppressed).then_some(figure);
    Row {
        key,
        label,
        contracts: shown(f.contracts),
        total_fen: shown(f.total_fen),
        tech_fen: shown(f.tech_fen),
        suppressed,
    }
}

fn label(by: By, key: &str) -> Option<String> {
    let zh = match by {
        By::Field => Field::from_slug(key)?.zh(),
        By::Region => regions::info(&key.parse::<Region>().ok()?)?.name,
        By::Category => Category::from_slug(key)?.zh(),
        By::SellerType | By::BuyerType => PartyType::from_slug(key)?.zh(),
        By::Month => return None,
    };
    Some(zh.to_owned())
}

/// How far a target has come when `as_of` is over.
pub fn progress(
    conn: &mut DbConn,
    actor: Option<&Actor>,
    id: Id<of::Target>,
    as_of: Day,
    today: Day,
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
    };
    if let Err(why) = rules::is_counted(&target) {
        progress.basis = uncounted(&target, why);
        return Ok(progress);
    }
    let sum = if as_of < span.first {
        Figures::default()
    } else {
        store::output_until(conn, &target.region_code, span.first, as_of.min(span.last))?
    };
    let expected = rules::standing(span, as_of, target.value, sum.total_fen);
    progress.expected_by_now = Some(Decimal::whole(expected.expected_by_now));
    progress.basis = basis(&target, span, as_of, asked);
    if !insider && sum.contracts > 0 && rules::is_sensitive(sum) {
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
        let actual = store::output_until(conn, &target.region_code, span.first, span.last)?;
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
