//! Indicators: what they come to, and figures entered by hand.
use actix_web::{
    get, post,
    web::{Data, Path},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    insight::{
        model::{
            IndicatorFigures, IndicatorValueInput, IndicatorValueView, IndicatorValuesQuery,
            IndicatorsQuery,
        },
        service::{Grids, indicators},
    },
    kernel::{Body, Code, Db, Moment, Page, Problem, Query, Reply, Result, Tx, Visitor, Writer},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(figures).service(enter).service(values);
}

/// What every indicator of the policy papers comes to in a region.
///
/// The market counts turnover, achievements transferred, brokers and agencies by itself; everything else
/// is what an operator entered, with source and date. Stocks are told when the day is over, sums from the
/// first day of its year on. Callers who do not oversee the region are answered for whole months, and
/// for today.
#[utoipa::path(
    tag = "indicators",
    params(IndicatorsQuery),
    responses((status = 200, body = IndicatorFigures),),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/indicators")]
async fn figures(
    visitor: Visitor,
    db: Data<Db>,
    grids: Data<Grids>,
    query: Query<IndicatorsQuery>,
) -> Result<Reply> {
    let today = Moment::now().day();
    let (region, as_of) = indicators::asked(query.0, today)?;
    db.read_snapshot(move |conn| {
        let actor = visitor.actor.as_ref();
        Reply::ok(&indicators::figures(conn, &grids, actor, region, (as_of, today))?)
    })
    .await
}

/// Enter a published figure: an operator of its region.
///
/// To correct one, enter it anew: the newest counts, and the older ones stay to be seen.
#[utoipa::path(
    tag = "indicators",
    request_body = IndicatorValueInput,
    params(
        ("indicator" = String, Path, description = "The slug of an indicator.", example = "gdp"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    responses(
        (status = 201, body = IndicatorValueView),
        (status = 403, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/indicators/{indicator}/values")]
async fn enter(
    actor: Writer,
    db: Data<Db>,
    indicator: Path<String>,
    body: Body<IndicatorValueInput>,
) -> Result<Reply> {
    let indicator = indicators::named(&indicator)?;
    let Body { value, once } = body;
    let new = value.parse(indicator, Moment::now().day())?;
    let caller = actor.name();
    let work = move |tx: &mut Tx<'_>| {
        let view = indicators::enter(tx, &actor, &new)?;
        let place = format!("/indicators/{}/values", view.indicator.slug());
        Reply::created(place, &view)
    };
    once.write(&db, caller, work).await
}

/// Figures that were entered for an indicator, newest first, corrected ones too.
#[utoipa::path(
    tag = "indicators",
    params(
        ("indicator" = String, Path, description = "The slug of an indicator.", example = "gdp"),
        IndicatorValuesQuery,
    ),
    responses((status = 200, body = Page<IndicatorValueView>),),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/indicators/{indicator}/values")]
async fn values(
    _visitor: Visitor,
    db: Data<Db>,
    indicator: Path<String>,
    query: Query<IndicatorValuesQuery>,
) -> Result<Reply> {
    let indicator = indicators::named(&indicator)?;
    let wanted = indicators::wanted(query.0)?;
    db.read(move |conn| Reply::ok(&indicators::list(conn, indicator, &wanted)?)).await
}
