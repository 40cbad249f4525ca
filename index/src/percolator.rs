//! The search turned round: which saved questions would show this listing?
//!
//! A *saved* question is a search or a match that somebody wants to go on asking. The percolator holds
//! them all in memory, under the terms they look for. A listing that has just been committed is cut
//! into its terms, and only questions that share one with it are looked at; each of those is weighed
//! with the same analysis, weights and frequencies that [`Index::search`] and [`Index::matches`] use.
//!
//! **Promise.** [`Percolator::hits`] names a question exactly when asking it now, without a limit,
//! would show the listing.
//!
//! A search leaves out what covers far less of the question than the best listing does. How much that is
//! lies between what a *witness* covers, a listing found earlier with the terms of the question that it
//! has, and the *peak*, the most that was covered when the search was last asked or by any listing since.
//! Only where the two leave it open is the search itself asked again.
mod frequencies;
mod listing;
mod saved;

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use frequencies::{Frequencies, Rarity};
use listing::Subject;
use saved::{Lane, Peak, Slot, Witness};

use crate::{
    Result,
    analysis::Analyzer,
    index::Index,
    listing::Kind,
    ranking::{Plan, SMALL_MARKET, Sight, score},
    request::{MatchRequest, SearchRequest},
    search::{LEAST_COVERED, LEAST_OF_BEST},
    view::View,
};

/// A share that is this much above one would be an error of rounding.
const ROUNDING: f64 = 1e-9;

/// A question that is asked again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    Search(SearchRequest),
    Match(MatchRequest),
}

/// All saved questions, by their terms. One writer at a time; nothing is written to disk.
pub struct Percolator {
    analyzer: Analyzer,
    numbers: HashMap<Box<str>, u32>,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    frequencies: Frequencies,
    /// Of each lane, by the number of the term: who looks for it, and how much.
    postings: [Vec<Vec<(u32, f64)>>; Lane::COUNT],
    /// Questions of one Chinese character, and questions without a word.
    singles: HashMap<Box<str>, Vec<u32>>,
    anything: Vec<u32>,
    earned: Vec<f64>,
    /// Digests of the listings that every peak knows of.
    seen: HashMap<(Kind, Arc<str>), u64>,
    asked: usize,
}

impl Percolator {
    /// Fails only when a lexicon file is wrong.
    pub fn new() -> Result<Self> {
        Ok(Self {
            analyzer: Analyzer::new()?,
            numbers: HashMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            frequencies: Frequencies::default(),
            postings: Default::default(),
            singles: HashMap::new(),
            anything: Vec::new(),
            earned: Vec::new(),
            seen: HashMap::new(),
            asked: 0,
        })
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// How often the index itself had to be asked because no witness could decide.
    pub fn searches(&self) -> usize {
        self.asked
    }

    /// Takes a question in, or replaces the one with the same id.
    pub fn put(&mut self, id: &str, saved: Saved) {
        self.remove(id);
        let number = match self.free.pop() {
            Some(number) => number,
            None => {
                self.slots.push(None);
                self.earned.push(0.0);
                crate::number::small(self.slots.len() - 1)
            }
        };
        let slot = Slot::of(&self.analyzer, id, saved, &mut self.frequencies);
        match (&slot.single, slot.is_open) {
            (_, true) => self.anything.push(number),
            (Some(single), _) => self.singles.entry(single.clone()).or_default().push(number),
            (None, false) => {
                if let Some(lane) = self.postings.get_mut(slot.lane.number()) {
                    for (term, weight) in &slot.terms {
                        let term = crate::number::index(*term);
                        if lane.len() <= term {
                            lane.resize_with(term + 1, Vec::new);
                        }
                        if let Some(list) = lane.get_mut(term) {
                            list.push((number, *weight));
                        }
                    }
                }
            }
        }
        self.numbers.insert(id.into(), number);
        if let Some(place) = self.slots.get_mut(crate::number::index(number)) {
            *place = Some(slot);
        }
    }

    /// Forgets a question; one that is not there is no fault.
    pub fn remove(&mut self, id: &str) {
        let Some(number) = self.numbers.remove(id) else { return };
        let place = self.slots.get_mut(crate::number::index(number));
        let Some(slot) = place.and_then(Option::take) else { return };
        self.anything.retain(|n| *n != number);
        if let Some(list) = slot.single.as_ref().and_then(|s| self.singles.get_mut(s)) {
            list.retain(|n| *n != number);
        }
        if let Some(lane) = self.postings.get_mut(slot.lane.number()) {
            for (term, _) in &slot.terms {
                if let Some(list) = lane.get_mut(crate::number::index(*term)) {
                    list.retain(|(n, _)| *n != number);
                }
            }
        }
        self.free.push(number);
    }

    /// The ids of the questions that the listing answers now, in order. None when the index does not
    /// show the listing at all.
    pub fn hits(&mut self, index: &Index, kind: Kind, id: &str) -> Result<Vec<String>> {
        let view = index.view();
        self.keep_up(index, &view)?;
        let Some(subject) = Subject::read(index, &view, kind, id)? else { return Ok(Vec::new()) };
        let mut hits = Vec::new();
        self.plain_hits(&subject, &mut hits);
        for lane in Lane::of_kind(kind) {
            self.hits_of(index, &view, &subject, lane, &mut hits)?;
        }
        hits.sort_unstable();
        Ok(hits)
    }

    /// Finds witnesses for up to `most` searches that have none, so that the first listings need not
    /// wait for them; answers how many were looked for.
    pub fn warm(&mut self, index: &Index, most: usize) -> Result<usize> {
        let view = index.view();
        self.keep_up(index, &view)?;
        let waiting: Vec<u32> = (0..)
            .zip(&self.slots)
            .filter(|(_, slot)| slot.as_ref().is_some_and(|s| s.needs_witness()))
            .map(|(number, _)| number)
            .take(most)
            .collect();
        for number in &waiting {
            self.best(index, &view, *number)?;
        }
        Ok(waiting.len())
    }

    /// Brings the frequencies to what the view shows, and lets every peak know of the listings that are
    /// new in it. A merged segment brings nothing new, so listings are told apart by what they say.
    fn keep_up(&mut self, index: &Index, view: &View) -> Result<()> {
        let mut new = Vec::new();
        for (reader, segment) in
            view.readers().filter(|(r, _)| !self.frequencies.knows(r.segment_id()))
        {
            for (doc, row) in (0..).zip(segment.rows.iter()) {
                if reader.alive_bitset().is_some_and(|bits| !bits.is_alive(doc)) {
                    continue;
                }
                let flat = segment.base + crate::number::index(doc);
                let Some(listing) = view.listing(&index.fields, flat)? else { continue };
                let mut digest = DefaultHasher::new();
                serde_json::to_string(&listing)?.hash(&mut digest);
                let digest = digest.finish();
                if self.seen.insert((row.kind, row.id.clone()), digest) != Some(digest) {
                    new.push((row.clone(), (reader.segment_id(), doc), listing));
                }
            }
        }
        self.frequencies.refresh(index, view)?;
        let is_known = |slot: &Slot| slot.peak.is_some();
        if !self.slots.iter().flatten().any(is_known) {
            return Ok(());
        }
        for (row, at, listing) in new {
            let subject = Subject::of(index, row, at, &listing);
            for lane in [Lane::SearchAll, Lane::Search(subject.row.kind)] {
                self.raise(view, &subject, lane);
            }
        }
        Ok(())
    }

    /// Lets the peaks of a lane know of a listing, and takes it as a witness where it is a better one.
    fn raise(&mut self, view: &View, subject: &Subject, lane: Lane) {
        let rarity = self.frequencies.rarity(view, lane);
        let (gains, touched) = touch(
            &self.frequencies,
            &self.postings,
            &mut self.earned,
            view,
            subject,
            lane,
            &rarity,
        );
        for number in touched {
            let at = crate::number::index(number);
            let earned = self.earned.get_mut(at).map(std::mem::take).unwrap_or_default();
            let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { continue };
            if slot.peak.is_none() || !slot.admits(subject) {
                continue;
            }
            let covered = slot.covered(earned, &gains, &rarity);
            if covered < LEAST_COVERED {
                continue;
            }
            if let Some(peak) = &mut slot.peak {
                peak.raise(&slot.terms, &gains);
            }
            if slot.witnessed(view, &rarity).is_none_or(|known| covered > known) {
                slot.witness = Witness::of_subject(subject, &slot.terms, &gains);
            }
        }
    }

    /// Questions that weigh no terms.
    fn plain_hits(&self, subject: &Subject, hits: &mut Vec<String>) {
        let mut take = |number: &u32| {
            if let Some(slot) = self.slot(*number)
                && slot.admits(subject)
            {
                hits.push(slot.id.to_string());
            }
        };
        self.anything.iter().for_each(&mut take);
        for (single, numbers) in &self.singles {
            let row = &subject.row;
            if row.folded_title.contains(&**single) || row.folded_keywords.contains(&**single) {
                numbers.iter().for_each(&mut take);
            }
        }
    }

    fn slot(&self, number: u32) -> Option<&Slot> {
        self.slots.get(crate::number::index(number)).and_then(Option::as_ref)
    }

    fn hits_of(
        &mut self,
        index: &Index,
        view: &View,
        subject: &Subject,
        lane: Lane,
        hits: &mut Vec<String>,
    ) -> Result<()> {
        let rarity = self.frequencies.rarity(view, lane);
        let (gains, touched) = touch(
            &self.frequencies,
            &self.postings,
            &mut self.earned,
            view,
            subject,
            lane,
            &rarity,
        );
        let mut unsure = Vec::new();
        for number in touched {
            let at = crate::number::index(number);
            let earned = self.earned.get_mut(at).map(std::mem::take).unwrap_or_default();
            let Some(slot) = self.slots.get_mut(at).and_then(Option::as_mut) else { continue };
            if !slot.admits(subject) {
                continue;
            }
            if lane.is_match() {
                if slot.points(earned, &gains, &rarity, subject) >= slot.floor() {
                    hits.push(slot.id.to_string());
                }
                continue;
            }
            let covered = slot.covered(earned, &gains, &rarity);
            if covered < LEAST_COVERED {
                continue;
            }
            if covered >= LEAST_OF_BEST * (1.0 + ROUNDING) {
                hits.push(slot.id.to_string());
                continue;
            }
            let least = slot.witnessed(view, &rarity).unwrap_or_default();
            if covered < least * LEAST_OF_BEST * (1.0 - ROUNDING) {
                continue;
            }
            let most = slot.peak.as_ref().map_or(1.0, |peak| peak.bound(&slot.terms, &rarity));
            if covered >= most * LEAST_OF_BEST * (1.0 + ROUNDING) {
                hits.push(slot.id.to_string());
            } else {
                unsure.push((number, covered));
            }
        }
        drop(rarity);
        for (number, covered) in unsure {
            let best = self.best(index, view, number)?;
            if covered >= best * LEAST_OF_BEST
                && let Some(slot) = self.slot(number)
            {
                hits.push(slot.id.to_string());
            }
        }
        Ok(())
    }

    /// What the best listing of the market covers of a search, by the search itself.
    fn best(&mut self, index: &Index, view: &View, number: u32) -> Result<f64> {
        let Some(slot) = self.slot(number) else { return Ok(0.0) };
        let Some(request) = &slot.request else { return Ok(0.0) };
        let weights = slot.lane.weights();
        let plan = Plan::of_question(&self.analyzer, &request.q, weights);
        let kinds = slot.lane.among();
        let mut best: Option<(f64, usize)> = None;
        for kind in kinds {
            let scored = score(index, view, &plan, *kind, kinds, weights)?;
            for (flat, row) in view.rows() {
                let covered = scored.covered.get(flat).copied().unwrap_or_default();
                if covered >= LEAST_COVERED
                    && best.is_none_or(|(most, _)| covered > most)
                    && row.kind == *kind
                    && row.passes(&request.filters)
                {
                    best = Some((covered, flat));
                }
            }
        }
        let witness = match best {
            Some((_, flat)) => self.frequencies.witness(index, view, flat, &slot.terms)?,
            None => None,
        };
        let rarity = self.frequencies.rarity(view, slot.lane);
        let peak = Peak::of(best.map_or(0.0, |(covered, _)| covered), &slot.terms, &rarity);
        self.asked += 1;
        let place = self.slots.get_mut(crate::number::index(number));
        if let Some(slot) = place.and_then(Option::as_mut) {
            slot.peak = Some(peak);
            slot.witness = witness;
        }
        Ok(best.map_or(0.0, |(covered, _)| covered))
    }
}

/// Adds up what the listing earns with every question of a lane: what each of its terms is worth there,
/// and which questions have earned something.
fn touch(
    frequencies: &Frequencies,
    postings: &[Vec<Vec<(u32, f64)>>; Lane::COUNT],
    earned: &mut [f64],
    view: &View,
    subject: &Subject,
    lane: Lane,
    rarity: &Rarity,
) -> (HashMap<u32, f64>, Vec<u32>) {
    let (mut gains, mut touched) = (HashMap::new(), Vec::new());
    let Some(postings) = postings.get(lane.number()) else { return (gains, touched) };
    for (sight, term, found) in subject.terms() {
        let Some(number) = frequencies.number(sight, term) else { continue };
        let Some(list) = postings.get(crate::number::index(number)) else { continue };
        if list.is_empty() {
            continue;
        }
        let gain = rarity.of(number) * subject.share(view, lane, sight, found);
        gains.insert(number, gain);
        for (slot, weight) in list {
            if let Some(earned) = earned.get_mut(crate::number::index(*slot)) {
                if *earned == 0.0 {
                    touched.push(*slot);
                }
                *earned += weight * gain;
            }
        }
    }
    (gains, touched)
}

#[cfg(test)]
mod tests;
