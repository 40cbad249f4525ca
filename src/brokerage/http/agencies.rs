//! Agencies: recognitions, facts, scorecards, places.
use actix_web::{get, post, web::Data};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::desk::YearQuery;
use crate::{
    accounts::model::inputs::ReasonBody,
    brokerage::{
        model::{
            AgencyLevel, FactKey, RecognitionKey,
            inputs::{FactInput, RecognitionInput},
            views::{
                AgencyFactView, AgencyView, ClosedYear, FiguresView, RankedAgency, RecognitionView,
            },
        },
        rules::scorecard::{ScoreRules, ScorecardView},
        service::{self, years::Wanted},
    },
    kernel::{
        Actor, At, Body, Db, Error, IfMatch, Nothing, Page, Problem, Query, Region, Reply, Result,
        Visitor, Window, Writer, idempotency::Once, of,
    },
    markets::regions,
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    // before `/agencies/{id}`
    cfg.service(rules).service(set_rules).service(close_year).service(list);
    cfg.service(one).service(card).service(agency_figures);
    cfg.service(recognize).service(remove_recognition);
    cfg.service(enter_fact).service(facts).service(confirm_fact).service(refuse_fact);
}

const FIRST_YEAR: i64 = 1990;
const LAST_YEAR: i64 = 2100;

pub(super) fn checked(year: Option<i64>) -> Result<Option<i64>> {
    if year.is_none_or(|y| (FIRST_YEAR..=LAST_YEAR).contains(&y)) {
        return Ok(year);
    }
    let advice = format!("year 应在 {FIRST_YEAR} 与 {LAST_YEAR} 之间。");
    Err(Error::invalid("year", "out_of_range", advice))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AgencyQuery {
    /// This year without it.
    #[param(minimum = 1990, maximum = 2100, example = 2026)]
    year: Option<i64>,
    #[param(value_type = Option<String>, example = "210100")]
    region: Option<Region>,
    /// Only those recognized at this level.
    #[param(inline)]
    level: Option<AgencyLevel>,
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// The verified technology transfer agencies of a year with their places, best first.
///
/// Places are those among all agencies of the market, whatever the list is narrowed to. Until the year
/// is closed the figures are as of now, and `passed` is null where missing items or the rest of the year
/// decide it.
#[utoipa::path(
    tag = "agencies",
    params(AgencyQuery),
    responses(
        (status = 200, body = Page<RankedAgency>),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/agencies")]
async fn list(_visitor: Visitor, db: Data<Db>, query: Query<AgencyQuery>) -> Result<Reply> {
    let AgencyQuery { year, region, level, limit, cursor } = query.0;
    let window = Window::read(limit, cursor.as_deref())?;
    let year = checked(year)?;
    if let Some(region) = &region {
        regions::check("region", region).map_err(|fault| Error::Invalid(vec![fault]))?;
    }
    let wanted = Wanted { year, region, level };
    db.read(move |conn| Reply::ok(&service::years::list(conn, &wanted, &window)?)).await
}

/// One agency: its recognitions and how many brokers it has in practice.
#[utoipa::path(
    tag = "agencies",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = AgencyView),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/agencies/{id}")]
async fn one(_visitor: Visitor, db: Data<Db>, at: At<of::Organization>) -> Result<Reply> {
    db.read(move |conn| Reply::ok(&service::agencies::show(conn, at.0)?)).await
}

/// A year of an agency, item by item: for its members and those who oversee it.
#[utoipa::path(
    tag = "agencies",
    params(("id" = String, Path, format = Uuid), YearQuery),
    responses(
        (status = 200, body = ScorecardView),
        (status = 403, description = "`not_member`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/agencies/{id}/scorecard")]
async fn card(
    actor: Actor,
    db: Data<Db>,
    at: At<of::Organization>,
    query: Query<YearQuery>,
) -> Result<Reply> {
    let year = query.0.check()?;
    db.read(move |conn| Reply::ok(&service::years::card(conn, &actor, at.0, year)?)).await
}

/// How an agency does: for its members and those who oversee it.
#[utoipa::path(
    tag = "agencies",
    params(("id" = String, Path, format = Uuid), YearQuery),
    responses(
        (status = 200, body = FiguresView),
        (status = 403, description = "`not_member`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/agencies/{id}/figures")]
async fn agency_figures(
    actor: Actor,
    db: Data<Db>,
    at: At<of::Organization>,
    query: Query<YearQuery>,
) -> Result<Reply> {
    let year = query.0.check()?;
    db.read(move |conn| Reply::ok(&service::figures::of_agency(conn, &actor, at.0, year)?)).await
}

/// Note that an agency was recognized (技术转移示范机构): an operator of its region.
#[utoipa::path(
    tag = "agencies",
    request_body = RecognitionInput,
    params(
        ("id" = String, Path, format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 201, body = RecognitionView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, description = "`already_recognized`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/agencies/{id}/recognitions")]
async fn recognize(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Organization>,
    body: Body<RecognitionInput>,
) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        let view = service::agencies::recognize(tx, &actor, at.0, value)?;
        Ok(Reply::created(format!("/agencies/{}", at.0), &view)?.with_version(view.version))
    })
    .await
}

/// Remove a recognition; it stays in the record: an operator of the agency's region.
#[utoipa::path(
    tag = "agencies",
    request_body = ReasonBody,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = RecognitionView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/agency-recognitions/{id}/remove")]
async fn remove_recognition(
    actor: Writer,
    db: Data<Db>,
    at: At<RecognitionKey>,
    seen: IfMatch,
    body: Body<ReasonBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    let reason = value.check()?;
    once.write(&db, actor.name(), move |tx| {
        let view = service::agencies::remove(tx, &actor, at.0, reason, seen)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

/// Enter a fact of a year that the market cannot know, with its evidence: an administrator of the agency.
///
/// It counts once an operator has confirmed it. What was entered before of the same item stays in the
/// record as `replaced`.
#[utoipa::path(
    tag = "agencies",
    request_body = FactInput,
    params(
        ("id" = String, Path, format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 201, body = AgencyFactView, headers(("ETag" = String, description = "The version."))),
        (status = 403, description = "`not_admin`", body = Problem),
        (status = 409, description = "`year_closed`", body = Problem),
        (status = 412, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/agencies/{id}/facts")]
async fn enter_fact(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Organization>,
    body: Body<FactInput>,
) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        let view = service::agencies::enter(tx, &actor, at.0, value)?;
        let path = format!("/agencies/{}/facts?year={}", at.0, view.year);
        Ok(Reply::created(path, &view)?.with_version(view.version))
    })
    .await
}

/// What an agency told of a year.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AgencyFacts {
    /// Oldest first, replaced ones included.
    items: Vec<AgencyFactView>,
}

/// What an agency told of a year: for its members and those who oversee it.
#[utoipa::path(
    tag = "agencies",
    params(("id" = String, Path, format = Uuid), YearQuery),
    responses(
        (status = 200, body = AgencyFacts),
        (status = 403, description = "`not_member`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/agencies/{id}/facts")]
async fn facts(
    actor: Actor,
    db: Data<Db>,
    at: At<of::Organization>,
    query: Query<YearQuery>,
) -> Result<Reply> {
    let year = query.0.check()?;
    db.read(move |conn| {
        let items = service::agencies::facts(conn, &actor, at.0, year)?;
        Reply::ok(&AgencyFacts { items })
    })
    .await
}

async fn decided(
    actor: Writer,
    db: Data<Db>,
    at: At<FactKey>,
    seen: IfMatch,
    (once, verdict): (Once, Result<(), String>),
) -> Result<Reply> {
    once.write(&db, actor.name(), move |tx| {
        let view = service::agencies::decide(tx, &actor, at.0, verdict, seen)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

/// Confirm a fact whose evidence was seen: an operator of the agency's region.
#[utoipa::path(
    tag = "agencies",
    request_body = Nothing,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = AgencyFactView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, description = "`illegal_transition`, `year_closed`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/agency-facts/{id}/confirm")]
async fn confirm_fact(
    actor: Writer,
    db: Data<Db>,
    at: At<FactKey>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    decided(actor, db, at, seen, (body.once, Ok(()))).await
}

/// Refuse a fact, and say why: an operator of the agency's region. The agency may enter it anew.
#[utoipa::path(
    tag = "agencies",
    request_body = ReasonBody,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = AgencyFactView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, description = "`illegal_transition`, `year_closed`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/agency-facts/{id}/refuse")]
async fn refuse_fact(
    actor: Writer,
    db: Data<Db>,
    at: At<FactKey>,
    seen: IfMatch,
    body: Body<ReasonBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    decided(actor, db, at, seen, (once, Err(value.check()?))).await
}

/// The rules of the scorecard that hold in a year: what each item is worth, and for how much.
#[utoipa::path(
    tag = "agencies",
    params(YearQuery),
    responses(
        (status = 200, body = ScoreRules),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/agencies/scorecard-rules")]
async fn rules(_visitor: Visitor, db: Data<Db>, query: Query<YearQuery>) -> Result<Reply> {
    let year = query.0.check()?;
    db.read(move |conn| Reply::ok(&service::agencies::rules(conn, year)?)).await
}

/// Set the rules of the scorecard from a year on: an operator of the whole province.
#[utoipa::path(
    tag = "agencies",
    request_body = ScoreRules,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 200, body = ScoreRules), (status = 403, body = Problem),
        (status = 409, description = "`year_closed`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/agencies/scorecard-rules")]
async fn set_rules(actor: Writer, db: Data<Db>, body: Body<ScoreRules>) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        Reply::ok(&service::agencies::set_rules(tx, &actor, value)?)
    })
    .await
}

/// A year that is over.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct YearBody {
    #[schema(minimum = 1990, maximum = 2100, example = 2025)]
    year: i64,
}

/// Close a year that is over: an operator of the whole province.
///
/// Every agency gets its verdict and its place, which stay as they are; what is missing then stays
/// without points.
#[utoipa::path(
    tag = "agencies",
    request_body = YearBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 200, body = ClosedYear), (status = 403, body = Problem),
        (status = 409, description = "`year_closed`, `no_agencies`", body = Problem),
        (status = 422, description = "A faulty body, or the year is not over", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/agencies/close-year")]
async fn close_year(actor: Writer, db: Data<Db>, body: Body<YearBody>) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        Reply::ok(&service::years::close(tx, &actor, value.year)?)
    })
    .await
}
