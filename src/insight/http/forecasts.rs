//! How good the forecasts are.
use actix_web::{get, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    insight::{
        model::{ForecastQuality, QualityQuery},
        service::{Grids, forecasts},
    },
    kernel::{Db, Moment, Query, Reply, Result, Visitor},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(quality);
}

/// How good the forecasts of turnover have been, and how they are made.
///
/// Every forecast is made again with only what was known at its day, over the published series and, apart
/// from them, over the months of this market; beside it stand what came and what plain methods say.
#[utoipa::path(
    tag = "forecasts",
    params(QualityQuery),
    responses((status = 200, body = ForecastQuality),),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/forecasts/quality")]
async fn quality(
    visitor: Visitor,
    db: Data<Db>,
    grids: Data<Grids>,
    query: Query<QualityQuery>,
) -> Result<Reply> {
    let today = Moment::now().day();
    let region = forecasts::asked(&query.0)?;
    db.read_snapshot(move |conn| {
        let actor = visitor.actor.as_ref();
        Reply::ok(&forecasts::quality(conn, &grids, actor, &region, today)?)
    })
    .await
}
