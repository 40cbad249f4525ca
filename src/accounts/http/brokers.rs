//! Broker profiles.
use actix_web::{get, patch, post, web::Data};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    accounts::{
        model::{
            BrokerLevel,
            inputs::{BrokerInput, BrokerPatch, ReasonBody, language},
            views::BrokerView,
        },
        rules::broker::BrokerAct,
        service::brokers as service,
        store::brokers::Wanted,
    },
    kernel::{
        At, Body, Db, Faults, Id, IfMatch, Nothing, Page, Problem, Query, Region, Reply, Result,
        Visitor, Window, Writer, idempotency::Once, of,
    },
    markets::{model::Field, regions},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(create).service(list).service(one).service(edit);
    cfg.service(verify).service(reject).service(suspend);
}

fn shown(view: &BrokerView) -> Result<Reply> {
    Ok(Reply::ok(view)?.with_version(view.version))
}

/// Register as a broker: a member of an agency. An operator verifies the certificate.
#[utoipa::path(
    tag = "brokers",
    request_body = BrokerInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 201, body = BrokerView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, description = "`broker_exists`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/brokers")]
async fn create(actor: Writer, db: Data<Db>, body: Body<BrokerInput>) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        let view = service::create(tx, &actor, value)?;
        Ok(Reply::created(format!("/brokers/{}", view.id), &view)?.with_version(view.version))
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BrokerQuery {
    field: Option<Field>,
    /// A region in which the broker works, or one above it.
    #[param(value_type = Option<String>, example = "210100")]
    region: Option<Region>,
    #[param(inline)]
    level: Option<BrokerLevel>,
    /// A language tag; `zh` finds `zh-CN`, too.
    #[param(max_length = 12, example = "en")]
    language: Option<String>,
    /// Only those who work in the name of this agency.
    #[param(value_type = Option<String>, format = Uuid)]
    organization_id: Option<Id<of::Organization>>,
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// The public directory: verified brokers of verified agencies, newest first. It names no address.
#[utoipa::path(
    tag = "brokers",
    params(BrokerQuery),
    responses(
        (status = 200, body = Page<BrokerView>),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/brokers")]
async fn list(visitor: Visitor, db: Data<Db>, query: Query<BrokerQuery>) -> Result<Reply> {
    let asked = query.0;
    let window = Window::read(asked.limit, asked.cursor.as_deref())?;
    let mut faults = Faults::default();
    if let Some(region) = &asked.region {
        faults.keep(regions::check("region", region));
    }
    if let Some(tag) = &asked.language {
        faults.keep(language("language", tag));
    }
    faults.finish()?;
    let BrokerQuery { field, region, level, language, organization_id: organization, .. } = asked;
    let wanted = Wanted { field, region, level, language, organization };
    db.read(move |conn| Reply::ok(&service::list(conn, visitor.actor.as_ref(), &wanted, &window)?))
        .await
}

/// One broker.
#[utoipa::path(
    tag = "brokers",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = BrokerView, headers(("ETag" = String, description = "The version."))),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/brokers/{id}")]
async fn one(visitor: Visitor, db: Data<Db>, at: At<of::Broker>) -> Result<Reply> {
    db.read(move |conn| shown(&service::get(conn, visitor.actor.as_ref(), at.0)?)).await
}

/// Change one's own profile.
///
/// A field left out stays as it is. A new level or certificate has to be verified anew; fields, regions
/// and languages do not.
#[utoipa::path(
    tag = "brokers",
    request_body = BrokerPatch,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses(
        (status = 200, body = BrokerView, headers(("ETag" = String, description = "The version."))),
        (status = 403, description = "`not_the_broker`", body = Problem), (status = 409, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[patch("/brokers/{id}")]
async fn edit(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Broker>,
    seen: IfMatch,
    body: Body<BrokerPatch>,
) -> Result<Reply> {
    db.write(move |tx| shown(&service::edit(tx, &actor, at.0, body.value, seen)?)).await
}

async fn judged(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Broker>,
    seen: IfMatch,
    (once, act, reason): (Once, BrokerAct, Option<String>),
) -> Result<Reply> {
    once.write(&db, actor.name(), move |tx| {
        shown(&service::judge(tx, &actor, at.0, act, reason, seen)?)
    })
    .await
}

/// Verify a broker's certificate: an operator of the agency's region. It also ends a suspension.
#[utoipa::path(
    tag = "brokers",
    request_body = Nothing,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = BrokerView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, description = "`illegal_transition`, `agency_not_verified`, `not_a_member`, `certificate_expired`, `certificate_in_use`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/brokers/{id}/verify")]
async fn verify(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Broker>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    judged(actor, db, at, seen, (body.once, BrokerAct::Verify, None)).await
}

/// Send a profile back to its broker, with what has to be corrected: an operator.
#[utoipa::path(
    tag = "brokers",
    request_body = ReasonBody,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = BrokerView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/brokers/{id}/reject")]
async fn reject(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Broker>,
    seen: IfMatch,
    body: Body<ReasonBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    judged(actor, db, at, seen, (once, BrokerAct::Reject, Some(value.check()?))).await
}

/// Suspend a broker: an operator. The open cases wait for the agency to hand them over.
#[utoipa::path(
    tag = "brokers",
    request_body = ReasonBody,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = BrokerView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/brokers/{id}/suspend")]
async fn suspend(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Broker>,
    seen: IfMatch,
    body: Body<ReasonBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    judged(actor, db, at, seen, (once, BrokerAct::Suspend, Some(value.check()?))).await
}
