//! The listing that is held against the saved questions.
use std::collections::BTreeMap;

use super::{Sight, saved::Lane};
use crate::{
    Result,
    analysis::Token,
    index::{Index, head},
    listing::{Kind, Listing},
    request::MAX_TEXT,
    view::{Row, View},
};

/// How a listing has a term.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    count: u32,
    title: bool,
    keywords: bool,
    /// Where a pair of characters stands; values are far apart.
    pub positions: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Title,
    Text,
    Keyword,
}

pub(super) struct Subject<'v> {
    pub row: Row<'v>,
    /// In the order in which a question is weighed.
    pub terms: Vec<(Sight, String, Found)>,
}

impl<'v> Subject<'v> {
    /// Reads the listing as it was committed.
    pub fn read(index: &Index, view: &'v View, kind: Kind, id: &str) -> Result<Option<Self>> {
        let Some(flat) = view.find(&index.fields.key(kind, id))? else { return Ok(None) };
        let (row, listing) = (view.row(flat), view.listing(flat)?);
        let read = row.zip(listing);
        Ok(read.map(|(row, listing)| Self::of(index, row, &listing)))
    }

    /// The listing of that row.
    pub fn of(index: &Index, row: Row<'v>, listing: &Listing) -> Self {
        let (mut words, mut characters) = (BTreeMap::new(), BTreeMap::new());
        let mut values = vec![(Place::Title, &listing.title), (Place::Text, &listing.text)];
        values.extend(listing.keywords.iter().map(|k| (Place::Keyword, k)));
        for (number, (place, value)) in (0..).zip(values) {
            let analysis = index.analyzer.analyse(head(value, MAX_TEXT));
            for token in analysis.words {
                count(&mut words, token, place);
            }
            for token in analysis.characters {
                let at = (number << 32) + u64::from(token.position);
                count(&mut characters, token, place).positions.push(at);
            }
        }
        let of = |sight, terms: BTreeMap<String, Found>| {
            terms.into_iter().map(move |(term, found)| (sight, term, found))
        };
        let terms = of(Sight::Words, words).chain(of(Sight::Characters, characters)).collect();
        Self { row, terms }
    }

    /// What one unit of a term's worth earns here: 1 for a search, which asks only whether the term is
    /// there.
    pub fn share(&self, view: &View, lane: Lane, sight: Sight, found: &Found) -> f64 {
        if !lane.is_match() {
            return 1.0;
        }
        let (weights, size) = (lane.weights(), view.size(self.row.kind()));
        let length = self.row.length(sight);
        let total = match sight {
            Sight::Words => size.words,
            Sight::Characters => size.characters,
        };
        let average = if size.listings > 0.0 { (total / size.listings).max(1.0) } else { 1.0 };
        let (k1, b) = (weights.k1, weights.b);
        let norm = k1 * (1.0 - b + b * f64::from(length) / average);
        let often = f64::from(found.count);
        let mut share = often * (k1 + 1.0) / (often + norm);
        if found.title {
            share += weights.title;
        }
        if found.keywords {
            share += weights.keywords;
        }
        share
    }
}

fn count(terms: &mut BTreeMap<String, Found>, token: Token, place: Place) -> &mut Found {
    let found = terms.entry(token.term).or_default();
    found.count += 1;
    found.title |= place == Place::Title;
    found.keywords |= place == Place::Keyword;
    found
}
