//! The nouns of the room.
mod bodies;
mod codes_of_registration;
pub mod national;
mod views;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    commission::ContractCommission,
    draft::Content,
    rulebook::{Certainty, DaysKind},
    rules::{ContractAct, ContractState},
};
use crate::{
    codes,
    kernel::{Day, Fen, Id, JsonText, Label, Moment, OrganizationKind, Region, labels, of},
    markets::{
        model::{Field, IpKind},
        regions,
    },
    schema::{
        contract_cases, contract_changes, contract_papers, contract_receipts, contract_steps,
        contract_versions, contracts,
    },
};

pub use bodies::*;
pub use codes_of_registration::*;
pub use views::*;

codes! {
    /// The five classes of technology contracts (技术合同认定登记管理办法, in force 2026-03-01).
    pub enum Category {
        Development = "development" "技术开发" "Development",
        Transfer = "transfer" "技术转让" "Transfer",
        License = "license" "技术许可" "Licence",
        Consulting = "consulting" "技术咨询" "Consulting",
        Service = "service" "技术服务" "Service",
    }
}

codes! {
    /// Sub-classes. Licences were a leaf of transfer until 2026-02; older contracts are mapped here.
    pub enum Subcategory {
        DevEntrusted = "dev_entrusted" "委托开发" "Entrusted development",
        DevCooperative = "dev_cooperative" "合作开发" "Cooperative development",
        TrfPatent = "trf_patent" "专利权转让" "Transfer of a patent",
        TrfPatentAppl = "trf_patent_appl" "专利申请权转让" "Transfer of a patent application",
        TrfSecret = "trf_secret" "技术秘密转让" "Transfer of a technical secret",
        TrfOther = "trf_other" "其他技术转让" "Other transfer",
        LicPatent = "lic_patent" "专利实施许可" "Patent licence",
        LicSecret = "lic_secret" "技术秘密使用许可" "Licence of a technical secret",
        LicOther = "lic_other" "其他技术许可" "Other licence",
        Consult = "consult" "技术咨询" "Consulting",
        ServGeneral = "serv_general" "一般性技术服务" "General technical service",
        ServTraining = "serv_training" "技术培训" "Training",
        ServIntermediary = "serv_intermediary" "技术中介" "Intermediary service",
    }
}

impl Subcategory {
    pub fn category(self) -> Category {
        match self {
            Self::DevEntrusted | Self::DevCooperative => Category::Development,
            Self::TrfPatent | Self::TrfPatentAppl | Self::TrfSecret | Self::TrfOther => {
                Category::Transfer
            }
            Self::LicPatent | Self::LicSecret | Self::LicOther => Category::License,
            Self::Consult => Category::Consulting,
            Self::ServGeneral | Self::ServTraining | Self::ServIntermediary => Category::Service,
        }
    }
}

codes! {
    /// 计划来源: the government plan that a project comes from.
    pub enum PlanSource {
        National = "national" "国家科技计划" "National plan",
        Ministry = "ministry" "部门计划" "Ministry plan",
        Province = "province" "省、自治区、直辖市及计划单列市计划" "Provincial plan",
        City = "city" "地市县计划" "City or county plan",
        None = "none" "计划外" "No plan",
    }
}

codes! {
    /// 社会经济目标 by GB/T 24450: the main purpose of the project, not the industry of a party.
    pub enum Objective {
        Environment = "environment" "环境保护、生态建设及污染防治" "Environment",
        Energy = "energy" "能源生产、分配和合理利用" "Energy",
        Health = "health" "卫生事业发展" "Health",
        Education = "education" "教育事业发展" "Education",
        Infrastructure = "infrastructure" "基础设施以及城市和农村规划" "Infrastructure and planning",
        Society = "society" "社会发展和社会服务" "Society",
        EarthAtmosphere = "earth_atmosphere" "地球和大气层的探索与利用" "Earth and atmosphere",
        Space = "space" "民用空间探测及开发" "Civil space",
        Agriculture = "agriculture" "农林牧渔业发展" "Agriculture",
        Industry = "industry" "工商业发展" "Industry and trade",
        Undirected = "undirected" "非定向研究" "Undirected research",
        OtherCivil = "other_civil" "其他民用目标" "Other civil objectives",
        Defence = "defence" "国防" "Defence",
    }
}

codes! {
    /// 支付方式.
    pub enum Payment {
        LumpSum = "lump_sum" "一次支付" "Lump sum",
        Installments = "installments" "分期支付" "Instalments",
        Royalty = "royalty" "提成支付" "Royalty",
        RoyaltyWithEntryFee = "royalty_with_entry_fee" "提成支付附加入门费" "Royalty with entry fee",
    }
}

impl Payment {
    /// What is paid depends on what the buyer will earn: the total is not known at the signing.
    pub fn is_royalty(self) -> bool {
        matches!(self, Self::Royalty | Self::RoyaltyWithEntryFee)
    }
}

codes! {
    /// 卖方、买方类别, folded from the national four-digit list.
    pub enum PartyType {
        Government = "government" "机关法人" "Government",
        Institute = "institute" "科研机构" "Research institute",
        University = "university" "高等院校" "University",
        Hospital = "hospital" "医疗卫生机构" "Hospital",
        OtherPublic = "other_public" "其他事业法人" "Other public institution",
        Association = "association" "社团法人" "Association",
        Company = "company" "企业" "Company",
        Individual = "individual" "自然人" "Individual",
        Other = "other" "其他（含境外）" "Other, also abroad",
    }
}

impl PartyType {
    /// What an organization of the market is in a contract. Registrars are mostly public
    /// institutions; agencies and investors mostly firms.
    pub fn of(kind: OrganizationKind) -> Self {
        match kind {
            OrganizationKind::University => Self::University,
            OrganizationKind::Institute => Self::Institute,
            OrganizationKind::Hospital => Self::Hospital,
            OrganizationKind::Government => Self::Government,
            OrganizationKind::Registrar => Self::OtherPublic,
            OrganizationKind::Company | OrganizationKind::Agency | OrganizationKind::Investor => {
                Self::Company
            }
        }
    }
    /// Persons have an identity number, which is not kept here, and parties abroad have no code.
    pub fn has_credit_code(self) -> bool {
        !matches!(self, Self::Individual | Self::Other)
    }
}

codes! {
    /// Whether the technology crosses the border.
    pub enum CrossBorder {
        None = "none" "境内" "Domestic",
        Import = "import" "技术进口" "Import",
        Export = "export" "技术出口" "Export",
    }
}

codes! {
    /// What a line of the price is for.
    pub enum LineKind {
        Technology = "technology" "技术" "Technology",
        Carrier = "carrier" "技术载体（样机、样品、软件介质等）" "Carrier of the technology",
        Equipment = "equipment" "设备" "Equipment",
        Instrument = "instrument" "仪器" "Instrument",
        Part = "part" "零部件" "Part",
        Material = "material" "原材料" "Material",
        OtherNontechnical = "other_nontechnical" "其他非技术性费用" "Other non-technical cost",
    }
}

/// What is said of a contract that is live already.
pub const DUPLICATE: &str = "同一合同（卖方、买方、签订日期相同，合同编号相同或名称与成交额均相同）已在登记程序中或已登记；一份合同只登记一次。";

/// The code lists of this room, by the name of the field that takes them.
pub fn code_lists() -> Vec<(&'static str, Vec<Label>)> {
    vec![
        ("category", labels::<Category>()),
        ("subcategory", labels::<Subcategory>()),
        ("plan_source", labels::<PlanSource>()),
        ("objective", labels::<Objective>()),
        ("payment", labels::<Payment>()),
        ("party_type", labels::<PartyType>()),
        ("cross_border", labels::<CrossBorder>()),
        ("line_kind", labels::<LineKind>()),
        ("contract_state", labels::<ContractState>()),
        ("contract_act", labels::<ContractAct>()),
        ("paper_kind", labels::<PaperKind>()),
        ("rejection_ground", labels::<RejectionGround>()),
        ("cancellation_ground", labels::<CancellationGround>()),
        ("revocation_ground", labels::<RevocationGround>()),
        ("expert_conclusion", labels::<Conclusion>()),
        ("rule_mark", labels::<Certainty>()),
        ("days_kind", labels::<DaysKind>()),
        ("reconciliation_list", labels::<national::ReconciliationList>()),
    ]
}

/// One line of the price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractLine {
    pub kind: LineKind,
    #[schema(min_length = 1, max_length = 200, example = "样机研制")]
    pub description: String,
    pub amount_fen: Fen,
    /// How many sets or pieces; 1 without it. More than two sets of a carrier count as goods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000, example = 2)]
    pub quantity: Option<i64>,
}

/// A party as it was when the contract was drawn up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ContractParty {
    /// Where it is an organization of the market.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub organization_id: Option<Id<of::Organization>>,
    #[schema(example = "辽东湾理工大学")]
    pub name: String,
    /// Unified social credit code (GB 32100-2015); none for persons and parties abroad.
    #[schema(example = "12210000MB1234567X")]
    pub uscc: Option<String>,
    pub region_code: Region,
    pub party_type: PartyType,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parties {
    pub seller: ContractParty,
    pub buyer: ContractParty,
    pub intermediary: Option<ContractParty>,
}

/// What the parties agreed on, beside who they are; kept as one JSON text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The number that the parties gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_no: Option<String>,
    pub signed_on: Day,
    pub effective_on: Day,
    pub valid_to: Day,
    pub ip_kinds: Vec<IpKind>,
    pub plan_source: PlanSource,
    pub objective: Objective,
    /// GB/T 4754-2017 section letter and two digits: `C38`.
    pub industry: String,
    pub payment: Payment,
    /// 关联交易: decides on tax relief.
    pub related_party: bool,
    pub cross_border: CrossBorder,
    pub lines: Vec<ContractLine>,
    /// What the parties agreed on with the intermediary; none in contracts from before there was any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commission: Option<ContractCommission>,
}

#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = contracts)]
pub struct Contract {
    pub id: Id<of::Contract>,
    pub state: ContractState,
    pub version: i64,
    /// The organization that applies for registration; none for histories that were loaded.
    pub filer_id: Option<Id<of::Organization>>,
    pub deal_id: Option<Id<of::Deal>>,
    pub title: String,
    pub category: Category,
    pub subcategory: Subcategory,
    pub field: Field,
    pub total_fen: Fen,
    pub tech_fen: Fen,
    pub seller_organization_id: Option<Id<of::Organization>>,
    pub seller_uscc: Option<String>,
    pub seller_region: Region,
    pub seller_type: PartyType,
    pub buyer_organization_id: Option<Id<of::Organization>>,
    pub buyer_region: Region,
    pub buyer_type: PartyType,
    pub parties: JsonText<Parties>,
    pub terms: JsonText<Terms>,
    pub registrar_id: Id<of::Organization>,
    /// Fingerprint of the contract itself, the same however often it is filed.
    pub digest: String,
    /// When it was first handed in; the registrar sees it from then on.
    pub submitted_at: Option<Moment>,
    /// The rule set in force on this day decides.
    pub accepted_at: Option<Moment>,
    pub examiner_id: Option<Id<of::Account>>,
    pub registered_by: Option<Id<of::Account>>,
    pub registration_no: Option<String>,
    pub registered_on: Option<Day>,
    /// Why it was refused, as the clerk wrote it.
    pub grounds: Option<String>,
    pub created_at: Moment,
    pub updated_at: Moment,
}

impl Contract {
    pub fn subject(&self) -> String {
        format!("contract:{}", self.id)
    }
    /// The region whose authority oversees it: the seller's, or the buyer's where the seller is abroad.
    pub fn home(&self) -> &Region {
        if regions::is_abroad(&self.seller_region) {
            &self.buyer_region
        } else {
            &self.seller_region
        }
    }
}

/// How far the examination is.
#[derive(Debug, Clone, HasQuery, AsChangeset)]
#[diesel(table_name = contract_cases, primary_key(contract_id), treat_none_as_null = true)]
pub struct Case {
    pub contract_id: Id<of::Contract>,
    /// Chosen when it is accepted.
    pub rule_set: Option<String>,
    /// Why not the one in force on that day.
    pub rule_set_reason: Option<String>,
    /// The day from which the time limit runs.
    pub clock_from: Option<Day>,
    pub decide_by: Option<Day>,
    pub disputed: bool,
    pub opinion_at: Option<Moment>,
    pub objected_from: Option<ContractState>,
    /// The total is not known yet: no certificate for the tax office before a change.
    pub provisional: bool,
}

/// A change that waits for its registration.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = contract_changes)]
pub struct Change {
    pub contract_id: Id<of::Contract>,
    pub reason: String,
    pub content: JsonText<Content>,
    pub amounts_final: bool,
    pub created_at: Moment,
}

/// One line of the history.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = contract_steps)]
pub struct Step {
    pub seq: i64,
    pub act: ContractAct,
    pub from_state: ContractState,
    pub to_state: ContractState,
    pub side: String,
    pub account_id: Option<Id<of::Account>>,
    pub detail: JsonText<serde_json::Value>,
    pub created_at: Moment,
}

/// What was registered, as it was then.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = contract_versions)]
pub struct Version {
    pub contract_id: Id<of::Contract>,
    pub number: i64,
    pub kind: VersionKind,
    pub content: JsonText<Content>,
    pub total_fen: Fen,
    pub tech_fen: Fen,
    pub rule_set: Option<String>,
    pub registered_on: Day,
    pub verify_code: Option<String>,
    pub created_at: Moment,
}

/// A paper that goes with a contract: what is known of the file, and its digest.
#[derive(Debug, Clone, HasQuery, Serialize, utoipa::ToSchema)]
#[diesel(table_name = contract_papers)]
pub struct Paper {
    #[schema(value_type = String, format = Uuid)]
    pub id: Id<of::Paper>,
    pub kind: PaperKind,
    #[schema(example = "技术开发合同.pdf")]
    pub name: String,
    #[schema(example = "application/pdf")]
    pub media_type: String,
    pub bytes: i64,
    pub sha256: String,
    /// Whether the file is kept here: `GET /contracts/{id}/papers/{part}/file`.
    #[diesel(select_expression = contract_papers::storage_key.is_not_null())]
    pub has_file: bool,
    pub created_at: Moment,
}

/// Money received for a contract.
#[derive(Debug, Clone, HasQuery, Serialize, utoipa::ToSchema)]
#[diesel(table_name = contract_receipts)]
pub struct Receipt {
    #[schema(value_type = String, format = Uuid)]
    pub id: Id<of::Receipt>,
    #[schema(value_type = String, format = Date, example = "2026-10-08")]
    pub received_on: Day,
    pub amount_fen: Fen,
    #[schema(example = "第一期款")]
    pub note: Option<String>,
    pub created_at: Moment,
}
