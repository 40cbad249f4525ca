//! Duties that wait for a person; every room tells its own, `GET /me/tasks` gathers them.
use serde::Serialize;

use super::Moment;

/// One thing that somebody should do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Task {
    /// A stable slug for programs.
    #[schema(example = "verify_organization")]
    pub kind: &'static str,
    /// What it is about, as `kind:id`.
    #[schema(example = "organization:0199f3a4-5c1e-7d3a-9b52-2f6c0a1d7e10")]
    pub subject: String,
    /// What to show to the person.
    #[schema(example = "核验单位“示例大学（虚构）”")]
    pub title: String,
    /// When it will be too late; null when nothing happens of itself.
    pub deadline: Option<Moment>,
    /// The call that does it.
    #[schema(example = "POST /organizations/0199f3a4-5c1e-7d3a-9b52-2f6c0a1d7e10/verify")]
    pub action: String,
}
