//! What goes with an act.
use serde::{Deserialize, Serialize};

use super::{CancellationGround, Conclusion, PaperKind, RejectionGround, RevocationGround};
use crate::{
    contracts::{draft::ContractPatch, rules::ContractAct},
    kernel::{Day, Fen, Id, of},
};

/// How a contract is accepted.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"rule_set": "R2001", "reason": "2026-02 已向原登记机构递交，按原规则办理。"}))]
pub struct AcceptBody {
    /// Other rules than those in force on the day of acceptance; needs a `reason`.
    #[schema(min_length = 1, max_length = 40)]
    pub rule_set: Option<String>,
    #[schema(min_length = 5, max_length = 2000)]
    pub reason: Option<String>,
}

/// Why a contract is not taken in.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ground": "wrong_registrar", "grounds": "卖方在大连，应向大连市的登记机构申请。"}))]
pub struct RejectBody {
    pub ground: RejectionGround,
    #[schema(min_length = 5, max_length = 2000)]
    pub grounds: String,
}

/// What is missing.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"items": ["补交加盖公章的经费明细表", "写明验收标准"]}))]
pub struct SupplementBody {
    #[schema(min_items = 1, max_items = 50)]
    pub items: Vec<SupplementItem>,
}

/// One thing that is missing.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(min_length = 2, max_length = 500)]
pub struct SupplementItem(pub String);

/// Why experts are asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"reason": "当事人对技术交易额有争议。"}))]
pub struct ReferBody {
    /// Needed of a contract below the threshold, which is then a disputed one.
    #[schema(min_length = 5, max_length = 2000)]
    pub reason: Option<String>,
}

/// What the experts say.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"conclusion": "support", "experts": 5, "text": "研究开发目标明确，指标可验证，同意认定。"}))]
pub struct OpinionBody {
    pub conclusion: Conclusion,
    /// How many took part.
    #[schema(minimum = 1, maximum = 99)]
    pub experts: i64,
    #[schema(min_length = 5, max_length = 5000)]
    pub text: String,
}

/// Why a contract is not registered.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseBody {
    /// What the parties read; names the rule and what would be right.
    #[schema(
        min_length = 5,
        max_length = 2000,
        example = "合同标的为承揽加工，不属于技术服务（民法典第八百七十八条）。"
    )]
    pub grounds: String,
}

/// A change of a registered contract.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeBody {
    #[schema(min_length = 5, max_length = 2000, example = "按 2026 年实际销售额确定提成金额。")]
    pub reason: String,
    /// What is to be different.
    pub changes: ContractPatch,
    /// The amounts are known now: the registration is provisional no longer.
    #[serde(default)]
    pub amounts_final: bool,
}

/// Why a registration is given up.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"ground": "dissolved", "text": "双方于 2026-11-01 签订解除协议。"}))]
pub struct CancelBody {
    pub ground: Option<CancellationGround>,
    #[schema(min_length = 5, max_length = 2000)]
    pub text: Option<String>,
}

/// Why a registration is taken back.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"ground": "fraud", "grounds": "经查，合同双方未发生真实交易。"}))]
pub struct RevokeBody {
    /// `other` without it.
    #[serde(default)]
    pub ground: Option<RevocationGround>,
    #[schema(min_length = 5, max_length = 2000)]
    pub grounds: String,
}

/// What is wrong with a decision.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectBody {
    #[schema(min_length = 5, max_length = 5000, example = "合同有明确的研究开发目标，不是承揽。")]
    pub statement: String,
}

/// Why it is decided so.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    #[schema(min_length = 5, max_length = 2000, example = "复核后认为原认定依据不足。")]
    pub reason: String,
}

/// A clerk who may open the text.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AssignBody {
    /// A clerk of the same registrar; without it the caller.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub account_id: Option<Id<of::Account>>,
}

/// A paper: what is known of the file. The file itself may follow (`POST /contracts/{id}/papers/files`).
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperBody {
    pub kind: PaperKind,
    #[schema(min_length = 1, max_length = 200, example = "技术开发合同.pdf")]
    pub name: String,
    #[schema(pattern = "^[a-z0-9.+-]{1,60}/[a-zA-Z0-9.+-]{1,120}$", example = "application/pdf")]
    pub media_type: String,
    #[schema(minimum = 1, maximum = 1_000_000_000, example = 482_113)]
    pub bytes: i64,
    /// SHA-256 of the file, 64 hexadecimal digits.
    #[schema(
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub sha256: String,
}

/// A paper with its file, as `multipart/form-data`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // read part by part, never as a whole
pub struct PaperUpload {
    pub kind: PaperKind,
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
}

/// Money that was received.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptBody {
    #[schema(value_type = String, format = Date, example = "2026-10-08")]
    pub received_on: Day,
    #[schema(minimum = 1, maximum = 1_000_000_000_000_000i64, value_type = i64, example = 50_000_000)]
    pub amount_fen: Fen,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, example = "第一期款")]
    pub note: Option<String>,
}

/// What somebody does to a contract, with what goes with it.
#[derive(Debug, Clone)]
pub enum Doing {
    Submit,
    Accept(AcceptBody),
    Reject(RejectBody),
    RequestSupplement(SupplementBody),
    Review,
    ReferToExperts(ReferBody),
    ExpertOpinion(OpinionBody),
    Register,
    Refuse(RefuseBody),
    Withdraw,
    Change(Box<ChangeBody>),
    Cancel(CancelBody),
    Revoke(RevokeBody),
    Object(ObjectBody),
    Uphold(DecisionBody),
    Reexamine(DecisionBody),
    Reinstate(DecisionBody),
}

impl Doing {
    pub fn act(&self) -> ContractAct {
        match self {
            Self::Submit => ContractAct::Submit,
            Self::Accept(_) => ContractAct::Accept,
            Self::Reject(_) => ContractAct::Reject,
            Self::RequestSupplement(_) => ContractAct::RequestSupplement,
            Self::Review => ContractAct::Review,
            Self::ReferToExperts(_) => ContractAct::ReferToExperts,
            Self::ExpertOpinion(_) => ContractAct::ExpertOpinion,
            Self::Register => ContractAct::Register,
            Self::Refuse(_) => ContractAct::Refuse,
            Self::Withdraw => ContractAct::Withdraw,
            Self::Change(_) => ContractAct::Change,
            Self::Cancel(_) => ContractAct::Cancel,
            Self::Revoke(_) => ContractAct::Revoke,
            Self::Object(_) => ContractAct::Object,
            Self::Uphold(_) => ContractAct::Uphold,
            Self::Reexamine(_) => ContractAct::Reexamine,
            Self::Reinstate(_) => ContractAct::Reinstate,
        }
    }

    /// What the history keeps of it.
    pub fn detail(&self) -> serde_json::Result<serde_json::Value> {
        use serde_json::{json, to_value};
        match self {
            Self::Submit | Self::Review | Self::Register | Self::Withdraw => Ok(json!({})),
            Self::Accept(body) => to_value(body),
            Self::Reject(body) => to_value(body),
            Self::RequestSupplement(body) => to_value(body),
            Self::ReferToExperts(body) => to_value(body),
            Self::ExpertOpinion(body) => to_value(body),
            Self::Refuse(body) => to_value(body),
            Self::Change(body) => {
                Ok(json!({ "reason": body.reason, "amounts_final": body.amounts_final }))
            }
            Self::Cancel(body) => to_value(body),
            Self::Revoke(body) => to_value(body),
            Self::Object(body) => to_value(body),
            Self::Uphold(body) | Self::Reexamine(body) | Self::Reinstate(body) => to_value(body),
        }
    }
}
