//! The nouns of the room.
use diesel::prelude::*;

use crate::{
    codes,
    kernel::{Id, JsonText, Lang, MemberRole, Moment, OrganizationKind, PlatformRole, Region, of},
    markets::model::Field,
    schema::{accounts, brokers, organizations},
};

codes! {
    /// Where an organization stands with the market.
    pub enum OrganizationState {
        Pending = "pending" "待核验" "Pending",
        Verified = "verified" "已核验" "Verified",
        Rejected = "rejected" "未通过" "Rejected",
        Suspended = "suspended" "已停用" "Suspended",
    }
}

codes! {
    /// Levels of technology brokers (技术经理人) by the national training outline of 2020.
    pub enum BrokerLevel {
        Junior = "junior" "初级技术经纪人" "Junior technology broker",
        Intermediate = "intermediate" "中级技术经纪人" "Intermediate technology broker",
        Senior = "senior" "高级技术经理人" "Senior technology manager",
    }
}

codes! {
    /// Whether an operator has seen the broker's certificate.
    pub enum BrokerState {
        Pending = "pending" "待核验" "Pending",
        Verified = "verified" "已核验" "Verified",
    }
}

#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = organizations)]
pub struct Organization {
    pub id: Id<of::Organization>,
    pub name: String,
    pub kind: OrganizationKind,
    /// Unified social credit code (GB 32100-2015), 18 characters.
    pub uscc: String,
    pub region_code: Region,
    pub state: OrganizationState,
    pub reason: Option<String>,
    pub version: i64,
    pub created_at: Moment,
    pub updated_at: Moment,
}

impl Organization {
    pub fn is_verified(&self) -> bool {
        self.state == OrganizationState::Verified
    }
}

/// A person with an account, as other rooms may see it: no credentials.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = accounts)]
pub struct Person {
    pub id: Id<of::Account>,
    pub email: String,
    pub name: String,
    pub lang: Lang,
    pub email_verified_at: Option<Moment>,
    pub platform_role: Option<PlatformRole>,
    pub platform_region: Option<Region>,
}

/// One person's part in an organization.
#[derive(Debug, Clone)]
pub struct Member {
    pub person: Person,
    pub role: MemberRole,
}

#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = brokers)]
pub struct Broker {
    pub id: Id<of::Broker>,
    pub account_id: Id<of::Account>,
    /// The agency in whose name the broker works.
    pub organization_id: Id<of::Organization>,
    pub level: BrokerLevel,
    pub certificate_no: String,
    pub fields: JsonText<Vec<Field>>,
    pub region_codes: JsonText<Vec<Region>>,
    pub languages: JsonText<Vec<String>>,
    pub state: BrokerState,
    pub version: i64,
    pub created_at: Moment,
}
