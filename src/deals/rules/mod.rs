//! Who may see and do what, and how requests and deals live. Nothing here reads a clock, a row of
//! the database or a request of HTTP.
pub mod clock;
pub mod deal;
pub mod engagement;
pub mod feedback;
pub mod intent;
pub mod meeting;
pub mod request;

use crate::{
    accounts::model::{Broker, BrokerState},
    demands::model::Demand,
    kernel::{Actor, Id, Region, of},
    markets::publication::State,
};

/// The caller together with the broker profile, which not every rule can do without.
#[derive(Debug, Clone)]
pub struct Viewer {
    pub actor: Actor,
    pub broker: Option<Broker>,
}

impl Viewer {
    pub fn broker_id(&self) -> Option<Id<of::Broker>> {
        self.broker.as_ref().map(|b| b.id)
    }
    pub fn is_broker(&self, id: Option<Id<of::Broker>>) -> bool {
        id.is_some() && id == self.broker_id()
    }
    /// The broker profile, if it is verified and works in the name of a verified agency.
    pub fn acting_broker(&self) -> Option<&Broker> {
        self.broker
            .as_ref()
            .filter(|b| b.state == BrokerState::Verified && self.speaks_for(b.organization_id))
    }
    /// A member of the organization, which is verified.
    pub fn speaks_for(&self, organization: Id<of::Organization>) -> bool {
        self.actor.membership(organization).is_some_and(|m| m.verified)
    }
}

/// Why somebody cannot do something to a request or a deal.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is in no state where anyone could do this.
    NotNow,
    /// Someone could do this now, but not this side.
    NotYours,
    /// One of the two listings is no longer on offer.
    ListingGone,
}

/// The first move that is allowed, or else the refusal that says most: that it is too late or too early
/// says more than that it is for somebody else.
fn first_of<M>(tried: impl Iterator<Item = Result<M, Refusal>>) -> Result<M, Refusal> {
    let mut worst = Refusal::NotYours;
    for one in tried {
        match one {
            Ok(step) => return Ok(step),
            Err(Refusal::NotYours) => {}
            Err(other) => worst = other,
        }
    }
    Err(worst)
}

/// Which rows a list may show: those of the caller's organizations, those the caller brokered, and
/// those of the region the caller watches over.
#[derive(Debug, Clone)]
pub struct Scope {
    pub organizations: Vec<Id<of::Organization>>,
    pub broker: Option<Id<of::Broker>>,
    pub overseen: Option<Region>,
}

impl Scope {
    pub fn of(viewer: &Viewer) -> Self {
        Self {
            organizations: viewer.actor.memberships.iter().map(|m| m.organization).collect(),
            broker: viewer.broker_id(),
            overseen: viewer.actor.platform.as_ref().map(|p| p.region.clone()),
        }
    }
}

/// One of the brokers whom a private demand names.
pub fn is_named(viewer: &Viewer, demand: &Demand) -> bool {
    viewer.acting_broker().is_some_and(|b| demand.broker_ids.contains(&b.id))
}

/// A request between two listings can still be agreed to. One that merely ran out while the request
/// was waiting does not undo the offer; one that was taken back or taken down does.
pub fn is_on_offer(state: State) -> bool {
    matches!(state, State::Published | State::Expired)
}
