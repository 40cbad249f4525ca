//! Subscriptions.
use actix_web::{delete, get, patch, post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{PageQuery, in_person};
use crate::{
    kernel::{Actor, At, Body, Db, IfMatch, Page, Problem, Query, Reply, Result, Window, Writer},
    notices::{
        model::{NewSubscription, Subscription, SubscriptionPatch, SubscriptionView},
        service::subscriptions as service,
    },
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(create).service(list).service(show).service(edit).service(remove);
}

/// Follow a search, a text, a listing or a deal.
///
/// A new listing is told as soon as it is published, if the search would show it or the match would find
/// it suitable. Mails come at once or in a digest, at 8:00 in Shanghai, those of a week on Monday.
#[utoipa::path(
    tag = "notices",
    request_body = NewSubscription,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 201, body = SubscriptionView, headers(("ETag" = String, description = "The version."))),
        (status = 403, description = "`session_required`, `email_unverified`", body = Problem),
        (status = 404, description = "no such listing or deal for this caller", body = Problem),
        (status = 409, description = "`too_many_subscriptions`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/subscriptions")]
async fn create(actor: Writer, db: Data<Db>, body: Body<NewSubscription>) -> Result<Reply> {
    in_person(&actor)?;
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        let view = service::create(tx, &actor, value)?;
        Ok(Reply::created(format!("/subscriptions/{}", view.id), &view)?.with_version(view.version))
    })
    .await
}

/// The caller's subscriptions, newest first.
#[utoipa::path(
    tag = "notices",
    params(PageQuery),
    responses(
        (status = 200, body = Page<SubscriptionView>), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[get("/subscriptions")]
async fn list(actor: Actor, db: Data<Db>, query: Query<PageQuery>) -> Result<Reply> {
    in_person(&actor)?;
    let window = Window::read(query.0.limit, query.0.cursor.as_deref())?;
    db.read(move |conn| Reply::ok(&service::list(conn, &actor, &window)?)).await
}

/// One subscription of the caller.
#[utoipa::path(
    tag = "notices",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = SubscriptionView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[get("/subscriptions/{id}")]
async fn show(actor: Actor, db: Data<Db>, at: At<Subscription>) -> Result<Reply> {
    in_person(&actor)?;
    let view = db.read(move |conn| service::get(conn, &actor, at.0)).await?;
    Ok(Reply::ok(&view)?.with_version(view.version))
}

/// Pause a subscription, take it up again, or change how often it is mailed.
#[utoipa::path(
    tag = "notices",
    request_body = SubscriptionPatch,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses(
        (status = 200, body = SubscriptionView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[patch("/subscriptions/{id}")]
async fn edit(
    actor: Writer,
    db: Data<Db>,
    at: At<Subscription>,
    seen: IfMatch,
    body: Body<SubscriptionPatch>,
) -> Result<Reply> {
    in_person(&actor)?;
    let patch = body.value;
    db.write(move |tx| {
        let view = service::edit(tx, &actor, at.0, seen, patch)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

/// End a subscription.
#[utoipa::path(
    tag = "notices",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses(
        (status = 204), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[delete("/subscriptions/{id}")]
async fn remove(actor: Writer, db: Data<Db>, at: At<Subscription>, seen: IfMatch) -> Result<Reply> {
    in_person(&actor)?;
    db.write(move |tx| {
        service::delete(tx, &actor, at.0, seen)?;
        Ok(Reply::no_content())
    })
    .await
}
