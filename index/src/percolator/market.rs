//! Which listings the percolator knows, and where they stand in the view it was last shown.
//!
//! The engine merges its segments: the same listing stands in another one then, and is no news. So
//! listings are told apart by what they say.
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use tantivy::index::SegmentId;

use crate::{
    Result,
    listing::{Kind, Listing},
    number::{index as place, small},
    view::{Row, View, is_alive},
};

#[derive(Default)]
pub(super) struct Market {
    /// By kind and id.
    numbers: HashMap<Kind, HashMap<Box<str>, u32>>,
    known: Vec<Known>,
}

struct Known {
    digest: u64,
    segment: SegmentId,
    doc: u32,
}

/// A listing as it was at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Witness {
    number: u32,
    digest: u64,
}

/// A listing that was not known, or says something else now.
pub(super) struct News<'v> {
    pub row: Row<'v>,
    pub listing: Listing,
    pub witness: Witness,
}

impl Market {
    /// Takes in what stands in segments that are not known yet.
    pub fn follow<'v>(
        &mut self,
        view: &'v View,
        is_known: impl Fn(SegmentId) -> bool,
    ) -> Result<Vec<News<'v>>> {
        let mut news = Vec::new();
        for (reader, segment) in view.readers().filter(|(r, _)| !is_known(r.segment_id())) {
            for (doc, row) in (0..).zip(segment.rows.iter()).filter(|(d, _)| is_alive(reader, *d)) {
                let flat = segment.base + place(doc);
                let Some(stored) = view.stored(flat)? else { continue };
                let mut digest = DefaultHasher::new();
                stored.hash(&mut digest);
                let digest = digest.finish();
                let segment = reader.segment_id();
                let is_new = self.place(row, Known { digest, segment, doc });
                if let Some(witness) = self.witness(row).filter(|_| is_new) {
                    let listing = serde_json::from_str(&stored)?;
                    news.push(News { row, listing, witness });
                }
            }
        }
        Ok(news)
    }

    /// Answers whether that is news.
    fn place(&mut self, row: Row, now: Known) -> bool {
        let next = small(self.known.len());
        let numbers = self.numbers.entry(row.kind()).or_default();
        let number = *numbers.entry(row.id().into()).or_insert(next);
        match self.known.get_mut(place(number)) {
            Some(known) => {
                let is_new = known.digest != now.digest;
                *known = now;
                is_new
            }
            None => {
                self.known.push(now);
                true
            }
        }
    }

    /// The listing of that row as it is now.
    pub fn witness(&self, row: Row) -> Option<Witness> {
        let number = *self.numbers.get(&row.kind())?.get(row.id())?;
        let known = self.known.get(place(number))?;
        Some(Witness { number, digest: known.digest })
    }

    /// Whether the view that was followed last shows the listing, and as it was.
    pub fn shows(&self, view: &View, witness: Witness) -> bool {
        let known = self.known.get(place(witness.number));
        let Some(known) = known.filter(|known| known.digest == witness.digest) else {
            return false;
        };
        let mut readers = view.readers().map(|(reader, _)| reader);
        let reader = readers.find(|reader| reader.segment_id() == known.segment);
        reader.is_some_and(|reader| is_alive(reader, known.doc))
    }
}
