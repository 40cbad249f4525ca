//! Secrets: values that no log line and no error may show.
use std::fmt;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64},
};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, aead::Aead};
use sha2::{Digest, Sha256};

use super::{Result, idempotency::hex};

/// Bytes that print as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A fresh token of 256 random bits, as text that fits a URL.
pub fn token() -> Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("no randomness: {e}"))?;
    Ok(BASE64.encode(bytes))
}

/// What the database keeps of a token. A plain hash is enough: the token is random, not chosen.
pub fn digest(token: &str) -> String {
    hex(&Sha256::digest(token))
}

/// Closes what the database must hold and nobody who reads it may know (ChaCha20-Poly1305).
#[derive(Clone)]
pub struct Seal(ChaCha20Poly1305);

impl Seal {
    /// A key made from the server's secret for one purpose; `more` is whatever else it takes to open.
    pub fn new(purpose: &str, secret: &Secret, more: &[u8]) -> Self {
        let key = Sha256::new()
            .chain_update(purpose)
            .chain_update(b"\0")
            .chain_update(secret.expose())
            .chain_update(more)
            .finalize();
        Self(ChaCha20Poly1305::new(&key))
    }

    pub fn close(&self, plain: &[u8]) -> Result<String> {
        let mut nonce = [0u8; 12];
        getrandom::fill(&mut nonce).map_err(|e| anyhow::anyhow!("no randomness: {e}"))?;
        let mut sealed = nonce.to_vec();
        sealed.extend(
            self.0.encrypt(&nonce.into(), plain).map_err(|_| anyhow::anyhow!("sealing failed"))?,
        );
        Ok(STANDARD.encode(sealed))
    }

    pub fn open(&self, sealed: &str) -> Result<Vec<u8>> {
        let broken =
            || anyhow::anyhow!("a sealed value cannot be opened; was the server's secret changed?");
        let bytes = STANDARD.decode(sealed).map_err(|_| broken())?;
        let (nonce, text) = bytes.split_first_chunk::<12>().ok_or_else(broken)?;
        Ok(self.0.decrypt(&(*nonce).into(), text).map_err(|_| broken())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_only_with_its_own_key() {
        let secret = Secret::new("a-secret-of-the-server");
        let seal = Seal::new("totp", &secret, b"");
        let closed = seal.close(b"plain").unwrap();
        assert_eq!(seal.open(&closed).unwrap(), b"plain");
        for other in [Seal::new("kept answer", &secret, b""), Seal::new("totp", &secret, b"x")] {
            assert!(other.open(&closed).is_err());
        }
        assert!(seal.open("").is_err() && seal.open("AAAA").is_err());
    }
}
