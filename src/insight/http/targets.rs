//! Targets and how far they have come.
use actix_web::{get, post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    insight::{
        model::{NewTargetBody, Progress, ProgressQuery, TargetView, TargetsQuery},
        service::{Grids, targets},
    },
    kernel::{At, Body, Db, Moment, Page, Problem, Query, Reply, Result, Visitor, Writer, of},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(create).service(list).service(progress).service(find);
}

/// Set a target for a region. Operators of the region only.
#[utoipa::path(
    tag = "targets",
    request_body = NewTargetBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe")),
    responses(
        (status = 201, body = TargetView),
        (status = 403, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/targets")]
async fn create(actor: Writer, db: Data<Db>, body: Body<NewTargetBody>) -> Result<Reply> {
    let Body { value, once } = body;
    let target = value.parse()?;
    let caller = actor.name();
    let work = move |tx: &mut crate::kernel::Tx<'_>| {
        let view = targets::create(tx, &actor, &target)?;
        Ok(Reply::created(format!("/targets/{}", view.id), &view)?.with_version(view.version))
    };
    once.write(&db, caller, work).await
}

/// List targets, newest first. The same indicator, region and year may have several.
#[utoipa::path(
    tag = "targets",
    params(TargetsQuery),
    responses((status = 200, body = Page<TargetView>),),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/targets")]
async fn list(_visitor: Visitor, db: Data<Db>, query: Query<TargetsQuery>) -> Result<Reply> {
    let (wanted, window) = targets::wanted(query.0)?;
    db.read(move |conn| Reply::ok(&targets::list(conn, &wanted, &window)?)).await
}

/// One target.
#[utoipa::path(
    tag = "targets",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, body = TargetView),),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/targets/{id}")]
async fn find(_visitor: Visitor, db: Data<Db>, id: At<of::Target>) -> Result<Reply> {
    let id = id.0;
    db.read(move |conn| {
        let view = targets::find(conn, id)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

/// How far a target has come: the turnover registered so far beside the value and a straight line.
///
/// Callers who do not oversee the region are answered for whole months, and for today.
#[utoipa::path(
    tag = "targets",
    params(("id" = String, Path, format = Uuid), ProgressQuery),
    responses(
        (status = 200, body = Progress),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/targets/{id}/progress")]
async fn progress(
    visitor: Visitor,
    db: Data<Db>,
    grids: Data<Grids>,
    id: At<of::Target>,
    query: Query<ProgressQuery>,
) -> Result<Reply> {
    let (id, today) = (id.0, Moment::now().day());
    let as_of = query.0.parse(today)?;
    db.read_snapshot(move |conn| {
        Reply::ok(&targets::progress(conn, &grids, visitor.actor.as_ref(), id, (as_of, today))?)
    })
    .await
}
