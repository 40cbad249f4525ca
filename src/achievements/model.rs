//! The nouns of the room.
use diesel::prelude::*;

use crate::{
    codes,
    kernel::{Day, Fen, Id, JsonText, Moment, Region, of},
    markets::{
        model::{Chain, Field, IpKind},
        publication::State,
    },
    schema::achievements,
};

codes! {
    /// 所处阶段. Early is TRL 1–4, pilot 5–7, mature 8–9.
    pub enum Stage {
        Early = "early" "初期阶段" "Early",
        Pilot = "pilot" "中期阶段" "Pilot",
        Mature = "mature" "成熟应用阶段" "Mature",
    }
}

codes! {
    /// 转化方式 that the owner offers.
    pub enum TransferMode {
        Transfer = "transfer" "技术转让" "Transfer",
        License = "license" "技术许可" "Licence",
        JointDevelopment = "joint_development" "合作开发" "Joint development",
        Equity = "equity" "作价入股" "Equity",
        SelfImplementation = "self_implementation" "自行实施" "Self-implementation",
        Other = "other" "其他" "Other",
    }
}

#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = achievements)]
pub struct Achievement {
    pub id: Id<of::Achievement>,
    pub organization_id: Id<of::Organization>,
    pub created_by: Id<of::Account>,
    pub state: State,
    pub title: String,
    pub abstract_text: String,
    pub keywords: JsonText<Vec<String>>,
    pub field: Field,
    pub stage: Stage,
    pub trl: i64,
    pub ip_kind: Option<IpKind>,
    pub patents: JsonText<Vec<String>>,
    pub transfer_modes: JsonText<Vec<TransferMode>>,
    pub price_fen: Option<Fen>,
    pub price_negotiable: bool,
    pub region_code: Region,
    /// GB/T 4754-2017 section letter and two digits: `C38`.
    pub industry: Option<String>,
    pub chain: Option<Chain>,
    pub details: Option<String>,
    /// Why it was returned or suspended, as the operator wrote it.
    pub reasons: JsonText<Vec<String>>,
    pub version: i64,
    pub created_at: Moment,
    pub updated_at: Moment,
    pub published_at: Option<Moment>,
    pub expires_on: Option<Day>,
}
