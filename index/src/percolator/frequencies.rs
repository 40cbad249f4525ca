//! How many listings have each term that somebody looks for, kept exact from commit to commit.
//!
//! The engine's segments never change: what one of them counts is read once, when it appears, and
//! taken off again when it is gone. A commit of one listing brings a segment of one listing.
use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
};

use tantivy::{SegmentReader, Term, index::SegmentId, schema::Field};

use super::{SMALL_MARKET, Sight, saved::Lane};
use crate::{
    Result,
    index::Index,
    listing::Kind,
    number::{index as place, small},
    view::{Size, View},
};

/// Terms are looked up one by one where that is less work than reading a segment's whole dictionary.
const LOOK_UP_BELOW: usize = 4;

#[derive(Default)]
pub(super) struct Frequencies {
    words: HashMap<Box<str>, u32>,
    characters: HashMap<Box<str>, u32>,
    terms: Vec<(Sight, Box<str>)>,
    /// Of each term, among achievements and among demands.
    counts: Vec<[u32; 2]>,
    /// What each known segment adds to that.
    segments: HashMap<SegmentId, Vec<(u32, usize, u32)>>,
    /// Terms that the known segments have not been asked for yet.
    fresh: Vec<u32>,
}

/// Worth of a term by the number of listings that have it; worked out as it is asked for. Thousands of
/// terms share a number.
pub(super) struct Scale {
    pub listings: f64,
    power: f64,
    known: Vec<Cell<f64>>,
}

impl Scale {
    pub fn of(&self, count: u32) -> f64 {
        let Some(known) = self.known.get(place(count)) else { return self.at(count) };
        if known.get().is_nan() {
            known.set(self.at(count));
        }
        known.get()
    }

    fn at(&self, count: u32) -> f64 {
        let frequency = f64::from(count);
        let idf = (1.0 + (self.listings - frequency + 0.5) / (frequency + 0.5)).ln();
        idf.max(0.0).powf(self.power)
    }
}

/// Worth of each term in one lane by the frequencies of one view.
pub(super) struct Rarity<'a> {
    counts: &'a [[u32; 2]],
    lane: Lane,
    scale: Scale,
}

impl Rarity<'_> {
    pub fn of(&self, number: u32) -> f64 {
        let counts = self.counts.get(place(number)).copied().unwrap_or_default();
        self.scale.of(self.lane.count(counts))
    }
}

/// A term that more or fewer listings have than before.
pub(super) struct Change {
    pub number: u32,
    pub from: [u32; 2],
    pub to: [u32; 2],
}

fn side(kind: Kind) -> usize {
    match kind {
        Kind::Achievement => 0,
        Kind::Demand => 1,
    }
}

impl Frequencies {
    fn dictionary(&self, sight: Sight) -> &HashMap<Box<str>, u32> {
        match sight {
            Sight::Words => &self.words,
            Sight::Characters => &self.characters,
        }
    }

    /// The number of a term that somebody looks for.
    pub fn number(&self, sight: Sight, term: &str) -> Option<u32> {
        self.dictionary(sight).get(term).copied()
    }

    /// The term of that number.
    pub fn term(&self, number: u32) -> Option<(Sight, &str)> {
        self.terms.get(place(number)).map(|(sight, term)| (*sight, &**term))
    }

    /// How many terms have a number.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// The same; gives a new term its number.
    pub fn number_of(&mut self, sight: Sight, term: &str) -> u32 {
        if let Some(number) = self.number(sight, term) {
            return number;
        }
        let number = small(self.terms.len());
        let dictionary = match sight {
            Sight::Words => &mut self.words,
            Sight::Characters => &mut self.characters,
        };
        dictionary.insert(term.into(), number);
        self.terms.push((sight, term.into()));
        self.counts.push([0; 2]);
        self.fresh.push(number);
        number
    }

    /// Whether the counts hold this segment.
    pub fn knows(&self, id: SegmentId) -> bool {
        self.segments.contains_key(&id)
    }

    /// How many listings of a lane have the term.
    pub fn listings(&self, number: u32, lane: Lane) -> u32 {
        lane.count(self.counts.get(place(number)).copied().unwrap_or_default())
    }

    /// Brings the counts to what `view` shows; answers what that changed.
    pub fn refresh(&mut self, index: &Index, view: &View) -> Result<Vec<Change>> {
        let mut before = HashMap::new();
        let shown: HashSet<SegmentId> = view.readers().map(|(r, _)| r.segment_id()).collect();
        let gone: Vec<SegmentId> =
            self.segments.keys().filter(|id| !shown.contains(id)).copied().collect();
        for id in gone {
            for (number, side, count) in self.segments.remove(&id).unwrap_or_default() {
                if let Some(counts) = self.counts.get_mut(place(number)) {
                    before.entry(number).or_insert(*counts);
                    if let Some(sum) = counts.get_mut(side) {
                        *sum = sum.saturating_sub(count);
                    }
                }
            }
        }
        let fresh = std::mem::take(&mut self.fresh);
        let all: Vec<u32> = (0..small(self.terms.len())).collect();
        for (reader, _) in view.readers() {
            let id = reader.segment_id();
            let added = match self.segments.contains_key(&id) {
                true => self.look_up(index, reader, &fresh)?,
                false => self.count(index, reader, &all)?,
            };
            for (number, side, count) in &added {
                if let Some(counts) = self.counts.get_mut(place(*number)) {
                    before.entry(*number).or_insert(*counts);
                    if let Some(sum) = counts.get_mut(*side) {
                        *sum += count;
                    }
                }
            }
            self.segments.entry(id).or_default().extend(added);
        }
        let changes = before.into_iter().filter_map(|(number, from)| {
            let to = *self.counts.get(place(number))?;
            (from != to).then_some(Change { number, from, to })
        });
        Ok(changes.collect())
    }

    fn fields(index: &Index) -> [(usize, Sight, Field); 4] {
        let (a, d) = (index.fields.text(Kind::Achievement), index.fields.text(Kind::Demand));
        [
            (side(Kind::Achievement), Sight::Words, a.words),
            (side(Kind::Achievement), Sight::Characters, a.characters),
            (side(Kind::Demand), Sight::Words, d.words),
            (side(Kind::Demand), Sight::Characters, d.characters),
        ]
    }

    fn count(
        &self,
        index: &Index,
        reader: &SegmentReader,
        all: &[u32],
    ) -> Result<Vec<(u32, usize, u32)>> {
        let size: usize = Self::fields(index)
            .iter()
            .map(|(_, _, field)| Ok(reader.inverted_index(*field)?.terms().num_terms()))
            .sum::<Result<usize>>()?;
        if size > all.len().saturating_mul(LOOK_UP_BELOW) {
            return self.look_up(index, reader, all);
        }
        let mut added = Vec::new();
        for (side, sight, field) in Self::fields(index) {
            let dictionary = self.dictionary(sight);
            let inverted = reader.inverted_index(field)?;
            let mut terms = inverted.terms().stream()?;
            while terms.advance() {
                let known = std::str::from_utf8(terms.key()).ok().and_then(|t| dictionary.get(t));
                if let Some(number) = known {
                    added.push((*number, side, terms.value().doc_freq));
                }
            }
        }
        Ok(added)
    }

    fn look_up(
        &self,
        index: &Index,
        reader: &SegmentReader,
        numbers: &[u32],
    ) -> Result<Vec<(u32, usize, u32)>> {
        let mut added = Vec::new();
        if numbers.is_empty() {
            return Ok(added);
        }
        for (side, sight, field) in Self::fields(index) {
            let inverted = reader.inverted_index(field)?;
            for number in numbers {
                let Some((_, term)) = self.terms.get(place(*number)).filter(|(s, _)| *s == sight)
                else {
                    continue;
                };
                let count = inverted.doc_freq(&Term::from_field_text(field, term))?;
                if count > 0 {
                    added.push((*number, side, count));
                }
            }
        }
        Ok(added)
    }

    pub fn rarity(&self, view: &View, lane: Lane) -> Rarity<'_> {
        Rarity { counts: &self.counts, lane, scale: self.scale(view, lane, 1.0) }
    }

    /// Worths in a market of `times` as many listings.
    pub fn scale(&self, view: &View, lane: Lane, times: f64) -> Scale {
        let size = lane.among().iter().fold(Size::default(), |sum, k| sum.plus(view.size(*k)));
        Scale {
            listings: size.listings.max(SMALL_MARKET) * times,
            power: lane.weights().rarity,
            known: vec![Cell::new(f64::NAN); view.documents() + 1],
        }
    }
}
