//! Contracts over HTTP: parse, call the service, render. No decisions here.
mod acts;
mod dossier;
mod national;
mod public;

use actix_web::{delete, get, patch, post, web::Data};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    draft::{ContractBody, ContractPatch, DealContractBody},
    model::ContractView,
    rules::{ContractState, Scope},
    service,
};
use crate::kernel::{
    Actor, At, Body, Code, Db, Error, IfMatch, Page, Problem, Query, Reply, Result, Window, Writer,
    of,
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    // before `/contracts/{id}`
    national::routes(cfg);
    cfg.service(create)
        .service(list)
        .service(show)
        .service(edit)
        .service(remove)
        .service(create_of_deal);
    acts::routes(cfg);
    dossier::routes(cfg);
    public::routes(cfg);
}

/// Draw up a technology contract.
///
/// The caller belongs to the seller, or for an intermediary contract to the intermediary. The server
/// computes `total_fen` and `tech_fen` and says how in `amount_basis`.
#[utoipa::path(
    tag = "contracts",
    request_body = ContractBody,
    responses(
        (status = 201, description = "The draft.", body = ContractView),
        (status = 403, description = "Not a member of the filer.", body = Problem),
        (status = 409, description = "The deal has a contract already or is closed.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts")]
async fn create(db: Data<Db>, actor: Writer, body: Body<ContractBody>) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| created(service::draft(tx, &actor, value)?)).await
}

/// Draw up the contract of a deal.
///
/// What the body leaves out is taken from the deal, its listings and its broker; what it gives wins.
#[utoipa::path(
    tag = "contracts",
    params(("id" = String, Path, description = "The deal.")),
    request_body = DealContractBody,
    responses(
        (status = 201, description = "The draft.", body = ContractView),
        (status = 403, description = "Not a member of the deal's seller.", body = Problem),
        (status = 409, description = "The deal has a contract already or is closed.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/contract")]
async fn create_of_deal(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Deal>,
    body: Body<DealContractBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        created(service::draft_of_deal(tx, &actor, id.0, value)?)
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Only contracts in this state.
    #[param(value_type = Option<ContractState>)]
    state: Option<String>,
    /// Only those that concern the caller's organizations, as a party or as the registrar.
    mine: Option<bool>,
    /// At most so many items: 1 to 100.
    #[param(default = 20, minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List the contracts that the caller may see, newest first.
#[utoipa::path(
    tag = "contracts",
    params(ListQuery),
    responses(
        (status = 200, description = "One page.", body = Page<ContractView>),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/contracts")]
async fn list(db: Data<Db>, actor: Actor, query: Query<ListQuery>) -> Result<Reply> {
    let ListQuery { state, mine, limit, cursor } = query.0;
    let window = Window::read(limit, cursor.as_deref())?;
    let state = state
        .map(|slug| {
            ContractState::from_slug(&slug)
                .ok_or_else(|| Error::invalid("state", "not_in_list", "没有这个合同状态。"))
        })
        .transpose()?;
    let page = db
        .read(move |conn| {
            let own = mine == Some(true);
            let scope = if own { Scope::own(&actor) } else { Scope::of(&actor) };
            service::list(conn, &actor, &scope, state, &window)
        })
        .await?;
    Reply::ok(&page)
}

/// Read a contract.
///
/// Its parties see all of it; to everyone else the lines are sealed (`GET /contracts/{id}/text`).
#[utoipa::path(
    tag = "contracts",
    params(("id" = String, Path, description = "The contract.")),
    responses(
        (status = 200, description = "The contract; its version is the ETag.", body = ContractView),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/contracts/{id}")]
async fn show(db: Data<Db>, actor: Actor, id: At<of::Contract>) -> Result<Reply> {
    shown(db.read(move |conn| service::view(conn, &actor, id.0)).await?)
}

/// Change a draft.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    request_body = ContractPatch,
    responses(
        (status = 200, description = "The draft as it is now.", body = ContractView),
        (status = 403, description = "Not a member of the filer.", body = Problem),
        (status = 409, description = "No draft any more.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[patch("/contracts/{id}")]
async fn edit(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    seen: IfMatch,
    body: Body<ContractPatch>,
) -> Result<Reply> {
    let patch = body.value;
    shown(db.write(move |tx| service::edit(tx, &actor, id.0, seen, patch)).await?)
}

/// Delete a draft.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
    ),
    responses(
        (status = 204, description = "Gone."),
        (status = 403, description = "Not a member of the filer.", body = Problem),
        (status = 409, description = "No draft any more.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[delete("/contracts/{id}")]
async fn remove(db: Data<Db>, actor: Writer, id: At<of::Contract>, seen: IfMatch) -> Result<Reply> {
    db.write(move |tx| service::delete(tx, &actor, id.0, seen)).await?;
    Ok(Reply::no_content())
}

fn created(view: ContractView) -> Result<Reply> {
    Ok(Reply::created(format!("/contracts/{}", view.id), &view)?.with_version(view.version))
}

fn shown(view: ContractView) -> Result<Reply> {
    Ok(Reply::ok(&view)?.with_version(view.version))
}
