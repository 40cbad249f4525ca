//! Doing a thing once, however often the request arrives.
//!
//! The key is claimed and the answer kept in the same transaction as the work: if the work fails
//! the claim is undone with it, and a second request waits for the first and then gets the first
//! one's answer. Kept answers may hold tokens that are shown once, so they are sealed with a key made
//! from the server's secret and the client's key, of which the table knows only a hash.
use actix_web::{HttpRequest, web::Data};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, aead::Aead};
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::{Config, Db, Error, Reply, Result, Tx, is_unique_violation};
use crate::schema::kept_answers as kept;

/// How long an answer is kept: longer than any client retries.
const KEPT_HOURS: i64 = 24;

/// The `Idempotency-Key` of a request and what it was used for; without a key the work is just done.
pub struct Once(Option<Claim>);

struct Claim {
    key_hash: String,
    request: String,
    seal: ChaCha20Poly1305,
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
            .map(|c| c.jwt_secret.expose().to_vec())
            .unwrap_or_default();
        let seal_key = Sha256::new()
            .chain_update(b"kept answer\0")
            .chain_update(&secret)
            .chain_update(key)
            .finalize();
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
            seal: ChaCha20Poly1305::new(&seal_key),
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

    pub fn run(
        self,
        tx: &mut Tx<'_>,
        caller: &str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<Reply>,
    ) -> Result<Reply> {
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
                let reply = work(tx)?;
                let sealed = claim.close(&reply)?;
                diesel::update(mine).set(kept::answer.eq(sealed)).execute(&mut **tx)?;
                Ok(reply)
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
                Ok(claim.open(&sealed)?.as_replay())
            }
            Err(other) => Err(other.into()),
        }
    }
}

impl Claim {
    fn close(&self, reply: &Reply) -> Result<String> {
        let mut nonce = [0u8; 12];
        getrandom::fill(&mut nonce).map_err(|e| anyhow::anyhow!("no randomness: {e}"))?;
        let plain = serde_json::to_vec(reply)?;
        let mut sealed = nonce.to_vec();
        sealed.extend(
            self.seal
                .encrypt(&nonce.into(), plain.as_slice())
                .map_err(|_| anyhow::anyhow!("sealing a kept answer"))?,
        );
        Ok(BASE64.encode(sealed))
    }

    fn open(&self, sealed: &str) -> Result<Reply> {
        let broken =
            || anyhow::anyhow!("a kept answer cannot be opened; was the server's secret changed?");
        let bytes = BASE64.decode(sealed).map_err(|_| broken())?;
        let (nonce, text) = bytes.split_first_chunk::<12>().ok_or_else(broken)?;
        let plain = self.seal.decrypt(&(*nonce).into(), text).map_err(|_| broken())?;
        Ok(serde_json::from_slice(&plain)?)
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
