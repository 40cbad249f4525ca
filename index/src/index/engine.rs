//! One folder of the engine's files, open for writing.
use std::path::{Path, PathBuf};

use tantivy::{
    IndexBuilder, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyDocument, Term,
    merge_policy::LogMergePolicy,
};

use super::{cut, document::schema, stamp::Stamp};
use crate::{Result, view::View};

/// Bytes of listings that are packed together: showing one unpacks so many.
const PACKED: usize = 4_096;
/// Of those, how many are kept unpacked for each segment.
const KEPT_UNPACKED: usize = 256;

/// What makes an engine in a directory of any sort.
pub(super) fn builder() -> IndexBuilder {
    let settings = IndexSettings { docstore_blocksize: PACKED, ..IndexSettings::default() };
    tantivy::Index::builder().schema(schema().0).settings(settings)
}

/// Bytes the writer may fill before it flushes a segment.
const WRITER_BYTES: usize = 40 << 20;

pub(super) struct Engine {
    index: tantivy::Index,
    reader: IndexReader,
    /// None after a failure that it could not be brought back from; the next change starts another.
    writer: Option<IndexWriter>,
    /// Of what shaped the terms in this folder.
    fingerprint: String,
    home: Option<PathBuf>,
}

impl Engine {
    pub fn new(index: tantivy::Index, fingerprint: String, home: Option<PathBuf>) -> Result<Self> {
        cut::register(&index);
        let writer = Some(start(&index)?);
        let reader = reader(&index)?;
        Ok(Self { index, reader, writer, fingerprint, home })
    }

    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    pub fn view(&self, former: Option<&View>) -> Result<View> {
        View::build(self.reader.searcher(), former)
    }

    pub fn replace(&mut self, key: Term, document: TantivyDocument) -> Result<()> {
        self.change(|writer| {
            writer.delete_term(key);
            writer.add_document(document)
        })
    }

    pub fn remove(&mut self, key: Term) -> Result<()> {
        self.change(|writer| Ok(writer.delete_term(key)))
    }

    pub fn clear(&mut self) -> Result<()> {
        self.change(|writer| writer.delete_all_documents())
    }

    /// Makes all changes durable, and readable from the next [`view`](Self::view) on.
    pub fn commit(&mut self, position: Option<i64>) -> Result<()> {
        let stamp = serde_json::to_string(&Stamp::new(&self.fingerprint, position))?;
        self.change(|writer| {
            let mut commit = writer.prepare_commit()?;
            commit.set_payload(&stamp);
            commit.commit()
        })?;
        Ok(self.reader.reload()?)
    }

    /// A writer that failed keeps failing, and half of what it was given may be in it: everything since
    /// the last commit is forgotten.
    fn change<T>(&mut self, f: impl FnOnce(&mut IndexWriter) -> tantivy::Result<T>) -> Result<()> {
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => start(&self.index)?,
        };
        let done = f(&mut writer);
        if done.is_ok() {
            self.writer = Some(writer);
            return Ok(());
        }
        match writer.rollback() {
            Ok(_) => self.writer = Some(writer),
            Err(error) => tracing::warn!(%error, "the index writer is started anew"),
        }
        Ok(done.map(|_| ())?)
    }

    /// The files, to be looked at without holding anything up.
    pub fn files(&self) -> tantivy::Index {
        self.index.clone()
    }

    /// Closes it and removes its folder. Whoever still reads a view of it goes on reading.
    pub fn dispose(mut self) {
        let waited = self.writer.take().map(IndexWriter::wait_merging_threads);
        if let Some(Err(error)) = waited {
            tracing::debug!(%error, "merging stopped");
        }
        if let Some(home) = &self.home
            && let Err(error) = std::fs::remove_dir_all(home)
        {
            tracing::warn!(%error, folder = %home.display(), "a former index stays behind");
        }
    }
}

fn start(index: &tantivy::Index) -> Result<IndexWriter> {
    let writer = index.writer_with_num_threads(1, WRITER_BYTES)?;
    let mut policy = LogMergePolicy::default();
    policy.set_min_num_segments(6);
    policy.set_del_docs_ratio_before_merge(0.3);
    writer.set_merge_policy(Box::new(policy));
    Ok(writer)
}

pub(super) fn reader(index: &tantivy::Index) -> Result<IndexReader> {
    Ok(index
        .reader_builder()
        .reload_policy(ReloadPolicy::Manual) // a commit reloads; nothing else may change the view
        .doc_store_cache_num_blocks(KEPT_UNPACKED)
        .try_into()?)
}
