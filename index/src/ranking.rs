//! How a listing earns its points.
//!
//! The text of a request becomes terms in two views, jieba words and character pairs. Each term has
//! a weight: how often the request says it (saturating), more in title and keywords, less where it
//! is generic or stands in a sentence about the firm. A listing earns, per term,
//! `weight · idf · tf(k1+1)/(tf + k1(1 − b + b·length/average))`: BM25. The sum over both views is
//! divided by what a listing of average length with every term once would earn and multiplied by
//! 100: those are the **points**. On top come small bounded parts: terms in the title and among the
//! keywords, a short request found as it was written, and values that agree. Readiness and price can
//! cost points. All constants are [`Weights`], and stand in
//! `lexicon/ranking.toml`.
use std::{collections::BTreeMap, sync::Arc};

use tantivy::{
    DocSet, InvertedIndexReader, TERMINATED, Term,
    postings::Postings,
    schema::{Field, IndexRecordOption},
};

use crate::{
    Result,
    analysis::{Analysis, Analyzer, Bearing, Token, is_han},
    explanation::{Evidence, Explanation, MAX_EVIDENCE, Misfit, Part, PartKind, Place},
    index::{Index, SEPARATOR, head},
    listing::{Kind, region_prefix},
    number::{index, real},
    request::{MAX_LIMIT, MAX_TEXT, Match, MatchRequest},
    view::{Row, Segment, Size, View},
    weights::{Ranking, ranking},
};

pub(crate) use crate::weights::Weights;

/// A market with fewer listings is weighed as if it had so many: among three listings every word is in
/// a third of them, and what a request says would count for nothing.
pub(crate) const SMALL_MARKET: f64 = 1_000.0;

/// Requests up to this many units (characters or Latin words) are ranked by phrase as well.
pub(crate) const SHORT: u32 = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    Words,
    Characters,
}

#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub term: String,
    pub sight: Sight,
    pub weight: f64,
    /// Whether it says something about the subject anywhere in the request.
    subject: bool,
    /// Where the request says it first; neighbours in the request are shown as one piece of evidence.
    position: u32,
}

/// A run of the request, to be found as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Phrase {
    pub text: String,
    /// Terms of the character view and their distance from the start.
    pub terms: Vec<(u32, String)>,
}

/// A request cut into weighted terms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub wanted: Vec<Wanted>,
    pub phrases: Vec<Phrase>,
    /// A single Chinese character: every pair that starts with it counts.
    single: Option<String>,
}

/// Gathers terms of one view over several texts.
#[derive(Default)]
struct Gathered(BTreeMap<String, Said>);

struct Said {
    weight: f64,
    position: u32,
    subject: bool,
}

impl Gathered {
    fn add(&mut self, tokens: &[Token], base: u32, weight: f64, weights: &Weights) {
        for token in tokens {
            let said = self.0.entry(token.term.clone()).or_insert(Said {
                weight: 0.0,
                position: base + token.position,
                subject: false,
            });
            said.subject |= token.bearing == Bearing::Subject;
            said.weight += weight
                * match token.bearing {
                    Bearing::Subject => 1.0,
                    Bearing::Generic => weights.generic,
                    Bearing::Firm => weights.firm,
                };
        }
    }

    fn wanted(self, sight: Sight, weights: &Weights) -> impl Iterator<Item = Wanted> {
        let (scale, k3) = (
            match sight {
                Sight::Words => weights.words,
                Sight::Characters => weights.characters,
            },
            weights.k3,
        );
        let saturated = move |count: f64| scale * count * (k3 + 1.0) / (count + k3);
        self.0.into_iter().filter(|(_, said)| said.weight > 0.0).map(move |(term, said)| Wanted {
            term,
            sight,
            weight: saturated(said.weight),
            subject: said.subject,
            position: said.position,
        })
    }
}

impl Plan {
    /// A plan for a question from the search box.
    pub fn of_question(analyzer: &Analyzer, text: &str, weights: &Weights) -> Self {
        Self::of(&[(analyzer.analyse(text), 1.0)], weights)
    }

    pub fn of_request(analyzer: &Analyzer, request: &MatchRequest, weights: &Weights) -> Self {
        let mut sources = Vec::new();
        if let Some(title) = &request.title {
            sources.push((analyzer.analyse(head(title, MAX_TEXT)), weights.from_title));
        }
        sources.push((analyzer.analyse(head(&request.text, MAX_TEXT)), 1.0));
        for keyword in &request.keywords {
            sources.push((analyzer.analyse(head(keyword, MAX_TEXT)), weights.from_keywords));
        }
        Self::of(&sources, weights)
    }

    fn of(sources: &[(Analysis, f64)], weights: &Weights) -> Self {
        let (mut words, mut characters) = (Gathered::default(), Gathered::default());
        let mut base = 0;
        let mut phrases = Vec::new();
        let mut single = None;
        for (analysis, weight) in sources {
            words.add(&analysis.words, base, *weight, weights);
            characters.add(&analysis.characters, base, *weight, weights);
            let end = analysis.runs.last().map_or(0, |run| run.end);
            if end <= SHORT {
                phrases.extend(analysis.runs.iter().filter_map(|run| phrase(analysis, run)));
            }
            if let ([source], [only]) = (sources, analysis.characters.as_slice())
                && source.0.runs.len() == 1
                && only.term.chars().count() == 1
                && only.term.chars().all(is_han)
            {
                single = Some(only.term.clone());
            }
            base += end + 2;
        }
        let wanted = words
            .wanted(Sight::Words, weights)
            .chain(characters.wanted(Sight::Characters, weights));
        Self { wanted: wanted.collect(), phrases, single }
    }

    /// Nothing to look for: empty, punctuation.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// The terms and runs to mark in a text that was found.
    pub fn marks(&self) -> (Vec<&str>, Vec<&str>) {
        let of = |sight| {
            let terms = self.wanted.iter().filter(move |w| w.sight == sight);
            terms.map(|w| w.term.as_str()).collect()
        };
        (of(Sight::Words), of(Sight::Characters))
    }

    /// The one Chinese character asked for, if that is all.
    pub fn single(&self) -> Option<&str> {
        self.single.as_deref()
    }
}

fn phrase(analysis: &Analysis, run: &crate::analysis::Run) -> Option<Phrase> {
    let terms: Vec<(u32, String)> = analysis
        .characters
        .iter()
        .filter(|t| (run.start..run.end).contains(&t.position) && t.units == 1)
        .map(|t| (t.position - run.start, t.term.clone()))
        .collect();
    (run.end - run.start > 1 && !terms.is_empty()).then(|| Phrase { text: run.text.clone(), terms })
}

/// Which part a gain belongs to; the first two make the points of the wording.
const TEXT_PARTS: [PartKind; 5] =
    [PartKind::Words, PartKind::Characters, PartKind::Title, PartKind::Keywords, PartKind::Phrase];

/// The gains of one term in one segment, by rising flat number.
struct Gains {
    part: PartKind,
    /// Of `Plan::wanted`, or of `Plan::phrases` for the phrase part.
    term: usize,
    from: usize,
    to: usize,
}

/// Points of every listing of one kind for the wording of a request.
pub(crate) struct Scored<'a> {
    plan: &'a Plan,
    analyzer: Analyzer,
    /// By flat number; 0 where nothing matched.
    pub points: Vec<f64>,
    /// Of the request's idf weight, the share found; 0..1.
    pub covered: Vec<f64>,
    flats: Vec<usize>,
    gains: Vec<f64>,
    runs: Vec<Vec<Gains>>,
}

struct Sought<'a> {
    number: usize,
    wanted: &'a Wanted,
    /// weight · idf
    worth: f64,
}

/// Scores every listing of `kind`, with the sizes and frequencies of all of `among`.
pub(crate) fn score<'a>(
    at: &Index,
    view: &View,
    plan: &'a Plan,
    kind: Kind,
    among: &[Kind],
    weights: &Weights,
) -> Result<Scored<'a>> {
    let size = among.iter().fold(Size::default(), |sum, k| sum.plus(view.size(*k)));
    let own = view.size(kind);
    let average =
        |total: f64| if own.listings > 0.0 { (total / own.listings).max(1.0) } else { 1.0 };
    let (words_average, characters_average) = (average(own.words), average(own.characters));

    let mut sought = Vec::with_capacity(plan.wanted.len());
    for sight in [Sight::Words, Sight::Characters] {
        let wanted: Vec<(usize, &Wanted)> =
            plan.wanted.iter().enumerate().filter(|(_, w)| w.sight == sight).collect();
        let terms: Vec<&str> = wanted.iter().map(|(_, w)| w.term.as_str()).collect();
        let mut frequencies = vec![0.0; terms.len()];
        for k in among {
            let text = at.fields.text(*k);
            let field = match sight {
                Sight::Words => text.words,
                Sight::Characters => text.characters,
            };
            let more = view.document_frequencies(field, &terms)?;
            frequencies.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
        for ((number, wanted), frequency) in wanted.into_iter().zip(frequencies) {
            let listings = size.listings.max(SMALL_MARKET);
            let idf = (1.0 + (listings - frequency + 0.5) / (frequency + 0.5)).ln();
            sought.push(Sought { number, wanted, worth: wanted.weight * idf.powf(weights.rarity) });
        }
        keep_strongest(&mut sought, sight, weights.most_terms);
    }
    let worth: f64 = sought.iter().map(|s| s.worth).sum();
    let mut scored = Scored {
        plan,
        analyzer: at.analyzer,
        points: vec![0.0; view.documents()],
        covered: vec![0.0; view.documents()],
        flats: Vec::new(),
        gains: Vec::new(),
        runs: Vec::new(),
    };
    if worth <= 0.0 {
        return Ok(scored);
    }
    let (k1, b) = (weights.k1, weights.b);
    let fields = at.fields.text(kind);
    for (reader, segment) in view.readers() {
        let mut runs = Vec::new();
        // the engine's own cache of these stands behind a lock
        let mut opened: Vec<(Field, Arc<InvertedIndexReader>)> = Vec::new();
        let alive = |doc: u32| reader.alive_bitset().is_none_or(|bits| bits.is_alive(doc));
        let mut each = |scored: &mut Scored,
                        s: &Sought,
                        part: PartKind,
                        field: Field,
                        share: f64|
         -> Result<()> {
            if share <= 0.0 {
                return Ok(());
            }
            let inverted = match opened.iter().find(|(f, _)| *f == field) {
                Some((_, inverted)) => inverted.clone(),
                None => {
                    let inverted = reader.inverted_index(field)?;
                    opened.push((field, inverted.clone()));
                    inverted
                }
            };
            let term = Term::from_field_text(field, &s.wanted.term);
            let Some(mut postings) = inverted.read_postings(&term, IndexRecordOption::WithFreqs)?
            else {
                return Ok(());
            };
            let from = scored.flats.len();
            let worth = 100.0 * s.worth * share / worth;
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if alive(doc)
                    && let Some(row) = segment.rows.get(index(doc))
                {
                    let gain = match part {
                        PartKind::Words | PartKind::Characters => {
                            let (length, average) = if part == PartKind::Words {
                                (row.words, words_average)
                            } else {
                                (row.characters, characters_average)
                            };
                            let tf = f64::from(postings.term_freq());
                            let norm = k1 * (1.0 - b + b * f64::from(length) / average);
                            worth * tf * (k1 + 1.0) / (tf + norm)
                        }
                        _ => worth,
                    };
                    let covers = matches!(part, PartKind::Words | PartKind::Characters);
                    scored.gain(
                        segment.base + index(doc),
                        gain,
                        if covers { worth / 100.0 } else { 0.0 },
                    );
                }
                doc = postings.advance();
            }
            runs.push(Gains { part, term: s.number, from, to: scored.flats.len() });
            Ok(())
        };
        for s in &sought {
            let (body, title, keywords) = match s.wanted.sight {
                Sight::Words => (fields.words, fields.title_words, fields.keyword_words),
                Sight::Characters => {
                    (fields.characters, fields.title_characters, fields.keyword_characters)
                }
            };
            let part = match s.wanted.sight {
                Sight::Words => PartKind::Words,
                Sight::Characters => PartKind::Characters,
            };
            each(&mut scored, s, part, body, 1.0)?;
            each(&mut scored, s, PartKind::Title, title, weights.title)?;
            each(&mut scored, s, PartKind::Keywords, keywords, weights.keywords)?;
        }
        for (number, phrase) in plan.phrases.iter().enumerate() {
            let share: f64 = sought
                .iter()
                .filter(|s| s.wanted.sight == Sight::Characters)
                .filter(|s| phrase.terms.iter().any(|(_, t)| *t == s.wanted.term))
                .map(|s| s.worth)
                .sum();
            let worth = 100.0 * share / worth;
            let from = scored.flats.len();
            phrase_gains(&mut scored, reader, segment, fields.characters, phrase, worth, weights)?;
            runs.push(Gains { part: PartKind::Phrase, term: number, from, to: scored.flats.len() });
        }
        scored.runs.push(runs);
    }
    Ok(scored)
}

/// Long requests are cut to their strongest terms: the rest costs time and changes no order.
fn keep_strongest(sought: &mut Vec<Sought>, sight: Sight, most: usize) {
    let mut worths: Vec<f64> =
        sought.iter().filter(|s| s.wanted.sight == sight).map(|s| s.worth).collect();
    if worths.len() <= most {
        return;
    }
    worths.sort_by(|a, b| b.total_cmp(a));
    let Some(least) = worths.get(most).copied() else { return };
    sought.retain(|s| s.wanted.sight != sight || s.worth > least);
}

impl Scored<'_> {
    fn gain(&mut self, flat: usize, gain: f64, covers: f64) {
        if let Some(points) = self.points.get_mut(flat) {
            *points += gain;
        }
        if let Some(covered) = self.covered.get_mut(flat) {
            *covered += covers;
        }
        self.flats.push(flat);
        self.gains.push(gain);
    }

    /// The parts the wording earned, with the terms they came from.
    fn parts(&self, segment: usize, flat: usize, row: &Row) -> Vec<Part> {
        let mut parts = Vec::new();
        let Some(runs) = self.runs.get(segment) else { return parts };
        let mut found: Vec<(PartKind, usize, f64)> = Vec::with_capacity(runs.len());
        for run in runs {
            let flats = self.flats.get(run.from..run.to).unwrap_or_default();
            if let Ok(i) = flats.binary_search(&flat)
                && let Some(gain) = self.gains.get(run.from + i)
            {
                found.push((run.part, run.term, *gain));
            }
        }
        for kind in TEXT_PARTS {
            let of_kind = || found.iter().filter(|(part, ..)| *part == kind);
            let contribution: f64 = of_kind().map(|(_, _, gain)| gain).sum();
            if contribution == 0.0 {
                continue;
            }
            let terms = if kind == PartKind::Phrase {
                let text = |n: usize| self.plan.phrases.get(n).map(|p| p.text.clone());
                of_kind().filter_map(|(_, n, gain)| Some((text(*n)?, *gain))).collect()
            } else {
                let wanted = |n: usize| self.plan.wanted.get(n);
                let hits: Vec<(&Wanted, f64)> =
                    of_kind().filter_map(|(_, n, gain)| Some((wanted(*n)?, *gain))).collect();
                self.shown(hits)
            };
            let evidence = strongest(terms)
                .map(|term| Evidence { field: place(kind, &term, row), term, span: None })
                .collect();
            parts.push(Part { part: kind, contribution, evidence });
        }
        parts
    }

    /// What to show of the terms found: words before pairs, the subject before generic words, and
    /// something in any case.
    fn shown(&self, hits: Vec<(&Wanted, f64)>) -> Vec<(String, f64)> {
        let said = |keep: fn(&Wanted) -> bool| -> Vec<(&Wanted, f64)> {
            hits.iter().filter(|(wanted, _)| keep(wanted)).copied().collect()
        };
        for hits in [
            said(|w| w.sight == Sight::Words && w.subject && w.term.chars().count() > 1),
            said(|w| w.sight == Sight::Characters && w.subject),
        ] {
            let terms: Vec<(String, f64)> = joined(hits)
                .into_iter()
                .filter_map(|(term, gain)| Some((self.trim(term)?, gain)))
                .collect();
            if !terms.is_empty() {
                return terms;
            }
        }
        joined(hits)
    }

    /// Without the little words at its ends (络的 of 网络的); none when nothing is left to show.
    fn trim(&self, term: String) -> Option<String> {
        let little = |c: char| self.analyzer.is_stop(c.encode_utf8(&mut [0; 4]));
        let short = term.trim_matches(little);
        let pair = short.chars().all(is_han) && short.chars().count() < 2;
        (!pair).then(|| short.to_owned())
    }
}

/// The [`MAX_EVIDENCE`] strongest terms, each once.
fn strongest(terms: Vec<(String, f64)>) -> impl Iterator<Item = String> {
    let mut once: BTreeMap<String, f64> = BTreeMap::new();
    for (term, gain) in terms {
        *once.entry(term).or_default() += gain;
    }
    let mut terms: Vec<(String, f64)> = once.into_iter().collect();
    terms.sort_by(|a, b| b.1.total_cmp(&a.1)); // stable: ties stay by term
    terms.into_iter().take(MAX_EVIDENCE).map(|(term, _)| term)
}

fn place(kind: PartKind, term: &str, row: &Row) -> Place {
    match kind {
        PartKind::Title => Place::Title,
        PartKind::Keywords => Place::Keywords,
        _ if row.folded_title.contains(term) => Place::Title,
        _ if row.folded_keywords.contains(term) => Place::Keywords,
        _ => Place::Text,
    }
}

/// Words as they are; pairs that follow each other in the request as the run they make.
fn joined(mut hits: Vec<(&Wanted, f64)>) -> Vec<(String, f64)> {
    hits.sort_by_key(|(wanted, _)| (wanted.sight == Sight::Characters, wanted.position));
    let mut terms: Vec<(String, f64)> = Vec::new();
    let mut next = None;
    for (wanted, gain) in hits {
        let pair = wanted.sight == Sight::Characters && wanted.term.chars().all(is_han);
        match terms.last_mut() {
            Some((run, sum)) if pair && next == Some(wanted.position) => {
                run.extend(wanted.term.chars().last());
                *sum += gain;
            }
            _ => terms.push((wanted.term.clone(), gain)),
        }
        next = pair.then(|| wanted.position + 1);
    }
    terms
}

fn phrase_gains(
    scored: &mut Scored,
    reader: &tantivy::SegmentReader,
    segment: &Segment,
    field: Field,
    phrase: &Phrase,
    worth: f64,
    weights: &Weights,
) -> Result<()> {
    if worth <= 0.0 || weights.phrase_text <= 0.0 {
        return Ok(());
    }
    for (doc, count) in occurrences(reader, field, phrase)? {
        let Some(row) = segment.rows.get(index(doc)) else { continue };
        let often = real(count);
        let mut share = weights.phrase_text * often / (often + 1.0);
        if row.folded_title.contains(&phrase.text) {
            share += weights.phrase_title;
        }
        if row.folded_keywords.split(SEPARATOR).any(|k| k == phrase.text) {
            share += weights.phrase_whole_keyword;
        } else if row.folded_keywords.contains(&phrase.text) {
            share += weights.phrase_keyword;
        }
        scored.gain(segment.base + index(doc), worth * share, 0.0);
    }
    Ok(())
}

/// Documents that have the phrase as it was written, by rising number, and how often.
fn occurrences(
    reader: &tantivy::SegmentReader,
    field: Field,
    phrase: &Phrase,
) -> Result<Vec<(u32, usize)>> {
    let inverted = reader.inverted_index(field)?;
    let mut lists = Vec::new();
    for (offset, term) in &phrase.terms {
        let term = Term::from_field_text(field, term);
        let with = IndexRecordOption::WithFreqsAndPositions;
        let Some(postings) = inverted.read_postings(&term, with)? else { return Ok(Vec::new()) };
        lists.push((*offset, postings));
    }
    lists.sort_by_key(|(_, postings)| postings.doc_freq());
    let mut found: Vec<(u32, Vec<u32>)> = Vec::new();
    let mut lists = lists.into_iter();
    let Some((offset, mut rarest)) = lists.next() else { return Ok(Vec::new()) };
    let mut doc = rarest.doc();
    let mut positions = Vec::new();
    while doc != TERMINATED {
        if reader.alive_bitset().is_none_or(|bits| bits.is_alive(doc)) {
            rarest.positions(&mut positions);
            found.push((doc, positions.iter().filter_map(|p| p.checked_sub(offset)).collect()));
        }
        doc = rarest.advance();
    }
    for (offset, mut postings) in lists {
        found.retain_mut(|(doc, starts)| {
            if postings.doc() < *doc {
                postings.seek(*doc);
            }
            if postings.doc() != *doc {
                return false;
            }
            postings.positions(&mut positions);
            starts.retain(|start| positions.binary_search(&(start + offset)).is_ok());
            !starts.is_empty()
        });
    }
    Ok(found.into_iter().map(|(doc, starts)| (doc, starts.len())).collect())
}

/// What the values of both sides are worth, and what is known not to fit.
fn values(request: &MatchRequest, row: &Row, weights: &Weights) -> (Vec<Part>, Vec<Misfit>) {
    let (mut parts, mut misfits) = (Vec::new(), Vec::new());
    let mut part = |part, contribution, term: &str| {
        let evidence = vec![Evidence { term: term.to_owned(), field: Place::Value, span: None }];
        parts.push(Part { part, contribution, evidence });
    };
    if let (Some(here), Some(there)) = (request.field.as_deref(), row.field.as_deref()) {
        if here == there {
            part(PartKind::Field, weights.field, there);
        } else {
            misfits.push(Misfit::OtherField { here: here.to_owned(), there: there.to_owned() });
        }
    }
    if let (Some(here), Some(there)) = (request.region.as_deref(), row.region.as_deref()) {
        let level = |code: &str, to: usize| region_prefix(code).get(..to).map(str::to_owned);
        if let Some(city) = level(here, 4).filter(|city| level(there, 4).as_ref() == Some(city)) {
            part(PartKind::Region, weights.city, &city);
        } else if let Some(province) =
            level(here, 2).filter(|province| level(there, 2).as_ref() == Some(province))
        {
            part(PartKind::Region, weights.province, &province);
        } else {
            misfits.push(Misfit::OtherRegion { here: here.to_owned(), there: there.to_owned() });
        }
    }
    if let (Some(here), Some(there)) = (request.industry.as_deref(), row.industry.as_deref())
        && here == there
    {
        part(PartKind::Industry, weights.industry, there);
    }
    let (offer_trl, needed_trl, price, budget) = match request.want {
        Kind::Achievement => (row.trl, request.trl, row.amount_fen, request.amount_fen),
        Kind::Demand => (request.trl, row.trl, request.amount_fen, row.amount_fen),
    };
    if let (Some(has), Some(needs)) = (offer_trl, needed_trl) {
        if has >= needs {
            part(PartKind::Stage, weights.mature, &format!("trl {has}"));
        } else {
            let cost = (f64::from(needs - has) * weights.early).min(weights.early_most);
            part(PartKind::Stage, -cost, &format!("trl {has} < {needs}"));
            misfits.push(Misfit::TooEarly { has, needs });
        }
    }
    if let (Some(price_fen), Some(budget_fen)) = (price, budget)
        && price_fen >= 0
        && budget_fen > 0
    {
        if price_fen <= budget_fen {
            part(PartKind::Amount, weights.affordable, &format!("{price_fen} <= {budget_fen}"));
        } else {
            // half the most at a price of 1.5 budgets, all of it from 2 on
            let over = price_fen.saturating_sub(budget_fen).saturating_mul(100) / budget_fen;
            let over =
                u32::try_from(over.min(100)).map_or(1.0, |percent| f64::from(percent) / 100.0);
            let cost = weights.expensive_most * over.max(0.1);
            part(PartKind::Amount, -cost, &format!("{price_fen} > {budget_fen}"));
            misfits.push(Misfit::AboveBudget { price_fen, budget_fen });
        }
    }
    (parts, misfits)
}

impl Index {
    /// The best partners for a listing or a text, best first, each with the account of its score.
    /// Ties are ordered by id. Safe to call from many threads.
    pub fn matches(&self, request: &MatchRequest) -> Result<Vec<Match>> {
        self.matches_ranked(request, ranking())
    }

    /// The same for many requests, on `threads` threads (at least one); answers in the order of the
    /// requests.
    pub fn match_many(&self, requests: &[MatchRequest], threads: usize) -> Result<Vec<Vec<Match>>> {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let next = AtomicUsize::new(0);
        let work = || -> Result<Vec<(usize, Vec<Match>)>> {
            let mut done = Vec::new();
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(i) else { return Ok(done) };
                done.push((i, self.matches(request)?));
            }
        };
        let mut answers: Vec<Vec<Match>> = Vec::new();
        answers.resize_with(requests.len(), Vec::new);
        let shares: Vec<_> = std::thread::scope(|scope| {
            let helpers: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(work)).collect();
            let mut shares = vec![work()];
            shares.extend(helpers.into_iter().map(|h| match h.join() {
                Ok(share) => share,
                Err(panic) => std::panic::resume_unwind(panic),
            }));
            shares
        });
        for share in shares {
            for (i, matches) in share? {
                if let Some(answer) = answers.get_mut(i) {
                    *answer = matches;
                }
            }
        }
        Ok(answers)
    }

    pub(crate) fn matches_ranked(
        &self,
        request: &MatchRequest,
        ranking: &Ranking,
    ) -> Result<Vec<Match>> {
        let view = self.view();
        let weights = ranking.weights(request.path());
        let plan = Plan::of_request(&self.analyzer, request, weights);
        let suitability = ranking.suitability(request.path(), plan.wanted.len());
        let scored = score(self, &view, &plan, request.want, &[request.want], weights)?;

        let mut best: Vec<(f64, usize, &Row)> = Vec::new();
        for (flat, row) in view.rows() {
            let Some(points) = scored.points.get(flat).copied().filter(|p| *p > 0.0) else {
                continue;
            };
            let suitable = points >= suitability.floor();
            let excluded = request.exclude_owner.as_deref().is_some_and(|o| *row.owner == *o)
                || request.exclude_id.as_deref().is_some_and(|id| *row.id == *id);
            if row.kind != request.want
                || excluded
                || !(suitable || request.include_unsuitable)
                || !row.passes(&request.filters)
            {
                continue;
            }
            let (parts, _) = values(request, row, weights);
            let total = points + parts.iter().map(|p| p.contribution).sum::<f64>();
            best.push((total, flat, row));
        }
        let order = |a: &(f64, usize, &Row), b: &(f64, usize, &Row)| {
            b.0.total_cmp(&a.0).then_with(|| a.2.id.cmp(&b.2.id))
        };
        let limit = request.limit.clamp(1, MAX_LIMIT);
        if best.len() > limit {
            best.select_nth_unstable_by(limit - 1, order);
            best.truncate(limit);
        }
        best.sort_by(order);
        let mut matches: Vec<Match> = best
            .into_iter()
            .map(|(_, flat, row)| {
                let segment = view.segments.partition_point(|s| s.base <= flat).saturating_sub(1);
                let mut parts = scored.parts(segment, flat, row);
                let (more, misfits) = values(request, row, weights);
                parts.extend(more);
                parts.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
                let explanation = Explanation { parts, misfits };
                let points = scored.points.get(flat).copied().unwrap_or_default();
                Match {
                    kind: row.kind,
                    id: row.id.to_string(),
                    title: row.title.to_string(),
                    owner: row.owner.to_string(),
                    score: explanation.total(),
                    suitable: points >= suitability.floor(),
                    probability: suitability.probability(points),
                    grade: suitability.grade(points),
                    explanation,
                }
            })
            .collect();
        matches.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        Ok(matches)
    }
}
