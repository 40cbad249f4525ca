//! What owners learn from the answers of others, over HTTP.
use actix_web::{get, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    deals::{
        model::feedback::{Funnel, FunnelView},
        service::feedback,
    },
    kernel::{Actor, At, Db, Problem, Reply, Result, Visitor, of},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(show_funnel).service(show_achievement_feedback).service(show_demand_feedback);
}

/// How far the requests about the caller's listings came, and why some came no further.
#[utoipa::path(
    tag = "deals",
    responses(
        (status = 200, description = "Both funnels", body = FunnelView),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/me/funnel")]
async fn show_funnel(actor: Actor, visitor: Visitor, db: Data<Db>) -> Result<Reply> {
    Reply::ok(&db.read(move |conn| feedback::mine(conn, &actor, visitor.lang)).await?)
}

/// What became of the requests about an achievement, for its owner.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, description = "The funnel with what to do", body = Funnel),
        (status = 403, description = "`not_the_owner`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/achievements/{id}/feedback")]
async fn show_achievement_feedback(
    actor: Actor,
    visitor: Visitor,
    db: Data<Db>,
    id: At<of::Achievement>,
) -> Result<Reply> {
    let funnel =
        db.read(move |conn| feedback::of_achievement(conn, &actor, id.0, visitor.lang)).await?;
    Reply::ok(&funnel)
}

/// What became of the requests about a demand, for its owner.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, description = "The funnel with what to do", body = Funnel),
        (status = 403, description = "`not_the_owner`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/demands/{id}/feedback")]
async fn show_demand_feedback(
    actor: Actor,
    visitor: Visitor,
    db: Data<Db>,
    id: At<of::Demand>,
) -> Result<Reply> {
    let funnel = db.read(move |conn| feedback::of_demand(conn, &actor, id.0, visitor.lang)).await?;
    Reply::ok(&funnel)
}
