//! The catalogue of this node: how it is opened, fed from the journal, rebuilt and checked.
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use anyhow::Context;
use keshi_index::{Index, Kind, Listing};

use crate::{
    achievements::{self, model::Achievement},
    demands::{
        self,
        model::{Demand, Visibility},
    },
    kernel::{
        Code, Db, Error, Id, Result,
        journal::{self, Consumer, Event},
        of,
    },
};

/// How many rows are read at once when the whole index is made anew.
const CHUNK: i64 = 500;

/// Events after which the cursor is made durable even when none of them touched the index.
const COMMIT_EVERY: i64 = 5_000;

/// This node's index, shared by every request.
#[derive(Clone)]
pub struct Catalogue {
    index: Arc<Index>,
    resumed: Option<i64>,
    /// How far the feed has come, for whoever asks whether this node is ready.
    position: Arc<AtomicI64>,
}

impl Catalogue {
    /// Opens the index in `dir`. A missing, outdated or broken one is begun anew, and said so.
    pub fn open(dir: &Path) -> Result<Self> {
        let opened =
            Index::open(dir).with_context(|| format!("opening the index in {}", dir.display()))?;
        if let Some(reason) = &opened.rebuilt {
            tracing::warn!(%reason, "the index is made anew from the tables");
        }
        let position = Arc::new(AtomicI64::new(opened.resumed.unwrap_or(0)));
        Ok(Self { index: Arc::new(opened.index), resumed: opened.resumed, position })
    }

    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The journal position that this node's index has reached.
    pub fn position(&self) -> i64 {
        self.position.load(Ordering::Relaxed)
    }

    /// The consumer that keeps this catalogue up to date.
    pub fn feed(&self) -> IndexFeed {
        let position = self.resumed.unwrap_or(0);
        IndexFeed {
            catalogue: self.clone(),
            position,
            committed: position,
            fresh: self.resumed.is_none(),
        }
    }
}

/// Follows the journal: re-reads each listing that an event names, and replaces or deletes it.
pub struct IndexFeed {
    catalogue: Catalogue,
    position: i64,
    committed: i64,
    /// Nothing has been read yet: begin with the tables instead of the whole history.
    fresh: bool,
}

impl Consumer for IndexFeed {
    fn name(&self) -> &'static str {
        "index"
    }

    fn position(&self, _: &Db) -> Result<i64> {
        Ok(self.position)
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
        let mut achievements: Vec<Id<of::Achievement>> =
            events.iter().filter_map(|e| e.subject_id("achievement")).collect();
        let mut demands: Vec<Id<of::Demand>> =
            events.iter().filter_map(|e| e.subject_id("demand")).collect();
        achievements.sort_unstable();
        achievements.dedup();
        demands.sort_unstable();
        demands.dedup();
        let touched = !achievements.is_empty() || !demands.is_empty();
        let rows = db.read_now(move |conn| {
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
        })?;
        for (kind, id, listing) in rows {
            match listing {
                Some(listing) => self.catalogue.index.put(&listing),
                None => self.catalogue.index.remove(kind, &id),
            }
            .context("changing the index")?;
        }
        // only a commit makes the cursor durable; a crash before it repeats harmless work
        if touched || last.position() - self.committed >= COMMIT_EVERY {
            self.catalogue.index.commit(last.position()).context("committing the index")?;
            self.committed = last.position();
        }
        self.position = last.position();
        self.catalogue.position.store(self.position, Ordering::Relaxed);
        Ok(())
    }
}

/// Makes the whole index anew from the tables; answers the journal position it stands at.
///
/// The position is read first: what happens meanwhile is seen again by the consumer.
pub fn rebuild(db: &Db, catalogue: &Catalogue) -> Result<i64> {
    let (position, _) = db.read_now(journal::head)?;
    catalogue.index.clear().context("clearing the index")?;
    each_published(db, |listing| {
        catalogue.index.put(&listing).context("filling the index")?;
        Ok(())
    })?;
    catalogue.index.commit(position).context("committing the index")?;
    Ok(position)
}

fn each_published(db: &Db, mut f: impl FnMut(Listing) -> Result<()>) -> Result<()> {
    let mut after = None;
    loop {
        let rows = db.read_now(|conn| achievements::all_published(conn, after, CHUNK))?;
        let Some(last) = rows.last() else { break };
        after = Some(last.id);
        rows.iter().map(listing_of_achievement).try_for_each(&mut f)?;
    }
    let mut after = None;
    loop {
        let rows = db.read_now(|conn| demands::all_published(conn, after, CHUNK))?;
        let Some(last) = rows.last() else { break };
        after = Some(last.id);
        rows.iter().map(listing_of_demand).try_for_each(&mut f)?;
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
    each_published(db, |listing| {
        seen += 1;
        let difference = match held.remove(&(listing.kind.slug(), listing.id.clone())) {
            None => Some("is published but not in the index"),
            Some(other) if other != listing => Some("is in the index with other content"),
            Some(_) => None,
        };
        if let (None, Some(difference)) = (&wrong, difference) {
            wrong = Some(format!("{} {} {difference}", listing.kind.slug(), listing.id));
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
