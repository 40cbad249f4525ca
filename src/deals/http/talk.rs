//! Messages and meetings of a deal over HTTP.
use actix_web::{get, post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use super::Wanted;
use crate::{
    deals::{
        model::talk::{MeetingView, MessageView, NewMeeting, NewMessage},
        rules::meeting::MeetingAct,
        service::talk,
    },
    kernel::{
        Actor, At, Body, Db, IfMatch, Nothing, Page, Part, Problem, Query, Reply, Result, Window,
        Writer, idempotency::Once, of,
    },
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(post_message)
        .service(list_messages)
        .service(propose_meeting)
        .service(list_meetings)
        .service(agree_meeting)
        .service(cancel_meeting);
}

/// Say something to everybody of the deal.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = NewMessage,
    responses(
        (status = 201, description = "The message", body = MessageView),
        (status = 403, description = "`not_a_member`, `organization_unverified`", body = Problem),
        (status = 409, description = "`illegal_transition`: the deal is closed", body = Problem),
        (status = 413, description = "The body is over 1 MiB", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/messages")]
async fn post_message(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Deal>,
    body: Body<NewMessage>,
) -> Result<Reply> {
    let (name, new) = (actor.name(), body.value);
    body.once
        .write(&db, name, move |tx| {
            let view = talk::say(tx, &actor, id.0, &new)?;
            Reply::created(format!("/deals/{}/messages", id.0), &view)
        })
        .await
}

/// What was said in a deal, newest first.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid), Wanted),
    responses(
        (status = 200, description = "A page, newest first", body = Page<MessageView>),
        (status = 403, description = "`not_a_member`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/deals/{id}/messages")]
async fn list_messages(
    actor: Actor,
    db: Data<Db>,
    id: At<of::Deal>,
    query: Query<Wanted>,
) -> Result<Reply> {
    let window = Window::read(query.0.limit, query.0.cursor.as_deref())?;
    Reply::ok(&db.read(move |conn| talk::messages(conn, &actor, id.0, &window)).await?)
}

/// Propose a meeting.
///
/// A party that proposes agrees to it; it is arranged when both parties have agreed. Times are RFC 3339.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = NewMeeting,
    responses(
        (status = 201, description = "The meeting, `proposed`", body = MeetingView),
        (status = 403, description = "`not_a_member`, `organization_unverified`", body = Problem),
        (status = 409, description = "`illegal_transition`: the deal is closed", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/meetings")]
async fn propose_meeting(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Deal>,
    body: Body<NewMeeting>,
) -> Result<Reply> {
    let (name, new) = (actor.name(), body.value);
    body.once
        .write(&db, name, move |tx| {
            let view = talk::propose_meeting(tx, &actor, id.0, &new)?;
            let at = format!("/deals/{}/meetings", id.0);
            Ok(Reply::created(at, &view)?.with_version(view.version))
        })
        .await
}

/// The meetings of a deal, newest first.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid), Wanted),
    responses(
        (status = 200, description = "A page, newest first", body = Page<MeetingView>),
        (status = 403, description = "`not_a_member`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/deals/{id}/meetings")]
async fn list_meetings(
    actor: Actor,
    db: Data<Db>,
    id: At<of::Deal>,
    query: Query<Wanted>,
) -> Result<Reply> {
    let window = Window::read(query.0.limit, query.0.cursor.as_deref())?;
    Reply::ok(&db.read(move |conn| talk::meetings(conn, &actor, id.0, &window)).await?)
}

/// Agree to a meeting.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid), ("part" = String, Path, format = Uuid)),
    request_body = Nothing,
    responses(
        (status = 200, description = "The meeting", body = MeetingView),
        (status = 403, description = "`not_your_move`, `not_a_member`", body = Problem),
        (status = 409, description = "`illegal_transition`", body = Problem),
        (status = 412, description = "Changed since it was read", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/meetings/{part}/agree")]
async fn agree_meeting(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Deal>,
    meeting: Part<of::Meeting>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    meet(actor, db, (id, meeting), seen, (body.once, MeetingAct::Agree)).await
}

/// Cancel a meeting before it begins.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid), ("part" = String, Path, format = Uuid)),
    request_body = Nothing,
    responses(
        (status = 200, description = "The meeting", body = MeetingView),
        (status = 403, description = "`not_your_move`, `not_a_member`", body = Problem),
        (status = 409, description = "`illegal_transition`", body = Problem),
        (status = 412, description = "Changed since it was read", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/meetings/{part}/cancel")]
async fn cancel_meeting(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Deal>,
    meeting: Part<of::Meeting>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    meet(actor, db, (id, meeting), seen, (body.once, MeetingAct::Cancel)).await
}

async fn meet(
    actor: Writer,
    db: Data<Db>,
    (id, meeting): (At<of::Deal>, Part<of::Meeting>),
    seen: IfMatch,
    (once, act): (Once, MeetingAct),
) -> Result<Reply> {
    once.write(&db, actor.name(), move |tx| {
        let view = talk::meet(tx, &actor, (id.0, meeting.0), seen, act)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}
