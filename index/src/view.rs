//! What one commit shows: the engine's segments, and of every listing the small values that
//! filters, order and scores need, held in memory.
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::ScopedJoinHandle,
};

use tantivy::{
    DocAddress, DocSet, Searcher, SegmentReader, TERMINATED, TantivyDocument, Term,
    index::SegmentId,
    schema::{Field, IndexRecordOption, Value},
};

use crate::{
    Error, Result,
    index::{Fields, kind_number},
    listing::{Kind, Listing, region_prefix},
    number::{index, real},
    ranking::Sight,
    request::Filters,
    retrieval::Peaks,
};

/// The values of one listing.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub kind: Kind,
    pub hidden: bool,
    pub trl: Option<u8>,
    pub amount_fen: Option<i64>,
    pub published_at: i64,
    pub words: u32,
    pub characters: u32,
    pub id: Arc<str>,
    pub owner: Arc<str>,
    pub title: Arc<str>,
    pub folded_title: Arc<str>,
    /// Parted by [`crate::index::SEPARATOR`].
    pub folded_keywords: Arc<str>,
    pub field: Option<Arc<str>>,
    pub region: Option<Arc<str>>,
    pub stage: Option<Arc<str>>,
    pub industry: Option<Arc<str>>,
}

impl Row {
    pub fn passes(&self, filters: &Filters) -> bool {
        let same = |want: &Option<String>, has: &Option<Arc<str>>| {
            want.as_deref().is_none_or(|want| has.as_deref() == Some(want))
        };
        (filters.include_hidden || !self.hidden)
            && same(&filters.field, &self.field)
            && same(&filters.stage, &self.stage)
            && same(&filters.industry, &self.industry)
            && filters.region.as_deref().is_none_or(|want| {
                self.region.as_deref().is_some_and(|has| has.starts_with(region_prefix(want)))
            })
            && filters.trl_min.is_none_or(|min| self.trl.is_some_and(|trl| trl >= min))
            && filters.price_max_fen.is_none_or(|max| self.amount_fen.is_some_and(|a| a <= max))
    }
}

/// One segment and where its documents stand in the view's flat numbering.
pub(crate) struct Segment {
    pub rows: Arc<Vec<Row>>,
    pub lengths: Arc<Lengths>,
    pub peaks: Arc<Peaks>,
    pub base: usize,
    id: SegmentId,
}

/// Terms of every document, in each view; together, because weighing needs nothing else of a row.
pub(crate) struct Lengths {
    words: Vec<u32>,
    characters: Vec<u32>,
}

impl Lengths {
    fn of_rows(rows: &[Row]) -> Self {
        Self {
            words: rows.iter().map(|row| row.words).collect(),
            characters: rows.iter().map(|row| row.characters).collect(),
        }
    }

    pub fn of(&self, sight: Sight) -> &[u32] {
        match sight {
            Sight::Words => &self.words,
            Sight::Characters => &self.characters,
        }
    }
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
        let mut fresh = rows_of(&new)?.into_iter();
        let (mut segments, mut base) = (Vec::new(), 0);
        for reader in readers {
            let id = reader.segment_id();
            let (rows, lengths, peaks) = match known.get(&id) {
                Some(s) => (s.rows.clone(), s.lengths.clone(), s.peaks.clone()),
                None => {
                    let Some(rows) = fresh.next() else { break };
                    let lengths = Arc::new(Lengths::of_rows(&rows));
                    (rows, lengths, Arc::default())
                }
            };
            let count = rows.len();
            segments.push(Segment { rows, lengths, peaks, base, id });
            base += count;
        }
        let mut sizes = [Size::default(); 2];
        for row in segments.iter().flat_map(|s| s.rows.iter()) {
            let [achievements, demands] = &mut sizes;
            let size = match row.kind {
                Kind::Achievement => achievements,
                Kind::Demand => demands,
            };
            size.listings += 1.0;
            size.words += f64::from(row.words);
            size.characters += f64::from(row.characters);
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
    pub fn rows(&self) -> impl Iterator<Item = (usize, &Row)> {
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

    pub fn row(&self, flat: usize) -> Option<&Row> {
        let (_, segment) = self.segment_of(flat)?;
        segment.rows.get(flat - segment.base)
    }

    fn segment_of(&self, flat: usize) -> Option<(usize, &Segment)> {
        let ord = self.segments.partition_point(|s| s.base <= flat).checked_sub(1)?;
        self.segments.get(ord).map(|segment| (ord, segment))
    }

    pub fn listing(&self, fields: &Fields, flat: usize) -> Result<Option<Listing>> {
        let stored = self.stored(fields, flat)?;
        Ok(stored.map(|json| serde_json::from_str(&json)).transpose()?)
    }

    /// The listing as it is stored: the same text as long as it is the same listing.
    pub fn stored(&self, fields: &Fields, flat: usize) -> Result<Option<String>> {
        let Some((ord, segment)) = self.segment_of(flat) else { return Ok(None) };
        let address =
            DocAddress::new(crate::number::small(ord), crate::number::small(flat - segment.base));
        let document: TantivyDocument = self.searcher.doc(address)?;
        Ok(document.get_first(fields.listing).and_then(|v| v.as_str().map(str::to_owned)))
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
                self.listing(fields, segment.base)?;
                self.listing(fields, segment.base + segment.rows.len() - 1)?;
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

/// Whether the document is not deleted.
pub(crate) fn is_alive(reader: &SegmentReader, doc: u32) -> bool {
    reader.alive_bitset().is_none_or(|bits| bits.is_alive(doc))
}

/// The rows of many segments, read on all cores: a start waits for them.
fn rows_of(readers: &[&SegmentReader]) -> Result<Vec<Arc<Vec<Row>>>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(readers.len());
    if threads < 2 {
        return readers.iter().map(|reader| Ok(Arc::new(rows(reader)?))).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, Arc<Vec<Row>>)>> {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(reader) = readers.get(i) else { return Ok(done) };
            done.push((i, Arc::new(rows(reader)?)));
        }
    };
    let shares: Vec<_> = std::thread::scope(|scope| {
        let helpers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let join = |helper: ScopedJoinHandle<'_, _>| match helper.join() {
            Ok(share) => share,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        helpers.into_iter().map(join).collect()
    });
    let mut all = Vec::with_capacity(readers.len());
    for share in shares {
        all.extend(share?);
    }
    all.sort_unstable_by_key(|(i, _)| *i);
    Ok(all.into_iter().map(|(_, rows)| rows).collect())
}

fn rows(reader: &SegmentReader) -> Result<Vec<Row>> {
    let numbers = |name: &str| reader.fast_fields().u64(name);
    let (kinds, hidden, trls) = (numbers("kind")?, numbers("hidden")?, numbers("trl")?);
    let (words, characters) = (numbers("word_count")?, numbers("character_count")?);
    let amounts = reader.fast_fields().i64("amount")?;
    let published = reader.fast_fields().i64("published_at")?;
    let texts = |name: &str| texts(reader, name);
    let (ids, owners, titles) = (texts("id")?, texts("owner")?, texts("title")?);
    let (folded_titles, folded_keywords) = (texts("folded_title")?, texts("folded_keywords")?);
    let (fields, regions) = (texts("field")?, texts("region")?);
    let (stages, industries) = (texts("stage")?, texts("industry")?);
    let nothing: Arc<str> = Arc::from("");
    let count = |value: Option<u64>| value.and_then(|n| u32::try_from(n).ok()).unwrap_or_default();
    let mut rows = Vec::with_capacity(index(reader.max_doc()));
    for doc in 0..reader.max_doc() {
        let text = |column: &[Option<Arc<str>>]| column.get(index(doc)).cloned().flatten();
        let must = |column: &[Option<Arc<str>>]| text(column).unwrap_or_else(|| nothing.clone());
        let kind = Kind::ALL
            .into_iter()
            .find(|k| kinds.first(doc) == Some(kind_number(*k)))
            .ok_or_else(|| Error::Engine(tantivy::TantivyError::InternalError("no kind".into())))?;
        rows.push(Row {
            kind,
            hidden: hidden.first(doc) == Some(1),
            trl: trls.first(doc).and_then(|n| u8::try_from(n).ok()),
            amount_fen: amounts.first(doc),
            published_at: published.first(doc).unwrap_or_default(),
            words: count(words.first(doc)),
            characters: count(characters.first(doc)),
            id: must(&ids),
            owner: must(&owners),
            title: must(&titles),
            folded_title: must(&folded_titles),
            folded_keywords: must(&folded_keywords),
            field: text(&fields),
            region: text(&regions),
            stage: text(&stages),
            industry: text(&industries),
        });
    }
    Ok(rows)
}

/// A text column as one value a document. Reads the dictionary once from end to end: asking it for
/// one entry after the other is a hundred times slower.
fn texts(reader: &SegmentReader, name: &str) -> Result<Vec<Option<Arc<str>>>> {
    let mut values = vec![None; index(reader.max_doc())];
    let Some(column) = reader.fast_fields().str(name)? else { return Ok(values) };
    let mut dictionary: Vec<Arc<str>> = Vec::with_capacity(column.num_terms());
    let mut entries = column.dictionary().stream()?;
    while entries.advance() {
        dictionary.push(Arc::from(String::from_utf8_lossy(entries.key())));
    }
    for (doc, value) in (0..).zip(values.iter_mut()) {
        let ordinal = column.ords().first(doc).and_then(|ord| usize::try_from(ord).ok());
        *value = ordinal.and_then(|ord| dictionary.get(ord).cloned());
    }
    Ok(values)
}
