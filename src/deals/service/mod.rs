//! What people can do with match requests and deals; what happens within a deal is in the files
//! beside. Each function is one transaction.
pub mod caseload;
mod clock;
pub mod documents;
pub mod engagements;
pub mod feedback;
mod inbox;
pub mod intents;
pub mod introductions;
pub mod talk;
#[cfg(test)]
mod tests;
mod views;

pub use clock::tick;
pub use inbox::tasks;

use serde_json::json;

use super::{
    model::{
        AskedBy, CloseDeal, Deal, DealSide, DealState, DealView, DeclineReason, MatchRequest,
        MatchRequestView, NewMatchRequest, RequestBox, RequestState,
    },
    rules::{
        self, Refusal, Scope, Viewer,
        deal::{self, DealAct, Side},
        request::{self, Part, RequestAct, Standing},
    },
    store::{self, Answered, Moved, Parties},
};
use crate::{
    accounts::{self, model::Organization},
    achievements, demands,
    kernel::{
        Actor, After, Code, DbConn, Error, Id, IfMatch, Moment, Page, Result, Tx, Window, journal,
        of,
    },
    markets::publication::State,
};

const REQUEST: &str = "对接请求";
const DEAL: &str = "交易";

fn viewer(conn: &mut DbConn, actor: &Actor) -> Result<Viewer> {
    let broker = accounts::broker_of(conn, actor.account)?;
    Ok(Viewer { actor: actor.clone(), broker })
}

fn owner(conn: &mut DbConn, id: Id<of::Organization>) -> Result<Organization> {
    accounts::organization(conn, id)?.ok_or(Error::NotFound("单位"))
}

/// Asks the owners of a demand and of an achievement to talk, in the name of whichever the caller
/// belongs to, or as a broker for both.
pub fn request(
    tx: &mut Tx<'_>,
    actor: &Actor,
    days: i64,
    new: &NewMatchRequest,
) -> Result<MatchRequestView> {
    let viewer = viewer(tx, actor)?;
    let demand = demands::find(tx, new.demand_id)?.ok_or(Error::NotFound("需求"))?;
    if !demands::is_visible(tx, Some(actor), &demand)? {
        return Err(Error::NotFound("需求"));
    }
    let achievement = achievements::find(tx, new.achievement_id)?
        .filter(|a| achievements::is_visible(Some(actor), a))
        .ok_or(Error::NotFound("成果"))?;
    new.check()?;
    if demand.organization_id == achievement.organization_id {
        return Err(Error::invalid(
            "/achievement_id",
            "same_organization",
            "需求与成果属于同一单位；对接须在两个不同单位之间进行。",
        ));
    }
    let owners = (demand.organization_id, achievement.organization_id);
    let (side, broker_id) = asker(&viewer, owners)?;
    if [demand.state, achievement.state].iter().any(|s| *s != State::Published) {
        return Err(Error::conflict(
            "listing_not_published",
            "需求与成果都须处于已发布状态，才能发出对接请求。",
        ));
    }
    store::no_open_deal(tx, demand.id, achievement.id)?;
    let who = Parties {
        demand_owner: &owner(tx, owners.0)?,
        achievement_owner: &owner(tx, owners.1)?,
        requested_by: actor.account,
        side,
        broker_id,
        days,
    };
    let row = store::open_request(tx, new, &who)?;
    let body = json!({ "demand": row.demand_id, "achievement": row.achievement_id, "side": side });
    note(tx, &actor.name(), "match_request.requested", &row, body)?;
    let now = tx.now();
    views::request(tx, &viewer, row, now)
}

/// In what name the caller asks: an owner before a broker, the demand's before the achievement's.
fn asker(
    viewer: &Viewer,
    (demand_owner, achievement_owner): (Id<of::Organization>, Id<of::Organization>),
) -> Result<(AskedBy, Option<Id<of::Broker>>)> {
    for (owner, side) in
        [(demand_owner, AskedBy::Demand), (achievement_owner, AskedBy::Achievement)]
    {
        if viewer.speaks_for(owner) {
            return Ok((side, None));
        }
    }
    if viewer.actor.is_member(demand_owner) || viewer.actor.is_member(achievement_owner) {
        return Err(unverified());
    }
    match viewer.acting_broker() {
        Some(broker) => Ok((AskedBy::Broker, Some(broker.id))),
        None => Err(Error::forbidden(
            "not_an_owner",
            "只有需求方、成果方的成员或已核验的技术经理人可以发出对接请求。",
        )),
    }
}

fn unverified() -> Error {
    Error::forbidden("organization_unverified", "您的单位尚未通过核验或已停用，不能办理此事。")
}

/// An answer to a request.
#[derive(Debug)]
pub enum Answer {
    Accept,
    Decline { reason: DeclineReason, comment: Option<String> },
    Withdraw,
}

impl Answer {
    fn act(&self) -> RequestAct {
        match self {
            Self::Accept => RequestAct::Accept,
            Self::Decline { .. } => RequestAct::Decline,
            Self::Withdraw => RequestAct::Withdraw,
        }
    }
}

/// Takes a request one step further. When nobody's consent is missing any more, the deal opens in
/// the same transaction.
pub fn answer(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::MatchRequest>,
    seen: IfMatch,
    answer: Answer,
) -> Result<MatchRequestView> {
    let viewer = viewer(tx, actor)?;
    let row = visible_request(tx, &viewer, id)?;
    seen.check(row.version)?;
    let standing = Standing::of(&row, on_offer(tx, &row)?, tx.now());
    let parts = request::parts(&viewer, &row);
    let act = answer.act();
    let step = request::decide_as(standing, &parts, act).map_err(|refusal| {
        refused(refusal, act.slug(), row.state.slug(), request::allowed(standing, &parts))
    })?;
    let owner = match step.by() {
        Part::Demand => Some(row.demand_organization_id),
        Part::Achievement => Some(row.achievement_organization_id),
        Part::Broker | Part::Clock => None,
    };
    // declining and taking back is left even to a suspended organization
    if act == RequestAct::Accept && !owner.is_some_and(|o| viewer.speaks_for(o)) {
        return Err(unverified());
    }
    let row = carry_out(tx, &actor.name(), row, &step, answer)?;
    let now = tx.now();
    views::request(tx, &viewer, row, now)
}

fn carry_out(
    tx: &mut Tx<'_>,
    by: &str,
    row: MatchRequest,
    step: &request::Move,
    answer: Answer,
) -> Result<MatchRequest> {
    let mut answered = Answered::default();
    let mut opened = None;
    if step.to() == RequestState::Accepted {
        let deal = store::open_deal(tx, &row)?;
        demands::admit(tx, deal.demand_id, deal.seller_organization_id)?;
        answered.deal_id = Some(deal.id);
        opened = Some(deal);
    }
    if let Answer::Decline { reason, comment } = answer {
        answered.reason = Some(reason);
        answered.comment = comment.map(|c| c.trim().to_owned()).filter(|c| !c.is_empty());
    }
    let reason = answered.reason;
    let row = store::apply_request(tx, row, step, answered)?;
    let (topic, body) = match step.act() {
        RequestAct::Accept => (
            "match_request.accepted",
            json!({ "state": row.state, "by": if step.by() == Part::Demand { "demand" } else { "achievement" },
                    "deal": row.deal_id }),
        ),
        RequestAct::Decline => ("match_request.declined", json!({ "reason": reason })),
        RequestAct::Withdraw => ("match_request.withdrawn", json!({})),
        RequestAct::Expire => ("match_request.expired", json!({})),
    };
    note(tx, by, topic, &row, body)?;
    if let Some(deal) = opened {
        let body = json!({
            "match_request": row.id, "demand": deal.demand_id, "achievement": deal.achievement_id,
        });
        journal::record(tx, by, "deal.opened", &format!("deal:{}", deal.id), &body)?;
        if let Some(broker) = row.broker_id {
            engagements::begun_by_request(tx, by, &deal, &row, broker)?;
            introductions::by_request(tx, by, &deal, &row, broker)?;
        }
    }
    Ok(row)
}

fn note(
    tx: &mut Tx<'_>,
    by: &str,
    topic: &str,
    row: &MatchRequest,
    body: serde_json::Value,
) -> Result<()> {
    journal::record(tx, by, topic, &format!("match_request:{}", row.id), &body)
}

fn refused(
    refusal: Refusal,
    act: &'static str,
    state: &'static str,
    allowed: Vec<&'static str>,
) -> Error {
    match refusal {
        Refusal::NotNow => Error::illegal_transition(act, state, allowed),
        Refusal::NotYours => {
            Error::forbidden("not_your_move", format!("{act} 应由另一方办理，您不能执行。"))
        }
        Refusal::ListingGone => Error::conflict(
            "listing_not_published",
            "需求或成果已被撤回或下架，不能再接受；可以婉拒或等待其重新发布。",
        ),
    }
}

fn on_offer(conn: &mut DbConn, row: &MatchRequest) -> Result<bool> {
    let demand = demands::find(conn, row.demand_id)?;
    let achievement = achievements::find(conn, row.achievement_id)?;
    Ok(demand.is_some_and(|d| rules::is_on_offer(d.state))
        && achievement.is_some_and(|a| rules::is_on_offer(a.state)))
}

fn visible_request(
    conn: &mut DbConn,
    viewer: &Viewer,
    id: Id<of::MatchRequest>,
) -> Result<MatchRequest> {
    store::find_request(conn, id)?
        .filter(|row| request::sees(viewer, row))
        .ok_or(Error::NotFound(REQUEST))
}

/// One request, for those who may see it.
pub fn show_request(
    conn: &mut DbConn,
    actor: &Actor,
    id: Id<of::MatchRequest>,
) -> Result<MatchRequestView> {
    let viewer = viewer(conn, actor)?;
    let row = visible_request(conn, &viewer, id)?;
    views::request(conn, &viewer, row, Moment::now())
}

pub fn list_requests(
    conn: &mut DbConn,
    actor: &Actor,
    which: RequestBox,
    state: Option<RequestState>,
    window: &Window<After<of::MatchRequest>>,
) -> Result<Page<MatchRequestView>> {
    let viewer = viewer(conn, actor)?;
    let (rows, total) = store::list_requests(conn, &Scope::of(&viewer), which, state, window)?;
    let page = window.page(rows, total, |r| After { at: r.created_at, id: r.id })?;
    let items = views::requests(conn, &viewer, page.items, Moment::now())?;
    Ok(Page { items, next_cursor: page.next_cursor, total })
}

fn visible_deal(conn: &mut DbConn, viewer: &Viewer, id: Id<of::Deal>) -> Result<Deal> {
    let crew = store::engagements::crew(conn, id)?;
    store::find(conn, id)?.filter(|row| deal::sees(viewer, row, &crew)).ok_or(Error::NotFound(DEAL))
}

/// The deal, and in what parts the caller may talk in it.
fn joined_deal(
    conn: &mut DbConn,
    viewer: &Viewer,
    id: Id<of::Deal>,
) -> Result<(Deal, Vec<DealSide>)> {
    let row = visible_deal(conn, viewer, id)?;
    let crew = store::engagements::crew(conn, id)?;
    let voices = deal::voices(viewer, &row, &crew);
    if voices.is_empty() {
        return Err(Error::forbidden(
            "not_a_member",
            "只有交易双方与受托的技术经理人可以查看和办理此事。",
        ));
    }
    Ok((row, voices))
}

/// The deal, for one of its members who writes: in the name of a verified organization, and as long as
/// the deal is not closed.
fn open_deal(
    conn: &mut DbConn,
    viewer: &Viewer,
    id: Id<of::Deal>,
    act: &str,
) -> Result<(Deal, DealSide, Vec<DealSide>)> {
    let (row, voices) = joined_deal(conn, viewer, id)?;
    if row.state == DealState::Closed {
        return Err(Error::illegal_transition(act, row.state.slug(), vec![]));
    }
    let verified = |side: &DealSide| match side {
        DealSide::Buyer => viewer.speaks_for(row.buyer_organization_id),
        DealSide::Seller => viewer.speaks_for(row.seller_organization_id),
        DealSide::Broker => viewer.acting_broker().is_some(),
    };
    let side = voices.iter().copied().find(verified).ok_or_else(unverified)?;
    Ok((row, side, voices))
}

/// One deal, for those who may see it.
pub fn show_deal(conn: &mut DbConn, actor: &Actor, id: Id<of::Deal>) -> Result<DealView> {
    let viewer = viewer(conn, actor)?;
    let row = visible_deal(conn, &viewer, id)?;
    views::deal(conn, &viewer, row)
}

pub fn list_deals(
    conn: &mut DbConn,
    actor: &Actor,
    state: Option<DealState>,
    window: &Window<After<of::Deal>>,
) -> Result<Page<DealView>> {
    let viewer = viewer(conn, actor)?;
    let (rows, total) = store::list_deals(conn, &Scope::of(&viewer), state, window)?;
    let page = window.page(rows, total, |r| After { at: r.created_at, id: r.id })?;
    let items = views::deals(conn, &viewer, page.items)?;
    Ok(Page { items, next_cursor: page.next_cursor, total })
}

/// Either party ends a deal that has no contract under way.
pub fn close(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Deal>,
    seen: IfMatch,
    why: &CloseDeal,
) -> Result<DealView> {
    let viewer = viewer(tx, actor)?;
    let row = visible_deal(tx, &viewer, id)?;
    why.check()?;
    seen.check(row.version)?;
    let sides = deal::sides(actor, &row);
    let (code, comment) = why.told();
    let closed_side = deal::voices(&viewer, &row, &[]).into_iter().next();
    let moved = Moved { reason: Some(code), comment, closed_side, contract_id: None };
    let row = move_deal(tx, &actor.name(), row, &sides, DealAct::Close, moved)?;
    engagements::lapse(tx, &row, None)?;
    intents::lapse(tx, row.id)?;
    views::deal(tx, &viewer, row)
}

fn move_deal(
    tx: &mut Tx<'_>,
    by: &str,
    row: Deal,
    sides: &[Side],
    act: DealAct,
    moved: Moved,
) -> Result<Deal> {
    let step = deal::decide_as(row.state, sides, act).map_err(|refusal| {
        let allowed = deal::allowed(row.state, sides);
        refused(refusal, act.slug(), row.state.slug(), allowed)
    })?;
    let before = row.contract_id;
    let row = store::apply_deal(tx, row, &step, moved)?;
    let topic = match step.act() {
        // told by the intent itself
        DealAct::Sign => return Ok(row),
        DealAct::Contract => "deal.contracted",
        DealAct::Register => "deal.registered",
        DealAct::Reopen => "deal.reopened",
        DealAct::Close => "deal.closed",
    };
    let body = json!({
        "from": step.from(), "to": step.to(), "contract": row.contract_id.or(before),
        "reason": row.reason,
    });
    journal::record(tx, by, topic, &format!("deal:{}", row.id), &body)?;
    Ok(row)
}

/// The contract's way carries its deal along; `by` is the name of whoever moved the contract.
fn by_contract(
    tx: &mut Tx<'_>,
    by: &str,
    id: Id<of::Deal>,
    act: DealAct,
    contract_id: Option<Id<of::Contract>>,
) -> Result<Deal> {
    let row = store::find(tx, id)?.ok_or(Error::NotFound(DEAL))?;
    let kept = if act == DealAct::Register { row.contract_id } else { contract_id };
    let moved = Moved { contract_id: kept, ..Moved::default() };
    move_deal(tx, by, row, &[Side::Contract], act, moved)
}

/// A contract has been drawn up from the deal: `contracted`.
pub fn contracted(
    tx: &mut Tx<'_>,
    by: &str,
    id: Id<of::Deal>,
    contract: Id<of::Contract>,
) -> Result<Deal> {
    by_contract(tx, by, id, DealAct::Contract, Some(contract))
}

/// The deal's contract has been registered: `registered`.
pub fn registered(tx: &mut Tx<'_>, by: &str, id: Id<of::Deal>) -> Result<Deal> {
    by_contract(tx, by, id, DealAct::Register, None)
}

/// The deal's contract was refused or withdrawn: the parties are back to `negotiating`.
pub fn reopened(tx: &mut Tx<'_>, by: &str, id: Id<of::Deal>) -> Result<Deal> {
    by_contract(tx, by, id, DealAct::Reopen, None)
}
