//! The index on disk: opening and checking it, writing to it, showing what was committed.
//!
//! Folder layout: `lock` (held open as long as the index is) and `tantivy/` (the engine's files).
//! Every commit carries a stamp: the journal position it reaches and the fingerprint of everything
//! that shapes the terms. An index of another fingerprint would mix two vocabularies, so it is
//! built anew rather than used.
use std::{
    fs::{File, TryLockError},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tantivy::{
    IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError, Term,
    directory::{MmapDirectory, error::LockError},
    merge_policy::LogMergePolicy,
    schema::{
        FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions,
    },
    tokenizer::{PreTokenizedString, Token as EngineToken},
};

use crate::{
    Error, Result,
    analysis::{self, Analyzer, Token, fold},
    listing::{Kind, Listing},
    number::{index, whole},
    request::MAX_TEXT,
    view::View,
};

/// Changes whenever the fields below change; part of the fingerprint.
const SCHEMA_VERSION: u32 = 1;
/// Bytes the writer may fill before it flushes a segment.
const WRITER_BYTES: usize = 40 << 20;
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

fn schema() -> (Schema, Fields) {
    let mut b = Schema::builder();
    let text = |option: IndexRecordOption| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("raw") // values arrive cut already
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

/// What a commit says about itself.
#[derive(Debug, Serialize, Deserialize)]
struct Stamp {
    fingerprint: String,
    position: Option<i64>,
    /// Digest of the two: a position that went bad would skip or repeat changes unseen.
    check: String,
}

impl Stamp {
    fn new(fingerprint: &str, position: Option<i64>) -> Self {
        let digest = Sha256::digest(format!("{fingerprint} {position:?}"));
        Self { fingerprint: fingerprint.to_owned(), position, check: hex(&digest) }
    }
}

/// An index just opened.
pub struct Opened {
    pub index: Index,
    /// The position given with the last commit; feed the journal from there. None: from the start.
    pub resumed: Option<i64>,
    /// Why what was in the folder had to be thrown away, if it had to.
    pub rebuilt: Option<String>,
}

/// Search and matching over one folder. Readers share it freely (`Sync`); writing methods take
/// turns on a lock inside, and nothing they do is visible before [`Index::commit`].
pub struct Index {
    pub(crate) fields: Fields,
    pub(crate) analyzer: Analyzer,
    view: RwLock<Arc<View>>,
    reader: IndexReader,
    writer: Mutex<IndexWriter>,
    fingerprint: String,
    // after the writer, so that it is let go last
    _lock: Option<File>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl Index {
    /// Opens the folder, or creates it. What is there is checked as a whole (stamp, every file's
    /// checksum, a trial read); anything wrong with it empties the folder, and `rebuilt` says why.
    ///
    /// # Errors
    /// [`Error::Busy`] when another handle has the folder open: nothing is touched then.
    /// [`Error::Io`] when the folder cannot be written at all.
    pub fn open(dir: &Path) -> Result<Opened> {
        let analyzer = Analyzer::new()?;
        std::fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
        let lock = lock(dir)?;
        let home = dir.join("tantivy");
        let fingerprint = fingerprint(&analyzer);
        // the engine answers damage with errors, but a panic in it must not take the service down
        let found = catch_unwind(AssertUnwindSafe(|| existing(&home, &fingerprint)))
            .unwrap_or_else(|_| Found::Broken("the index cannot be read".into()));
        let (engine, resumed, rebuilt) = match found {
            Found::Good(engine, position) => (engine, position, None),
            Found::Nothing => (create(&home)?, None, None),
            Found::Broken(why) => {
                tracing::warn!(%why, folder = %home.display(), "rebuilding the search index");
                std::fs::remove_dir_all(&home).map_err(|e| Error::io(&home, e))?;
                (create(&home)?, None, Some(why))
            }
        };
        let fresh = resumed.is_none();
        let index = Self::over(engine, analyzer, fingerprint, Some(lock)).map_err(|e| match e {
            Error::Engine(TantivyError::LockFailure(LockError::LockBusy, _)) => {
                Error::Busy(dir.to_path_buf())
            }
            other => other,
        })?;
        if fresh {
            index.stamp(None)?;
        }
        Ok(Opened { index, resumed, rebuilt })
    }

    /// An index that lives as long as the value.
    pub fn in_memory() -> Result<Self> {
        let analyzer = Analyzer::new()?;
        let fingerprint = fingerprint(&analyzer);
        Self::over(tantivy::Index::create_in_ram(schema().0), analyzer, fingerprint, None)
    }

    fn over(
        engine: tantivy::Index,
        analyzer: Analyzer,
        fingerprint: String,
        lock: Option<File>,
    ) -> Result<Self> {
        let writer = engine.writer_with_num_threads(1, WRITER_BYTES)?;
        let mut policy = LogMergePolicy::default();
        policy.set_min_num_segments(6);
        policy.set_del_docs_ratio_before_merge(0.3);
        writer.set_merge_policy(Box::new(policy));
        let reader = reader(&engine)?;
        let view = View::build(reader.searcher(), None)?;
        Ok(Self {
            fields: schema().1,
            analyzer,
            view: RwLock::new(Arc::new(view)),
            reader,
            writer: Mutex::new(writer),
            fingerprint,
            _lock: lock,
        })
    }

    /// What the last commit showed; a search works on one view from start to end.
    pub(crate) fn view(&self) -> Arc<View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn writer(&self) -> MutexGuard<'_, IndexWriter> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a listing, or replaces the one of the same kind and id.
    pub fn put(&self, listing: &Listing) -> Result<()> {
        let document = self.document(listing)?;
        let writer = self.writer();
        writer.delete_term(self.key(listing.kind, &listing.id));
        writer.add_document(document)?;
        Ok(())
    }

    /// Takes a listing out; one that is not there is no fault.
    pub fn remove(&self, kind: Kind, id: &str) -> Result<()> {
        self.writer().delete_term(self.key(kind, id));
        Ok(())
    }

    /// Takes everything out. As with every change, the next commit makes it so.
    pub fn clear(&self) -> Result<()> {
        self.writer().delete_all_documents()?;
        Ok(())
    }

    /// Makes all changes since the last commit durable and visible, and stamps them with the journal
    /// position they reach. After an error all of them are forgotten: feed again from the last
    /// position committed.
    pub fn commit(&self, position: i64) -> Result<()> {
        self.stamp(Some(position))
    }

    /// Listings visible, hidden ones included.
    pub fn len(&self) -> usize {
        self.view().alive()
    }

    /// Shows every visible listing as it was put in, hidden ones included, in no order.
    pub fn for_each(&self, mut show: impl FnMut(Listing)) -> Result<()> {
        let view = self.view();
        for (flat, _) in view.rows() {
            if let Some(listing) = view.listing(&self.fields, flat)? {
                show(listing);
            }
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hash of everything that shapes the terms: schema, analysis, lexicon, engine version.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn stamp(&self, position: Option<i64>) -> Result<()> {
        let stamp = serde_json::to_string(&Stamp::new(&self.fingerprint, position))?;
        let mut writer = self.writer();
        let done = writer.prepare_commit().and_then(|mut commit| {
            commit.set_payload(&stamp);
            commit.commit()
        });
        if let Err(error) = done {
            if let Err(again) = writer.rollback() {
                tracing::error!(error = %again, "the index writer cannot roll back");
            }
            return Err(error.into());
        }
        self.reader.reload()?;
        let view = View::build(self.reader.searcher(), Some(&self.view()))?;
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        Ok(())
    }

    fn key(&self, kind: Kind, id: &str) -> Term {
        Term::from_field_text(self.fields.key, &key(kind, id))
    }

    fn document(&self, listing: &Listing) -> Result<TantivyDocument> {
        let f = &self.fields;
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
            let analysis = self.analyzer.analyse(value);
            words += analysis.words.len();
            characters += analysis.characters.len();
            if let Some((w, c)) = heads {
                d.add_pre_tokenized_text(w, engine_tokens(&analysis.words));
                d.add_pre_tokenized_text(c, engine_tokens(&analysis.characters));
            }
            d.add_pre_tokenized_text(text.words, engine_tokens(&analysis.words));
            d.add_pre_tokenized_text(text.characters, engine_tokens(&analysis.characters));
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
    match text.char_indices().nth(limit) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

fn engine_tokens(tokens: &[Token]) -> PreTokenizedString {
    let tokens = tokens
        .iter()
        .map(|t| EngineToken {
            offset_from: t.start,
            offset_to: t.end,
            position: index(t.position),
            text: t.term.clone(),
            position_length: 1,
        })
        .collect();
    PreTokenizedString { text: String::new(), tokens }
}

fn fingerprint(analyzer: &Analyzer) -> String {
    let mut hash = Sha256::new();
    let parts = [
        &SCHEMA_VERSION.to_string(),
        &analysis::VERSION.to_string(),
        analyzer.digest(),
        tantivy::version_string(),
    ];
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    hex(&hash.finalize())
}

/// The first 16 bytes of a digest.
fn hex(digest: &[u8]) -> String {
    digest.iter().take(16).map(|b| format!("{b:02x}")).collect()
}

fn lock(dir: &Path) -> Result<File> {
    let path = dir.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| Error::io(&path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Busy(dir.to_path_buf())),
        Err(TryLockError::Error(e)) => Err(Error::io(&path, e)),
    }
}

fn reader(engine: &tantivy::Index) -> Result<IndexReader> {
    Ok(engine
        .reader_builder()
        .reload_policy(ReloadPolicy::Manual) // a commit reloads; nothing else may change the view
        .doc_store_cache_num_blocks(64)
        .try_into()?)
}

fn create(home: &Path) -> Result<tantivy::Index> {
    std::fs::create_dir_all(home).map_err(|e| Error::io(home, e))?;
    let directory = MmapDirectory::open(home).map_err(TantivyError::from)?;
    Ok(tantivy::Index::open_or_create(directory, schema().0)?)
}

enum Found {
    Good(tantivy::Index, Option<i64>),
    Nothing,
    Broken(String),
}

fn existing(home: &Path, fingerprint: &str) -> Found {
    let empty = std::fs::read_dir(home).map_or(true, |mut entries| entries.next().is_none());
    if empty {
        return Found::Nothing;
    }
    check(home, fingerprint).unwrap_or_else(|why| Found::Broken(why.to_string()))
}

fn check(home: &Path, fingerprint: &str) -> Result<Found> {
    let directory = MmapDirectory::open(home).map_err(TantivyError::from)?;
    let engine = tantivy::Index::open(directory)?;
    let broken = |why: &str| Ok(Found::Broken(why.to_owned()));
    let Some(payload) = engine.load_metas()?.payload else {
        return broken("the index was never committed");
    };
    let stamp: Stamp = serde_json::from_str(&payload)?;
    if stamp.fingerprint != fingerprint {
        return broken("schema, lexicon or analysis have changed");
    }
    if Stamp::new(&stamp.fingerprint, stamp.position).check != stamp.check {
        return broken("the stamp of the last commit is damaged");
    }
    if engine.schema() != schema().0 {
        return broken("the schema is another one");
    }
    // before anything reads a segment: the engine trusts its files
    let mut damaged: Vec<String> =
        engine.validate_checksum()?.iter().map(|p| p.display().to_string()).collect();
    if !damaged.is_empty() {
        damaged.sort();
        return broken(&format!("damaged files: {}", damaged.join(", ")));
    }
    let view = View::build(reader(&engine)?.searcher(), None)?;
    view.try_reading(&schema().1)?;
    Ok(Found::Good(engine, stamp.position))
}
