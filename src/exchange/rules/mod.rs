//! The life of an import, who sees it, and how a row is read. Pure.
pub mod columns;

use super::model::{Import, ImportKind, ImportState};
use crate::{
    achievements, codes,
    kernel::{Actor, Code, Id, OrganizationKind, of},
    markets::regions,
};

codes! {
    /// What happens to an import.
    pub enum ImportAct {
        /// The check has found no error.
        Pass = "pass" "检查通过" "Pass",
        /// The check, or the one before the commit, has found errors.
        Find = "find" "发现错误" "Find errors",
        Commit = "commit" "导入" "Commit",
        /// Everything has been written.
        Write = "write" "写入" "Write",
        GiveUp = "give-up" "放弃" "Give up",
        Expire = "expire" "过期" "Expire",
    }
}

/// A move that the rules allowed. Only [`decide`] makes one, and the store accepts nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    from: ImportState,
    to: ImportState,
}

impl Move {
    pub fn from(self) -> ImportState {
        self.from
    }
    pub fn to(self) -> ImportState {
        self.to
    }
}

/// The whole life of an import; nothing when `act` does not fit its state.
pub fn decide(from: ImportState, act: ImportAct) -> Option<Move> {
    use {ImportAct::*, ImportState::*};
    let to = match (from, act) {
        (Checking, Pass) => Checked,
        (Checking | Committing, Find) => Faulty,
        (Checked, Commit) => Committing,
        (Committing, Write) => Committed,
        (Checking | Committing, GiveUp) => Failed,
        (Checked, Expire) => Expired,
        _ => return None,
    };
    Some(Move { from, to })
}

/// What a person could do now.
pub fn open_to(state: ImportState, side: Side) -> Vec<&'static str> {
    let may = side == Side::Owner && decide(state, ImportAct::Commit).is_some();
    may.then_some(ImportAct::Commit.slug()).into_iter().collect()
}

/// In what part somebody faces an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A member of the organization in whose name it is.
    Owner,
    /// An operator or auditor of its region: sees and does nothing.
    Overseer,
}

pub fn side(row: &Import, actor: &Actor) -> Option<Side> {
    if actor.is_member(row.organization_id) {
        return Some(Side::Owner);
    }
    regions::oversees(actor, &row.region_code).then_some(Side::Overseer)
}

/// Which organizations may have things of this kind: the same as by the calls that make one of them.
pub fn owners(kind: ImportKind) -> &'static [OrganizationKind] {
    match kind {
        ImportKind::Achievements => &achievements::rules::OWNERS,
        ImportKind::Demands | ImportKind::Contracts => OrganizationKind::ALL,
    }
}

/// Which imports somebody sees.
#[derive(Debug)]
pub struct Scope {
    pub own: Vec<Id<of::Organization>>,
    pub overseen: regions::Reach,
}

impl Scope {
    pub fn of(actor: &Actor) -> Self {
        let platform = actor.platform.as_ref();
        Self {
            own: actor.memberships.iter().map(|m| m.organization).collect(),
            overseen: platform
                .map_or_else(regions::Reach::nowhere, |p| regions::Reach::of(&p.region)),
        }
    }
}

#[cfg(test)]
mod tests;
