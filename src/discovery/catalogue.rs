//! The catalogue of this node: how it is opened, fed from the journal, rebuilt and checked.
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use keshi_index::{
    Index, Kind, Listing, Match, MatchRequest, index::Beside, likeness::Likenesses,
    semantic::Semantic,
};

use super::exposure::Exposure;
use crate::{
    achievements::{self, model::Achievement},
    demands::{
        self,
        model::{Demand, Visibility},
    },
    kernel::{
        Code, Db, Error, Id, Moment, Result,
        journal::{self, Consumer, Event},
        of,
    },
};

/// How many rows are read at once when the whole index is made anew; the feed waits for one such step.
const CHUNK: i64 = 200;

/// Events that an index built beside may be told in its last step.
const LITTLE: i64 = 200;

/// Events after which the cursor is made durable even when none of them touched the index.
const COMMIT_EVERY: i64 = 5_000;

/// How long to wait after a rebuild that failed.
const RETRY: Duration = Duration::from_secs(60);

/// The file beside the index that asks a running server for a rebuild.
const WISH: &str = "rebuild";

/// This node's index, shared by every request, and what else it keeps in memory about listings.
#[derive(Clone)]
pub struct Catalogue {
    index: Arc<Index>,
    dir: PathBuf,
    resumed: Option<i64>,
    /// The index was made with another lexicon, or is damaged: it answers until another takes over.
    outdated: Arc<AtomicBool>,
    /// How far the feed has come, for whoever asks whether this node is ready.
    position: Arc<AtomicI64>,
    likes: Arc<RwLock<Likenesses>>,
    knows_all: Arc<AtomicBool>,
    exposure: Arc<Exposure>,
    strength: f64,
    meaning: Option<Arc<Semantic>>,
}

impl Catalogue {
    /// Opens the index in `dir`. A missing or broken one is begun anew, and said so; an outdated one is
    /// used until another is built beside it. With a `strength` above 0, answers are evened out.
    pub fn open(dir: &Path, strength: f64) -> Result<Self> {
        let opened =
            Index::open(dir).with_context(|| format!("opening the index in {}", dir.display()))?;
        if let Some(reason) = &opened.rebuilt {
            tracing::warn!(%reason, "the index is made anew from the tables");
        }
        if opened.outdated {
            tracing::info!("the index was made by another version; another is built beside it");
        }
        let position = Arc::new(AtomicI64::new(opened.resumed.unwrap_or(0)));
        Ok(Self {
            index: Arc::new(opened.index),
            dir: dir.to_path_buf(),
            resumed: opened.resumed,
            outdated: Arc::new(AtomicBool::new(opened.outdated)),
            position,
            likes: Arc::default(),
            knows_all: Arc::default(),
            exposure: Arc::default(),
            strength,
            meaning: None,
        })
    }

    /// The same, ranking the best matches once more by meaning.
    pub fn by_meaning(self, meaning: Semantic) -> Self {
        Self { meaning: Some(Arc::new(meaning)), ..self }
    }

    /// What ranks by meaning, where the operator provides a model.
    pub fn meaning(&self) -> Option<&Semantic> {
        self.meaning.as_deref()
    }

    /// Names the way matches are ranked.
    pub fn model(&self) -> &str {
        match self.meaning() {
            Some(meaning) => meaning.model(),
            None => keshi_index::model(),
        }
    }

    /// The best partners for a listing or a text. The age of a listing is that of today.
    pub fn matches(&self, request: &MatchRequest) -> Result<Vec<Match>> {
        let request = dated(request);
        Ok(match self.meaning() {
            Some(meaning) => meaning.matches(&self.index, &request)?,
            None => self.index.matches(&request)?,
        })
    }

    /// The same for many, on so many threads.
    pub fn match_many(&self, requests: &[MatchRequest], threads: usize) -> Result<Vec<Vec<Match>>> {
        let requests: Vec<MatchRequest> = requests.iter().map(dated).collect();
        Ok(match self.meaning() {
            Some(meaning) => meaning.match_many(&self.index, &requests, threads)?,
            None => self.index.match_many(&requests, threads)?,
        })
    }

    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The journal position that this node's index has reached.
    pub fn position(&self) -> i64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Reads the whole index in search of damage; what is damaged is replaced, beside the traffic.
    pub fn check(&self) -> Result<()> {
        let damaged = self.index.damaged_files().context("checking the index")?;
        if !damaged.is_empty() {
            tracing::error!(files = %damaged.join(", "), "the index is damaged; another is built beside it");
            self.outdated.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// The consumer that keeps this catalogue up to date.
    pub fn feed(&self) -> IndexFeed {
        let position = self.resumed.unwrap_or(0);
        IndexFeed {
            catalogue: self.clone(),
            position,
            committed: position,
            fresh: self.resumed.is_none(),
            next: None,
            not_before: None,
        }
    }

    pub(super) fn likes(&self) -> RwLockReadGuard<'_, Likenesses> {
        self.likes.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn likes_mut(&self) -> RwLockWriteGuard<'_, Likenesses> {
        self.likes.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every listing has been sketched since this node started.
    pub fn knows_all(&self) -> bool {
        self.knows_all.load(Ordering::Acquire)
    }

    pub(super) fn now_knows_all(&self) {
        self.knows_all.store(true, Ordering::Release);
    }

    /// How often listings were shown.
    pub fn exposure(&self) -> &Exposure {
        &self.exposure
    }

    /// The share of its score that a listing shown often can lose.
    pub fn strength(&self) -> f64 {
        self.strength
    }
}

fn dated(request: &MatchRequest) -> MatchRequest {
    MatchRequest { now: Some(Moment::now().unix_micros()), ..request.clone() }
}

/// Asks the server that holds the index in `dir` to build another one beside it.
pub fn ask_to_rebuild(dir: &Path) -> Result<()> {
    let path = dir.join(WISH);
    std::fs::write(&path, "").with_context(|| format!("writing {}", path.display()))?;
    Ok(())
}

/// Follows the journal: re-reads each listing that an event names, and replaces or deletes it.
pub struct IndexFeed {
    catalogue: Catalogue,
    position: i64,
    committed: i64,
    /// Nothing has been read yet: begin with the tables instead of the whole history.
    fresh: bool,
    next: Option<Next>,
    /// After a failure of building another index.
    not_before: Option<Instant>,
}

/// An index in the making, filled from the tables step by step.
struct Next {
    index: Beside,
    /// What happened after this has to be told it once more.
    position: i64,
    after: Place,
}

/// How far the tables have been read.
#[derive(Clone, Copy)]
enum Place {
    Achievements(Option<Id<of::Achievement>>),
    Demands(Option<Id<of::Demand>>),
}

impl Consumer for IndexFeed {
    fn name(&self) -> &'static str {
        "index"
    }

    fn position(&self, _: &Db) -> Result<i64> {
        Ok(self.position)
    }

    /// One step of building an index beside the one in use, where that is called for.
    fn tend(&mut self, db: &Db) -> Result<usize> {
        if self.fresh || self.not_before.is_some_and(|at| Instant::now() < at) {
            return Ok(0);
        }
        let wish = self.catalogue.dir.join(WISH);
        if self.next.is_none() && std::fs::remove_file(wish).is_ok() {
            tracing::info!("a rebuild of the index was asked for");
            self.catalogue.outdated.store(true, Ordering::Release);
        }
        if !self.catalogue.outdated.load(Ordering::Acquire) {
            return Ok(0);
        }
        let begun = self.next.take().map_or_else(|| self.begin(), Ok);
        match begun.and_then(|next| self.build(db, next)) {
            Ok(next) => self.next = next,
            Err(error) => {
                // the one in use is not to suffer from it
                tracing::error!(%error, cause = ?error, "another index could not be built; it will be tried again");
                self.not_before = Some(Instant::now() + RETRY);
                return Ok(0);
            }
        }
        Ok(1)
    }

    fn take(&mut self, db: &Db, events: &[Event]) -> Result<()> {
        let Some(last) = events.last() else { return Ok(()) };
        // they may be another node's: what this one keeps in memory is no longer sure
        db.touch();
        if self.fresh {
            self.position = rebuild(db, &self.catalogue)?;
            (self.committed, self.fresh) = (self.position, false);
            self.catalogue.position.store(self.position, Ordering::Relaxed);
            return Ok(());
        }
        let rows = named(db, events)?;
        for (kind, id, listing) in &rows {
            match listing {
                Some(listing) => self.catalogue.index.put(listing),
                None => self.catalogue.index.remove(*kind, id),
            }
            .context("changing the index")?;
        }
        // only a commit makes the cursor durable; a crash before it repeats harmless work
        if !rows.is_empty() || last.position() - self.committed >= COMMIT_EVERY {
            self.catalogue.index.commit(last.position()).context("committing the index")?;
            self.committed = last.position();
        }
        self.position = last.position();
        self.catalogue.position.store(self.position, Ordering::Relaxed);
        Ok(())
    }
}

impl IndexFeed {
    fn begin(&self) -> Result<Next> {
        let index = self.catalogue.index.beside().context("beginning another index")?;
        Ok(Next { index, position: self.position, after: Place::Achievements(None) })
    }

    /// One step of filling; after the last one it is told what happened meanwhile, and takes over.
    fn build(&self, db: &Db, mut next: Next) -> Result<Option<Next>> {
        if let Some((listings, after)) = chunk(db, next.after)? {
            next.index.put_many(&listings).context("filling another index")?;
            next.after = after;
            return Ok(Some(next));
        }
        // the feed goes on between the steps, until little is left to tell
        let last_step = self.position - next.position <= LITTLE;
        while next.position < self.position {
            let mut events = db.read_now(|conn| journal::after(conn, next.position))?;
            events.retain(|event| event.position() <= self.position);
            let Some(last) = events.last() else { break };
            let mut listings = Vec::new();
            for (kind, id, listing) in named(db, &events)? {
                match listing {
                    Some(listing) => listings.push(listing),
                    None => next.index.remove(kind, &id).context("filling another index")?,
                }
            }
            next.index.put_many(&listings).context("filling another index")?;
            next.position = last.position();
            if !last_step {
                return Ok(Some(next));
            }
        }
        next.index.commit(self.position).context("committing another index")?;
        self.catalogue.index.take_over(next.index).context("taking another index")?;
        self.catalogue.outdated.store(false, Ordering::Release);
        tracing::info!(listings = self.catalogue.index.len(), "another index has taken over");
        Ok(None)
    }
}

/// The listings that events name, with what the index should hold of them.
fn named(db: &Db, events: &[Event]) -> Result<Vec<(Kind, String, Option<Listing>)>> {
    let mut achievements: Vec<Id<of::Achievement>> =
        events.iter().filter_map(|e| e.subject_id("achievement")).collect();
    let mut demands: Vec<Id<of::Demand>> =
        events.iter().filter_map(|e| e.subject_id("demand")).collect();
    achievements.sort_unstable();
    achievements.dedup();
    demands.sort_unstable();
    demands.dedup();
    if achievements.is_empty() && demands.is_empty() {
        return Ok(Vec::new());
    }
    db.read_now(move |conn| {
        let mut rows = Vec::new();
        for id in achievements {
            let row = achievements::for_index(conn, id)?;
            rows.push((
                Kind::Achievement,
                id.to_string(),
                row.as_ref().map(listing_of_achievement),
            ));
        }
        for id in demands {
            let row = demands::for_index(conn, id)?;
            rows.push((Kind::Demand, id.to_string(), row.as_ref().map(listing_of_demand)));
        }
        Ok(rows)
    })
}

/// Makes the whole index anew from the tables; answers the journal position it stands at.
///
/// The position is read first: what happens meanwhile is seen again by the consumer.
pub fn rebuild(db: &Db, catalogue: &Catalogue) -> Result<i64> {
    let (position, _) = db.read_now(journal::head)?;
    catalogue.index.clear().context("clearing the index")?;
    each_published(db, |listings| {
        catalogue.index.put_many(&listings).context("filling the index")?;
        Ok(())
    })?;
    catalogue.index.commit(position).context("committing the index")?;
    Ok(position)
}

/// The next published listings after a place, and the place after them; none at the end.
fn chunk(db: &Db, after: Place) -> Result<Option<(Vec<Listing>, Place)>> {
    match after {
        Place::Achievements(after) => {
            let rows = db.read_now(|conn| achievements::all_published(conn, after, CHUNK))?;
            let next = match rows.last() {
                Some(last) => Place::Achievements(Some(last.id)),
                None => Place::Demands(None),
            };
            Ok(Some((rows.iter().map(listing_of_achievement).collect(), next)))
        }
        Place::Demands(after) => {
            let rows = db.read_now(|conn| demands::all_published(conn, after, CHUNK))?;
            let Some(last) = rows.last() else { return Ok(None) };
            let next = Place::Demands(Some(last.id));
            Ok(Some((rows.iter().map(listing_of_demand).collect(), next)))
        }
    }
}

fn each_published(db: &Db, mut f: impl FnMut(Vec<Listing>) -> Result<()>) -> Result<()> {
    let mut place = Place::Achievements(None);
    while let Some((listings, after)) = chunk(db, place)? {
        f(listings)?;
        place = after;
    }
    Ok(())
}

/// Compares the index with the tables; answers the first difference, or how many listings agree.
pub fn verify(db: &Db, catalogue: &Catalogue) -> Result<std::result::Result<usize, String>> {
    let mut held = BTreeMap::new();
    catalogue.index.for_each(|listing| {
        held.insert((listing.kind.slug(), listing.id.clone()), listing);
    })?;
    let (mut seen, mut wrong) = (0usize, None);
    each_published(db, |listings| {
        for listing in listings {
            seen += 1;
            let difference = match held.remove(&(listing.kind.slug(), listing.id.clone())) {
                None => Some("is published but not in the index"),
                Some(other) if other != listing => Some("is in the index with other content"),
                Some(_) => None,
            };
            if let (None, Some(difference)) = (&wrong, difference) {
                wrong = Some(format!("{} {} {difference}", listing.kind.slug(), listing.id));
            }
        }
        Ok(())
    })?;
    if let (None, Some((kind, id))) = (&wrong, held.keys().next()) {
        wrong = Some(format!("{kind} {id} is in the index but not published"));
    }
    Ok(match wrong {
        Some(wrong) => Err(wrong),
        None => Ok(seen),
    })
}

/// What the index knows of an achievement. The region decides on filters, so it is the listing's own.
pub fn listing_of_achievement(row: &Achievement) -> Listing {
    Listing {
        text: row.abstract_text.clone(),
        keywords: row.keywords.to_vec(),
        field: Some(row.field.slug().to_owned()),
        region: Some(row.region_code.to_string()),
        stage: Some(row.stage.slug().to_owned()),
        trl: u8::try_from(row.trl).ok(),
        amount_fen: row.price_fen.map(|p| p.0),
        industry: row.industry.clone(),
        published_at: row.published_at.unwrap_or(row.created_at).unix_micros(),
        owner: row.organization_id.to_string(),
        ..Listing::new(Kind::Achievement, row.id.to_string(), row.title.clone())
    }
}

/// What the index knows of a demand. Indicators are part of what is asked for, so they are searched.
pub fn listing_of_demand(row: &Demand) -> Listing {
    let mut text = row.description.clone();
    for indicator in row.indicators.iter() {
        text.push_str(&format!("\n{}：{}", indicator.name, indicator.target));
    }
    Listing {
        text,
        keywords: row.keywords.to_vec(),
        field: Some(row.field.slug().to_owned()),
        region: Some(row.region_code.to_string()),
        stage: None,
        trl: row.min_trl.and_then(|t| u8::try_from(t).ok()),
        amount_fen: row.budget_fen.map(|b| b.0),
        industry: row.industry.clone(),
        published_at: row.published_at.unwrap_or(row.created_at).unix_micros(),
        owner: row.organization_id.to_string(),
        hidden: row.visibility == Visibility::Private,
        ..Listing::new(Kind::Demand, row.id.to_string(), row.title.clone())
    }
}

impl From<keshi_index::Error> for Error {
    fn from(cause: keshi_index::Error) -> Self {
        Self::Internal(anyhow::Error::new(cause).context("the index"))
    }
}
