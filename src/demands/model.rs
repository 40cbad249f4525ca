//! The nouns of the room.
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    codes,
    kernel::{Day, Fen, Id, JsonText, Moment, Region, of},
    markets::{
        model::{Chain, Field},
        publication::State,
    },
    schema::demands,
};

codes! {
    /// 需求类型.
    pub enum DemandKind {
        KeyTechnology = "key_technology" "关键技术研发" "Key technology",
        ProductUpgrade = "product_upgrade" "产品升级" "Product upgrade",
        ProcessImprovement = "process_improvement" "技术改造" "Process improvement",
        EquipmentImprovement = "equipment_improvement" "设备改进" "Equipment improvement",
        TechnologyPurchase = "technology_purchase" "技术购买" "Technology purchase",
        Consulting = "consulting" "技术咨询" "Consulting",
        Testing = "testing" "检验检测" "Testing",
        Other = "other" "其他" "Other",
    }
}

codes! {
    /// 合作方式 that the firm would accept.
    pub enum CooperationMode {
        CommissionedDevelopment = "commissioned_development" "委托开发" "Commissioned development",
        JointDevelopment = "joint_development" "合作开发" "Joint development",
        Transfer = "transfer" "技术转让" "Transfer",
        License = "license" "技术许可" "Licence",
        Consulting = "consulting" "技术咨询" "Consulting",
        Service = "service" "技术服务" "Service",
        Equity = "equity" "股权投资" "Equity",
        Other = "other" "其他" "Other",
    }
}

codes! {
    /// Who may see the demand and its owner.
    pub enum Visibility {
        Public = "public" "公开" "Public",
        /// The demand is public, its owner is not, until it accepts a request.
        Masked = "masked" "隐去单位" "Masked",
        /// Only for the brokers it names.
        Private = "private" "仅指定经纪人可见" "Private",
    }
}

/// A quantified indicator (技术指标) that a solution must reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    #[schema(min_length = 1, max_length = 60, example = "循环寿命")]
    pub name: String,
    #[schema(min_length = 1, max_length = 120, example = "≥3000 次")]
    pub target: String,
}

#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = demands)]
pub struct Demand {
    pub id: Id<of::Demand>,
    pub organization_id: Id<of::Organization>,
    pub created_by: Id<of::Account>,
    pub state: State,
    pub title: String,
    pub description: String,
    pub keywords: JsonText<Vec<String>>,
    pub field: Field,
    pub kind: DemandKind,
    pub cooperation_modes: JsonText<Vec<CooperationMode>>,
    pub indicators: JsonText<Vec<Indicator>>,
    pub budget_fen: Option<Fen>,
    pub budget_negotiable: bool,
    /// Until when the firm needs it; the listing expires after this day.
    pub deadline: Option<Day>,
    pub min_trl: Option<i64>,
    pub region_code: Region,
    /// GB/T 4754-2017 section letter and two digits: `C38`.
    pub industry: Option<String>,
    pub chain: Option<Chain>,
    pub visibility: Visibility,
    /// For `private` demands: the brokers who may see it.
    pub broker_ids: JsonText<Vec<Id<of::Broker>>>,
    /// Why it was returned or suspended, as the operator wrote it.
    pub reasons: JsonText<Vec<String>>,
    pub version: i64,
    pub created_at: Moment,
    pub updated_at: Moment,
    pub published_at: Option<Moment>,
}
