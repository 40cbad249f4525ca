//! What lies with a contract: its text, papers, receipts, history and versions.
use serde_json::{Value, json};

use super::{At, acts, note};
use crate::{
    contracts::{
        amounts,
        draft::Content,
        model::{
            ContractHistoryView, ContractVersionView, ContractVersionsView, Difference, Paper,
            PaperBody, PapersView, ReceiptBody, ReceiptsView, StepView, TextView,
        },
        rules::{ContractState, Side},
        store,
    },
    kernel::{Actor, Db, DbConn, Error, Fen, Id, Moment, Result, Storage, Tx, document::Given, of},
};

/// Whether the caller may know the text: a party, a clerk who is assigned, the authority above.
pub fn may_read(conn: &mut DbConn, actor: &Actor, at: &At) -> Result<()> {
    let may = match at.side {
        Side::Filer | Side::Party | Side::Authority | Side::Overseer => true,
        Side::Clerk | Side::Examiner => store::is_assigned(conn, at.row.id, actor.account)?,
    };
    if may {
        return Ok(());
    }
    Err(Error::forbidden(
        "not_assigned",
        "合同文本只对经办登记员开放：受理、审查或登记该合同，或经 POST /contracts/{id}/assign 指派后才能打开。",
    ))
}

/// Opens the text. Whoever is no party leaves a line in the journal.
pub fn open_text(tx: &mut Tx<'_>, actor: &Actor, id: Id<of::Contract>) -> Result<TextView> {
    let at = At::load(tx, actor, id)?;
    may_read(tx, actor, &at)?;
    opened(tx, actor, &at, "text")?;
    let (terms, sets) = (&at.row.terms, at.rules.max_carrier_sets.value);
    Ok(TextView {
        id,
        amount_basis: amounts::basis(&terms.lines, at.row.total_fen, at.row.tech_fen, sets),
        line_basis: amounts::explain(&terms.lines, sets),
        lines: terms.lines.clone(),
        papers: store::papers(tx, id)?,
        changed_lines: store::change_of(tx, id)?.map(|c| c.content.into_inner().terms.lines),
    })
}

fn opened(tx: &mut Tx<'_>, actor: &Actor, at: &At, what: &str) -> Result<()> {
    if at.side.owns_text() {
        return Ok(());
    }
    let body = json!({ "state": at.row.state, "what": what, "side": at.side.slug() });
    note(tx, &actor.name(), "contract.opened", &at.row, body)
}

pub fn papers(tx: &mut Tx<'_>, actor: &Actor, id: Id<of::Contract>) -> Result<PapersView> {
    let at = At::load(tx, actor, id)?;
    may_read(tx, actor, &at)?;
    opened(tx, actor, &at, "papers")?;
    Ok(PapersView { items: store::papers(tx, id)? })
}

/// Enters a paper of which the file is somewhere else.
pub fn add_paper(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Contract>,
    body: PaperBody,
) -> Result<Paper> {
    let at = open_to_papers(tx, actor, id)?;
    let there = store::papers(tx, id)?;
    let PaperBody { kind, name, media_type, bytes, sha256 } = body;
    let new = store::NewPaper { kind, name, media_type, bytes, sha256, storage_key: None };
    enter(tx, actor, &at, (&there, new))
}

/// Enters a paper whose file is stored already. Where its digest was entered before, the file joins it.
pub fn add_file(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Contract>,
    new: store::NewPaper,
) -> Result<Paper> {
    let at = open_to_papers(tx, actor, id)?;
    let there = store::papers(tx, id)?;
    let pledged = |p: &&Paper| p.sha256 == new.sha256 && p.kind == new.kind && !p.has_file;
    let Some(paper) = there.iter().find(pledged) else {
        return enter(tx, actor, &at, (&there, new));
    };
    let paper = store::keep_file(tx, paper.id, &new)?;
    entered(tx, actor, &at, &paper)?;
    Ok(paper)
}

fn enter(
    tx: &mut Tx<'_>,
    actor: &Actor,
    at: &At,
    (there, new): (&[Paper], store::NewPaper),
) -> Result<Paper> {
    const MOST: usize = 50;
    if there.iter().any(|paper| paper.sha256 == new.sha256) {
        return Err(Error::conflict("paper_exists", "同一份文件（SHA-256 相同）已经登记。"));
    }
    if there.len() >= MOST {
        return Err(Error::conflict("too_many_papers", "一份合同最多登记 50 份材料。"));
    }
    let paper = store::add_paper(tx, at.row.id, new, actor.account)?;
    entered(tx, actor, at, &paper)?;
    Ok(paper)
}

fn entered(tx: &mut Tx<'_>, actor: &Actor, at: &At, paper: &Paper) -> Result<()> {
    let body = json!({ "state": at.row.state, "paper": paper.id, "kind": paper.kind });
    note(tx, &actor.name(), "contract.paper_added", &at.row, body)
}

/// Whether the caller may hand in a paper: asked before a byte of its file is read.
pub fn may_add_file(conn: &mut DbConn, actor: &Actor, id: Id<of::Contract>) -> Result<()> {
    open_to_papers(conn, actor, id).map(drop)
}

/// The file that is given out next; that a clerk or the authority asked for it is in the journal before it is.
pub fn open_file(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Contract>,
    paper: Id<of::Paper>,
) -> Result<Given> {
    let at = At::load(tx, actor, id)?;
    may_read(tx, actor, &at)?;
    let file = store::file_of(tx, id, paper)?.ok_or(Error::NotFound("材料文件"))?;
    opened(tx, actor, &at, &format!("paper:{paper}"))?;
    Ok(file)
}

/// All files of papers are below this prefix.
const PREFIX: &str = "papers";

/// A key for the file of a paper, never used before: made of ids alone.
pub fn file_key(id: Id<of::Contract>) -> String {
    format!("{PREFIX}/{id}/{}", Id::<of::Paper>::fresh())
}

/// Deletes files that no paper names any more. Answers how many.
pub async fn sweep(db: &Db, storage: &Storage, now: Moment) -> Result<usize> {
    Ok(storage.sweep(db, (PREFIX, store::files_in_use), now).await?.len())
}

pub fn drop_paper(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Contract>,
    paper: Id<of::Paper>,
) -> Result<()> {
    let at = open_to_papers(tx, actor, id)?;
    if !store::drop_paper(tx, id, paper)? {
        return Err(Error::NotFound("材料"));
    }
    let body = json!({ "state": at.row.state, "paper": paper });
    note(tx, &actor.name(), "contract.paper_removed", &at.row, body)
}

/// Papers are handed in by the filer, before the filing, with a supplement or with a change.
fn open_to_papers(conn: &mut DbConn, actor: &Actor, id: Id<of::Contract>) -> Result<At> {
    let at = At::load(conn, actor, id)?;
    if at.side != Side::Filer {
        return Err(super::not_the_filer());
    }
    if at.row.state.is_open() || at.row.state == ContractState::ChangePending {
        return Ok(at);
    }
    Err(super::refused(crate::contracts::rules::Refusal::NotNow, "papers", &at))
}

pub fn receipts(conn: &mut DbConn, actor: &Actor, id: Id<of::Contract>) -> Result<ReceiptsView> {
    let at = At::load(conn, actor, id)?;
    may_read(conn, actor, &at)?;
    receipts_of(conn, &at)
}

fn receipts_of(conn: &mut DbConn, at: &At) -> Result<ReceiptsView> {
    let items = store::receipts(conn, at.row.id)?;
    let received = Fen::sum(items.iter().map(|r| r.amount_fen))
        .ok_or_else(|| anyhow::anyhow!("receipts of contract {} leave the range", at.row.id))?;
    let tech = at.row.tech_fen;
    let income = received.min(tech);
    let (got, most, counted) = (received.in_yuan(), tech.in_yuan(), income.in_yuan());
    let sentence = if received > tech {
        format!(
            "已收 {got} 元，超过技术交易额 {most} 元：技术性收入以技术交易额为限，计 {counted} 元。"
        )
    } else {
        format!("已收 {got} 元，不超过技术交易额 {most} 元：技术性收入 {counted} 元。")
    };
    Ok(ReceiptsView { items, received_fen: received, tech_income_fen: income, sentence })
}

pub fn add_receipt(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<of::Contract>,
    body: ReceiptBody,
) -> Result<ReceiptsView> {
    let at = At::load(tx, actor, id)?;
    if at.side != Side::Filer {
        return Err(super::not_the_filer());
    }
    if !matches!(at.row.state, ContractState::Registered | ContractState::ChangePending) {
        return Err(super::refused(crate::contracts::rules::Refusal::NotNow, "receipts", &at));
    }
    let today = tx.now().day();
    if body.received_on > today || body.received_on < at.row.terms.signed_on {
        return Err(Error::invalid(
            "/received_on",
            "out_of_range",
            format!("收款日期应在签订日期 {} 与今天 {today} 之间。", at.row.terms.signed_on),
        ));
    }
    let received = store::received(tx, &[id])?.first().map_or(Fen::ZERO, |(_, sum)| *sum);
    acts::sum_with(received, body.amount_fen)?;
    store::add_receipt(tx, id, (body.received_on, body.amount_fen, body.note), actor.account)?;
    note(tx, &actor.name(), "contract.received", &at.row, json!({ "state": at.row.state }))?;
    receipts_of(tx, &at)
}

pub fn history(
    conn: &mut DbConn,
    actor: &Actor,
    id: Id<of::Contract>,
) -> Result<ContractHistoryView> {
    let at = At::load(conn, actor, id)?;
    let with_names = !at.side.owns_text();
    let items = store::steps(conn, id)?
        .into_iter()
        .map(|step| StepView {
            seq: step.seq,
            act: step.act,
            from: step.from_state,
            to: step.to_state,
            // a party knows its own people
            account_id: step.account_id.filter(|_| with_names || step.side == "filer"),
            side: step.side,
            detail: step.detail.into_inner(),
            at: step.created_at,
        })
        .collect();
    Ok(ContractHistoryView { items })
}

pub fn versions(
    conn: &mut DbConn,
    actor: &Actor,
    id: Id<of::Contract>,
) -> Result<ContractVersionsView> {
    let at = At::load(conn, actor, id)?;
    let sealed = !at.side.owns_text();
    let mut items: Vec<ContractVersionView> = Vec::new();
    let mut earlier: Option<Content> = None;
    for version in store::versions(conn, id)? {
        let content = version.content.into_inner();
        let mut changed =
            earlier.as_ref().map(|old| differences(old, &content)).unwrap_or_default();
        if sealed {
            changed.iter_mut().for_each(|d| (d.before, d.after) = (None, None));
        }
        items.push(ContractVersionView {
            number: version.number,
            kind: version.kind,
            registered_on: version.registered_on,
            rule_set: version.rule_set,
            total_fen: version.total_fen,
            tech_fen: version.tech_fen,
            changed,
            at: version.created_at,
        });
        earlier = Some(content);
    }
    Ok(ContractVersionsView { items })
}

/// The fields in which two contents differ, by the names of the contract's own fields.
pub fn differences(old: &Content, new: &Content) -> Vec<Difference> {
    let (old, new) = (fields(old), fields(new));
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .map(|name| (name, old.get(name).cloned(), new.get(name).cloned()))
        .filter(|(_, before, after)| before != after)
        .map(|(name, before, after)| Difference { field: name.clone(), before, after })
        .collect()
}

fn fields(content: &Content) -> serde_json::Map<String, Value> {
    let mut all = serde_json::Map::new();
    let parts = [
        json!({
            "title": content.title, "subcategory": content.subcategory, "field": content.field,
            "total_fen": content.amounts.total, "tech_fen": content.amounts.tech,
            "registrar_id": content.registrar_id,
        }),
        json!(content.parties),
        json!(content.terms),
    ];
    for part in parts {
        if let Value::Object(fields) = part {
            all.extend(fields);
        }
    }
    all
}
