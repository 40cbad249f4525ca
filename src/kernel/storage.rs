//! Where documents are kept: a folder of this machine, or any S3-compatible store.
//!
//! An object is written whole before the row that names it, under a key that is never used again: a
//! crash leaves at most an object without a row, which a sweep removes. Nothing here holds more than a
//! few megabytes of an object in memory.
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use actix_web::web::Bytes;
use anyhow::Context;
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::{
    ObjectStore, ObjectStoreExt, WriteMultipart, aws::AmazonS3Builder, local::LocalFileSystem,
    path::Path as Key, prefix::PrefixStore,
};
use sha2::{Digest, Sha256};

use super::{Config, Db, DbConn, Error, Moment, Result, blocking, idempotency::hex};

/// The smallest part that S3 takes but for the last is 5 MiB.
const PART: usize = 8 * 1024 * 1024;
const CHUNK: usize = 1024 * 1024;
/// An upload lasts no longer: what is older and has no row never gets one.
const ORPHAN_AFTER_DAYS: i64 = 1;
/// Objects that are looked up at once.
const SWEEP: usize = 500;
/// Parts on their way at once.
const IN_FLIGHT: usize = 2;

/// The bytes of an object, piece by piece.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes>>>>;

#[derive(Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    /// Where an upload waits until it is known to be fit to keep.
    spool: PathBuf,
    /// The folder that is the store, if it is one.
    folder: Option<PathBuf>,
}

impl Storage {
    pub fn open(config: &Config) -> Result<Self> {
        let spool = config.data_dir.join("spool");
        std::fs::create_dir_all(&spool)
            .with_context(|| format!("making the folder {}", spool.display()))?;
        let settings = &config.storage;
        let (store, folder): (Arc<dyn ObjectStore>, _) = match settings.url.strip_prefix("s3://") {
            Some(place) => {
                // a second installation finds the first one's choice, which is the same
                let _ = rustls::crypto::ring::default_provider().install_default();
                let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
                let mut s3 = AmazonS3Builder::new()
                    .with_bucket_name(bucket)
                    .with_region(&settings.region)
                    .with_access_key_id(&settings.access_key)
                    .with_secret_access_key(String::from_utf8_lossy(settings.secret_key.expose()));
                if !settings.endpoint.is_empty() {
                    s3 = s3
                        .with_endpoint(&settings.endpoint)
                        .with_allow_http(settings.endpoint.starts_with("http://"));
                }
                let s3 = s3.build().context("opening the S3 store")?;
                (Arc::new(PrefixStore::new(s3, prefix)), None)
            }
            None => {
                let folder = settings.url.trim_start_matches("file:");
                let folder = Path::new(folder);
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("making the folder {}", folder.display()))?;
                let local = LocalFileSystem::new_with_prefix(folder)
                    .with_context(|| format!("opening the folder {}", folder.display()))?;
                // a row must not outlive its object after a power failure
                (Arc::new(local.with_fsync(true)), Some(folder.to_owned()))
            }
        };
        Ok(Self { store, spool, folder })
    }

    /// A file without a name that is gone when it is closed, whatever happens.
    pub fn spool(&self) -> Result<File> {
        Ok(tempfile::tempfile_in(&self.spool).context("opening a spool file")?)
    }

    /// Writes the whole of `file` as the object `key`; nothing is there before all of it is.
    pub async fn put(&self, key: &str, file: File) -> Result<()> {
        let key = Key::from(key);
        let upload = self.store.put_multipart(&key).await.context("beginning an object")?;
        let mut parts = WriteMultipart::new_with_chunk_size(upload, PART);
        let mut file = blocking(move || {
            let mut file = file;
            file.seek(SeekFrom::Start(0)).context("reading the spool")?;
            Ok(file)
        })
        .await?;
        loop {
            let (again, chunk) = blocking(move || {
                let mut chunk = vec![0; CHUNK];
                let n = file.read(&mut chunk).context("reading the spool")?;
                chunk.truncate(n);
                Ok((file, chunk))
            })
            .await?;
            file = again;
            if chunk.is_empty() {
                break;
            }
            if let Err(cause) = parts.wait_for_capacity(IN_FLIGHT).await {
                // what was sent of it is of no use; the store forgets it by itself if this fails too
                let _ = parts.abort().await;
                return Err(anyhow::Error::new(cause).context("writing an object").into());
            }
            parts.put(chunk.into());
        }
        parts.finish().await.context("finishing an object")?;
        Ok(())
    }

    /// The object `key`, whose content must have this digest: the last piece comes only if it has.
    pub async fn get(&self, key: &str, sha256: String) -> Result<Pieces> {
        let found = self.store.get(&Key::from(key)).await.context("opening an object")?;
        let pieces = found
            .into_stream()
            .map_err(|cause| Error::from(anyhow::Error::new(cause).context("reading an object")));
        Ok(Box::pin(checked(pieces, sha256)))
    }

    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.store.delete(&Key::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(cause) => Err(anyhow::Error::new(cause).context("deleting an object").into()),
        }
    }

    /// The keys of all objects below `prefix` that were written before `then`, as they are found.
    pub fn older_than(&self, prefix: &str, then: Moment) -> impl Stream<Item = Result<String>> {
        let all = self.store.list(Some(&Key::from(prefix)));
        all.filter_map(move |object| async move {
            match object.context("listing objects") {
                Ok(object) if object.last_modified.timestamp() >= then.unix_seconds() => None,
                Ok(object) => Some(Ok(object.location.to_string())),
                Err(cause) => Some(Err(cause.into())),
            }
        })
    }
}

/// Which of some keys are named by rows: one for each kind of object.
pub type InUse = fn(&mut DbConn, &[String]) -> Result<Vec<String>>;

impl Storage {
    /// Deletes the object `key` again if no row came to name it: the request was refused, or was a
    /// repetition. A failure is only told of, for the answer stands whatever becomes of this: the
    /// sweep does it again.
    pub async fn unless_named(&self, db: &Db, key: &str, in_use: InUse) {
        let keys = vec![key.to_owned()];
        let done = async {
            if db.read(move |conn| in_use(conn, &keys)).await?.is_empty() {
                self.delete(key).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = done.await {
            tracing::warn!(%error, cause = ?error, key, "an object that no row names was not removed yet");
        }
    }

    /// Deletes the objects below `prefix` that no row names: of uploads that were broken off, and of what
    /// was removed. Answers their keys.
    pub async fn sweep(
        &self,
        db: &Db,
        (prefix, in_use): (&str, InUse),
        now: Moment,
    ) -> Result<Vec<String>> {
        let then = now.plus_days(-ORPHAN_AFTER_DAYS);
        // all of them, some at a time: those in use must not hide those that are not
        let mut old = Box::pin(self.older_than(prefix, then).chunks(SWEEP));
        let mut gone = Vec::new();
        while let Some(some) = old.next().await {
            let keys = some.into_iter().collect::<Result<Vec<String>>>()?;
            let asked = keys.clone();
            let used = db.read(move |conn| in_use(conn, &asked)).await?;
            for key in keys.into_iter().filter(|key| !used.contains(key)) {
                self.delete(&key).await?;
                gone.push(key);
            }
        }
        Ok(gone)
    }

    /// Removes what a crash left half-written in a folder; answers how many files. Such files bear a `#`
    /// in their names and are no objects yet; an S3 store forgets them by itself.
    pub async fn tidy(&self, now: Moment) -> Result<usize> {
        let Some(folder) = self.folder.clone() else { return Ok(0) };
        let then = now.plus_days(-ORPHAN_AFTER_DAYS);
        blocking(move || Ok(tidy(&folder, then).context("tidying the storage")?)).await
    }
}

fn tidy(folder: &Path, then: Moment) -> std::io::Result<usize> {
    let mut gone = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, about) = (entry.path(), entry.metadata()?);
        if about.is_dir() {
            gone += tidy(&path, then)?;
            continue;
        }
        let staged = entry.file_name().to_string_lossy().contains('#');
        let written = about.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        if staged && written.as_secs() < u64::try_from(then.unix_seconds()).unwrap_or_default() {
            std::fs::remove_file(path)?;
            gone += 1;
        }
    }
    Ok(gone)
}

/// Passes `pieces` on one behind, so that the last one can be held back when the digest is wrong: the
/// reader then misses the end and knows that something is amiss.
fn checked(
    pieces: impl Stream<Item = Result<Bytes>> + 'static,
    sha256: String,
) -> impl Stream<Item = Result<Bytes>> {
    struct State<S> {
        pieces: Pin<Box<S>>,
        held: Option<Bytes>,
        hash: Sha256,
        sha256: String,
        over: bool,
    }
    let state =
        State { pieces: Box::pin(pieces), held: None, hash: Sha256::new(), sha256, over: false };
    futures_util::stream::unfold(state, |mut s| async move {
        if s.over {
            return None;
        }
        loop {
            match s.pieces.next().await {
                Some(Ok(piece)) => {
                    s.hash.update(&piece);
                    if let Some(before) = s.held.replace(piece) {
                        return Some((Ok(before), s));
                    }
                }
                Some(Err(error)) => {
                    s.over = true;
                    return Some((Err(error), s));
                }
                None => {
                    s.over = true;
                    if hex(&s.hash.clone().finalize()) != s.sha256 {
                        tracing::error!("a stored object is not what was stored");
                        let error = anyhow::anyhow!("a stored object has another digest");
                        return Some((Err(error.into()), s));
                    }
                    return s.held.take().map(|last| (Ok(last), s));
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pieces: &[&'static str], sha256: &str) -> (String, bool) {
        let pieces: Vec<_> = pieces.iter().map(|p| Ok(Bytes::from_static(p.as_bytes()))).collect();
        let stream = checked(futures_util::stream::iter(pieces), sha256.to_owned());
        let all: Vec<_> =
            futures_util::FutureExt::now_or_never(stream.collect::<Vec<_>>()).unwrap();
        let fine = all.iter().all(Result::is_ok);
        let text = all.into_iter().flatten().flat_map(|b| b.to_vec()).collect();
        (String::from_utf8(text).unwrap(), fine)
    }

    #[test]
    fn the_end_of_a_changed_object_is_held_back() {
        let sha = hex(&Sha256::digest("abc"));
        assert_eq!(told(&["a", "b", "c"], &sha), ("abc".into(), true));
        assert_eq!(told(&["a", "b", "x"], &sha), ("ab".into(), false));
        assert_eq!(told(&["x"], &sha), (String::new(), false));
        assert_eq!(told(&[], &hex(&Sha256::digest(""))), (String::new(), true));
    }
}
