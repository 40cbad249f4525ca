//! Achievements over HTTP.
use actix_web::{HttpRequest, delete, get, patch, post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    model::{AchievementDraft, AchievementPatch, AchievementRenewal, AchievementView},
    service,
};
use crate::{
    kernel::{
        Actor, Answers, At, Body, Config, Db, DbConn, IfMatch, Nothing, Page, Problem, Query,
        Reply, Result, Visitor, Writer, idempotency::Once, of,
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
}

/// List an achievement, as a draft.
///
/// Members of universities, institutes, hospitals, companies and agencies may.
#[utoipa::path(
    tag = "achievements",
    request_body = AchievementDraft,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 201, body = AchievementView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/achievements")]
async fn create(actor: Writer, db: Data<Db>, body: Body<AchievementDraft>) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        let view = service::create(tx, &actor, value)?;
        let version = view.version;
        Ok(Reply::created(format!("/achievements/{}", view.id), &view)?.with_version(version))
    })
    .await
}

/// The achievements a caller may see, newest first.
///
/// The public is shown the published ones; members see all of their organizations', operators and
/// auditors all of their region's.
#[utoipa::path(
    tag = "achievements",
    params(ListQuery),
    responses(
        (status = 200, body = Page<AchievementView>),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/achievements")]
async fn list(visitor: Visitor, db: Data<Db>, query: Query<ListQuery>) -> Result<Reply> {
    db.read(move |conn| Reply::ok(&service::list(conn, visitor.actor.as_ref(), &query.0)?)).await
}

/// One achievement.
#[utoipa::path(
    tag = "achievements",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = AchievementView, headers(("ETag" = String, description = "The version."))),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/achievements/{id}")]
async fn one(
    req: HttpRequest,
    visitor: Visitor,
    db: Data<Db>,
    answers: Data<Answers>,
    at: At<of::Achievement>,
) -> Result<Reply> {
    let public = visitor.actor.is_none();
    if let Some(kept) = answers.get(&db, req.path()).filter(|_| public) {
        return Ok(kept);
    }
    let generation = db.generation();
    let read = move |conn: &mut DbConn| {
        let view = service::get(conn, visitor.actor.as_ref(), at.0)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    };
    let reply = db.read(read).await?;
    if public {
        answers.keep(req.path(), generation, &reply);
    }
    Ok(reply)
}

/// Change an achievement: its owner, in states that can be edited.
///
/// Every change of a published one is a new version.
#[utoipa::path(
    tag = "achievements",
    request_body = AchievementPatch,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
    ),
    responses(
        (status = 200, body = AchievementView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[patch("/achievements/{id}")]
async fn edit(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Achievement>,
    seen: IfMatch,
    body: Body<AchievementPatch>,
) -> Result<Reply> {
    db.write(move |tx| {
        let view = service::edit(tx, &actor, at.0, seen, body.value)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

/// Throw a draft away that was never published.
#[utoipa::path(
    tag = "achievements",
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
#[delete("/achievements/{id}")]
async fn remove(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Achievement>,
    seen: IfMatch,
) -> Result<Reply> {
    db.write(move |tx| service::delete(tx, &actor, at.0, seen)).await?;
    Ok(Reply::no_content())
}

/// Who changed what since it was first published: for its owner, operators and auditors.
#[utoipa::path(
    tag = "achievements",
    params(("id" = String, Path, format = Uuid), VersionsQuery),
    responses(
        (status = 200, body = Page<VersionView>), (status = 403, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/achievements/{id}/versions")]
async fn versions(
    actor: Actor,
    db: Data<Db>,
    at: At<of::Achievement>,
    query: Query<VersionsQuery>,
) -> Result<Reply> {
    db.read(move |conn| Reply::ok(&service::versions(conn, &actor, at.0, &query.0)?)).await
}

/// One move of the life of an achievement, asked for by its route.
async fn advance(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Achievement>,
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
    tag = "achievements",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = AchievementView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/achievements/{id}/submit")]
async fn submit(
    actor: Writer,
    db: Data<Db>,
    config: Data<Config>,
    at: At<of::Achievement>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    let turn = Turn::submit(config.trusted_listings);
    advance(actor, db, at, seen, body.once, turn).await
}

/// Publish what is in review: an operator of its region.
#[utoipa::path(
    tag = "achievements",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = AchievementView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/achievements/{id}/approve")]
async fn approve(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Achievement>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    advance(actor, db, at, seen, body.once, Turn::plain(Act::Approve)).await
}

/// Send what is in review or suspended back to its owner as a draft: an operator of its region.
#[utoipa::path(
    tag = "achievements",
    request_body = Reasons,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = AchievementView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/achievements/{id}/return")]
async fn give_back(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Achievement>,
    seen: IfMatch,
    body: Body<Reasons>,
) -> Result<Reply> {
    let turn = Turn::because(Act::Return, body.value);
    advance(actor, db, at, seen, body.once, turn).await
}

/// Take it back from review or from the public: its owner.
#[utoipa::path(
    tag = "achievements",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = AchievementView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/achievements/{id}/withdraw")]
async fn withdraw(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Achievement>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    advance(actor, db, at, seen, body.once, Turn::plain(Act::Withdraw)).await
}

/// Publish an expired one again: its owner.
#[utoipa::path(
    tag = "achievements",
    request_body = AchievementRenewal,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = AchievementView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/achievements/{id}/renew")]
async fn renew(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Achievement>,
    seen: IfMatch,
    body: Body<AchievementRenewal>,
) -> Result<Reply> {
    let turn = Turn::renew(body.value.expires_on);
    advance(actor, db, at, seen, body.once, turn).await
}

/// Take it from the public: an operator of its region.
#[utoipa::path(
    tag = "achievements",
    request_body = Reasons,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = AchievementView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/achievements/{id}/suspend")]
async fn suspend(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Achievement>,
    seen: IfMatch,
    body: Body<Reasons>,
) -> Result<Reply> {
    let turn = Turn::because(Act::Suspend, body.value);
    advance(actor, db, at, seen, body.once, turn).await
}
