//! Who is there: recognition, sessions, second factors.
use serde_json::json;

use crate::{
    accounts::{
        credentials::{ACCESS_SECONDS, Claims, Keys},
        model::{
            Account, ApiKey, Organization,
            views::{SecondFactorView, TokensView, TotpView},
        },
        rules, store,
    },
    kernel::{
        Actor, DbConn, Error, Id, MemberRole, Moment, Result, Tx,
        actor::{Membership, Platform, Recognised},
        journal, of, secret,
    },
};

/// A session lives as long as it is refreshed within this time.
const SESSION_DAYS: i64 = 30;

/// What the request showed to say who it is from.
pub enum Shown {
    Token(Claims),
    /// The digest of an API key.
    Key(String),
}

/// The caller behind what was shown, with the powers that this sign-in gives.
pub fn recognise(
    conn: &mut DbConn,
    shown: &Shown,
    now: Moment,
    require_totp: bool,
) -> Result<Recognised> {
    let refused = |code, why| Ok(Recognised::Refused { code, why });
    let (actor, second_factor) = match shown {
        Shown::Token(claims) => {
            let found = store::sessions::session(conn, claims.sid)?;
            let Some((session, account)) = found.filter(|(s, _)| s.account_id == claims.sub) else {
                return refused("token_invalid", "访问令牌无效，请重新登录。");
            };
            if session.revoked_at.is_some() || session.expires_at < now {
                return refused("session_revoked", "会话已结束，请重新登录。");
            }
            (person(conn, account, Some(session.id))?, session.second_factor)
        }
        Shown::Key(digest) => {
            let Some((key, organization)) = store::sessions::api_key_by_digest(conn, digest)?
            else {
                return refused("api_key_invalid", "API 密钥无效或已吊销。");
            };
            (program(&key, organization), false)
        }
    };
    let held = require_totp && !second_factor;
    Ok(Recognised::Known(Box::new(if held { rules::withhold(actor) } else { actor })))
}

/// Somebody who needs no session: whoever sits at the command line speaks for them.
pub fn actor_by_email(conn: &mut DbConn, email: &str) -> Result<Option<Actor>> {
    let account = store::people::by_email(conn, &email.trim().to_lowercase())?;
    account.map(|account| person(conn, account, None)).transpose()
}

/// Whoever ordered something that is done later, with the rights of now: nobody when the key they came with
/// has been revoked.
pub fn actor_again(
    conn: &mut DbConn,
    account: Id<of::Account>,
    key: Option<Id<of::ApiKey>>,
) -> Result<Option<Actor>> {
    match key {
        Some(key) => {
            let found = store::sessions::live_api_key(conn, key)?;
            Ok(found.map(|(key, organization)| program(&key, organization)))
        }
        None => {
            let account = store::people::account(conn, account)?;
            account.map(|account| person(conn, account, None)).transpose()
        }
    }
}

/// A program with a key of its organization.
fn program(key: &ApiKey, organization: Organization) -> Actor {
    let seat = Membership {
        organization: organization.id,
        kind: organization.kind,
        role: MemberRole::Member,
        verified: organization.is_verified(),
        region: organization.region_code,
    };
    Actor {
        account: key.created_by,
        session: None,
        api_key: Some(key.id),
        email_verified: true,
        second_factor_missing: false,
        memberships: vec![seat],
        platform: None,
    }
}

fn person(conn: &mut DbConn, account: Account, session: Option<Id<of::Session>>) -> Result<Actor> {
    let seats = store::people::seats(conn, account.id)?;
    Ok(Actor {
        account: account.id,
        session,
        api_key: None,
        email_verified: account.email_verified_at.is_some(),
        second_factor_missing: false,
        memberships: seats
            .into_iter()
            .map(|(role, o)| Membership {
                organization: o.id,
                kind: o.kind,
                role,
                verified: o.is_verified(),
                region: o.region_code,
            })
            .collect(),
        platform: account
            .platform_role
            .zip(account.platform_region)
            .map(|(role, region)| Platform { role, region }),
    })
}

/// What a password is checked against, read before the slow check and outside of any transaction.
pub struct Lock {
    account: Id<of::Account>,
    pub hash: String,
}

/// The lock of the account with this address in lower case, if there is one.
pub fn lock(conn: &mut DbConn, email: &str) -> Result<Option<Lock>> {
    let account = store::people::by_email(conn, email)?;
    Ok(account.map(|a| Lock { account: a.id, hash: a.password_hash }))
}

/// Opens a session for whoever has just opened `lock` with the password.
pub fn sign_in(
    tx: &mut Tx<'_>,
    keys: &Keys,
    lock: &Lock,
    totp: Option<&str>,
) -> Result<TokensView> {
    let account = store::people::account(tx, lock.account)?
        // the password may have been changed while the old one was being checked
        .filter(|a| a.password_hash == lock.hash)
        .ok_or(BAD_CREDENTIALS)?;
    let second_factor = match (account.second_factor(), totp) {
        (None, _) => false,
        (Some(_), None) => {
            return Err(Error::Unauthenticated {
                code: "totp_required",
                why: "该账号启用了动态口令：请在 totp 中填写验证器应用显示的 6 位数字。",
            });
        }
        (Some(sealed), Some(code)) => {
            if !spend_code(tx, keys, &account, sealed, code)? {
                return Err(TOTP_INVALID);
            }
            true
        }
    };
    let until = tx.now().plus_days(SESSION_DAYS);
    let session = store::sessions::open(tx, account.id, second_factor, until)?;
    let actor = format!("account:{}", account.id);
    let body = json!({ "session": session, "second_factor": second_factor });
    journal::record(tx, &actor, "session.opened", &actor, &body)?;
    tokens(tx, keys, account.id, session, until)
}

pub const BAD_CREDENTIALS: Error =
    Error::Unauthenticated { code: "bad_credentials", why: "邮箱或密码不正确。" };
const TOTP_INVALID: Error = Error::Unauthenticated {
    code: "totp_invalid",
    why: "动态口令不正确或已用过：请等待验证器应用显示下一个口令。",
};

fn tokens(
    tx: &mut Tx<'_>,
    keys: &Keys,
    account: Id<of::Account>,
    session: Id<of::Session>,
    until: Moment,
) -> Result<TokensView> {
    let refresh_token = secret::token()?;
    store::sessions::insert_refresh(tx, session, &secret::digest(&refresh_token), until)?;
    Ok(TokensView {
        access_token: keys.issue(account, session, tx.now())?,
        token_type: "Bearer",
        expires_in: ACCESS_SECONDS,
        refresh_token,
    })
}

/// Turns a refresh token into a new pair, once.
///
/// `Ok(Err(_))` refuses and must be committed all the same: a token that is shown twice was stolen
/// from one of the two who showed it, so its whole family ends.
pub fn refresh(tx: &mut Tx<'_>, keys: &Keys, token: &str) -> Result<Result<TokensView>> {
    let refuse = |code, why| Ok(Err(Error::Unauthenticated { code, why }));
    let digest = secret::digest(token);
    let Some(found) = store::sessions::refresh_token(tx, &digest)? else {
        return refuse("refresh_invalid", "刷新令牌无效，请重新登录。");
    };
    let Some((session, account)) = store::sessions::session(tx, found.session_id)? else {
        return refuse("refresh_invalid", "刷新令牌无效，请重新登录。");
    };
    if session.revoked_at.is_some() {
        return refuse("session_revoked", "会话已结束，请重新登录。");
    }
    let now = tx.now();
    if found.used_at.is_some() || !store::sessions::use_refresh(tx, &digest)? {
        store::sessions::revoke(tx, session.id)?;
        let subject = format!("account:{}", account.id);
        let body = json!({ "session": session.id });
        journal::record(tx, &subject, "session.reuse_detected", &subject, &body)?;
        return refuse(
            "refresh_reused",
            "刷新令牌已用过：为防盗用，本次登录的所有令牌已失效，请重新登录。",
        );
    }
    if found.expires_at < now || session.expires_at < now {
        return refuse("refresh_expired", "刷新令牌已过期，请重新登录。");
    }
    let until = now.plus_days(SESSION_DAYS);
    store::sessions::extend(tx, session.id, until)?;
    Ok(Ok(tokens(tx, keys, account.id, session.id, until)?))
}

/// Ends the session of this request, with its family of refresh tokens.
pub fn sign_out(tx: &mut Tx<'_>, actor: &Actor, session: Id<of::Session>) -> Result<()> {
    if store::sessions::revoke(tx, session)? {
        let subject = format!("account:{}", actor.account);
        let body = json!({ "session": session });
        journal::record(tx, &actor.name(), "session.closed", &subject, &body)?;
    }
    Ok(())
}

/// Makes a secret for an authenticator app; it counts once a code proves that the app has it.
pub fn begin_totp(tx: &mut Tx<'_>, actor: &Actor, keys: &Keys) -> Result<TotpView> {
    let account = own(tx, actor)?;
    if account.second_factor().is_some() {
        return Err(Error::conflict(
            "totp_enabled",
            "动态口令已启用；如需更换验证器，请先用 DELETE /me/totp 停用。",
        ));
    }
    let fresh = keys.fresh_totp(&account.email)?;
    store::people::set_totp(tx, account.id, Some(&fresh.sealed))?;
    journal::record(tx, &actor.name(), "account.totp_begun", &subject(actor), &json!({}))?;
    Ok(TotpView { secret: fresh.secret, otpauth_url: fresh.otpauth_url })
}

pub fn confirm_totp(
    tx: &mut Tx<'_>,
    actor: &Actor,
    keys: &Keys,
    code: &str,
) -> Result<SecondFactorView> {
    let account = own(tx, actor)?;
    let sealed = account.totp_secret.as_deref().filter(|_| account.second_factor().is_none());
    let Some(sealed) = sealed else {
        return Err(Error::conflict(
            "totp_not_begun",
            "没有待确认的动态口令：请先调用 POST /me/totp 取得密钥。",
        ));
    };
    if !spend_code(tx, keys, &account, sealed, code)? {
        return Err(wrong_code());
    }
    store::people::confirm_totp(tx, account.id)?;
    journal::record(tx, &actor.name(), "account.totp_enabled", &subject(actor), &json!({}))?;
    Ok(SecondFactorView { second_factor: true })
}

pub fn end_totp(tx: &mut Tx<'_>, actor: &Actor, keys: &Keys, code: &str) -> Result<()> {
    let account = own(tx, actor)?;
    let Some(sealed) = account.second_factor() else {
        return Err(Error::conflict("totp_not_enabled", "该账号没有启用动态口令。"));
    };
    if !spend_code(tx, keys, &account, sealed, code)? {
        return Err(wrong_code());
    }
    store::people::set_totp(tx, account.id, None)?;
    store::sessions::drop_second_factor(tx, account.id)?;
    journal::record(tx, &actor.name(), "account.totp_disabled", &subject(actor), &json!({}))
}

/// Whether `code` is right and was not used before; uses it up.
fn spend_code(
    tx: &mut Tx<'_>,
    keys: &Keys,
    account: &Account,
    sealed: &str,
    code: &str,
) -> Result<bool> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    match keys.totp_step(sealed, &code, tx.now())? {
        Some(step) => store::people::use_totp_step(tx, account.id, step),
        None => Ok(false),
    }
}

fn wrong_code() -> Error {
    Error::invalid(
        "/code",
        "totp_invalid",
        "动态口令不正确或已用过：请确认手机时间准确，并填写验证器应用显示的下一个口令。",
    )
}

fn own(conn: &mut DbConn, actor: &Actor) -> Result<Account> {
    store::people::account(conn, actor.account)?.ok_or(Error::NotFound("账号"))
}

fn subject(actor: &Actor) -> String {
    format!("account:{}", actor.account)
}
