//! The nouns of the room.
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    codes,
    kernel::{Id, Moment, Region, of, table::TableFormat},
    schema::{import_faults, imports},
};

codes! {
    /// What a file holds.
    pub enum ImportKind {
        Achievements = "achievements" "科技成果" "Achievements",
        Demands = "demands" "技术需求" "Demands",
        Contracts = "contracts" "技术合同" "Contracts",
    }
}

codes! {
    /// How far an import is.
    pub enum ImportState {
        Checking = "checking" "检查中" "Being checked",
        Checked = "checked" "检查通过" "Fit to be committed",
        Faulty = "faulty" "有错误" "Faulty",
        Committing = "committing" "写入中" "Being committed",
        Committed = "committed" "已导入" "Committed",
        Failed = "failed" "未能完成" "Failed",
        Expired = "expired" "已过期" "Expired",
    }
}

codes! {
    /// How bad a finding about a cell is.
    pub enum FaultSeverity {
        Error = "error" "错误" "Error",
        Warning = "warning" "提示" "Warning",
    }
}

/// A file on its way in.
#[derive(Debug, Clone, HasQuery, Insertable)]
#[diesel(table_name = imports)]
pub struct Import {
    pub id: Id<of::Import>,
    pub kind: ImportKind,
    pub state: ImportState,
    pub organization_id: Id<of::Organization>,
    /// Where the organization is: whose operators may look.
    pub region_code: Region,
    pub created_by: Id<of::Account>,
    pub api_key_id: Option<Id<of::ApiKey>>,
    /// Without it the file is committed as soon as it has been found fit.
    pub dry_run: bool,
    pub file_name: String,
    pub format: TableFormat,
    pub size: i64,
    pub sha256: String,
    /// None once the file is gone.
    pub storage_key: Option<String>,
    /// None until they have been counted.
    pub rows_total: Option<i64>,
    /// Of the check, or of the check before the commit.
    pub rows_done: i64,
    pub errors: i64,
    pub warnings: i64,
    /// Why it failed.
    pub reason: Option<String>,
    /// Times that somebody began to work on it; the number of the last one.
    pub attempts: i64,
    pub lease_until: Option<Moment>,
    pub created_at: Moment,
    pub updated_at: Moment,
}

/// One finding about a cell.
#[derive(Debug, Clone, HasQuery, Serialize, utoipa::ToSchema)]
#[diesel(table_name = import_faults)]
pub struct ImportFault {
    #[serde(skip)]
    pub seq: i64,
    /// The row of the sheet, from 1.
    #[schema(example = 17)]
    pub line: i64,
    pub severity: FaultSeverity,
    /// The address of the cell, in CSV without a sheet.
    #[schema(example = "Sheet1!C17")]
    pub cell: String,
    /// The heading of its column.
    #[schema(example = "成交额(元)")]
    #[diesel(column_name = head)]
    pub column: String,
    #[schema(example = "too_many_decimals")]
    pub code: String,
    pub detail: String,
}

/// An import as its organization sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportView {
    #[schema(value_type = String, format = Uuid)]
    pub id: Id<of::Import>,
    pub kind: ImportKind,
    pub state: ImportState,
    #[schema(value_type = String, format = Uuid)]
    pub organization_id: Id<of::Organization>,
    pub dry_run: bool,
    #[schema(example = "技术合同.xlsx")]
    pub file_name: String,
    pub format: TableFormat,
    pub size: i64,
    pub sha256: String,
    /// Rows with something in them below the headings; null until they have been counted.
    #[schema(example = 50_000)]
    pub rows: Option<i64>,
    /// How many of them have been checked.
    #[schema(example = 12_500)]
    pub done: i64,
    /// Faulty cells; with any, nothing is written.
    pub faults: i64,
    /// Odd cells, which stop nothing.
    pub warnings: i64,
    pub reason: Option<String>,
    pub created_at: Moment,
    pub updated_at: Moment,
    /// What the caller could do now.
    pub allowed_actions: Vec<&'static str>,
}

impl ImportView {
    pub fn of(row: Import, allowed_actions: Vec<&'static str>) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            state: row.state,
            organization_id: row.organization_id,
            dry_run: row.dry_run,
            file_name: row.file_name,
            format: row.format,
            size: row.size,
            sha256: row.sha256,
            rows: row.rows_total,
            done: row.rows_done,
            faults: row.errors,
            warnings: row.warnings,
            reason: row.reason,
            created_at: row.created_at,
            updated_at: row.updated_at,
            allowed_actions,
        }
    }
}

/// The form of an import, for the published document.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // read part by part, never as a whole
pub struct NewImport {
    pub kind: ImportKind,
    /// Only check, and wait for `commit`. `false`: commit as soon as it has been found fit.
    #[schema(default = true)]
    pub dry_run: Option<bool>,
    /// For members of more than one organization: in whose name.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub organization_id: Option<Id<of::Organization>>,
    /// An xlsx workbook, or CSV in UTF-8, UTF-16 or GB18030.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    pub file: Vec<u8>,
}
