//! The funnel over HTTP.
use actix_web::{get, web::Data};

use crate::{
    insight::{
        model::{FunnelQuery, MarketFunnel},
        service::funnel,
    },
    kernel::{Db, Moment, Query, Reply, Result, Visitor},
};

/// How far listings and match requests of a span of time came: published, asked about, accepted, intent,
/// contract, registered, with the share that took each step and the time it takes.
///
/// Callers who do not oversee the region get counts below 3, and those that would give one away, as
/// `suppressed`.
#[utoipa::path(
    tag = "statistics",
    params(FunnelQuery),
    responses((status = 200, body = MarketFunnel),),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/statistics/funnel")]
pub async fn show_funnel(
    visitor: Visitor,
    db: Data<Db>,
    query: Query<FunnelQuery>,
) -> Result<Reply> {
    let now = Moment::now();
    let asked = query.0.parse(now.day())?;
    db.read_snapshot(move |conn| {
        Reply::ok(&funnel::funnel(conn, visitor.actor.as_ref(), asked, now)?)
    })
    .await
}
