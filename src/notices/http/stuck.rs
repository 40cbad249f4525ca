//! What is stuck, for operators.
use actix_web::{get, post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    kernel::{Actor, At, Body, Db, Nothing, Problem, Reply, Result, Writer},
    notices::{
        model::{Delivery, Mail, Stuck},
        service::inbox as service,
    },
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(stuck).service(requeue_mail).service(requeue_delivery);
}

/// Mails and deliveries that no further try will deliver: operators and auditors.
#[utoipa::path(
    tag = "operations",
    responses(
        (status = 200, body = Stuck),
        (status = 403, description = "`not_an_operator`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[get("/operations/stuck")]
async fn stuck(actor: Actor, db: Data<Db>) -> Result<Reply> {
    db.read(move |conn| Reply::ok(&service::stuck(conn, &actor)?)).await
}

/// Try a stuck mail again, with all its tries: an operator.
#[utoipa::path(
    tag = "operations",
    params(("id" = String, Path, format = Uuid)),
    request_body = Nothing,
    responses(
        (status = 204),
        (status = 403, description = "`not_an_operator`", body = Problem),
        (status = 404, description = "no such mail is stuck", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/operations/stuck/mails/{id}/requeue")]
async fn requeue_mail(
    actor: Writer,
    db: Data<Db>,
    at: At<Mail>,
    body: Body<Nothing>,
) -> Result<Reply> {
    body.once
        .write(&db, actor.name(), move |tx| {
            service::requeue_mail(tx, &actor, at.0)?;
            Ok(Reply::no_content())
        })
        .await
}

/// Try a stuck delivery again, with all its tries: an operator.
///
/// A webhook that is disabled is sent nothing before its organization enables it.
#[utoipa::path(
    tag = "operations",
    params(("id" = String, Path, format = Uuid)),
    request_body = Nothing,
    responses(
        (status = 204),
        (status = 403, description = "`not_an_operator`", body = Problem),
        (status = 404, description = "no such delivery is stuck", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/operations/stuck/deliveries/{id}/requeue")]
async fn requeue_delivery(
    actor: Writer,
    db: Data<Db>,
    at: At<Delivery>,
    body: Body<Nothing>,
) -> Result<Reply> {
    body.once
        .write(&db, actor.name(), move |tx| {
            service::requeue_delivery(tx, &actor, at.0)?;
            Ok(Reply::no_content())
        })
        .await
}
