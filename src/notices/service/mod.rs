//! From the queue to the post; [`postman`] fills the queue from the journal.
mod postman;

use super::{
    letters,
    model::{Mail, MailState, OutgoingMail, Sender},
    post::{Post, SendError},
    rules::{self, Trouble},
    store,
};
use crate::kernel::{Config, Db, Moment, Result, Tx};

pub use postman::{Postman, pass_over};

/// How many mails a node takes at once, and for how long nobody else touches them.
const BATCH: i64 = 20;
const LEASE: i64 = 600;
/// A mail is not begun when less than this is left of its lease: the slowest one takes as long.
const LONGEST_SENDING: i64 = 180;
const KEPT_DAYS: i64 = 30;
const SWEEP: i64 = 200;

/// Sends what is due, at most one batch, and answers how many mails left.
pub fn deliver(db: &Db, post: &dyn Post, config: &Config) -> Result<usize> {
    deliver_at(db, post, config, Moment::now())
}

/// Like [`deliver`], believing that it is `now`.
pub fn deliver_at(db: &Db, post: &dyn Post, config: &Config, now: Moment) -> Result<usize> {
    // a look costs nothing; a transaction would wake every consumer
    if db.read_now(|conn| store::due(conn, now, 1))?.is_empty() {
        return Ok(0);
    }
    let from = Sender::of(config)?;
    let until = now.plus_seconds(LEASE);
    let begun = Moment::now();
    let batch = db.write_now(|tx| {
        let mut mine = Vec::new();
        for mail in store::due(tx, now, BATCH)? {
            if store::lease(tx, &mail, now, until)? {
                mine.push(mail);
            }
        }
        Ok(mine)
    })?;
    let mut sent = 0;
    let mut rest = batch.iter();
    while let Some(mail) = rest.next() {
        if Moment::now().seconds_since(begun) > LEASE - LONGEST_SENDING {
            db.write_now(|tx| {
                std::iter::once(mail)
                    .chain(rest)
                    .try_for_each(|mail| store::release(tx, mail, until))
            })?;
            break;
        }
        let outcome = written(mail, &from, config).and_then(|mail| post.send(&mail));
        match outcome {
            Ok(()) => {
                db.write_now(|tx| store::mark_sent(tx, mail, now))?;
                sent += 1;
            }
            Err(error) if error.trouble == Trouble::Unreachable => {
                tracing::warn!(reason = error.why, waiting = rest.len() + 1, "mail is delayed");
                // the others would meet the same closed door, each after a wait of its own
                db.write_now(|tx| {
                    std::iter::once(mail)
                        .chain(rest)
                        .try_for_each(|mail| set_back(tx, mail, &error, now))
                })?;
                break;
            }
            Err(error) => db.write_now(|tx| set_back(tx, mail, &error, now))?,
        }
    }
    Ok(sent)
}

fn written(mail: &Mail, from: &Sender, config: &Config) -> Result<OutgoingMail, SendError> {
    letters::write(mail, from, config).map_err(|error| {
        let error = format!("{error:#}");
        tracing::error!(mail = %mail.id, template = ?mail.template, error, "mail cannot be written");
        SendError::new(Trouble::Refused, "its template is faulty")
    })
}

fn set_back(tx: &mut Tx<'_>, mail: &Mail, error: &SendError, now: Moment) -> Result<()> {
    let setback = rules::setback(mail.attempts, mail.refusals, error.trouble);
    if setback.state == MailState::Stuck {
        tracing::warn!(mail = %mail.id, template = ?mail.template, "mail is stuck");
    }
    store::mark_failed(tx, mail, setback, now, &error.why)
}

/// Forgets mails that were sent long ago; answers how many.
pub fn tick(tx: &mut Tx<'_>) -> Result<usize> {
    let before = tx.now().plus_days(-KEPT_DAYS);
    let old = store::sent_before(tx, before, SWEEP)?;
    if old.is_empty() { Ok(0) } else { store::delete(tx, &old) }
}
