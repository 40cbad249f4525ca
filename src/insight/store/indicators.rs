//! What the market counts beside turnover, and the figures that were entered by hand.
use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use crate::{
    accounts::model::{BrokerLevel, BrokerState},
    brokerage::model::AgencyLevel,
    insight::{
        indicators::Indicator,
        model::{IndicatorValue, IndicatorValueKey, NewIndicatorValue},
    },
    kernel::{After, Day, DbConn, Id, Moment, Region, Result, Tx, Window, db::MultiBackend, of},
    markets::regions::Reach,
    schema::{
        agency_recognitions as recognitions, brokers, deals, indicator_values as values,
        organizations, turnover_postings as postings,
    },
};

/// Ids of one query.
const CHUNK: usize = 500;

/// The first moment that is after `day`.
fn end_of(day: Day) -> Moment {
    Moment::start_of(day).plus_days(1)
}

/// Verified brokers by level when `day` is over, of agencies in the region: verified by then, with a
/// certificate that holds. Who has lost it since is not known any more.
pub fn brokers_by_level(
    conn: &mut DbConn,
    reach: &Reach,
    day: Day,
) -> Result<BTreeMap<BrokerLevel, i64>> {
    let rows: Vec<(BrokerLevel, Option<Day>)> = brokers::table
        .inner_join(organizations::table)
        .filter(brokers::state.eq(BrokerState::Verified))
        .filter(brokers::verified_at.is_null().or(brokers::verified_at.lt(end_of(day))))
        .filter(
            organizations::region_code
                .like(&reach.like)
                .or(organizations::region_code.eq_any(&reach.zones)),
        )
        .select((brokers::level, brokers::valid_until))
        .load(conn)?;
    let mut by_level = BTreeMap::new();
    for (level, _) in rows.into_iter().filter(|(_, until)| until.is_none_or(|u| u >= day)) {
        *by_level.entry(level).or_default() += 1;
    }
    Ok(by_level)
}

/// Brokers whose verification falls between two days, whatever became of them.
pub fn brokers_verified(conn: &mut DbConn, reach: &Reach, first: Day, last: Day) -> Result<i64> {
    Ok(brokers::table
        .inner_join(organizations::table)
        .filter(brokers::verified_at.ge(Moment::start_of(first)))
        .filter(brokers::verified_at.lt(end_of(last)))
        .filter(
            organizations::region_code
                .like(&reach.like)
                .or(organizations::region_code.eq_any(&reach.zones)),
        )
        .count()
        .get_result(conn)?)
}

/// An agency, the level it was recognized at and the year of that.
type Recognized = (Id<of::Organization>, AgencyLevel, i64);

/// Recognitions of agencies in the region that were in force when `day` was over.
pub fn recognitions_at(
    conn: &mut DbConn,
    reach: &Reach,
    day: Day,
    year: i64,
) -> Result<Vec<Recognized>> {
    let agency = organizations::table.on(organizations::id.eq(recognitions::organization_id));
    Ok(recognitions::table
        .inner_join(agency)
        .filter(recognitions::year.le(year))
        .filter(recognitions::removed_at.is_null().or(recognitions::removed_at.ge(end_of(day))))
        .filter(
            organizations::region_code
                .like(&reach.like)
                .or(organizations::region_code.eq_any(&reach.zones)),
        )
        .select((recognitions::organization_id, recognitions::level, recognitions::year))
        .load(conn)?)
}

/// Achievements that were sold through this market to buyers of the region: those of deals whose contract
/// was registered between two days and stands when the second is over. Each counts once.
pub fn achievements_transferred(
    conn: &mut DbConn,
    reach: &Reach,
    first: Day,
    last: Day,
) -> Result<i64> {
    let deal = deals::table.on(deals::contract_id.eq(postings::contract_id.nullable()));
    let rows: Vec<(Id<of::Achievement>, Id<of::Contract>)> = postings::table
        .inner_join(deal)
        .filter(postings::kind.eq("registration").and(postings::posted_on.between(first, last)))
        .filter(
            postings::buyer_region
                .like(&reach.like)
                .or(postings::buyer_region.eq_any(&reach.zones)),
        )
        .select((deals::achievement_id, postings::contract_id))
        .load(conn)?;
    let ids: BTreeSet<Id<of::Contract>> = rows.iter().map(|(_, contract)| *contract).collect();
    let mut standing: BTreeMap<Id<of::Contract>, i64> = BTreeMap::new();
    for some in ids.into_iter().collect::<Vec<_>>().chunks(CHUNK) {
        let signs: Vec<(Id<of::Contract>, i64)> = postings::table
            .filter(postings::contract_id.eq_any(some).and(postings::posted_on.le(last)))
            .select((postings::contract_id, postings::sign))
            .load(conn)?;
        for (id, sign) in signs {
            *standing.entry(id).or_default() += sign;
        }
    }
    let stands = |id: &Id<of::Contract>| standing.get(id).is_some_and(|count| *count > 0);
    let all: BTreeSet<_> =
        rows.iter().filter(|(_, contract)| stands(contract)).map(|(a, _)| *a).collect();
    Ok(i64::try_from(all.len()).unwrap_or(i64::MAX))
}

/// The amounts of the largest contracts that sellers of the region registered between two days, as they
/// stood at the end, the largest first.
pub fn largest(
    conn: &mut DbConn,
    reach: &Reach,
    (first, last): (Day, Day),
    most: usize,
) -> Result<Vec<i64>> {
    // some more than asked for: a change or cancellation may have made one smaller
    let ids: Vec<Id<of::Contract>> = postings::table
        .filter(postings::kind.eq("registration").and(postings::posted_on.between(first, last)))
        .filter(
            postings::seller_region
                .like(&reach.like)
                .or(postings::seller_region.eq_any(&reach.zones)),
        )
        .order((postings::total_fen.desc(), postings::contract_id))
        .limit(50)
        .select(postings::contract_id)
        .load(conn)?;
    let rows: Vec<(Id<of::Contract>, i64, i64)> = postings::table
        .filter(postings::contract_id.eq_any(&ids).and(postings::posted_on.le(last)))
        .select((postings::contract_id, postings::sign, postings::total_fen))
        .load(conn)?;
    let mut sums: BTreeMap<Id<of::Contract>, i64> = BTreeMap::new();
    for (id, sign, fen) in rows {
        let sum = sums.entry(id).or_default();
        *sum = sum.saturating_add(fen.saturating_mul(sign));
    }
    let mut amounts: Vec<i64> = sums.into_values().filter(|fen| *fen > 0).collect();
    amounts.sort_unstable_by(|a, b| b.cmp(a));
    amounts.truncate(most);
    Ok(amounts)
}

pub fn insert_value(
    tx: &mut Tx<'_>,
    new: &NewIndicatorValue,
    by: Id<of::Account>,
) -> Result<IndicatorValue> {
    let (id, scale) = (Id::<IndicatorValueKey>::fresh(), new.value.scale());
    let digits = new.value.at_scale(scale).ok_or_else(|| anyhow::anyhow!("{}", new.value))?;
    let row = (
        values::id.eq(id),
        values::region_code.eq(&new.region_code),
        values::indicator.eq(new.indicator),
        values::period.eq(&new.period),
        values::first_day.eq(new.span.first),
        values::last_day.eq(new.span.last),
        values::value.eq(digits),
        values::scale.eq(i64::from(scale)),
        values::source.eq(&new.source),
        values::source_date.eq(new.source_date),
        values::created_by.eq(by),
        values::created_at.eq(tx.now()),
    );
    diesel::insert_into(values::table).values(row).execute(&mut **tx)?;
    Ok(IndicatorValue::query().filter(values::id.eq(id)).first(&mut **tx)?)
}

/// Entered figures of an indicator, newest first, one more than the window asks for, and how many there are.
pub fn list_values(
    conn: &mut DbConn,
    indicator: Indicator,
    region: Option<&Region>,
    window: &Window<After<IndicatorValueKey>>,
) -> Result<(Vec<IndicatorValue>, i64)> {
    macro_rules! narrowed {
        ($query:expr) => {{
            let mut query =
                $query.filter(values::indicator.eq(indicator)).into_boxed::<MultiBackend>();
            if let Some(region) = region {
                query = query.filter(values::region_code.eq(region));
            }
            query
        }};
    }
    let total = narrowed!(values::table).count().get_result(conn)?;
    let mut query = narrowed!(IndicatorValue::query());
    if let Some(after) = &window.after {
        query = query.filter(
            values::created_at
                .lt(after.at)
                .or(values::created_at.eq(after.at).and(values::id.lt(after.id))),
        );
    }
    let rows = query
        .order((values::created_at.desc(), values::id.desc()))
        .limit(window.limit + 1)
        .load(conn)?;
    Ok((rows, total))
}

/// Everything that was entered for a region, or of one indicator of it; the newest of each period first.
pub fn values_of(
    conn: &mut DbConn,
    region: &Region,
    indicator: Option<Indicator>,
) -> Result<Vec<IndicatorValue>> {
    let mut query =
        IndicatorValue::query().filter(values::region_code.eq(region)).into_boxed::<MultiBackend>();
    if let Some(indicator) = indicator {
        query = query.filter(values::indicator.eq(indicator));
    }
    Ok(query.order((values::created_at.desc(), values::id.desc())).load(conn)?)
}

/// The ids among `rows` that are the newest of their region, indicator and period.
pub fn newest(
    conn: &mut DbConn,
    rows: &[IndicatorValue],
) -> Result<BTreeSet<Id<IndicatorValueKey>>> {
    let places: BTreeSet<(&Region, Indicator)> =
        rows.iter().map(|r| (&r.region_code, r.indicator)).collect();
    let mut newest = BTreeSet::new();
    for (region, indicator) in places {
        let mut seen = BTreeSet::new();
        let all = values_of(conn, region, Some(indicator))?;
        newest.extend(
            all.into_iter().filter(|r| seen.insert((r.first_day, r.last_day))).map(|r| r.id),
        );
    }
    Ok(newest)
}
