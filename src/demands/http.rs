//! Demands over HTTP.
use actix_web::{delete, get, patch, post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    diagnosis,
    model::{DemandDraft, DemandPatch, DemandRenewal, DemandView},
    service,
};
use crate::{
    kernel::{
        Actor, At, Body, Config, Db, IfMatch, Nothing, Page, Problem, Query, Reply, Result,
        Visitor, Writer, idempotency::Once, of,
    },
    markets::{
        listing::{ListQuery, Reasons, Turn, VersionView, VersionsQuery},
        publication::Act,
    },
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(create).service(list).service(one).service(edit).service(remove);
    cfg.service(versions).service(submit).service(approve).service(give_back);
    cfg.service(withdraw).service(renew).service(suspend);
    diagnosis::http::routes(cfg);
}

/// List a demand, as a draft.
///
/// Members of any organization may.
#[utoipa::path(
    tag = "demands",
    request_body = DemandDraft,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 201, body = DemandView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/demands")]
async fn create(actor: Writer, db: Data<Db>, body: Body<DemandDraft>) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        let view = service::create(tx, &actor, value)?;
        let version = view.version;
        Ok(Reply::created(format!("/demands/{}", view.id), &view)?.with_version(version))
    })
    .await
}

/// The demands a caller may see, newest first.
///
/// The public is shown the published ones, without the owner where it is masked, and private ones
/// only as a broker whom they name; members see all of their organizations', operators and
/// auditors all of their region's.
#[utoipa::path(
    tag = "demands",
    params(ListQuery),
    responses(
        (status = 200, body = Page<DemandView>),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/demands")]
async fn list(visitor: Visitor, db: Data<Db>, query: Query<ListQuery>) -> Result<Reply> {
    db.read(move |conn| Reply::ok(&service::list(conn, visitor.actor.as_ref(), &query.0)?)).await
}

/// One demand.
#[utoipa::path(
    tag = "demands",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = DemandView, headers(("ETag" = String, description = "The version."))),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/demands/{id}")]
async fn one(visitor: Visitor, db: Data<Db>, at: At<of::Demand>) -> Result<Reply> {
    db.read(move |conn| {
        let view = service::get(conn, visitor.actor.as_ref(), at.0)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

/// Change a demand: its owner, in states that can be edited.
///
/// Every change of a published one is a new version.
#[utoipa::path(
    tag = "demands",
    request_body = DemandPatch,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
    ),
    responses(
        (status = 200, body = DemandView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[patch("/demands/{id}")]
async fn edit(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Demand>,
    seen: IfMatch,
    body: Body<DemandPatch>,
) -> Result<Reply> {
    db.write(move |tx| {
        let view = service::edit(tx, &actor, at.0, seen, body.value)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

/// Throw a draft away that was never published.
#[utoipa::path(
    tag = "demands",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
    ),
    responses(
        (status = 204), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[delete("/demands/{id}")]
async fn remove(actor: Writer, db: Data<Db>, at: At<of::Demand>, seen: IfMatch) -> Result<Reply> {
    db.write(move |tx| service::delete(tx, &actor, at.0, seen)).await?;
    Ok(Reply::no_content())
}

/// Who changed what since it was first published: for its owner, operators and auditors.
#[utoipa::path(
    tag = "demands",
    params(("id" = String, Path, format = Uuid), VersionsQuery),
    responses(
        (status = 200, body = Page<VersionView>), (status = 403, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/demands/{id}/versions")]
async fn versions(
    actor: Actor,
    db: Data<Db>,
    at: At<of::Demand>,
    query: Query<VersionsQuery>,
) -> Result<Reply> {
    db.read(move |conn| Reply::ok(&service::versions(conn, &actor, at.0, &query.0)?)).await
}

/// One move of the life of a demand, asked for by its route.
async fn advance(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Demand>,
    seen: IfMatch,
    once: Once,
    turn: Turn,
) -> Result<Reply> {
    once.write(&db, actor.name(), move |tx| {
        let view = service::advance(tx, &actor, at.0, seen, turn)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

/// Submit a draft, or what was withdrawn, for review.
///
/// Where the market trusts verified organizations it is published at once.
#[utoipa::path(
    tag = "demands",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DemandView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/demands/{id}/submit")]
async fn submit(
    actor: Writer,
    db: Data<Db>,
    config: Data<Config>,
    at: At<of::Demand>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    let turn = Turn::submit(config.trusted_listings);
    advance(actor, db, at, seen, body.once, turn).await
}

/// Publish what is in review: an operator of its region.
#[utoipa::path(
    tag = "demands",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DemandView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/demands/{id}/approve")]
async fn approve(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Demand>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    advance(actor, db, at, seen, body.once, Turn::plain(Act::Approve)).await
}

/// Send what is in review or suspended back to its owner as a draft: an operator of its region.
#[utoipa::path(
    tag = "demands",
    request_body = Reasons,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DemandView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/demands/{id}/return")]
async fn give_back(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Demand>,
    seen: IfMatch,
    body: Body<Reasons>,
) -> Result<Reply> {
    let turn = Turn::because(Act::Return, body.value);
    advance(actor, db, at, seen, body.once, turn).await
}

/// Take it back from review or from the public: its owner.
#[utoipa::path(
    tag = "demands",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DemandView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/demands/{id}/withdraw")]
async fn withdraw(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Demand>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    advance(actor, db, at, seen, body.once, Turn::plain(Act::Withdraw)).await
}

/// Publish an expired one again: its owner.
#[utoipa::path(
    tag = "demands",
    request_body = DemandRenewal,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DemandView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/demands/{id}/renew")]
async fn renew(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Demand>,
    seen: IfMatch,
    body: Body<DemandRenewal>,
) -> Result<Reply> {
    let turn = Turn::renew(body.value.deadline);
    advance(actor, db, at, seen, body.once, turn).await
}

/// Take it from the public: an operator of its region.
#[utoipa::path(
    tag = "demands",
    request_body = Reasons,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DemandView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/demands/{id}/suspend")]
async fn suspend(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Demand>,
    seen: IfMatch,
    body: Body<Reasons>,
) -> Result<Reply> {
    let turn = Turn::because(Act::Suspend, body.value);
    advance(actor, db, at, seen, body.once, turn).await
}
