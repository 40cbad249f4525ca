//! Diagnoses over HTTP.
use actix_web::{get, post, web::Data};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    model::{
        Acceptance, DiagnoseBody, DiagnosisLine, DiagnosisReport, DiagnosisView, NewDiagnosis,
        NewProposal,
    },
    rules::Act,
    service,
};
use crate::kernel::{
    Actor, After, At, Body, Config, Db, IfMatch, Nothing, Page, Problem, Query, Reply, Result, Tx,
    Window, Writer, idempotency::Once, of,
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(diagnose).service(report).service(request).service(of_demand);
    cfg.service(list).service(one).service(take).service(decline).service(withdraw);
    cfg.service(propose).service(accept).service(reject).service(clear).service(submit);
    cfg.service(end);
}

/// Diagnose a demand that is not saved yet.
///
/// Tells of the five elements, figures, budget and deadline which are there, with the words they rest
/// on, and for the rest an example of the same field and what telling it was worth to matching.
#[utoipa::path(
    tag = "diagnosis",
    request_body = DiagnoseBody,
    responses(
        (status = 200, body = DiagnosisReport),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/demands/diagnose")]
async fn diagnose(_actor: Actor, db: Data<Db>, body: Body<DiagnoseBody>) -> Result<Reply> {
    let body = body.value;
    db.read(move |conn| Reply::ok(&service::report_on_text(conn, &body)?)).await
}

/// Diagnose a demand: for its owner, overseers, and brokers it names or who work on it.
///
/// Advice: nothing of it stands in the way of a submission.
#[utoipa::path(
    tag = "diagnosis",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = DiagnosisReport), (status = 403, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/demands/{id}/diagnosis")]
async fn report(actor: Actor, db: Data<Db>, at: At<of::Demand>) -> Result<Reply> {
    db.read(move |conn| Reply::ok(&service::report(conn, &actor, at.0)?)).await
}

/// Ask a broker to work on a demand: its owner; or offer to: a verified broker who may see it.
///
/// The other side answers within 14 days.
#[utoipa::path(
    tag = "diagnosis",
    request_body = NewDiagnosis,
    params(
        ("id" = String, Path, format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 201, body = DiagnosisView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/demands/{id}/diagnoses")]
async fn request(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Demand>,
    body: Body<NewDiagnosis>,
) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        let view = service::request(tx, &actor, at.0, value)?;
        let version = view.version;
        Ok(Reply::created(format!("/diagnoses/{}", view.id), &view)?.with_version(version))
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DiagnosesQuery {
    /// How many, 20 by default.
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

impl DiagnosesQuery {
    fn window(&self) -> Result<Window<After<of::Diagnosis>>> {
        Window::read(self.limit, self.cursor.as_deref())
    }
}

/// All diagnoses of one demand, newest first: for its owner and overseers.
#[utoipa::path(
    tag = "diagnosis",
    params(("id" = String, Path, format = Uuid), DiagnosesQuery),
    responses(
        (status = 200, body = Page<DiagnosisLine>), (status = 403, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/demands/{id}/diagnoses")]
async fn of_demand(
    actor: Actor,
    db: Data<Db>,
    at: At<of::Demand>,
    query: Query<DiagnosesQuery>,
) -> Result<Reply> {
    let window = query.0.window()?;
    db.read(move |conn| Reply::ok(&service::list(conn, &actor, Some(at.0), &window)?)).await
}

/// The caller's diagnoses, as an owner or as a broker, newest first.
#[utoipa::path(
    tag = "diagnosis",
    params(DiagnosesQuery),
    responses(
        (status = 200, body = Page<DiagnosisLine>),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/diagnoses")]
async fn list(actor: Actor, db: Data<Db>, query: Query<DiagnosesQuery>) -> Result<Reply> {
    let window = query.0.window()?;
    db.read(move |conn| Reply::ok(&service::list(conn, &actor, None, &window)?)).await
}

/// One diagnosis with every version the broker has proposed: for the owner, the broker and overseers.
#[utoipa::path(
    tag = "diagnosis",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = DiagnosisView, headers(("ETag" = String, description = "The version."))),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/diagnoses/{id}")]
async fn one(actor: Actor, db: Data<Db>, at: At<of::Diagnosis>) -> Result<Reply> {
    db.read(move |conn| {
        let view = service::get(conn, &actor, at.0)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

/// One step of a diagnosis, done once.
async fn step<F>(actor: Writer, db: Data<Db>, once: Once, work: F) -> Result<Reply>
where
    F: FnOnce(&mut Tx<'_>, &Actor) -> Result<DiagnosisView> + Send + 'static,
{
    once.write(&db, actor.name(), move |tx| {
        let view = work(tx, &actor)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

/// Take it on: whoever was asked.
///
/// From then on the broker may open the demand, also as a draft.
#[utoipa::path(
    tag = "diagnosis",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DiagnosisView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/diagnoses/{id}/take")]
async fn take(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Diagnosis>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    step(actor, db, body.once, move |tx, actor| service::advance(tx, actor, at.0, seen, Act::Take))
        .await
}

/// Decline it: whoever was asked.
#[utoipa::path(
    tag = "diagnosis",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DiagnosisView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/diagnoses/{id}/decline")]
async fn decline(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Diagnosis>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    step(actor, db, body.once, move |tx, actor| {
        service::advance(tx, actor, at.0, seen, Act::Decline)
    })
    .await
}

/// Take the request back: whoever asked.
#[utoipa::path(
    tag = "diagnosis",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DiagnosisView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/diagnoses/{id}/withdraw")]
async fn withdraw(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Diagnosis>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    step(actor, db, body.once, move |tx, actor| {
        service::advance(tx, actor, at.0, seen, Act::Withdraw)
    })
    .await
}

/// Propose a version: the broker.
///
/// It is kept beside the owner's, with the differences field by field; a newer one takes the place of
/// one that waits.
#[utoipa::path(
    tag = "diagnosis",
    request_body = NewProposal,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DiagnosisView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/diagnoses/{id}/propose")]
async fn propose(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Diagnosis>,
    seen: IfMatch,
    body: Body<NewProposal>,
) -> Result<Reply> {
    let Body { value, once } = body;
    step(actor, db, once, move |tx, actor| service::propose(tx, actor, at.0, seen, value)).await
}

/// Take over all or some fields of the broker's version: the owner.
///
/// With `may_submit` the broker may then send the demand on as it stands.
#[utoipa::path(
    tag = "diagnosis",
    request_body = Acceptance,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DiagnosisView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/diagnoses/{id}/accept")]
async fn accept(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Diagnosis>,
    seen: IfMatch,
    body: Body<Acceptance>,
) -> Result<Reply> {
    let Body { value, once } = body;
    step(actor, db, once, move |tx, actor| service::accept(tx, actor, at.0, seen, value)).await
}

/// Keep the own version: the owner. The broker's stays on record.
#[utoipa::path(
    tag = "diagnosis",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DiagnosisView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/diagnoses/{id}/reject")]
async fn reject(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Diagnosis>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    step(actor, db, body.once, move |tx, actor| service::reject(tx, actor, at.0, seen)).await
}

/// Allow the broker to send the demand on as it stands: the owner.
#[utoipa::path(
    tag = "diagnosis",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DiagnosisView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/diagnoses/{id}/clear")]
async fn clear(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Diagnosis>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    step(actor, db, body.once, move |tx, actor| service::advance(tx, actor, at.0, seen, Act::Clear))
        .await
}

/// Submit the demand with the owner's yes: the broker.
///
/// Refused when the demand has changed since the owner said so.
#[utoipa::path(
    tag = "diagnosis",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DiagnosisView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/diagnoses/{id}/submit")]
async fn submit(
    actor: Writer,
    db: Data<Db>,
    config: Data<Config>,
    at: At<of::Diagnosis>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    let trusted = config.trusted_listings;
    step(actor, db, body.once, move |tx, actor| service::submit(tx, actor, at.0, seen, trusted))
        .await
}

/// End the work: either side.
#[utoipa::path(
    tag = "diagnosis",
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = DiagnosisView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/diagnoses/{id}/end")]
async fn end(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Diagnosis>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    step(actor, db, body.once, move |tx, actor| service::advance(tx, actor, at.0, seen, Act::End))
        .await
}
