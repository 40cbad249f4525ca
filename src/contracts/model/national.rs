//! What goes to the national system and what comes back from it.
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    codes,
    kernel::{Day, Fault, Fen, Id, Page, of},
    schema::national_numbers,
};

codes! {
    /// The lists of a reconciliation.
    pub enum ReconciliationList {
        OnlyHere = "only_here" "只在本系统" "Only here",
        OnlyThere = "only_there" "只在全国系统" "Only there",
        Different = "different" "金额不同" "Different amount",
    }
}

/// What the national system says of one contract of a registrar.
#[derive(Debug, Clone, PartialEq, Eq, HasQuery)]
#[diesel(table_name = national_numbers)]
pub struct NationalNumber {
    pub national_no: String,
    pub year: i64,
    /// The number by which it is known here; none where the national system has none.
    pub registration_no: Option<String>,
    pub total_fen: Fen,
    pub told_on: Day,
}

/// The form of the national system's list, for the published document.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // read part by part, never as a whole
pub struct NewNationalNumbers {
    /// The registrar's organization; without it the one that the caller is a clerk of.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub registrar: Option<Id<of::Organization>>,
    /// The year of rows that do not say it by their day or number of registration.
    #[schema(minimum = 1985, maximum = 2099, example = 2026)]
    pub year: Option<i64>,
    /// Only report what would be written.
    #[schema(default = true)]
    pub dry_run: Option<bool>,
    /// xlsx or CSV with the columns 全国系统编号, 合同登记编号, 成交额(元) and, where it is known, 登记日期.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    pub file: Vec<u8>,
}

/// What a list of the national system comes to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NationalReport {
    #[schema(value_type = String, format = Uuid)]
    pub registrar_id: Id<of::Organization>,
    pub dry_run: bool,
    pub rows: i64,
    /// Numbers that are told for the first time.
    pub new: i64,
    /// Numbers told before with another amount, year or registration number.
    pub changed: i64,
    pub unchanged: i64,
    /// Rows whose registration number is one of this registrar's registered contracts.
    pub matched: i64,
    /// Of these, rows with another amount.
    pub different: i64,
    /// Faulty cells, by their addresses; with any, nothing is written.
    pub faults: Vec<Fault>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OnlyHere {
    #[schema(value_type = String, format = Uuid)]
    pub contract_id: Id<of::Contract>,
    #[schema(example = "2026210103000127")]
    pub registration_no: Option<String>,
    pub title: String,
    pub total_fen: Fen,
    #[schema(value_type = Option<String>, format = Date, example = "2026-10-08")]
    pub registered_on: Option<Day>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OnlyThere {
    #[schema(example = "JS2026-000127")]
    pub national_no: String,
    pub registration_no: Option<String>,
    pub total_fen: Fen,
    #[schema(value_type = String, format = Date, example = "2026-10-08")]
    pub told_on: Day,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Different {
    #[schema(value_type = String, format = Uuid)]
    pub contract_id: Id<of::Contract>,
    #[schema(example = "JS2026-000127")]
    pub national_no: String,
    pub registration_no: Option<String>,
    pub title: String,
    /// As registered here.
    pub total_fen: Fen,
    /// As the national system has it.
    pub national_total_fen: Fen,
}

/// A registrar's year here and there. Every list is a page; `list` chooses the one that `cursor` belongs to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReconciliationView {
    #[schema(value_type = String, format = Uuid)]
    pub registrar_id: Id<of::Organization>,
    #[schema(example = 2026)]
    pub year: i64,
    pub only_here: Page<OnlyHere>,
    pub only_there: Page<OnlyThere>,
    pub different: Page<Different>,
}
