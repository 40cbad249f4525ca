//! What the best listing of the market covers of a search: a search leaves out what covers far less.
//!
//! Which of a search's terms a listing has is its *pattern*. Of each search the percolator remembers the
//! pattern that covers most, with a listing that has it (the *witness*), and the most that any listing
//! covers which has a term beside that pattern (the *rest*), in the worths of the time it was looked at.
//! Terms get commoner from commit to commit, so the rest only bounds what such listings cover now; the
//! best pattern is worked out exactly.
use std::collections::HashMap;

use tantivy::{
    DocSet, SegmentReader, TERMINATED, Term,
    schema::{Field, IndexRecordOption},
};

use super::{
    frequencies::{Frequencies, Rarity},
    market::{Market, Witness},
    saved::{Seen, Slot, least_kept},
};
use crate::{
    Result,
    index::Index,
    listing::Kind,
    number::index as place,
    ranking::Sight,
    view::{Row, View, is_alive},
};

/// A search of more terms, or one that is cut to its strongest, has no pattern and is asked anew each time
/// it is in doubt.
pub(super) const MOST_BITS: usize = 128;

type Terms = [(u32, f64)];

/// What is known of the best listing.
#[derive(Debug, Clone)]
pub(super) struct Best {
    has: u128,
    witness: Option<Witness>,
    worths: Box<[f64]>,
    rest: f64,
}

impl Best {
    /// Takes in a listing of that pattern.
    pub fn raise(&mut self, pattern: u128, terms: &Terms, seen: &Seen, witness: Witness) {
        if pattern & !self.has != 0 {
            let mut rest = pattern;
            if worth(pattern, terms, &seen.rarity) > worth(self.has, terms, &seen.rarity) {
                std::mem::swap(&mut rest, &mut self.has);
                self.witness = Some(witness);
            }
            self.rest = self.rest.max(sum(rest, self.worths.iter().copied()));
        } else if pattern == self.has {
            // the youngest one stays longest
            self.witness = Some(witness);
        }
    }

    /// The least and the most that the best listing covers now.
    pub fn bounds(
        &self,
        terms: &Terms,
        rarity: &Rarity,
        is_shown: impl Fn(Witness) -> bool,
    ) -> (f64, f64) {
        let (mut total, mut moved) = (0.0, 0.0_f64);
        for ((number, weight), before) in terms.iter().zip(&self.worths) {
            let worth = weight * rarity.of(*number);
            total += worth;
            moved = moved.max(worth / before);
        }
        if total <= 0.0 {
            return (0.0, 1.0);
        }
        let best = worth(self.has, terms, rarity) / total;
        let is_shown = self.witness.is_some_and(is_shown);
        (if is_shown { best } else { 0.0 }, best.max(self.rest * moved / total))
    }
}

/// The sum of the worths whose bits are set.
fn sum(pattern: u128, worths: impl Iterator<Item = f64>) -> f64 {
    (0..).zip(worths).filter(|(bit, _)| pattern & (1_u128 << bit) != 0).map(|(_, w)| w).sum()
}

fn worth(pattern: u128, terms: &Terms, rarity: &Rarity) -> f64 {
    sum(pattern, terms.iter().map(|(number, weight)| weight * rarity.of(*number)))
}

/// Asks the market: what the best listing covers of the search, and what to remember of it.
pub(super) fn ask(
    index: &Index,
    view: &View,
    frequencies: &Frequencies,
    market: &Market,
    slot: &Slot,
) -> Result<(f64, Option<Best>)> {
    let rarity = frequencies.rarity(view, slot.lane);
    if !slot.has_patterns() {
        return Ok((most_covered(index, view, frequencies, slot, &rarity)?, None));
    }
    let worths: Box<[f64]> = slot.terms.iter().map(|(n, weight)| weight * rarity.of(*n)).collect();
    let total: f64 = worths.iter().sum();
    let mut patterns: HashMap<u128, Row> = HashMap::new();
    for (reader, segment) in view.readers() {
        let mut has = vec![0_u128; segment.rows.len()];
        for (bit, (number, _)) in (0..).zip(&slot.terms) {
            each(index, reader, frequencies, slot, *number, |doc| {
                if let Some(has) = has.get_mut(place(doc)) {
                    *has |= 1_u128 << bit;
                }
            })?;
        }
        for ((doc, row), has) in (0..).zip(segment.rows.iter()).zip(has) {
            if has != 0 && slot.passes(row) && is_alive(reader, doc) {
                patterns.entry(has).or_insert(row);
            }
        }
    }
    let covers = |pattern: &u128| sum(*pattern, worths.iter().copied());
    let best = patterns.iter().max_by(|a, b| covers(a.0).total_cmp(&covers(b.0)));
    let (has, witness) = best.map_or((0, None), |(has, at)| (*has, market.witness(*at)));
    let beside = patterns.keys().filter(|pattern| *pattern & !has != 0);
    let rest = beside.map(covers).fold(0.0, f64::max);
    let covered = if total > 0.0 { covers(&has) / total } else { 0.0 };
    Ok((covered, Some(Best { has, witness, worths, rest })))
}

/// The same for a search without patterns.
fn most_covered(
    index: &Index,
    view: &View,
    frequencies: &Frequencies,
    slot: &Slot,
    rarity: &Rarity,
) -> Result<f64> {
    let mut kept = Vec::with_capacity(slot.terms.len());
    for part in slot.sights() {
        let least = least_kept(part, slot.lane.weights().most_terms, rarity);
        let worths = part.iter().map(|(number, weight)| (*number, weight * rarity.of(*number)));
        kept.extend(worths.filter(|(_, worth)| *worth > least));
    }
    let total: f64 = kept.iter().map(|(_, worth)| worth).sum();
    let mut most = 0.0_f64;
    for (reader, segment) in view.readers() {
        let mut had = vec![0.0; segment.rows.len()];
        for (number, worth) in &kept {
            each(index, reader, frequencies, slot, *number, |doc| {
                if let Some(had) = had.get_mut(place(doc)) {
                    *had += worth;
                }
            })?;
        }
        for ((doc, row), had) in (0..).zip(segment.rows.iter()).zip(had) {
            if had > most && slot.passes(row) && is_alive(reader, doc) {
                most = had;
            }
        }
    }
    Ok(if total > 0.0 { most / total } else { 0.0 })
}

/// Shows the documents of a segment that have the term, among the kinds that the search looks at.
fn each(
    index: &Index,
    reader: &SegmentReader,
    frequencies: &Frequencies,
    slot: &Slot,
    number: u32,
    mut show: impl FnMut(u32),
) -> Result<()> {
    let Some((sight, term)) = frequencies.term(number) else { return Ok(()) };
    for kind in slot.lane.among() {
        let inverted = reader.inverted_index(field(index, *kind, sight))?;
        let term = Term::from_field_text(field(index, *kind, sight), term);
        let Some(mut postings) = inverted.read_postings(&term, IndexRecordOption::Basic)? else {
            continue;
        };
        let mut doc = postings.doc();
        while doc != TERMINATED {
            show(doc);
            doc = postings.advance();
        }
    }
    Ok(())
}

fn field(index: &Index, kind: Kind, sight: Sight) -> Field {
    let text = index.fields.text(kind);
    match sight {
        Sight::Words => text.words,
        Sight::Characters => text.characters,
    }
}
