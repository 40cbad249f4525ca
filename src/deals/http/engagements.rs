//! Brokers in deals over HTTP.
use actix_web::{get, post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    deals::{
        model::engagement::{AcceptEngagement, EngagementView, NewEngagement, RefuseEngagement},
        rules::engagement::EngagementAct,
        service::engagements::{self, Terms},
    },
    kernel::{
        Actor, At, Body, Config, Db, IfMatch, Page, Problem, Reply, Result, Writer,
        idempotency::Once, of,
    },
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(propose_broker)
        .service(list_brokers)
        .service(accept_broker)
        .service(decline_broker)
        .service(withdraw_broker)
        .service(end_broker);
}

/// Propose a broker for a deal.
///
/// Either party proposes one, or a verified broker himself. He is in when both parties and every
/// broker with a share have agreed; who proposes agrees with it, unless there is a disclosure to be
/// read first.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = NewEngagement,
    responses(
        (status = 201, description = "The engagement, `proposed`", body = EngagementView),
        (status = 403, description = "`not_a_member`, `not_your_move`, `organization_unverified`", body = Problem),
        (status = 409, description = "`broker_engaged`, `broker_proposed`, `illegal_transition`", body = Problem),
        (status = 422, description = "A faulty body, `over_cap`, `own_trade`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/broker")]
async fn propose_broker(
    actor: Writer,
    db: Data<Db>,
    config: Data<Config>,
    id: At<of::Deal>,
    body: Body<NewEngagement>,
) -> Result<Reply> {
    let (name, new) = (actor.name(), body.value);
    let terms = Terms { days: config.broker_days, caps: config.commission_caps.clone() };
    body.once
        .write(&db, name, move |tx| {
            let view = engagements::propose(tx, &actor, &terms, id.0, &new)?;
            let at = format!("/deals/{}/brokers", id.0);
            Ok(Reply::created(at, &view)?.with_version(view.version))
        })
        .await
}

/// The brokers that were ever proposed for a deal, oldest first.
///
/// A broker who does not see the deal sees his own proposals.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, description = "All of them", body = Page<EngagementView>),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/deals/{id}/brokers")]
async fn list_brokers(actor: Actor, db: Data<Db>, id: At<of::Deal>) -> Result<Reply> {
    Reply::ok(&db.read(move |conn| engagements::list(conn, &actor, id.0)).await?)
}

/// Agree to a broker.
///
/// One who already serves the other side is shown as such in `serves`; the answer names the
/// `disclosure` that was read.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = AcceptEngagement,
    responses(
        (status = 200, description = "The engagement", body = EngagementView),
        (status = 403, description = "`not_your_move`, `organization_unverified`", body = Problem),
        (status = 409, description = "`disclosure_unseen`, `broker_engaged`, `illegal_transition`", body = Problem),
        (status = 412, description = "Changed since it was read", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/broker/accept")]
async fn accept_broker(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Deal>,
    seen: IfMatch,
    body: Body<AcceptEngagement>,
) -> Result<Reply> {
    let (name, answer) = (actor.name(), body.value);
    body.once
        .write(&db, name, move |tx| {
            let view = engagements::accept(tx, &actor, id.0, seen, &answer)?;
            Ok(Reply::ok(&view)?.with_version(view.version))
        })
        .await
}

/// Decline a broker, or as a broker a deal.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = RefuseEngagement,
    responses(
        (status = 200, description = "The engagement", body = EngagementView),
        (status = 403, description = "`not_your_move`", body = Problem),
        (status = 409, description = "`illegal_transition`", body = Problem),
        (status = 412, description = "Changed since it was read", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/broker/decline")]
async fn decline_broker(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Deal>,
    seen: IfMatch,
    body: Body<RefuseEngagement>,
) -> Result<Reply> {
    refuse(actor, db, (id, seen), (body.once, body.value), EngagementAct::Decline).await
}

/// Take back a proposal of one's own side.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = RefuseEngagement,
    responses(
        (status = 200, description = "The engagement", body = EngagementView),
        (status = 403, description = "`not_your_move`", body = Problem),
        (status = 409, description = "`illegal_transition`", body = Problem),
        (status = 412, description = "Changed since it was read", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/broker/withdraw")]
async fn withdraw_broker(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Deal>,
    seen: IfMatch,
    body: Body<RefuseEngagement>,
) -> Result<Reply> {
    refuse(actor, db, (id, seen), (body.once, body.value), EngagementAct::Withdraw).await
}

/// End the engagement of a broker.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body = RefuseEngagement,
    responses(
        (status = 200, description = "The engagement", body = EngagementView),
        (status = 403, description = "`not_your_move`", body = Problem),
        (status = 409, description = "`illegal_transition`", body = Problem),
        (status = 412, description = "Changed since it was read", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/broker/end")]
async fn end_broker(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Deal>,
    seen: IfMatch,
    body: Body<RefuseEngagement>,
) -> Result<Reply> {
    refuse(actor, db, (id, seen), (body.once, body.value), EngagementAct::End).await
}

async fn refuse(
    actor: Writer,
    db: Data<Db>,
    (id, seen): (At<of::Deal>, IfMatch),
    (once, why): (Once, RefuseEngagement),
    act: EngagementAct,
) -> Result<Reply> {
    once.write(&db, actor.name(), move |tx| {
        let view = engagements::refuse(tx, &actor, id.0, seen, act, &why)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}
