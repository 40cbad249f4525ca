//! The caller's own profile and second factor.
use actix_web::{delete, get, patch, post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use super::InPerson;
use crate::{
    accounts::{
        credentials::Keys,
        model::{
            inputs::{OneTimeCode, ProfilePatch},
            views::{MeView, SecondFactorView, TotpView},
        },
        service::{people, sign_in},
    },
    kernel::{Actor, Body, Db, Error, IfMatch, Limits, Nothing, Problem, Reply, Result, Writer},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(show).service(edit);
    cfg.service(begin_totp).service(confirm_totp).service(end_totp);
}

/// The caller: profile, organizations, roles.
#[utoipa::path(
    tag = "identity",
    responses(
        (status = 200, body = MeView, headers(("ETag" = String, description = "The version."))),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/me")]
async fn show(actor: Actor, db: Data<Db>) -> Result<Reply> {
    db.read(move |conn| {
        let view = people::me(conn, &actor)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

/// Change the own name or the language of mails.
#[utoipa::path(
    tag = "identity",
    request_body = ProfilePatch,
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read.")),
    responses(
        (status = 200, body = MeView, headers(("ETag" = String, description = "The version."))), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[patch("/me")]
async fn edit(
    actor: Writer,
    db: Data<Db>,
    seen: IfMatch,
    body: Body<ProfilePatch>,
) -> Result<Reply> {
    if actor.api_key.is_some() {
        let why = "API 密钥不能代替本人：请以个人身份登录后再操作。";
        return Err(Error::forbidden("session_required", why));
    }
    let patch = body.value.check()?;
    db.write(move |tx| {
        let view = people::edit_me(tx, &actor, patch, seen)?;
        Ok(Reply::ok(&view)?.with_version(view.version))
    })
    .await
}

/// Begin to set up a second factor (TOTP, RFC 6238).
///
/// The secret is shown this once and counts after a code was confirmed.
#[utoipa::path(
    tag = "identity",
    request_body = Nothing,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 200, body = TotpView), (status = 403, body = Problem),
        (status = 409, description = "`totp_enabled`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/me/totp")]
async fn begin_totp(
    me: InPerson,
    db: Data<Db>,
    limits: Data<Limits>,
    keys: Data<Keys>,
    body: Body<Nothing>,
) -> Result<Reply> {
    me.actor.check_verified()?;
    limits.credential("totp", me.address, me.actor.account.as_str())?;
    body.once
        .write(&db, me.actor.name(), move |tx| {
            Reply::ok(&sign_in::begin_totp(tx, &me.actor, &keys)?)
        })
        .await
}

/// Confirm that the authenticator app has the secret; from now on signing in needs its codes.
#[utoipa::path(
    tag = "identity",
    request_body = OneTimeCode,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 200, body = SecondFactorView), (status = 403, body = Problem),
        (status = 409, description = "`totp_not_begun`", body = Problem),
        (status = 422, description = "`totp_invalid`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/me/totp/confirm")]
async fn confirm_totp(
    me: InPerson,
    db: Data<Db>,
    limits: Data<Limits>,
    keys: Data<Keys>,
    body: Body<OneTimeCode>,
) -> Result<Reply> {
    me.actor.check_verified()?;
    limits.credential("totp_code", me.address, me.actor.account.as_str())?;
    let Body { value, once } = body;
    once.write(&db, me.actor.name(), move |tx| {
        Reply::ok(&sign_in::confirm_totp(tx, &me.actor, &keys, &value.code)?)
    })
    .await
}

/// Take the second factor away; needs one of its codes.
#[utoipa::path(
    tag = "identity",
    request_body = OneTimeCode,
    responses(
        (status = 204), (status = 403, body = Problem),
        (status = 409, description = "`totp_not_enabled`", body = Problem),
        (status = 422, description = "`totp_invalid`", body = Problem),
    ),
    security(("bearer" = [])),
)]
#[delete("/me/totp")]
async fn end_totp(
    me: InPerson,
    db: Data<Db>,
    limits: Data<Limits>,
    keys: Data<Keys>,
    body: Body<OneTimeCode>,
) -> Result<Reply> {
    me.actor.check_verified()?;
    limits.credential("totp_code", me.address, me.actor.account.as_str())?;
    db.write(move |tx| {
        sign_in::end_totp(tx, &me.actor, &keys, &body.value.code)?;
        Ok(Reply::no_content())
    })
    .await
}
