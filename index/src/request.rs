//! What can be asked, and what comes back.
use serde::{Deserialize, Serialize};

use crate::{
    calibration::Grade,
    explanation::Explanation,
    listing::{Kind, Listing},
    number::index,
    ranking::SHORT,
};

/// Characters of a search text that are looked at; the rest is ignored.
pub const MAX_QUERY: usize = 1_000;
/// Characters of a listing or of a match text that are looked at; the rest is ignored.
pub const MAX_TEXT: usize = 50_000;
/// The largest `limit`; larger ones are cut to it.
pub const MAX_LIMIT: usize = 1_000;

/// Conditions a listing must meet. A listing without the value does not meet a condition on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filters {
    /// Technology field, `01`..`11`.
    pub field: Option<String>,
    /// Six-digit code, with all places inside it: `210000` takes every `21xxxx`.
    pub region: Option<String>,
    pub stage: Option<String>,
    /// At least this readiness, 1..9.
    pub trl_min: Option<u8>,
    /// At most this price or budget; fen.
    pub price_max_fen: Option<i64>,
    pub industry: Option<String>,
    /// Also listings marked hidden. Only for callers who checked that the reader may see them.
    pub include_hidden: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    #[default]
    Relevance,
    Newest,
}

/// A question from the search box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchRequest {
    /// Plain text; no character has a meaning of its own. The first [`MAX_QUERY`] characters count.
    /// Without a word in it (empty, punctuation) everything is listed, newest first.
    pub q: String,
    /// Both kinds when none is given.
    pub kind: Option<Kind>,
    #[serde(flatten)]
    pub filters: Filters,
    pub sort: Sort,
    /// 1..=[`MAX_LIMIT`].
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<SearchAfter>,
}

impl Default for SearchRequest {
    fn default() -> Self {
        Self {
            q: String::new(),
            kind: None,
            filters: Filters::default(),
            sort: Sort::Relevance,
            limit: 20,
            after: None,
        }
    }
}

/// The place of the last item of a page in its order. It names a place, not a page number: items
/// that come or go elsewhere move nothing, and an item that has vanished still marks its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchAfter {
    /// Bits of the score; 0 where the order is by date.
    pub(crate) score: u64,
    pub(crate) at: i64,
    pub(crate) kind: Kind,
    pub(crate) id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HighlightField {
    Title,
    /// Offsets into the listing's whole `text`; subtract `snippet_start` for the snippet.
    Text,
}

/// A run of characters to mark: `start..end` in characters (not bytes) of the original text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Highlight {
    pub field: HighlightField,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchItem {
    pub kind: Kind,
    pub id: String,
    pub title: String,
    /// An unchanged piece of the listing's text of at most [`crate::SNIPPET_CHARS`] characters.
    pub snippet: String,
    /// Where the snippet starts in the text, in characters.
    pub snippet_start: usize,
    /// Marks in the title, and in the text as far as the snippet shows it.
    pub highlights: Vec<Highlight>,
    /// Comparable within one answer only; 0 where there was no text to search for.
    pub score: f64,
    pub field: Option<String>,
    pub region: Option<String>,
    pub stage: Option<String>,
    pub trl: Option<u8>,
    pub amount_fen: Option<i64>,
    pub industry: Option<String>,
    pub published_at: i64,
    pub owner: String,
    pub hidden: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetCount {
    pub value: String,
    pub count: usize,
}

/// Counts over everything that was found, not only this page; most frequent first, ties by value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facets {
    pub field: Vec<FacetCount>,
    /// Six-digit codes as the listings carry them.
    pub region: Vec<FacetCount>,
    pub stage: Vec<FacetCount>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchPage {
    pub items: Vec<SearchItem>,
    /// Everything found, on all pages.
    pub total: usize,
    pub facets: Facets,
    /// Give this back as `after` for the next page; none when this was the last.
    pub next: Option<SearchAfter>,
}

/// What to find partners for: a listing, or text nobody has listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MatchRequest {
    pub title: Option<String>,
    /// The first [`MAX_TEXT`] characters count.
    pub text: String,
    pub keywords: Vec<String>,
    /// The kind to find.
    pub want: Kind,
    pub field: Option<String>,
    pub region: Option<String>,
    pub industry: Option<String>,
    /// Of this side: the readiness reached (when demands are wanted) or required (when achievements
    /// are wanted), 1..9.
    pub trl: Option<u8>,
    /// Of this side: the asking price (when demands are wanted) or the budget (when achievements are
    /// wanted); fen.
    pub amount_fen: Option<i64>,
    /// 1..=[`MAX_LIMIT`].
    pub limit: usize,
    pub filters: Filters,
    /// Nothing of this organization.
    pub exclude_owner: Option<String>,
    /// Not this listing (of the wanted kind).
    pub exclude_id: Option<String>,
    /// Also what is not suitable ([`Match::suitable`]).
    pub include_unsuitable: bool,
    /// When it is asked, in microseconds since 1970-01-01 UTC: what was published long before can lose points.
    /// None where the age of listings does not count.
    pub now: Option<i64>,
}

impl Default for MatchRequest {
    fn default() -> Self {
        Self {
            title: None,
            text: String::new(),
            keywords: Vec::new(),
            want: Kind::Achievement,
            field: None,
            region: None,
            industry: None,
            trl: None,
            amount_fen: None,
            limit: 20,
            filters: Filters::default(),
            exclude_owner: None,
            exclude_id: None,
            include_unsuitable: false,
            now: None,
        }
    }
}

impl From<&Listing> for MatchRequest {
    /// Partners for this listing: the other kind, of other owners.
    fn from(listing: &Listing) -> Self {
        Self {
            title: Some(listing.title.clone()),
            text: listing.text.clone(),
            keywords: listing.keywords.clone(),
            want: listing.kind.other(),
            field: listing.field.clone(),
            region: listing.region.clone(),
            industry: listing.industry.clone(),
            trl: listing.trl,
            amount_fen: listing.amount_fen,
            exclude_owner: Some(listing.owner.clone()).filter(|owner| !owner.is_empty()),
            ..Self::default()
        }
    }
}

/// How a request is ranked: what a few words ask for is another thing than a text about a problem, and
/// a listing has told its subject in its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchPath {
    /// A text as short as a question from the search box and without the punctuation of a sentence; no
    /// title, no keywords.
    Keyword,
    /// Any other text without title or keywords.
    Problem,
    /// A listing, or a text that has a title or keywords as listings do.
    Listing,
}

impl MatchPath {
    pub const ALL: [Self; 3] = [Self::Keyword, Self::Problem, Self::Listing];

    /// The name in JSON.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Problem => "problem",
            Self::Listing => "listing",
        }
    }
}

impl MatchRequest {
    /// The path this request takes.
    pub fn path(&self) -> MatchPath {
        if self.title.is_some() || !self.keywords.is_empty() {
            return MatchPath::Listing;
        }
        let is_sentence =
            |c: char| matches!(c, '，' | '。' | '；' | '！' | '？' | ',' | ';' | '!' | '?');
        let is_long = self.text.chars().nth(index(SHORT)).is_some();
        match is_long || self.text.chars().any(is_sentence) {
            true => MatchPath::Problem,
            false => MatchPath::Keyword,
        }
    }
}

/// One partner found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Match {
    pub kind: Kind,
    pub id: String,
    pub title: String,
    pub owner: String,
    /// Points. 100 is what an average listing would get that has every term of the request once;
    /// see [`crate::ranking`] for the parts. Comparable across requests only roughly.
    pub score: f64,
    /// Whether it has a [`Grade`]: where nothing has one, say that there is nothing suitable yet.
    pub suitable: bool,
    /// That it is worth a request, by its wording alone; 0..1. See [`crate::calibration`].
    pub probability: f64,
    pub grade: Grade,
    pub explanation: Explanation,
}
