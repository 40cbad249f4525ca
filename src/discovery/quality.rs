//! How good the matching is, measured: recorded results, with the set, its size, the day and the model.
//!
//! `keshi eval` measures; what it said is kept in `quality.json`. The set that ships can be measured by
//! anyone (`keshi eval --shipped`), and a test does so at every change: a record that the code no longer
//! reaches fails. Results on outside sets are records of the day they were measured on.
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::exposure::ExposureView;
use crate::kernel::Result;

/// A mean over queries with its 95 % interval (bootstrap over queries).
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Interval {
    #[schema(example = 0.7467)]
    pub mean: f64,
    #[schema(example = 0.7302)]
    pub low: f64,
    #[schema(example = 0.7643)]
    pub high: f64,
}

/// One kind of query.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QualityRow {
    /// The ranking, or `random` and `newest` for comparison.
    #[schema(example = "bm25-wb-2")]
    pub system: String,
    #[schema(example = "need")]
    pub kind: String,
    #[schema(example = 1188)]
    pub queries: usize,
    /// Gain 2^grade − 1.
    pub ndcg_10: Interval,
    /// First answer of grade 2 or more.
    pub mrr_10: Interval,
    /// Of the answers of grade 2 or more.
    pub recall_50: Interval,
}

/// One test set.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QualitySet {
    pub name: String,
    /// Whether anyone can measure it again with what ships.
    pub shipped: bool,
    #[schema(example = 8554)]
    pub documents: usize,
    #[schema(example = "2026-11-22")]
    pub measured_on: String,
    /// The ranking that was measured.
    #[schema(example = "bm25-wb-2")]
    pub model: String,
    /// What the figures mean and what they do not.
    pub note: String,
    pub rows: Vec<QualityRow>,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Quality {
    /// The ranking in use.
    #[schema(example = "bm25-wb-2")]
    pub model: String,
    pub sets: Vec<QualitySet>,
    /// How evenly the listings of this market are shown.
    pub exposure: ExposureView,
}

static RECORDED: LazyLock<std::result::Result<Vec<QualitySet>, String>> =
    LazyLock::new(|| serde_json::from_str(include_str!("quality.json")).map_err(|e| e.to_string()));

/// The records, and how the market is ranked (`model`) and shown now.
pub fn quality(model: String, exposure: ExposureView) -> Result<Quality> {
    match &*RECORDED {
        Ok(sets) => Ok(Quality { model, sets: sets.clone(), exposure }),
        Err(cause) => Err(anyhow::anyhow!("quality.json: {cause}").into()),
    }
}
