//! Doing a thing once, however often the request arrives.
//!
//! The key is claimed and the answer kept in the same transaction as the work: if the work fails
//! the claim is undone with it, and a second request waits for the first and then gets the first
//! one's answer. Kept answers may hold tokens that are shown once, so they are sealed with a key made
//! from the server's secret and the client's key, of which the table knows only a hash.
use actix_web::{HttpRequest, web::Data};
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::{Config, Db, Error, Reply, Result, Secret, Tx, is_unique_violation, secret::Seal};
use crate::schema::kept_answers as kept;

/// How long an answer is kept: longer than any client retries.
const KEPT_HOURS: i64 = 24;

/// The `Idempotency-Key` of a request and what it was used for; without a key the work is just done.
pub struct Once(Option<Claim>);

struct Claim {
    key_hash: String,
    request: String,
    seal: Seal,
}

impl Once {
    pub(super) fn from_request(req: &HttpRequest, body_digest: &[u8]) -> Result<Self> {
        let Some(given) = req.headers().get("idempotency-key") else { return Ok(Self(None)) };
        let key =
            given.to_str().ok().filter(|k| (1..=200).contains(&k.len())).ok_or_else(|| {
                Error::invalid(
                    "Idempotency-Key",
                    "bad_idempotency_key",
                    "Idempotency-Key 应为 1 至 200 个可见 ASCII 字符。",
                )
            })?;
        let secret = req
            .app_data::<Data<Config>>()
            .map_or_else(|| Secret::new(""), |c| c.jwt_secret.clone());
        let request = Sha256::new()
            .chain_update(req.method().as_str())
            .chain_update(b"\0")
            .chain_update(req.path())
            .chain_update(b"\0")
            .chain_update(body_digest)
            .finalize();
        Ok(Self(Some(Claim {
            key_hash: hex(&Sha256::digest(key)),
            request: hex(&request),
            seal: Seal::new("kept answer", &secret, key.as_bytes()),
        })))
    }

    /// For work that no retry header can reach: commands and consumers.
    pub fn without_key() -> Self {
        Self(None)
    }

    /// Does `work` in one transaction, or gives `caller` the answer that the same key got before.
    pub async fn write<F>(self, db: &Db, caller: String, work: F) -> Result<Reply>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<Reply> + Send + 'static,
    {
        db.write(move |tx| self.run(tx, &caller, work)).await
    }

    /// Like [`write`](Self::write), for work that must last although its answer is an error, such as
    /// revoking a session because a stolen token was shown: `Ok(Err(refusal))` is committed and not
    /// kept, so that the next try is judged anew.
    pub async fn write_and_refuse<F>(self, db: &Db, caller: String, work: F) -> Result<Reply>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<Result<Reply>> + Send + 'static,
    {
        db.write(move |tx| self.settle(tx, &caller, work)).await?
    }

    pub fn run(
        self,
        tx: &mut Tx<'_>,
        caller: &str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<Reply>,
    ) -> Result<Reply> {
        self.settle(tx, caller, |tx| work(tx).map(Ok))?
    }

    fn settle(
        self,
        tx: &mut Tx<'_>,
        caller: &str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<Result<Reply>>,
    ) -> Result<Result<Reply>> {
        let Some(claim) = self.0 else { return work(tx) };
        let now = tx.now();
        let row = (
            kept::caller.eq(caller),
            kept::key_hash.eq(&claim.key_hash),
            kept::request.eq(&claim.request),
            kept::answer.eq(""),
            kept::at.eq(now),
        );
        let mine =
            kept::table.filter(kept::caller.eq(caller).and(kept::key_hash.eq(&claim.key_hash)));
        // an expired claim is no claim
        diesel::delete(mine.filter(kept::at.lt(now.plus_seconds(-KEPT_HOURS * 3600))))
            .execute(&mut **tx)?;
        match tx.savepoint(|conn| diesel::insert_into(kept::table).values(row).execute(conn)) {
            Ok(_) => {
                let outcome = work(tx)?;
                match &outcome {
                    Ok(reply) => {
                        let sealed = claim.seal.close(&serde_json::to_vec(reply)?)?;
                        diesel::update(mine).set(kept::answer.eq(sealed)).execute(&mut **tx)?;
                    }
                    Err(_) => {
                        diesel::delete(mine).execute(&mut **tx)?;
                    }
                }
                Ok(outcome)
            }
            Err(cause) if is_unique_violation(&cause, &[]) => {
                let (first, sealed): (String, String) =
                    mine.select((kept::request, kept::answer)).first(&mut **tx)?;
                if first != claim.request {
                    return Err(Error::invalid(
                        "Idempotency-Key",
                        "idempotency_key_reused",
                        "这个 Idempotency-Key 已用于另一个请求；请换一个新的键。",
                    ));
                }
                let first: Reply = serde_json::from_slice(&claim.seal.open(&sealed)?)?;
                Ok(Ok(first.into_replay()))
            }
            Err(other) => Err(other.into()),
        }
    }
}

/// Forgets answers that nobody will ask for again; answers how many.
pub fn forget_old(tx: &mut Tx<'_>) -> Result<usize> {
    let old = kept::table.filter(kept::at.lt(tx.now().plus_seconds(-KEPT_HOURS * 3600)));
    Ok(diesel::delete(old).execute(&mut **tx)?)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        use std::fmt::Write;
        // writing to a String cannot fail
        let _ = write!(out, "{b:02x}");
        out
    })
}
