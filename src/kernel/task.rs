//! Duties: what waits for somebody, as `GET /me/tasks` shows it. Each room tells its own.
use serde::Serialize;

use super::Moment;

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Task {
    /// What is to be done, for programs.
    #[schema(example = "answer_match_request")]
    pub kind: &'static str,
    /// The thing it is about, as `kind:id`.
    #[schema(example = "match_request:0199f3a4-5c1e-7d3a-9b52-2f6c0a1d7e10")]
    pub subject: String,
    #[schema(example = "答复对接请求：高镍三元正极材料表面包覆工艺")]
    pub title: String,
    /// After this instant it is too late.
    pub deadline: Option<Moment>,
    /// Where to do it: a path under `/api/v1`.
    #[schema(example = "/match-requests/0199f3a4-5c1e-7d3a-9b52-2f6c0a1d7e10")]
    pub action: String,
}
