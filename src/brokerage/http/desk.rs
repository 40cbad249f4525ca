//! The broker's desk, hand-over, proposals, figures.
use actix_web::{get, patch, post, web::Data};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    accounts::model::views::BrokerView,
    brokerage::{
        model::{
            inputs::{BrokerTransfer, CaseloadPatch, HandOver},
            views::{CaseloadView, DeskView, FiguresView, HandOverView, ProposalsView},
        },
        service::{self, desk::Whose},
    },
    kernel::{Actor, At, Body, Config, Db, Id, IfMatch, Problem, Query, Reply, Result, Writer, of},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(desk).service(limits).service(set_limits);
    cfg.service(proposals).service(hand_over).service(transfer).service(broker_figures);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeskQuery {
    /// A colleague's desk; one's own without it.
    #[param(value_type = Option<String>, format = Uuid)]
    broker_id: Option<Id<of::Broker>>,
    /// The open cases of a whole agency.
    #[param(value_type = Option<String>, format = Uuid)]
    organization_id: Option<Id<of::Organization>>,
}

/// The open cases in the order in which they are worth an hour, each with the parts of its value.
///
/// Expected value is the commission times the share times the odds of a contract for cases of this kind
/// in this market; the longer nobody has acted, the more a case weighs.
#[utoipa::path(
    tag = "brokerage",
    params(DeskQuery),
    responses(
        (status = 200, body = DeskView),
        (status = 403, description = "`not_a_broker`, `not_member`", body = Problem),
        (status = 404, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/brokerage/desk")]
async fn desk(actor: Actor, db: Data<Db>, query: Query<DeskQuery>) -> Result<Reply> {
    let whose = Whose { broker: query.0.broker_id, organization: query.0.organization_id };
    db.read(move |conn| Reply::ok(&service::desk::show(conn, &actor, &whose)?)).await
}

/// How many open cases a broker of each level may have.
#[utoipa::path(
    tag = "brokerage",
    responses((status = 200, body = CaseloadView),),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/brokerage/limits")]
async fn limits(_actor: Actor, db: Data<Db>) -> Result<Reply> {
    db.read(|conn| Reply::ok(&service::limits(conn)?)).await
}

/// Set the caseload limits: an operator of the whole province.
#[utoipa::path(
    tag = "brokerage",
    request_body = CaseloadPatch,
    responses(
        (status = 200, body = CaseloadView), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[patch("/brokerage/limits")]
async fn set_limits(actor: Writer, db: Data<Db>, body: Body<CaseloadPatch>) -> Result<Reply> {
    db.write(move |tx| Reply::ok(&service::set_limits(tx, &actor, &body.value)?)).await
}

/// Brokers who would suit the deal, the best first: for its parties and those who oversee them.
///
/// Speciality counts up to 50, region up to 30, load up to 20; the parts add up to the score. Who has as
/// many cases as the level allows is not proposed.
#[utoipa::path(
    tag = "brokerage",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = ProposalsView),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/deals/{id}/broker-proposals")]
async fn proposals(actor: Actor, db: Data<Db>, at: At<of::Deal>) -> Result<Reply> {
    db.read(move |conn| Reply::ok(&service::proposals::show(conn, &actor, at.0)?)).await
}

/// Hand a case over to a colleague of the same agency, on the terms that were agreed.
///
/// The broker who leads it does, or an administrator of the agency. Both parties are asked, as for any
/// broker; the case stays where it is until both have agreed (`POST /deals/{id}/broker/accept`).
#[utoipa::path(
    tag = "brokerage",
    request_body = HandOver,
    params(
        ("id" = String, Path, format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = HandOverView),
        (status = 403, description = "`not_your_case`", body = Problem),
        (status = 409, description = "`no_open_case`, `caseload_full`, `broker_proposed`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/deals/{id}/hand-over")]
async fn hand_over(
    actor: Writer,
    db: Data<Db>,
    config: Data<Config>,
    at: At<of::Deal>,
    body: Body<HandOver>,
) -> Result<Reply> {
    let (days, Body { value, once }) = (config.broker_days, body);
    once.write(&db, actor.name(), move |tx| {
        Reply::ok(&service::desk::hand_over(tx, &actor, at.0, &value, days)?)
    })
    .await
}

/// Go on in the name of another agency, of which one is a member. The certificate is verified anew.
///
/// Refused while a case is open: it is handed over to a colleague or ended first.
#[utoipa::path(
    tag = "brokers",
    request_body = BrokerTransfer,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = BrokerView, headers(("ETag" = String, description = "The version."))),
        (status = 403, description = "`not_the_broker`, `not_agency_member`", body = Problem),
        (status = 409, description = "`open_cases`, `illegal_transition`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/brokers/{id}/transfer")]
async fn transfer(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Broker>,
    seen: IfMatch,
    body: Body<BrokerTransfer>,
) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        let view = service::desk::transfer(tx, &actor, at.0, value.organization_id, seen)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct YearQuery {
    #[param(minimum = 1990, maximum = 2100, example = 2026)]
    pub year: Option<i64>,
}

impl YearQuery {
    pub fn check(self) -> Result<Option<i64>> {
        super::agencies::checked(self.year)
    }
}

/// How a broker does: for the broker, the agency and those who oversee it.
///
/// `standard` compares with what cases of the same kinds usually come to, so that hard cases are no
/// disadvantage, and says when there are too few to judge by.
#[utoipa::path(
    tag = "brokerage",
    params(("id" = String, Path, format = Uuid), YearQuery),
    responses(
        (status = 200, body = FiguresView),
        (status = 403, description = "`not_member`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/brokers/{id}/figures")]
async fn broker_figures(
    actor: Actor,
    db: Data<Db>,
    at: At<of::Broker>,
    query: Query<YearQuery>,
) -> Result<Reply> {
    let year = query.0.check()?;
    db.read(move |conn| Reply::ok(&service::figures::of_broker(conn, &actor, at.0, year)?)).await
}
