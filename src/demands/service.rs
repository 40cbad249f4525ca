//! What people can do with demands. Each function is one transaction, or a part of one.
use std::collections::BTreeMap;

use serde_json::json;

use super::{
    diagnosis::{self, advice, reading::Asked},
    model::{Birth, Demand, DemandDraft, DemandPatch, DemandView, Visibility},
    rules, store,
};
use crate::{
    accounts::{
        self,
        model::{Broker, BrokerState, Organization},
    },
    kernel::{
        Actor, After, Code, Day, DbConn, Error, Faults, Id, IfMatch, JsonText, Moment,
        OrganizationKind, Page, Result, Task, Tx, Window, journal, of,
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

const KIND: Kind = Kind { slug: "demand", noun: "需求" };
const REVIEW: (&str, &str, &str) = ("review_demand", "审核", "approve");
const REVISE: (&str, &str, &str) = ("revise_demand", "修改被退回的", "submit");

/// Whether this caller may see it.
pub fn is_visible(conn: &mut DbConn, actor: Option<&Actor>, row: &Demand) -> Result<bool> {
    Ok(stance(actor, row).is_inside() || shown_to(conn, actor, row)? != Shown::Not)
}

pub(super) fn stance(actor: Option<&Actor>, row: &Demand) -> Stance {
    rules::stance(actor, row)
}

/// How a demand is shown to somebody who neither owns nor oversees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Not,
    /// As to everyone, without the owner where it is masked.
    Publicly,
    /// With its owner: to readers, and to the broker whom the owner let in for a diagnosis.
    InTrust,
}

fn shown_to(conn: &mut DbConn, actor: Option<&Actor>, row: &Demand) -> Result<Shown> {
    let plainly = rules::is_shown(row, None);
    if let (true, Visibility::Public) = (plainly, row.visibility) {
        return Ok(Shown::Publicly);
    }
    if let Some(actor) = actor {
        let mine: Vec<_> = actor.memberships.iter().map(|m| m.organization).collect();
        if rules::is_shown_to_readers(row.state) && store::is_reader(conn, row.id, &mine)? {
            return Ok(Shown::InTrust);
        }
        if let Some(broker) = broker_of(conn, Some(actor))? {
            if diagnosis::store::is_let_in(conn, row.id, broker)? {
                return Ok(Shown::InTrust);
            }
            if rules::is_shown(row, Some(broker)) {
                return Ok(Shown::Publicly);
            }
        }
    }
    Ok(if plainly { Shown::Publicly } else { Shown::Not })
}

/// Lets `organization` in on the demand from now on, whatever its visibility: it was asked to talk about
/// it, or asked itself, and both agreed.
pub fn admit(
    tx: &mut Tx<'_>,
    demand: Id<of::Demand>,
    organization: Id<of::Organization>,
) -> Result<()> {
    store::admit(tx, demand, organization)
}

/// The caller's broker profile, when it is verified and still works for its agency.
pub(super) fn broker_of(
    conn: &mut DbConn,
    actor: Option<&Actor>,
) -> Result<Option<Id<of::Broker>>> {
    let Some(actor) = actor else { return Ok(None) };
    let broker = accounts::broker_of(conn, actor.account)?;
    let works = |b: &Broker| {
        b.state == BrokerState::Verified
            && actor.membership(b.organization_id).is_some_and(|agency| agency.verified)
    };
    Ok(broker.filter(works).map(|b| b.id))
}

/// Refuses brokers that nobody has verified, by their place in the list.
fn check_brokers(conn: &mut DbConn, ids: &[Id<of::Broker>]) -> Result<()> {
    let mut faults = Faults::default();
    for (at, id) in ids.iter().enumerate() {
        let known = accounts::broker(conn, *id)?.is_some_and(|b| b.state == BrokerState::Verified);
        faults.check(
            known,
            &format!("/broker_ids/{at}"),
            "unknown_broker",
            "没有这样的已核验技术经纪人。",
        );
    }
    faults.finish()
}

/// Whether this caller speaks for its owner.
pub fn may_act_for(actor: &Actor, row: &Demand) -> bool {
    actor.is_member(row.organization_id)
}

/// The listing, when the caller sees it and may do `wish` with it; and whether in trust.
fn see(
    conn: &mut DbConn,
    actor: Option<&Actor>,
    id: Id<of::Demand>,
    wish: Wish,
) -> Result<(Demand, Stance, bool)> {
    let row = store::find(conn, id)?.ok_or(Error::NotFound(KIND.noun))?;
    let stance = stance(actor, &row);
    let shown = if stance.is_inside() { Shown::InTrust } else { shown_to(conn, actor, &row)? };
    listing::require(KIND.noun, stance, wish, row.state, shown != Shown::Not)?;
    Ok((row, stance, shown == Shown::InTrust))
}

/// The demand and what the caller is to it, when the caller sees it.
pub(super) fn seen(
    conn: &mut DbConn,
    actor: Option<&Actor>,
    id: Id<of::Demand>,
) -> Result<(Demand, Stance)> {
    let (row, stance, _) = see(conn, actor, id, Wish::Read)?;
    Ok((row, stance))
}

fn owner_of(conn: &mut DbConn, row: &Demand) -> Result<Organization> {
    let owner = accounts::organization(conn, row.organization_id)?;
    owner.ok_or_else(|| anyhow::anyhow!("demand {} has no owner", row.id).into())
}

pub fn create(tx: &mut Tx<'_>, actor: &Actor, content: DemandDraft) -> Result<DemandView> {
    let row = draft(tx, actor, content)?;
    let owner = owner_of(tx, &row)?;
    view(tx, row, owner, (Stance::Owner, true))
}

/// What [`draft`] would refuse.
pub fn check_draft(
    conn: &mut DbConn,
    actor: &Actor,
    content: &DemandDraft,
    today: Day,
) -> Result<()> {
    rules::check(content, None, today)?;
    check_brokers(conn, &content.broker_ids)?;
    listing::speaks_for(actor, content.organization_id, OrganizationKind::ALL).map(drop)
}

/// Writes a draft down.
pub fn draft(tx: &mut Tx<'_>, actor: &Actor, content: DemandDraft) -> Result<Demand> {
    let today = tx.now().day();
    check_draft(tx, actor, &content, today)?;
    let member = listing::speaks_for(actor, content.organization_id, OrganizationKind::ALL)?;
    let birth = Birth {
        organization: member.organization,
        account: actor.account,
        region: member.region.clone(),
        at: tx.now(),
    };
    let row = Demand::new(birth, content)?;
    store::insert(tx, &row)?;
    KIND.created(tx, &actor.name(), row.id, row.organization_id)?;
    Ok(row)
}

/// Loads a demand that has been public since `at`, for histories that are loaded whole.
pub fn create_published(
    tx: &mut Tx<'_>,
    owner: &Organization,
    account: Id<of::Account>,
    content: DemandDraft,
    at: Moment,
) -> Result<Id<of::Demand>> {
    tx.at(at, |tx| {
        rules::check(&content, None, at.day())?;
        let by = format!("account:{account}");
        let birth =
            Birth { organization: owner.id, account, region: owner.region_code.clone(), at };
        let step = listing::rule(Stance::Owner, State::Draft, true, &Turn::submit(true))?;
        let row = store::insert_moved(tx, Demand::new(birth, content)?, &step)?;
        KIND.created(tx, &by, row.id, row.organization_id)?;
        let content = serde_json::to_value(row.content())?;
        store::keep_version(tx, row.id, row.version, account, &[], &content)?;
        KIND.moved(tx, &by, row.id, &step, row.version)?;
        Ok(row.id)
    })
}

pub fn get(conn: &mut DbConn, actor: Option<&Actor>, id: Id<of::Demand>) -> Result<DemandView> {
    let (row, stance, trusted) = see(conn, actor, id, Wish::Read)?;
    let owner = owner_of(conn, &row)?;
    view(conn, row, owner, (stance, trusted))
}

/// The listing as its page shows it.
fn view(
    conn: &mut DbConn,
    row: Demand,
    owner: Organization,
    (stance, trusted): (Stance, bool),
) -> Result<DemandView> {
    let same_as = Some(twins_of(conn, row.id)?);
    Ok(DemandView { same_as, ..DemandView::of(row, Some(owner.into()), stance, trusted) })
}

/// What the public may know of the same thing in other branch markets.
fn twins_of(conn: &mut DbConn, id: Id<of::Demand>) -> Result<Vec<Twin>> {
    let ids = twins::store::confirmed(conn, ListingKind::Demand, id.as_str())?;
    let ids: Vec<_> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let mut rows = store::find_many(conn, &ids)?;
    rows.retain(|row| row.state == State::Published && row.visibility != Visibility::Private);
    rows.sort_by_key(|row| row.id);
    let twin = |row: Demand| Twin {
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
) -> Result<Page<DemandView>> {
    let scope = Scope::of(actor, query)?;
    let window = Window::<After<of::Demand>>::read(query.limit, query.cursor.as_deref())?;
    let broker = broker_of(conn, actor)?;
    let (rows, total) = store::list(conn, &scope, broker, &window)?;
    let page = window.page(rows, total, |row| After { at: row.created_at, id: row.id })?;
    let ids: Vec<_> = page.items.iter().map(|row| row.organization_id).collect();
    let owners: BTreeMap<_, _> =
        accounts::organizations(conn, &ids)?.into_iter().map(|o| (o.id, o)).collect();
    Ok(page.map(|row| {
        let owner = owners.get(&row.organization_id).cloned().map(Owner::from);
        let stance = rules::stance(actor, &row);
        DemandView::of(row, owner, stance, false)
    }))
}

/// Changes what the owner says. Every change of a published listing is a new version.
pub fn edit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Demand>,
    seen: IfMatch,
    patch: DemandPatch,
) -> Result<DemandView> {
    let (row, stance, _) = see(tx, Some(actor), id, Wish::Edit)?;
    seen.check(row.version)?;
    let owner = owner_of(tx, &row)?;
    let after = patch.onto(row.content());
    let row = change(tx, actor, row, after)?;
    view(tx, row, owner, (stance, true))
}

/// Writes other content in the name of the owner, when it is one.
pub(super) fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    row: Demand,
    after: DemandDraft,
) -> Result<Demand> {
    if row.state == State::Published {
        listing::require_verified(owner_of(tx, &row)?.is_verified())?;
    }
    let before = row.content();
    rules::check(&after, before.deadline, tx.now().day())?;
    let content = serde_json::to_value(&after)?;
    let changed = listing::changed(&serde_json::to_value(&before)?, &content);
    if changed.iter().any(|field| field == "broker_ids") {
        check_brokers(tx, &after.broker_ids)?;
    }
    if changed.is_empty() {
        return Ok(row);
    }
    let row = store::edit(tx, row.with(after)?)?;
    if row.state == State::Published {
        store::keep_version(tx, row.id, row.version, actor.account, &changed, &content)?;
    }
    KIND.changed(tx, &actor.name(), row.id, (row.state, row.version), &changed)?;
    Ok(row)
}

/// Throws a draft away. What was public once stays, because deals and the journal speak of it.
pub fn delete(tx: &mut Tx<'_>, actor: &Actor, id: Id<of::Demand>, seen: IfMatch) -> Result<()> {
    let (row, ..) = see(tx, Some(actor), id, Wish::Delete)?;
    seen.check(row.version)?;
    if row.published_at.is_some() {
        return Err(Error::conflict("was_published", "曾经发布过的需求不能删除。"));
    }
    diagnosis::store::forget(tx, id)?;
    store::delete(tx, &row)?;
    journal::record(tx, &actor.name(), "demand.deleted", &KIND.subject(id), &json!({}))
}

/// Takes the listing one step further on behalf of `actor`.
pub fn advance(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Demand>,
    seen: IfMatch,
    turn: Turn,
) -> Result<DemandView> {
    let (row, stance, _) = see(tx, Some(actor), id, Wish::Read)?;
    seen.check(row.version)?;
    let owner = owner_of(tx, &row)?;
    let step = listing::rule(stance, row.state, owner.is_verified(), &turn)?;
    let row = carry_out(tx, &actor.name(), actor.account, row, turn, &step)?;
    let hint = match step.act() {
        Act::Submit => advice::hint(&Asked::from(&row.content())),
        _ => None,
    };
    let view = view(tx, row, owner, (stance, true))?;
    Ok(DemandView { hint, ..view })
}

/// Submits a demand in the name of its owner, who has allowed it to `actor`.
pub(super) fn submit_for_owner(
    tx: &mut Tx<'_>,
    actor: &Actor,
    row: Demand,
    trusted: bool,
) -> Result<Demand> {
    let turn = Turn::submit(trusted);
    let verified = owner_of(tx, &row)?.is_verified();
    let step = listing::rule(Stance::Owner, row.state, verified, &turn)?;
    carry_out(tx, &actor.name(), actor.account, row, turn, &step)
}

/// Does what `step` means for the row, its versions and the journal.
fn carry_out(
    tx: &mut Tx<'_>,
    by: &str,
    account: Id<of::Account>,
    mut row: Demand,
    turn: Turn,
    step: &Move,
) -> Result<Demand> {
    match step.act() {
        Act::Return | Act::Suspend | Act::Hold | Act::Release => {
            row.reasons = JsonText::of(turn.reasons)?
        }
        Act::Renew => row.deadline = turn.until,
        Act::Submit | Act::Approve | Act::Withdraw | Act::Expire => {}
    }
    row.held = step.act() == Act::Hold;
    // what comes back with its owner may have run out meanwhile: the clock sees to it
    if matches!(step.to(), State::InReview | State::Published) && step.act() != Act::Release {
        listing::require_open(row.deadline, tx.now().day())?;
    }
    if step.to() == State::Published && !matches!(step.act(), Act::Renew | Act::Release) {
        row.published_at = Some(tx.now());
        row.reasons = JsonText::of(Vec::new())?;
    }
    let row = store::apply(tx, row, step)?;
    if step.to() == State::Published {
        keep_published(tx, account, &row)?;
    }
    KIND.moved(tx, by, row.id, step, row.version)?;
    if step.act() == Act::Submit {
        diagnosis::service::overtaken(tx, by, &row)?;
    }
    Ok(row)
}

/// Keeps what the public is shown from now on, unless it was shown the same before.
fn keep_published(tx: &mut Tx<'_>, account: Id<of::Account>, row: &Demand) -> Result<()> {
    let content = serde_json::to_value(row.content())?;
    let last = store::last_content(tx, row.id)?;
    let Some(changed) = listing::changed_since(last.as_deref(), &content)? else { return Ok(()) };
    store::keep_version(tx, row.id, row.version, account, &changed, &content)
}

/// Who changed what, newest first.
pub fn versions(
    conn: &mut DbConn,
    actor: &Actor,
    id: Id<of::Demand>,
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
    Ok(count + diagnosis::service::tick(tx)?)
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
    tasks.extend(diagnosis::service::tasks(conn, actor)?);
    Ok(tasks)
}
