//! Registering, signing in, one-time links.
use actix_web::{post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{InPerson, Knock};
use crate::{
    accounts::{
        credentials::{Hasher, Keys},
        model::{
            inputs::{self, LinkToken, Login, NewPassword, PasswordReset, Refresh, Register},
            views::{NoticeView, RegisteredView, TokensView},
        },
        service::{people, sign_in},
    },
    kernel::{Body, Db, Limits, Moment, Nothing, Problem, Reply, Result, blocking, secret::digest},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(register).service(login).service(refresh).service(logout);
    cfg.service(verify_email).service(resend).service(forgot).service(confirm);
}

/// Register a person and an organization.
///
/// The organization waits for an operator of its region; the person is its administrator and gets a
/// mail with a link that verifies the address.
#[utoipa::path(
    tag = "identity",
    request_body = Register,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 201, body = RegisteredView),
        (status = 409, description = "`email_taken` or `organization_exists`", body = Problem), (status = 429, body = Problem),
    ),
    security(()),
)]
#[post("/auth/register")]
async fn register(
    knock: Knock,
    db: Data<Db>,
    limits: Data<Limits>,
    hasher: Data<Hasher>,
    body: Body<Register>,
) -> Result<Reply> {
    let Body { value, once } = body;
    limits.credential("register", knock.address, &value.email)?;
    let (person, organization, password) = value.check()?;
    let hash = blocking(move || hasher.hash(&password)).await?;
    once.write(&db, knock.name(), move |tx| {
        let view = people::register(tx, &person, &organization, &hash, knock.lang)?;
        Reply::created(format!("/organizations/{}", view.organization.id), &view)
    })
    .await
}

/// Sign in.
///
/// With a second factor set up, `totp` is needed, too: 401 `totp_required` says so.
#[utoipa::path(
    tag = "identity",
    request_body = Login,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 200, body = TokensView),
        (status = 401, description = "`bad_credentials`, `totp_required` or `totp_invalid`", body = Problem), (status = 429, body = Problem),
    ),
    security(()),
)]
#[post("/auth/login")]
async fn login(
    knock: Knock,
    db: Data<Db>,
    limits: Data<Limits>,
    hasher: Data<Hasher>,
    keys: Data<Keys>,
    body: Body<Login>,
) -> Result<Reply> {
    let Body { value: Login { email, password, totp }, once } = body;
    let email = email.trim().to_lowercase();
    limits.credential("login", knock.address, &email)?;
    let lock = db.read(move |conn| sign_in::lock(conn, &email)).await?;
    let (lock, right) = blocking(move || {
        let right = hasher.verify(&password, lock.as_ref().map(|l| l.hash.as_str()));
        Ok((lock, right))
    })
    .await?;
    let lock = lock.filter(|_| right).ok_or(sign_in::BAD_CREDENTIALS)?;
    once.write(&db, knock.name(), move |tx| {
        Reply::ok(&sign_in::sign_in(tx, &keys, &lock, totp.as_deref())?)
    })
    .await
}

/// Change a refresh token for a new pair of tokens.
///
/// Each works once. One that is shown twice ends the session it belongs to: 401 `refresh_reused`.
#[utoipa::path(
    tag = "identity",
    request_body = Refresh,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 200, body = TokensView),
        (status = 401, description = "`refresh_invalid`, `refresh_expired`, `refresh_reused` or `session_revoked`", body = Problem), (status = 429, body = Problem),
    ),
    security(()),
)]
#[post("/auth/refresh")]
async fn refresh(
    knock: Knock,
    db: Data<Db>,
    limits: Data<Limits>,
    keys: Data<Keys>,
    body: Body<Refresh>,
) -> Result<Reply> {
    let Body { value: Refresh { refresh_token }, once } = body;
    limits.credential("refresh", knock.address, &digest(&refresh_token))?;
    once.write_and_refuse(&db, knock.name(), move |tx| {
        Ok(sign_in::refresh(tx, &keys, &refresh_token)?.and_then(|view| Reply::ok(&view)))
    })
    .await
}

/// Sign out: the session and all its refresh tokens end.
#[utoipa::path(
    tag = "identity",
    request_body = Nothing,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 204), (status = 403, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/auth/logout")]
async fn logout(me: InPerson, db: Data<Db>, body: Body<Nothing>) -> Result<Reply> {
    body.once
        .write(&db, me.actor.name(), move |tx| {
            sign_in::sign_out(tx, &me.actor, me.session)?;
            Ok(Reply::no_content())
        })
        .await
}

/// Verify an address with the token of the link in the mail.
#[utoipa::path(
    tag = "identity",
    request_body = LinkToken,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 204),
        (status = 422, description = "`bad_link`: wrong, used or expired", body = Problem),
        (status = 429, body = Problem),
    ),
    security(()),
)]
#[post("/auth/verify-email")]
async fn verify_email(
    knock: Knock,
    db: Data<Db>,
    limits: Data<Limits>,
    body: Body<LinkToken>,
) -> Result<Reply> {
    let Body { value: LinkToken { token }, once } = body;
    limits.credential("verify_email", knock.address, &digest(&token))?;
    once.write(&db, knock.name(), move |tx| {
        people::verify_email(tx, &token)?;
        Ok(Reply::no_content())
    })
    .await
}

/// Send the verification mail again.
#[utoipa::path(
    tag = "identity",
    request_body = Nothing,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 202, body = NoticeView), (status = 403, body = Problem),
        (status = 409, description = "`already_verified`", body = Problem), (status = 429, body = Problem),
    ),
    security(("bearer" = [])),
)]
#[post("/auth/verify-email/resend")]
async fn resend(
    me: InPerson,
    db: Data<Db>,
    limits: Data<Limits>,
    body: Body<Nothing>,
) -> Result<Reply> {
    limits.credential("resend", me.address, me.actor.account.as_str())?;
    body.once
        .write(&db, me.actor.name(), move |tx| {
            people::resend_verification(tx, &me.actor)?;
            Reply::accepted(&NoticeView {
                message: "验证邮件已安排发送，请查收最新的一封。"
            })
        })
        .await
}

/// Ask for a mail with a link that resets the password.
///
/// The answer is the same whether or not the address is known.
#[utoipa::path(
    tag = "identity",
    request_body = PasswordReset,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 202, body = NoticeView), (status = 429, body = Problem),
    ),
    security(()),
)]
#[post("/auth/password-reset")]
async fn forgot(
    knock: Knock,
    db: Data<Db>,
    limits: Data<Limits>,
    body: Body<PasswordReset>,
) -> Result<Reply> {
    let Body { value, once } = body;
    limits.credential("password_reset", knock.address, &value.email)?;
    let email = inputs::email("/email", &value.email)
        .map_err(|fault| crate::kernel::Error::Invalid(vec![fault]))?;
    once.write(&db, knock.name(), move |tx| {
        people::request_reset(tx, &email)?;
        Reply::accepted(&NoticeView {
            message: "如果该邮箱已注册，我们会发去一封含一次性链接的邮件。",
        })
    })
    .await
}

/// Set a password with the token of a reset link or of an invitation.
///
/// Every session of the account ends, and the address counts as verified.
#[utoipa::path(
    tag = "identity",
    request_body = NewPassword,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats are answered as the first time.")),
    responses(
        (status = 204),
        (status = 422, description = "`bad_link`, or the password is too weak", body = Problem),
        (status = 429, body = Problem),
    ),
    security(()),
)]
#[post("/auth/password-reset/confirm")]
async fn confirm(
    knock: Knock,
    db: Data<Db>,
    limits: Data<Limits>,
    hasher: Data<Hasher>,
    body: Body<NewPassword>,
) -> Result<Reply> {
    let Body { value: NewPassword { token, password }, once } = body;
    limits.credential("password_reset_confirm", knock.address, &digest(&token))?;
    let checked = {
        let token = token.clone();
        db.read(move |conn| {
            people::check_new_password(conn, &token, &password, Moment::now())?;
            Ok(password)
        })
        .await
    };
    let hash = match checked {
        Ok(password) => blocking(move || hasher.hash(&password)).await,
        Err(refusal) => Err(refusal),
    };
    // the refusal waits: a repeat finds its link used, and gets its kept answer all the same
    once.write(&db, knock.name(), move |tx| {
        people::set_password(tx, &token, &hash?)?;
        Ok(Reply::no_content())
    })
    .await
}
