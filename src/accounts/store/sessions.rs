//! Sessions, refresh tokens, API keys: what recognises a caller.
use diesel::prelude::*;

use crate::{
    accounts::model::{Account, ApiKey, Organization, RefreshToken, Session},
    kernel::{After, DbConn, Id, Moment, Result, Tx, Window, of},
    schema::{accounts, api_keys, organizations, refresh_tokens, sessions},
};

pub fn session(conn: &mut DbConn, id: Id<of::Session>) -> Result<Option<(Session, Account)>> {
    Ok(sessions::table
        .inner_join(accounts::table)
        .filter(sessions::id.eq(id))
        .select((Session::as_select(), Account::as_select()))
        .first(conn)
        .optional()?)
}

pub fn open(
    tx: &mut Tx<'_>,
    account: Id<of::Account>,
    second_factor: bool,
    until: Moment,
) -> Result<Id<of::Session>> {
    let id = Id::<of::Session>::fresh();
    let row = (
        sessions::id.eq(id),
        sessions::account_id.eq(account),
        sessions::second_factor.eq(second_factor),
        sessions::created_at.eq(tx.now()),
        sessions::expires_at.eq(until),
    );
    diesel::insert_into(sessions::table).values(row).execute(&mut **tx)?;
    Ok(id)
}

pub fn extend(tx: &mut Tx<'_>, id: Id<of::Session>, until: Moment) -> Result<()> {
    diesel::update(sessions::table.find(id))
        .set(sessions::expires_at.eq(until))
        .execute(&mut **tx)?;
    Ok(())
}

/// Ends one session; false when it had ended before.
pub fn revoke(tx: &mut Tx<'_>, id: Id<of::Session>) -> Result<bool> {
    let now = tx.now();
    let live = sessions::table.filter(sessions::id.eq(id).and(sessions::revoked_at.is_null()));
    Ok(diesel::update(live).set(sessions::revoked_at.eq(now)).execute(&mut **tx)? == 1)
}

/// Ends every session of `account`; answers how many were open.
pub fn revoke_all(tx: &mut Tx<'_>, account: Id<of::Account>) -> Result<usize> {
    let now = tx.now();
    let live = sessions::table
        .filter(sessions::account_id.eq(account).and(sessions::revoked_at.is_null()));
    Ok(diesel::update(live).set(sessions::revoked_at.eq(now)).execute(&mut **tx)?)
}

/// What was signed in with a second factor counts as signed in without one from now on.
pub fn drop_second_factor(tx: &mut Tx<'_>, account: Id<of::Account>) -> Result<()> {
    diesel::update(sessions::table.filter(sessions::account_id.eq(account)))
        .set(sessions::second_factor.eq(false))
        .execute(&mut **tx)?;
    Ok(())
}

pub fn insert_refresh(
    tx: &mut Tx<'_>,
    session: Id<of::Session>,
    digest: &str,
    until: Moment,
) -> Result<()> {
    let row = (
        refresh_tokens::digest.eq(digest),
        refresh_tokens::session_id.eq(session),
        refresh_tokens::created_at.eq(tx.now()),
        refresh_tokens::expires_at.eq(until),
    );
    diesel::insert_into(refresh_tokens::table).values(row).execute(&mut **tx)?;
    Ok(())
}

pub fn refresh_token(conn: &mut DbConn, digest: &str) -> Result<Option<RefreshToken>> {
    Ok(RefreshToken::query().filter(refresh_tokens::digest.eq(digest)).first(conn).optional()?)
}

/// Takes the token as used; false when it was used before.
pub fn use_refresh(tx: &mut Tx<'_>, digest: &str) -> Result<bool> {
    let now = tx.now();
    let unused = refresh_tokens::table
        .filter(refresh_tokens::digest.eq(digest).and(refresh_tokens::used_at.is_null()));
    Ok(diesel::update(unused).set(refresh_tokens::used_at.eq(now)).execute(&mut **tx)? == 1)
}

/// Forgets sessions that ended before `before`, with their tokens; answers how many.
pub fn forget(tx: &mut Tx<'_>, before: Moment, most: i64) -> Result<usize> {
    let old: Vec<Id<of::Session>> = sessions::table
        .filter(sessions::expires_at.lt(before))
        .order(sessions::expires_at)
        .limit(most)
        .select(sessions::id)
        .load(&mut **tx)?;
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::session_id.eq_any(&old)))
        .execute(&mut **tx)?;
    Ok(diesel::delete(sessions::table.filter(sessions::id.eq_any(&old))).execute(&mut **tx)?)
}

/// The living key behind a digest, and its organization.
pub fn api_key_by_digest(
    conn: &mut DbConn,
    digest: &str,
) -> Result<Option<(ApiKey, Organization)>> {
    Ok(api_keys::table
        .inner_join(organizations::table)
        .filter(api_keys::digest.eq(digest).and(api_keys::revoked_at.is_null()))
        .select((ApiKey::as_select(), Organization::as_select()))
        .first(conn)
        .optional()?)
}

/// A key that has not been revoked, with its organization.
pub fn live_api_key(
    conn: &mut DbConn,
    id: Id<of::ApiKey>,
) -> Result<Option<(ApiKey, Organization)>> {
    Ok(api_keys::table
        .inner_join(organizations::table)
        .filter(api_keys::id.eq(id).and(api_keys::revoked_at.is_null()))
        .select((ApiKey::as_select(), Organization::as_select()))
        .first(conn)
        .optional()?)
}

pub fn api_key(
    conn: &mut DbConn,
    organization: Id<of::Organization>,
    id: Id<of::ApiKey>,
) -> Result<Option<ApiKey>> {
    Ok(ApiKey::query()
        .filter(api_keys::id.eq(id).and(api_keys::organization_id.eq(organization)))
        .first(conn)
        .optional()?)
}

pub fn insert_api_key(tx: &mut Tx<'_>, key: &ApiKey, digest: &str) -> Result<()> {
    let row = (
        api_keys::id.eq(key.id),
        api_keys::organization_id.eq(key.organization_id),
        api_keys::created_by.eq(key.created_by),
        api_keys::name.eq(&key.name),
        api_keys::prefix.eq(&key.prefix),
        api_keys::digest.eq(digest),
        api_keys::created_at.eq(key.created_at),
    );
    diesel::insert_into(api_keys::table).values(row).execute(&mut **tx)?;
    Ok(())
}

/// Ends a key; false when it had ended before.
pub fn revoke_api_key(tx: &mut Tx<'_>, id: Id<of::ApiKey>) -> Result<bool> {
    let now = tx.now();
    let live = api_keys::table.filter(api_keys::id.eq(id).and(api_keys::revoked_at.is_null()));
    Ok(diesel::update(live).set(api_keys::revoked_at.eq(now)).execute(&mut **tx)? == 1)
}

/// Ends the keys that `account` made for `organization` and may remember; answers which.
pub fn revoke_api_keys_of(
    tx: &mut Tx<'_>,
    organization: Id<of::Organization>,
    account: Id<of::Account>,
) -> Result<Vec<Id<of::ApiKey>>> {
    let keys: Vec<Id<of::ApiKey>> = api_keys::table
        .filter(api_keys::organization_id.eq(organization))
        .filter(api_keys::created_by.eq(account).and(api_keys::revoked_at.is_null()))
        .select(api_keys::id)
        .load(&mut **tx)?;
    for key in &keys {
        revoke_api_key(tx, *key)?;
    }
    Ok(keys)
}

/// Keys of an organization, newest first, one more than the window shows.
pub fn api_keys(
    conn: &mut DbConn,
    organization: Id<of::Organization>,
    window: &Window<After<of::ApiKey>>,
) -> Result<(Vec<ApiKey>, i64)> {
    let mine = || api_keys::table.filter(api_keys::organization_id.eq(organization));
    let total = mine().count().get_result(conn)?;
    let mut rows = mine()
        .order((api_keys::created_at.desc(), api_keys::id.desc()))
        .limit(window.limit + 1)
        .select(ApiKey::as_select())
        .into_boxed();
    if let Some(after) = &window.after {
        rows = rows.filter(
            api_keys::created_at
                .lt(after.at)
                .or(api_keys::created_at.eq(after.at).and(api_keys::id.lt(after.id))),
        );
    }
    Ok((rows.load(conn)?, total))
}
