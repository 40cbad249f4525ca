//! The most that a long list gives any listing, kept as long as its segment.
//!
//! Postings hold counts and not gains, so what a list gives at most is known only after going through
//! it once. That is done when a term is first asked for, and remembered: a segment never changes.
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use tantivy::{postings::BlockSegmentPostings, schema::Field};

use crate::{number::index, ranking::Bm25};

/// Of one segment, by field and place of the postings.
#[derive(Default)]
pub(crate) struct Peaks(RwLock<HashMap<(Field, usize), Peak>>);

#[derive(Clone, Copy)]
struct Peak {
    /// For a term of worth 1.
    gain: f64,
    /// What it was found with.
    bm25: Bm25,
}

impl Peaks {
    /// Of the list whose postings begin there; `open` opens them where it is not known yet.
    pub fn of(
        &self,
        (field, place): (Field, usize),
        bm25: &Bm25,
        lengths: &[u32],
        open: impl FnOnce() -> crate::Result<BlockSegmentPostings>,
    ) -> crate::Result<f64> {
        let known = {
            let peaks = self.0.read().unwrap_or_else(PoisonError::into_inner);
            peaks.get(&(field, place)).copied()
        };
        if let Some(gain) = known.and_then(|peak| peak.with(bm25)) {
            return Ok(gain);
        }
        let peak = Peak { gain: highest(open()?, bm25, lengths), bm25: *bm25 };
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert((field, place), peak);
        Ok(peak.gain)
    }
}

impl Peak {
    /// With the average length of another day: a longer average makes every listing shorter by at most
    /// the ratio, and so no gain grows by more. None where it must be found anew.
    fn with(&self, bm25: &Bm25) -> Option<f64> {
        if (self.bm25.k1, self.bm25.b) != (bm25.k1, bm25.b) {
            return None;
        }
        let grown = bm25.average / self.bm25.average;
        (0.8..=1.25).contains(&grown).then(|| self.gain * grown.max(1.0))
    }
}

fn highest(mut postings: BlockSegmentPostings, bm25: &Bm25, lengths: &[u32]) -> f64 {
    let mut highest: f64 = 0.0;
    while postings.block_len() > 0 {
        for (doc, count) in postings.docs().iter().zip(postings.freqs()) {
            let length = lengths.get(index(*doc)).copied().unwrap_or_default();
            highest = highest.max(bm25.gain(1.0, *count, length));
        }
        postings.advance();
    }
    highest
}
