//! What is looked up for the checks of a contract; the checks themselves are in `draft` and `rules`.
use crate::{
    accounts,
    contracts::{
        draft::{Content, ContractBody, Known},
        model::{Contract, PrecheckView},
        rulebook::{RuleSet, book},
        rules::checks::{self, Filing, Other, SEVERE},
        service::{At, not_the_filer},
        store,
    },
    kernel::{Actor, DbConn, Error, Fault, Id, Result, Tx, of},
};

/// Contracts of the same parties that are compared with a new one.
const MOST_COMPARED: i64 = 200;

/// Looks up what the body names, checks it, and sees that the caller belongs to the filer.
pub fn content(
    conn: &mut DbConn,
    actor: &Actor,
    body: ContractBody,
    rules: &RuleSet,
) -> Result<Content> {
    let own: Vec<_> = actor.memberships.iter().map(|m| m.organization).collect();
    let content = checked(conn, &own, body, rules)?;
    of_filer(actor, content, rules)
}

/// The content, when the caller belongs to who files it.
pub fn of_filer(actor: &Actor, content: Content, rules: &RuleSet) -> Result<Content> {
    match content.filer(rules) {
        Some(filer) if actor.is_member(filer) => Ok(content),
        _ => Err(not_the_filer()),
    }
}

fn checked(
    conn: &mut DbConn,
    own: &[Id<of::Organization>],
    body: ContractBody,
    rules: &RuleSet,
) -> Result<Content> {
    let organizations = accounts::organizations(conn, &body.organizations())?;
    body.check(&Known { organizations: &organizations, own, rules })
}

/// Everything that the check before filing finds, and the content that would be filed.
struct Report {
    content: Option<Content>,
    faults: Vec<Fault>,
    findings: Vec<crate::contracts::model::Finding>,
}

fn report(
    conn: &mut DbConn,
    row: &Contract,
    rules: &RuleSet,
    today: crate::kernel::Day,
) -> Result<Report> {
    // the parties of a draft may name themselves before they are verified
    let own: Vec<_> = row.filer_id.into_iter().collect();
    let (content, faults) = match checked(conn, &own, ContractBody::of(row), rules) {
        Ok(content) => (content, Vec::new()),
        Err(Error::Invalid(faults)) => {
            let findings = faults.iter().map(|fault| checks::of_fault(fault, rules)).collect();
            return Ok(Report { content: None, faults, findings });
        }
        Err(other) => return Err(other),
    };
    let filer = row.filer_id.map(|id| accounts::organization(conn, id)).transpose()?.flatten();
    let identity = content.identity();
    let twice = store::is_twice(conn, row.id, &content.digest(), identity.as_deref())?;
    let papers: Vec<_> = store::papers(conn, row.id)?.into_iter().map(|p| p.kind).collect();
    let others: Vec<Other> = store::of_same_parties(conn, row, MOST_COMPARED)?
        .iter()
        .map(|other| Other::of(&Content::of(other), other.registration_no.clone()))
        .collect();
    let findings = checks::findings(&Filing {
        content: &content,
        rules,
        today,
        papers: &papers,
        filer_verified: filer.is_some_and(|o| o.is_verified()),
        twice,
        others: &others,
        cues: &book().cues,
    });
    Ok(Report { content: Some(content), faults, findings })
}

/// The check before filing, for whoever may read the text.
pub fn precheck(conn: &mut DbConn, actor: &Actor, id: Id<of::Contract>) -> Result<PrecheckView> {
    let at = At::load(conn, actor, id)?;
    super::dossier::may_read(conn, actor, &at)?;
    let today = crate::kernel::Moment::now().day();
    let rules = if at.row.accepted_at.is_some() { at.rules } else { book().on(today) };
    let items = report(conn, &at.row, rules, today)?.findings;
    let fit = !items.iter().any(|finding| finding.severity == SEVERE);
    Ok(PrecheckView { fit, rule_set: rules.id.clone(), items })
}

/// What is filed, with the parties as they are now: the check before filing finds no error in it.
pub fn ready(tx: &mut Tx<'_>, actor: &Actor, row: &Contract, rules: &RuleSet) -> Result<Content> {
    let today = tx.now().day();
    let Report { content, faults, findings } = report(tx, row, rules, today)?;
    let error = findings.into_iter().find(|finding| finding.severity == SEVERE);
    match (error, content) {
        _ if !faults.is_empty() => Err(Error::Invalid(faults)),
        (Some(error), _) if error.code == "organization_unverified" => {
            Err(Error::forbidden(error.code, error.detail))
        }
        (Some(error), _) => Err(Error::conflict(error.code, error.detail)),
        (None, Some(content)) => of_filer(actor, content, rules),
        (None, None) => Err(anyhow::anyhow!("a contract without faults has no content").into()),
    }
}
