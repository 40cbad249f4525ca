//! The index on disk: opening and checking it, writing to it, showing what was committed, and putting
//! another in its place.
//!
//! Every commit carries a stamp: the journal position it reaches and the fingerprint of everything
//! that shapes the terms. An index of another fingerprint still answers, a little worse, while one is
//! built [`beside`](Index::beside) it that then [takes over](Index::take_over).
mod cut;
mod document;
mod engine;
mod folder;
mod stamp;

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, mpsc::sync_channel},
};

use tantivy::{TantivyDocument, TantivyError, Term, directory::error::LockError};

pub(crate) use cut::{NAME as CUT, register as register_cut};
pub(crate) use document::{Fields, SEPARATOR, TextFields, head, kind_number};
use document::{document, schema};
use engine::Engine;
use folder::Found;

use crate::{
    Error, Result,
    analysis::Analyzer,
    listing::{Kind, Listing},
    parallel,
    view::View,
};

/// An index just opened.
pub struct Opened {
    pub index: Index,
    /// The position given with the last commit; feed the journal from there. None: from the start.
    pub resumed: Option<i64>,
    /// Why what was in the folder had to be thrown away, if it had to.
    pub rebuilt: Option<String>,
    /// Whether what is there was made with another lexicon or analysis: it can be searched, and should
    /// be replaced by one built [`beside`](Index::beside) it.
    pub outdated: bool,
}

/// Search and matching over one folder. Readers share it freely (`Sync`); writing methods take
/// turns on a lock inside, and nothing they do is visible before [`Index::commit`].
pub struct Index {
    pub(crate) fields: Fields,
    pub(crate) analyzer: Analyzer,
    view: RwLock<Arc<View>>,
    engine: Mutex<Engine>,
    fingerprint: String,
    dir: Option<PathBuf>,
    // after the engine, so that it is let go last
    _lock: Option<File>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl Index {
    /// Opens the folder, or creates it. What is there is checked (stamp, checksums of all files that
    /// are not known to be whole, a trial read); anything wrong with it empties the folder, and
    /// `rebuilt` says why.
    ///
    /// # Errors
    /// [`Error::Busy`] when another handle has the folder open: nothing is touched then.
    /// [`Error::Io`] when the folder cannot be written at all.
    pub fn open(dir: &Path) -> Result<Opened> {
        std::fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
        let lock = folder::lock(dir)?;
        let home = folder::home(dir);
        folder::tidy(dir, &home);
        let (analyzer, found) = std::thread::scope(|scope| {
            // the dictionary takes a moment to load; the answer comes from the second call below
            scope.spawn(Analyzer::new);
            // the engine answers damage with errors, but a panic in it must not take the service down
            let found = catch_unwind(AssertUnwindSafe(|| folder::existing(dir, &home)))
                .unwrap_or_else(|_| Found::Broken("the index cannot be read".into()));
            (Analyzer::new(), found)
        });
        let analyzer = analyzer?;
        let fingerprint = stamp::fingerprint(&analyzer);
        let (engine, found, rebuilt) = match found {
            Found::Good(engine, stamp, view) => (engine, Some((stamp, *view)), None),
            Found::Nothing => (folder::create(&home)?, None, None),
            Found::Broken(why) => {
                tracing::warn!(%why, folder = %home.display(), "rebuilding the search index");
                std::fs::remove_dir_all(&home).map_err(|e| Error::io(&home, e))?;
                (folder::create(&home)?, None, Some(why))
            }
        };
        let (stamp, view) = found.unzip();
        let resumed = stamp.as_ref().and_then(|stamp| stamp.position);
        // what it holds was cut by the rules of its own stamp, and so its commits say
        let made_by = stamp.map_or_else(|| fingerprint.clone(), |stamp| stamp.fingerprint);
        let outdated = made_by != fingerprint;
        let engine = Engine::new(engine, made_by, Some(home)).map_err(|e| match e {
            Error::Engine(TantivyError::LockFailure(LockError::LockBusy, _)) => {
                Error::Busy(dir.to_path_buf())
            }
            other => other,
        })?;
        let view = view.map_or_else(|| engine.view(None), Ok)?;
        let dir = Some(dir.to_path_buf());
        let index = Self::over(engine, view, analyzer, fingerprint, dir, Some(lock));
        if resumed.is_none() {
            index.stamp(None)?;
        } else {
            index.record(&index.engine());
        }
        Ok(Opened { index, resumed, rebuilt, outdated })
    }

    /// An index that lives as long as the value.
    pub fn in_memory() -> Result<Self> {
        let analyzer = Analyzer::new()?;
        let fingerprint = stamp::fingerprint(&analyzer);
        let engine = engine::builder().create_in_ram()?;
        let engine = Engine::new(engine, fingerprint.clone(), None)?;
        let view = engine.view(None)?;
        Ok(Self::over(engine, view, analyzer, fingerprint, None, None))
    }

    fn over(
        engine: Engine,
        view: View,
        analyzer: Analyzer,
        fingerprint: String,
        dir: Option<PathBuf>,
        lock: Option<File>,
    ) -> Self {
        Self {
            fields: schema().1,
            analyzer,
            view: RwLock::new(Arc::new(view)),
            engine: Mutex::new(engine),
            fingerprint,
            dir,
            _lock: lock,
        }
    }

    /// What the last commit showed; a search works on one view from start to end.
    pub(crate) fn view(&self) -> Arc<View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a listing, or replaces the one of the same kind and id.
    ///
    /// After an error everything since the last commit is forgotten, here as in all changes: feed again
    /// from the last position committed.
    pub fn put(&self, listing: &Listing) -> Result<()> {
        let document = document(&self.fields, &self.analyzer, listing)?;
        self.engine().replace(self.fields.key(listing.kind, &listing.id), document)
    }

    /// Adds many, cut on all cores: for what is loaded whole.
    pub fn put_many(&self, listings: &[Listing]) -> Result<()> {
        let (fields, analyzer) = (self.fields, self.analyzer);
        each_cut(fields, analyzer, listings, |key, document| self.engine().replace(key, document))
    }

    /// Adds many, and shows each as it is handed to the engine.
    pub(crate) fn put_many_and(
        &self,
        listings: &[Listing],
        mut show: impl FnMut(&TantivyDocument) -> Result<()>,
    ) -> Result<()> {
        each_cut(self.fields, self.analyzer, listings, |key, document| {
            show(&document)?;
            self.engine().replace(key, document)
        })
    }

    /// Takes a listing out; one that is not there is no fault.
    pub fn remove(&self, kind: Kind, id: &str) -> Result<()> {
        self.engine().remove(self.fields.key(kind, id))
    }

    /// Takes everything out. As with every change, the next commit makes it so.
    pub fn clear(&self) -> Result<()> {
        self.engine().clear()
    }

    /// Makes all changes since the last commit durable and visible, and stamps them with the journal
    /// position they reach.
    pub fn commit(&self, position: i64) -> Result<()> {
        self.stamp(Some(position))
    }

    /// Listings visible, hidden ones included.
    pub fn len(&self) -> usize {
        self.view().alive()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The listing as it was put in, hidden or not; none where it is not visible.
    pub fn listing(&self, kind: Kind, id: &str) -> Result<Option<Listing>> {
        let view = self.view();
        let flat = view.find(&self.fields.key(kind, id))?;
        flat.map_or(Ok(None), |flat| view.listing(flat))
    }

    /// Shows every visible listing as it was put in, hidden ones included, in no order.
    pub fn for_each(&self, mut show: impl FnMut(Listing)) -> Result<()> {
        let view = self.view();
        for (flat, _) in view.rows() {
            if let Some(listing) = view.listing(flat)? {
                show(listing);
            }
        }
        Ok(())
    }

    /// Kind, id, technology field and region of every listing that anybody may find, in no order.
    pub fn census(&self, mut show: impl FnMut(Kind, &str, Option<&str>, Option<&str>)) {
        let view = self.view();
        for (_, row) in view.rows().filter(|(_, row)| !row.hidden()) {
            show(row.kind(), row.id(), row.field(), row.region());
        }
    }

    /// Hash of everything that shapes the terms: schema, analysis, lexicon, engine version.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Reads every file from end to end; answers the names of those that are not what was written.
    /// [`open`](Self::open) looks only at files that changed since they were last found whole.
    pub fn damaged_files(&self) -> Result<Vec<String>> {
        let files = self.engine().files();
        let damaged = files.validate_checksum()?;
        let mut names: Vec<String> = damaged.iter().map(|p| p.display().to_string()).collect();
        names.sort();
        Ok(names)
    }

    /// Begins an empty index beside this one, which goes on as if nothing were.
    pub fn beside(&self) -> Result<Beside> {
        let home = self.dir.as_deref().map(folder::another);
        let engine = match &home {
            Some(home) => folder::create(home)?,
            None => engine::builder().create_in_ram()?,
        };
        let engine = Some(Engine::new(engine, self.fingerprint.clone(), home)?);
        Ok(Beside { engine, fields: self.fields, analyzer: self.analyzer })
    }

    /// Puts `next` in the place of this index, all at once for every reader; what was there before goes
    /// away when the last of its readers is done. `next` must have been committed, and must have been
    /// given everything this index was.
    pub fn take_over(&self, mut next: Beside) -> Result<()> {
        let Some(next) = next.engine.take() else { return Ok(()) };
        let view = Arc::new(next.view(None)?);
        let mut engine = self.engine();
        if let (Some(dir), Some(home)) = (&self.dir, next.home()) {
            folder::point(dir, home)?;
        }
        let former = std::mem::replace(&mut *engine, next);
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
        self.record(&engine);
        drop(engine);
        former.dispose();
        Ok(())
    }

    fn stamp(&self, position: Option<i64>) -> Result<()> {
        let mut engine = self.engine();
        engine.commit(position)?;
        let view = engine.view(Some(&self.view()))?;
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        self.record(&engine);
        Ok(())
    }

    fn record(&self, engine: &Engine) {
        if let (Some(dir), Some(home)) = (&self.dir, engine.home()) {
            folder::record(dir, home);
        }
    }
}

/// An index in the making, beside the one in use. Dropped before it took over, it leaves nothing.
pub struct Beside {
    /// None once it has taken over.
    engine: Option<Engine>,
    fields: Fields,
    analyzer: Analyzer,
}

impl Beside {
    fn engine(&mut self) -> Result<&mut Engine> {
        let gone = || TantivyError::InternalError("the index has taken over".into());
        Ok(self.engine.as_mut().ok_or_else(gone)?)
    }

    pub fn put(&mut self, listing: &Listing) -> Result<()> {
        let document = document(&self.fields, &self.analyzer, listing)?;
        let key = self.fields.key(listing.kind, &listing.id);
        self.engine()?.replace(key, document)
    }

    /// Adds many, cut on all cores.
    pub fn put_many(&mut self, listings: &[Listing]) -> Result<()> {
        let (fields, analyzer) = (self.fields, self.analyzer);
        let engine = self.engine()?;
        each_cut(fields, analyzer, listings, |key, document| engine.replace(key, document))
    }

    pub fn remove(&mut self, kind: Kind, id: &str) -> Result<()> {
        let key = self.fields.key(kind, id);
        self.engine()?.remove(key)
    }

    /// Makes what it was given durable, with the journal position it reaches.
    pub fn commit(&mut self, position: i64) -> Result<()> {
        self.engine()?.commit(Some(position))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.dispose();
        }
    }
}

/// Cuts listings into documents on all cores and hands them on in no order.
fn each_cut(
    fields: Fields,
    analyzer: Analyzer,
    listings: &[Listing],
    mut each: impl FnMut(Term, TantivyDocument) -> Result<()>,
) -> Result<()> {
    let threads = parallel::cores();
    let share = listings.len().div_ceil(threads).max(1);
    // a few wait between cutting and writing, so that neither stands still
    let (give, take) = sync_channel(64);
    std::thread::scope(|scope| {
        for share in listings.chunks(share) {
            let give = give.clone();
            scope.spawn(move || {
                for listing in share {
                    let cut = document(&fields, &analyzer, listing)
                        .map(|document| (fields.key(listing.kind, &listing.id), document));
                    if give.send(cut).is_err() {
                        return; // the other end has failed and says so
                    }
                }
            });
        }
        drop(give);
        for cut in take {
            let (key, document) = cut?;
            each(key, document)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests;
