//! A stretch of documents at a time, small enough for its sums to stay near the processor.
use tantivy::SegmentReader;

use super::{Effort, Judge, best::Best, lists::Lists};
use crate::{
    number::{index, real, rough, small},
    ranking::Sight,
    view::Segment,
};

/// Documents of one window.
const SIZE: u32 = 2_048;
/// Candidates are told when the terms left could add only so much of what is needed: told earlier, nearly
/// every listing would be one.
const SETTLED: f64 = 0.5;
/// They are looked through again when what is left to add has fallen to so much of what it was.
const FALLEN: f64 = 0.8;
/// Going to a candidate costs as much as adding so many entries one after the other.
const LEAP: usize = 4;

#[derive(Default)]
pub(super) struct Window {
    sums: Vec<f32>,
    /// Lists that may have entries here, highest peak first, with their peaks.
    active: Vec<(usize, f64)>,
    candidates: Vec<Candidate>,
}

struct Candidate {
    place: u32,
    values: f64,
    /// What the wording must earn.
    needed: f64,
}

impl Window {
    #[allow(clippy::too_many_arguments)] // the whole state of a search, which the caller keeps
    pub fn run(
        &mut self,
        ordinal: usize,
        reader: &SegmentReader,
        segment: &Segment,
        lists: &mut Lists,
        judge: &impl Judge,
        best: &mut Best,
        effort: &mut Effort,
    ) {
        let documents = small(segment.rows.len());
        // every term rounds once when it is weighed and once when it is added
        let slack = 1.0 + (real(lists.lists.len()) + 16.0) * f64::from(f32::EPSILON);
        let mut low = 0;
        while low < documents {
            let high = documents.min(low + SIZE);
            let range = index(low)..index(high);
            let lengths = [Sight::Words, Sight::Characters]
                .map(|sight| segment.rows.lengths(sight).get(range.clone()).unwrap_or_default());
            self.active.clear();
            let mut rest = 0.0;
            for number in &lists.order {
                if let Some(list) = lists.lists.get(*number)
                    && list.next < high
                {
                    self.active.push((*number, list.peak));
                    rest += list.peak;
                }
            }
            self.sums.clear();
            self.sums.resize(range.len(), 0.0);

            let needed = best.needed();
            let mut active = self.active.iter();
            while rest * slack >= needed * SETTLED
                && let Some((number, peak)) = active.next()
            {
                effort.added += lists.add(*number, low, &mut self.sums, lengths);
                rest = (rest - peak).max(0.0);
            }
            self.candidates.clear();
            let bar = needed / slack - rest;
            let bar = rough(bar - 1e-6 * (1.0 + bar.abs())).max(f32::MIN_POSITIVE);
            for (place, _) in (0..).zip(&self.sums).filter(|(_, sum)| **sum >= bar) {
                let doc = low + place;
                let alive = reader.alive_bitset().is_none_or(|bits| bits.is_alive(doc));
                if alive
                    && let Some(row) = segment.rows.get(index(doc))
                    && let Some(values) = judge.values(row)
                {
                    let needed = best.needed_with(values);
                    self.candidates.push(Candidate { place, values, needed });
                }
            }
            effort.candidates += self.candidates.len();
            let sum = |sums: &[f32], place: u32| {
                f64::from(sums.get(index(place)).copied().unwrap_or_default())
            };
            let mut looked = f64::INFINITY;
            for (number, peak) in active {
                if rest <= looked * FALLEN {
                    let sums = &self.sums;
                    self.candidates.retain(|c| (sum(sums, c.place) + rest) * slack >= c.needed);
                    looked = rest;
                }
                if self.candidates.is_empty() {
                    break;
                }
                let entries = lists.lists.get(*number).map_or(0, |l| index(l.entries));
                let here = entries * range.len() / segment.rows.len().max(1);
                effort.added += if self.candidates.len() * LEAP < here {
                    let places = self.candidates.iter().map(|c| c.place);
                    lists.probe(*number, low, places, &mut self.sums, lengths)
                } else {
                    lists.add(*number, low, &mut self.sums, lengths)
                };
                rest = (rest - peak).max(0.0);
            }
            effort.scored += self.candidates.len();
            for c in &self.candidates {
                let points = sum(&self.sums, c.place);
                best.offer(ordinal, low + c.place, (points / slack, points * slack), c.values);
            }
            low = high;
        }
    }
}
