//! What the engine is given of a listing: the schema, and a listing as a document of it.
use tantivy::{
    TantivyDocument, Term,
    schema::{
        FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions,
    },
};

use super::cut;
use crate::{
    Result,
    analysis::{Analyzer, fold},
    listing::{Kind, Listing},
    number::whole,
    request::MAX_TEXT,
};

/// Changes whenever the fields below change; part of the fingerprint.
pub(super) const SCHEMA_VERSION: u32 = 3;
/// Separates keywords in one value.
pub(crate) const SEPARATOR: char = '\u{1}';

/// The text fields of one kind. Kinds are kept apart so that a term's rarity is the rarity among
/// what is searched, and so that matching reads no postings of the other side.
#[derive(Clone, Copy)]
pub(crate) struct TextFields {
    pub words: Field,
    pub characters: Field,
    pub title_words: Field,
    pub title_characters: Field,
    pub keyword_words: Field,
    pub keyword_characters: Field,
}

#[derive(Clone, Copy)]
pub(crate) struct Fields {
    key: Field,
    pub listing: Field,
    achievement: TextFields,
    demand: TextFields,
    kind: Field,
    hidden: Field,
    trl: Field,
    amount: Field,
    published_at: Field,
    word_count: Field,
    character_count: Field,
    id: Field,
    owner: Field,
    title: Field,
    folded_title: Field,
    folded_keywords: Field,
    field: Field,
    region: Field,
    stage: Field,
    industry: Field,
}

impl Fields {
    pub fn text(&self, kind: Kind) -> &TextFields {
        match kind {
            Kind::Achievement => &self.achievement,
            Kind::Demand => &self.demand,
        }
    }
}

pub(super) fn schema() -> (Schema, Fields) {
    let mut b = Schema::builder();
    let text = |option: IndexRecordOption| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(cut::NAME)
                .set_fieldnorms(false) // exact lengths are columns
                .set_index_option(option),
        )
    };
    let mut side = |kind: Kind| {
        let mut field =
            |name: &str, option| b.add_text_field(&format!("{}_{name}", kind.slug()), text(option));
        TextFields {
            words: field("words", IndexRecordOption::WithFreqs),
            characters: field("characters", IndexRecordOption::WithFreqsAndPositions),
            title_words: field("title_words", IndexRecordOption::Basic),
            title_characters: field("title_characters", IndexRecordOption::Basic),
            keyword_words: field("keyword_words", IndexRecordOption::Basic),
            keyword_characters: field("keyword_characters", IndexRecordOption::Basic),
        }
    };
    let (achievement, demand) = (side(Kind::Achievement), side(Kind::Demand));
    let column = || TextOptions::default().set_fast("raw");
    let fields = Fields {
        key: b.add_text_field("key", STRING),
        listing: b.add_text_field("listing", TextOptions::default().set_stored()),
        achievement,
        demand,
        kind: b.add_u64_field("kind", FAST),
        hidden: b.add_u64_field("hidden", FAST),
        trl: b.add_u64_field("trl", FAST),
        amount: b.add_i64_field("amount", FAST),
        published_at: b.add_i64_field("published_at", FAST | INDEXED),
        word_count: b.add_u64_field("word_count", FAST),
        character_count: b.add_u64_field("character_count", FAST),
        id: b.add_text_field("id", column()),
        owner: b.add_text_field("owner", column()),
        title: b.add_text_field("title", column()),
        folded_title: b.add_text_field("folded_title", column()),
        folded_keywords: b.add_text_field("folded_keywords", column()),
        field: b.add_text_field("field", column()),
        region: b.add_text_field("region", column()),
        stage: b.add_text_field("stage", column()),
        industry: b.add_text_field("industry", column()),
    };
    (b.build(), fields)
}

impl Fields {
    /// The term that names a listing.
    pub(crate) fn key(&self, kind: Kind, id: &str) -> Term {
        Term::from_field_text(self.key, &key(kind, id))
    }
}

pub(super) fn document(
    f: &Fields,
    analyzer: &Analyzer,
    listing: &Listing,
) -> Result<TantivyDocument> {
    let text = f.text(listing.kind);
    let mut d = TantivyDocument::new();
    d.add_text(f.key, key(listing.kind, &listing.id));
    d.add_text(f.listing, serde_json::to_string(listing)?);
    d.add_u64(f.kind, kind_number(listing.kind));
    d.add_u64(f.hidden, u64::from(listing.hidden));
    d.add_i64(f.published_at, listing.published_at);
    if let Some(trl) = listing.trl {
        d.add_u64(f.trl, u64::from(trl));
    }
    if let Some(amount) = listing.amount_fen {
        d.add_i64(f.amount, amount);
    }
    d.add_text(f.id, &listing.id);
    d.add_text(f.owner, &listing.owner);
    d.add_text(f.title, &listing.title);
    let optional = [
        (f.field, &listing.field),
        (f.region, &listing.region),
        (f.stage, &listing.stage),
        (f.industry, &listing.industry),
    ];
    for (field, value) in optional {
        if let Some(value) = value {
            d.add_text(field, value);
        }
    }
    let title = head(&listing.title, MAX_TEXT);
    d.add_text(f.folded_title, fold(title).text);
    let keywords: Vec<String> =
        listing.keywords.iter().map(|k| fold(head(k, MAX_TEXT)).text).collect();
    d.add_text(f.folded_keywords, keywords.join(&SEPARATOR.to_string()));

    let (mut words, mut characters) = (0, 0);
    let mut add = |d: &mut TantivyDocument, value: &str, heads: Option<(Field, Field)>| {
        let analysis = analyzer.analyse(value);
        words += analysis.words.len();
        characters += analysis.characters.len();
        if let Some((w, c)) = heads {
            d.add_text(w, cut::line(&analysis.words));
            d.add_text(c, cut::line(&analysis.characters));
        }
        d.add_text(text.words, cut::line(&analysis.words));
        d.add_text(text.characters, cut::line(&analysis.characters));
    };
    add(&mut d, title, Some((text.title_words, text.title_characters)));
    add(&mut d, head(&listing.text, MAX_TEXT), None);
    for keyword in &listing.keywords {
        let heads = Some((text.keyword_words, text.keyword_characters));
        add(&mut d, head(keyword, MAX_TEXT), heads);
    }
    d.add_u64(f.word_count, whole(words));
    d.add_u64(f.character_count, whole(characters));
    Ok(d)
}
fn key(kind: Kind, id: &str) -> String {
    format!("{}:{id}", kind.slug())
}

pub(crate) fn kind_number(kind: Kind) -> u64 {
    match kind {
        Kind::Achievement => 0,
        Kind::Demand => 1,
    }
}

/// The first `limit` characters.
pub(crate) fn head(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text; // no need to count
    }
    match text.char_indices().nth(limit) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}
