//! The values of every listing of a segment beside its text, column by column, held in memory.
//!
//! A value that many listings share is held once, and no value has an allocation of its own: the engine keeps
//! the texts of a column in a dictionary, which is read from end to end into one piece of memory. A start
//! waits for this, and so all columns are read side by side.
use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use tantivy::{SegmentReader, TantivyError, columnar::Column};

use super::Size;
use crate::{
    Result,
    index::kind_number,
    listing::{Kind, region_prefix},
    number::index,
    parallel,
    ranking::Sight,
    request::Filters,
};

/// The columns of text, those that take longest to read first.
const TEXTS: [&str; 9] = [
    "folded_keywords",
    "title",
    "folded_title",
    "id",
    "owner",
    "industry",
    "region",
    "field",
    "stage",
];

/// Values that are read at once.
const BATCH: u32 = 1_024;

/// By document.
pub(crate) struct Rows {
    numbers: Numbers,
    id: Texts,
    owner: Texts,
    title: Texts,
    folded_title: Texts,
    /// Parted by [`crate::index::SEPARATOR`].
    folded_keywords: Texts,
    pub field: Texts,
    pub region: Texts,
    pub stage: Texts,
    industry: Texts,
}

#[derive(Default)]
struct Numbers {
    kinds: Vec<Kind>,
    hidden: Vec<bool>,
    trls: Vec<Option<u8>>,
    amounts: Vec<Option<i64>>,
    published: Vec<i64>,
    words: Vec<u32>,
    characters: Vec<u32>,
    /// Achievements, demands.
    sizes: [Size; 2],
}

/// A column of text.
#[derive(Default)]
pub(crate) struct Texts {
    /// Which of the values a document has; [`NONE`] where it has none.
    numbers: Vec<u32>,
    /// Where each value ends in `text`.
    ends: Vec<usize>,
    text: String,
}

/// Beyond the number of any value.
const NONE: u32 = u32::MAX;

impl Rows {
    /// Those of many segments, on all cores.
    pub fn read(readers: &[&SegmentReader]) -> Result<Vec<Arc<Self>>> {
        let (count, cores) = (readers.len(), parallel::cores());
        let reader = |number: usize| {
            let gone = || TantivyError::InternalError("no such segment".into());
            readers.get(number).copied().ok_or_else(gone)
        };
        let numbers = parallel::each(count, cores, |number| Numbers::read(reader(number)?))?;
        let texts = parallel::each(count * TEXTS.len(), cores, |number| {
            let name = TEXTS.get(number / count).copied().unwrap_or_default();
            Texts::read(reader(number % count)?, name)
        })?;
        let mut columns: Vec<Vec<Texts>> = numbers.iter().map(|_| Vec::new()).collect();
        for (number, texts) in texts.into_iter().enumerate() {
            if let Some(columns) = columns.get_mut(number % count) {
                columns.push(texts);
            }
        }
        let rows = numbers.into_iter().zip(columns).map(|(numbers, columns)| {
            let mut columns = columns.into_iter();
            let mut next = || columns.next().unwrap_or_default();
            // in the order of TEXTS
            Arc::new(Self {
                numbers,
                folded_keywords: next(),
                title: next(),
                folded_title: next(),
                id: next(),
                owner: next(),
                industry: next(),
                region: next(),
                field: next(),
                stage: next(),
            })
        });
        Ok(rows.collect())
    }

    pub fn len(&self) -> usize {
        self.numbers.kinds.len()
    }

    pub fn is_empty(&self) -> bool {
        self.numbers.kinds.is_empty()
    }

    pub fn get(&self, at: usize) -> Option<Row<'_>> {
        (at < self.len()).then_some(Row { rows: self, at })
    }

    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).map(|at| Row { rows: self, at })
    }

    /// Terms of every document.
    pub fn lengths(&self, sight: Sight) -> &[u32] {
        match sight {
            Sight::Words => &self.numbers.words,
            Sight::Characters => &self.numbers.characters,
        }
    }

    pub(super) fn sizes(&self) -> [Size; 2] {
        self.numbers.sizes
    }
}

impl Numbers {
    fn read(reader: &SegmentReader) -> Result<Self> {
        let column = |name: &str| reader.fast_fields().u64(name);
        let signed = |name: &str| reader.fast_fields().i64(name);
        let documents = reader.max_doc();
        let count = |value: Option<u64>| value.and_then(|n| u32::try_from(n).ok());
        let kinds = firsts(&column("kind")?, documents, |value| {
            Kind::ALL.into_iter().find(|kind| value == Some(kind_number(*kind)))
        });
        let kinds: Option<Vec<Kind>> = kinds.into_iter().collect();
        let kinds = kinds.ok_or_else(|| TantivyError::InternalError("no kind".into()))?;
        let words = firsts(&column("word_count")?, documents, |n| count(n).unwrap_or_default());
        let characters =
            firsts(&column("character_count")?, documents, |n| count(n).unwrap_or_default());
        let mut sizes = [Size::default(); 2];
        for ((kind, words), characters) in kinds.iter().zip(&words).zip(&characters) {
            let [achievements, demands] = &mut sizes;
            let size = match kind {
                Kind::Achievement => achievements,
                Kind::Demand => demands,
            };
            let one = Size {
                listings: 1.0,
                words: f64::from(*words),
                characters: f64::from(*characters),
            };
            *size = size.plus(one);
        }
        Ok(Self {
            kinds,
            hidden: firsts(&column("hidden")?, documents, |value| value == Some(1)),
            trls: firsts(&column("trl")?, documents, |n| n.and_then(|n| u8::try_from(n).ok())),
            amounts: firsts(&signed("amount")?, documents, |value| value),
            published: firsts(&signed("published_at")?, documents, Option::unwrap_or_default),
            words,
            characters,
            sizes,
        })
    }
}

/// The first value of every document.
fn firsts<T, V>(column: &Column<T>, documents: u32, take: impl Fn(Option<T>) -> V) -> Vec<V>
where
    T: PartialOrd + Copy + Debug + Send + Sync + 'static,
{
    let mut all = Vec::with_capacity(index(documents));
    let (mut at, mut values) = (Vec::new(), Vec::new());
    let mut low = 0;
    while low < documents {
        let high = documents.min(low + BATCH);
        at.clear();
        at.extend(low..high);
        values.clear();
        values.resize(at.len(), None);
        column.first_vals(&at, &mut values);
        all.extend(values.iter().copied().map(&take));
        low = high;
    }
    all
}

impl Texts {
    fn read(reader: &SegmentReader, name: &str) -> Result<Self> {
        let documents = reader.max_doc();
        let Some(column) = reader.fast_fields().str(name)? else {
            return Ok(Self { numbers: vec![NONE; index(documents)], ..Self::default() });
        };
        // asking the dictionary for one value after the other is a hundred times slower
        let mut entries = column.dictionary().stream()?;
        let (mut text, mut ends) = (String::new(), Vec::with_capacity(column.num_terms()));
        while entries.advance() {
            text.push_str(&String::from_utf8_lossy(entries.key()));
            ends.push(text.len());
        }
        text.shrink_to_fit();
        let number = |value: Option<u64>| value.and_then(|n| u32::try_from(n).ok());
        let numbers = firsts(column.ords(), documents, |n| number(n).unwrap_or(NONE));
        Ok(Self { numbers, ends, text })
    }

    fn get(&self, at: usize) -> Option<&str> {
        self.value(index(*self.numbers.get(at)?))
    }

    fn value(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before));
        self.text.get(start.copied().unwrap_or_default()..end)
    }

    /// Adds how many of these documents have each value.
    pub fn count<'a>(
        &'a self,
        documents: impl Iterator<Item = usize>,
        counts: &mut BTreeMap<&'a str, usize>,
    ) {
        let mut by_number = vec![0; self.ends.len()];
        for number in documents.filter_map(|at| self.numbers.get(at)) {
            if let Some(count) = by_number.get_mut(index(*number)) {
                *count += 1;
            }
        }
        for (number, count) in by_number.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            if let Some(value) = self.value(number) {
                *counts.entry(value).or_default() += count;
            }
        }
    }
}

/// The values of one listing.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    rows: &'a Rows,
    at: usize,
}

impl<'a> Row<'a> {
    /// All of its segment, and where among them it stands.
    pub fn place(self) -> (&'a Rows, usize) {
        (self.rows, self.at)
    }

    pub fn kind(self) -> Kind {
        self.rows.numbers.kinds.get(self.at).copied().unwrap_or(Kind::Achievement)
    }

    pub fn hidden(self) -> bool {
        // what is not known is not shown
        self.rows.numbers.hidden.get(self.at).copied().unwrap_or(true)
    }

    pub fn trl(self) -> Option<u8> {
        self.rows.numbers.trls.get(self.at).copied().flatten()
    }

    pub fn amount_fen(self) -> Option<i64> {
        self.rows.numbers.amounts.get(self.at).copied().flatten()
    }

    pub fn published_at(self) -> i64 {
        self.rows.numbers.published.get(self.at).copied().unwrap_or_default()
    }

    /// Terms of the whole text.
    pub fn length(self, sight: Sight) -> u32 {
        self.rows.lengths(sight).get(self.at).copied().unwrap_or_default()
    }

    pub fn id(self) -> &'a str {
        self.rows.id.get(self.at).unwrap_or_default()
    }

    pub fn owner(self) -> &'a str {
        self.rows.owner.get(self.at).unwrap_or_default()
    }

    pub fn title(self) -> &'a str {
        self.rows.title.get(self.at).unwrap_or_default()
    }

    pub fn folded_title(self) -> &'a str {
        self.rows.folded_title.get(self.at).unwrap_or_default()
    }

    pub fn folded_keywords(self) -> &'a str {
        self.rows.folded_keywords.get(self.at).unwrap_or_default()
    }

    pub fn field(self) -> Option<&'a str> {
        self.rows.field.get(self.at)
    }

    pub fn region(self) -> Option<&'a str> {
        self.rows.region.get(self.at)
    }

    pub fn stage(self) -> Option<&'a str> {
        self.rows.stage.get(self.at)
    }

    pub fn industry(self) -> Option<&'a str> {
        self.rows.industry.get(self.at)
    }

    pub fn passes(self, filters: &Filters) -> bool {
        let same = |want: &Option<String>, has: fn(Self) -> Option<&'a str>| {
            want.as_deref().is_none_or(|want| has(self) == Some(want))
        };
        (filters.include_hidden || !self.hidden())
            && same(&filters.field, Self::field)
            && same(&filters.stage, Self::stage)
            && same(&filters.industry, Self::industry)
            && filters.region.as_deref().is_none_or(|want| {
                self.region().is_some_and(|has| has.starts_with(region_prefix(want)))
            })
            && filters.trl_min.is_none_or(|min| self.trl().is_some_and(|trl| trl >= min))
            && filters.price_max_fen.is_none_or(|max| self.amount_fen().is_some_and(|a| a <= max))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Index, Listing, analysis::fold, index::SEPARATOR};

    fn listing(number: i64) -> Listing {
        let some = |every: i64, text: &str| (number % every != 0).then(|| text.to_owned());
        let kind = if number % 3 == 0 { Kind::Demand } else { Kind::Achievement };
        Listing {
            text: "正文".repeat(usize::try_from(number).unwrap()),
            keywords: (0..number % 3).map(|n| format!("ＫＥＹ{n}")).collect(),
            field: some(2, "03"),
            region: some(3, "210100"),
            stage: some(5, ["early", "mature"][usize::from(number % 2 == 0)]),
            industry: some(4, "C38"),
            trl: u8::try_from(number % 10).ok().filter(|trl| *trl > 0),
            amount_fen: (number % 7 != 0).then_some(-number),
            published_at: -number,
            owner: format!("o{}", number % 4),
            hidden: number % 6 == 1,
            ..Listing::new(kind, format!("id{number}"), format!("第{number}号，鋰电池"))
        }
    }

    #[test]
    fn rows_say_what_was_put_in_and_values_are_counted() {
        let index = Index::in_memory().unwrap();
        for number in 0..60 {
            index.put(&listing(number)).unwrap();
            if number % 25 == 0 {
                index.commit(number).unwrap(); // more segments than one
            }
        }
        index.put(&Listing::new(Kind::Achievement, "bare", "")).unwrap();
        index.commit(60).unwrap();
        let view = index.view();
        assert!(view.segments.len() > 1);
        let mut seen = 0;
        for (flat, row) in view.rows() {
            let listing = view.listing(flat).unwrap().unwrap();
            seen += 1;
            assert_eq!((row.kind(), row.id()), (listing.kind, listing.id.as_str()));
            assert_eq!(
                (row.title(), row.owner()),
                (listing.title.as_str(), listing.owner.as_str())
            );
            assert_eq!(row.folded_title(), fold(&listing.title).text);
            let keywords: Vec<String> = listing.keywords.iter().map(|k| fold(k).text).collect();
            assert_eq!(row.folded_keywords(), keywords.join(&SEPARATOR.to_string()));
            assert_eq!(
                [row.field(), row.region(), row.stage(), row.industry()],
                [&listing.field, &listing.region, &listing.stage, &listing.industry]
                    .map(|value| value.as_deref())
            );
            assert_eq!((row.trl(), row.amount_fen()), (listing.trl, listing.amount_fen));
            assert_eq!((row.published_at(), row.hidden()), (listing.published_at, listing.hidden));
            let length = index.analyzer.analyse(&listing.title).words.len()
                + index.analyzer.analyse(&listing.text).words.len()
                + listing.keywords.len();
            assert_eq!(super::index(row.length(Sight::Words)), length);
        }
        assert_eq!(seen, 61);
        let mut counts = BTreeMap::new();
        for segment in &view.segments {
            segment.rows.stage.count(0..segment.rows.len(), &mut counts);
        }
        assert_eq!(counts, BTreeMap::from([("early", 24), ("mature", 24)]));
    }
}
