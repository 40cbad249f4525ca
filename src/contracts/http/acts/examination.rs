//! What the clerks of the registrar do with a contract.
use actix_web::{post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use super::advance;
use crate::{
    contracts::model::{
        AcceptBody, ContractView, Doing, OpinionBody, ReferBody, RefuseBody, RejectBody,
        SupplementBody,
    },
    kernel::{At, Body, Db, IfMatch, Nothing, Problem, Reply, Result, Writer, of},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(accept)
        .service(reject)
        .service(request_supplement)
        .service(review)
        .service(refer_to_experts)
        .service(expert_opinion)
        .service(register)
        .service(refuse);
}

/// Accept a contract for examination (a clerk of its registrar).
///
/// The rule set in force on the day of acceptance decides, unless another one is named with a reason.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = AcceptBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/accept")]
async fn accept(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<AcceptBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    advance(&db, once, actor, id.0, seen, Doing::Accept(value)).await
}

/// Reject a contract at the intake (a clerk of its registrar).
///
/// For what cannot be examined at all: the wrong registrar, not in writing, outside its validity, filed twice.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = RejectBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/reject")]
async fn reject(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<RejectBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    advance(&db, once, actor, id.0, seen, Doing::Reject(value)).await
}

/// Ask the filer for what is missing (a clerk of its registrar).
///
/// The time limit stops. The filer changes the contract and submits it again.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = SupplementBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/request-supplement")]
async fn request_supplement(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<SupplementBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    advance(&db, once, actor, id.0, seen, Doing::RequestSupplement(value)).await
}

/// Take a contract or its change under review: the clerk becomes its examiner.
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
#[post("/contracts/{id}/review")]
async fn review(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    advance(&db, body.once, actor, id.0, seen, Doing::Review).await
}

/// Refer a large or disputed contract to experts (its examiner).
///
/// The longer time limit holds from then on. A contract below the threshold needs a reason.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = ReferBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/refer-to-experts")]
async fn refer_to_experts(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<ReferBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    advance(&db, once, actor, id.0, seen, Doing::ReferToExperts(value)).await
}

/// Record what the experts say (a clerk of its registrar).
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = OpinionBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/expert-opinion")]
async fn expert_opinion(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<OpinionBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    advance(&db, once, actor, id.0, seen, Doing::ExpertOpinion(value)).await
}

/// Register a contract or its change; another clerk than its examiner.
///
/// Gives the 16-digit registration number and the day that counts for statistics. A change makes a new version
/// and moves the figures by the difference.
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
        (status = 409, description = "Not in this state, not examined, or experts must be heard first.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/register")]
async fn register(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    advance(&db, body.once, actor, id.0, seen, Doing::Register).await
}

/// Refuse the registration of a contract or of its change (a clerk of its registrar).
///
/// A refused change leaves what was registered as it was.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = RefuseBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not this caller's step.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/refuse")]
async fn refuse(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<RefuseBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    advance(&db, once, actor, id.0, seen, Doing::Refuse(value)).await
}
