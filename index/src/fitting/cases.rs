//! What the queries of a test set found, as counts from which any constants give their points.
use std::collections::HashMap;

use crate::{
    Listing, MatchPath, MatchRequest, Ranking, Result,
    analysis::{Analyzer, Bearing, Token},
    evaluation::{TestSet, dcg, ideal},
    index::head,
    number::{index, real, small},
    ranking::{Phrase, Plan, SMALL_MARKET, Sight, Standing},
    request::MAX_TEXT,
    weights::Weights,
};

/// Listings of a query whose order is fitted.
pub(crate) const POOL: usize = 200;

/// A term of a request before any constant is applied to it.
pub(super) struct Asked {
    sight: Sight,
    /// How often, by source (title, text, keywords) and bearing (subject, generic, firm).
    said: [[f64; 3]; 3],
    idf: f64,
}

/// How a listing has a term of the request.
#[derive(Clone, Copy)]
struct Hit {
    term: u32,
    count: u32,
    title: bool,
    keywords: bool,
}

pub(super) struct Candidate {
    pub grade: u32,
    pub id: String,
    words: f64,
    characters: f64,
    hits: Vec<Hit>,
    runs: Vec<(usize, Standing)>,
}

/// One query with the listings it found, in the order of the constants that found them.
pub(super) struct Case {
    pub kind: String,
    pub path: MatchPath,
    /// The listing that the query looks for; queries that look for the same one belong together.
    pub target: String,
    asked: Vec<Asked>,
    /// Of each run the terms in it.
    phrases: Vec<Vec<u32>>,
    pub candidates: Vec<Candidate>,
    /// The best discounted gain there is.
    pub ideal: f64,
}

/// What one query's constants come to.
pub(super) struct Worth {
    terms: Vec<f64>,
    total: f64,
    /// Terms that the request says at all.
    pub said: usize,
}

pub(super) struct Cases {
    pub cases: Vec<Case>,
    pub documents: f64,
    words_average: f64,
    characters_average: f64,
}

impl Cases {
    /// Asks every query that has judgements, by the constants of `ranking`.
    pub fn gather(set: &TestSet, ranking: &Ranking) -> Result<Self> {
        let at = set.index()?;
        let analyzer = Analyzer::new()?;
        let mut dictionary = Dictionary::default();
        let mut cases = Vec::new();
        let mut wanted: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
        let mut all_phrases: Vec<Vec<Phrase>> = Vec::new();
        let mut numbers = Vec::new();
        for query in &set.queries {
            let Some(grades) = set.judgements.get(&query.id) else { continue };
            let best = ideal(grades);
            if best <= 0.0 {
                continue;
            }
            let request = MatchRequest { limit: POOL, ..query.request() };
            let found = query.answer(&at, ranking, POOL)?;
            let asked = asked(&analyzer, &request, &mut dictionary);
            let plan = Plan::of_request(&analyzer, &request, ranking.weights(request.path()));
            let phrases = plan.phrases.iter().map(|p| {
                let terms = p.terms.iter().filter_map(|(_, term)| {
                    let number = dictionary.characters.get(term)?;
                    asked.iter().position(|(n, _)| n == number).map(small)
                });
                terms.collect()
            });
            let target = grades.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
            cases.push(Case {
                kind: query.kind.clone().unwrap_or_else(|| "other".to_owned()),
                path: request.path(),
                target: target.map(|(id, _)| id.clone()).unwrap_or_default(),
                phrases: phrases.collect(),
                asked: asked.iter().map(|(_, a)| Asked { ..*a }).collect(),
                candidates: Vec::new(),
                ideal: best,
            });
            let case = cases.len() - 1;
            for (rank, (id, _)) in found.into_iter().enumerate() {
                wanted.entry(id).or_default().push((case, rank));
            }
            all_phrases.push(plan.phrases);
            numbers.push(asked.into_iter().map(|(n, _)| n).collect::<Vec<_>>());
        }
        let listings = set.listings();
        let mut sizes = (0.0, 0.0);
        for listing in &listings {
            let counted = Counted::of(&analyzer, listing, &dictionary);
            sizes = (sizes.0 + counted.words, sizes.1 + counted.characters);
            dictionary.count(&counted);
        }
        let documents = real(listings.len());
        let idf = |frequency: f64| {
            let among = documents.max(SMALL_MARKET);
            (1.0 + (among - frequency + 0.5) / (frequency + 0.5)).ln()
        };
        for (case, numbers) in cases.iter_mut().zip(&numbers) {
            for (asked, number) in case.asked.iter_mut().zip(numbers) {
                asked.idf = idf(dictionary.frequency(*number));
            }
        }
        let mut found: Vec<Vec<(usize, Candidate)>> = cases.iter().map(|_| Vec::new()).collect();
        for listing in &listings {
            let Some(places) = wanted.get(&listing.id) else { continue };
            let counted = Counted::of(&analyzer, listing, &dictionary);
            for (case, rank) in places {
                let (Some(of), Some(numbers), Some(phrases), Some(list)) = (
                    cases.get(*case),
                    numbers.get(*case),
                    all_phrases.get(*case),
                    found.get_mut(*case),
                ) else {
                    continue;
                };
                let candidate = counted.candidate(of, numbers, phrases);
                list.push((*rank, candidate));
            }
        }
        let queries = set
            .queries
            .iter()
            .filter(|q| set.judgements.get(&q.id).is_some_and(|grades| ideal(grades) > 0.0));
        for ((case, mut list), query) in cases.iter_mut().zip(found).zip(queries) {
            list.sort_by_key(|(rank, _)| *rank);
            let grades = set.judgements.get(&query.id);
            case.candidates = list.into_iter().map(|(_, c)| c).collect();
            for c in &mut case.candidates {
                c.grade = grades.and_then(|g| g.get(&c.id)).copied().unwrap_or(0);
            }
        }
        let average = |total: f64| (total / documents.max(1.0)).max(1.0);
        Ok(Self {
            cases,
            documents,
            words_average: average(sizes.0),
            characters_average: average(sizes.1),
        })
    }
}

impl Case {
    /// What each term is worth by these constants.
    pub fn worth(&self, weights: &Weights) -> Worth {
        let sources = [weights.from_title, 1.0, weights.from_keywords];
        let bearings = [1.0, weights.generic, weights.firm];
        let mut terms: Vec<f64> = self
            .asked
            .iter()
            .map(|asked| {
                let said: f64 = asked
                    .said
                    .iter()
                    .zip(sources)
                    .map(|(counts, source)| {
                        let counts = counts.iter().zip(bearings);
                        source * counts.map(|(count, bearing)| count * bearing).sum::<f64>()
                    })
                    .sum();
                let scale = match asked.sight {
                    Sight::Words => weights.words,
                    Sight::Characters => weights.characters,
                };
                let weight = scale * said * (weights.k3 + 1.0) / (said + weights.k3).max(1e-9);
                weight * asked.idf.powf(weights.rarity)
            })
            .collect();
        let said = terms.iter().filter(|worth| **worth > 0.0).count();
        for sight in [Sight::Words, Sight::Characters] {
            let mut of: Vec<f64> = terms
                .iter()
                .zip(&self.asked)
                .filter(|(worth, asked)| asked.sight == sight && **worth > 0.0)
                .map(|(worth, _)| *worth)
                .collect();
            if of.len() > weights.most_terms {
                of.sort_by(|a, b| b.total_cmp(a));
                let least = of.get(weights.most_terms).copied().unwrap_or_default();
                for (worth, asked) in terms.iter_mut().zip(&self.asked) {
                    if asked.sight == sight && *worth <= least {
                        *worth = 0.0;
                    }
                }
            }
        }
        Worth { total: terms.iter().sum(), terms, said }
    }

    /// What the wording of one of the candidates earns.
    pub fn points(&self, of: &Cases, at: &Candidate, worth: &Worth, weights: &Weights) -> f64 {
        if worth.total <= 0.0 {
            return 0.0;
        }
        let (k1, b) = (weights.k1, weights.b);
        let words = k1 * (1.0 - b + b * at.words / of.words_average);
        let characters = k1 * (1.0 - b + b * at.characters / of.characters_average);
        let mut points = 0.0;
        for hit in &at.hits {
            let term = index(hit.term);
            let (Some(value), Some(asked)) = (worth.terms.get(term), self.asked.get(term)) else {
                continue;
            };
            let norm = if asked.sight == Sight::Words { words } else { characters };
            let count = f64::from(hit.count);
            let mut share = count * (k1 + 1.0) / (count + norm);
            if hit.title {
                share += weights.title;
            }
            if hit.keywords {
                share += weights.keywords;
            }
            points += value * share;
        }
        if weights.phrase_text > 0.0 {
            for (phrase, standing) in &at.runs {
                let terms = self.phrases.get(*phrase).map(Vec::as_slice).unwrap_or_default();
                let value: f64 = terms.iter().filter_map(|t| worth.terms.get(index(*t))).sum();
                points += value * standing.share(weights);
            }
        }
        100.0 * points / worth.total
    }

    /// nDCG@10 of the order that these constants give.
    pub fn value(&self, of: &Cases, weights: &Weights) -> f64 {
        let worth = self.worth(weights);
        let mut scored: Vec<(f64, &Candidate)> =
            self.candidates.iter().map(|at| (self.points(of, at, &worth, weights), at)).collect();
        let order = |a: &(f64, &Candidate), b: &(f64, &Candidate)| {
            b.0.total_cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id))
        };
        if scored.len() > 10 {
            scored.select_nth_unstable_by(9, order);
            scored.truncate(10);
        }
        scored.sort_by(order);
        dcg(scored.iter().map(|(_, at)| at.grade)) / self.ideal
    }
}

/// Numbers for the terms that somebody asks for, and how many listings have them.
#[derive(Default)]
struct Dictionary {
    words: HashMap<String, u32>,
    characters: HashMap<String, u32>,
    frequencies: Vec<f64>,
}

impl Dictionary {
    fn of(&self, sight: Sight) -> &HashMap<String, u32> {
        match sight {
            Sight::Words => &self.words,
            Sight::Characters => &self.characters,
        }
    }

    fn number(&mut self, sight: Sight, term: &str) -> u32 {
        let next = small(self.frequencies.len());
        let map = match sight {
            Sight::Words => &mut self.words,
            Sight::Characters => &mut self.characters,
        };
        let number = *map.entry(term.to_owned()).or_insert(next);
        if number == next {
            self.frequencies.push(0.0);
        }
        number
    }

    fn count(&mut self, counted: &Counted) {
        for number in counted.terms.keys() {
            if let Some(frequency) = self.frequencies.get_mut(index(*number)) {
                *frequency += 1.0;
            }
        }
    }

    fn frequency(&self, number: u32) -> f64 {
        self.frequencies.get(index(number)).copied().unwrap_or_default()
    }
}

/// The terms of a request with their numbers.
fn asked(
    analyzer: &Analyzer,
    request: &MatchRequest,
    dictionary: &mut Dictionary,
) -> Vec<(u32, Asked)> {
    let mut at: HashMap<u32, usize> = HashMap::new();
    let mut terms: Vec<(u32, Asked)> = Vec::new();
    let sources = request
        .title
        .iter()
        .map(|title| (0, title))
        .chain([(1, &request.text)])
        .chain(request.keywords.iter().map(|keyword| (2, keyword)));
    for (source, text) in sources {
        let analysis = analyzer.analyse(head(text, MAX_TEXT));
        for (sight, tokens) in
            [(Sight::Words, &analysis.words), (Sight::Characters, &analysis.characters)]
        {
            for token in tokens {
                let number = dictionary.number(sight, &token.term);
                let place = *at.entry(number).or_insert_with(|| {
                    terms.push((number, Asked { sight, said: [[0.0; 3]; 3], idf: 0.0 }));
                    terms.len() - 1
                });
                let bearing = match token.bearing {
                    Bearing::Subject => 0,
                    Bearing::Generic => 1,
                    Bearing::Firm => 2,
                };
                let said = terms.get_mut(place).map(|(_, asked)| &mut asked.said);
                if let Some(count) = said.and_then(|said| said.get_mut(source)?.get_mut(bearing)) {
                    *count += 1.0;
                }
            }
        }
    }
    terms
}

/// The counts of one listing.
struct Counted {
    id: String,
    words: f64,
    characters: f64,
    terms: HashMap<u32, Hit>,
    folded_title: String,
    folded_keywords: Vec<String>,
    /// Where pairs stand; values are far apart.
    pair_positions: HashMap<String, Vec<u64>>,
}

impl Counted {
    fn of(analyzer: &Analyzer, listing: &Listing, dictionary: &Dictionary) -> Self {
        let fold = |text: &str| crate::analysis::fold(head(text, MAX_TEXT)).text;
        let mut counted = Self {
            id: listing.id.clone(),
            words: 0.0,
            characters: 0.0,
            terms: HashMap::new(),
            folded_title: fold(&listing.title),
            folded_keywords: listing.keywords.iter().map(|k| fold(k)).collect(),
            pair_positions: HashMap::new(),
        };
        let values = [(0, &listing.title), (1, &listing.text)]
            .into_iter()
            .chain(listing.keywords.iter().map(|k| (2, k)));
        for (number, (source, value)) in (0..).zip(values) {
            let analysis = analyzer.analyse(head(value, MAX_TEXT));
            counted.words += real(analysis.words.len());
            counted.characters += real(analysis.characters.len());
            let place = |t: &Token| (number << 32) + u64::from(t.position);
            for t in &analysis.characters {
                counted.pair_positions.entry(t.term.clone()).or_default().push(place(t));
            }
            for (sight, tokens) in
                [(Sight::Words, &analysis.words), (Sight::Characters, &analysis.characters)]
            {
                for token in tokens {
                    let Some(term) = dictionary.of(sight).get(&token.term).copied() else {
                        continue;
                    };
                    let none = Hit { term, count: 0, title: false, keywords: false };
                    let hit = counted.terms.entry(term).or_insert(none);
                    hit.count += 1;
                    hit.title |= source == 0;
                    hit.keywords |= source == 2;
                }
            }
        }
        counted
    }

    fn candidate(&self, case: &Case, numbers: &[u32], phrases: &[Phrase]) -> Candidate {
        let hits = (0..)
            .zip(numbers)
            .filter_map(|(term, number)| self.terms.get(number).map(|hit| Hit { term, ..*hit }));
        let runs = phrases.iter().enumerate().filter_map(|(phrase, run)| {
            let often = self.occurrences(run);
            (often > 0).then(|| {
                let title = self.folded_title.contains(&run.text);
                let part = self.folded_keywords.iter().any(|k| k.contains(&run.text));
                let whole = self.folded_keywords.contains(&run.text);
                (phrase, Standing { often, title, part, whole })
            })
        });
        Candidate {
            grade: 0,
            id: self.id.clone(),
            words: self.words,
            characters: self.characters,
            hits: hits.collect(),
            runs: if case.phrases.is_empty() { Vec::new() } else { runs.collect() },
        }
    }

    fn occurrences(&self, phrase: &Phrase) -> usize {
        let mut lists = Vec::with_capacity(phrase.terms.len());
        for (offset, term) in &phrase.terms {
            let Some(positions) = self.pair_positions.get(term) else { return 0 };
            lists.push((u64::from(*offset), positions));
        }
        let Some(((offset, first), rest)) = lists.split_first() else { return 0 };
        let starts = first.iter().filter_map(|at| at.checked_sub(*offset));
        let whole =
            |start: &u64| rest.iter().all(|(offset, list)| list.contains(&(start + offset)));
        starts.filter(whole).count()
    }
}
