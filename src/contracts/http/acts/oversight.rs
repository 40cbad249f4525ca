//! What the authority above the registrar does with a contract.
use actix_web::{post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use super::advance;
use crate::{
    contracts::model::{ContractView, DecisionBody, Doing, RevokeBody},
    kernel::{At, Body, Db, IfMatch, Problem, Reply, Result, Writer, of},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(revoke).service(uphold).service(reexamine).service(reinstate);
}

/// Take a registration back (the authority, or the registrar where the rule set says so).
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = RevokeBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/revoke")]
async fn revoke(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<RevokeBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    advance(&db, once, actor, id.0, seen, Doing::Revoke(value)).await
}

/// Uphold what was objected to (the authority).
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = DecisionBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/uphold")]
async fn uphold(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<DecisionBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    advance(&db, once, actor, id.0, seen, Doing::Uphold(value)).await
}

/// Have a refused contract examined again (the authority).
///
/// It is accepted anew, and the time limit begins again.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = DecisionBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state, or the same contract is live already.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/reexamine")]
async fn reexamine(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<DecisionBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    advance(&db, once, actor, id.0, seen, Doing::Reexamine(value)).await
}

/// Reinstate a revoked registration (the authority).
///
/// Number and day stay; the figures get it back.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = DecisionBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/reinstate")]
async fn reinstate(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<DecisionBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    advance(&db, once, actor, id.0, seen, Doing::Reinstate(value)).await
}
