//! How a listing earns its points.
//!
//! The text of a request becomes terms in two views, jieba words and character pairs. Each term has
//! a weight: how often the request says it (saturating), more in title and keywords, less where it
//! is generic or stands in a sentence about the firm. A listing earns, per term,
//! `weight · idf · tf(k1+1)/(tf + k1(1 − b + b·length/average))`: BM25. The sum over both views is
//! divided by what a listing of average length with every term once would earn and multiplied by
//! 100: those are the **points**. On top come small bounded parts: terms in the title and among the
//! keywords, a short request found as it was written, and values that agree. Readiness, price and age can
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
    explanation::{DAYS_OLD, Evidence, Explanation, MAX_EVIDENCE, Misfit, Part, PartKind, Place},
    index::{Index, SEPARATOR, TextFields, head},
    listing::{Kind, region_prefix},
    number::{index, real},
    parallel,
    request::{MAX_LIMIT, MAX_TEXT, Match, MatchRequest},
    retrieval::{self, Account, Effort, Gain, Judge, Quest},
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

/// Points of every listing of one kind for the wording of a request.
pub(crate) struct Scored {
    /// By flat number; 0 where nothing matched.
    pub points: Vec<f64>,
    /// Of the request's idf weight, the share found; 0..1.
    pub covered: Vec<f64>,
}

/// A term with what it is worth in a market.
pub(crate) struct Sought<'a> {
    /// Of `Plan::wanted`.
    pub number: usize,
    pub wanted: &'a Wanted,
    /// weight · idf
    pub worth: f64,
}

/// What the terms of a plan are worth, given in how many of the `listings` each of them stands.
pub(crate) fn sought<'a>(
    plan: &'a Plan,
    frequencies: &[f64],
    listings: f64,
    weights: &Weights,
) -> Vec<Sought<'a>> {
    let listings = listings.max(SMALL_MARKET);
    let terms = plan.wanted.iter().zip(frequencies).enumerate();
    let mut sought: Vec<Sought> = terms
        .map(|(number, (wanted, frequency))| {
            let idf = (1.0 + (listings - frequency + 0.5) / (frequency + 0.5)).ln();
            Sought { number, wanted, worth: wanted.weight * idf.powf(weights.rarity) }
        })
        .collect();
    for sight in [Sight::Words, Sight::Characters] {
        keep_strongest(&mut sought, sight, weights.most_terms);
    }
    sought
}

/// How a count in a text of a length becomes a gain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bm25 {
    pub k1: f64,
    pub b: f64,
    pub average: f64,
}

impl Bm25 {
    pub fn gain(&self, worth: f64, count: u32, length: u32) -> f64 {
        let (k1, b) = (self.k1, self.b);
        let tf = f64::from(count);
        let norm = k1 * (1.0 - b + b * f64::from(length) / self.average);
        worth * tf * (k1 + 1.0) / (tf + norm)
    }
}

/// Average lengths of one kind's listings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Averages {
    words: f64,
    characters: f64,
}

impl Averages {
    pub fn of(size: Size) -> Self {
        let average = |total: f64| {
            if size.listings > 0.0 { (total / size.listings).max(1.0) } else { 1.0 }
        };
        Self { words: average(size.words), characters: average(size.characters) }
    }

    pub fn bm25(&self, sight: Sight, weights: &Weights) -> Bm25 {
        let average = match sight {
            Sight::Words => self.words,
            Sight::Characters => self.characters,
        };
        Bm25 { k1: weights.k1, b: weights.b, average }
    }
}

/// The fields that hold a view of the whole text, of the title and of the keywords.
pub(crate) fn fields_of(fields: &TextFields, sight: Sight) -> [Field; 3] {
    match sight {
        Sight::Words => [fields.words, fields.title_words, fields.keyword_words],
        Sight::Characters => {
            [fields.characters, fields.title_characters, fields.keyword_characters]
        }
    }
}

/// Scores every listing of `kind`, with the sizes and frequencies of all of `among`.
pub(crate) fn score(
    at: &Index,
    view: &View,
    plan: &Plan,
    kind: Kind,
    among: &[Kind],
    weights: &Weights,
) -> Result<Scored> {
    let size = among.iter().fold(Size::default(), |sum, k| sum.plus(view.size(*k)));
    let averages = Averages::of(view.size(kind));
    let mut frequencies = vec![0.0; plan.wanted.len()];
    for sight in [Sight::Words, Sight::Characters] {
        let of_sight = || plan.wanted.iter().filter(|w| w.sight == sight);
        let terms: Vec<&str> = of_sight().map(|w| w.term.as_str()).collect();
        for k in among {
            let [body, ..] = fields_of(at.fields.text(*k), sight);
            let sums = plan.wanted.iter().zip(&mut frequencies);
            let sums = sums.filter(|(w, _)| w.sight == sight).map(|(_, sum)| sum);
            sums.zip(view.document_frequencies(body, &terms)?).for_each(|(sum, more)| *sum += more);
        }
    }
    let sought = sought(plan, &frequencies, size.listings, weights);
    let worth: f64 = sought.iter().map(|s| s.worth).sum();
    let mut scored =
        Scored { points: vec![0.0; view.documents()], covered: vec![0.0; view.documents()] };
    if worth <= 0.0 {
        return Ok(scored);
    }
    let fields = at.fields.text(kind);
    for (reader, segment) in view.readers() {
        // the engine's own cache of these stands behind a lock
        let mut opened: Vec<(Field, Arc<InvertedIndexReader>)> = Vec::new();
        for s in &sought {
            let [body, title, keywords] = fields_of(fields, s.wanted.sight);
            let bm25 = averages.bm25(s.wanted.sight, weights);
            let lengths = segment.rows.lengths(s.wanted.sight);
            for (field, share) in
                [(body, 1.0), (title, weights.title), (keywords, weights.keywords)]
            {
                if share <= 0.0 {
                    continue;
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
                let with = IndexRecordOption::WithFreqs;
                let Some(mut postings) = inverted.read_postings(&term, with)? else { continue };
                let worth = 100.0 * s.worth * share / worth;
                let mut doc = postings.doc();
                while doc != TERMINATED {
                    if field == body {
                        let length = lengths.get(index(doc)).copied().unwrap_or_default();
                        let gain = bm25.gain(worth, postings.term_freq(), length);
                        scored.gain(segment.base + index(doc), gain, worth / 100.0);
                    } else {
                        scored.gain(segment.base + index(doc), worth, 0.0);
                    }
                    doc = postings.advance();
                }
            }
        }
        for phrase in &plan.phrases {
            let worth = phrase.worth(&sought, worth);
            for (doc, gain) in
                phrase_gains(reader, segment, fields.characters, phrase, worth, weights)?
            {
                scored.gain(segment.base + index(doc), gain, 0.0);
            }
        }
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

impl Scored {
    fn gain(&mut self, flat: usize, gain: f64, covers: f64) {
        if let Some(points) = self.points.get_mut(flat) {
            *points += gain;
        }
        if let Some(covered) = self.covered.get_mut(flat) {
            *covered += covers;
        }
    }
}

impl Phrase {
    /// Points for standing somewhere as written, where all terms together are worth `all`.
    pub fn worth(&self, sought: &[Sought], all: f64) -> f64 {
        let of_run = |s: &&Sought| {
            s.wanted.sight == Sight::Characters
                && self.terms.iter().any(|(_, t)| *t == s.wanted.term)
        };
        100.0 * sought.iter().filter(of_run).map(|s| s.worth).sum::<f64>() / all
    }
}

/// Turns gains into parts with the terms they came from.
struct Telling<'a> {
    plan: &'a Plan,
    analyzer: Analyzer,
}

impl Telling<'_> {
    /// The parts the wording earned.
    fn parts(&self, gains: &[Gain], row: Row) -> Vec<Part> {
        let mut parts = Vec::new();
        for kind in TEXT_PARTS {
            let of_kind = || gains.iter().filter(|gain| gain.part == kind);
            let contribution: f64 = of_kind().map(|gain| gain.points).sum();
            if contribution == 0.0 {
                continue;
            }
            let terms = if kind == PartKind::Phrase {
                let text = |n: usize| self.plan.phrases.get(n).map(|p| p.text.clone());
                of_kind().filter_map(|gain| Some((text(gain.term)?, gain.points))).collect()
            } else {
                let wanted = |n: usize| self.plan.wanted.get(n);
                let hits: Vec<(&Wanted, f64)> =
                    of_kind().filter_map(|gain| Some((wanted(gain.term)?, gain.points))).collect();
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

fn place(kind: PartKind, term: &str, row: Row) -> Place {
    match kind {
        PartKind::Title => Place::Title,
        PartKind::Keywords => Place::Keywords,
        _ if row.folded_title().contains(term) => Place::Title,
        _ if row.folded_keywords().contains(term) => Place::Keywords,
        _ => Place::Text,
    }
}

/// Words as they are; pairs that follow each other in the request as the run they make.
fn joined(mut hits: Vec<(&Wanted, f64)>) -> Vec<(String, f64)> {
    hits.sort_by_key(|(wanted, _)| (wanted.sight == Sight::Characters, wanted.position));
    let mut terms: Vec<(String, f64)> = Vec::new();
    let mut next = None;
    for (wanted, gain) in hits {
        // a character that stands alone is no part of a run, though the next pair follows it
        let pair = wanted.sight == Sight::Characters
            && wanted.term.chars().all(is_han)
            && wanted.term.chars().count() == 2;
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

/// How a listing has a run of the request as it was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub often: usize,
    pub title: bool,
    /// Within a keyword, and as a whole one.
    pub part: bool,
    pub whole: bool,
}

impl Standing {
    pub fn of(run: &str, often: usize, row: Row) -> Self {
        Self {
            often,
            title: row.folded_title().contains(run),
            part: row.folded_keywords().contains(run),
            whole: row.folded_keywords().split(SEPARATOR).any(|keyword| keyword == run),
        }
    }

    /// Of the run's worth, what the listing earns.
    pub fn share(self, weights: &Weights) -> f64 {
        let often = real(self.often);
        let mut share = weights.phrase_text * often / (often + 1.0);
        if self.title {
            share += weights.phrase_title;
        }
        if self.whole {
            share += weights.phrase_whole_keyword;
        } else if self.part {
            share += weights.phrase_keyword;
        }
        share
    }
}

/// What a phrase gives the documents that have it as it was written, by rising number.
pub(crate) fn phrase_gains(
    reader: &tantivy::SegmentReader,
    segment: &Segment,
    field: Field,
    phrase: &Phrase,
    worth: f64,
    weights: &Weights,
) -> Result<Vec<(u32, f64)>> {
    let mut gains = Vec::new();
    if worth <= 0.0 || weights.phrase_text <= 0.0 {
        return Ok(gains);
    }
    for (doc, count) in occurrences(reader, field, phrase)? {
        let Some(row) = segment.rows.get(index(doc)) else { continue };
        gains.push((doc, worth * Standing::of(&phrase.text, count, row).share(weights)));
    }
    Ok(gains)
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
fn values(request: &MatchRequest, row: Row, weights: &Weights) -> (Vec<Part>, Vec<Misfit>) {
    let (mut parts, mut misfits) = (Vec::new(), Vec::new());
    weigh_values(
        request,
        row,
        weights,
        |part, contribution, term| {
            let evidence = vec![Evidence { term: term(), field: Place::Value, span: None }];
            parts.push(Part { part, contribution, evidence });
        },
        |misfit| misfits.push(misfit()),
    );
    (parts, misfits)
}

/// Goes through the values both sides have given. What is to be shown is made only where it is asked for:
/// most candidates are only weighed.
fn weigh_values(
    request: &MatchRequest,
    row: Row,
    weights: &Weights,
    mut part: impl FnMut(PartKind, f64, &dyn Fn() -> String),
    mut misfit: impl FnMut(&dyn Fn() -> Misfit),
) {
    if let (Some(here), Some(there)) = (request.field.as_deref(), row.field()) {
        if here == there {
            part(PartKind::Field, weights.field, &|| there.to_owned());
        } else {
            misfit(&|| Misfit::OtherField { here: here.to_owned(), there: there.to_owned() });
        }
    }
    if let (Some(here), Some(there)) = (request.region.as_deref(), row.region()) {
        let here_in = |to: usize| region_prefix(here).get(..to);
        let there_in = |to: usize| region_prefix(there).get(..to);
        if let Some(city) = here_in(4).filter(|city| there_in(4) == Some(city)) {
            part(PartKind::Region, weights.city, &|| city.to_owned());
        } else if let Some(province) = here_in(2).filter(|province| there_in(2) == Some(province)) {
            part(PartKind::Region, weights.province, &|| province.to_owned());
        } else {
            misfit(&|| Misfit::OtherRegion { here: here.to_owned(), there: there.to_owned() });
        }
    }
    if let (Some(here), Some(there)) = (request.industry.as_deref(), row.industry())
        && here == there
    {
        part(PartKind::Industry, weights.industry, &|| there.to_owned());
    }
    let (offer_trl, needed_trl, price, budget) = match request.want {
        Kind::Achievement => (row.trl(), request.trl, row.amount_fen(), request.amount_fen),
        Kind::Demand => (request.trl, row.trl(), request.amount_fen, row.amount_fen()),
    };
    if let (Some(has), Some(needs)) = (offer_trl, needed_trl) {
        if has >= needs {
            part(PartKind::Stage, weights.mature, &|| format!("trl {has}"));
        } else {
            let cost = (f64::from(needs - has) * weights.early).min(weights.early_most);
            part(PartKind::Stage, -cost, &|| format!("trl {has} < {needs}"));
            misfit(&|| Misfit::TooEarly { has, needs });
        }
    }
    if let (Some(price_fen), Some(budget_fen)) = (price, budget)
        && price_fen >= 0
        && budget_fen > 0
    {
        if price_fen <= budget_fen {
            let term = || format!("{price_fen} <= {budget_fen}");
            part(PartKind::Amount, weights.affordable, &term);
        } else {
            // half the most at a price of 1.5 budgets, all of it from 2 on
            let over = price_fen.saturating_sub(budget_fen).saturating_mul(100) / budget_fen;
            let over =
                u32::try_from(over.min(100)).map_or(1.0, |percent| f64::from(percent) / 100.0);
            let cost = weights.expensive_most * over.max(0.1);
            part(PartKind::Amount, -cost, &|| format!("{price_fen} > {budget_fen}"));
            misfit(&|| Misfit::AboveBudget { price_fen, budget_fen });
        }
    }
    if let Some(days) = days_old(request, row) {
        let cost = weights.stale_most * (1.0 - 0.5_f64.powf(f64::from(days) / weights.half_life));
        if cost > 0.0 {
            part(PartKind::Freshness, -cost, &|| format!("{days}{DAYS_OLD}"));
        }
    }
}

/// Whole days since a listing was published: none in the first one, and none where nobody knows.
fn days_old(request: &MatchRequest, row: Row) -> Option<u32> {
    const DAY: i64 = 86_400_000_000;
    let published = Some(row.published_at()).filter(|at| *at > 0)?;
    let days = request.now?.checked_sub(published)? / DAY;
    u32::try_from(days).ok().filter(|days| *days > 0)
}

/// Whom a request may be shown, and what their values add.
pub(crate) struct Fitting<'a> {
    pub request: &'a MatchRequest,
    pub weights: &'a Weights,
}

impl Fitting<'_> {
    /// The most that values can add to this request. What can only cost (age) is not in it.
    fn most(&self) -> f64 {
        let (request, weights) = (self.request, self.weights);
        [
            (request.field.is_some(), weights.field),
            (request.region.is_some(), weights.city.max(weights.province)),
            (request.industry.is_some(), weights.industry),
            (request.trl.is_some(), weights.mature),
            (request.amount_fen.is_some(), weights.affordable),
        ]
        .into_iter()
        .filter(|(given, _)| *given)
        .map(|(_, points)| points.max(0.0))
        .sum()
    }
}

impl Judge for Fitting<'_> {
    fn values(&self, row: Row) -> Option<f64> {
        let request = self.request;
        let excluded = request.exclude_owner.as_deref().is_some_and(|o| row.owner() == o)
            || request.exclude_id.as_deref().is_some_and(|id| row.id() == id);
        if row.kind() != request.want || excluded || !row.passes(&request.filters) {
            return None;
        }
        let mut total = 0.0;
        weigh_values(request, row, self.weights, |_, points, _| total += points, |_| ());
        Some(total)
    }
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
        parallel::each(requests.len(), threads, |number| {
            requests.get(number).map_or_else(|| Ok(Vec::new()), |request| self.matches(request))
        })
    }

    pub(crate) fn matches_ranked(
        &self,
        request: &MatchRequest,
        ranking: &Ranking,
    ) -> Result<Vec<Match>> {
        Ok(self.matches_told(request, ranking)?.0)
    }

    /// The same as [`matches`](Self::matches), and what was looked at for it.
    pub fn matches_with_effort(&self, request: &MatchRequest) -> Result<(Vec<Match>, Effort)> {
        self.matches_told(request, ranking())
    }

    /// The terms that a request is weighed by: words, then pairs of characters.
    pub(crate) fn terms_of(&self, request: &MatchRequest) -> Result<(Vec<String>, Vec<String>)> {
        let weights = ranking().weights(request.path());
        let plan = Plan::of_request(&self.analyzer, request, weights);
        let (kind, limit) = (request.want, request.limit);
        let quest = Quest { plan: &plan, kind, weights, limit, floor: 0.0, most_values: 0.0 };
        let found = retrieval::terms(self, &self.view(), &quest)?;
        let of = |sight| {
            let of_sight = found.iter().filter(|wanted| wanted.sight == sight);
            of_sight.map(|wanted| wanted.term.clone()).collect()
        };
        Ok((of(Sight::Words), of(Sight::Characters)))
    }

    fn matches_told(
        &self,
        request: &MatchRequest,
        ranking: &Ranking,
    ) -> Result<(Vec<Match>, Effort)> {
        let view = self.view();
        let weights = ranking.weights(request.path());
        let plan = Plan::of_request(&self.analyzer, request, weights);
        let listings = view.size(request.want).listings;
        let suitability = ranking.suitability(request.path(), plan.wanted.len(), listings);
        let limit = request.limit.clamp(1, MAX_LIMIT);
        let floor = if request.include_unsuitable { 0.0 } else { suitability.floor() };
        let judge = Fitting { request, weights };
        let quest = Quest {
            plan: &plan,
            kind: request.want,
            weights,
            limit,
            floor,
            most_values: judge.most(),
        };
        let (accounts, effort) = retrieval::best(self, &view, &quest, &judge)?;
        let mut best: Vec<(f64, Account, Row)> = Vec::with_capacity(accounts.len());
        for account in accounts {
            if account.points > 0.0
                && account.points >= floor
                && let Some(row) = view.row(account.flat)
                && let Some(values) = judge.values(row)
            {
                best.push((account.points + values, account, row));
            }
        }
        best.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.2.id().cmp(b.2.id())));
        best.truncate(limit);
        let telling = Telling { plan: &plan, analyzer: self.analyzer };
        let mut matches: Vec<Match> = best
            .into_iter()
            .map(|(_, account, row)| {
                let mut parts = telling.parts(&account.gains, row);
                let (more, misfits) = values(request, row, weights);
                parts.extend(more);
                parts.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
                let explanation = Explanation { parts, misfits };
                Match {
                    kind: row.kind(),
                    id: row.id().to_owned(),
                    title: row.title().to_owned(),
                    owner: row.owner().to_owned(),
                    score: explanation.total(),
                    suitable: account.points >= suitability.floor(),
                    probability: suitability.probability(account.points),
                    grade: suitability.grade(account.points),
                    explanation,
                }
            })
            .collect();
        matches.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        Ok((matches, effort))
    }
}
