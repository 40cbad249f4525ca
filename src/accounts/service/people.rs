//! Accounts: registering, proving an address, forgetting a password, the own profile.
use serde_json::json;

use crate::{
    accounts::{
        credentials::NO_PASSWORD,
        model::{
            Link, LinkPurpose, OrganizationState, Person,
            inputs::{NewOrganization, NewPerson, ProfilePatch},
            views::{
                BrokerView, MeView, MembershipView, OrganizationView, PlatformView, RegisteredView,
            },
        },
        rules::password,
        store::{self, people::NewAccount},
    },
    kernel::{
        Actor, DbConn, Error, Id, IfMatch, Lang, MemberRole, Result, Tx, actor::Membership,
        journal, of, secret,
    },
};

/// A person and the organization that starts with him or her, waiting for an operator.
pub fn register(
    tx: &mut Tx<'_>,
    person: &NewPerson,
    organization: &NewOrganization,
    password_hash: &str,
    lang: Lang,
) -> Result<RegisteredView> {
    let new = NewAccount { person, password_hash, lang, email_verified_at: None, platform: None };
    let account = store::people::insert(tx, &new)?;
    let organization = store::organizations::insert(tx, organization, OrganizationState::Pending)?;
    store::organizations::insert_member(tx, organization.id, account, MemberRole::Admin)?;

    let subject = format!("account:{account}");
    let made = json!({ "organization": organization.id });
    journal::record(tx, &subject, "account.registered", &subject, &made)?;
    let about = format!("organization:{}", organization.id);
    let body = json!({ "account": account, "state": organization.state });
    journal::record(tx, &subject, "organization.registered", &about, &body)?;

    let actor = Actor {
        account,
        session: None,
        api_key: None,
        email_verified: false,
        second_factor_missing: false,
        memberships: vec![Membership {
            organization: organization.id,
            kind: organization.kind,
            role: MemberRole::Admin,
            region: organization.region_code.clone(),
            verified: false,
        }],
        platform: None,
    };
    Ok(RegisteredView {
        user: known(tx, account)?.into(),
        organization: OrganizationView::new(organization, Some(&actor)),
    })
}

fn known(conn: &mut DbConn, id: Id<of::Account>) -> Result<Person> {
    store::person(conn, id)?.ok_or(Error::NotFound("账号"))
}

/// A token for a one-time link, for whoever writes the mail: it exists nowhere else. Older links of the
/// same purpose open nothing any more.
pub fn mint_link(
    tx: &mut Tx<'_>,
    account: Id<of::Account>,
    purpose: LinkPurpose,
) -> Result<String> {
    let token = secret::token()?;
    store::people::insert_link(tx, account, purpose, &secret::digest(&token))?;
    Ok(token)
}

fn bad_link() -> Error {
    Error::invalid(
        "/token",
        "bad_link",
        "链接无效、已用过或已过期：请重新申请一封邮件，并使用其中最新的链接。",
    )
}

/// The living link behind `token`, when it is for one of `purposes`.
fn living(
    conn: &mut DbConn,
    token: &str,
    purposes: &[LinkPurpose],
    now: crate::kernel::Moment,
) -> Result<Link> {
    store::people::link(conn, &secret::digest(token))?
        .filter(|l| purposes.contains(&l.purpose) && l.used_at.is_none() && l.expires_at >= now)
        .ok_or_else(bad_link)
}

fn consume(tx: &mut Tx<'_>, token: &str, purposes: &[LinkPurpose]) -> Result<Link> {
    let now = tx.now();
    let link = living(tx, token, purposes, now)?;
    if store::people::use_link(tx, &secret::digest(token))? { Ok(link) } else { Err(bad_link()) }
}

pub fn verify_email(tx: &mut Tx<'_>, token: &str) -> Result<()> {
    let link = consume(tx, token, &[LinkPurpose::VerifyEmail])?;
    mark_verified(tx, link.account_id)
}

fn mark_verified(tx: &mut Tx<'_>, account: Id<of::Account>) -> Result<()> {
    if store::people::set_email_verified(tx, account)? {
        let subject = format!("account:{account}");
        journal::record(tx, &subject, "account.verified", &subject, &json!({}))?;
    }
    Ok(())
}

/// Asks for another verification mail.
pub fn resend_verification(tx: &mut Tx<'_>, actor: &Actor) -> Result<()> {
    if actor.email_verified {
        return Err(Error::conflict("already_verified", "邮箱已经验证过了。"));
    }
    let subject = format!("account:{}", actor.account);
    journal::record(tx, &actor.name(), "account.verification_requested", &subject, &json!({}))
}

/// Asks for a reset mail; an address that nobody has is answered the same and told nothing.
pub fn request_reset(tx: &mut Tx<'_>, email: &str) -> Result<()> {
    if let Some(account) = store::people::by_email(tx, email)? {
        let subject = format!("account:{}", account.id);
        let topic = "account.password_reset_requested";
        journal::record(tx, &subject, topic, &subject, &json!({}))?;
    }
    Ok(())
}

const SETS_PASSWORD: [LinkPurpose; 2] = [LinkPurpose::ResetPassword, LinkPurpose::AcceptInvitation];

/// Whether `chosen` may become the password of the account behind `token`: asked before it is hashed.
pub fn check_new_password(
    conn: &mut DbConn,
    token: &str,
    chosen: &str,
    now: crate::kernel::Moment,
) -> Result<()> {
    let link = living(conn, token, &SETS_PASSWORD, now)?;
    let person = known(conn, link.account_id)?;
    password::check("/password", chosen, &person.email, &person.name)
        .map_err(|fault| Error::Invalid(vec![fault]))
}

/// Sets the password, ends every session, and takes the address as verified: the link came by mail.
pub fn set_password(tx: &mut Tx<'_>, token: &str, password_hash: &str) -> Result<()> {
    let link = consume(tx, token, &SETS_PASSWORD)?;
    let account = link.account_id;
    store::people::set_password(tx, account, password_hash)?;
    for purpose in SETS_PASSWORD {
        store::people::void_links(tx, account, purpose)?;
    }
    let ended = store::sessions::revoke_all(tx, account)?;
    let subject = format!("account:{account}");
    let body = json!({ "by": link.purpose, "sessions_ended": ended });
    journal::record(tx, &subject, "account.password_changed", &subject, &body)?;
    mark_verified(tx, account)
}

/// The caller's own profile. A key sees the seat it speaks from, and no other of its maker's.
pub fn me(conn: &mut DbConn, actor: &Actor) -> Result<MeView> {
    let account = store::people::account(conn, actor.account)?.ok_or(Error::NotFound("账号"))?;
    let in_person = actor.api_key.is_none();
    let seats = store::people::seats(conn, account.id)?;
    let memberships = if in_person {
        seats.into_iter().map(|(role, o)| MembershipView { organization: o.into(), role }).collect()
    } else {
        let ids: Vec<_> = actor.memberships.iter().map(|m| m.organization).collect();
        let seats = store::organizations(conn, &ids)?.into_iter();
        seats.map(|o| MembershipView { organization: o.into(), role: MemberRole::Member }).collect()
    };
    let broker = match store::broker_of(conn, account.id)?.filter(|_| in_person) {
        Some(broker) => store::brokers::profile(conn, broker.id)?
            .map(|(b, name, agency)| BrokerView::new(b, name, agency, Some(actor))),
        None => None,
    };
    Ok(MeView {
        second_factor: account.second_factor().is_some(),
        second_factor_missing: actor.second_factor_missing,
        memberships,
        platform: account
            .platform_role
            .zip(account.platform_region.clone())
            .filter(|_| in_person)
            .map(|(role, region_code)| PlatformView { role, region_code }),
        broker,
        version: account.version,
        user: known(conn, account.id)?.into(),
    })
}

pub fn edit_me(
    tx: &mut Tx<'_>,
    actor: &Actor,
    patch: ProfilePatch,
    seen: IfMatch,
) -> Result<MeView> {
    let account = store::people::account(tx, actor.account)?.ok_or(Error::NotFound("账号"))?;
    seen.check(account.version)?;
    let changed: Vec<_> = [
        ("name", patch.name.as_ref().is_some_and(|name| *name != account.name)),
        ("lang", patch.lang.is_some_and(|lang| lang != account.lang)),
    ]
    .into_iter()
    .filter_map(|(field, changes)| changes.then_some(field))
    .collect();
    if !changed.is_empty() {
        let name = patch.name.as_deref().unwrap_or(&account.name);
        let lang = patch.lang.unwrap_or(account.lang);
        store::people::update_profile(tx, &account, name, lang)?;
        let subject = format!("account:{}", account.id);
        let body = json!({ "changed": changed });
        journal::record(tx, &actor.name(), "account.changed", &subject, &body)?;
    }
    me(tx, actor)
}

/// The account of `person`, made without a password when there is none; true when it has none yet, so
/// that an invitation is due.
pub(super) fn find_or_invite(
    tx: &mut Tx<'_>,
    person: &NewPerson,
) -> Result<(Id<of::Account>, bool)> {
    if let Some(account) = store::people::by_email(tx, &person.email)? {
        return Ok((account.id, account.password_hash == NO_PASSWORD));
    }
    let new = NewAccount {
        person,
        password_hash: NO_PASSWORD,
        lang: Lang::Zh,
        email_verified_at: None,
        platform: None,
    };
    Ok((store::people::insert(tx, &new)?, true))
}
