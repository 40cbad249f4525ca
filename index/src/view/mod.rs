//! What one commit shows: the engine's segments, and of every listing the small values that
//! filters, order and scores need, held in memory ([`rows`]).
mod rows;

use std::{collections::HashMap, sync::Arc};

use tantivy::{
    DocAddress, DocSet, Searcher, SegmentReader, TERMINATED, Term,
    index::SegmentId,
    schema::{
        Field, IndexRecordOption,
        document::{DeserializeError, DocumentDeserialize, DocumentDeserializer},
    },
};

pub(crate) use rows::{Row, Rows};

use crate::{
    Result,
    index::Fields,
    listing::{Kind, Listing},
    number::{index, real},
    retrieval::Peaks,
};

/// One segment and where its documents stand in the view's flat numbering.
pub(crate) struct Segment {
    pub rows: Arc<Rows>,
    pub peaks: Arc<Peaks>,
    pub base: usize,
    id: SegmentId,
}

/// Sizes of one kind's collection. Deleted documents count until a merge drops them, as they do in
/// the engine's document frequencies; both sides of a ratio must count the same things.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Size {
    pub listings: f64,
    pub words: f64,
    pub characters: f64,
}

impl Size {
    pub fn plus(self, other: Self) -> Self {
        Self {
            listings: self.listings + other.listings,
            words: self.words + other.words,
            characters: self.characters + other.characters,
        }
    }
}

pub(crate) struct View {
    searcher: Searcher,
    pub segments: Vec<Segment>,
    sizes: [Size; 2],
    documents: usize,
}

impl View {
    /// Rows of segments that the former view had are taken from there: segments never change.
    pub fn build(searcher: Searcher, former: Option<&View>) -> Result<Self> {
        let known: HashMap<SegmentId, &Segment> = former
            .map(|view| view.segments.iter().map(|s| (s.id, s)).collect())
            .unwrap_or_default();
        let readers = searcher.segment_readers();
        let new: Vec<_> = readers.iter().filter(|r| !known.contains_key(&r.segment_id())).collect();
        let mut fresh = Rows::read(&new)?.into_iter();
        let (mut segments, mut base) = (Vec::new(), 0);
        let mut sizes = [Size::default(); 2];
        for reader in readers {
            let id = reader.segment_id();
            let (rows, peaks) = match known.get(&id) {
                Some(s) => (s.rows.clone(), s.peaks.clone()),
                None => {
                    let Some(rows) = fresh.next() else { break };
                    (rows, Arc::default())
                }
            };
            for (size, more) in sizes.iter_mut().zip(rows.sizes()) {
                *size = size.plus(more);
            }
            let count = rows.len();
            segments.push(Segment { rows, peaks, base, id });
            base += count;
        }
        Ok(Self { searcher, segments, sizes, documents: base })
    }

    pub fn size(&self, kind: Kind) -> Size {
        let [achievements, demands] = self.sizes;
        match kind {
            Kind::Achievement => achievements,
            Kind::Demand => demands,
        }
    }

    /// Flat numbers run below this; deleted documents have one too.
    pub fn documents(&self) -> usize {
        self.documents
    }

    pub fn alive(&self) -> usize {
        usize::try_from(self.searcher.num_docs()).unwrap_or(usize::MAX)
    }

    pub fn readers(&self) -> impl Iterator<Item = (&SegmentReader, &Segment)> {
        self.searcher.segment_readers().iter().zip(&self.segments)
    }

    /// Every listing that is not deleted, with its flat number.
    pub fn rows(&self) -> impl Iterator<Item = (usize, Row<'_>)> {
        self.readers().flat_map(|(reader, segment)| {
            segment.rows.iter().enumerate().filter_map(move |(i, row)| {
                let alive =
                    reader.alive_bitset().is_none_or(|bits| bits.is_alive(crate::number::small(i)));
                alive.then_some((segment.base + i, row))
            })
        })
    }

    /// The flat number of the listing with that key.
    pub fn find(&self, key: &Term) -> Result<Option<usize>> {
        for (reader, segment) in self.readers() {
            let inverted = reader.inverted_index(key.field())?;
            let postings = inverted.read_postings(key, IndexRecordOption::Basic)?;
            let Some(mut postings) = postings else { continue };
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if is_alive(reader, doc) {
                    return Ok(Some(segment.base + index(doc)));
                }
                doc = postings.advance();
            }
        }
        Ok(None)
    }

    pub fn row(&self, flat: usize) -> Option<Row<'_>> {
        let (_, segment) = self.segment_of(flat)?;
        segment.rows.get(flat - segment.base)
    }

    fn segment_of(&self, flat: usize) -> Option<(usize, &Segment)> {
        let ord = self.segments.partition_point(|s| s.base <= flat).checked_sub(1)?;
        self.segments.get(ord).map(|segment| (ord, segment))
    }

    pub fn listing(&self, flat: usize) -> Result<Option<Listing>> {
        let stored = self.stored(flat)?;
        Ok(stored.map(|json| serde_json::from_str(&json)).transpose()?)
    }

    /// The listing as it is stored: the same text as long as it is the same listing.
    pub fn stored(&self, flat: usize) -> Result<Option<String>> {
        let Some((ord, segment)) = self.segment_of(flat) else { return Ok(None) };
        let address =
            DocAddress::new(crate::number::small(ord), crate::number::small(flat - segment.base));
        Ok(self.searcher.doc::<Stored>(address)?.0)
    }

    /// Reads a little of everything, so that damage shows when opening and not in a search.
    pub fn try_reading(&self, fields: &Fields) -> Result<()> {
        for (reader, segment) in self.readers() {
            for kind in Kind::ALL {
                let text = fields.text(kind);
                for field in [text.words, text.characters, text.title_words, text.keyword_words] {
                    let inverted = reader.inverted_index(field)?;
                    let mut terms = inverted.terms().stream()?;
                    if terms.advance() {
                        let term = Term::from_field_bytes(field, terms.key());
                        inverted.read_postings(&term, IndexRecordOption::WithFreqsAndPositions)?;
                    }
                }
            }
            if !segment.rows.is_empty() {
                self.listing(segment.base)?;
                self.listing(segment.base + segment.rows.len() - 1)?;
            }
        }
        Ok(())
    }

    /// In how many documents of the view each of the terms stands, in this field.
    pub fn document_frequencies(&self, field: Field, terms: &[&str]) -> Result<Vec<f64>> {
        let mut counts = vec![0_usize; terms.len()];
        for reader in self.searcher.segment_readers() {
            let inverted = reader.inverted_index(field)?;
            for (count, term) in counts.iter_mut().zip(terms) {
                *count += index(inverted.doc_freq(&Term::from_field_text(field, term))?);
            }
        }
        Ok(counts.into_iter().map(real).collect())
    }
}

/// What the engine keeps of a document: one text, the listing.
struct Stored(Option<String>);

impl DocumentDeserialize for Stored {
    fn deserialize<'de, D: DocumentDeserializer<'de>>(
        mut document: D,
    ) -> std::result::Result<Self, DeserializeError> {
        Ok(Self(document.next_field::<String>()?.map(|(_, listing)| listing)))
    }
}

/// Whether the document is not deleted.
pub(crate) fn is_alive(reader: &SegmentReader, doc: u32) -> bool {
    reader.alive_bitset().is_none_or(|bits| bits.is_alive(doc))
}
