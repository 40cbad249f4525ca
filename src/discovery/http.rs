//! Discovery over HTTP.
use actix_web::{
    HttpResponse, get, post,
    web::{Bytes, Data},
};
use futures_util::stream;
use keshi_index as index;
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    Catalogue, likeness,
    model::{
        BatchBody, BatchLine, Kind, LikenessAnswer, MatchAnswer, MatchBody, SameAsBody,
        SearchAnswer, Sort,
    },
    quality::{self, Quality},
    service,
};
use crate::{
    achievements::model::Stage,
    kernel::{
        Actor, At, Body, Code, Db, Error, Faults, Limits, Problem, Query, Region, Reply, Result,
        Visitor, Writer, blocking, of, page,
    },
    markets::{
        model::Field,
        regions,
        twins::model::{LinkView, ListingKind},
    },
};

/// Demands of a batch that are matched before their lines are sent.
const BATCH: usize = 64;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(search)
        .service(demand_matches)
        .service(achievement_matches)
        .service(match_batch)
        .service(match_text)
        .service(achievement_likenesses)
        .service(demand_likenesses)
        .service(achievement_same_as)
        .service(demand_same_as)
        .service(measured_quality);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SearchParams {
    /// Plain text; no character has a meaning of its own. Empty: everything, newest first.
    #[param(example = "石墨烯 耐火材料")]
    q: Option<String>,
    kind: Option<Kind>,
    field: Option<Field>,
    /// A region and all below it.
    #[param(example = "210300")]
    region: Option<Region>,
    stage: Option<Stage>,
    #[param(minimum = 1, maximum = 9)]
    trl_min: Option<u8>,
    #[param(minimum = 0)]
    price_max_fen: Option<i64>,
    #[param(inline)]
    sort: Option<Sort>,
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Search published listings.
///
/// A listing is found within one second of its publication, and gone within one second of its withdrawal.
#[utoipa::path(
    tag = "discovery",
    params(SearchParams),
    responses(
        (status = 200, body = SearchAnswer),
        (status = 401, body = Problem, description = "a token was sent that opens nothing"),
        (status = 422, body = Problem, description = "a parameter is unknown or out of range"),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/search")]
async fn search(
    _visitor: Visitor,
    catalogue: Data<Catalogue>,
    query: Query<SearchParams>,
) -> Result<Reply> {
    let q = query.0;
    let mut faults = Faults::default();
    if let Some(region) = &q.region {
        faults.keep(regions::check("region", region));
    }
    let level = q.trl_min.is_none_or(|trl| (1..=9).contains(&trl));
    faults.check(level, "trl_min", "out_of_range", "技术成熟度应为 1 至 9。");
    let price = q.price_max_fen.is_none_or(|fen| fen >= 0);
    faults.check(price, "price_max_fen", "too_small", "金额不得小于 0。");
    faults.finish()?;
    let window = page::Window::<index::SearchAfter>::read(q.limit, q.cursor.as_deref())?;
    let request = index::SearchRequest {
        q: q.q.unwrap_or_default(),
        kind: q.kind.map(Into::into),
        filters: index::Filters {
            field: q.field.map(|f| f.slug().to_owned()),
            region: q.region.map(|r| r.to_string()),
            stage: q.stage.map(|s| s.slug().to_owned()),
            trl_min: q.trl_min,
            price_max_fen: q.price_max_fen,
            ..index::Filters::default()
        },
        sort: match q.sort.unwrap_or_default() {
            Sort::Relevance => index::Sort::Relevance,
            Sort::Newest => index::Sort::Newest,
        },
        limit: usize::try_from(window.limit).unwrap_or(service::DEFAULT_MATCHES),
        after: window.after,
    };
    let answer = blocking(move || service::search(&catalogue, request)).await?;
    Reply::ok(&answer)
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MatchParams {
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

impl MatchParams {
    fn limit(&self) -> Result<usize> {
        let window = page::Window::<i64>::read(self.limit, None)?;
        Ok(usize::try_from(window.limit).unwrap_or(service::DEFAULT_MATCHES))
    }
}

/// Achievements that answer a demand, best first, each with its reasons.
#[utoipa::path(
    tag = "discovery",
    params(("id" = String, Path, format = Uuid), MatchParams),
    responses(
        (status = 200, body = MatchAnswer),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/demands/{id}/matches")]
async fn demand_matches(
    visitor: Visitor,
    db: Data<Db>,
    catalogue: Data<Catalogue>,
    id: At<of::Demand>,
    query: Query<MatchParams>,
) -> Result<Reply> {
    let limit = query.0.limit()?;
    let answer = db
        .read(move |conn| {
            service::matches_of_demand(
                &catalogue,
                conn,
                visitor.actor.as_ref(),
                id.0,
                limit,
                visitor.lang,
            )
        })
        .await?;
    Reply::ok(&answer)
}

/// Demands that an achievement could answer, best first, each with its reasons.
#[utoipa::path(
    tag = "discovery",
    params(("id" = String, Path, format = Uuid), MatchParams),
    responses(
        (status = 200, body = MatchAnswer),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/achievements/{id}/matches")]
async fn achievement_matches(
    visitor: Visitor,
    db: Data<Db>,
    catalogue: Data<Catalogue>,
    id: At<of::Achievement>,
    query: Query<MatchParams>,
) -> Result<Reply> {
    let limit = query.0.limit()?;
    let answer = db
        .read(move |conn| {
            service::matches_of_achievement(
                &catalogue,
                conn,
                visitor.actor.as_ref(),
                id.0,
                limit,
                visitor.lang,
            )
        })
        .await?;
    Reply::ok(&answer)
}

/// Match a text that nobody has listed.
#[utoipa::path(
    tag = "discovery",
    request_body = MatchBody,
    responses(
        (status = 200, body = MatchAnswer),
        (status = 429, body = Problem, description = "too many texts from this address"),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[post("/match")]
async fn match_text(
    visitor: Visitor,
    db: Data<Db>,
    catalogue: Data<Catalogue>,
    limits: Data<Limits>,
    body: Body<MatchBody>,
) -> Result<Reply> {
    limits.matching(visitor.address)?;
    let body = body.value;
    let answer =
        db.read(move |conn| service::matches_of_text(&catalogue, conn, body, visitor.lang)).await?;
    Reply::ok(&answer)
}

/// Cross-match many demands: a stream of JSON lines, one demand a line.
#[utoipa::path(
    tag = "discovery",
    request_body = BatchBody,
    responses(
        (status = 200, body = BatchLine, content_type = "application/x-ndjson", description = "one such object a line"),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/match/batch")]
async fn match_batch(
    actor: Actor,
    visitor: Visitor,
    db: Data<Db>,
    catalogue: Data<Catalogue>,
    body: Body<BatchBody>,
) -> Result<HttpResponse> {
    let body = body.value;
    if body.demand_ids.is_some() == body.filter.is_some() {
        return Err(Error::invalid(
            "/demand_ids",
            "one_of",
            "demand_ids 与 filter 须且只能给出一个；filter 为 {} 表示全部需求。",
        ));
    }
    let limit = body.limit.unwrap_or(service::DEFAULT_MATCHES);
    let demands = db
        .read(move |conn| {
            service::batch_demands(
                conn,
                &actor,
                body.demand_ids.as_deref(),
                &body.filter.unwrap_or_default(),
            )
        })
        .await?;
    // lines are made as the client reads them: a slow reader holds one chunk, not the whole answer
    let lines = stream::unfold((catalogue, demands), move |(catalogue, mut demands)| async move {
        if demands.is_empty() {
            return None;
        }
        let rest = demands.split_off(demands.len().min(BATCH));
        let shared = catalogue.clone();
        let chunk = blocking(move || {
            let mut out = Vec::new();
            for line in service::cross_match(&shared, &demands, limit, visitor.lang)? {
                serde_json::to_writer(&mut out, &line)?;
                out.push(b'\n');
            }
            Ok(Bytes::from(out))
        })
        .await;
        // after an error the connection is cut, so a client never takes a part for the whole
        let rest = if chunk.is_ok() { rest } else { Vec::new() };
        Some((chunk, (catalogue, rest)))
    });
    Ok(HttpResponse::Ok().content_type("application/x-ndjson").streaming(Box::pin(lines)))
}

/// The matching quality of this model version, as measured on test sets, and how evenly this market's
/// listings are shown.
#[utoipa::path(tag = "discovery", responses((status = 200, body = Quality)), security(()))]
#[get("/quality")]
async fn measured_quality(db: Data<Db>, catalogue: Data<Catalogue>) -> Result<Reply> {
    let model = catalogue.model().to_owned();
    let told = blocking(move || catalogue.exposure().told(&db, &catalogue)).await?;
    Reply::ok(&quality::quality(model, told)?)
}

/// Near-duplicates of an achievement, with the likeness and the shared passages.
///
/// Compared are all achievements that are public or in review; shown are those the caller may see. For its
/// owner (a draft as well: ask before submitting), operators and auditors.
#[utoipa::path(
    tag = "discovery",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = LikenessAnswer), (status = 403, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/achievements/{id}/likenesses")]
async fn achievement_likenesses(
    actor: Actor,
    db: Data<Db>,
    catalogue: Data<Catalogue>,
    at: At<of::Achievement>,
) -> Result<Reply> {
    db.read(move |conn| {
        let (kind, id) = (ListingKind::Achievement, at.0.as_str());
        Reply::ok(&likeness::likenesses(&catalogue, conn, &actor, kind, id)?)
    })
    .await
}

/// Say whether an achievement and another one are the same thing.
///
/// An operator of either region decides. Owners agree: with both of them it is confirmed, and one of them
/// can reject it. Confirmed ones are shown in `same_as` of both.
#[utoipa::path(
    tag = "discovery",
    request_body = SameAsBody,
    params(
        ("id" = String, Path, format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = LinkView), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/achievements/{id}/same-as")]
async fn achievement_same_as(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Achievement>,
    body: Body<SameAsBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        Reply::ok(&likeness::judge(tx, &actor, ListingKind::Achievement, at.0.as_str(), &value)?)
    })
    .await
}

/// Near-duplicates of a demand, with the likeness and the shared passages.
///
/// Compared are all demands that are public or in review; shown are those the caller may see. For its
/// owner (a draft as well: ask before submitting), operators and auditors.
#[utoipa::path(
    tag = "discovery",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = LikenessAnswer), (status = 403, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/demands/{id}/likenesses")]
async fn demand_likenesses(
    actor: Actor,
    db: Data<Db>,
    catalogue: Data<Catalogue>,
    at: At<of::Demand>,
) -> Result<Reply> {
    db.read(move |conn| {
        let (kind, id) = (ListingKind::Demand, at.0.as_str());
        Reply::ok(&likeness::likenesses(&catalogue, conn, &actor, kind, id)?)
    })
    .await
}

/// Say whether a demand and another one are the same thing.
///
/// An operator of either region decides. Owners agree: with both of them it is confirmed, and one of them
/// can reject it. Confirmed ones are shown in `same_as` of both.
#[utoipa::path(
    tag = "discovery",
    request_body = SameAsBody,
    params(
        ("id" = String, Path, format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = LinkView), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/demands/{id}/same-as")]
async fn demand_same_as(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Demand>,
    body: Body<SameAsBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        Reply::ok(&likeness::judge(tx, &actor, ListingKind::Demand, at.0.as_str(), &value)?)
    })
    .await
}
