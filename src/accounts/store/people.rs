//! Accounts and their one-time links.
use diesel::prelude::*;

use crate::{
    accounts::model::{Account, Link, LinkPurpose, Organization, Person, inputs::NewPerson},
    kernel::{
        DbConn, Error, Id, Lang, MemberRole, Moment, Result, Tx, actor::Platform,
        is_unique_violation, of,
    },
    schema::{accounts, links, memberships, organizations},
};

pub fn person(conn: &mut DbConn, id: Id<of::Account>) -> Result<Option<Person>> {
    Ok(Person::query().filter(accounts::id.eq(id)).first(conn).optional()?)
}

pub fn count(conn: &mut DbConn) -> Result<i64> {
    Ok(accounts::table.count().get_result(conn)?)
}

pub fn account(conn: &mut DbConn, id: Id<of::Account>) -> Result<Option<Account>> {
    Ok(Account::query().filter(accounts::id.eq(id)).first(conn).optional()?)
}

/// The account of an address in lower case.
pub fn by_email(conn: &mut DbConn, email: &str) -> Result<Option<Account>> {
    Ok(Account::query().filter(accounts::email.eq(email)).first(conn).optional()?)
}

/// The organizations that `account` belongs to, oldest membership first.
pub fn seats(
    conn: &mut DbConn,
    account: Id<of::Account>,
) -> Result<Vec<(MemberRole, Organization)>> {
    Ok(memberships::table
        .inner_join(organizations::table)
        .filter(memberships::account_id.eq(account))
        .order((memberships::created_at, memberships::organization_id))
        .select((memberships::role, Organization::as_select()))
        .load(conn)?)
}

/// What an account begins with.
pub struct NewAccount<'a> {
    pub person: &'a NewPerson,
    pub password_hash: &'a str,
    pub lang: Lang,
    pub email_verified_at: Option<Moment>,
    pub platform: Option<&'a Platform>,
}

pub fn insert(tx: &mut Tx<'_>, new: &NewAccount<'_>) -> Result<Id<of::Account>> {
    let id = Id::<of::Account>::fresh();
    let row = (
        accounts::id.eq(id),
        accounts::email.eq(&new.person.email),
        accounts::name.eq(&new.person.name),
        accounts::password_hash.eq(new.password_hash),
        accounts::lang.eq(new.lang),
        accounts::email_verified_at.eq(new.email_verified_at),
        accounts::platform_role.eq(new.platform.map(|p| p.role)),
        accounts::platform_region.eq(new.platform.map(|p| p.region.clone())),
        accounts::version.eq(1),
        accounts::created_at.eq(tx.now()),
    );
    match tx.savepoint(|conn| diesel::insert_into(accounts::table).values(row).execute(conn)) {
        Ok(_) => Ok(id),
        Err(cause) if is_unique_violation(&cause, &["accounts_email", "accounts.email"]) => Err(
            Error::conflict("email_taken", "该邮箱已注册：请直接登录，或通过“忘记密码”重设密码。"),
        ),
        Err(other) => Err(other.into()),
    }
}

/// Writes name and language over version `version`.
pub fn update_profile(tx: &mut Tx<'_>, account: &Account, name: &str, lang: Lang) -> Result<()> {
    let done = diesel::update(
        accounts::table
            .filter(accounts::id.eq(account.id).and(accounts::version.eq(account.version))),
    )
    .set((
        accounts::name.eq(name),
        accounts::lang.eq(lang),
        accounts::version.eq(accounts::version + 1),
    ))
    .execute(&mut **tx)?;
    if done == 0 { Err(Error::Stale) } else { Ok(()) }
}

/// Notes that the person reads this address; the first time counts.
pub fn set_email_verified(tx: &mut Tx<'_>, id: Id<of::Account>) -> Result<bool> {
    let now = tx.now();
    let done = diesel::update(
        accounts::table.filter(accounts::id.eq(id).and(accounts::email_verified_at.is_null())),
    )
    .set((accounts::email_verified_at.eq(now), accounts::version.eq(accounts::version + 1)))
    .execute(&mut **tx)?;
    Ok(done == 1)
}

pub fn set_password(tx: &mut Tx<'_>, id: Id<of::Account>, hash: &str) -> Result<()> {
    diesel::update(accounts::table.find(id))
        .set((accounts::password_hash.eq(hash), accounts::version.eq(accounts::version + 1)))
        .execute(&mut **tx)?;
    Ok(())
}

/// Keeps a sealed secret that is not confirmed yet, or with `None` forgets the second factor.
pub fn set_totp(tx: &mut Tx<'_>, id: Id<of::Account>, sealed: Option<&str>) -> Result<()> {
    diesel::update(accounts::table.find(id))
        .set((
            accounts::totp_secret.eq(sealed),
            accounts::totp_confirmed_at.eq(None::<Moment>),
            accounts::totp_last_step.eq(None::<i64>),
            accounts::version.eq(accounts::version + 1),
        ))
        .execute(&mut **tx)?;
    Ok(())
}

pub fn confirm_totp(tx: &mut Tx<'_>, id: Id<of::Account>) -> Result<()> {
    let now = tx.now();
    diesel::update(accounts::table.find(id))
        .set((accounts::totp_confirmed_at.eq(now), accounts::version.eq(accounts::version + 1)))
        .execute(&mut **tx)?;
    Ok(())
}

/// Takes `step` as used; false when it, or a later one, has been used before.
pub fn use_totp_step(tx: &mut Tx<'_>, id: Id<of::Account>, step: i64) -> Result<bool> {
    let unused = accounts::totp_last_step.is_null().or(accounts::totp_last_step.lt(step));
    let done = diesel::update(accounts::table.filter(accounts::id.eq(id)).filter(unused))
        .set(accounts::totp_last_step.eq(step))
        .execute(&mut **tx)?;
    Ok(done == 1)
}

/// Keeps the digest of a new link; older ones of the same purpose open nothing any more.
pub fn insert_link(
    tx: &mut Tx<'_>,
    account: Id<of::Account>,
    purpose: LinkPurpose,
    digest: &str,
) -> Result<()> {
    let now = tx.now();
    void_links(tx, account, purpose)?;
    let row = (
        links::digest.eq(digest),
        links::account_id.eq(account),
        links::purpose.eq(purpose),
        links::created_at.eq(now),
        links::expires_at.eq(now.plus_seconds(purpose.good_for_seconds())),
    );
    diesel::insert_into(links::table).values(row).execute(&mut **tx)?;
    Ok(())
}

pub fn void_links(tx: &mut Tx<'_>, account: Id<of::Account>, purpose: LinkPurpose) -> Result<()> {
    let old = links::table
        .filter(links::account_id.eq(account))
        .filter(links::purpose.eq(purpose))
        .filter(links::used_at.is_null());
    diesel::delete(old).execute(&mut **tx)?;
    Ok(())
}

pub fn link(conn: &mut DbConn, digest: &str) -> Result<Option<Link>> {
    Ok(Link::query().filter(links::digest.eq(digest)).first(conn).optional()?)
}

/// Takes the link as used; false when somebody else was faster.
pub fn use_link(tx: &mut Tx<'_>, digest: &str) -> Result<bool> {
    let now = tx.now();
    let done =
        diesel::update(links::table.filter(links::digest.eq(digest).and(links::used_at.is_null())))
            .set(links::used_at.eq(now))
            .execute(&mut **tx)?;
    Ok(done == 1)
}

/// Forgets links that expired before `before`.
pub fn forget_links(tx: &mut Tx<'_>, before: Moment) -> Result<usize> {
    Ok(diesel::delete(links::table.filter(links::expires_at.lt(before))).execute(&mut **tx)?)
}
