//! Failures from below: a disk that is full, an engine that gives up.
use std::{
    io::{self, ErrorKind, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tantivy::{
    Directory, IndexSettings,
    directory::{
        AntiCallToken, DirectoryLock, FileHandle, Lock, RamDirectory, TerminatingWrite,
        WatchCallback, WatchHandle, WritePtr,
        error::{DeleteError, LockError, OpenReadError, OpenWriteError},
    },
};

use super::*;
use crate::SearchRequest;

/// A disk that can be full.
#[derive(Debug, Clone)]
struct Disk {
    files: RamDirectory,
    full: Arc<AtomicBool>,
}

impl Disk {
    fn room(&self) -> io::Result<()> {
        if self.full.load(Ordering::SeqCst) {
            return Err(io::Error::new(ErrorKind::StorageFull, "no space left on device"));
        }
        Ok(())
    }
}

/// A file on it; what is written after the disk is full is lost and says so.
struct Page {
    inner: WritePtr,
    disk: Disk,
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.room()?;
        self.inner.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.disk.room()?;
        self.inner.flush()
    }
}

impl TerminatingWrite for Page {
    fn terminate_ref(&mut self, token: AntiCallToken) -> io::Result<()> {
        self.disk.room()?;
        self.inner.terminate_ref(token)
    }
}

impl Directory for Disk {
    fn get_file_handle(
        &self,
        path: &Path,
    ) -> std::result::Result<Arc<dyn FileHandle>, OpenReadError> {
        self.files.get_file_handle(path)
    }
    fn delete(&self, path: &Path) -> std::result::Result<(), DeleteError> {
        self.files.delete(path)
    }
    fn exists(&self, path: &Path) -> std::result::Result<bool, OpenReadError> {
        self.files.exists(path)
    }
    fn open_write(&self, path: &Path) -> std::result::Result<WritePtr, OpenWriteError> {
        let inner = self.files.open_write(path)?;
        Ok(io::BufWriter::new(Box::new(Page { inner, disk: self.clone() })))
    }
    fn atomic_read(&self, path: &Path) -> std::result::Result<Vec<u8>, OpenReadError> {
        self.files.atomic_read(path)
    }
    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.room()?;
        self.files.atomic_write(path, data)
    }
    fn sync_directory(&self) -> io::Result<()> {
        self.room()?;
        self.files.sync_directory()
    }
    fn acquire_lock(&self, lock: &Lock) -> std::result::Result<DirectoryLock, LockError> {
        self.files.acquire_lock(lock)
    }
    fn watch(&self, call: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.files.watch(call)
    }
}

fn index_on(disk: &Disk) -> Index {
    let engine =
        tantivy::Index::create(disk.clone(), schema().0, IndexSettings::default()).unwrap();
    let analyzer = Analyzer::new().unwrap();
    let fingerprint = stamp::fingerprint(&analyzer);
    let engine = Engine::new(engine, fingerprint.clone(), None).unwrap();
    let view = engine.view(None).unwrap();
    Index::over(engine, view, analyzer, fingerprint, None, None)
}

fn listing(id: &str) -> Listing {
    Listing::new(Kind::Achievement, id, format!("石墨烯薄膜{id}"))
}

fn found(index: &Index) -> Vec<String> {
    let page = index.search(&SearchRequest { q: "石墨烯".into(), ..Default::default() }).unwrap();
    let mut ids: Vec<String> = page.items.into_iter().map(|item| item.id).collect();
    ids.sort();
    ids
}

#[test]
fn a_full_disk_refuses_and_poisons_nothing() {
    let disk = Disk { files: RamDirectory::create(), full: Arc::default() };
    let index = index_on(&disk);
    index.put(&listing("a")).unwrap();
    index.commit(1).unwrap();

    disk.full.store(true, Ordering::SeqCst);
    for round in 2..6 {
        // taking a listing may go well, for it waits in memory; a commit cannot
        let put = index.put(&listing("b"));
        let committed = index.commit(round);
        let told = put.and(committed).unwrap_err().to_string();
        assert!(!told.is_empty());
        assert_eq!(found(&index), ["a"], "what was there is still there");
    }

    disk.full.store(false, Ordering::SeqCst);
    // forgotten with the failed commit; whoever feeds the index feeds it again
    index.commit(6).unwrap();
    assert_eq!(found(&index), ["a"]);
    for id in ["b", "c"] {
        index.put(&listing(id)).unwrap();
    }
    index.remove(Kind::Achievement, "a").unwrap();
    index.commit(7).unwrap();
    assert_eq!(found(&index), ["b", "c"]);

    // and a process that starts now finds a whole index at the position it says
    drop(index);
    let again = tantivy::Index::open(disk).unwrap();
    let stamp: stamp::Stamp =
        serde_json::from_str(&again.load_metas().unwrap().payload.unwrap()).unwrap();
    assert!(stamp.is_whole() && stamp.position == Some(7));
    assert!(again.validate_checksum().unwrap().is_empty());
}

#[test]
fn an_index_built_beside_takes_over_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path()).unwrap().index;
    index.put(&listing("a")).unwrap();
    index.commit(1).unwrap();
    let mut next = index.beside().unwrap();
    next.put(&listing("b")).unwrap();
    next.commit(5).unwrap();
    // the one in use goes on meanwhile
    index.put(&listing("c")).unwrap();
    index.commit(6).unwrap();
    assert_eq!(found(&index), ["a", "c"]);
    let before = index.view();
    next.put(&listing("c")).unwrap();
    next.commit(6).unwrap();
    index.take_over(next).unwrap();
    assert_eq!(found(&index), ["b", "c"]);
    // a search that began before ends on what it began with
    assert_eq!(before.alive(), 2);
    assert!(before.listing(0).unwrap().is_some());
    index.put(&listing("d")).unwrap();
    index.commit(7).unwrap();
    drop(index);

    let again = Index::open(dir.path()).unwrap();
    assert_eq!((again.resumed, again.rebuilt.as_deref(), again.outdated), (Some(7), None, false));
    assert_eq!(found(&again.index), ["b", "c", "d"]);
    // one that never took over leaves nothing
    let folders = || {
        let all = std::fs::read_dir(dir.path()).unwrap();
        all.filter(|e| e.as_ref().unwrap().path().is_dir()).count()
    };
    let next = again.index.beside().unwrap();
    assert_eq!(folders(), 2);
    drop(next);
    assert_eq!(folders(), 1);
}
