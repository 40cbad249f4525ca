//! The life of a contract, who may do what, and the form of its number. Nothing here reads a clock,
//! a row or a request.
pub mod checks;
pub mod clock;
pub mod code;
pub mod national;

use super::model::Contract;
use crate::{
    codes,
    kernel::{Actor, Code, Id, OrganizationKind, PlatformRole, Region, of},
    markets::regions::{self, Reach},
};

codes! {
    /// Where a contract is on its way to registration, and what became of it.
    pub enum ContractState {
        Draft = "draft" "草稿" "Draft",
        Submitted = "submitted" "已提交" "Submitted",
        SupplementRequested = "supplement_requested" "待补正" "Supplement requested",
        Rejected = "rejected" "不予受理" "Rejected at intake",
        Accepted = "accepted" "已受理" "Accepted",
        UnderReview = "under_review" "审查中" "Under review",
        ExpertReview = "expert_review" "专家评审中" "With the experts",
        Registered = "registered" "已登记" "Registered",
        Refused = "refused" "不予登记" "Refused",
        Withdrawn = "withdrawn" "已撤回" "Withdrawn",
        ChangePending = "change_pending" "变更审查中" "Change pending",
        Objection = "objection" "异议处理中" "Objection pending",
        Cancelled = "cancelled" "已注销" "Cancelled",
        Revoked = "revoked" "已撤销" "Revoked",
    }
}

impl ContractState {
    /// The same contract may not be in such a state twice.
    pub fn is_live(self) -> bool {
        use ContractState::*;
        !matches!(self, Draft | Rejected | Refused | Withdrawn | Cancelled | Revoked)
    }
    /// The first decision is still to come.
    pub fn is_undecided(self) -> bool {
        use ContractState::*;
        matches!(
            self,
            Draft | Submitted | SupplementRequested | Accepted | UnderReview | ExpertReview
        )
    }
    /// The filer may still change what it says.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::SupplementRequested)
    }
}

impl ContractState {
    /// Whether the contract counts as turnover: what is registered does while a change of it is examined.
    pub fn counts(self) -> bool {
        matches!(self, Self::Registered | Self::ChangePending)
    }
}

codes! {
    /// What can be done to a contract.
    pub enum ContractAct {
        Submit = "submit" "提交" "Submit",
        Accept = "accept" "受理" "Accept",
        Reject = "reject" "不予受理" "Reject at intake",
        RequestSupplement = "request-supplement" "要求补正" "Request a supplement",
        Review = "review" "开始审查" "Take under review",
        ReferToExperts = "refer-to-experts" "提请专家评审" "Refer to experts",
        ExpertOpinion = "expert-opinion" "记录专家意见" "Record the experts' opinion",
        Register = "register" "登记" "Register",
        Refuse = "refuse" "不予登记" "Refuse",
        Withdraw = "withdraw" "撤回" "Withdraw",
        Change = "change" "申请变更" "Apply for a change",
        Cancel = "cancel" "注销" "Cancel",
        Revoke = "revoke" "撤销" "Revoke",
        Object = "object" "提出异议" "Object",
        Uphold = "uphold" "维持原决定" "Uphold",
        Reexamine = "reexamine" "重新审查" "Examine again",
        Reinstate = "reinstate" "恢复登记" "Reinstate",
    }
}

/// In what part somebody faces a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A member of the organization that applies.
    Filer,
    /// A member of the other parties: sees and does nothing.
    Party,
    /// A clerk of the registrar.
    Clerk,
    /// The clerk who took it under review.
    Examiner,
    /// An operator of the region where it is registered: the authority above the registrar.
    Authority,
    /// An auditor of that region.
    Overseer,
}

impl Side {
    /// How the history of a contract names the side.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Filer => "filer",
            Self::Party => "party",
            Self::Clerk | Self::Examiner => "registrar",
            Self::Authority => "authority",
            Self::Overseer => "auditor",
        }
    }
    pub fn is_clerk(self) -> bool {
        matches!(self, Self::Clerk | Self::Examiner)
    }
    /// A party knows the text of its own contract; everyone else opens it, and that is noted.
    pub fn owns_text(self) -> bool {
        matches!(self, Self::Filer | Self::Party)
    }
}

/// The side of `actor`, or `None` for whom the contract does not exist.
///
/// Whoever belongs to a party stands on that side even as a clerk: nobody decides on a contract of
/// their own house.
pub fn side(contract: &Contract, actor: &Actor) -> Option<Side> {
    let belongs = |to: Option<Id<of::Organization>>| to.is_some_and(|id| actor.is_member(id));
    if belongs(contract.filer_id) {
        return Some(Side::Filer);
    }
    if belongs(contract.seller_organization_id) || belongs(contract.buyer_organization_id) {
        return Some(Side::Party);
    }
    if contract.submitted_at.is_some() && is_clerk(contract.registrar_id, actor) {
        let examiner = contract.examiner_id == Some(actor.account);
        return Some(if examiner { Side::Examiner } else { Side::Clerk });
    }
    let platform = actor.platform.as_ref()?;
    if !regions::covers(&platform.region, contract.home()) {
        return None;
    }
    Some(match platform.role {
        PlatformRole::Operator => Side::Authority,
        PlatformRole::Auditor => Side::Overseer,
    })
}

fn is_clerk(registrar: Id<of::Organization>, actor: &Actor) -> bool {
    actor.membership(registrar).is_some_and(|m| m.verified && m.kind == OrganizationKind::Registrar)
}

/// What of a contract the moves depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub state: ContractState,
    /// A clerk has examined it since it came to the registrar.
    pub examined: bool,
    /// Experts must be heard before the decision, and have not been.
    pub experts_due: bool,
    /// What was objected to.
    pub objected_from: Option<ContractState>,
    /// The rule set lets the registrar revoke, too.
    pub registrar_revokes: bool,
}

impl Standing {
    /// As in `state`, with nothing remarkable.
    pub fn plain(state: ContractState) -> Self {
        Self {
            state,
            examined: false,
            experts_due: false,
            objected_from: None,
            registrar_revokes: false,
        }
    }
}

/// A move that the rules allowed. Only [`decide`] makes one, and the store accepts nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    from: ContractState,
    act: ContractAct,
    to: ContractState,
}

impl Move {
    pub fn from(&self) -> ContractState {
        self.from
    }
    pub fn act(&self) -> ContractAct {
        self.act
    }
    pub fn to(&self) -> ContractState {
        self.to
    }
    /// What the journal calls it.
    pub fn topic(&self) -> &'static str {
        use {ContractAct::*, ContractState::*};
        match (self.from, self.act) {
            (_, Submit) => "contract.submitted",
            (_, Accept) => "contract.accepted",
            (_, Reject) => "contract.rejected",
            (_, RequestSupplement) => "contract.supplement_requested",
            (ChangePending, Review) => "contract.change_reviewed",
            (_, Review) => "contract.under_review",
            (_, ReferToExperts) => "contract.expert_review",
            (_, ExpertOpinion) => "contract.expert_opinion",
            (ChangePending, Register) => "contract.amended",
            (_, Register) => "contract.registered",
            (ChangePending, Refuse) => "contract.change_refused",
            (_, Refuse) => "contract.refused",
            (ChangePending, Withdraw) => "contract.change_withdrawn",
            (Objection, Withdraw) => "contract.objection_withdrawn",
            (_, Withdraw) => "contract.withdrawn",
            (_, Change) => "contract.change_requested",
            (_, Cancel) => "contract.cancelled",
            (_, Revoke) => "contract.revoked",
            (_, Object) => "contract.objected",
            (_, Uphold) => "contract.upheld",
            (_, Reexamine) => "contract.reexamined",
            (_, Reinstate) => "contract.reinstated",
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The contract is in no state where anyone could do this.
    NotNow,
    /// Someone could do this now, but not this side.
    NotYours,
    /// This clerk examined it, so another one must register it.
    TwoPersons,
    /// Nobody has examined the change yet.
    NotExamined,
    /// A large or disputed contract, and the experts have not been heard.
    ExpertsFirst,
}

/// The whole life of a contract.
pub fn decide(at: Standing, side: Side, act: ContractAct) -> Result<Move, Refusal> {
    use {ContractAct::*, ContractState::*, Side::*};
    const CLERKS: &[Side] = &[Clerk, Examiner];
    let revokers: &[Side] =
        if at.registrar_revokes { &[Authority, Clerk, Examiner] } else { &[Authority] };
    let origin = at.objected_from.unwrap_or(Refused);
    let (by, to): (&[Side], ContractState) = match (at.state, act) {
        (Draft | SupplementRequested, Submit) => (&[Filer], Submitted),
        (Submitted, Accept) => (CLERKS, Accepted),
        (Submitted, Reject) => (CLERKS, Rejected),
        (Submitted | Accepted | UnderReview, RequestSupplement) => (CLERKS, SupplementRequested),
        (Accepted, Review) => (CLERKS, UnderReview),
        (UnderReview, ReferToExperts) => (&[Examiner], ExpertReview),
        (ExpertReview, ExpertOpinion) => (CLERKS, UnderReview),
        (UnderReview | ChangePending, Register) if side == Examiner => {
            return Err(Refusal::TwoPersons);
        }
        (UnderReview, Register) if side == Clerk && at.experts_due => {
            return Err(Refusal::ExpertsFirst);
        }
        (ChangePending, Register) if side == Clerk && !at.examined => {
            return Err(Refusal::NotExamined);
        }
        (UnderReview | ChangePending, Register) => (&[Clerk], Registered),
        (Submitted | Accepted | UnderReview, Refuse) => (CLERKS, Refused),
        (Draft | Submitted | SupplementRequested | Accepted | UnderReview, Withdraw) => {
            (&[Filer], Withdrawn)
        }

        (Registered, Change) => (&[Filer], ChangePending),
        (ChangePending, Review) if !at.examined => (CLERKS, ChangePending),
        (ChangePending, Refuse) => (CLERKS, Registered),
        (ChangePending, Withdraw) => (&[Filer], Registered),
        (Registered, Cancel) => (&[Filer], Cancelled),
        // a change that is pending must not hold up a revocation
        (Registered | ChangePending, Revoke) => (revokers, Revoked),

        (Refused | Revoked, Object) => (&[Filer], Objection),
        (Registered, Object) => (&[Filer, Authority], Objection),
        (Objection, Withdraw) => (&[Filer], origin),
        (Objection, Uphold) => (&[Authority], origin),
        (Objection, Reexamine) if origin == Refused => (&[Authority], Accepted),
        (Objection, Reinstate) if origin == Revoked => (&[Authority], Registered),
        (Objection, Revoke) if origin == Registered => (&[Authority], Revoked),
        _ => return Err(Refusal::NotNow),
    };
    if by.contains(&side) { Ok(Move { from: at.state, act, to }) } else { Err(Refusal::NotYours) }
}

/// What `side` could do now.
pub fn open_to(at: Standing, side: Side) -> Vec<&'static str> {
    ContractAct::ALL
        .iter()
        .filter(|act| decide(at, side, **act).is_ok())
        .map(|act| act.slug())
        .collect()
}

/// What of the list of contracts somebody sees: the same as [`side`] says of each one.
#[derive(Debug)]
pub struct Scope {
    /// The caller's organizations: contracts to which one of them is a party.
    pub parties: Vec<Id<of::Organization>>,
    /// The registrars for which the caller works: whatever was handed in there.
    pub registrars: Vec<Id<of::Organization>>,
    /// Where the caller oversees.
    pub overseen: Reach,
}

impl Scope {
    pub fn of(actor: &Actor) -> Self {
        let platform = actor.platform.as_ref();
        let overseen = platform.map_or_else(Reach::nowhere, |p| Reach::of(&p.region));
        Self { overseen, ..Self::own(actor) }
    }
    /// Only what the caller's organizations are concerned with, as a party or as the registrar.
    pub fn own(actor: &Actor) -> Self {
        let all = actor.memberships.iter();
        Self {
            parties: all.clone().map(|m| m.organization).collect(),
            registrars: all
                .map(|m| m.organization)
                .filter(|organization| is_clerk(*organization, actor))
                .collect(),
            overseen: Reach::nowhere(),
        }
    }
}

/// Whether a registrar of `registrar` may register for an applicant of `applicant`: registration is by
/// territory, and a provincial registrar takes all of its province.
pub fn is_competent(registrar: &Region, applicant: &Region) -> bool {
    regions::covers(registrar, applicant)
}

/// The four digits of a registration number that stand for the registrar's region; a zone has no
/// digits of its own and uses those of the region it reports to.
pub fn area_of(region: &Region) -> String {
    let code = match regions::info(region) {
        Some(zone) if zone.level == "zone" => zone.parent,
        _ => region.as_str(),
    };
    code.chars().take(4).collect()
}

/// 合同登记编号: year, area, number of the registrar in its area, serial of the registrar in the
/// year; `None` when one of them does not fit its digits.
pub fn registration_no(year: i32, area: &str, registrar: i64, serial: i64) -> Option<String> {
    let fits = (1900..=2099).contains(&year)
        && area.len() == 4
        && area.chars().all(|c| c.is_ascii_digit())
        && (1..=99).contains(&registrar)
        && (1..=999_999).contains(&serial);
    fits.then(|| format!("{year:04}{area}{registrar:02}{serial:06}"))
}

#[cfg(test)]
mod tests;
