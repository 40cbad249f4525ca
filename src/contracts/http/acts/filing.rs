//! What whoever files a contract does with it.
use actix_web::{post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use super::advance;
use crate::{
    contracts::model::{CancelBody, ChangeBody, ContractView, Doing, ObjectBody},
    kernel::{At, Body, Db, IfMatch, Nothing, Problem, Reply, Result, Writer, of},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(submit).service(withdraw).service(change).service(cancel).service(object);
}

/// Hand a draft in for registration.
///
/// Possible from the day it takes effect to the end of its validity (Asia/Shanghai), by a verified
/// organization. Runs the check of `GET /contracts/{id}/precheck`: errors stop it. A supplement is handed
/// in the same way, and its day becomes the day of acceptance.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = Nothing,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state, outside the validity, or the same contract is live already.", body = Problem),
        (status = 422, description = "Faults in the body or in the draft.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/submit")]
async fn submit(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    advance(&db, body.once, actor, id.0, seen, Doing::Submit).await
}

/// Withdraw what is not decided yet: a contract, a change or an objection (the filer).
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = Nothing,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/withdraw")]
async fn withdraw(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    advance(&db, body.once, actor, id.0, seen, Doing::Withdraw).await
}

/// Apply for a change of a registered contract (the filer).
///
/// Two clerks verify the amounts anew. Until then what was registered holds.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = ChangeBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/change")]
async fn change(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<ChangeBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    advance(&db, once, actor, id.0, seen, Doing::Change(Box::new(value))).await
}

/// Give a registration up (the filer): the contract was dissolved, is void or was rescinded.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = CancelBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/cancel")]
async fn cancel(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<CancelBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    advance(&db, once, actor, id.0, seen, Doing::Cancel(value)).await
}

/// Object to a refusal, a registration or a revocation.
///
/// The filer; to a registration also the authority. Decided by `uphold`, `reexamine`, `reinstate` or `revoke`.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = ObjectBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/object")]
async fn object(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<ObjectBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    advance(&db, once, actor, id.0, seen, Doing::Object(value)).await
}
