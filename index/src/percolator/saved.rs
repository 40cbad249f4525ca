//! One saved question: its terms, its conditions, and what is known of the best answer to it.
use std::{collections::HashMap, sync::Arc};

use tantivy::index::SegmentId;

use super::{
    Saved,
    frequencies::{Frequencies, Rarity},
    listing::Subject,
};
use crate::{
    analysis::Analyzer,
    index::{SEPARATOR, head},
    listing::Kind,
    ranking::{Phrase, Plan, Sight},
    request::{Filters, MAX_QUERY, MatchPath, SearchRequest},
    view::View,
    weights::{Weights, ranking},
};

/// Questions that weigh a term alike: what they ask in, and with which weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    SearchAll,
    Search(Kind),
    Match(MatchPath, Kind),
}

impl Lane {
    pub const COUNT: usize = 9;

    pub fn number(self) -> usize {
        let side = |kind| match kind {
            Kind::Achievement => 0,
            Kind::Demand => 1,
        };
        match self {
            Self::SearchAll => 0,
            Self::Search(kind) => 1 + side(kind),
            Self::Match(MatchPath::Keyword, kind) => 3 + side(kind),
            Self::Match(MatchPath::Problem, kind) => 5 + side(kind),
            Self::Match(MatchPath::Listing, kind) => 7 + side(kind),
        }
    }

    /// The lanes whose questions a listing of `kind` may answer.
    pub fn of_kind(kind: Kind) -> [Self; 5] {
        let [keyword, problem, listing] = MatchPath::ALL.map(|path| Self::Match(path, kind));
        [Self::SearchAll, Self::Search(kind), keyword, problem, listing]
    }

    pub fn is_match(self) -> bool {
        matches!(self, Self::Match(..))
    }

    pub fn weights(self) -> &'static Weights {
        ranking().weights(match self {
            Self::SearchAll | Self::Search(_) => MatchPath::Keyword,
            Self::Match(path, _) => path,
        })
    }

    /// The kinds among which a term is rare or not.
    pub fn among(self) -> &'static [Kind] {
        match self {
            Self::SearchAll => &Kind::ALL,
            Self::Search(kind) | Self::Match(_, kind) => match kind {
                Kind::Achievement => &[Kind::Achievement],
                Kind::Demand => &[Kind::Demand],
            },
        }
    }
}

/// A listing found for a search, and which of the search's terms it has.
#[derive(Debug, Clone)]
pub(super) struct Witness {
    pub segment: SegmentId,
    pub doc: u32,
    /// Bit n is term n of the slot; a search of more terms has no witness.
    pub has: u128,
}

impl Witness {
    pub const MOST_TERMS: usize = 128;

    pub fn of_subject(
        subject: &Subject,
        terms: &[(u32, f64)],
        gains: &HashMap<u32, f64>,
    ) -> Option<Self> {
        let has = bits(terms, |number| gains.contains_key(&number))?;
        Some(Self { segment: subject.segment, doc: subject.doc, has })
    }
}

/// The most that any listing covered when the search was last asked, in the worths of that time; later
/// listings raise it. What a listing covers now is at most that, scaled by how the worths have moved.
#[derive(Debug, Clone)]
pub(super) struct Peak {
    sum: f64,
    worths: Box<[f64]>,
}

impl Peak {
    pub fn of(covered: f64, terms: &[(u32, f64)], rarity: &Rarity) -> Self {
        let worths: Box<[f64]> = terms.iter().map(|(n, weight)| weight * rarity.of(*n)).collect();
        Self { sum: covered * worths.iter().sum::<f64>(), worths }
    }

    /// Takes in a listing that has the terms in `gains`.
    pub fn raise(&mut self, terms: &[(u32, f64)], gains: &HashMap<u32, f64>) {
        let has = terms.iter().zip(&self.worths).filter(|((n, _), _)| gains.contains_key(n));
        self.sum = self.sum.max(has.map(|(_, worth)| worth).sum());
    }

    /// The most that any listing can cover now.
    pub fn bound(&self, terms: &[(u32, f64)], rarity: &Rarity) -> f64 {
        let (mut total, mut moved) = (0.0, 0.0_f64);
        for ((number, weight), before) in terms.iter().zip(&self.worths) {
            let worth = weight * rarity.of(*number);
            total += worth;
            moved = moved.max(worth / before);
        }
        if total > 0.0 { self.sum * moved / total } else { 1.0 }
    }
}

/// Which of `terms` are there; none when there are too many to say.
pub(super) fn bits(terms: &[(u32, f64)], mut has: impl FnMut(u32) -> bool) -> Option<u128> {
    if terms.len() > Witness::MOST_TERMS {
        return None;
    }
    let mut all = 0;
    for (bit, (number, _)) in (0..).zip(terms) {
        if has(*number) {
            all |= 1_u128 << bit;
        }
    }
    Some(all)
}

pub(super) struct Slot {
    pub id: Box<str>,
    pub lane: Lane,
    /// Of one sight after the other, as the plan has them, with their weights.
    pub terms: Box<[(u32, f64)]>,
    /// How many of the terms are words.
    words: usize,
    phrases: Box<[Phrase]>,
    pub single: Option<Box<str>>,
    /// A search without a word lists everything.
    pub is_open: bool,
    filters: Arc<Filters>,
    exclude_owner: Option<Box<str>>,
    exclude_id: Option<Box<str>>,
    /// The search, to be asked when no witness can decide.
    pub request: Option<Box<SearchRequest>>,
    pub witness: Option<Witness>,
    pub peak: Option<Peak>,
}

impl Slot {
    pub fn of(analyzer: &Analyzer, id: &str, saved: Saved, frequencies: &mut Frequencies) -> Self {
        let (lane, plan, filters, owner, other, request) = match saved {
            Saved::Search(mut request) => {
                let lane = request.kind.map_or(Lane::SearchAll, Lane::Search);
                request.q = head(&request.q, MAX_QUERY).to_owned();
                let plan = Plan::of_question(analyzer, &request.q, lane.weights());
                (lane, plan, request.filters.clone(), None, None, Some(Box::new(request)))
            }
            Saved::Match(request) => {
                let lane = Lane::Match(request.path(), request.want);
                let plan = Plan::of_request(analyzer, &request, lane.weights());
                (lane, plan, request.filters, request.exclude_owner, request.exclude_id, None)
            }
        };
        let terms: Box<[(u32, f64)]> = plan
            .wanted
            .iter()
            .map(|w| (frequencies.number_of(w.sight, &w.term), w.weight))
            .collect();
        let single = plan.single().filter(|_| request.is_some()).map(Into::into);
        // a search is found by its terms alone
        let phrases = match lane.is_match() && lane.weights().phrase_text > 0.0 {
            true => plan.phrases.clone().into_boxed_slice(),
            false => Box::default(),
        };
        Self {
            id: id.into(),
            lane,
            words: plan.wanted.iter().filter(|w| w.sight == Sight::Words).count(),
            is_open: request.is_some() && terms.is_empty(),
            terms,
            phrases,
            single,
            filters: Arc::new(filters),
            exclude_owner: owner.map(Into::into),
            exclude_id: other.map(Into::into),
            request,
            witness: None,
            peak: None,
        }
    }

    pub fn needs_witness(&self) -> bool {
        self.request.is_some() && !self.is_open && self.single.is_none() && self.peak.is_none()
    }

    /// Whether the listing meets the conditions, whatever it says.
    pub fn admits(&self, subject: &Subject) -> bool {
        let row = &subject.row;
        self.lane.among().contains(&row.kind)
            && row.passes(&self.filters)
            && self.exclude_owner.as_deref().is_none_or(|owner| *row.owner != *owner)
            && self.exclude_id.as_deref().is_none_or(|id| *row.id != *id)
    }

    /// Long questions are cut to their strongest terms, as when they are asked: the sum of their worth,
    /// and what those that the listing has have earned.
    fn strongest(
        &self,
        earned: f64,
        gains: &HashMap<u32, f64>,
        rarity: &Rarity,
    ) -> (f64, f64, Option<Vec<u32>>) {
        let most = self.lane.weights().most_terms;
        let (words, characters) =
            self.terms.split_at_checked(self.words).unwrap_or((&self.terms, &[]));
        let worth = |(number, weight): &(u32, f64)| weight * rarity.of(*number);
        if words.len() <= most && characters.len() <= most {
            return (self.terms.iter().map(worth).sum(), earned, None);
        }
        let (mut total, mut earned, mut kept) = (0.0, 0.0, Vec::new());
        for part in [words, characters] {
            let mut worths: Vec<f64> = part.iter().map(worth).collect();
            let mut least = f64::NEG_INFINITY;
            if worths.len() > most {
                worths.sort_by(|a, b| b.total_cmp(a));
                least = worths.get(most).copied().unwrap_or(least);
            }
            for term in part.iter().filter(|term| worth(term) > least) {
                total += worth(term);
                kept.push(term.0);
                earned += gains.get(&term.0).map_or(0.0, |gain| term.1 * gain);
            }
        }
        (total, earned, Some(kept))
    }

    /// The share of the search's worth that the listing has.
    pub fn covered(&self, earned: f64, gains: &HashMap<u32, f64>, rarity: &Rarity) -> f64 {
        let (total, earned, _) = self.strongest(earned, gains, rarity);
        if total > 0.0 { earned / total } else { 0.0 }
    }

    /// The points that a match must earn to be suitable; a search needs none.
    pub fn floor(&self) -> f64 {
        match self.lane {
            Lane::Match(path, _) => ranking().suitability(path, self.terms.len()).floor(),
            Lane::SearchAll | Lane::Search(_) => 0.0,
        }
    }

    /// What the wording of a match earns.
    pub fn points(
        &self,
        earned: f64,
        gains: &HashMap<u32, f64>,
        rarity: &Rarity,
        subject: &Subject,
    ) -> f64 {
        let (total, earned, kept) = self.strongest(earned, gains, rarity);
        if total <= 0.0 {
            return 0.0;
        }
        let phrases: f64 =
            self.phrases.iter().map(|p| self.phrase(p, kept.as_deref(), rarity, subject)).sum();
        100.0 * (earned + phrases) / total
    }

    fn phrase(
        &self,
        phrase: &Phrase,
        kept: Option<&[u32]>,
        rarity: &Rarity,
        subject: &Subject,
    ) -> f64 {
        let often = subject.occurrences(phrase);
        if often == 0 {
            return 0.0;
        }
        let worth: f64 = self
            .terms
            .iter()
            .skip(self.words)
            .filter(|(number, _)| kept.is_none_or(|kept| kept.contains(number)))
            .filter(|(number, _)| {
                phrase.terms.iter().any(|(_, t)| rarity.is(*number, Sight::Characters, t))
            })
            .map(|(number, weight)| weight * rarity.of(*number))
            .sum();
        let (weights, row) = (self.lane.weights(), &subject.row);
        let often = crate::number::real(often);
        let mut share = weights.phrase_text * often / (often + 1.0);
        if row.folded_title.contains(&phrase.text) {
            share += weights.phrase_title;
        }
        if row.folded_keywords.split(SEPARATOR).any(|k| k == phrase.text) {
            share += weights.phrase_whole_keyword;
        } else if row.folded_keywords.contains(&phrase.text) {
            share += weights.phrase_keyword;
        }
        worth * share
    }

    /// What the witness covers by today's frequencies; none without one that is still shown.
    pub fn witnessed(&self, view: &View, rarity: &Rarity) -> Option<f64> {
        let witness = self.witness.as_ref()?;
        let (reader, _) = view.readers().find(|(r, _)| r.segment_id() == witness.segment)?;
        if reader.alive_bitset().is_some_and(|bits| !bits.is_alive(witness.doc)) {
            return None;
        }
        let (mut total, mut has) = (0.0, 0.0);
        for (bit, (number, weight)) in (0..).zip(&self.terms) {
            let worth = weight * rarity.of(*number);
            total += worth;
            if witness.has & (1_u128 << bit) != 0 {
                has += worth;
            }
        }
        (total > 0.0).then(|| has / total)
    }
}
