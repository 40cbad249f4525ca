//! Where the evidence of a match stands in the found listing's own text.
//!
//! Scores are made from postings, which know that a listing has a term and not where. So the listings that
//! are shown are read once more. Evidence of character pairs is a run of the request whose every pair the
//! listing has; where the listing says them apart, the longest piece of the run that it does say takes its
//! place, so that everything shown can be pointed at.
use std::sync::{Mutex, PoisonError};

use crate::{
    Result,
    analysis::{Folded, fold},
    explanation::{Evidence, Place, Span},
    index::{Index, head},
    listing::Listing,
    parallel,
    request::{MAX_TEXT, Match},
};

impl Index {
    /// Gives the evidence of these matches its place in their text. What has been withdrawn or changed
    /// since keeps evidence without a place.
    pub fn locate(&self, matches: &mut [Match]) -> Result<()> {
        self.locate_all(matches.iter_mut().collect(), 1)
    }

    /// The same for the answers to many requests, on `threads` threads (at least one). A listing that stands
    /// in several of them is read once.
    pub fn locate_many(&self, answers: &mut [Vec<Match>], threads: usize) -> Result<()> {
        self.locate_all(answers.iter_mut().flatten().collect(), threads)
    }

    fn locate_all(&self, mut matches: Vec<&mut Match>, threads: usize) -> Result<()> {
        let view = self.view();
        matches.sort_unstable_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
        let of_one = matches.chunk_by_mut(|a, b| (a.kind, &a.id) == (b.kind, &b.id));
        let listings: Vec<Mutex<&mut [&mut Match]>> = of_one.map(Mutex::new).collect();
        parallel::each(listings.len(), threads, |number| {
            let Some(matches) = listings.get(number) else { return Ok(()) };
            let mut matches = matches.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(first) = matches.first() else { return Ok(()) };
            let key = self.fields.key(first.kind, &first.id);
            let Some(flat) = view.find(&key)? else { return Ok(()) };
            let Some(listing) = view.listing(flat)? else { return Ok(()) };
            let text = Read::of(&listing);
            let parts = matches.iter_mut().flat_map(|found| &mut found.explanation.parts);
            parts.flat_map(|part| &mut part.evidence).for_each(|evidence| text.locate(evidence));
            Ok(())
        })?;
        Ok(())
    }
}

/// The values of one listing, folded as they were indexed.
struct Read {
    title: Folded,
    text: Folded,
    keywords: Vec<Folded>,
}

impl Read {
    fn of(listing: &Listing) -> Self {
        let folded = |text: &str| fold(head(text, MAX_TEXT));
        Self {
            title: folded(&listing.title),
            text: folded(&listing.text),
            keywords: listing.keywords.iter().map(|k| folded(k)).collect(),
        }
    }

    fn locate(&self, evidence: &mut Evidence) {
        if evidence.field == Place::Value {
            return;
        }
        let term: Vec<char> = evidence.term.chars().collect();
        // a pair is the least that a run is made of
        let shortest = term.len().min(2);
        for length in (shortest..=term.len()).rev() {
            for piece in term.windows(length) {
                let piece: String = piece.iter().collect();
                if let Some((field, span)) = self.find(&piece, evidence.field) {
                    *evidence = Evidence { term: piece, field, span: Some(span) };
                    return;
                }
            }
        }
    }

    /// Where the piece stands first, in `wanted` before the other fields.
    fn find(&self, piece: &str, wanted: Place) -> Option<(Place, Span)> {
        let order = [wanted, Place::Title, Place::Keywords, Place::Text];
        order.into_iter().find_map(|place| {
            let span = match place {
                Place::Title => span(&self.title, piece, None),
                Place::Text => span(&self.text, piece, None),
                Place::Keywords => self
                    .keywords
                    .iter()
                    .enumerate()
                    .find_map(|(number, keyword)| span(keyword, piece, Some(number))),
                Place::Value => None,
            };
            span.map(|span| (place, span))
        })
    }
}

/// Latin terms are whole words, or the stem of one: they begin where a word begins.
fn span(text: &Folded, piece: &str, keyword: Option<usize>) -> Option<Span> {
    let is_latin = |c: char| c.is_ascii_alphanumeric();
    let starts = piece.chars().next().is_some_and(is_latin);
    let ends = piece.chars().next_back().is_some_and(|c| c.is_ascii_alphabetic());
    text.text.match_indices(piece).find_map(|(at, _)| {
        let before = text.text.get(..at)?;
        if starts && before.chars().next_back().is_some_and(is_latin) {
            return None;
        }
        let from = before.chars().count();
        let mut to = from + piece.chars().count();
        if ends {
            let rest = text.text.get(at + piece.len()..)?;
            to += rest.chars().take_while(char::is_ascii_alphabetic).count();
        }
        let (start, end) = text.original(from, to);
        Some(Span { start, end, keyword })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::listing::Kind;

    fn told(term: &str, field: Place) -> (String, Place, Option<Span>) {
        let listing = Listing {
            text: "ＬｉＦｅＰＯ４／Ｃ正極材料，Batteries。镁碳砖的抗氧化与热震。".into(),
            keywords: vec!["耐火材料".into(), "镁碳砖".into()],
            ..Listing::new(Kind::Achievement, "a", "石墨烯改性耐火砖")
        };
        let mut evidence = Evidence { term: term.into(), field, span: None };
        Read::of(&listing).locate(&mut evidence);
        (evidence.term, evidence.field, evidence.span)
    }

    #[test]
    fn evidence_is_pointed_at() {
        let at = |start, end, keyword| Some(Span { start, end, keyword });
        assert_eq!(told("石墨烯", Place::Title), ("石墨烯".into(), Place::Title, at(0, 3, None)));
        // another field than told, and a keyword by its number
        assert_eq!(told("镁碳砖", Place::Title).1, Place::Keywords);
        assert_eq!(told("镁碳砖", Place::Title).2, at(0, 3, Some(1)));
        assert_eq!(told("镁碳砖", Place::Text).2, at(24, 27, None));
        // folded: full width, traditional, plural
        assert_eq!(told("lifepo4/c", Place::Text).2, at(0, 9, None));
        assert_eq!(told("正极材料", Place::Text).2, at(9, 13, None));
        assert_eq!(told("batter", Place::Text).2, at(14, 23, None));
        // a run that stands there in pieces only
        assert_eq!(
            told("抗氧化热震", Place::Text),
            ("抗氧化".into(), Place::Text, at(28, 31, None))
        );
        assert_eq!(told("没有", Place::Text), ("没有".into(), Place::Text, None));
    }
}
