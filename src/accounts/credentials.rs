//! What proves who somebody is: password hashes, access tokens, one-time codes. No row is read here.
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use jsonwebtoken::{
    Algorithm as Signature, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind,
};
use serde::{Deserialize, Serialize};

use super::rules::password;
use crate::kernel::{Id, Moment, Result, Secret, of, secret::Seal};

/// How long an access token opens doors.
pub const ACCESS_SECONDS: i64 = 15 * 60;
/// Clocks of two nodes may differ by this much.
const LEEWAY_SECONDS: i64 = 5;

/// What the table holds for a person who has not chosen a password yet; no hash looks like it.
pub const NO_PASSWORD: &str = "!";

/// Makes and checks password hashes (argon2id). Slow on purpose: call it through
/// [`blocking`](crate::kernel::blocking), never inside a transaction.
pub struct Hasher {
    argon: Argon2<'static>,
    /// Checked when there is no account, so that the answer takes as long as if there were one.
    dummy: String,
}

impl Hasher {
    /// 19 MiB, two passes, one lane: the recommendation of OWASP.
    pub fn strong() -> Result<Self> {
        Self::with(Params::default())
    }
    /// For tests, which sign in thousands of times and keep no secret.
    pub fn cheap() -> Result<Self> {
        let params =
            Params::new(Params::MIN_M_COST, 1, 1, None).map_err(|e| anyhow::anyhow!("{e}"))?;
        Self::with(params)
    }

    fn with(params: Params) -> Result<Self> {
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy = hash(&argon, "nobody's password")?;
        Ok(Self { argon, dummy })
    }

    pub fn hash(&self, chosen: &str) -> Result<String> {
        hash(&self.argon, chosen)
    }

    /// Whether `given` is the password behind `kept`; false, after the same time, without one.
    pub fn verify(&self, given: &str, kept: Option<&str>) -> bool {
        let kept = kept.filter(|hash| *hash != NO_PASSWORD);
        let given = password::normal(given);
        let right =
            self.argon.verify_password(given.as_bytes(), kept.unwrap_or(&self.dummy)).is_ok();
        right && kept.is_some()
    }
}

fn hash(argon: &Argon2<'_>, chosen: &str) -> Result<String> {
    argon
        .hash_password(password::normal(chosen).as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|e| anyhow::anyhow!("hashing a password: {e}").into())
}

/// What an access token says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    pub sub: Id<of::Account>,
    /// The session; the token opens nothing once that is revoked.
    pub sid: Id<of::Session>,
    pub iat: i64,
    pub exp: i64,
}

const ISSUER: &str = "keshi";
const AUDIENCE: &str = "keshi-api";

/// Why a token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoEntry {
    Expired,
    Invalid,
}

/// The keys made from the server's secret.
pub struct Keys {
    sign: EncodingKey,
    check: DecodingKey,
    rules: Validation,
    seal: Seal,
}

impl Keys {
    pub fn new(secret: &Secret) -> Self {
        let mut rules = Validation::new(Signature::HS256);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        // expiry is checked below, against the clock of `Moment`
        rules.validate_exp = false;
        Self {
            sign: EncodingKey::from_secret(secret.expose()),
            check: DecodingKey::from_secret(secret.expose()),
            rules,
            seal: Seal::new("totp", secret, b""),
        }
    }

    /// A token for `account` in `session`, good for [`ACCESS_SECONDS`] from `now`.
    pub fn issue(
        &self,
        account: Id<of::Account>,
        session: Id<of::Session>,
        now: Moment,
    ) -> Result<String> {
        let iat = now.unix_seconds();
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: account,
            sid: session,
            iat,
            exp: iat + ACCESS_SECONDS,
        };
        jsonwebtoken::encode(&Header::new(Signature::HS256), &claims, &self.sign)
            .map_err(|e| anyhow::anyhow!("signing a token: {e}").into())
    }

    pub fn read(&self, token: &str, now: Moment) -> Result<Claims, NoEntry> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.check, &self.rules)
            .map_err(|e| match e.kind() {
                ErrorKind::ExpiredSignature => NoEntry::Expired,
                _ => NoEntry::Invalid,
            })?
            .claims;
        if claims.exp.saturating_add(LEEWAY_SECONDS) < now.unix_seconds() {
            return Err(NoEntry::Expired);
        }
        Ok(claims)
    }

    /// A fresh secret for an authenticator app.
    pub fn fresh_totp(&self, email: &str) -> Result<NewTotp> {
        let mut bytes = [0u8; 20];
        getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("no randomness: {e}"))?;
        let totp = totp(&bytes, Some(email))?;
        Ok(NewTotp {
            secret: totp.secret().to_base32(),
            otpauth_url: totp.to_url().map_err(|e| anyhow::anyhow!("otpauth url: {e}"))?,
            sealed: self.seal.close(&bytes)?,
        })
    }

    /// The time step that `code` belongs to, at `now` or one step beside it.
    pub fn totp_step(&self, sealed: &str, code: &str, now: Moment) -> Result<Option<i64>> {
        let totp = totp(&self.seal.open(sealed)?, None)?;
        let now = u64::try_from(now.unix_seconds()).unwrap_or_default();
        Ok(totp.check(code, now).and_then(|step| i64::try_from(step).ok()))
    }
}

/// A secret that an authenticator app has still to take up.
pub struct NewTotp {
    pub secret: String,
    pub otpauth_url: String,
    /// What the table keeps.
    pub sealed: String,
}

/// SHA-1, six digits, 30 seconds: what every authenticator app understands.
fn totp(secret: &[u8], email: Option<&str>) -> Result<totp_rs::Totp> {
    totp_rs::Builder::new()
        .with_secret(secret)
        .with_account_name(email.unwrap_or("keshi"))
        .with_issuer(Some("科市 keshi"))
        .build()
        .map_err(|e| anyhow::anyhow!("one-time codes: {e}").into())
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    const SECRET: &str = "a-secret-of-at-least-thirty-two-bytes";

    fn keys() -> Keys {
        Keys::new(&Secret::new(SECRET))
    }

    fn forged(secret: &str, alg: Signature, change: serde_json::Value) -> String {
        let now = Moment::now().unix_seconds();
        let mut claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": Id::<of::Account>::fresh(),
            "sid": Id::<of::Session>::fresh(), "iat": now, "exp": now + 60 });
        for (name, value) in change.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        let key = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(alg), &claims, &key).unwrap()
    }

    #[test]
    fn a_token_comes_back_as_it_went_until_it_expires() {
        let (account, session, now) = (Id::fresh(), Id::fresh(), Moment::now());
        let token = keys().issue(account, session, now).unwrap();
        let claims = keys().read(&token, now).unwrap();
        assert_eq!((claims.sub, claims.sid), (account, session));
        let end = now.plus_seconds(ACCESS_SECONDS);
        assert!(keys().read(&token, end.plus_seconds(LEEWAY_SECONDS)).is_ok());
        assert_eq!(
            keys().read(&token, end.plus_seconds(LEEWAY_SECONDS + 1)),
            Err(NoEntry::Expired)
        );
    }

    #[test]
    fn forged_tokens_open_nothing() {
        let now = Moment::now();
        let good = forged(SECRET, Signature::HS256, json!({}));
        assert!(keys().read(&good, now).is_ok());
        let body = good.split('.').nth(1).unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let tampered = {
            let mut parts: Vec<&str> = good.split('.').collect();
            let other =
                forged(SECRET, Signature::HS256, json!({ "sub": Id::<of::Account>::fresh() }));
            let other: Vec<&str> = other.split('.').collect();
            parts[1] = other[1];
            parts.join(".")
        };
        for bad in [
            format!("{none}.{body}."),
            format!("{none}.{body}.{}", good.rsplit('.').next().unwrap()),
            forged("another-secret-of-thirty-two-bytes!!", Signature::HS256, json!({})),
            forged(SECRET, Signature::HS384, json!({})),
            forged(SECRET, Signature::HS256, json!({ "aud": "somebody-else" })),
            forged(SECRET, Signature::HS256, json!({ "aud": null })),
            forged(SECRET, Signature::HS256, json!({ "iss": "somebody-else" })),
            forged(SECRET, Signature::HS256, json!({ "iss": null })),
            forged(SECRET, Signature::HS256, json!({ "exp": null })),
            forged(SECRET, Signature::HS256, json!({ "sid": null })),
            forged(SECRET, Signature::HS256, json!({ "sub": "root" })),
            tampered,
            String::new(),
            "a.b.c".into(),
        ] {
            assert_eq!(keys().read(&bad, now), Err(NoEntry::Invalid), "{bad}");
        }
        let old = forged(SECRET, Signature::HS256, json!({ "exp": now.unix_seconds() - 6 }));
        assert_eq!(keys().read(&old, now), Err(NoEntry::Expired));
    }

    #[test]
    fn a_hash_knows_its_password_in_any_width() {
        let hasher = Hasher::cheap().unwrap();
        let kept = hasher.hash("一个很长的密码ＡＢＣ").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$"), "{kept}");
        assert!(hasher.verify("一个很长的密码ABC", Some(&kept)));
        assert!(!hasher.verify("一个很长的密码abc", Some(&kept)));
        assert!(!hasher.verify("nobody's password", None), "the dummy is nobody's");
        assert!(!hasher.verify("!", Some(NO_PASSWORD)));
    }

    #[test]
    fn a_code_belongs_to_its_step() {
        let keys = keys();
        let fresh = keys.fresh_totp("a@example.cn").unwrap();
        assert!(fresh.otpauth_url.starts_with("otpauth://totp/"), "{}", fresh.otpauth_url);
        assert!(!fresh.sealed.contains(&fresh.secret));
        let now: Moment = "2026-11-22T08:00:15Z".parse().unwrap();
        let secret = totp_rs::Secret::try_from_base32(&fresh.secret).unwrap();
        let app = totp_rs::Builder::new()
            .with_secret(secret)
            .with_account_name("a")
            .with_issuer(Some("k"))
            .build()
            .unwrap();
        let at = u64::try_from(now.unix_seconds()).unwrap();
        let step = Some(now.unix_seconds() / 30);
        let code = app.generate(at).to_string();
        assert_eq!(keys.totp_step(&fresh.sealed, &code, now).unwrap(), step);
        assert_eq!(keys.totp_step(&fresh.sealed, &code, now.plus_seconds(30)).unwrap(), step);
        assert_eq!(keys.totp_step(&fresh.sealed, &code, now.plus_seconds(90)).unwrap(), None);
        assert_eq!(keys.totp_step(&fresh.sealed, "", now).unwrap(), None);
    }
}
