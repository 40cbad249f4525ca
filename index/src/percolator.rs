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
//! A search leaves out what covers far less of the question than the best listing does, and what that
//! one covers is remembered in bounds ([`best`]). Only where they leave it open is the market asked again.
//!
//! **Order of work.** What the listing has is added up roughly for all questions that share a term with
//! it ([`tally`]); those that may reach what is asked of a hit are weighed exactly ([`saved`]).
mod best;
mod frequencies;
mod listing;
mod market;
mod saved;
mod tally;

use std::collections::HashMap;

use best::Best;
use frequencies::Frequencies;
use listing::Subject;
use market::{Market, News};
use saved::{Lane, Seen, Slot, Weighed};
use tally::Tally;

use crate::{
    Result,
    analysis::Analyzer,
    index::Index,
    listing::Kind,
    ranking::{SMALL_MARKET, Sight},
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
    tally: Tally,
    market: Market,
    /// Questions of one Chinese character, and questions without a word.
    singles: HashMap<Box<str>, Vec<u32>>,
    anything: Vec<u32>,
    /// By the number of a term: one above its place in the listing that is looked at.
    places: Vec<u32>,
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
            tally: Tally::default(),
            market: Market::default(),
            singles: HashMap::new(),
            anything: Vec::new(),
            places: Vec::new(),
            asked: 0,
        })
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// How often the market itself had to be asked because what was remembered could not decide.
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
                crate::number::small(self.slots.len() - 1)
            }
        };
        let slot = Slot::of(&self.analyzer, id, saved, &mut self.frequencies);
        match (&slot.single, slot.is_open) {
            (_, true) => self.anything.push(number),
            (Some(single), _) => self.singles.entry(single.clone()).or_default().push(number),
            (None, false) => self.tally.put(number, &slot),
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
        self.tally.remove(number, &slot);
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
        let lanes = Lane::of_kind(kind);
        let listings = view.size(kind).listings;
        let seen =
            touch(&self.frequencies, &mut self.tally, &mut self.places, &view, &subject, &lanes);
        let mut unsure = Vec::new();
        for number in self.tally.take(true) {
            let Some(slot) = slot(&self.slots, number).filter(|slot| slot.admits(subject.row))
            else {
                continue;
            };
            let Some((_, seen)) = seen.iter().find(|(lane, _)| *lane == slot.lane) else {
                continue;
            };
            let weighed = slot.weigh(seen, &subject);
            self.tally.looked_at(number, weighed.total);
            let is_hit = match slot.lane.is_match() {
                true => Some(weighed.points() >= slot.floor(listings)),
                false => is_found(slot, &weighed, seen, &view, &self.market),
            };
            match is_hit {
                Some(true) => hits.push(slot.id.to_string()),
                Some(false) => (),
                None => unsure.push((number, weighed.covered())),
            }
        }
        drop(seen);
        for (number, covered) in unsure {
            let best = self.best(index, &view, number)?;
            if covered >= best * LEAST_OF_BEST
                && let Some(slot) = slot(&self.slots, number)
            {
                hits.push(slot.id.to_string());
            }
        }
        hits.sort_unstable();
        Ok(hits)
    }

    /// Looks at the market for up to `most` searches that were never looked at, so that the first
    /// listings need not wait for it; answers how many there were.
    pub fn warm(&mut self, index: &Index, most: usize) -> Result<usize> {
        let view = index.view();
        self.keep_up(index, &view)?;
        let waiting: Vec<u32> = (0..)
            .zip(&self.slots)
            .filter(|(_, slot)| slot.as_ref().is_some_and(Slot::is_waiting))
            .map(|(number, _)| number)
            .take(most)
            .collect();
        for number in &waiting {
            self.best(index, &view, *number)?;
        }
        Ok(waiting.len())
    }

    /// Brings the frequencies to what the view shows, and lets the searches know of the listings that
    /// are new in it.
    fn keep_up(&mut self, index: &Index, view: &View) -> Result<()> {
        let news = self.market.follow(view, |id| self.frequencies.knows(id))?;
        let changes = self.frequencies.refresh(index, view)?;
        self.tally.follow(&self.slots, &self.frequencies, view, &changes);
        if self.slots.iter().flatten().any(|slot| slot.best.is_some()) {
            for news in news {
                self.raise(index, view, news);
            }
        }
        Ok(())
    }

    /// Lets the searches know of a listing.
    fn raise(&mut self, index: &Index, view: &View, news: News) {
        let subject = Subject::of(index, news.row, &news.listing);
        let lanes = [Lane::SearchAll, Lane::Search(subject.row.kind())];
        let seen =
            touch(&self.frequencies, &mut self.tally, &mut self.places, view, &subject, &lanes);
        for number in self.tally.take(false) {
            let place = self.slots.get_mut(crate::number::index(number));
            let Some(slot) = place.and_then(Option::as_mut) else { continue };
            if slot.best.is_none() || !slot.admits(subject.row) {
                continue;
            }
            let seen = seen.iter().find(|(lane, _)| *lane == slot.lane);
            if let Some((_, seen)) = seen
                && let Some(pattern) = slot.pattern(seen)
                && let Some(best) = &mut slot.best
            {
                best.raise(pattern, &slot.terms, seen, news.witness);
            }
        }
    }

    /// Questions that weigh no terms.
    fn plain_hits(&self, subject: &Subject, hits: &mut Vec<String>) {
        let mut take = |number: &u32| {
            if let Some(slot) = slot(&self.slots, *number)
                && slot.admits(subject.row)
            {
                hits.push(slot.id.to_string());
            }
        };
        self.anything.iter().for_each(&mut take);
        for (single, numbers) in &self.singles {
            let row = subject.row;
            if row.folded_title().contains(&**single) || row.folded_keywords().contains(&**single) {
                numbers.iter().for_each(&mut take);
            }
        }
    }

    /// What the best listing of the market covers of a search, by looking at all of them.
    fn best(&mut self, index: &Index, view: &View, number: u32) -> Result<f64> {
        let place = self.slots.get_mut(crate::number::index(number));
        let Some(slot) = place.and_then(Option::as_mut) else { return Ok(0.0) };
        self.asked += 1;
        let (covered, best) = best::ask(index, view, &self.frequencies, &self.market, slot)?;
        slot.best = best;
        Ok(covered)
    }
}

fn slot(slots: &[Option<Slot>], number: u32) -> Option<&Slot> {
    slots.get(crate::number::index(number)).and_then(Option::as_ref)
}

/// Whether a search shows the listing; none where what is remembered of the market leaves it open.
fn is_found(
    slot: &Slot,
    weighed: &Weighed,
    seen: &Seen,
    view: &View,
    market: &Market,
) -> Option<bool> {
    let covered = weighed.covered();
    if covered < LEAST_COVERED {
        return Some(false);
    }
    let bounds = |best: &Best| best.bounds(&slot.terms, &seen.rarity, |w| market.shows(view, w));
    let (least, most) = match &slot.best {
        Some(best) if covered < LEAST_OF_BEST * (1.0 + ROUNDING) => bounds(best),
        _ => (0.0, 1.0),
    };
    if covered >= most * LEAST_OF_BEST * (1.0 + ROUNDING) {
        return Some(true);
    }
    (covered < least * LEAST_OF_BEST * (1.0 - ROUNDING)).then_some(false)
}

/// Adds up what the listing has of the questions of the lanes; answers what it has of each term.
fn touch<'a>(
    frequencies: &'a Frequencies,
    tally: &mut Tally,
    places: &'a mut Vec<u32>,
    view: &View,
    subject: &Subject,
    lanes: &[Lane],
) -> Vec<(Lane, Seen<'a>)> {
    places.clear();
    places.resize(frequencies.len(), 0);
    let mut had: Vec<u32> = Vec::with_capacity(subject.terms.len());
    for (place, (sight, term, _)) in (1..).zip(&subject.terms) {
        let number = frequencies.number(*sight, term);
        if let Some(known) = number.and_then(|n| places.get_mut(crate::number::index(n))) {
            *known = place;
        }
        had.push(number.unwrap_or(u32::MAX));
    }
    let places: &'a [u32] = places;
    let mut seen = Vec::with_capacity(lanes.len());
    for lane in lanes {
        let rarity = frequencies.rarity(view, *lane);
        let gains: Vec<f64> = had
            .iter()
            .zip(&subject.terms)
            .map(|(number, (sight, _, found))| {
                rarity.of(*number) * subject.share(view, *lane, *sight, found)
            })
            .collect();
        tally.add(*lane, had.iter().copied().zip(gains.iter().copied()));
        seen.push((*lane, Seen { rarity, places, gains }));
    }
    seen
}

#[cfg(test)]
mod tests;
