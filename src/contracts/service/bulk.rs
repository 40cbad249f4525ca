//! Many contracts of one caller, drawn up one after the other.
use std::collections::HashMap;

use super::{checks, may_name_deal, put_down};
use crate::{
    accounts::{self, model::Organization},
    contracts::{
        draft::{Content, ContractBody, Known},
        rulebook::{RuleSet, book},
    },
    kernel::{Actor, Day, DbConn, Id, Result, Tx, of},
};

/// What the drafts of one caller have in common, looked up once: an organization is read when it is first
/// named, and taken as it was then.
pub struct Bulk {
    actor: Actor,
    own: Vec<Id<of::Organization>>,
    rules: &'static RuleSet,
    known: HashMap<Id<of::Organization>, Option<Organization>>,
}

impl Bulk {
    pub fn new(actor: Actor, today: Day) -> Self {
        let own = actor.memberships.iter().map(|m| m.organization).collect();
        Self { actor, own, rules: book().on(today), known: HashMap::new() }
    }

    /// What [`draft`](super::draft) would refuse; the content otherwise.
    pub fn check(&mut self, conn: &mut DbConn, body: ContractBody) -> Result<Content> {
        may_name_deal(conn, &self.actor, &body)?;
        let named = body.organizations();
        let new: Vec<_> = named.iter().copied().filter(|id| !self.known.contains_key(id)).collect();
        if !new.is_empty() {
            self.known.extend(new.iter().map(|id| (*id, None)));
            let found = accounts::organizations(conn, &new)?;
            self.known.extend(found.into_iter().map(|o| (o.id, Some(o))));
        }
        let organizations: Vec<Organization> =
            named.iter().filter_map(|id| self.known.get(id).cloned().flatten()).collect();
        let known = Known { organizations: &organizations, own: &self.own, rules: self.rules };
        checks::of_filer(&self.actor, body.check(&known)?, self.rules)
    }

    /// Draws a contract up.
    pub fn write(&mut self, tx: &mut Tx<'_>, body: ContractBody) -> Result<Id<of::Contract>> {
        let deal = body.deal_id;
        let content = self.check(tx, body)?;
        put_down(tx, &self.actor, &content, self.rules, deal)
    }
}
