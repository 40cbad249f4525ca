//! Intents over HTTP.
use actix_web::{get, post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use super::Wanted;
use crate::{
    deals::{
        model::intent::{ConfirmIntent, IntentView, NewIntent},
        service::intents::{self, Answer},
    },
    kernel::{
        Actor, At, Body, Config, Db, IfMatch, Nothing, Page, Problem, Query, Reply, Result, Window,
        Writer, idempotency::Once, of,
    },
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(propose_intent)
        .service(list_intents)
        .service(confirm_intent)
        .service(withdraw_intent);
}

/// Write down what both parties mean to agree on.
///
/// A party that writes confirms with it. A new text takes the place of an open one, whose
/// confirmations count no more.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = NewIntent,
    responses(
        (status = 201, description = "The intent, `proposed`", body = IntentView),
        (status = 403, description = "`not_a_member`, `organization_unverified`", body = Problem),
        (status = 409, description = "`illegal_transition`, `same_text`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/intent")]
async fn propose_intent(
    actor: Writer,
    db: Data<Db>,
    config: Data<Config>,
    id: At<of::Deal>,
    body: Body<NewIntent>,
) -> Result<Reply> {
    let (name, new, days) = (actor.name(), body.value, config.intent_days);
    body.once
        .write(&db, name, move |tx| {
            let view = intents::propose(tx, &actor, days, id.0, &new)?;
            let at = format!("/deals/{}/intents", id.0);
            Ok(Reply::created(at, &view)?.with_version(view.version))
        })
        .await
}

/// The intents of a deal with what became of them, newest first.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid), Wanted),
    responses(
        (status = 200, description = "A page, newest first", body = Page<IntentView>),
        (status = 403, description = "`not_a_member`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/deals/{id}/intents")]
async fn list_intents(
    actor: Actor,
    db: Data<Db>,
    id: At<of::Deal>,
    query: Query<Wanted>,
) -> Result<Reply> {
    let window = Window::read(query.0.limit, query.0.cursor.as_deref())?;
    Reply::ok(&db.read(move |conn| intents::list(conn, &actor, id.0, &window)).await?)
}

/// Confirm the text of the open intent, named by its digest.
///
/// When both parties have confirmed the same digest, the deal is `intent_signed`.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = ConfirmIntent,
    responses(
        (status = 200, description = "The intent", body = IntentView),
        (status = 403, description = "`not_your_move`, `organization_unverified`", body = Problem),
        (status = 409, description = "`digest_mismatch`, `illegal_transition`, `no_intent`", body = Problem),
        (status = 412, description = "Changed since it was read", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/intent/confirm")]
async fn confirm_intent(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Deal>,
    seen: IfMatch,
    body: Body<ConfirmIntent>,
) -> Result<Reply> {
    answer(actor, db, id, seen, (body.once, Answer::Confirm(body.value.digest))).await
}

/// Take the open intent back.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = Nothing,
    responses(
        (status = 200, description = "The intent, `withdrawn`", body = IntentView),
        (status = 403, description = "`not_your_move`", body = Problem),
        (status = 409, description = "`illegal_transition`, `no_intent`", body = Problem),
        (status = 412, description = "Changed since it was read", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/intent/withdraw")]
async fn withdraw_intent(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Deal>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    answer(actor, db, id, seen, (body.once, Answer::Withdraw)).await
}

async fn answer(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Deal>,
    seen: IfMatch,
    (once, answer): (Once, Answer),
) -> Result<Reply> {
    once.write(&db, actor.name(), move |tx| {
        let view = intents::answer(tx, &actor, id.0, seen, &answer)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}
