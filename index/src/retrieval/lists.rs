//! The lists of a request in one segment: looked up, opened, and read again for the exact account.
use std::{ops::Range, sync::Arc};

use tantivy::{
    InvertedIndexReader, SegmentReader,
    postings::{BlockSegmentPostings, TermInfo},
    schema::{Field, IndexRecordOption},
};

use super::{Account, Gain, Quest};
use crate::{
    Result,
    explanation::PartKind,
    index::{Index, TextFields},
    number::{index, rough, rough_count, small},
    ranking::{
        Averages, Bm25, Plan, Sight, Sought, Wanted, Weights, fields_of, phrase_gains, sought,
    },
    view::{Segment, View},
};

/// A list of fewer entries is read whole when it is opened.
const FEW: u32 = 256;

/// The terms of a request, found in every segment.
pub(super) struct LookUp<'a> {
    plan: &'a Plan,
    weights: &'a Weights,
    sought: Vec<Sought<'a>>,
    /// Of all terms together.
    pub worth: f64,
    averages: Averages,
    fields: &'a TextFields,
    /// By segment, by number of the term; where the body has it.
    infos: Vec<Vec<Option<TermInfo>>>,
}

/// Finds the terms in all segments, once, and from how often they stand there what they are worth.
pub(super) fn look_up<'a>(at: &'a Index, view: &View, quest: &Quest<'a>) -> Result<LookUp<'a>> {
    let fields = at.fields.text(quest.kind);
    let mut infos = Vec::with_capacity(view.segments.len());
    for (reader, _) in view.readers() {
        let mut found = Vec::with_capacity(quest.plan.wanted.len());
        let bodies = [fields.words, fields.characters];
        let [words, characters] = bodies.map(|field| reader.inverted_index(field));
        let (words, characters) = (words?, characters?);
        for wanted in &quest.plan.wanted {
            let inverted = match wanted.sight {
                Sight::Words => &words,
                Sight::Characters => &characters,
            };
            found.push(inverted.terms().get(wanted.term.as_bytes())?);
        }
        infos.push(found);
    }
    let mut frequencies = vec![0.0; quest.plan.wanted.len()];
    for found in &infos {
        for (sum, info) in frequencies.iter_mut().zip(found) {
            *sum += info.as_ref().map_or(0.0, |info| f64::from(info.doc_freq));
        }
    }
    let size = view.size(quest.kind);
    let sought = sought(quest.plan, &frequencies, size.listings, quest.weights);
    let worth = sought.iter().map(|s| s.worth).sum();
    Ok(LookUp {
        plan: quest.plan,
        weights: quest.weights,
        sought,
        worth,
        averages: Averages::of(size),
        fields,
        infos,
    })
}

/// One term in one field of one segment.
pub(super) struct List {
    part: PartKind,
    /// Of `Plan::wanted`, or of `Plan::phrases`.
    term: usize,
    /// Points for a gain of 1: what the term is worth here.
    worth: f64,
    /// Not less than what any listing gets.
    pub peak: f64,
    /// No entry before this document is left.
    pub next: u32,
    pub entries: u32,
    source: Source,
}

enum Source {
    /// Read already; a range of [`Lists::docs`] from the next entry on, and where all of it begins.
    Few {
        left: Range<usize>,
        from: usize,
    },
    Many(Box<Cursor>),
}

struct Cursor {
    postings: BlockSegmentPostings,
    /// In the block.
    at: usize,
    info: TermInfo,
    field: Field,
}

pub(super) struct Lists<'a> {
    /// In the order of the plan.
    pub lists: Vec<List>,
    /// Numbers of lists, highest peak first.
    pub order: Vec<usize>,
    docs: Vec<u32>,
    gains: Vec<f64>,
    bm25: [Bm25; 2],
    opened: Vec<(Field, Arc<InvertedIndexReader>)>,
    lookup: &'a LookUp<'a>,
}

impl<'a> LookUp<'a> {
    pub fn wanted(&self) -> impl Iterator<Item = &'a Wanted> {
        self.sought.iter().map(|s| s.wanted)
    }

    /// The lists of the segment of that number.
    pub fn open(
        &'a self,
        ordinal: usize,
        reader: &SegmentReader,
        segment: &Segment,
    ) -> Result<Lists<'a>> {
        let mut opening = Opening {
            lists: Lists {
                lists: Vec::with_capacity(self.sought.len() * 2),
                order: Vec::new(),
                docs: Vec::new(),
                gains: Vec::new(),
                bm25: [Sight::Words, Sight::Characters]
                    .map(|sight| self.averages.bm25(sight, self.weights)),
                opened: Vec::new(),
                lookup: self,
            },
            segment,
            block: None,
        };
        let none = Vec::new();
        let infos = self.infos.get(ordinal).unwrap_or(&none);
        let f = self.fields;
        for field in [f.words, f.characters, f.title_words, f.title_characters]
            .into_iter()
            .chain([f.keyword_words, f.keyword_characters])
        {
            opening.lists.opened.push((field, reader.inverted_index(field)?));
        }
        for s in &self.sought {
            // what no text of the segment has, no title or keyword has
            let Some(Some(info)) = infos.get(s.number) else { continue };
            let [body, title, keywords] = fields_of(self.fields, s.wanted.sight);
            let worth = 100.0 * s.worth / self.worth;
            opening.body(s, worth, body, info)?;
            for (part, field, share) in [
                (PartKind::Title, title, self.weights.title),
                (PartKind::Keywords, keywords, self.weights.keywords),
            ] {
                let worth = 100.0 * s.worth * share / self.worth;
                if worth > 0.0
                    && let Some(inverted) = opening.lists.inverted(field)
                    && let Some(info) = inverted.terms().get(s.wanted.term.as_bytes())?
                {
                    opening.flat(part, s, worth, field, &info)?;
                }
            }
        }
        for (number, phrase) in self.plan.phrases.iter().enumerate() {
            let worth = phrase.worth(&self.sought, self.worth);
            opening.phrase(
                number,
                phrase_gains(reader, segment, f.characters, phrase, worth, self.weights)?,
            );
        }
        let Opening { mut lists, .. } = opening;
        let peaks: Vec<f64> = lists.lists.iter().map(|l| l.peak).collect();
        let peak = |number: &usize| peaks.get(*number).copied().unwrap_or_default();
        lists.order = (0..peaks.len()).collect();
        lists.order.sort_by(|a, b| peak(b).total_cmp(&peak(a)));
        Ok(lists)
    }
}

struct Opening<'s, 'a> {
    lists: Lists<'a>,
    segment: &'s Segment,
    /// Read short lists through this, so that each costs no memory of its own.
    block: Option<(Field, BlockSegmentPostings)>,
}

impl Opening<'_, '_> {
    fn body(&mut self, s: &Sought, worth: f64, field: Field, info: &TermInfo) -> Result<()> {
        let averages = self.lists.lookup.averages;
        let bm25 = averages.bm25(s.wanted.sight, self.lists.lookup.weights);
        let lengths = self.segment.rows.lengths(s.wanted.sight);
        let part = body_part(s.wanted.sight);
        if info.doc_freq < FEW {
            let from = self.lists.docs.len();
            self.few(field, info, |docs, counts, gains| {
                for (doc, count) in docs.iter().zip(counts) {
                    let length = lengths.get(index(*doc)).copied().unwrap_or_default();
                    gains.push(bm25.gain(worth, *count, length));
                }
            })?;
            self.read(part, s.number, worth, from);
            return Ok(());
        }
        let Some(inverted) = self.lists.inverted(field) else { return Ok(()) };
        let with = IndexRecordOption::WithFreqs;
        let open = || Ok(inverted.read_block_postings_from_terminfo(info, with)?);
        let place = (field, info.postings_range.start);
        let peak = worth * self.segment.peaks.of(place, &bm25, lengths, open)?;
        self.many(part, s.number, worth, peak, field, info, with)
    }

    /// A list that gives the same for every entry.
    fn flat(
        &mut self,
        part: PartKind,
        s: &Sought,
        worth: f64,
        field: Field,
        info: &TermInfo,
    ) -> Result<()> {
        if info.doc_freq < FEW {
            let from = self.lists.docs.len();
            self.few(field, info, |docs, _, gains| gains.extend(docs.iter().map(|_| worth)))?;
            self.read(part, s.number, worth, from);
            return Ok(());
        }
        let with = IndexRecordOption::Basic;
        self.many(part, s.number, worth, worth, field, info, with)
    }

    fn phrase(&mut self, number: usize, gains: Vec<(u32, f64)>) {
        let from = self.lists.docs.len();
        for (doc, gain) in gains {
            self.lists.docs.push(doc);
            self.lists.gains.push(gain);
        }
        self.read(PartKind::Phrase, number, 0.0, from);
    }

    fn few(
        &mut self,
        field: Field,
        info: &TermInfo,
        mut weigh: impl FnMut(&[u32], &[u32], &mut Vec<f64>),
    ) -> Result<()> {
        let Some(inverted) = self.lists.inverted(field) else { return Ok(()) };
        let mut block = match self.block.take() {
            Some((of, mut block)) if of == field => {
                inverted.reset_block_postings_from_terminfo(info, &mut block)?;
                block
            }
            _ => inverted.read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?,
        };
        while block.block_len() > 0 {
            weigh(block.docs(), block.freqs(), &mut self.lists.gains);
            self.lists.docs.extend_from_slice(block.docs());
            block.advance();
        }
        self.block = Some((field, block));
        Ok(())
    }

    /// Makes a list of what was read from there on.
    fn read(&mut self, part: PartKind, term: usize, worth: f64, from: usize) {
        let to = self.lists.docs.len();
        let gains = self.lists.gains.get(from..to).unwrap_or_default();
        let peak = gains.iter().copied().fold(0.0, f64::max);
        if let Some(next) = self.lists.docs.get(from).copied() {
            let source = Source::Few { left: from..to, from };
            let entries = small(to - from);
            self.lists.lists.push(List { part, term, worth, peak, next, entries, source });
        }
    }

    #[allow(clippy::too_many_arguments)] // all of them make up the list
    fn many(
        &mut self,
        part: PartKind,
        term: usize,
        worth: f64,
        peak: f64,
        field: Field,
        info: &TermInfo,
        with: IndexRecordOption,
    ) -> Result<()> {
        let Some(inverted) = self.lists.inverted(field) else { return Ok(()) };
        let postings = inverted.read_block_postings_from_terminfo(info, with)?;
        let next = postings.doc(0);
        let (entries, info) = (info.doc_freq, info.clone());
        let source = Source::Many(Box::new(Cursor { postings, at: 0, info, field }));
        self.lists.lists.push(List { part, term, worth, peak, next, entries, source });
        Ok(())
    }
}

impl Lists<'_> {
    fn inverted(&self, field: Field) -> Option<Arc<InvertedIndexReader>> {
        self.opened.iter().find(|(f, _)| *f == field).map(|(_, inverted)| inverted.clone())
    }

    pub fn postings(&self) -> usize {
        self.lists.iter().map(|l| index(l.entries)).sum()
    }

    /// Adds what the list gives the documents `low..low + sums.len()`; answers how many entries that
    /// took. `lengths` are those of the documents of the window, words first.
    pub fn add(
        &mut self,
        number: usize,
        low: u32,
        sums: &mut [f32],
        lengths: [&[u32]; 2],
    ) -> usize {
        let Some(list) = self.lists.get_mut(number) else { return 0 };
        let high = low + small(sums.len());
        let mut added = 0;
        match &mut list.source {
            Source::Few { left, .. } => {
                let docs = self.docs.get(left.clone()).unwrap_or_default();
                let gains = self.gains.get(left.clone()).unwrap_or_default();
                let mut passed = 0;
                for (doc, gain) in docs.iter().zip(gains).take_while(|(doc, _)| **doc < high) {
                    passed += 1;
                    if let Some(at) = doc.checked_sub(low)
                        && let Some(sum) = sums.get_mut(index(at))
                    {
                        *sum += rough(*gain);
                        added += 1;
                    }
                }
                list.next = docs.get(passed).copied().unwrap_or(u32::MAX);
                left.start += passed;
            }
            Source::Many(cursor) => {
                let weighing = Weighing::of(list.part, list.worth, &self.bm25, lengths);
                if cursor.postings.block_len() > cursor.at && cursor.postings.doc(cursor.at) < low {
                    cursor.at = cursor.postings.seek(low);
                }
                loop {
                    let all = cursor.postings.docs();
                    let docs = all.get(cursor.at..).unwrap_or_default();
                    let inside = match docs.last() {
                        None => 0,
                        Some(last) if *last < high => docs.len(),
                        Some(_) => docs.partition_point(|doc| *doc < high),
                    };
                    let docs = docs.get(..inside).unwrap_or_default();
                    let counts = cursor.postings.freqs().get(cursor.at..).unwrap_or_default();
                    weighing.add(docs, counts, low, sums);
                    added += inside;
                    cursor.at += inside;
                    if cursor.at < all.len() || all.is_empty() {
                        break;
                    }
                    cursor.postings.advance();
                    cursor.at = 0;
                }
                list.next = cursor.next();
            }
        }
        added
    }

    /// Adds what the list gives each of the candidates, given by rising place in the window.
    pub fn probe(
        &mut self,
        number: usize,
        low: u32,
        places: impl Iterator<Item = u32>,
        sums: &mut [f32],
        lengths: [&[u32]; 2],
    ) -> usize {
        let Some(list) = self.lists.get_mut(number) else { return 0 };
        let Source::Many(cursor) = &mut list.source else {
            return self.add(number, low, sums, lengths);
        };
        let weighing = Weighing::of(list.part, list.worth, &self.bm25, lengths);
        let mut added = 0;
        for place in places {
            let doc = low + place;
            if cursor.next() < doc {
                cursor.at = cursor.postings.seek(doc);
            }
            if cursor.next() == doc {
                let counts = cursor.postings.freqs().get(cursor.at..).unwrap_or_default();
                weighing.add(&[doc], counts, low, sums);
                added += 1;
            }
        }
        list.next = cursor.next();
        added
    }

    /// The exact accounts of these documents, which rise.
    pub fn account(&self, segment: &Segment, docs: &[u32]) -> Result<Vec<Account>> {
        let mut accounts: Vec<Account> = docs
            .iter()
            .map(|doc| Account { flat: segment.base + index(*doc), ..Account::default() })
            .collect();
        let share = |worth: f64| worth / 100.0;
        for list in &self.lists {
            let covers = matches!(list.part, PartKind::Words | PartKind::Characters);
            let give = |account: &mut Account, points: f64| {
                account.points += points;
                account.covered += if covers { share(list.worth) } else { 0.0 };
                account.gains.push(Gain { part: list.part, term: list.term, points });
            };
            match &list.source {
                Source::Few { left, from } => {
                    let own = self.docs.get(*from..left.end).unwrap_or_default();
                    let gains = self.gains.get(*from..left.end).unwrap_or_default();
                    for (doc, account) in docs.iter().zip(&mut accounts) {
                        if let Ok(at) = own.binary_search(doc)
                            && let Some(gain) = gains.get(at)
                        {
                            give(account, *gain);
                        }
                    }
                }
                Source::Many(cursor) => {
                    let Some(inverted) = self.inverted(cursor.field) else { continue };
                    let with = IndexRecordOption::WithFreqs;
                    let mut postings =
                        inverted.read_block_postings_from_terminfo(&cursor.info, with)?;
                    let body = of_body(list.part, [Sight::Words, Sight::Characters])
                        .zip(of_body(list.part, self.bm25));
                    for (doc, account) in docs.iter().zip(&mut accounts) {
                        let at = postings.seek(*doc);
                        if postings.doc(at) != *doc {
                            continue;
                        }
                        let points = match body {
                            Some((sight, bm25)) => {
                                let lengths = segment.rows.lengths(sight);
                                let length = lengths.get(index(*doc)).copied().unwrap_or_default();
                                bm25.gain(list.worth, postings.freq(at), length)
                            }
                            None => list.worth,
                        };
                        give(account, points);
                    }
                }
            }
        }
        Ok(accounts)
    }
}

fn body_part(sight: Sight) -> PartKind {
    match sight {
        Sight::Words => PartKind::Words,
        Sight::Characters => PartKind::Characters,
    }
}

/// Which of a pair, words first, weighs this part; none where every entry gets the same.
fn of_body<T>(part: PartKind, [words, characters]: [T; 2]) -> Option<T> {
    match part {
        PartKind::Words => Some(words),
        PartKind::Characters => Some(characters),
        _ => None,
    }
}

/// [`Bm25::gain`] in single precision, for the documents of one window.
enum Weighing<'a> {
    Same(f32),
    Body { worth: f32, base: f32, by_length: f32, lengths: &'a [u32] },
}

impl<'a> Weighing<'a> {
    fn of(part: PartKind, worth: f64, bm25: &[Bm25; 2], lengths: [&'a [u32]; 2]) -> Self {
        match (of_body(part, [0, 1]).and_then(|i: usize| bm25.get(i)), of_body(part, lengths)) {
            (Some(bm25), Some(lengths)) => Self::Body {
                worth: rough(worth * (bm25.k1 + 1.0)),
                base: rough(bm25.k1 * (1.0 - bm25.b)),
                by_length: rough(bm25.k1 * bm25.b / bm25.average),
                lengths,
            },
            _ => Self::Same(rough(worth)),
        }
    }

    /// Adds the gains of documents, all of which lie in the window, to its sums.
    fn add(&self, docs: &[u32], counts: &[u32], low: u32, sums: &mut [f32]) {
        match self {
            Self::Same(gain) => {
                for doc in docs {
                    if let Some(sum) = sums.get_mut(index(doc.wrapping_sub(low))) {
                        *sum += gain;
                    }
                }
            }
            Self::Body { worth, base, by_length, lengths } => {
                for (doc, count) in docs.iter().zip(counts) {
                    let at = index(doc.wrapping_sub(low));
                    if let (Some(sum), Some(length)) = (sums.get_mut(at), lengths.get(at)) {
                        let count = rough_count(*count);
                        let norm = base + by_length * rough_count(*length);
                        *sum += worth * count / (count + norm);
                    }
                }
            }
        }
    }
}

impl Cursor {
    /// The next document; the largest number when there is none.
    fn next(&self) -> u32 {
        self.postings.docs().get(self.at).copied().unwrap_or(u32::MAX)
    }
}
