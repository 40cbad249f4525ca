use std::path::PathBuf;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong, named by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process (or another handle of this one) has the folder open. Nothing was touched.
    #[error("the index folder {0} is in use by another process")]
    Busy(PathBuf),
    /// A lexicon file has a line it must not have. A fault of the build, not of a request.
    #[error("{file}:{line}: {why}")]
    Lexicon { file: &'static str, line: usize, why: String },
    /// A file with the constants of the ranking is not right; `file` and `line` say where.
    #[error("{file}:{line}: {why}")]
    Ranking { file: String, line: usize, why: String },
    /// A test set cannot be read; `file` and `line` say where.
    #[error("{file}:{line}: {why}")]
    TestSet { file: String, line: usize, why: String },
    /// A model file that cannot be used; a fault of the settings.
    #[error("{file} is no model that can be used: {why}")]
    Model { file: String, why: String },
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    /// The engine below failed: disk full, a file that vanished while open. Reopening the index is
    /// the way out, because opening checks and rebuilds.
    #[error("search engine: {0}")]
    Engine(#[from] tantivy::TantivyError),
    #[error("search engine: {0}")]
    Read(#[from] std::io::Error),
    /// A stored listing does not read back.
    #[error("stored listing: {0}")]
    Stored(#[from] serde_json::Error),
}

impl Error {
    pub(crate) fn io(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), source }
    }
}
