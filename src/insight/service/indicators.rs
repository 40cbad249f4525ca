//! Figures entered by hand, and what every indicator comes to. Each function is one transaction.
use chrono::Datelike;
use serde_json::json;

use super::{
    Grids,
    actuals::{self, Place, Viewer},
};
use crate::{
    insight::{
        indicators::{Counted, Indicator},
        model::{
            IndicatorFigure, IndicatorFigures, IndicatorValueKey, IndicatorValueView,
            IndicatorValuesQuery, IndicatorsQuery, NewIndicatorValue, ProgressQuery, place_of,
        },
        rules::{self, Nature},
        store,
    },
    kernel::{
        Actor, After, Code, Day, DbConn, Error, Faults, Page, Region, Result, Tx, Window, journal,
    },
    markets::regions::LIAONING,
};

/// The indicator that a path names.
pub fn named(slug: &str) -> Result<Indicator> {
    Indicator::from_slug(slug).ok_or(Error::NotFound("指标"))
}

/// Enters a published figure on behalf of an operator of its region. What was entered before for the same
/// days stays, and counts no longer.
pub fn enter(
    tx: &mut Tx<'_>,
    actor: &Actor,
    new: &NewIndicatorValue,
) -> Result<IndicatorValueView> {
    if !rules::may_set(actor, &new.region_code) {
        return Err(Error::forbidden(
            "not_operator_of_region",
            "只有该地区（或其上级地区）的运营人员可以填报指标数值。",
        ));
    }
    let row = store::insert_value(tx, new, actor.account)?;
    let body = json!({
        "region_code": row.region_code,
        "indicator": row.indicator,
        "period": row.period,
    });
    let subject = format!("indicator_value:{}", row.id);
    journal::record(tx, &actor.name(), "indicator.value_entered", &subject, &body)?;
    Ok(IndicatorValueView::new(row, true))
}

/// The parameters of a list of entered figures.
pub type ValuesWanted = (Option<Region>, Window<After<IndicatorValueKey>>);

pub fn wanted(query: IndicatorValuesQuery) -> Result<ValuesWanted> {
    let window = Window::read(query.limit, query.cursor.as_deref())?;
    let mut faults = Faults::default();
    let region = place_of(query.region.as_deref(), &mut faults);
    faults.finish()?;
    Ok((region, window))
}

pub fn list(
    conn: &mut DbConn,
    indicator: Indicator,
    (region, window): &ValuesWanted,
) -> Result<Page<IndicatorValueView>> {
    let (rows, total) = store::list_values(conn, indicator, region.as_ref(), window)?;
    let newest = store::newest(conn, &rows)?;
    let page = window.page(rows, total, |v| After { at: v.created_at, id: v.id })?;
    Ok(page.map(|row| {
        let counts = newest.contains(&row.id);
        IndicatorValueView::new(row, counts)
    }))
}

/// Region and day of a question about all indicators.
pub fn asked(query: IndicatorsQuery, today: Day) -> Result<(Region, Day)> {
    let mut faults = Faults::default();
    let region = place_of(query.region.as_deref(), &mut faults);
    faults.finish()?;
    let as_of = ProgressQuery { as_of: query.as_of }.parse(today)?;
    Ok((region.unwrap_or_else(|| LIAONING.clone()), as_of))
}

/// What every indicator comes to in a region: stocks when `as_of` is over, everything else from the first
/// day of that year.
pub fn figures(
    conn: &mut DbConn,
    grids: &Grids,
    actor: Option<&Actor>,
    region: Region,
    (as_of, today): (Day, Day),
) -> Result<IndicatorFigures> {
    let viewer = Viewer::of(grids, actor, &region, today);
    let as_of = if viewer.insider { as_of } else { rules::public_cut(as_of, today) };
    let first = Day::from_ymd_opt(as_of.year(), 1, 1).unwrap_or(as_of);
    let place = Place::of(conn, &region)?;
    let mut items = Vec::new();
    for indicator in Indicator::ALL.iter().copied() {
        let what = (indicator, usual_nature(indicator));
        let told = actuals::actual(conn, viewer, what, &place, (first, as_of))?;
        items.push(IndicatorFigure {
            indicator,
            label: indicator.zh(),
            unit: indicator.unit(),
            value: told.value,
            source: told.source,
            from: told.from,
            to: told.to,
            parts: told.parts,
            basis: told.basis,
            entered: told.entered,
        });
    }
    Ok(IndicatorFigures { region_code: region, as_of, items })
}

/// How an indicator is looked at where no target says it. Entered figures are told as they were
/// published, the latest that is known.
fn usual_nature(indicator: Indicator) -> Nature {
    match indicator.counted() {
        Some(Counted::Turnover | Counted::Achievements) => Nature::Sum,
        Some(Counted::NewBrokers | Counted::NewAgencies { .. }) => Nature::Sum,
        Some(Counted::Brokers | Counted::Agencies) => Nature::Stock,
        None => Nature::Rate,
    }
}
