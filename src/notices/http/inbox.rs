//! Notices in the application and the settings for them.
use actix_web::{get, post, put, web::Data};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::in_person;
use crate::{
    kernel::{
        Actor, At, Body, Db, Nothing, Problem, Query, Reply, Result, Visitor, Window, Writer,
    },
    notices::{
        model::{MarkedRead, Notice, NoticePage, NoticeSettings, NotificationView},
        service::inbox as service,
    },
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    // before `/notifications/{id}`
    cfg.service(read_all).service(list_notices).service(read).service(settings).service(set);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NoticeQuery {
    /// Unread ones only.
    unread: Option<bool>,
    /// At most this many.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What the caller has been told, unread first, newest first.
///
/// In the language of `Accept-Language`. What the caller may not see any more is not spelled out.
#[utoipa::path(
    tag = "notices",
    params(NoticeQuery),
    responses(
        (status = 200, body = NoticePage), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[get("/notifications")]
async fn list_notices(
    actor: Actor,
    visitor: Visitor,
    db: Data<Db>,
    query: Query<NoticeQuery>,
) -> Result<Reply> {
    in_person(&actor)?;
    let Query(wanted) = query;
    let window = Window::read(wanted.limit, wanted.cursor.as_deref())?;
    let only_unread = wanted.unread.unwrap_or(false);
    db.read(move |conn| {
        Reply::ok(&service::list(conn, &actor, visitor.lang, only_unread, &window)?)
    })
    .await
}

/// Mark a notice as read; one that was read stays so.
#[utoipa::path(
    tag = "notices",
    params(("id" = String, Path, format = Uuid)),
    request_body = Nothing,
    responses(
        (status = 200, body = NotificationView), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/notifications/{id}/read")]
async fn read(
    actor: Writer,
    visitor: Visitor,
    db: Data<Db>,
    at: At<Notice>,
    body: Body<Nothing>,
) -> Result<Reply> {
    in_person(&actor)?;
    body.once
        .write(&db, actor.name(), move |tx| {
            Reply::ok(&service::read(tx, &actor, visitor.lang, at.0)?)
        })
        .await
}

/// Mark everything as read.
#[utoipa::path(
    tag = "notices",
    request_body = Nothing,
    responses(
        (status = 200, body = MarkedRead), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/notifications/read-all")]
async fn read_all(actor: Writer, db: Data<Db>, body: Body<Nothing>) -> Result<Reply> {
    in_person(&actor)?;
    body.once.write(&db, actor.name(), move |tx| Reply::ok(&service::read_all(tx, &actor)?)).await
}

/// What the caller is told by mail and in the application, by kind.
#[utoipa::path(
    tag = "notices",
    responses(
        (status = 200, body = NoticeSettings), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[get("/me/notice-settings")]
async fn settings(actor: Actor, db: Data<Db>) -> Result<Reply> {
    in_person(&actor)?;
    db.read(move |conn| Reply::ok(&service::settings(conn, actor.account)?)).await
}

/// Say what to be told; kinds that are not named stay as they are.
///
/// Mails about the account itself (verification, password, invitation) cannot be turned off.
#[utoipa::path(
    tag = "notices",
    request_body = NoticeSettings,
    responses(
        (status = 200, body = NoticeSettings), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[put("/me/notice-settings")]
async fn set(actor: Writer, db: Data<Db>, body: Body<NoticeSettings>) -> Result<Reply> {
    in_person(&actor)?;
    let wanted = body.value;
    db.write(move |tx| Reply::ok(&service::set(tx, &actor, wanted)?)).await
}
