//! The journal: audit trail, outbox and change feed in one.
//!
//! A use case [`record`]s what happened in its own transaction, without a position. The **sealer**
//! gives committed rows their dense position and chains their hashes; **consumers** read by position
//! and keep their own cursor. Ids are handed out before commit, so a reader of `id > last` loses rows
//! that commit late; a position given after commit cannot.
//!
//! An event says which thing changed, not what it became: personal data, contract texts and secrets
//! never enter, only ids, states and names of fields. `subject` is `kind:id`.
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Db, DbConn, Moment, Result, Tx, idempotency::hex};
use crate::schema::{cursors, journal, leases};

/// The actor of what the clock or the service itself does.
pub const CLOCK: &str = "clock";

/// How many events are sealed or consumed in one transaction.
const BATCH: i64 = 500;

/// What the chain begins with.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A sealed event.
#[derive(Debug, Clone, Queryable, Serialize)]
pub struct Event {
    pub id: i64,
    pub at: Moment,
    pub actor: String,
    pub topic: String,
    pub subject: String,
    #[serde(skip)]
    body: String,
    position: Option<i64>,
    pub hash: Option<String>,
}

impl Event {
    /// The dense number of a sealed event, from 1.
    pub fn position(&self) -> i64 {
        self.position.unwrap_or_default()
    }
    /// The id behind `kind:` when the subject is of that kind.
    pub fn subject_id<T: 'static>(&self, kind: &str) -> Option<super::Id<T>> {
        self.subject.strip_prefix(kind)?.strip_prefix(':')?.parse().ok()
    }
    pub fn body(&self) -> Result<Value> {
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// Notes that `topic` happened to `subject` (`kind:id`), in the transaction that made it happen.
pub fn record(
    tx: &mut Tx<'_>,
    actor: &str,
    topic: &str,
    subject: &str,
    body: &Value,
) -> Result<()> {
    let row = (
        journal::at.eq(tx.now()),
        journal::actor.eq(actor),
        journal::topic.eq(topic),
        journal::subject.eq(subject),
        journal::body.eq(body.to_string()),
    );
    diesel::insert_into(journal::table).values(row).execute(&mut **tx)?;
    Ok(())
}

/// Seals the next batch of committed events and says how many there were.
pub fn seal(db: &Db) -> Result<usize> {
    // whether there is one: to count a long queue before every batch would take longer than to seal it
    let next = journal::table.filter(journal::position.is_null()).select(journal::id);
    let waiting = db.read_now(|conn| Ok(next.first::<i64>(conn).optional()?))?;
    if waiting.is_none() {
        return Ok(0);
    }
    db.write_now(|tx| seal_within(tx, BATCH))
}

/// Seals up to `most` events in a transaction that is open already.
///
/// The lease row is locked for the length of the transaction: two nodes cannot seal at once.
pub fn seal_within(tx: &mut Tx<'_>, most: i64) -> Result<usize> {
    let now = tx.now();
    diesel::update(leases::table.find("sealer")).set(leases::until.eq(now)).execute(&mut **tx)?;
    let (mut position, mut hash) = head(tx)?;
    let rows: Vec<Event> = journal::table
        .filter(journal::position.is_null())
        .order(journal::id)
        .limit(most)
        .load(&mut **tx)?;
    for row in &rows {
        position += 1;
        hash = link(&hash, position, row);
        diesel::update(journal::table.find(row.id))
            .set((journal::position.eq(position), journal::hash.eq(&hash)))
            .execute(&mut **tx)?;
    }
    Ok(rows.len())
}

/// Position and hash of the newest sealed event; zero and the genesis hash before the first.
pub fn head(conn: &mut DbConn) -> Result<(i64, String)> {
    let last: Option<(Option<i64>, Option<String>)> = journal::table
        .filter(journal::position.is_not_null())
        .order(journal::position.desc())
        .select((journal::position, journal::hash))
        .first(conn)
        .optional()?;
    Ok(match last {
        Some((Some(position), Some(hash))) => (position, hash),
        _ => (0, GENESIS.to_owned()),
    })
}

/// `SHA-256(previous hash ‖ canonical row)`, the row as one JSON array.
fn link(previous: &str, position: i64, row: &Event) -> String {
    let canonical =
        serde_json::json!([position, row.id, row.at, row.actor, row.topic, row.subject, row.body])
            .to_string();
    hex(&Sha256::new().chain_update(previous).chain_update(canonical).finalize())
}

/// Sealed events after `position`, oldest first, at most one batch.
pub fn after(conn: &mut DbConn, position: i64) -> Result<Vec<Event>> {
    Ok(journal::table
        .filter(journal::position.gt(position))
        .order(journal::position)
        .limit(BATCH)
        .load(conn)?)
}

/// How many events wait for the sealer.
pub fn unsealed(conn: &mut DbConn) -> Result<i64> {
    Ok(journal::table.filter(journal::position.is_null()).count().get_result(conn)?)
}

/// Recomputes the whole chain; answers the first difference, or how many events it holds.
pub fn verify(conn: &mut DbConn) -> Result<std::result::Result<i64, String>> {
    let (mut position, mut hash) = (0, GENESIS.to_owned());
    loop {
        let rows = after(conn, position)?;
        if rows.is_empty() {
            return Ok(Ok(position));
        }
        for row in rows {
            position += 1;
            if row.position() != position {
                return Ok(Err(format!(
                    "journal position {position} is missing (next is {})",
                    row.position()
                )));
            }
            hash = link(&hash, position, &row);
            if row.hash.as_deref() != Some(hash.as_str()) {
                return Ok(Err(format!(
                    "journal position {position} ({} {}) does not match its hash: it or its predecessor was altered",
                    row.topic, row.subject
                )));
            }
        }
    }
}

/// Something that follows the journal and makes consequences of it.
///
/// Events may come again after a crash; a consumer re-reads the thing they name and must end in the
/// same state however often it sees them.
pub trait Consumer: Send {
    fn name(&self) -> &'static str;
    /// The last position whose consequences are durable.
    fn position(&self, db: &Db) -> Result<i64>;
    /// Makes the consequences of `events` durable together with the new position.
    fn take(&mut self, db: &Db, events: &[Event]) -> Result<()>;
    /// One small step of what it does beside following events; answers whether there was one.
    fn tend(&mut self, _db: &Db) -> Result<usize> {
        Ok(0)
    }
}

/// Lets `consumer` tend to its own and gives it its next batch; answers how much that was.
pub fn feed(db: &Db, consumer: &mut dyn Consumer) -> Result<usize> {
    let tended = consumer.tend(db)?;
    let position = consumer.position(db)?;
    let events = db.read_now(|conn| after(conn, position))?;
    if !events.is_empty() {
        consumer.take(db, &events)?;
    }
    Ok(events.len() + tended)
}

/// Where the named consumer stands, for consumers that keep their cursor in the database.
pub fn cursor(conn: &mut DbConn, name: &str) -> Result<i64> {
    Ok(cursors::table.find(name).select(cursors::position).first(conn).optional()?.unwrap_or(0))
}

/// Moves a cursor in the transaction of the consequences. When another node has moved it since,
/// the whole transaction is refused and nothing happens twice.
pub fn advance(tx: &mut Tx<'_>, name: &str, from: i64, to: i64) -> Result<()> {
    let moved = diesel::update(cursors::table.find(name).filter(cursors::position.eq(from)))
        .set(cursors::position.eq(to))
        .execute(&mut **tx)?;
    if moved == 1 {
        return Ok(());
    }
    if from == 0 && cursors::table.find(name).count().get_result::<i64>(&mut **tx)? == 0 {
        let row = (cursors::name.eq(name), cursors::position.eq(to));
        diesel::insert_into(cursors::table).values(row).execute(&mut **tx)?;
        return Ok(());
    }
    Err(super::Error::conflict("cursor_moved", "另一个节点已处理这些事件。"))
}
