//! What gets indexed.
use serde::{Deserialize, Serialize};

/// Which side of the market a listing stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What a university or institute offers.
    Achievement,
    /// What a firm asks for.
    Demand,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Achievement, Self::Demand];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Achievement => "achievement",
            Self::Demand => "demand",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::Achievement => Self::Demand,
            Self::Demand => Self::Achievement,
        }
    }
}

/// One achievement or demand as the index sees it. `kind` and `id` together are its identity:
/// putting a second listing of the same identity replaces the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    pub kind: Kind,
    /// Any text without NUL; unique within its kind.
    pub id: String,
    pub title: String,
    /// Abstract or description; the first [`crate::MAX_TEXT`] characters are indexed.
    pub text: String,
    pub keywords: Vec<String>,
    /// Technology field, `01`..`11`.
    pub field: Option<String>,
    /// GB/T 2260 code of six digits.
    pub region: Option<String>,
    /// Slug of the stage: `early`, `pilot`, `mature`. Other slugs are kept and can be filtered by.
    pub stage: Option<String>,
    /// Technology readiness: 1..9 reached by an achievement, or required by a demand.
    pub trl: Option<u8>,
    /// Asking price of an achievement, budget of a demand; fen.
    pub amount_fen: Option<i64>,
    /// GB/T 4754-2017: section letter and two digits, `C38`.
    pub industry: Option<String>,
    /// Microseconds since 1970-01-01 UTC.
    pub published_at: i64,
    /// Id of the organization, so that nobody is matched with itself.
    pub owner: String,
    /// Indexed, but in no answer unless the request says `include_hidden`.
    pub hidden: bool,
}

impl Listing {
    /// A listing with only its identity and words; every other field is empty.
    pub fn new(kind: Kind, id: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
            title: title.into(),
            text: String::new(),
            keywords: Vec::new(),
            field: None,
            region: None,
            stage: None,
            trl: None,
            amount_fen: None,
            industry: None,
            published_at: 0,
            owner: String::new(),
            hidden: false,
        }
    }
}

/// The part of a region code that all places inside it share: `210000` → `21`, `210100` → `2101`,
/// `210102` → `210102`. Text that is no six-digit code stands for itself.
pub fn region_prefix(code: &str) -> &str {
    if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return code;
    }
    let mut prefix = code;
    while prefix.len() > 2 {
        match prefix.strip_suffix("00") {
            Some(rest) => prefix = rest,
            None => break,
        }
    }
    prefix
}
