//! The folder of an index: who holds it, which of its engines is in use, and whether that one is whole.
//!
//! | name | what |
//! |---|---|
//! | `lock` | held open as long as the index is |
//! | `current` | the name of the engine's folder in use; without it, `tantivy` |
//! | `tantivy`, `tantivy-1` … | engines; all but the one in use are leftovers |
//! | `checked` | size and time of the files that were whole when they were last looked at |
use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use tantivy::{TantivyError, directory::MmapDirectory};

use super::{
    document::schema,
    engine::{builder, reader},
    stamp::Stamp,
};
use crate::{Error, Result, parallel, view::View};

const FIRST: &str = "tantivy";

pub(super) fn lock(dir: &Path) -> Result<File> {
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

/// The engine in use; the first one as long as none was named.
pub(super) fn home(dir: &Path) -> PathBuf {
    let path = dir.join("current");
    let named = fs::read_to_string(&path).unwrap_or_else(|error| {
        if error.kind() != std::io::ErrorKind::NotFound {
            tracing::warn!(%error, path = %path.display(), "the name of the index in use cannot be read");
        }
        String::new()
    });
    let known = is_engine(named.trim()) && dir.join(named.trim()).is_dir();
    dir.join(if known { named.trim() } else { FIRST })
}

fn is_engine(name: &str) -> bool {
    let number = name.strip_prefix(FIRST).and_then(|rest| rest.strip_prefix('-'));
    name == FIRST || number.is_some_and(|n| n.parse::<u32>().is_ok())
}

/// A folder for another engine, which does not exist yet.
pub(super) fn another(dir: &Path) -> PathBuf {
    let mut names = (1_u32..).map(|n| dir.join(format!("{FIRST}-{n}")));
    names.find(|path| !path.exists()).unwrap_or_else(|| dir.join(FIRST))
}

/// Makes `home` the engine in use, in one step that a crash cannot halve.
pub(super) fn point(dir: &Path, home: &Path) -> Result<()> {
    let (path, draft) = (dir.join("current"), dir.join("current.new"));
    let name = home.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let write = || {
        fs::write(&draft, name)?;
        File::open(&draft)?.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|e| Error::io(&path, e))
}

/// Removes the engines that nobody uses: what a crash left of a rebuilding.
pub(super) fn tidy(dir: &Path, home: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let leftover = is_engine(&entry.file_name().to_string_lossy()) && entry.path() != home;
        if leftover && let Err(error) = fs::remove_dir_all(entry.path()) {
            tracing::warn!(%error, folder = %entry.path().display(), "a former index stays behind");
        }
    }
}

pub(super) fn create(home: &Path) -> Result<tantivy::Index> {
    fs::create_dir_all(home).map_err(|e| Error::io(home, e))?;
    let directory = MmapDirectory::open(home).map_err(TantivyError::from)?;
    Ok(builder().open_or_create(directory)?)
}

pub(super) enum Found {
    /// With what it shows.
    Good(tantivy::Index, Stamp, Box<View>),
    Nothing,
    Broken(String),
}

/// What is in `home`. Files that `checked` knows by size and time are taken to be what they were; all
/// others are read from end to end.
pub(super) fn existing(dir: &Path, home: &Path) -> Found {
    let empty = fs::read_dir(home).map_or(true, |mut entries| entries.next().is_none());
    if empty {
        return Found::Nothing;
    }
    check(dir, home).unwrap_or_else(|why| Found::Broken(why.to_string()))
}

fn check(dir: &Path, home: &Path) -> Result<Found> {
    let directory = MmapDirectory::open(home).map_err(TantivyError::from)?;
    let engine = tantivy::Index::open(directory)?;
    let broken = |why: &str| Ok(Found::Broken(why.to_owned()));
    let metas = engine.load_metas()?;
    let Some(payload) = metas.payload else {
        return broken("the index was never committed");
    };
    let stamp: Stamp = serde_json::from_str(&payload)?;
    if !stamp.is_whole() {
        return broken("the stamp of the last commit is damaged");
    }
    if engine.schema() != schema().0 {
        return broken("the schema is another one");
    }
    // before anything reads a segment: the engine trusts its files
    let known = recorded(dir);
    let segments: Vec<String> = metas.segments.iter().map(|s| s.id().uuid_string()).collect();
    let is_used = |name: &String| segments.iter().any(|segment| name.starts_with(segment));
    let unknown: Vec<String> = sizes(home)
        .into_iter()
        .filter(|(name, size)| is_used(name) && known.get(name) != Some(size))
        .map(|(name, _)| name)
        .collect();
    let is_whole = parallel::each(unknown.len(), parallel::cores(), |number| {
        let Some(name) = unknown.get(number) else { return Ok(true) };
        let whole = engine.directory().validate_checksum(Path::new(name));
        Ok(whole.map_err(TantivyError::from)?)
    })?;
    let damaged = unknown.into_iter().zip(is_whole).filter(|(_, whole)| !whole);
    let damaged: Vec<String> = damaged.map(|(name, _)| name).collect();
    if !damaged.is_empty() {
        return broken(&format!("damaged files: {}", damaged.join(", ")));
    }
    let view = View::build(reader(&engine)?.searcher(), None)?;
    view.try_reading(&schema().1)?;
    Ok(Found::Good(engine, stamp, Box::new(view)))
}

type Sizes = BTreeMap<String, (u64, u64)>;

/// Length, and nanoseconds of the last change, of every file.
fn sizes(home: &Path) -> Sizes {
    let mut sizes = Sizes::new();
    for entry in fs::read_dir(home).into_iter().flatten().flatten() {
        let Ok(data) = entry.metadata() else { continue };
        let changed = data.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let nanos = changed.and_then(|at| u64::try_from(at.as_nanos()).ok()).unwrap_or_default();
        sizes.insert(entry.file_name().to_string_lossy().into_owned(), (data.len(), nanos));
    }
    sizes
}

fn recorded(dir: &Path) -> Sizes {
    let text = fs::read(dir.join("checked")).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Notes that the files in `home` are whole. Losing the note costs time at the next start, no more.
pub(super) fn record(dir: &Path, home: &Path) {
    let write = || {
        let draft = dir.join("checked.new");
        fs::write(&draft, serde_json::to_vec(&sizes(home))?)?;
        fs::rename(&draft, dir.join("checked"))
    };
    if let Err(error) = write() {
        tracing::debug!(%error, "the next start will check every file");
    }
}
