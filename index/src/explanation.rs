//! Why a match stands where it stands: parts that add up to the score, and one sentence from them.
use serde::{Deserialize, Serialize};

use crate::semantic;

/// Where in the found listing a term stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Title,
    Keywords,
    Text,
    /// A structured value: technology field, region, stage, amount, industry.
    Value,
}

impl Place {
    /// The name in JSON.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Keywords => "keywords",
            Self::Text => "text",
            Self::Value => "value",
        }
    }
}

/// One reason for a part: a term of the request (folded: lower case, half width, simplified) and
/// where the found listing has it. Of character pairs it is a run of the request whose every pair
/// the listing has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub term: String,
    pub field: Place,
    /// Where it stands first in that field; none before [`crate::Index::locate`], and for values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
}

/// A stretch of a listing's original text: `start..end` in characters, not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub start: usize,
    pub end: usize,
    /// Among the keywords: in which of them, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyword: Option<usize>,
}

/// What a part of the score was given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// BM25 over the words of title, text and keywords together.
    Words,
    /// BM25 over pairs of neighbouring characters of the same text.
    Characters,
    /// Terms of the request in the title.
    Title,
    /// Terms of the request among the keywords.
    Keywords,
    /// A short request found as it was written.
    Phrase,
    /// The same technology field.
    Field,
    /// The same province or city.
    Region,
    /// The same industry.
    Industry,
    /// Readiness against what is required; negative when it is too early.
    Stage,
    /// Price against budget; negative when it is above.
    Amount,
    /// Near in meaning; only among the best, and only where the operator provides a model. Of 0 points where
    /// the listing has not been compared yet.
    Semantic,
    /// Published long ago; negative, and only where the request says when it is asked
    /// ([`crate::MatchRequest::now`]).
    Freshness,
    /// Shown more often than others; negative, and only where the market evens that out
    /// ([`crate::exposure`]).
    Exposure,
}

impl PartKind {
    /// Whether it is given for terms and runs of the request: these parts make the points of the wording,
    /// which decide on suitability.
    pub fn is_wording(self) -> bool {
        matches!(self, Self::Words | Self::Characters | Self::Title | Self::Keywords | Self::Phrase)
    }

    /// The name in JSON.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Characters => "characters",
            Self::Title => "title",
            Self::Keywords => "keywords",
            Self::Phrase => "phrase",
            Self::Field => "field",
            Self::Region => "region",
            Self::Industry => "industry",
            Self::Stage => "stage",
            Self::Amount => "amount",
            Self::Semantic => "semantic",
            Self::Freshness => "freshness",
            Self::Exposure => "exposure",
        }
    }
}

/// One part of a score. Contributions of all parts add up to the score to 1e-6; only `stage`,
/// `amount`, `freshness` and `exposure` can be negative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub part: PartKind,
    pub contribution: f64,
    /// Strongest first, at most [`MAX_EVIDENCE`].
    pub evidence: Vec<Evidence>,
}

/// Reasons shown for one part.
pub const MAX_EVIDENCE: usize = 8;

/// The language of a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    #[default]
    Zh,
    En,
}

/// What is known to stand between the two sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "misfit", rename_all = "snake_case")]
pub enum Misfit {
    /// Readiness below the one required (TRL 1..9).
    TooEarly { has: u8, needs: u8 },
    /// The price is above the budget; fen.
    AboveBudget { price_fen: i64, budget_fen: i64 },
    /// Both regions are known and in different provinces (GB/T 2260 codes).
    OtherRegion { here: String, there: String },
    /// Both technology fields are known and differ.
    OtherField { here: String, there: String },
}

impl Misfit {
    /// The name in JSON.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::TooEarly { .. } => "too_early",
            Self::AboveBudget { .. } => "above_budget",
            Self::OtherRegion { .. } => "other_region",
            Self::OtherField { .. } => "other_field",
        }
    }

    /// As the summary says it.
    pub fn told(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => misfit_zh(self),
            Lang::En => misfit_en(self),
        }
    }
}

/// Ends the evidence of [`PartKind::Freshness`], behind the number.
pub(crate) const DAYS_OLD: &str = " days old";

enum Meaning {
    Near,
    Pending,
}

/// The account of one score.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Largest contribution first.
    pub parts: Vec<Part>,
    /// What does not fit, where both sides have said enough to know.
    pub misfits: Vec<Misfit>,
}

impl Explanation {
    /// The score: what the contributions add up to.
    pub fn total(&self) -> f64 {
        self.parts.iter().map(|p| p.contribution).sum()
    }

    fn part(&self, kind: PartKind) -> Option<&Part> {
        self.parts.iter().find(|p| p.part == kind && p.contribution > 0.0)
    }

    /// The age of a listing, where it cost points and is a year or more.
    fn months_old(&self) -> Option<u32> {
        let part = self.parts.iter().find(|p| p.part == PartKind::Freshness)?;
        let days: u32 = part.evidence.first()?.term.strip_suffix(DAYS_OLD)?.parse().ok()?;
        (days >= 365).then_some(days * 12 / 365)
    }

    /// What there is to say of the meaning: that it is near from half of the points on, for texts of one trade
    /// have some of them anyway.
    fn meaning(&self) -> Option<Meaning> {
        let part = self.parts.iter().find(|p| p.part == PartKind::Semantic)?;
        if part.evidence.iter().any(|e| e.term == semantic::PENDING) {
            return Some(Meaning::Pending);
        }
        (part.contribution >= semantic::POINTS / 2.0).then_some(Meaning::Near)
    }

    /// The terms that carry the match, best first, none inside another.
    fn terms(&self, limit: usize) -> Vec<&str> {
        let order = [PartKind::Phrase, PartKind::Keywords, PartKind::Title, PartKind::Words];
        let words = self.told(&order, limit);
        if words.is_empty() { self.told(&[PartKind::Characters], limit) } else { words }
    }

    fn told(&self, order: &[PartKind], limit: usize) -> Vec<&str> {
        let mut terms: Vec<&str> = Vec::new();
        for evidence in order.iter().filter_map(|kind| self.part(*kind)).flat_map(|p| &p.evidence) {
            let term = evidence.term.as_str();
            if terms.len() == limit {
                break;
            }
            if term.chars().count() > 1
                && !terms.iter().any(|t| t.contains(term) || term.contains(t))
            {
                terms.push(term);
            }
        }
        terms
    }

    /// One sentence: what fits and, where known, what does not.
    pub fn summary(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => self.summary_zh(),
            Lang::En => self.summary_en(),
        }
    }

    fn summary_zh(&self) -> String {
        let mut fits = Vec::new();
        let terms = self.terms(3);
        if !terms.is_empty() {
            fits.push(format!("都涉及{}", terms.join("、")));
        }
        if self.part(PartKind::Field).is_some() {
            fits.push("技术领域相同".to_owned());
        }
        if self.part(PartKind::Industry).is_some() {
            fits.push("行业相同".to_owned());
        }
        if let Some(part) = self.part(PartKind::Region) {
            let same_city = part.evidence.iter().any(|e| e.term.len() > 2);
            fits.push(if same_city { "同在一市" } else { "同在一省" }.to_owned());
        }
        if self.part(PartKind::Stage).is_some() {
            fits.push("成熟度达到要求".to_owned());
        }
        if self.part(PartKind::Amount).is_some() {
            fits.push("报价在预算之内".to_owned());
        }
        match self.meaning() {
            Some(Meaning::Near) => fits.push("含义相近".to_owned()),
            Some(Meaning::Pending) => fits.push("含义尚未比对".to_owned()),
            None => {}
        }
        let mut against: Vec<String> = self.misfits.iter().map(misfit_zh).collect();
        if let Some(months) = self.months_old() {
            against.push(format!("发布较早（约{months}个月前）"));
        }
        sentence(&fits, &against, "文字上略有相近", "，", "；但", "。")
    }

    fn summary_en(&self) -> String {
        let mut fits = Vec::new();
        let terms = self.terms(3);
        if !terms.is_empty() {
            fits.push(format!("both deal with {}", terms.join(", ")));
        }
        if self.part(PartKind::Field).is_some() {
            fits.push("same technology field".to_owned());
        }
        if self.part(PartKind::Industry).is_some() {
            fits.push("same industry".to_owned());
        }
        if let Some(part) = self.part(PartKind::Region) {
            let same_city = part.evidence.iter().any(|e| e.term.len() > 2);
            fits.push(if same_city { "same city" } else { "same province" }.to_owned());
        }
        if self.part(PartKind::Stage).is_some() {
            fits.push("as mature as required".to_owned());
        }
        if self.part(PartKind::Amount).is_some() {
            fits.push("price within budget".to_owned());
        }
        match self.meaning() {
            Some(Meaning::Near) => fits.push("near in meaning".to_owned()),
            Some(Meaning::Pending) => fits.push("meaning not compared yet".to_owned()),
            None => {}
        }
        let mut against: Vec<String> = self.misfits.iter().map(misfit_en).collect();
        if let Some(months) = self.months_old() {
            against.push(format!("published about {months} months ago"));
        }
        let text = sentence(&fits, &against, "loosely similar wording", "; ", "; but ", ".");
        let mut letters = text.chars();
        letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
    }
}

fn sentence(
    fits: &[String],
    against: &[String],
    nothing: &str,
    comma: &str,
    but: &str,
    stop: &str,
) -> String {
    let mut text = if fits.is_empty() { nothing.to_owned() } else { fits.join(comma) };
    if !against.is_empty() {
        text.push_str(but);
        text.push_str(&against.join(comma));
    }
    text.push_str(stop);
    text
}

/// Fen as 万元, without trailing zeros: 1,234,500,000 → `1234.5`.
fn wan(fen: i64) -> String {
    let hundredths = fen / 10_000;
    let (whole, rest) = (hundredths / 100, hundredths.rem_euclid(100));
    let text = format!("{whole}.{rest:02}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn misfit_zh(misfit: &Misfit) -> String {
    match misfit {
        Misfit::TooEarly { has, needs } => format!("成熟度偏早（{has}级，要求{needs}级）"),
        Misfit::AboveBudget { price_fen, budget_fen } => {
            format!("报价高于预算（{}万元，预算{}万元）", wan(*price_fen), wan(*budget_fen))
        }
        Misfit::OtherRegion { .. } => "不在同一省份".to_owned(),
        Misfit::OtherField { .. } => "技术领域不同".to_owned(),
    }
}

fn misfit_en(misfit: &Misfit) -> String {
    match misfit {
        Misfit::TooEarly { has, needs } => format!("too early (TRL {has}, {needs} required)"),
        Misfit::AboveBudget { price_fen, budget_fen } => format!(
            "price above budget ({} against {} ten thousand yuan)",
            wan(*price_fen),
            wan(*budget_fen)
        ),
        Misfit::OtherRegion { .. } => "in another province".to_owned(),
        Misfit::OtherField { .. } => "another technology field".to_owned(),
    }
}
