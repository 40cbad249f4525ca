//! The bodies that draw up and change a contract.
use serde::{Deserialize, Serialize};

use crate::{
    contracts::commission::ContractCommission,
    contracts::model::{
        Category, ContractLine, ContractParty, CrossBorder, Objective, PartyType, Payment,
        PlanSource, Subcategory,
    },
    kernel::{Day, Id, Region, body::patched, of},
    markets::model::{Field, IpKind},
};

/// A party: an organization of the market, or anybody else by name. One form or the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PartyInput {
    #[schema(value_type = Option<String>, format = Uuid)]
    pub organization_id: Option<Id<of::Organization>>,
    #[schema(min_length = 2, max_length = 200, example = "渤海示例装备有限公司")]
    pub name: Option<String>,
    /// Unified social credit code; needed of all but persons and parties abroad, who give none.
    #[schema(max_length = 30, example = "91210200F0000000XK")]
    pub uscc: Option<String>,
    pub region_code: Option<Region>,
    pub party_type: Option<PartyType>,
}

impl PartyInput {
    pub fn organization(id: Id<of::Organization>) -> Self {
        Self { organization_id: Some(id), ..Self::default() }
    }
    /// The same party, written down again.
    pub(super) fn of(party: &ContractParty) -> Self {
        match party.organization_id {
            Some(id) => Self::organization(id),
            None => Self {
                organization_id: None,
                name: Some(party.name.clone()),
                uscc: party.uscc.clone(),
                region_code: Some(party.region_code.clone()),
                party_type: Some(party.party_type),
            },
        }
    }
}

/// A contract as its filer writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "title": "高镍三元正极材料包覆工艺委托开发",
    "category": "development",
    "subcategory": "dev_entrusted",
    "seller": {"organization_id": "0199f3a4-5c1e-7d3a-9b52-2f6c0a1d7e10"},
    "buyer": {"name": "渤海示例装备有限公司", "uscc": "91210200F0000000XK", "region_code": "210200", "party_type": "company"},
    "signed_on": "2026-10-08", "effective_on": "2026-10-10", "valid_to": "2028-10-09",
    "field": "05", "ip_kinds": ["invention_patent"], "plan_source": "none", "objective": "industry",
    "industry": "C38", "payment": "installments", "related_party": false, "cross_border": "none",
    "lines": [
        {"kind": "technology", "description": "工艺开发", "amount_fen": 100000000},
        {"kind": "equipment", "description": "中试设备", "amount_fen": 20000000, "quantity": 1}
    ],
    "registrar_id": "0199f3a4-5c1e-7d3a-9b52-2f6c0a1d7e11"
}))]
pub struct ContractBody {
    /// The deal that led to it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Uuid)]
    pub deal_id: Option<Id<of::Deal>>,
    /// The number that the parties gave their contract: with it the same contract is known again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 60, example = "LDW-2026-017")]
    pub contract_no: Option<String>,
    #[schema(min_length = 2, max_length = 200)]
    pub title: String,
    pub category: Category,
    /// Must belong to `category`.
    pub subcategory: Subcategory,
    pub seller: PartyInput,
    pub buyer: PartyInput,
    /// Who brought the parties together; the filer of an intermediary contract.
    #[serde(default)]
    pub intermediary: Option<PartyInput>,
    #[schema(value_type = String, format = Date, example = "2026-10-08")]
    pub signed_on: Day,
    #[schema(value_type = String, format = Date, example = "2026-10-08")]
    pub effective_on: Day,
    #[schema(value_type = String, format = Date, example = "2026-10-08")]
    pub valid_to: Day,
    pub field: Field,
    #[schema(min_items = 1, max_items = 9)]
    pub ip_kinds: Vec<IpKind>,
    pub plan_source: PlanSource,
    pub objective: Objective,
    /// GB/T 4754-2017 section letter and two digits.
    #[schema(pattern = "^[A-T][0-9]{2}$", example = "C38")]
    pub industry: String,
    pub payment: Payment,
    /// 关联交易.
    pub related_party: bool,
    pub cross_border: CrossBorder,
    #[schema(min_items = 1, max_items = 100)]
    pub lines: Vec<ContractLine>,
    /// The intermediary's commission.
    #[serde(default)]
    pub commission: Option<ContractCommission>,
    /// A verified registrar whose region covers the applicant's.
    #[schema(value_type = String, format = Uuid)]
    pub registrar_id: Id<of::Organization>,
}

/// A contract drawn up from a deal: what is left out is taken from the deal, its listings and broker.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DealContractBody {
    /// The number that the parties gave their contract.
    #[schema(min_length = 1, max_length = 60)]
    pub contract_no: Option<String>,
    /// Without it: the title of the achievement.
    #[schema(min_length = 2, max_length = 200)]
    pub title: Option<String>,
    pub category: Category,
    pub subcategory: Subcategory,
    pub seller: Option<PartyInput>,
    pub buyer: Option<PartyInput>,
    /// Without it: the agency of the deal's broker, if it has one.
    pub intermediary: Option<PartyInput>,
    #[schema(value_type = String, format = Date, example = "2026-10-08")]
    pub signed_on: Day,
    #[schema(value_type = String, format = Date, example = "2026-10-08")]
    pub effective_on: Day,
    #[schema(value_type = String, format = Date, example = "2026-10-08")]
    pub valid_to: Day,
    /// Without it: the field of the achievement.
    pub field: Option<Field>,
    /// Without it: what the achievement says.
    #[schema(min_items = 1, max_items = 9)]
    pub ip_kinds: Option<Vec<IpKind>>,
    pub plan_source: PlanSource,
    pub objective: Objective,
    /// Without it: the industry of the demand, or else of the achievement.
    #[schema(pattern = "^[A-T][0-9]{2}$", example = "C38")]
    pub industry: Option<String>,
    pub payment: Payment,
    pub related_party: bool,
    pub cross_border: CrossBorder,
    #[schema(min_items = 1, max_items = 100)]
    pub lines: Vec<ContractLine>,
    /// Without it: what was agreed with the deal's broker, as long as the intermediary is taken from
    /// the deal, too.
    pub commission: Option<ContractCommission>,
    #[schema(value_type = String, format = Uuid)]
    pub registrar_id: Id<of::Organization>,
}

/// Changes to a draft: what is left out stays.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "高镍三元正极材料包覆工艺委托开发（二期）", "valid_to": "2029-10-09"}))]
pub struct ContractPatch {
    /// `null` takes the number out.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 60)]
    contract_no: Option<Option<String>>,
    #[schema(min_length = 2, max_length = 200, nullable = false)]
    title: Option<String>,
    #[schema(nullable = false)]
    category: Option<Category>,
    #[schema(nullable = false)]
    subcategory: Option<Subcategory>,
    #[schema(nullable = false)]
    seller: Option<PartyInput>,
    #[schema(nullable = false)]
    buyer: Option<PartyInput>,
    /// `null` takes the intermediary out.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<PartyInput>)]
    intermediary: Option<Option<PartyInput>>,
    #[schema(value_type = Option<String>, format = Date, nullable = false)]
    signed_on: Option<Day>,
    #[schema(value_type = Option<String>, format = Date, nullable = false)]
    effective_on: Option<Day>,
    #[schema(value_type = Option<String>, format = Date, nullable = false)]
    valid_to: Option<Day>,
    #[schema(nullable = false)]
    field: Option<Field>,
    #[schema(min_items = 1, max_items = 9, nullable = false)]
    ip_kinds: Option<Vec<IpKind>>,
    #[schema(nullable = false)]
    plan_source: Option<PlanSource>,
    #[schema(nullable = false)]
    objective: Option<Objective>,
    #[schema(pattern = "^[A-T][0-9]{2}$", nullable = false)]
    industry: Option<String>,
    #[schema(nullable = false)]
    payment: Option<Payment>,
    #[schema(nullable = false)]
    related_party: Option<bool>,
    #[schema(nullable = false)]
    cross_border: Option<CrossBorder>,
    #[schema(min_items = 1, max_items = 100, nullable = false)]
    lines: Option<Vec<ContractLine>>,
    /// `null` takes the commission out.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<ContractCommission>)]
    commission: Option<Option<ContractCommission>>,
    #[schema(value_type = Option<String>, format = Uuid, nullable = false)]
    registrar_id: Option<Id<of::Organization>>,
}

impl ContractPatch {
    /// The whole contract after the change.
    pub fn onto(self, old: ContractBody) -> ContractBody {
        ContractBody {
            deal_id: old.deal_id,
            contract_no: self.contract_no.unwrap_or(old.contract_no),
            title: self.title.unwrap_or(old.title),
            category: self.category.unwrap_or(old.category),
            subcategory: self.subcategory.unwrap_or(old.subcategory),
            seller: self.seller.unwrap_or(old.seller),
            buyer: self.buyer.unwrap_or(old.buyer),
            intermediary: self.intermediary.unwrap_or(old.intermediary),
            signed_on: self.signed_on.unwrap_or(old.signed_on),
            effective_on: self.effective_on.unwrap_or(old.effective_on),
            valid_to: self.valid_to.unwrap_or(old.valid_to),
            field: self.field.unwrap_or(old.field),
            ip_kinds: self.ip_kinds.unwrap_or(old.ip_kinds),
            plan_source: self.plan_source.unwrap_or(old.plan_source),
            objective: self.objective.unwrap_or(old.objective),
            industry: self.industry.unwrap_or(old.industry),
            payment: self.payment.unwrap_or(old.payment),
            related_party: self.related_party.unwrap_or(old.related_party),
            cross_border: self.cross_border.unwrap_or(old.cross_border),
            lines: self.lines.unwrap_or(old.lines),
            commission: self.commission.unwrap_or(old.commission),
            registrar_id: self.registrar_id.unwrap_or(old.registrar_id),
        }
    }
}
