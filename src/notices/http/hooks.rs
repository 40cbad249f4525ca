//! Webhooks.
use actix_web::{HttpRequest, delete, get, patch, post, web::Data};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{PageQuery, second};
use crate::{
    kernel::{
        Actor, At, Body, Config, Db, IfMatch, Nothing, Page, Problem, Query, Reply, Result, Window,
        Writer,
    },
    notices::{
        model::{
            DeliveryState, DeliveryView, NewWebhook, Webhook, WebhookPatch, WebhookSecretView,
            WebhookView,
        },
        service::hooks::{self as service, seal},
    },
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(create).service(list).service(show).service(edit).service(remove);
    cfg.service(rotate).service(test).service(log).service(replay);
}

/// Let a system of the organization be told what happens: an administrator. The secret is shown this once.
///
/// Requests follow Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature` (`v1`,
/// HMAC-SHA256). A delivery that is not answered with 2xx within 15 seconds is tried again for three days;
/// after that the webhook is disabled and its administrators are told. Redirects are not followed.
#[utoipa::path(
    tag = "webhooks",
    request_body = NewWebhook,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 201, body = WebhookSecretView, headers(("ETag" = String, description = "The version."))),
        (status = 403, description = "`not_an_admin`", body = Problem),
        (status = 404, body = Problem),
        (status = 409, description = "`too_many_webhooks`", body = Problem),
        (status = 422, description = "among others `https_required`, `private_address`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/webhooks")]
async fn create(
    actor: Writer,
    db: Data<Db>,
    config: Data<Config>,
    body: Body<NewWebhook>,
) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        let seal = seal(&config.jwt_secret);
        let view = service::create(tx, &actor, value, config.webhook_allow_private, &seal)?;
        let at = format!("/webhooks/{}", view.webhook.id);
        Ok(Reply::created(at, &view)?.with_version(view.webhook.version))
    })
    .await
}

/// The webhooks of the organizations that the caller administers, newest first, without secrets.
#[utoipa::path(
    tag = "webhooks",
    params(PageQuery),
    responses(
        (status = 200, body = Page<WebhookView>),
    ),
    security(("bearer" = [])),
)]
#[get("/webhooks")]
async fn list(actor: Actor, db: Data<Db>, query: Query<PageQuery>) -> Result<Reply> {
    let window = Window::read(query.0.limit, query.0.cursor.as_deref())?;
    db.read(move |conn| Reply::ok(&service::list(conn, &actor, &window)?)).await
}

/// One webhook: an administrator.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = WebhookView, headers(("ETag" = String, description = "The version."))),
    ),
    security(("bearer" = [])),
)]
#[get("/webhooks/{id}")]
async fn show(actor: Actor, db: Data<Db>, at: At<Webhook>) -> Result<Reply> {
    let view = db.read(move |conn| service::get(conn, &actor, at.0)).await?;
    Ok(Reply::ok(&view)?.with_version(view.version))
}

/// Change target or events, disable, or enable again: an administrator.
///
/// What waited while it was disabled is sent once it is active.
#[utoipa::path(
    tag = "webhooks",
    request_body = WebhookPatch,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses(
        (status = 200, body = WebhookView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[patch("/webhooks/{id}")]
async fn edit(
    actor: Writer,
    db: Data<Db>,
    config: Data<Config>,
    at: At<Webhook>,
    seen: IfMatch,
    body: Body<WebhookPatch>,
) -> Result<Reply> {
    let patch = body.value;
    db.write(move |tx| {
        let view = service::edit(tx, &actor, at.0, seen, patch, config.webhook_allow_private)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

/// Take a webhook away, with its log: an administrator.
#[utoipa::path(
    tag = "webhooks",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses(
        (status = 204), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[delete("/webhooks/{id}")]
async fn remove(actor: Writer, db: Data<Db>, at: At<Webhook>, seen: IfMatch) -> Result<Reply> {
    db.write(move |tx| {
        service::delete(tx, &actor, at.0, seen)?;
        Ok(Reply::no_content())
    })
    .await
}

/// Make a new secret: an administrator. For 24 hours requests are signed with both.
#[utoipa::path(
    tag = "webhooks",
    params(
        ("id" = String, Path, format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    request_body = Nothing,
    responses(
        (status = 200, body = WebhookSecretView), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/webhooks/{id}/rotate-secret")]
async fn rotate(
    actor: Writer,
    db: Data<Db>,
    config: Data<Config>,
    at: At<Webhook>,
    body: Body<Nothing>,
) -> Result<Reply> {
    body.once
        .write(&db, actor.name(), move |tx| {
            let view = service::rotate(tx, &actor, at.0, &seal(&config.jwt_secret))?;
            Ok(Reply::ok(&view)?.with_version(view.webhook.version))
        })
        .await
}

/// Send `webhook.test`, to see whether it arrives: an administrator.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = String, Path, format = Uuid)),
    request_body = Nothing,
    responses(
        (status = 202, body = DeliveryView), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/webhooks/{id}/test")]
async fn test(actor: Writer, db: Data<Db>, at: At<Webhook>, body: Body<Nothing>) -> Result<Reply> {
    body.once
        .write(&db, actor.name(), move |tx| Reply::accepted(&service::test(tx, &actor, at.0)?))
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LogQuery {
    #[param(inline)]
    state: Option<DeliveryState>,
    /// At most this many.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What a webhook was sent and what it answered, newest first: an administrator. Kept for 30 days.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = String, Path, format = Uuid), LogQuery),
    responses(
        (status = 200, body = Page<DeliveryView>),
    ),
    security(("bearer" = [])),
)]
#[get("/webhooks/{id}/deliveries")]
async fn log(actor: Actor, db: Data<Db>, at: At<Webhook>, query: Query<LogQuery>) -> Result<Reply> {
    let Query(wanted) = query;
    let window = Window::read(wanted.limit, wanted.cursor.as_deref())?;
    db.read(move |conn| Reply::ok(&service::log(conn, &actor, at.0, wanted.state, &window)?)).await
}

/// Send a delivery once more, under the same `webhook-id`: an administrator.
#[utoipa::path(
    tag = "webhooks",
    params(
        ("id" = String, Path, format = Uuid), ("delivery_id" = String, Path, format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    request_body = Nothing,
    responses(
        (status = 202, body = DeliveryView), (status = 403, body = Problem),
        (status = 409, description = "`still_queued`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/webhooks/{id}/deliveries/{delivery_id}/replay")]
async fn replay(
    actor: Writer,
    db: Data<Db>,
    at: At<Webhook>,
    req: HttpRequest,
    body: Body<Nothing>,
) -> Result<Reply> {
    let delivery = second(&req, "delivery_id", "推送记录")?;
    body.once
        .write(&db, actor.name(), move |tx| {
            Reply::accepted(&service::replay(tx, &actor, at.0, delivery)?)
        })
        .await
}
