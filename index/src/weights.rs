//! The constants of the ranking, as data: `lexicon/ranking.toml`, or the file an operator puts in its place.
//!
//! One process ranks in one way: index, percolator and answers must agree on what is suitable. So the
//! ranking is chosen once, before it is first used, as the lexicon is.
use std::{path::Path, sync::OnceLock};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use sha2::{Digest, Sha256};

use crate::{
    Error, Result,
    analysis::Analyzer,
    calibration::{Curve, Grades, Suitability},
    request::MatchPath,
};

const SHIPPED: (&str, &str) = ("lexicon/ranking.toml", include_str!("../lexicon/ranking.toml"));

/// Hexadecimal digits of the digest in a model's name.
const DIGITS: usize = 8;

/// The constants of one path ([`MatchPath`]). Weights have no unit: they are shares of a term's worth.
/// Points are those of [`crate::ranking`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weights {
    /// Saturation of a term's count in a listing, and how much of the listing's length counts.
    #[serde(deserialize_with = "amount")]
    pub k1: f64,
    #[serde(deserialize_with = "share")]
    pub b: f64,
    /// Power of a term's idf: above 1 the rarest terms of a long request lead.
    #[serde(deserialize_with = "amount")]
    pub rarity: f64,
    /// Saturation of a term's count in the request.
    #[serde(deserialize_with = "amount")]
    pub k3: f64,
    #[serde(deserialize_with = "amount")]
    pub words: f64,
    #[serde(deserialize_with = "amount")]
    pub characters: f64,
    /// Share of a term's worth for standing in the title, among the keywords.
    #[serde(deserialize_with = "amount")]
    pub title: f64,
    #[serde(deserialize_with = "amount")]
    pub keywords: f64,
    /// Share of a run's worth for standing there as written: title, keyword, whole keyword, text. On the
    /// keyword path only: of a longer request hardly a run stands anywhere as it was written.
    #[serde(deserialize_with = "amount")]
    pub phrase_title: f64,
    #[serde(deserialize_with = "amount")]
    pub phrase_keyword: f64,
    #[serde(deserialize_with = "amount")]
    pub phrase_whole_keyword: f64,
    #[serde(deserialize_with = "amount")]
    pub phrase_text: f64,
    /// Weight of generic words, and of a sentence about the firm.
    #[serde(deserialize_with = "amount")]
    pub generic: f64,
    #[serde(deserialize_with = "amount")]
    pub firm: f64,
    /// Weight of the request's own title and keywords against its text.
    #[serde(deserialize_with = "amount")]
    pub from_title: f64,
    #[serde(deserialize_with = "amount")]
    pub from_keywords: f64,
    /// Terms of a view that are looked up; the strongest by weight and rarity are kept.
    pub most_terms: usize,
    /// Points for values that agree.
    #[serde(deserialize_with = "amount")]
    pub field: f64,
    #[serde(deserialize_with = "amount")]
    pub city: f64,
    #[serde(deserialize_with = "amount")]
    pub province: f64,
    #[serde(deserialize_with = "amount")]
    pub industry: f64,
    #[serde(deserialize_with = "amount")]
    pub mature: f64,
    /// Points a level too early costs, and the most it can cost.
    #[serde(deserialize_with = "amount")]
    pub early: f64,
    #[serde(deserialize_with = "amount")]
    pub early_most: f64,
    #[serde(deserialize_with = "amount")]
    pub affordable: f64,
    #[serde(deserialize_with = "amount")]
    pub expensive_most: f64,
    /// Points that the age of a listing costs in the limit, and the days after which it costs half of them.
    #[serde(deserialize_with = "amount")]
    pub stale_most: f64,
    #[serde(deserialize_with = "days")]
    pub half_life: f64,
}

/// A whole file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Constants {
    #[serde(deserialize_with = "name")]
    name: String,
    grades: Grades,
    suitability: Curves,
    keyword: Weights,
    problem: Weights,
    listing: Weights,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Curves {
    keyword: Curve,
    problem: Curve,
    listing: Curve,
}

/// A way of ranking: every constant, and the name under which it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    constants: Constants,
    model: String,
}

static CURRENT: OnceLock<Ranking> = OnceLock::new();

/// The ranking in use: the [`install`]ed one, otherwise the one that ships.
pub(crate) fn ranking() -> &'static Ranking {
    CURRENT.get_or_init(|| match Ranking::shipped() {
        Ok(ranking) => ranking,
        Err(fault) => unreachable!("the shipped ranking is checked by a test: {fault}"),
    })
}

/// The name of the ranking in use. It changes with every constant and with the lexicon.
pub fn model() -> &'static str {
    ranking().model()
}

/// Ranks by the constants of `file` from now on. To be called before anything is indexed or asked.
///
/// # Errors
/// [`Error::Ranking`] with file and line of what is wrong, and where another ranking is in use already.
pub fn install(file: &Path) -> Result<()> {
    let next = Ranking::read(file)?;
    let current = CURRENT.get_or_init(|| next.clone());
    if *current == next {
        return Ok(());
    }
    let why = format!("another ranking is in use already: {}", current.model);
    Err(Error::Ranking { file: file.display().to_string(), line: 0, why })
}

impl Ranking {
    /// The constants that ship.
    pub fn shipped() -> Result<Self> {
        Self::parse(SHIPPED.0, SHIPPED.1)
    }

    pub fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).map_err(|e| Error::io(file, e))?;
        Self::parse(&file.display().to_string(), &text)
    }

    fn parse(file: &str, text: &str) -> Result<Self> {
        let constants: Constants = toml::from_str(text).map_err(|fault| {
            let before = fault.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            Error::Ranking { file: file.to_owned(), line, why: fault.message().to_owned() }
        })?;
        let of_section = |name: &str, why: &str| {
            let line = 1 + text.lines().position(|l| l.trim() == name).unwrap_or(0);
            Error::Ranking { file: file.to_owned(), line, why: why.to_owned() }
        };
        if !constants.grades.rise() {
            return Err(of_section(
                "[grades]",
                "the grades need rising probabilities: fair, good, high",
            ));
        }
        for (section, weights) in
            [("[problem]", &constants.problem), ("[listing]", &constants.listing)]
        {
            let (in_head, in_text) =
                (weights.phrase_title + weights.phrase_keyword, weights.phrase_text);
            if in_head + in_text + weights.phrase_whole_keyword > 0.0 {
                return Err(of_section(
                    section,
                    "runs as written (phrase_…) count on the keyword path only",
                ));
            }
        }
        Self::of(constants)
    }

    fn of(constants: Constants) -> Result<Self> {
        let mut digest = Sha256::new();
        digest.update(serde_json::to_string(&constants)?);
        digest.update(Analyzer::new()?.digest());
        let hex: String = digest.finalize().iter().map(|b| format!("{b:02x}")).collect();
        let model = format!("{}-{}", constants.name, hex.get(..DIGITS).unwrap_or(&hex));
        Ok(Self { constants, model })
    }

    pub fn model(&self) -> &str {
        &self.model
    }

    /// The same with other constants for one path.
    pub(crate) fn with(&self, path: MatchPath, weights: Weights) -> Result<Self> {
        let mut constants = self.constants.clone();
        match path {
            MatchPath::Keyword => constants.keyword = weights,
            MatchPath::Problem => constants.problem = weights,
            MatchPath::Listing => constants.listing = weights,
        }
        Self::of(constants)
    }

    /// As a file.
    pub fn to_toml(&self) -> Result<String> {
        Ok(toml::to_string(&self.constants).map_err(std::io::Error::other)?)
    }

    /// The same with another curve for one path.
    pub(crate) fn with_curve(&self, path: MatchPath, curve: Curve) -> Result<Self> {
        let mut constants = self.constants.clone();
        match path {
            MatchPath::Keyword => constants.suitability.keyword = curve,
            MatchPath::Problem => constants.suitability.problem = curve,
            MatchPath::Listing => constants.suitability.listing = curve,
        }
        Self::of(constants)
    }

    pub(crate) fn grades(&self) -> &Grades {
        &self.constants.grades
    }

    /// What to ask of the matches of a request of so many terms ([`crate::ranking::Plan::wanted`]), among so
    /// many listings of the wanted kind.
    pub(crate) fn suitability(&self, path: MatchPath, terms: usize, listings: f64) -> Suitability {
        Suitability::of(self.curve(path), &self.constants.grades, terms, listings)
    }

    pub(crate) fn curve(&self, path: MatchPath) -> Curve {
        let curves = &self.constants.suitability;
        match path {
            MatchPath::Keyword => curves.keyword,
            MatchPath::Problem => curves.problem,
            MatchPath::Listing => curves.listing,
        }
    }

    pub(crate) fn weights(&self, path: MatchPath) -> &Weights {
        match path {
            MatchPath::Keyword => &self.constants.keyword,
            MatchPath::Problem => &self.constants.problem,
            MatchPath::Listing => &self.constants.listing,
        }
    }
}

fn within<'de, D: Deserializer<'de>>(from: D, most: f64) -> Result<f64, D::Error> {
    let value = f64::deserialize(from)?;
    if (0.0..=most).contains(&value) {
        Ok(value)
    } else {
        Err(D::Error::custom(format!("{value} is not between 0 and {most}")))
    }
}

fn amount<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    within(from, 100.0)
}

fn days<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    within(from, 36_500.0)
}

fn share<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    within(from, 1.0)
}

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if !name.is_empty() && name.len() <= 40 && name.chars().all(plain) {
        Ok(name)
    } else {
        Err(D::Error::custom("a name has 1 to 40 Latin letters, digits, `-`, `.` and `_`"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fault(change: impl Fn(&str) -> String) -> String {
        Ranking::parse("mine.toml", &change(SHIPPED.1)).unwrap_err().to_string()
    }

    #[test]
    fn a_bad_line_is_named() {
        let line = |what: &str| 1 + SHIPPED.1.lines().position(|l| l.starts_with(what)).unwrap();
        let told = fault(|text| text.replacen("b = 0.75", "b = 1.75", 1));
        assert_eq!(told, format!("mine.toml:{}: 1.75 is not between 0 and 1", line("b = ")));
        let told = fault(|text| text.replacen("k1 = 1.2", "k1 = \"much\"", 1));
        assert!(told.starts_with(&format!("mine.toml:{}: invalid type", line("k1 = "))), "{told}");
        let told = fault(|text| text.replacen("[keyword]", "[keyword]\nbeauty = 1.0", 1));
        assert!(told.contains("unknown field `beauty`"), "{told}");
        let at = line("[keyword]") + 1;
        assert!(told.starts_with(&format!("mine.toml:{at}: ")), "{told}");
        let told = fault(|text| text.replacen("rarity = ", "rarity : ", 1));
        assert!(told.starts_with(&format!("mine.toml:{}: ", line("rarity"))), "{told}");
        let told = fault(|text| text.replacen("fair = ", "fair = 0.99 #", 1));
        assert!(told.starts_with(&format!("mine.toml:{}: the grades", line("[grades]"))), "{told}");
        let told = fault(|text| text.replace("phrase_text = 0.0", "phrase_text = 0.5"));
        assert!(told.starts_with(&format!("mine.toml:{}: runs", line("[problem]"))), "{told}");
        assert!(fault(|text| text.replacen("k3 = 20.0\n", "", 1)).contains("missing field `k3`"));
        assert!(fault(|text| text.replacen("bm25", "b m", 1)).contains("a name has"));
    }

    #[test]
    fn every_change_names_itself() {
        let shipped = Ranking::shipped().unwrap();
        assert!(shipped.model().starts_with("bm25-wb-3-"));
        let of = |from, to| Ranking::parse("f", &SHIPPED.1.replacen(from, to, 1)).unwrap();
        assert_eq!(of("# A few", "# Few").model(), shipped.model(), "a comment is no change");
        assert_ne!(of("k1 = 1.2", "k1 = 1.21").model(), shipped.model());
    }
}
