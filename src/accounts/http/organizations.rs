//! Organizations, their members and API keys.
use actix_web::{HttpRequest, delete, get, patch, post, web::Data};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    accounts::{
        model::{
            OrganizationState,
            inputs::{ApiKeyInput, Invitation, OrganizationPatch, ReasonBody},
            views::{ApiKeyView, MemberView, NewApiKeyView, OrganizationView},
        },
        rules::Act,
        service::organizations as service,
        store::organizations::Wanted,
    },
    kernel::{
        Actor, At, Body, Db, Error, Id, IfMatch, Nothing, OrganizationKind, Page, Problem, Query,
        Region, Reply, Result, Visitor, Window, Writer, idempotency::Once, of,
    },
    markets::regions,
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list).service(one).service(edit);
    cfg.service(verify).service(reject).service(suspend);
    cfg.service(members).service(invite).service(remove);
    cfg.service(api_keys).service(create_api_key).service(revoke_api_key);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OrganizationQuery {
    /// Part of the name, or the whole credit code.
    #[param(max_length = 120, example = "理工")]
    q: Option<String>,
    kind: Option<OrganizationKind>,
    /// The region or any above it.
    #[param(value_type = Option<String>, example = "210100")]
    region: Option<Region>,
    state: Option<OrganizationState>,
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// The organizations a caller may see, newest first.
///
/// The public is shown the verified ones; members see their own in any state, operators and auditors
/// all of their region.
#[utoipa::path(
    tag = "organizations",
    params(OrganizationQuery),
    responses(
        (status = 200, body = Page<OrganizationView>),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/organizations")]
async fn list(visitor: Visitor, db: Data<Db>, query: Query<OrganizationQuery>) -> Result<Reply> {
    let OrganizationQuery { q, kind, region, state, limit, cursor } = query.0;
    let window = Window::read(limit, cursor.as_deref())?;
    if q.as_ref().is_some_and(|q| q.chars().count() > 120) {
        return Err(Error::invalid("q", "too_long", "q 最多 120 个字符。"));
    }
    // PostgreSQL has no text with a NUL in it
    if q.as_ref().is_some_and(|q| q.chars().any(char::is_control)) {
        return Err(Error::invalid("q", "control_character", "q 中含有控制字符。"));
    }
    if let Some(region) = &region {
        regions::check("region", region).map_err(|fault| Error::Invalid(vec![fault]))?;
    }
    let q = q.filter(|q| !q.trim().is_empty());
    let wanted = Wanted { q, kind, region, state };
    db.read(move |conn| Reply::ok(&service::list(conn, visitor.actor.as_ref(), &wanted, &window)?))
        .await
}

/// One organization.
#[utoipa::path(
    tag = "organizations",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = OrganizationView, headers(("ETag" = String, description = "The version."))),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/organizations/{id}")]
async fn one(visitor: Visitor, db: Data<Db>, at: At<of::Organization>) -> Result<Reply> {
    db.read(move |conn| shown(&service::get(conn, visitor.actor.as_ref(), at.0)?)).await
}

fn shown(view: &OrganizationView) -> Result<Reply> {
    Ok(Reply::ok(view)?.with_version(view.version))
}

/// Correct an organization that is not verified yet: its administrator.
///
/// One that was rejected waits for the operator again.
#[utoipa::path(
    tag = "organizations",
    request_body = OrganizationPatch,
    params(("id" = String, Path, format = Uuid), ("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses(
        (status = 200, body = OrganizationView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[patch("/organizations/{id}")]
async fn edit(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Organization>,
    seen: IfMatch,
    body: Body<OrganizationPatch>,
) -> Result<Reply> {
    let patch = body.value.check()?;
    db.write(move |tx| shown(&service::edit(tx, &actor, at.0, patch, seen)?)).await
}

async fn judge(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Organization>,
    seen: IfMatch,
    once: Once,
    act: Act,
    reason: Option<String>,
) -> Result<Reply> {
    once.write(&db, actor.name(), move |tx| {
        shown(&service::judge(tx, &actor, at.0, act, reason, seen)?)
    })
    .await
}

/// Verify an organization, or take it back after a suspension: an operator of its region.
#[utoipa::path(
    tag = "organizations",
    request_body = Nothing,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = OrganizationView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/organizations/{id}/verify")]
async fn verify(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Organization>,
    seen: IfMatch,
    body: Body<Nothing>,
) -> Result<Reply> {
    judge(actor, db, at, seen, body.once, Act::Verify, None).await
}

/// Reject an organization, saying why: an operator of its region.
#[utoipa::path(
    tag = "organizations",
    request_body = ReasonBody,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = OrganizationView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/organizations/{id}/reject")]
async fn reject(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Organization>,
    seen: IfMatch,
    body: Body<ReasonBody>,
) -> Result<Reply> {
    let reason = body.value.check()?;
    judge(actor, db, at, seen, body.once, Act::Reject, Some(reason)).await
}

/// Suspend a verified organization, saying why: an operator of its region.
#[utoipa::path(
    tag = "organizations",
    request_body = ReasonBody,
    params(
        ("id" = String, Path, format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read."),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 200, body = OrganizationView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/organizations/{id}/suspend")]
async fn suspend(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Organization>,
    seen: IfMatch,
    body: Body<ReasonBody>,
) -> Result<Reply> {
    let reason = body.value.check()?;
    judge(actor, db, at, seen, body.once, Act::Suspend, Some(reason)).await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Who may speak for the organization, newest first: for its members and those who oversee it.
#[utoipa::path(
    tag = "organizations",
    params(("id" = String, Path, format = Uuid), PageQuery),
    responses(
        (status = 200, body = Page<MemberView>), (status = 403, body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/organizations/{id}/members")]
async fn members(
    actor: Actor,
    db: Data<Db>,
    at: At<of::Organization>,
    query: Query<PageQuery>,
) -> Result<Reply> {
    let window = Window::read(query.0.limit, query.0.cursor.as_deref())?;
    db.read(move |conn| Reply::ok(&service::members(conn, &actor, at.0, &window)?)).await
}

/// Make a person a member: an administrator.
///
/// Somebody without an account gets an invitation by mail and chooses a password through its link
/// (`POST /auth/password-reset/confirm`).
#[utoipa::path(
    tag = "organizations",
    request_body = Invitation,
    params(
        ("id" = String, Path, format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 201, body = MemberView), (status = 403, body = Problem),
        (status = 409, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/organizations/{id}/members")]
async fn invite(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Organization>,
    body: Body<Invitation>,
) -> Result<Reply> {
    let Body { value, once } = body;
    let (person, role) = value.check()?;
    once.write(&db, actor.name(), move |tx| {
        let view = service::invite(tx, &actor, at.0, &person, role)?;
        Reply::created(format!("/organizations/{}/members/{}", at.0, view.account_id), &view)
    })
    .await
}

/// Take a member out: an administrator, or the member. The last administrator stays.
#[utoipa::path(
    tag = "organizations",
    params(("id" = String, Path, format = Uuid), ("account_id" = String, Path, format = Uuid)),
    responses(
        (status = 204), (status = 403, body = Problem),
        (status = 409, description = "`last_admin`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[delete("/organizations/{id}/members/{account_id}")]
async fn remove(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Organization>,
    req: HttpRequest,
) -> Result<Reply> {
    let account = second(&req, "account_id", "成员")?;
    db.write(move |tx| {
        service::remove(tx, &actor, at.0, account)?;
        Ok(Reply::no_content())
    })
    .await
}

/// The second id of a path. What is no id names nothing.
fn second<T>(req: &HttpRequest, name: &str, what: &'static str) -> Result<Id<T>> {
    req.match_info().get(name).and_then(|text| text.parse().ok()).ok_or(Error::NotFound(what))
}

/// The organization's API keys, newest first, without their secrets: an administrator.
#[utoipa::path(
    tag = "organizations",
    params(("id" = String, Path, format = Uuid), PageQuery),
    responses(
        (status = 200, body = Page<ApiKeyView>), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[get("/organizations/{id}/api-keys")]
async fn api_keys(
    actor: Actor,
    db: Data<Db>,
    at: At<of::Organization>,
    query: Query<PageQuery>,
) -> Result<Reply> {
    let window = Window::read(query.0.limit, query.0.cursor.as_deref())?;
    db.read(move |conn| Reply::ok(&service::api_keys(conn, &actor, at.0, &window)?)).await
}

/// Make an API key for a system of the organization: an administrator. The secret is shown this once.
///
/// A key acts as a member of this organization, without an administrator's rights.
#[utoipa::path(
    tag = "organizations",
    request_body = ApiKeyInput,
    params(
        ("id" = String, Path, format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time."),
    ),
    responses(
        (status = 201, body = NewApiKeyView), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/organizations/{id}/api-keys")]
async fn create_api_key(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Organization>,
    body: Body<ApiKeyInput>,
) -> Result<Reply> {
    let Body { value, once } = body;
    let name = value.check()?;
    once.write(&db, actor.name(), move |tx| {
        let view = service::create_api_key(tx, &actor, at.0, name)?;
        Reply::created(format!("/organizations/{}/api-keys/{}", at.0, view.key.id), &view)
    })
    .await
}

/// Revoke an API key: an administrator.
#[utoipa::path(
    tag = "organizations",
    params(("id" = String, Path, format = Uuid), ("key_id" = String, Path, format = Uuid)),
    responses(
        (status = 204), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[delete("/organizations/{id}/api-keys/{key_id}")]
async fn revoke_api_key(
    actor: Writer,
    db: Data<Db>,
    at: At<of::Organization>,
    req: HttpRequest,
) -> Result<Reply> {
    let key = second(&req, "key_id", "API 密钥")?;
    db.write(move |tx| {
        service::revoke_api_key(tx, &actor, at.0, key)?;
        Ok(Reply::no_content())
    })
    .await
}
