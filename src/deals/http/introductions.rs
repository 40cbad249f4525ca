//! Introductions over HTTP.
use actix_web::{get, post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use super::Wanted;
use crate::{
    deals::{
        model::introduction::{IntroductionView, NewIntroduction},
        service::introductions,
    },
    kernel::{
        Actor, At, Body, Db, Nothing, Page, Problem, Query, Reply, Result, Window, Writer, of,
    },
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(record_introduction)
        .service(list_introductions)
        .service(show_introduction)
        .service(accept_introduction)
        .service(list_introductions_of_deal);
}

/// Record that a listing was shown to an organization.
///
/// A broker records it; the record never changes, and its digest is in the journal. The organization
/// is asked to confirm it.
#[utoipa::path(
    tag = "deals",
    request_body = NewIntroduction,
    responses(
        (status = 201, description = "The record", body = IntroductionView),
        (status = 403, description = "`not_a_broker`", body = Problem),
        (status = 404, description = "No such listing for this caller", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/introductions")]
async fn record_introduction(
    actor: Writer,
    db: Data<Db>,
    body: Body<NewIntroduction>,
) -> Result<Reply> {
    let (name, new) = (actor.name(), body.value);
    body.once
        .write(&db, name, move |tx| {
            let view = introductions::show(tx, &actor, &new)?;
            Reply::created(format!("/introductions/{}", view.id), &view)
        })
        .await
}

/// The introductions that concern the caller, newest first.
#[utoipa::path(
    tag = "deals",
    params(Wanted),
    responses(
        (status = 200, description = "A page, newest first", body = Page<IntroductionView>),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/introductions")]
async fn list_introductions(actor: Actor, db: Data<Db>, query: Query<Wanted>) -> Result<Reply> {
    let window = Window::read(query.0.limit, query.0.cursor.as_deref())?;
    Reply::ok(&db.read(move |conn| introductions::list(conn, &actor, None, &window)).await?)
}

/// One introduction.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, description = "The record", body = IntroductionView),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/introductions/{id}")]
async fn show_introduction(actor: Actor, db: Data<Db>, id: At<of::Introduction>) -> Result<Reply> {
    Reply::ok(&db.read(move |conn| introductions::get(conn, &actor, id.0)).await?)
}

/// Confirm an introduction: the listing was shown to the caller's organization by this broker.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = Nothing,
    responses(
        (status = 200, description = "The record, confirmed", body = IntroductionView),
        (status = 403, description = "`not_your_move`, `organization_unverified`", body = Problem),
        (status = 409, description = "`already_accepted`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/introductions/{id}/accept")]
async fn accept_introduction(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Introduction>,
    body: Body<Nothing>,
) -> Result<Reply> {
    let name = actor.name();
    body.once.write(&db, name, move |tx| Reply::ok(&introductions::accept(tx, &actor, id.0)?)).await
}

/// The introductions that led to a deal, newest first.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid), Wanted),
    responses(
        (status = 200, description = "A page, newest first", body = Page<IntroductionView>),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/deals/{id}/introductions")]
async fn list_introductions_of_deal(
    actor: Actor,
    db: Data<Db>,
    id: At<of::Deal>,
    query: Query<Wanted>,
) -> Result<Reply> {
    let window = Window::read(query.0.limit, query.0.cursor.as_deref())?;
    Reply::ok(&db.read(move |conn| introductions::list(conn, &actor, Some(id.0), &window)).await?)
}
