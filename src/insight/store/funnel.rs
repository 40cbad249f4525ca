//! Listings and requests of a span of time, page by page in the order of time.
use std::collections::HashMap;

use diesel::{dsl::min, prelude::*};

use crate::{
    deals::model::RequestState,
    insight::model::Flow,
    kernel::{DbConn, Id, Moment, Region, Result, db::MultiBackend, of},
    markets::{model::Field, publication::State, regions::Reach},
    schema::{achievements, deals, demands, match_requests as requests},
};

/// Rows of one page.
const PAGE: i64 = 5_000;

/// Which listings, by their publication, or requests, by the day they were asked.
#[derive(Debug, Clone)]
pub struct Cohort {
    /// The side that region and field belong to: achievements for the output, demands otherwise.
    pub flow: Flow,
    pub region: Reach,
    pub field: Option<Field>,
    pub from: Moment,
    /// The first instant that is no longer in it.
    pub until: Moment,
    /// What happened from here on is not looked at.
    pub cut: Moment,
}

/// A listing, and whether anybody asked about it.
#[derive(Debug, Clone)]
pub struct ListingCase {
    pub region: Region,
    pub field: Field,
    pub published: Moment,
    /// The first request about it since it was published.
    pub asked: Option<Moment>,
    /// When it was no longer public.
    pub ended: Option<Moment>,
}

/// A request, and what became of it.
#[derive(Debug, Clone)]
pub struct RequestCase {
    pub region: Region,
    pub field: Field,
    pub asked: Moment,
    /// When it was declined, withdrawn or expired.
    pub ended: Option<Moment>,
    pub deal: Option<DealCase>,
}

/// When the deal of an accepted request came how far.
#[derive(Debug, Clone, Copy)]
pub struct DealCase {
    pub accepted: Moment,
    pub intent: Option<Moment>,
    pub contracted: Option<Moment>,
    pub registered: Option<Moment>,
    pub closed: Option<Moment>,
}

type ListingRow = (String, Region, Field, Option<Moment>, State, Moment);

/// One page of a table of listings, and the first request about each.
macro_rules! listings {
    ($conn:expr, $table:ident, $asked_about:ident, $cohort:expr, $after:expr) => {{
        let Cohort { region: Reach { like, zones }, field, from, until, cut, .. } = $cohort;
        // a page begins where the one before ended: the index is entered there
        let from = $after.as_ref().map_or(from, |(at, _)| at);
        let mut query = $table::table
            .filter($table::published_at.ge(from).and($table::published_at.lt(until)))
            .filter($table::region_code.like(like).or($table::region_code.eq_any(zones)))
            .into_boxed::<MultiBackend>();
        if let Some(field) = field {
            query = query.filter($table::field.eq(*field));
        }
        if let Some((at, id)) = $after {
            let later = $table::published_at.eq(at).and($table::id.gt(id));
            query = query
                .filter($table::published_at.gt(at).or(later.assume_not_null()).assume_not_null());
        }
        let rows: Vec<ListingRow> = query
            .order(($table::published_at, $table::id))
            .limit(PAGE)
            .select((
                $table::id,
                $table::region_code,
                $table::field,
                $table::published_at,
                $table::state,
                $table::updated_at,
            ))
            .load($conn)?;
        let ids: Vec<&String> = rows.iter().map(|row| &row.0).collect();
        let first: Vec<(String, Option<Moment>)> = requests::table
            .inner_join($table::table.on($table::id.eq(requests::$asked_about)))
            .filter(requests::$asked_about.eq_any(ids))
            .filter(requests::created_at.nullable().ge($table::published_at))
            .filter(requests::created_at.lt(cut))
            .group_by(requests::$asked_about)
            .select((requests::$asked_about, min(requests::created_at)))
            .load($conn)?;
        (rows, first.into_iter().collect::<HashMap<_, _>>())
    }};
}

/// Hands every listing of the cohort to `take`.
pub fn each_listing(
    conn: &mut DbConn,
    cohort: &Cohort,
    take: &mut dyn FnMut(ListingCase) -> Result<()>,
) -> Result<()> {
    let mut after: Option<(Moment, String)> = None;
    loop {
        let (rows, first) = if cohort.flow == Flow::Output {
            listings!(conn, achievements, achievement_id, cohort, &after)
        } else {
            listings!(conn, demands, demand_id, cohort, &after)
        };
        let more = i64::try_from(rows.len()).is_ok_and(|n| n == PAGE);
        for (id, region, field, published, state, updated) in rows {
            // the query asks for those that have been
            let Some(published) = published else { continue };
            let gone = matches!(state, State::Expired | State::Withdrawn | State::Suspended);
            let asked = first.get(&id).copied().flatten();
            let ended = (gone && updated < cohort.cut).then_some(updated);
            take(ListingCase { region, field, published, asked, ended })?;
            after = Some((published, id));
        }
        if !more {
            return Ok(());
        }
    }
}

type DealRow = (Moment, Option<Moment>, Option<Moment>, Option<Moment>, Option<Moment>);
type RequestRow =
    (Id<of::MatchRequest>, Region, Field, Moment, RequestState, Moment, Option<DealRow>);

/// One page of requests with their deals.
macro_rules! asked {
    ($conn:expr, $table:ident, $about:ident, $region:ident, $cohort:expr, $after:expr) => {{
        let Cohort { region: Reach { like, zones }, field, from, until, .. } = $cohort;
        let from = $after.as_ref().map_or(from, |(at, _)| at);
        let mut query = requests::table
            .inner_join($table::table.on($table::id.eq(requests::$about)))
            .left_join(deals::table.on(deals::match_request_id.eq(requests::id)))
            .filter(requests::created_at.ge(from).and(requests::created_at.lt(until)))
            .filter(requests::$region.like(like).or(requests::$region.eq_any(zones)))
            .into_boxed::<MultiBackend>();
        if let Some(field) = field {
            query = query.filter($table::field.eq(*field));
        }
        if let Some((at, id)) = $after {
            let later = requests::created_at.eq(at).and(requests::id.gt(id));
            query = query.filter(requests::created_at.gt(at).or(later));
        }
        let rows: Vec<RequestRow> = query
            .order((requests::created_at, requests::id))
            .limit(PAGE)
            .select((
                requests::id,
                requests::$region,
                $table::field,
                requests::created_at,
                requests::state,
                requests::updated_at,
                (
                    deals::created_at,
                    deals::intent_at,
                    deals::contracted_at,
                    deals::registered_at,
                    deals::closed_at,
                )
                    .nullable(),
            ))
            .load($conn)?;
        rows
    }};
}

/// Hands every request of the cohort to `take`.
pub fn each_request(
    conn: &mut DbConn,
    cohort: &Cohort,
    take: &mut dyn FnMut(RequestCase) -> Result<()>,
) -> Result<()> {
    let before = |at: Option<Moment>| at.filter(|at| *at < cohort.cut);
    let mut after: Option<(Moment, Id<of::MatchRequest>)> = None;
    loop {
        let rows = if cohort.flow == Flow::Output {
            asked!(conn, achievements, achievement_id, achievement_region_code, cohort, &after)
        } else {
            asked!(conn, demands, demand_id, demand_region_code, cohort, &after)
        };
        let more = i64::try_from(rows.len()).is_ok_and(|n| n == PAGE);
        for (id, region, field, asked, state, updated, deal) in rows {
            after = Some((asked, id));
            let over = matches!(
                state,
                RequestState::Declined | RequestState::Withdrawn | RequestState::Expired
            );
            let ended = before(over.then_some(updated));
            let deal = deal.and_then(|(accepted, intent, contracted, registered, closed)| {
                Some(DealCase {
                    accepted: before(Some(accepted))?,
                    intent: before(intent),
                    contracted: before(contracted),
                    registered: before(registered),
                    closed: before(closed),
                })
            });
            take(RequestCase { region, field, asked, ended, deal })?;
        }
        if !more {
            return Ok(());
        }
    }
}
