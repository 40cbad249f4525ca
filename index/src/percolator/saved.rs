//! One saved question: its terms, its conditions, and how a listing is weighed against it.
use super::{
    Saved,
    best::{Best, MOST_BITS},
    frequencies::{Frequencies, Rarity},
    listing::Subject,
};
use crate::{
    analysis::Analyzer,
    index::head,
    listing::Kind,
    number::index,
    ranking::{Phrase, Plan, Sight, Standing},
    request::{Filters, MAX_QUERY, MatchPath},
    view::Row,
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
    pub const ALL: [Self; Self::COUNT] = [
        Self::SearchAll,
        Self::Search(Kind::Achievement),
        Self::Search(Kind::Demand),
        Self::Match(MatchPath::Keyword, Kind::Achievement),
        Self::Match(MatchPath::Keyword, Kind::Demand),
        Self::Match(MatchPath::Problem, Kind::Achievement),
        Self::Match(MatchPath::Problem, Kind::Demand),
        Self::Match(MatchPath::Listing, Kind::Achievement),
        Self::Match(MatchPath::Listing, Kind::Demand),
    ];

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

    /// Of a term's number of achievements and of demands, those among which it is rare or not.
    pub fn count(self, [achievements, demands]: [u32; 2]) -> u32 {
        match self {
            Self::SearchAll => achievements + demands,
            Self::Search(kind) | Self::Match(_, kind) => match kind {
                Kind::Achievement => achievements,
                Kind::Demand => demands,
            },
        }
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

/// What one listing has of the terms that are looked for, in one lane.
pub(super) struct Seen<'a> {
    pub rarity: Rarity<'a>,
    /// By number of the term: one above the place of the subject's term, 0 where it has none.
    pub places: &'a [u32],
    /// By place: what one unit of the term's weight earns.
    pub gains: Vec<f64>,
}

impl Seen<'_> {
    /// The place of the term among the subject's; none where it has it not.
    fn place(&self, number: u32) -> Option<usize> {
        self.places.get(index(number)).and_then(|place| index(*place).checked_sub(1))
    }
}

/// How a listing stands to a question, in worths.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weighed {
    /// Of all terms that are looked up.
    pub total: f64,
    /// Of those the listing has.
    pub had: f64,
    /// What these and the phrases have earned.
    pub earned: f64,
}

impl Weighed {
    /// The share of the question's worth that the listing has.
    pub fn covered(&self) -> f64 {
        if self.total > 0.0 { self.had / self.total } else { 0.0 }
    }

    /// What the wording of a match earns.
    pub fn points(&self) -> f64 {
        if self.total > 0.0 { 100.0 * self.earned / self.total } else { 0.0 }
    }
}

/// A run of a short text, by the numbers of its terms.
struct Run {
    text: Box<str>,
    /// With their distances from the start.
    terms: Box<[(u64, u32)]>,
}

pub(super) struct Slot {
    pub id: Box<str>,
    pub lane: Lane,
    /// Of one sight after the other, as the plan has them, with their weights.
    pub terms: Box<[(u32, f64)]>,
    /// How many of the terms are words.
    words: usize,
    runs: Box<[Run]>,
    pub single: Option<Box<str>>,
    /// A search without a word lists everything.
    pub is_open: bool,
    /// None where every listing passes that is not hidden.
    filters: Option<Box<Filters>>,
    exclude_owner: Option<Box<str>>,
    exclude_id: Option<Box<str>>,
    /// Of a search, once it was looked at.
    pub best: Option<Best>,
}

impl Slot {
    pub fn of(analyzer: &Analyzer, id: &str, saved: Saved, frequencies: &mut Frequencies) -> Self {
        let (lane, plan, filters, owner, other) = match saved {
            Saved::Search(request) => {
                let lane = request.kind.map_or(Lane::SearchAll, Lane::Search);
                let plan = Plan::of_question(analyzer, head(&request.q, MAX_QUERY), lane.weights());
                (lane, plan, request.filters, None, None)
            }
            Saved::Match(request) => {
                let lane = Lane::Match(request.path(), request.want);
                let plan = Plan::of_request(analyzer, &request, lane.weights());
                (lane, plan, request.filters, request.exclude_owner, request.exclude_id)
            }
        };
        let terms: Box<[(u32, f64)]> = plan
            .wanted
            .iter()
            .map(|w| (frequencies.number_of(w.sight, &w.term), w.weight))
            .collect();
        let single = plan.single().filter(|_| !lane.is_match()).map(Into::into);
        // a search is found by its terms alone
        let runs = match lane.is_match() && lane.weights().phrase_text > 0.0 {
            true => plan.phrases.iter().map(|phrase| run(phrase, frequencies)).collect(),
            false => Box::default(),
        };
        Self {
            id: id.into(),
            lane,
            words: plan.wanted.iter().filter(|w| w.sight == Sight::Words).count(),
            is_open: !lane.is_match() && terms.is_empty(),
            terms,
            runs,
            single,
            filters: (filters != Filters::default()).then(|| Box::new(filters)),
            exclude_owner: owner.map(Into::into),
            exclude_id: other.map(Into::into),
            best: None,
        }
    }

    /// Whether this is a search that the market was never looked at for.
    pub fn is_waiting(&self) -> bool {
        let weighs = !self.is_open && self.single.is_none() && !self.lane.is_match();
        weighs && self.terms.len() <= MOST_BITS && self.best.is_none()
    }

    /// The terms of one sight, then of the other.
    pub fn sights(&self) -> [&[(u32, f64)]; 2] {
        let (words, characters) =
            self.terms.split_at_checked(self.words).unwrap_or((&self.terms, &[]));
        [words, characters]
    }

    /// Whether a listing's terms make a pattern ([`super::best`]): there are not too many, and all of them
    /// are kept whatever they are worth.
    pub fn has_patterns(&self) -> bool {
        let most = self.lane.weights().most_terms;
        self.terms.len() <= MOST_BITS && self.sights().iter().all(|part| part.len() <= most)
    }

    pub fn passes(&self, row: Row) -> bool {
        match &self.filters {
            Some(filters) => row.passes(filters),
            None => !row.hidden(),
        }
    }

    /// Whether the listing meets the conditions, whatever it says.
    pub fn admits(&self, row: Row) -> bool {
        self.lane.among().contains(&row.kind())
            && self.passes(row)
            && self.exclude_owner.as_deref().is_none_or(|owner| row.owner() != owner)
            && self.exclude_id.as_deref().is_none_or(|id| row.id() != id)
    }

    /// The listing against the question, as when it is asked.
    pub fn weigh(&self, seen: &Seen, subject: &Subject) -> Weighed {
        let mut weighed = Weighed::default();
        let most = self.lane.weights().most_terms;
        let leasts = self.sights().map(|part| least_kept(part, most, &seen.rarity));
        for (part, least) in self.sights().into_iter().zip(leasts) {
            for (number, weight) in part {
                let worth = weight * seen.rarity.of(*number);
                if worth <= least {
                    continue;
                }
                weighed.total += worth;
                if let Some(gain) = seen.place(*number).and_then(|at| seen.gains.get(at)) {
                    weighed.had += worth;
                    weighed.earned += weight * gain;
                }
            }
        }
        let [_, least] = leasts;
        let of_run = |run| self.run(run, least, seen, subject);
        weighed.earned += self.runs.iter().map(of_run).sum::<f64>();
        weighed
    }

    /// Whether it may earn points beside its terms.
    pub fn has_runs(&self) -> bool {
        !self.runs.is_empty()
    }

    /// The points that a match must earn to be suitable among so many listings, no fewer among more; a
    /// search needs none.
    pub fn floor(&self, listings: f64) -> f64 {
        match self.lane {
            Lane::Match(path, _) => ranking().suitability(path, self.terms.len(), listings).floor(),
            Lane::SearchAll | Lane::Search(_) => 0.0,
        }
    }

    /// What a run earns by standing there as it was written, of pairs that are worth more than `least`.
    fn run(&self, run: &Run, least: f64, seen: &Seen, subject: &Subject) -> f64 {
        let often = occurrences(run, seen, subject);
        if often == 0 {
            return 0.0;
        }
        let worth: f64 = self
            .terms
            .iter()
            .skip(self.words)
            .filter(|(number, _)| run.terms.iter().any(|(_, n)| n == number))
            .map(|(number, weight)| weight * seen.rarity.of(*number))
            .filter(|worth| *worth > least)
            .sum();
        worth * Standing::of(&run.text, often, subject.row).share(self.lane.weights())
    }

    /// Which of the terms the listing has; none when there are too many to say.
    pub fn pattern(&self, seen: &Seen) -> Option<u128> {
        if !self.has_patterns() {
            return None;
        }
        let bits = (0..).zip(&self.terms).filter(|(_, (n, _))| seen.place(*n).is_some());
        Some(bits.fold(0, |all, (bit, _)| all | 1_u128 << bit))
    }
}

/// The terms of one sight are cut to the strongest `most`; only what is worth more than this is kept.
pub(super) fn least_kept(terms: &[(u32, f64)], most: usize, rarity: &Rarity) -> f64 {
    if terms.len() <= most {
        return f64::NEG_INFINITY;
    }
    let mut worths: Vec<f64> = terms.iter().map(|(n, weight)| weight * rarity.of(*n)).collect();
    nth(&mut worths, most).unwrap_or(f64::NEG_INFINITY)
}

/// The largest worth but `n`; none where there are no more than that.
pub(super) fn nth(worths: &mut [f64], n: usize) -> Option<f64> {
    let more = worths.len() > n;
    more.then(|| *worths.select_nth_unstable_by(n, |a, b| b.total_cmp(a)).1)
}

fn run(phrase: &Phrase, frequencies: &mut Frequencies) -> Run {
    let terms = phrase
        .terms
        .iter()
        .map(|(offset, term)| (u64::from(*offset), frequencies.number_of(Sight::Characters, term)));
    Run { text: phrase.text.as_str().into(), terms: terms.collect() }
}

/// How often the run stands in the listing as it was written.
fn occurrences(run: &Run, seen: &Seen, subject: &Subject) -> usize {
    let mut lists = Vec::with_capacity(run.terms.len());
    for (offset, number) in &run.terms {
        let found = seen.place(*number).and_then(|at| subject.terms.get(at));
        let Some((.., found)) = found else { return 0 };
        lists.push((*offset, &found.positions));
    }
    let Some(((offset, first), rest)) = lists.split_first() else { return 0 };
    let starts = first.iter().filter_map(|at| at.checked_sub(*offset));
    let whole =
        |start: &u64| rest.iter().all(|(offset, positions)| positions.contains(&(start + offset)));
    starts.filter(whole).count()
}
