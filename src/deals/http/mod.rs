//! Match requests and deals over HTTP: parse, call the service, render. No decisions here. What
//! happens within a deal is in the files beside.
mod documents;
mod engagements;
mod feedback;
mod intents;
mod introductions;
mod talk;

use actix_web::{get, post, web::Data};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    model::{
        CloseDeal, DealState, DealView, Decline, MatchRequestView, NewMatchRequest, RequestBox,
        RequestState,
    },
    service::{self, Answer},
};
use crate::kernel::{
    Actor, At, Body, Config, Db, IfMatch, Nothing, Page, Problem, Query, Reply, Result, Window,
    Writer, idempotency::Once, of,
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(ask)
        .service(list_requests)
        .service(show_request)
        .service(accept)
        .service(decline)
        .service(withdraw)
        .service(list_deals)
        .service(show_deal)
        .service(close);
    engagements::routes(cfg);
    talk::routes(cfg);
    documents::routes(cfg);
    intents::routes(cfg);
    introductions::routes(cfg);
    feedback::routes(cfg);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// At most this many.
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Ask the owner of another listing to talk.
///
/// Either owner asks the other; a verified broker asks both. `respond_by` is 14 days away, or as the
/// market's settings say.
#[utoipa::path(
    tag = "deals",
    request_body = NewMatchRequest,
    responses(
        (status = 201, description = "The request, `requested`", body = MatchRequestView),
        (status = 403, description = "`not_an_owner`, `organization_unverified`", body = Problem),
        (status = 404, description = "No such listing for this caller", body = Problem),
        (status = 409, description = "`already_requested`, `deal_open`, `listing_not_published`", body = Problem),
        (status = 422, description = "A faulty body, or both listings are of one organization", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/match-requests")]
async fn ask(
    actor: Writer,
    db: Data<Db>,
    config: Data<Config>,
    body: Body<NewMatchRequest>,
) -> Result<Reply> {
    let (name, new, days) = (actor.name(), body.value, config.request_days);
    body.once
        .write(&db, name, move |tx| {
            let view = service::request(tx, &actor, days, &new)?;
            let at = format!("/match-requests/{}", view.id);
            Ok(Reply::created(at, &view)?.with_version(view.version))
        })
        .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RequestList {
    /// `sent` by the caller's side, `received` by it, or `all` that the caller may see (default).
    #[serde(rename = "box")]
    #[param(inline)]
    which: Option<RequestBox>,
    #[param(inline)]
    state: Option<RequestState>,
    /// At most this many.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The match requests that the caller may see, newest first.
#[utoipa::path(
    tag = "deals",
    params(RequestList),
    responses(
        (status = 200, description = "A page of requests", body = Page<MatchRequestView>),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/match-requests")]
async fn list_requests(actor: Actor, db: Data<Db>, query: Query<RequestList>) -> Result<Reply> {
    let Query(wanted) = query;
    let window = Window::read(wanted.limit, wanted.cursor.as_deref())?;
    let which = wanted.which.unwrap_or(RequestBox::All);
    let page = db
        .read(move |conn| service::list_requests(conn, &actor, which, wanted.state, &window))
        .await?;
    Reply::ok(&page)
}

/// One match request.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, description = "The request", body = MatchRequestView),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/match-requests/{id}")]
async fn show_request(actor: Actor, db: Data<Db>, id: At<of::MatchRequest>) -> Result<Reply> {
    let view = db.read(move |conn| service::show_request(conn, &actor, id.0)).await?;
    Ok(Reply::ok(&view)?.with_version(view.version))
}

/// Agree to a match request.
///
/// The last consent that was missing opens the deal, named in `deal_id`. A broker's request stays
/// `requested` until both owners have agreed.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = Nothing,
    responses(
        (status = 200, description = "The request", body = MatchRequestView),
        (status = 403, description = "`not_your_move`, `organization_unverified`", body = Problem),
        (status = 409, description = "`illegal_transition`, `listing_not_published`, `deal_open`", body = Problem),
        (status = 412, description = "Changed since it was read", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/match-requests/{id}/accept")]
async fn accept(
    actor: Writer,
    db: Data<Db>,
    id: At<of::MatchRequest>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    answer(actor, db, id, seen, (body.once, Answer::Accept)).await
}

/// Decline a match request, and say why.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = Decline,
    responses(
        (status = 200, description = "The request", body = MatchRequestView),
        (status = 403, description = "`not_your_move`", body = Problem),
        (status = 409, description = "`illegal_transition`", body = Problem),
        (status = 412, description = "Changed since it was read", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/match-requests/{id}/decline")]
async fn decline(
    actor: Writer,
    db: Data<Db>,
    id: At<of::MatchRequest>,
    seen: IfMatch,
    body: Body<Decline>,
) -> Result<Reply> {
    let Decline { reason, comment } = body.value;
    answer(actor, db, id, seen, (body.once, Answer::Decline { reason, comment })).await
}

/// Take a match request back before it is answered.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = Nothing,
    responses(
        (status = 200, description = "The request", body = MatchRequestView),
        (status = 403, description = "`not_your_move`", body = Problem),
        (status = 409, description = "`illegal_transition`", body = Problem),
        (status = 412, description = "Changed since it was read", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/match-requests/{id}/withdraw")]
async fn withdraw(
    actor: Writer,
    db: Data<Db>,
    id: At<of::MatchRequest>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    answer(actor, db, id, seen, (body.once, Answer::Withdraw)).await
}

async fn answer(
    actor: Writer,
    db: Data<Db>,
    id: At<of::MatchRequest>,
    seen: IfMatch,
    (once, answer): (Once, Answer),
) -> Result<Reply> {
    once.write(&db, actor.name(), move |tx| {
        let view = service::answer(tx, &actor, id.0, seen, answer)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DealList {
    #[param(inline)]
    state: Option<DealState>,
    /// At most this many.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The deals that the caller may see, newest first.
#[utoipa::path(
    tag = "deals",
    params(DealList),
    responses(
        (status = 200, description = "A page of deals", body = Page<DealView>),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/deals")]
async fn list_deals(actor: Actor, db: Data<Db>, query: Query<DealList>) -> Result<Reply> {
    let Query(wanted) = query;
    let window = Window::read(wanted.limit, wanted.cursor.as_deref())?;
    let page =
        db.read(move |conn| service::list_deals(conn, &actor, wanted.state, &window)).await?;
    Reply::ok(&page)
}

/// One deal.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, description = "The deal", body = DealView),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/deals/{id}")]
async fn show_deal(actor: Actor, db: Data<Db>, id: At<of::Deal>) -> Result<Reply> {
    let view = db.read(move |conn| service::show_deal(conn, &actor, id.0)).await?;
    Ok(Reply::ok(&view)?.with_version(view.version))
}

/// End a deal that has no contract under way.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = CloseDeal,
    responses(
        (status = 200, description = "The deal, `closed`", body = DealView),
        (status = 403, description = "`not_your_move`", body = Problem),
        (status = 409, description = "`illegal_transition`", body = Problem),
        (status = 412, description = "Changed since it was read", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/close")]
async fn close(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Deal>,
    seen: IfMatch,
    body: Body<CloseDeal>,
) -> Result<Reply> {
    let (name, why) = (actor.name(), body.value);
    body.once
        .write(&db, name, move |tx| {
            let view = service::close(tx, &actor, id.0, seen, &why)?;
            Ok(Reply::ok(&view)?.with_version(view.version))
        })
        .await
}
