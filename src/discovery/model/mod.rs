//! What searching and matching show.
mod likeness;

use keshi_index as index;
use serde::{Deserialize, Serialize};

use crate::{
    accounts::model::Organization,
    achievements::model::{Achievement, Stage},
    demands::model::{Demand, Visibility},
    kernel::{Day, Fen, Id, Lang, Moment, Region, of},
    markets::model::Field,
};

pub use likeness::{LikenessAnswer, LikenessItem, SameAsBody, SharedPassage, SharedSpan};

/// Which kind of listing is meant or wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Achievement,
    Demand,
}

impl From<Kind> for index::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Achievement => Self::Achievement,
            Kind::Demand => Self::Demand,
        }
    }
}
impl From<index::Kind> for Kind {
    fn from(kind: index::Kind) -> Self {
        match kind {
            index::Kind::Achievement => Self::Achievement,
            index::Kind::Demand => Self::Demand,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    #[default]
    Relevance,
    Newest,
}

/// A run of characters to mark.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Mark {
    /// `title` or `snippet`.
    #[schema(example = "title")]
    pub field: &'static str,
    /// First character, counted in characters, not bytes.
    #[schema(example = 0)]
    pub start: usize,
    /// The character after the last.
    #[schema(example = 3)]
    pub end: usize,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SearchItem {
    pub kind: Kind,
    #[schema(format = Uuid)]
    pub id: String,
    #[schema(example = "石墨烯改性镁碳砖制备技术")]
    pub title: String,
    /// An unchanged piece of the abstract or description around what was found.
    pub snippet: String,
    pub highlights: Vec<Mark>,
    /// Comparable within one answer only; 0 where nothing was searched for.
    pub score: f64,
    #[schema(example = "05")]
    pub field: Option<String>,
    #[schema(example = "210300")]
    pub region_code: Option<String>,
    /// Of achievements.
    pub stage: Option<String>,
    pub trl: Option<u8>,
    /// Asking price of an achievement, budget of a demand; null when open to negotiation.
    pub amount_fen: Option<i64>,
    pub published_at: Option<Moment>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FacetCount {
    #[schema(example = "05")]
    pub value: String,
    #[schema(example = 42)]
    pub count: usize,
}

/// Counts over everything found, not this page alone; most frequent first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Facets {
    pub field: Vec<FacetCount>,
    pub region: Vec<FacetCount>,
    pub stage: Vec<FacetCount>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SearchAnswer {
    pub items: Vec<SearchItem>,
    pub next_cursor: Option<String>,
    pub total: usize,
    pub facets: Facets,
}

impl From<index::SearchItem> for SearchItem {
    fn from(item: index::SearchItem) -> Self {
        let shown = item.snippet_start;
        let highlights = item
            .highlights
            .into_iter()
            .map(|h| match h.field {
                index::HighlightField::Title => Mark { field: "title", start: h.start, end: h.end },
                index::HighlightField::Text => Mark {
                    field: "snippet",
                    start: h.start.saturating_sub(shown),
                    end: h.end.saturating_sub(shown),
                },
            })
            .collect();
        Self {
            kind: item.kind.into(),
            id: item.id,
            title: item.title,
            snippet: item.snippet,
            highlights,
            score: item.score,
            field: item.field,
            region_code: item.region,
            stage: item.stage,
            trl: item.trl,
            amount_fen: item.amount_fen,
            published_at: Moment::from_unix_micros(item.published_at),
        }
    }
}

impl From<index::Facets> for Facets {
    fn from(facets: index::Facets) -> Self {
        let shown = |counts: Vec<index::FacetCount>| {
            counts.into_iter().map(|f| FacetCount { value: f.value, count: f.count }).collect()
        };
        Self {
            field: shown(facets.field),
            region: shown(facets.region),
            stage: shown(facets.stage),
        }
    }
}

/// One reason: a term of the question and where the found listing has it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Evidence {
    #[schema(example = "石墨烯")]
    pub term: String,
    /// `title`, `keywords`, `text`, or `value` for a field, region, stage or amount.
    #[schema(example = "title")]
    pub field: &'static str,
    /// Where it stands there first: `start..end` in characters of the original title, abstract or
    /// description (a demand's indicators follow its description, a line each), or keyword. Not given for
    /// values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0)]
    pub start: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3)]
    pub end: Option<usize>,
    /// Which keyword it is, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyword: Option<usize>,
}

impl From<&index::Evidence> for Evidence {
    fn from(evidence: &index::Evidence) -> Self {
        Self {
            term: evidence.term.clone(),
            field: evidence.field.slug(),
            start: evidence.span.map(|s| s.start),
            end: evidence.span.map(|s| s.end),
            keyword: evidence.span.and_then(|s| s.keyword),
        }
    }
}

/// What is known not to fit. Of the values, those are given that the misfit is about.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct MisfitView {
    /// `too_early`, `above_budget`, `other_region`, `other_field`.
    #[schema(example = "above_budget")]
    pub misfit: &'static str,
    /// As a sentence says it, in the caller's language.
    #[schema(example = "报价高于预算（120万元，预算100万元）")]
    pub text: String,
    /// The TRL reached and the one required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 120_000_000)]
    pub price_fen: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 100_000_000)]
    pub budget_fen: Option<i64>,
    /// The region or technology field of what was asked for, and of the listing found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub here: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub there: Option<String>,
}

impl MisfitView {
    fn of(misfit: &index::Misfit, lang: index::Lang) -> Self {
        let told = Self { misfit: misfit.slug(), text: misfit.told(lang), ..Self::default() };
        match misfit {
            index::Misfit::TooEarly { has, needs } => {
                Self { has: Some(*has), needs: Some(*needs), ..told }
            }
            index::Misfit::AboveBudget { price_fen, budget_fen } => {
                Self { price_fen: Some(*price_fen), budget_fen: Some(*budget_fen), ..told }
            }
            index::Misfit::OtherRegion { here, there }
            | index::Misfit::OtherField { here, there } => {
                Self { here: Some(here.clone()), there: Some(there.clone()), ..told }
            }
        }
    }
}

/// One part of the score.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ScorePart {
    /// `words`, `characters`, `title`, `keywords`, `phrase`, `field`, `region`, `industry`, `stage`, `amount`,
    /// `freshness`, `semantic`, `exposure`.
    #[schema(example = "words")]
    pub part: &'static str,
    /// Points; negative where something does not fit.
    #[schema(example = 31.25)]
    pub contribution: f64,
    pub evidence: Vec<Evidence>,
}

/// Why a match stands where it stands; the contributions add up to the score (to 1e-6).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ExplanationView {
    pub parts: Vec<ScorePart>,
    /// One sentence in the caller's language: what fits, and what does not.
    #[schema(example = "两者都提到“石墨烯”“镁碳砖”，同属新材料及其应用领域；成果尚处中试阶段。")]
    pub summary: String,
    /// What does not fit, where both sides have said enough to know.
    pub misfits: Vec<MisfitView>,
}

impl ExplanationView {
    pub fn of(explanation: &index::Explanation, lang: Lang) -> Self {
        let parts = explanation
            .parts
            .iter()
            .map(|p| ScorePart {
                part: p.part.slug(),
                contribution: p.contribution,
                evidence: p.evidence.iter().map(Evidence::from).collect(),
            })
            .collect();
        let lang = index_lang(lang);
        let misfits = explanation.misfits.iter().map(|m| MisfitView::of(m, lang)).collect();
        Self { parts, summary: explanation.summary(lang), misfits }
    }
}

/// The owner of a listing, as far as the caller may know it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ListingOwner {
    #[schema(value_type = String, format = Uuid)]
    pub id: Id<of::Organization>,
    #[schema(example = "辽东湾理工大学（示例）")]
    pub name: String,
    pub region_code: Region,
}

impl From<&Organization> for ListingOwner {
    fn from(o: &Organization) -> Self {
        Self { id: o.id, name: o.name.clone(), region_code: o.region_code.clone() }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AchievementCard {
    #[schema(value_type = String, format = Uuid)]
    pub id: Id<of::Achievement>,
    pub title: String,
    pub organization: Option<ListingOwner>,
    pub field: Field,
    pub stage: Stage,
    pub trl: i64,
    pub price_fen: Option<Fen>,
    pub region_code: Region,
}

impl AchievementCard {
    pub fn of(row: &Achievement, owner: Option<ListingOwner>) -> Self {
        Self {
            id: row.id,
            title: row.title.clone(),
            organization: owner,
            field: row.field,
            stage: row.stage,
            trl: row.trl,
            price_fen: row.price_fen,
            region_code: row.region_code.clone(),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DemandCard {
    #[schema(value_type = String, format = Uuid)]
    pub id: Id<of::Demand>,
    pub title: String,
    /// Null for a masked demand.
    pub organization: Option<ListingOwner>,
    pub field: Field,
    pub min_trl: Option<i64>,
    pub budget_fen: Option<Fen>,
    #[schema(value_type = Option<String>, format = Date)]
    pub deadline: Option<Day>,
    pub region_code: Region,
}

impl DemandCard {
    pub fn of(row: &Demand, owner: Option<ListingOwner>) -> Self {
        Self {
            id: row.id,
            title: row.title.clone(),
            organization: owner.filter(|_| row.visibility == Visibility::Public),
            field: row.field,
            min_trl: row.min_trl,
            budget_fen: row.budget_fen,
            deadline: row.deadline,
            region_code: row.region_code.clone(),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MatchItem {
    #[schema(example = 1)]
    pub rank: usize,
    /// Points; 100 is what an average listing would get that has every term of the question once.
    #[schema(example = 74.2)]
    pub score: f64,
    /// That the match is worth a request, by its wording: fitted on test sets (`keshi fit`), not on
    /// this market's requests.
    #[schema(example = 0.62)]
    pub probability: f64,
    /// `high` 高, `good` 较高, `fair` 可看, by the probability.
    #[schema(example = "high")]
    pub grade: &'static str,
    /// Where achievements were wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub achievement: Option<AchievementCard>,
    /// Where demands were wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demand: Option<DemandCard>,
    pub explanation: ExplanationView,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MatchAnswer {
    /// Best first. Empty when nothing in the market is suitable yet.
    pub items: Vec<MatchItem>,
    /// Version of the ranking.
    pub model: String,
    /// How the request was ranked: `keyword` (a few words), `problem` (a longer text), `listing` (one that
    /// has a title or keywords, as listings do).
    #[schema(example = "problem")]
    pub path: &'static str,
    /// What to do when nothing was found, in the caller's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// What a demand without a match leaves out, as `GET /demands/{id}/diagnosis` names it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["method", "indicators"]))]
    pub missing: Vec<&'static str>,
}

/// The language of summaries, as the index names it.
pub fn index_lang(lang: Lang) -> index::Lang {
    match lang {
        Lang::Zh => index::Lang::Zh,
        Lang::En => index::Lang::En,
    }
}

/// Conditions for partners.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchFilters {
    pub field: Option<Field>,
    pub region: Option<Region>,
    pub stage: Option<Stage>,
    #[schema(minimum = 1, maximum = 9)]
    pub trl_min: Option<u8>,
    #[schema(minimum = 0)]
    pub price_max_fen: Option<i64>,
}

impl MatchFilters {
    pub fn to_index(&self) -> index::Filters {
        use crate::kernel::Code;
        index::Filters {
            field: self.field.map(|f| f.slug().to_owned()),
            region: self.region.as_ref().map(ToString::to_string),
            stage: self.stage.map(|s| s.slug().to_owned()),
            trl_min: self.trl_min,
            price_max_fen: self.price_max_fen,
            ..index::Filters::default()
        }
    }
}

/// Text that nobody has listed, to be matched.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchBody {
    #[schema(
        min_length = 2,
        max_length = 10_000,
        example = "转炉炉衬寿命短，希望镁碳砖抗氧化、抗热震，寿命提高三成。"
    )]
    pub text: String,
    #[schema(max_length = 200)]
    pub title: Option<String>,
    pub want: Kind,
    #[schema(minimum = 1, maximum = 100, example = 20)]
    pub limit: Option<usize>,
    pub filters: Option<MatchFilters>,
}

/// Which demands to cross-match: named ones, or all published ones that pass the filter.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchBody {
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 10_000)]
    pub demand_ids: Option<Vec<Id<of::Demand>>>,
    pub filter: Option<BatchFilter>,
    #[schema(minimum = 1, maximum = 100, example = 20)]
    pub limit: Option<usize>,
}

#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchFilter {
    pub field: Option<Field>,
    pub region: Option<Region>,
}

/// One line of the cross-match.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BatchLine {
    #[schema(value_type = String, format = Uuid)]
    pub demand_id: Id<of::Demand>,
    /// Empty when nothing in the market is suitable yet.
    pub items: Vec<BatchItem>,
    pub model: String,
    /// As in the matches of one demand.
    #[schema(example = "listing")]
    pub path: &'static str,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BatchItem {
    pub rank: usize,
    pub score: f64,
    pub probability: f64,
    /// `high`, `good` or `fair`.
    #[schema(example = "good")]
    pub grade: &'static str,
    #[schema(format = Uuid)]
    pub achievement_id: String,
    pub title: String,
    pub explanation: ExplanationView,
}
