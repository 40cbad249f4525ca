//! What people can do with achievements. Each function is one transaction, or a part of one.
use std::collections::BTreeMap;

use chrono::Datelike;
use serde_json::json;

use super::{
    model::{Achievement, AchievementDraft, AchievementPatch, AchievementView, Birth},
    rules, store,
};
use crate::{
    accounts::{self, model::Organization},
    kernel::{
        Actor, After, Day, DbConn, Error, Id, IfMatch, JsonText, Moment, Page, Result, Task, Tx,
        Window, journal, of,
    },
    markets::{
        listing::{
            self, Kind, ListQuery, Owner, Scope, Stance, Turn, VersionView, VersionsQuery, Wish,
        },
        publication::{Act, Move, Side, State, decide},
        twins::{
            self,
            model::{ListingKind, Twin},
        },
    },
};

const KIND: Kind = Kind { slug: "achievement", noun: "成果" };
const REVIEW: (&str, &str, &str) = ("review_achievement", "审核", "approve");
const REVISE: (&str, &str, &str) = ("revise_achievement", "修改被退回的", "submit");

/// Whether this caller may see it.
pub fn is_visible(actor: Option<&Actor>, row: &Achievement) -> bool {
    rules::stance(actor, row).is_inside() || rules::is_shown(row)
}

/// Whether this caller speaks for its owner.
pub fn may_act_for(actor: &Actor, row: &Achievement) -> bool {
    actor.is_member(row.organization_id)
}

/// The listing, when the caller sees it and may do `wish` with it.
fn see(
    conn: &mut DbConn,
    actor: Option<&Actor>,
    id: Id<of::Achievement>,
    wish: Wish,
) -> Result<(Achievement, Stance)> {
    let row = store::find(conn, id)?.ok_or(Error::NotFound(KIND.noun))?;
    let stance = rules::stance(actor, &row);
    listing::require(KIND.noun, stance, wish, row.state, rules::is_shown(&row))?;
    Ok((row, stance))
}

fn owner_of(conn: &mut DbConn, row: &Achievement) -> Result<Organization> {
    let owner = accounts::organization(conn, row.organization_id)?;
    owner.ok_or_else(|| anyhow::anyhow!("achievement {} has no owner", row.id).into())
}

pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    content: AchievementDraft,
) -> Result<AchievementView> {
    let row = draft(tx, actor, content)?;
    let owner = owner_of(tx, &row)?;
    view(tx, row, owner, Stance::Owner)
}

/// What [`draft`] would refuse.
pub fn check_draft(actor: &Actor, content: &AchievementDraft, today: Day) -> Result<()> {
    rules::check(content, None, today)?;
    listing::speaks_for(actor, content.organization_id, &rules::OWNERS).map(drop)
}

/// Writes a draft down.
pub fn draft(tx: &mut Tx<'_>, actor: &Actor, content: AchievementDraft) -> Result<Achievement> {
    check_draft(actor, &content, tx.now().day())?;
    let member = listing::speaks_for(actor, content.organization_id, &rules::OWNERS)?;
    let birth = Birth {
        organization: member.organization,
        account: actor.account,
        region: member.region.clone(),
        at: tx.now(),
    };
    let row = Achievement::new(birth, content)?;
    store::insert(tx, &row)?;
    KIND.created(tx, &actor.name(), row.id, row.organization_id)?;
    Ok(row)
}

/// Loads an achievement that has been public since `at`, for histories that are loaded whole.
pub fn create_published(
    tx: &mut Tx<'_>,
    owner: &Organization,
    account: Id<of::Account>,
    content: AchievementDraft,
    at: Moment,
) -> Result<Id<of::Achievement>> {
    tx.at(at, |tx| {
        rules::check(&content, None, at.day())?;
        let by = format!("account:{account}");
        let birth =
            Birth { organization: owner.id, account, region: owner.region_code.clone(), at };
        let step = listing::rule(Stance::Owner, State::Draft, true, &Turn::submit(true))?;
        let row = numbered(tx, Achievement::new(birth, content)?)?;
        let row = store::insert_moved(tx, row, &step)?;
        KIND.created(tx, &by, row.id, row.organization_id)?;
        let content = serde_json::to_value(row.content())?;
        store::keep_version(tx, row.id, row.version, account, &[], &content)?;
        KIND.moved(tx, &by, row.id, &step, row.version)?;
        Ok(row.id)
    })
}

pub fn get(
    conn: &mut DbConn,
    actor: Option<&Actor>,
    id: Id<of::Achievement>,
) -> Result<AchievementView> {
    let (row, stance) = see(conn, actor, id, Wish::Read)?;
    let owner = owner_of(conn, &row)?;
    view(conn, row, owner, stance)
}

/// The listing as its page shows it.
fn view(
    conn: &mut DbConn,
    row: Achievement,
    owner: Organization,
    stance: Stance,
) -> Result<AchievementView> {
    let same_as = Some(twins_of(conn, row.id)?);
    Ok(AchievementView { same_as, ..AchievementView::of(row, Some(owner.into()), stance) })
}

/// What the public may know of the same thing in other branch markets.
fn twins_of(conn: &mut DbConn, id: Id<of::Achievement>) -> Result<Vec<Twin>> {
    let ids = twins::store::confirmed(conn, ListingKind::Achievement, id.as_str())?;
    let ids: Vec<_> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let mut rows = store::find_many(conn, &ids)?;
    rows.retain(|row| row.state == State::Published);
    rows.sort_by_key(|row| row.id);
    let twin = |row: Achievement| Twin {
        id: row.id.to_string(),
        title: row.title,
        region_code: row.region_code,
    };
    Ok(rows.into_iter().map(twin).collect())
}

pub fn list(
    conn: &mut DbConn,
    actor: Option<&Actor>,
    query: &ListQuery,
) -> Result<Page<AchievementView>> {
    let scope = Scope::of(actor, query)?;
    let window = Window::<After<of::Achievement>>::read(query.limit, query.cursor.as_deref())?;
    let (rows, total) = store::list(conn, &scope, &window)?;
    let page = window.page(rows, total, |row| After { at: row.created_at, id: row.id })?;
    let ids: Vec<_> = page.items.iter().map(|row| row.organization_id).collect();
    let owners: BTreeMap<_, _> =
        accounts::organizations(conn, &ids)?.into_iter().map(|o| (o.id, o)).collect();
    Ok(page.map(|row| {
        let owner = owners.get(&row.organization_id).cloned().map(Owner::from);
        let stance = rules::stance(actor, &row);
        AchievementView::of(row, owner, stance)
    }))
}

/// Changes what the owner says. Every change of a published listing is a new version.
pub fn edit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Achievement>,
    seen: IfMatch,
    patch: AchievementPatch,
) -> Result<AchievementView> {
    let (row, stance) = see(tx, Some(actor), id, Wish::Edit)?;
    seen.check(row.version)?;
    let owner = owner_of(tx, &row)?;
    if row.state == State::Published {
        listing::require_verified(owner.is_verified())?;
    }
    let before = row.content();
    let after = patch.onto(before.clone());
    rules::check(&after, before.expires_on, tx.now().day())?;
    let content = serde_json::to_value(&after)?;
    let changed = listing::changed(&serde_json::to_value(&before)?, &content);
    if changed.is_empty() {
        return view(tx, row, owner, stance);
    }
    let row = store::edit(tx, row.with(after)?)?;
    if row.state == State::Published {
        store::keep_version(tx, id, row.version, actor.account, &changed, &content)?;
    }
    KIND.changed(tx, &actor.name(), row.id, (row.state, row.version), &changed)?;
    view(tx, row, owner, stance)
}

/// Throws a draft away. What was public once stays, because deals and the journal speak of it.
pub fn delete(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Achievement>,
    seen: IfMatch,
) -> Result<()> {
    let (row, _) = see(tx, Some(actor), id, Wish::Delete)?;
    seen.check(row.version)?;
    if row.published_at.is_some() {
        return Err(Error::conflict("was_published", "曾经发布过的成果不能删除。"));
    }
    store::delete(tx, &row)?;
    journal::record(tx, &actor.name(), "achievement.deleted", &KIND.subject(id), &json!({}))
}

/// Takes the listing one step further on behalf of `actor`.
pub fn advance(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Achievement>,
    seen: IfMatch,
    turn: Turn,
) -> Result<AchievementView> {
    let (row, stance) = see(tx, Some(actor), id, Wish::Read)?;
    seen.check(row.version)?;
    let owner = owner_of(tx, &row)?;
    let step = listing::rule(stance, row.state, owner.is_verified(), &turn)?;
    let row = carry_out(tx, &actor.name(), actor.account, row, turn, &step)?;
    view(tx, row, owner, stance)
}

/// Does what `step` means for the row, its versions and the journal.
fn carry_out(
    tx: &mut Tx<'_>,
    by: &str,
    account: Id<of::Account>,
    mut row: Achievement,
    turn: Turn,
    step: &Move,
) -> Result<Achievement> {
    match step.act() {
        Act::Return | Act::Suspend | Act::Hold | Act::Release => {
            row.reasons = JsonText::of(turn.reasons)?
        }
        Act::Renew => row.expires_on = turn.until,
        Act::Submit | Act::Approve | Act::Withdraw | Act::Expire => {}
    }
    row.held = step.act() == Act::Hold;
    // what comes back with its owner may have run out meanwhile: the clock sees to it
    if matches!(step.to(), State::InReview | State::Published) && step.act() != Act::Release {
        listing::require_open(row.expires_on, tx.now().day())?;
    }
    if step.to() == State::Published && !matches!(step.act(), Act::Renew | Act::Release) {
        row.published_at = Some(tx.now());
        row.reasons = JsonText::of(Vec::new())?;
    }
    if step.to() == State::Published {
        row = numbered(tx, row)?;
    }
    let row = store::apply(tx, row, step)?;
    if step.to() == State::Published {
        keep_published(tx, account, &row)?;
    }
    KIND.moved(tx, by, row.id, step, row.version)?;
    Ok(row)
}

/// The row with its registration number, given once.
fn numbered(tx: &mut Tx<'_>, row: Achievement) -> Result<Achievement> {
    if row.achievement_no.is_some() {
        return Ok(row);
    }
    let (place, year) = (rules::place(&row.region_code), tx.now().day().year());
    let serial = store::next_serial(tx, &place, i64::from(year))?;
    Ok(Achievement { achievement_no: rules::achievement_no(&place, year, serial), ..row })
}

/// Keeps what the public is shown from now on, unless it was shown the same before.
fn keep_published(tx: &mut Tx<'_>, account: Id<of::Account>, row: &Achievement) -> Result<()> {
    let content = serde_json::to_value(row.content())?;
    let last = store::last_content(tx, row.id)?;
    let Some(changed) = listing::changed_since(last.as_deref(), &content)? else { return Ok(()) };
    store::keep_version(tx, row.id, row.version, account, &changed, &content)
}

/// Who changed what, newest first.
pub fn versions(
    conn: &mut DbConn,
    actor: &Actor,
    id: Id<of::Achievement>,
    query: &VersionsQuery,
) -> Result<Page<VersionView>> {
    see(conn, Some(actor), id, Wish::History)?;
    let window = Window::<i64>::read(query.limit, query.cursor.as_deref())?;
    let (rows, total) = store::versions(conn, id, window.after, window.limit)?;
    let page = window.page(rows, total, |row| row.version)?;
    listing::version_views(page, |account| {
        Ok(accounts::person(conn, account)?.map(|person| person.name).unwrap_or_default())
    })
}

/// Lets what is past its last day expire; answers how many that were, 200 at most.
pub fn tick(tx: &mut Tx<'_>) -> Result<usize> {
    let today = tx.now().day();
    let rows = store::overdue(tx, today)?;
    let count = rows.len();
    for row in rows {
        let step = decide(row.state, Side::Clock, Act::Expire, false)
            .map_err(|refusal| anyhow::anyhow!("expiring {}: {refusal:?}", row.id))?;
        let account = row.created_by;
        carry_out(tx, journal::CLOCK, account, row, Turn::plain(Act::Expire), &step)?;
    }
    Ok(count)
}

/// Takes what `owner` has published down when it is suspended, and back when it is verified again.
pub fn follow_owner(tx: &mut Tx<'_>, owner: Id<of::Organization>) -> Result<()> {
    let Some(organization) = accounts::organization(tx, owner)? else { return Ok(()) };
    let verified = organization.is_verified();
    loop {
        let (step, _) = listing::follow(verified)?;
        let rows = store::of_owner(tx, owner, step.from(), verified)?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            let (step, turn) = listing::follow(verified)?;
            let account = row.created_by;
            carry_out(tx, journal::CLOCK, account, row, turn, &step)?;
        }
    }
}

/// What waits for the caller: reviews for operators, returned drafts for owners.
pub fn tasks(conn: &mut DbConn, actor: &Actor) -> Result<Vec<Task>> {
    let mut tasks = Vec::new();
    if let Some(platform) = actor.platform.as_ref().filter(|_| actor.is_operator()) {
        let mut waiting = store::in_review(conn, &platform.region)?;
        waiting.retain(|row| rules::stance(Some(actor), row) == Stance::Operator);
        tasks.extend(waiting.iter().map(|row| KIND.task(row.id, &row.title, REVIEW)));
    }
    let owners: Vec<_> = actor.memberships.iter().map(|m| m.organization).collect();
    let returned = store::returned(conn, &owners)?;
    tasks.extend(returned.iter().map(|row| KIND.task(row.id, &row.title, REVISE)));
    Ok(tasks)
}
