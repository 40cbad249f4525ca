//! Answers to the public, kept for as long as nothing changes.
//!
//! What a stranger sees of a published listing is the same for all strangers. An answer is kept with the
//! [generation](super::Db::generation) under which it was read and is worth nothing once that has passed:
//! after a commit of this node at once, after another node's when the journal tells of it.
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use super::{Db, Reply};

/// Answers that are kept at the most; when there are more, all are forgotten.
const MOST: usize = 5_000;

#[derive(Default)]
pub struct Answers(RwLock<HashMap<String, (u64, Reply)>>);

impl Answers {
    pub fn get(&self, db: &Db, path: &str) -> Option<Reply> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (generation, reply) = kept.get(path)?;
        (*generation == db.generation()).then(|| reply.clone())
    }

    /// Keeps `reply`, which was read after `generation` was.
    pub fn keep(&self, path: &str, generation: u64, reply: &Reply) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(path.to_owned(), (generation, reply.clone()));
    }
}
