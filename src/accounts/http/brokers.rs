//! Broker profiles.
use actix_web::{get, post, web::Data};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    accounts::{
        model::{inputs::BrokerInput, views::BrokerView},
        service::brokers as service,
        store::brokers::Wanted,
    },
    kernel::{
        At, Body, Db, Error, IfMatch, Nothing, Page, Problem, Query, Region, Reply, Result,
        Visitor, Window, Writer, of,
    },
    markets::{model::Field, regions},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(create).service(list).service(one).service(verify);
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
        (status = 201, body = BrokerView, headers(("ETag" = String, description = "The version."))),
        (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, description = "`broker_exists`", body = Problem),
        (status = 413, body = Problem), (status = 422, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/brokers")]
async fn create(actor: Writer, db: Data<Db>, body: Body<BrokerInput>) -> Result<Reply> {
    let Body { value, once } = body;
    let input = value.check()?;
    once.write(&db, actor.name(), move |tx| {
        let view = service::create(tx, &actor, input)?;
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
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// The verified brokers of verified agencies, newest first.
#[utoipa::path(
    tag = "brokers",
    params(BrokerQuery),
    responses(
        (status = 200, body = Page<BrokerView>),
        (status = 401, body = Problem), (status = 422, body = Problem),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/brokers")]
async fn list(visitor: Visitor, db: Data<Db>, query: Query<BrokerQuery>) -> Result<Reply> {
    let BrokerQuery { field, region, limit, cursor } = query.0;
    let window = Window::read(limit, cursor.as_deref())?;
    if let Some(region) = &region {
        regions::check("region", region).map_err(|fault| Error::Invalid(vec![fault]))?;
    }
    let wanted = Wanted { field, region };
    db.read(move |conn| Reply::ok(&service::list(conn, visitor.actor.as_ref(), &wanted, &window)?))
        .await
}

/// One broker.
#[utoipa::path(
    tag = "brokers",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = BrokerView, headers(("ETag" = String, description = "The version."))),
        (status = 401, body = Problem), (status = 404, body = Problem),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/brokers/{id}")]
async fn one(visitor: Visitor, db: Data<Db>, at: At<of::Broker>) -> Result<Reply> {
    db.read(move |conn| shown(&service::get(conn, visitor.actor.as_ref(), at.0)?)).await
}

/// Verify a broker's certificate: an operator of the agency's region.
#[utoipa::path(
    tag = "brokers",
    request_body = Nothing,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = BrokerView, headers(("ETag" = String, description = "The version."))),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem),
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
    body.once
        .write(&db, actor.name(), move |tx| shown(&service::verify(tx, &actor, at.0, seen)?))
        .await
}
