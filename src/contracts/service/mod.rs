//! What people do with contracts. Each function is one transaction.
mod acts;
mod bulk;
mod certificate;
mod checks;
mod dossier;
pub mod national;
mod views;

use std::collections::BTreeMap;

use chrono::Datelike;
use serde_json::json;

pub use acts::{advance, assign};
pub use bulk::Bulk;
pub use certificate::{certificate, verify};
pub use checks::precheck;
pub use dossier::{
    add_file, add_paper, add_receipt, drop_paper, file_key, history, may_add_file, open_file,
    open_text, papers, receipts, sweep, versions,
};

pub use super::store::{NewPaper, files_in_use};
use super::{
    amounts, deal,
    draft::{Content, ContractBody, ContractPatch, DealContractBody},
    model::{Case, Contract, ContractView, Parties, PostingKind, Subcategory, Terms, VersionKind},
    rulebook::{RevokedBy, RuleSet, book},
    rules::{self, ContractState, Refusal, Scope, Side, Standing},
    store::{self, Approval, Counted},
};
use crate::{
    kernel::{
        Actor, After, Code, Day, DbConn, Error, Id, IfMatch, Moment, Page, Region, Result, Task,
        Tx, Window, journal, month_of, of,
    },
    markets::model::Field,
};

const UNSEEN: Error = Error::NotFound("技术合同");

pub fn view(conn: &mut DbConn, actor: &Actor, id: Id<of::Contract>) -> Result<ContractView> {
    let at = At::load(conn, actor, id)?;
    views::one(conn, &at)
}

pub fn list(
    conn: &mut DbConn,
    actor: &Actor,
    scope: &Scope,
    state: Option<ContractState>,
    window: &Window<After<of::Contract>>,
) -> Result<Page<ContractView>> {
    let (rows, total) = store::list(conn, scope, state, window)?;
    let page = window.page(rows, total, |row| After { at: row.created_at, id: row.id })?;
    let Page { items, next_cursor, total } = page;
    let all = At::of_rows(conn, actor, items)?;
    Ok(Page { items: views::many(conn, &all)?, next_cursor, total })
}

/// Draws a contract up. With a deal, the caller must belong to its seller.
pub fn draft(tx: &mut Tx<'_>, actor: &Actor, body: ContractBody) -> Result<ContractView> {
    may_name_deal(tx, actor, &body)?;
    write_down(tx, actor, body)
}

fn may_name_deal(conn: &mut DbConn, actor: &Actor, body: &ContractBody) -> Result<()> {
    let Some(id) = body.deal_id else { return Ok(()) };
    // the deal stands in the body here, not in the path
    deal::of_seller(conn, actor, id).map(drop).map_err(|refused| match refused {
        Error::NotFound(_) => {
            Error::invalid("/deal_id", "unknown_deal", "没有这样的交易，或您无权查看。")
        }
        other => other,
    })
}

/// Draws a contract up from a deal: what the body leaves out comes from the deal.
pub fn draft_of_deal(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Deal>,
    body: DealContractBody,
) -> Result<ContractView> {
    let deal = deal::of_seller(tx, actor, id)?;
    let body = deal::fill(tx, &deal, body)?;
    write_down(tx, actor, body)
}

fn write_down(tx: &mut Tx<'_>, actor: &Actor, body: ContractBody) -> Result<ContractView> {
    let deal = body.deal_id;
    let rules = book().on(tx.now().day());
    let content = checks::content(tx, actor, body, rules)?;
    let id = put_down(tx, actor, &content, rules, deal)?;
    let row = store::again(tx, id)?;
    let at = reload(tx, actor, row)?;
    views::one(tx, &at)
}

fn put_down(
    tx: &mut Tx<'_>,
    actor: &Actor,
    content: &Content,
    rules: &RuleSet,
    deal: Option<Id<of::Deal>>,
) -> Result<Id<of::Contract>> {
    let id = store::draft(tx, content, rules, deal)?;
    deal::contracted(tx, &actor.name(), deal, id)?;
    let body = json!({ "state": ContractState::Draft, "deal": deal });
    journal::record(tx, &actor.name(), "contract.drafted", &format!("contract:{id}"), &body)?;
    Ok(id)
}

pub fn edit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Contract>,
    seen: IfMatch,
    patch: ContractPatch,
) -> Result<ContractView> {
    let row = own_draft(tx, actor, id, seen, "edit")?;
    let old = ContractBody::of(&row);
    let new = patch.onto(old.clone());
    let changed = new.changed_since(&old)?;
    if changed.is_empty() {
        let at = reload(tx, actor, row)?;
        return views::one(tx, &at);
    }
    let rules = book().on(tx.now().day());
    let content = checks::content(tx, actor, new, rules)?;
    let row = store::rewrite(tx, &row, &content, rules)?;
    let body = json!({ "state": row.state, "fields": changed });
    note(tx, &actor.name(), "contract.changed", &row, body)?;
    let at = reload(tx, actor, row)?;
    views::one(tx, &at)
}

pub fn delete(tx: &mut Tx<'_>, actor: &Actor, id: Id<of::Contract>, seen: IfMatch) -> Result<()> {
    let row = own_draft(tx, actor, id, seen, "delete")?;
    store::delete_draft(tx, &row)?;
    deal::reopened(tx, &actor.name(), row.deal_id)?;
    note(tx, &actor.name(), "contract.deleted", &row, json!({ "deal": row.deal_id }))
}

/// What waits for the caller, with the last day for it: drafts and supplements of their organizations,
/// provisional amounts, what a clerk can lead on, and objections for the authority.
pub fn tasks(conn: &mut DbConn, actor: &Actor) -> Result<Vec<Task>> {
    let rows = store::waiting(conn, &Scope::of(actor))?;
    let all = At::of_rows(conn, actor, rows)?;
    Ok(all.into_iter().filter_map(task).collect())
}

fn task(at: At) -> Option<Task> {
    let leads_on = ["submit", "accept", "review", "register", "expert-opinion", "uphold"];
    let open = rules::open_to(at.standing(), at.side);
    let action = if at.row.state == ContractState::Registered {
        // an examiner's colleague sees the contract here only if the filer must amend it
        (at.side == Side::Filer && at.case.provisional).then_some("change")?
    } else if at.side == Side::Examiner && at.standing().experts_due {
        open.into_iter().find(|a| *a == "refer-to-experts" || *a == "expert-opinion")?
    } else {
        open.into_iter().find(|a| leads_on.contains(a))?
    };
    Some(Task {
        kind: "contract",
        subject: at.row.subject(),
        title: at.row.title,
        // the whole last day is still in time
        deadline: at.case.decide_by.and_then(|day| day.succ_opt()).map(Moment::start_of),
        action: format!("POST /contracts/{}/{action}", at.row.id),
    })
}

/// A contract of the past, registered on its day.
#[derive(Debug, Clone)]
pub struct NewRegistered {
    pub title: String,
    pub subcategory: Subcategory,
    pub field: Field,
    pub parties: Parties,
    pub terms: Terms,
    pub registrar_id: Id<of::Organization>,
    pub registrar_region: Region,
    pub registered_on: Day,
    /// When the history says that it was handled.
    pub at: Moment,
}

/// Writes down a contract that has been registered already, with its number and its event. Amounts
/// and uniqueness are checked as for any other; dates and competence are taken as they are.
pub fn load_registered(tx: &mut Tx<'_>, new: NewRegistered) -> Result<(Id<of::Contract>, String)> {
    let NewRegistered { registered_on, registrar_region, at, .. } = new;
    let rules = book().on(registered_on);
    let amounts = amounts::compute(&new.terms.lines, rules.max_carrier_sets.value)
        .map_err(|fault| Error::Invalid(vec![fault]))?;
    let content = Content {
        title: new.title,
        subcategory: new.subcategory,
        field: new.field,
        parties: new.parties,
        terms: new.terms,
        amounts,
        registrar_id: new.registrar_id,
    };
    tx.at(at, |tx| {
        let no = allocate(tx, content.registrar_id, &registrar_region, registered_on)?;
        let id = store::registered(tx, &content, rules, &no, registered_on)?;
        let by = Approval { rule_set: Some(rules.id.clone()), ..Approval::default() };
        count_registration(tx, id, &content, registered_on, by)?;
        let body = json!({ "state": ContractState::Registered, "month": month_of(registered_on) });
        journal::record(
            tx,
            journal::CLOCK,
            "contract.registered",
            &format!("contract:{id}"),
            &body,
        )?;
        Ok((id, no))
    })
}

/// Keeps the first version of a contract and puts it into the figures.
fn count_registration(
    tx: &mut Tx<'_>,
    id: Id<of::Contract>,
    content: &Content,
    day: Day,
    by: Approval,
) -> Result<()> {
    store::keep_version(tx, id, VersionKind::Registration, content, day, by)?;
    let on = Counted { posted_on: day, registered_on: day };
    store::post(tx, id, PostingKind::Registration, on, None, Some(content))
}

/// A contract, its case, the rules that decide on it, and the caller's side of it.
pub struct At {
    pub row: Contract,
    pub case: Case,
    pub rules: &'static RuleSet,
    pub side: Side,
}

impl At {
    /// The contract, or nothing at all.
    pub fn load(conn: &mut DbConn, actor: &Actor, id: Id<of::Contract>) -> Result<Self> {
        let row = store::find(conn, id)?.ok_or(UNSEEN)?;
        reload(conn, actor, row)
    }

    fn of(row: Contract, case: Case, actor: &Actor) -> Option<Self> {
        let side = rules::side(&row, actor)?;
        Some(Self { rules: rules_of(&case), row, case, side })
    }

    /// Those of `rows` that the caller may see, with their cases.
    pub fn of_rows(conn: &mut DbConn, actor: &Actor, rows: Vec<Contract>) -> Result<Vec<Self>> {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let mut cases: BTreeMap<_, _> =
            store::cases_of(conn, &ids)?.into_iter().map(|c| (c.contract_id, c)).collect();
        let all = rows.into_iter();
        Ok(all
            .filter_map(|row| cases.remove(&row.id).and_then(|case| Self::of(row, case, actor)))
            .collect())
    }

    pub fn standing(&self) -> Standing {
        let large = self.rules.expert_review.value && self.rules.is_large(self.row.tech_fen);
        Standing {
            state: self.row.state,
            examined: self.row.examiner_id.is_some(),
            experts_due: (large || self.case.disputed) && self.case.opinion_at.is_none(),
            objected_from: self.case.objected_from,
            registrar_revokes: self.rules.revoked_by.value == RevokedBy::Registrar,
        }
    }
}

fn reload(conn: &mut DbConn, actor: &Actor, row: Contract) -> Result<At> {
    let case = store::case_of(conn, row.id)?;
    At::of(row, case, actor).ok_or(UNSEEN)
}

/// The rules that were chosen when it was accepted; before that, those of today.
fn rules_of(case: &Case) -> &'static RuleSet {
    let chosen = case.rule_set.as_deref().and_then(|id| book().find(id));
    chosen.unwrap_or_else(|| book().on(Moment::now().day()))
}

/// A draft that the caller may change, or one that is to be supplemented.
fn own_draft(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Contract>,
    seen: IfMatch,
    action: &'static str,
) -> Result<Contract> {
    let at = At::load(tx, actor, id)?;
    seen.check(at.row.version)?;
    if at.side != Side::Filer {
        return Err(not_the_filer());
    }
    let open = at.row.state == ContractState::Draft
        || (action == "edit" && at.row.state == ContractState::SupplementRequested);
    if open { Ok(at.row) } else { Err(refused(Refusal::NotNow, action, &at)) }
}

/// The next registration number of the registrar, final when this transaction is.
fn allocate(
    tx: &mut Tx<'_>,
    registrar: Id<of::Organization>,
    region: &Region,
    day: Day,
) -> Result<String> {
    let area = rules::area_of(region);
    let number = store::registrar_number(tx, registrar, &area)?;
    let serial = store::next_serial(tx, registrar, day.year())?;
    rules::registration_no(day.year(), &area, number, serial).ok_or_else(|| {
        anyhow::anyhow!("no 16 digits for {area} {number} {serial} in {}", day.year()).into()
    })
}

fn not_the_filer() -> Error {
    Error::forbidden(
        "not_the_filer",
        "合同由卖方（技术中介合同由中介方）起草、修改并申请登记；您不是该机构的成员。",
    )
}

fn refused(refusal: Refusal, action: &str, at: &At) -> Error {
    match refusal {
        Refusal::NotNow => Error::illegal_transition(
            action,
            at.row.state.slug(),
            rules::open_to(at.standing(), at.side),
        ),
        Refusal::NotYours => Error::forbidden(
            "not_your_step",
            format!(
                "{action} 不由您这一方执行：提交、撤回、变更、注销与异议由申请方办理，受理、审查与登记由登记机构的登记员办理，撤销与异议的处理由主管部门办理。"
            ),
        ),
        Refusal::TwoPersons => Error::forbidden(
            "two_person_rule",
            "审查人与登记人不得为同一人：请由登记机构的另一名登记员办理登记。",
        ),
        Refusal::NotExamined => Error::conflict(
            "not_examined",
            "变更尚未有人审查：请先由一名登记员执行 review，再由另一名登记。",
        ),
        Refusal::ExpertsFirst => Error::conflict(
            "expert_review_required",
            format!(
                "规则 {} 要求技术交易额较大或有争议的合同经专家评审：请先由审查人执行 refer-to-experts，再以 expert-opinion 记录意见。",
                at.rules.id
            ),
        ),
    }
}

fn note(
    tx: &mut Tx<'_>,
    by: &str,
    topic: &str,
    row: &Contract,
    body: serde_json::Value,
) -> Result<()> {
    journal::record(tx, by, topic, &row.subject(), &body)
}
