//! Statistics of turnover.
use actix_web::{get, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    insight::{
        model::{
            Conversion, ConversionQuery, Flows, FlowsQuery, Rankings, RankingsQuery, Turnover,
            TurnoverQuery,
        },
        service::{Grids, flows, rankings, turnover},
    },
    kernel::{Db, Moment, Query, Reply, Result, Visitor},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(show_turnover).service(show_flows).service(show_rankings).service(show_conversion);
}

/// Turnover of registered contracts by month, category, field, party, IP, plan, objective, industry or region.
///
/// Callers who do not oversee the region get small or dominated rows as `suppressed`, with as many
/// others as it takes that no such row can be computed, from this table or from any others.
#[utoipa::path(
    tag = "statistics",
    params(TurnoverQuery),
    responses((status = 200, body = Turnover),),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/statistics/turnover")]
async fn show_turnover(
    visitor: Visitor,
    db: Data<Db>,
    grids: Data<Grids>,
    query: Query<TurnoverQuery>,
) -> Result<Reply> {
    let now = Moment::now();
    let asked = query.0.parse(now.day())?;
    db.read_snapshot(move |conn| {
        Reply::ok(&turnover::turnover(conn, &grids, visitor.actor.as_ref(), asked, now)?)
    })
    .await
}

/// Who sells technology to whom: sellers' regions by buyers' regions.
///
/// Callers who do not oversee the province see cells of whole years.
#[utoipa::path(
    tag = "statistics",
    params(FlowsQuery),
    responses((status = 200, body = Flows),),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/statistics/flows")]
async fn show_flows(
    visitor: Visitor,
    db: Data<Db>,
    grids: Data<Grids>,
    query: Query<FlowsQuery>,
) -> Result<Reply> {
    let now = Moment::now();
    let asked = query.0.parse(now.day())?;
    db.read_snapshot(move |conn| {
        Reply::ok(&flows::flows(conn, &grids, visitor.actor.as_ref(), asked, now)?)
    })
    .await
}

/// Regions by their turnover in a year, quarter or month, beside the same period of the year before.
#[utoipa::path(
    tag = "statistics",
    params(RankingsQuery),
    responses((status = 200, body = Rankings),),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/statistics/rankings")]
async fn show_rankings(
    visitor: Visitor,
    db: Data<Db>,
    grids: Data<Grids>,
    query: Query<RankingsQuery>,
) -> Result<Reply> {
    let now = Moment::now();
    let asked = query.0.parse(now.day())?;
    db.read_snapshot(move |conn| {
        Reply::ok(&rankings::rankings(conn, &grids, visitor.actor.as_ref(), asked, now)?)
    })
    .await
}

/// How much of the technology sold in a region stayed there (本地转化率), with both denominators.
#[utoipa::path(
    tag = "statistics",
    params(ConversionQuery),
    responses((status = 200, body = Conversion),),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/statistics/local-conversion")]
async fn show_conversion(
    visitor: Visitor,
    db: Data<Db>,
    grids: Data<Grids>,
    query: Query<ConversionQuery>,
) -> Result<Reply> {
    let now = Moment::now();
    let asked = query.0.parse(now.day())?;
    db.read_snapshot(move |conn| {
        Reply::ok(&turnover::conversion(conn, &grids, visitor.actor.as_ref(), asked, now)?)
    })
    .await
}
