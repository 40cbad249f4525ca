//! Identity from outside: every call, every refusal, tokens that are forged, stolen or old.
use actix_web::{
    http::{Method, header::HeaderMap},
    test,
    web::Data,
};
use diesel::prelude::*;
use keshi::{
    accounts::{
        self, NewAccount,
        credentials::Hasher,
        model::{LinkPurpose, OrganizationState, inputs::NewOrganization},
        uscc,
    },
    kernel::{Db, DbConn, Id, Lang, MemberRole, Moment, OrganizationKind, PlatformRole, of},
    schema::{accounts as people, api_keys, journal, links, refresh_tokens, sessions},
};
use serde_json::{Value, json};

use crate::support::{SECRET, TestApp};

const PASSWORD: &str = "河对岸有三棵老白桦树";

/// The app, asked with bare tokens.
struct Town {
    app: TestApp,
    db: Db,
    hasher: Data<Hasher>,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    #[track_caller]
    fn with(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }
    #[track_caller]
    fn code(self, status: u16) -> String {
        self.with(status)["code"].as_str().unwrap().to_owned()
    }
    #[track_caller]
    fn faults(self) -> Vec<String> {
        let body = self.with(422);
        let told = |f: &Value| {
            format!("{} {}", f["pointer"].as_str().unwrap(), f["code"].as_str().unwrap())
        };
        body["errors"].as_array().unwrap().iter().map(told).collect()
    }
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.app.settle();
        }
    }
}

impl Town {
    async fn open() -> Self {
        Self::with(&[("KESHI_REQUIRE_TOTP", "true")]).await
    }
    async fn with(settings: &[(&str, &str)]) -> Self {
        let app = TestApp::start_with(settings).await;
        let (db, hasher) = (app.keshi.db.clone(), app.keshi.hasher.clone());
        Self { app, db, hasher }
    }

    async fn ask(
        &self,
        token: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let app = test::init_service(keshi::app(&self.app.keshi)).await;
        let mut req = test::TestRequest::with_uri(&format!("/api/v1{path}")).method(method);
        if !token.is_empty() {
            req = req.insert_header(("Authorization", format!("Bearer {token}")));
        }
        for (name, value) in headers {
            req = req.insert_header((*name, *value));
        }
        let res = test::call_service(&app, req.set_payload(body.into()).to_request()).await;
        let (status, headers) = (res.status().as_u16(), res.headers().clone());
        let bytes = test::read_body(res).await;
        let body =
            if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Answer { status, headers, body }
    }
    async fn get(&self, token: &str, path: &str) -> Answer {
        self.ask(token, Method::GET, path, &[], "").await
    }
    async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.ask(token, Method::POST, path, &[], body.to_string()).await
    }
    async fn patch(&self, token: &str, path: &str, body: Value) -> Answer {
        self.ask(token, Method::PATCH, path, &[], body.to_string()).await
    }
    async fn delete(&self, token: &str, path: &str) -> Answer {
        self.ask(token, Method::DELETE, path, &[], "").await
    }

    /// A verified address without any seat, or with a role on the platform.
    fn person(&self, email: &str, platform: Option<(PlatformRole, &str)>) -> Id<of::Account> {
        let new = NewAccount {
            email: email.into(),
            name: "王明".into(),
            password_hash: self.hasher.hash(PASSWORD).unwrap(),
            lang: Lang::Zh,
            verified: true,
            platform: platform.map(|(role, region)| (role, region.parse().unwrap())),
        };
        self.db.write_now(|tx| accounts::create_account(tx, new)).unwrap()
    }
    fn organization(
        &self,
        kind: OrganizationKind,
        n: u32,
        state: OrganizationState,
    ) -> Id<of::Organization> {
        let region = "210106".parse().unwrap();
        let new = NewOrganization {
            name: format!("示例单位{n}（虚构）"),
            kind,
            uscc: uscc::fictional(kind, &region, n),
            region_code: region,
        };
        self.db.write_now(|tx| accounts::create_organization(tx, &new, state)).unwrap().id
    }
    fn seat(&self, at: Id<of::Organization>, who: Id<of::Account>, role: MemberRole) {
        self.db.write_now(|tx| accounts::add_member(tx, at, who, role)).unwrap();
    }
    fn link(&self, account: Id<of::Account>, purpose: LinkPurpose) -> String {
        self.db.write_now(|tx| accounts::mint_link(tx, account, purpose)).unwrap()
    }
    fn id_of(&self, email: &str) -> Id<of::Account> {
        let find = |c: &mut DbConn| {
            Ok(people::table.filter(people::email.eq(email)).select(people::id).first(c)?)
        };
        self.db.read_now(find).unwrap()
    }
    fn journal(&self) -> Vec<(String, String, String)> {
        let read = |c: &mut DbConn| {
            let columns = (journal::topic, journal::subject, journal::body);
            Ok(journal::table.order(journal::id).select(columns).load(c)?)
        };
        self.db.read_now(read).unwrap()
    }
    fn happened(&self, topic: &str) -> usize {
        self.journal().iter().filter(|(t, ..)| t == topic).count()
    }

    async fn tokens(&self, email: &str) -> (String, String) {
        let body = json!({ "email": email, "password": PASSWORD });
        let answer = self.post("", "/auth/login", body).await.with(200);
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        (text("access_token"), text("refresh_token"))
    }
    async fn sign_in(&self, email: &str) -> String {
        self.tokens(email).await.0
    }
    /// An operator of the province whose sign-in has its second factor.
    async fn operator(&self, email: &str, region: &str) -> String {
        let id = self.person(email, Some((PlatformRole::Operator, region)));
        let token = self.sign_in(email).await;
        let all = sessions::table.filter(sessions::account_id.eq(id));
        let strong = diesel::update(all).set(sessions::second_factor.eq(true));
        self.db.write_now(|tx| Ok(strong.execute(&mut **tx)?)).unwrap();
        token
    }
}

fn registration(email: &str, n: u32) -> Value {
    let region = "210106".parse().unwrap();
    json!({ "email": email, "password": PASSWORD, "name": "赵敏", "organization": {
        "name": "示例理工大学（虚构）", "kind": "university", "region_code": "210106",
        "uscc": uscc::fictional(OrganizationKind::University, &region, n),
    }})
}

#[actix_web::test]
async fn an_organization_registers_and_is_verified() {
    let town = Town::open().await;
    let made = town.post("", "/auth/register", registration("Zhao@Example.cn", 1)).await.with(201);
    assert_eq!(made["user"]["email"], "zhao@example.cn");
    assert_eq!(made["organization"]["state"], "pending");
    assert_eq!(made["organization"]["allowed_actions"], json!(["edit"]));
    let path = format!("/organizations/{}", made["organization"]["id"].as_str().unwrap());

    // until the address is verified: look, do not touch
    let token = town.sign_in("zhao@example.cn").await;
    let me = town.get(&token, "/me").await.with(200);
    assert_eq!(
        (&me["email_verified"], &me["memberships"][0]["role"]),
        (&json!(false), &json!("admin"))
    );
    let patch = json!({ "name": "新的名称（虚构）" });
    assert_eq!(town.patch(&token, &path, patch.clone()).await.code(403), "email_unverified");
    assert_eq!(town.post(&token, "/me/totp", json!({})).await.code(403), "email_unverified");
    town.post(&token, "/auth/verify-email/resend", json!({})).await.with(202);
    assert_eq!(town.happened("account.verification_requested"), 1);

    let account = town.id_of("zhao@example.cn");
    let old = town.link(account, LinkPurpose::VerifyEmail);
    let link = town.link(account, LinkPurpose::VerifyEmail);
    let verify = |token: &str| json!({ "token": token });
    assert_eq!(
        town.post("", "/auth/verify-email", verify(&old)).await.faults(),
        ["/token bad_link"]
    );
    town.post("", "/auth/verify-email", verify(&link)).await.with(204);
    assert_eq!(
        town.post("", "/auth/verify-email", verify(&link)).await.faults(),
        ["/token bad_link"]
    );
    assert_eq!(
        town.post(&token, "/auth/verify-email/resend", json!({})).await.code(409),
        "already_verified"
    );

    // nobody else sees it before an operator has
    town.get("", &path).await.with(404);
    let elsewhere = town.operator("elsewhere@example.cn", "210300").await;
    let operator = town.operator("operator@example.cn", "210000").await;
    town.get(&elsewhere, &path).await.with(404);
    town.post(&elsewhere, &format!("{path}/verify"), json!({})).await.with(404);
    assert_eq!(
        town.post(&token, &format!("{path}/verify"), json!({})).await.code(403),
        "not_operator"
    );

    let read = town.get(&token, &path).await;
    assert_eq!(read.header("etag"), "\"1\"");
    let stale = [("If-Match", "\"7\"")];
    assert_eq!(
        town.ask(&token, Method::PATCH, &path, &stale, patch.to_string()).await.code(412),
        "stale"
    );
    let edited =
        town.ask(&token, Method::PATCH, &path, &[("If-Match", "\"1\"")], patch.to_string());
    assert_eq!(edited.await.with(200)["version"], 2);

    let reason = json!({ "reason": "名称与证照不符。" });
    let no = town.post(&operator, &format!("{path}/reject"), reason).await.with(200);
    assert_eq!(
        (no["state"].as_str(), no["reason"].as_str()),
        (Some("rejected"), Some("名称与证照不符。"))
    );
    let early = town.post(&operator, &format!("{path}/verify"), json!({})).await;
    assert_eq!(early.body["state"], "rejected");
    assert_eq!(early.code(409), "illegal_transition");
    let again = town.patch(&token, &path, json!({ "region_code": "210102" })).await.with(200);
    assert_eq!((again["state"].as_str(), &again["reason"]), (Some("pending"), &Value::Null));

    let key = [("Idempotency-Key", "verify-1")];
    let verify = format!("{path}/verify");
    let first = town.ask(&operator, Method::POST, &verify, &key, "").await;
    assert_eq!(first.header("idempotency-replayed"), "");
    let first = first.with(200);
    let second = town.ask(&operator, Method::POST, &verify, &key, "").await;
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(second.with(200), first);
    assert_eq!(first["state"], "verified");
    assert_eq!(town.get("", &path).await.with(200)["allowed_actions"], json!([]));
    assert_eq!(
        town.patch(&token, &path, json!({ "name": "别的名称" })).await.code(409),
        "illegal_transition"
    );
    town.post(&operator, &format!("{path}/suspend"), json!({ "reason": "查证中" })).await.with(200);
    town.get("", &path).await.with(404);
    assert_eq!(town.happened("organization.verified"), 1);
}

#[actix_web::test]
async fn a_registration_names_every_fault_and_writes_nothing() {
    let town = Town::open().await;
    let mut bad = registration("nobody@example.cn", 1);
    bad["password"] = json!("woaini1314");
    bad["organization"]["uscc"] = json!("91210100604608127K");
    bad["organization"]["region_code"] = json!("219999");
    assert_eq!(
        town.post("", "/auth/register", bad).await.faults(),
        [
            "/password common_password",
            "/organization/uscc bad_check_digit",
            "/organization/region_code unknown_region"
        ]
    );
    let mut bad = registration("nobody@example.cn", 1);
    bad["admin"] = json!(true);
    bad["organization"]["kind"] = json!("king");
    assert_eq!(
        town.post("", "/auth/register", bad).await.faults(),
        ["/admin unknown_field", "/organization/kind not_in_list"]
    );
    assert!(town.journal().is_empty());

    town.post("", "/auth/register", registration("a@example.cn", 1)).await.with(201);
    let taken = town.post("", "/auth/register", registration("A@example.cn", 2)).await;
    assert_eq!(taken.code(409), "email_taken");
    let exists = town.post("", "/auth/register", registration("b@example.cn", 1)).await;
    assert_eq!(exists.code(409), "organization_exists");
    let body = json!({ "email": "b@example.cn", "password": PASSWORD });
    assert_eq!(town.post("", "/auth/login", body).await.code(401), "bad_credentials");
}

fn forged(secret: &str, alg: jsonwebtoken::Algorithm, change: Value) -> String {
    let now = Moment::now().unix_seconds();
    let mut claims = json!({ "iss": "keshi", "aud": "keshi-api", "sub": Id::<of::Account>::fresh(),
        "sid": Id::<of::Session>::fresh(), "iat": now, "exp": now + 600 });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::new(alg), &claims, &key).unwrap()
}

#[actix_web::test]
async fn a_token_opens_nothing_unless_its_session_lives() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::Algorithm::{HS256, HS512};
    let town = Town::open().await;
    town.person("a@example.cn", None);
    let (token, refresh) = town.tokens("a@example.cn").await;
    town.get(&token, "/me").await.with(200);
    assert_eq!(town.get("", "/me").await.code(401), "unauthenticated");

    let body = token.split('.').nth(1).unwrap();
    let none = format!("{}.{body}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#));
    let long_ago = Moment::now().unix_seconds() - 60;
    for (bad, code) in [
        (none, "token_invalid"),
        (forged("another secret of thirty-two bytes", HS256, json!({})), "token_invalid"),
        (forged(SECRET, HS512, json!({})), "token_invalid"),
        (forged(SECRET, HS256, json!({ "aud": "somebody" })), "token_invalid"),
        (forged(SECRET, HS256, json!({ "iss": "somebody" })), "token_invalid"),
        (forged(SECRET, HS256, json!({ "exp": long_ago })), "token_expired"),
        // well signed, but there is no such session
        (forged(SECRET, HS256, json!({})), "token_invalid"),
        ("ks_nonsense".into(), "api_key_invalid"),
        ("nonsense".into(), "token_invalid"),
    ] {
        assert_eq!(town.get(&bad, "/me").await.code(401), code, "{bad}");
        // a bad token is refused where none is needed, too
        assert_eq!(town.get(&bad, "/organizations").await.code(401), code, "{bad}");
    }
    let basic = [("Authorization", "Basic YTpi")];
    assert_eq!(town.ask("", Method::GET, "/me", &basic, "").await.code(401), "token_invalid");

    town.ask(&token, Method::POST, "/auth/logout", &[], "").await.with(204);
    assert_eq!(town.get(&token, "/me").await.code(401), "session_revoked");
    let body = json!({ "refresh_token": refresh });
    // the old token in the header is no hindrance to the calls that would give a new one
    assert_eq!(town.post(&token, "/auth/refresh", body).await.code(401), "session_revoked");
}

#[actix_web::test]
async fn a_refresh_token_works_once() {
    let town = Town::open().await;
    town.person("a@example.cn", None);
    let (_, first) = town.tokens("a@example.cn").await;
    let body = |token: &str| json!({ "refresh_token": token });
    let pair = town.post("", "/auth/refresh", body(&first)).await.with(200);
    let (access, second) =
        (pair["access_token"].as_str().unwrap(), pair["refresh_token"].as_str().unwrap());
    town.get(access, "/me").await.with(200);

    // a repeat of the same request gets the same answer
    let key = [("Idempotency-Key", "r-1")];
    let once = body(second).to_string();
    let third = town.ask("", Method::POST, "/auth/refresh", &key, once.clone()).await.with(200);
    let replay = town.ask("", Method::POST, "/auth/refresh", &key, once).await;
    assert_eq!(replay.header("idempotency-replayed"), "true");
    assert_eq!(replay.with(200), third);

    // a second use ends the family, and stays ended
    let other_key = [("Idempotency-Key", "r-2")];
    let stolen = body(&first).to_string();
    let reused = town.ask("", Method::POST, "/auth/refresh", &other_key, stolen).await;
    assert_eq!(reused.code(401), "refresh_reused");
    assert_eq!(town.happened("session.reuse_detected"), 1);
    assert_eq!(town.get(access, "/me").await.code(401), "session_revoked");
    let newest = third["refresh_token"].as_str().unwrap();
    assert_eq!(town.post("", "/auth/refresh", body(newest)).await.code(401), "session_revoked");
    assert_eq!(town.post("", "/auth/refresh", body("none")).await.code(401), "refresh_invalid");
}

#[actix_web::test]
async fn a_forgotten_password_is_reset_once() {
    let town = Town::open().await;
    let id = town.person("a@example.cn", None);
    let token = town.sign_in("a@example.cn").await;
    let ask = |email: &str| json!({ "email": email });
    let known = town.post("", "/auth/password-reset", ask("a@example.cn")).await.with(202);
    let unknown = town.post("", "/auth/password-reset", ask("b@example.cn")).await.with(202);
    assert_eq!(known, unknown);
    assert_eq!(town.happened("account.password_reset_requested"), 1);

    let link = town.link(id, LinkPurpose::ResetPassword);
    let set = |token: &str, password: &str| json!({ "token": token, "password": password });
    let path = "/auth/password-reset/confirm";
    let verify = town.link(id, LinkPurpose::VerifyEmail);
    assert_eq!(town.post("", path, set(&verify, "另一个很长的密码")).await.code(422), "invalid");
    let weak = town.post("", path, set(&link, "iloveyou5201314")).await;
    assert_eq!(weak.faults(), ["/password common_password"]);
    let key = [("Idempotency-Key", "reset")];
    let body = set(&link, "四月的风吹过浑河岸边").to_string();
    town.ask("", Method::POST, path, &key, body.clone()).await.with(204);
    let replay = town.ask("", Method::POST, path, &key, body).await;
    assert_eq!((replay.status, replay.header("idempotency-replayed")), (204, "true"));
    let again = town.post("", path, set(&link, "五月的风吹过浑河岸边")).await;
    assert_eq!(again.faults(), ["/token bad_link"]);
    assert_eq!(town.get(&token, "/me").await.code(401), "session_revoked");
    let old = json!({ "email": "a@example.cn", "password": PASSWORD });
    assert_eq!(town.post("", "/auth/login", old).await.code(401), "bad_credentials");
    let new = json!({ "email": "a@example.cn", "password": "四月的风吹过浑河岸边" });
    town.post("", "/auth/login", new).await.with(200);
}

/// What the authenticator app shows `steps` of 30 seconds after `now`.
fn code(secret: &str, now: Moment, steps: i64) -> String {
    let at = u64::try_from(now.unix_seconds() + 30 * steps).unwrap();
    totp_rs::Builder::new()
        .with_secret(totp_rs::Secret::try_from_base32(secret).unwrap())
        .with_account_name("a")
        .with_issuer(Some("k"))
        .build()
        .unwrap()
        .generate(at)
        .to_string()
}

#[actix_web::test]
async fn an_operator_needs_a_second_factor() {
    let town = Town::open().await;
    town.person("op@example.cn", Some((PlatformRole::Operator, "210000")));
    let waiting = town.organization(OrganizationKind::Company, 1, OrganizationState::Pending);
    let path = format!("/organizations/{waiting}");
    let bare = town.sign_in("op@example.cn").await;
    assert_eq!(town.get(&bare, "/me").await.with(200)["second_factor_missing"], true);
    town.get(&bare, &path).await.with(404);
    let verify = format!("{path}/verify");
    assert_eq!(town.post(&bare, &verify, json!({})).await.code(403), "second_factor_required");

    let begun = town.post(&bare, "/me/totp", json!({})).await.with(200);
    let secret = begun["secret"].as_str().unwrap();
    // the codes of this step and the next are good even if the step turns while the test runs
    let now = Moment::now();
    assert!(begun["otpauth_url"].as_str().unwrap().contains(secret));
    let confirm = |code: String| json!({ "code": code });
    let wrong = town.post(&bare, "/me/totp/confirm", confirm("000000x".into())).await;
    assert_eq!(wrong.faults(), ["/code totp_invalid"]);
    town.post(&bare, "/me/totp/confirm", confirm(code(secret, now, 0))).await.with(200);
    assert_eq!(town.post(&bare, "/me/totp", json!({})).await.code(409), "totp_enabled");

    let login = |totp: Option<String>| json!({ "email": "op@example.cn", "password": PASSWORD, "totp": totp });
    assert_eq!(town.post("", "/auth/login", login(None)).await.code(401), "totp_required");
    let used = town.post("", "/auth/login", login(Some(code(secret, now, 0)))).await;
    assert_eq!(used.code(401), "totp_invalid");
    let strong = town.post("", "/auth/login", login(Some(code(secret, now, 1)))).await.with(200);
    let replayed = town.post("", "/auth/login", login(Some(code(secret, now, 1)))).await;
    assert_eq!(replayed.code(401), "totp_invalid", "a code opens one session");
    let strong = strong["access_token"].as_str().unwrap();
    town.post(strong, &verify, json!({})).await.with(200);

    let forget = diesel::update(people::table).set(people::totp_last_step.eq(None::<i64>));
    town.db.write_now(|tx| Ok(forget.execute(&mut **tx)?)).unwrap();
    let end = confirm(code(secret, now, 1)).to_string();
    town.ask(strong, Method::DELETE, "/me/totp", &[], end).await.with(204);
    assert_eq!(
        town.post(strong, &format!("{path}/suspend"), json!({ "reason": "x" })).await.code(403),
        "second_factor_required"
    );
}

#[actix_web::test]
async fn guesses_are_limited() {
    let town = Town::with(&[("KESHI_RATE_LIMIT", "on")]).await;
    town.person("a@example.cn", None);
    let guess = json!({ "email": "a@example.cn", "password": "不是这个密码" });
    for _ in 0..5 {
        assert_eq!(town.post("", "/auth/login", guess.clone()).await.code(401), "bad_credentials");
    }
    let refused = town.post("", "/auth/login", guess).await;
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(refused.code(429), "rate_limited");
    for path in ["/auth/verify-email", "/auth/refresh"] {
        let field = if path.ends_with("refresh") { "refresh_token" } else { "token" };
        let mut last = 0;
        for _ in 0..6 {
            last = town.post("", path, json!({ field: "guess" })).await.status;
        }
        assert_eq!(last, 429, "{path}");
    }
}

#[actix_web::test]
async fn members_come_by_invitation_and_one_admin_stays() {
    let town = Town::open().await;
    let boss = town.person("boss@example.cn", None);
    let house = town.organization(OrganizationKind::Company, 1, OrganizationState::Verified);
    town.seat(house, boss, MemberRole::Admin);
    let token = town.sign_in("boss@example.cn").await;
    let path = format!("/organizations/{house}/members");
    let invite = json!({ "email": "New@example.cn", "name": "孙丽", "role": "member" });
    let made = town.post(&token, &path, invite.clone()).await.with(201);
    assert_eq!(made["email_verified"], false);
    assert_eq!(town.post(&token, &path, invite).await.code(409), "already_member");
    assert_eq!(
        (town.happened("account.invited"), town.happened("organization.member_added")),
        (1, 2)
    );

    // the invitation sets the first password and proves the address
    let newcomer = town.id_of("new@example.cn");
    let body = json!({ "email": "new@example.cn", "password": PASSWORD });
    assert_eq!(town.post("", "/auth/login", body).await.code(401), "bad_credentials");
    let link = town.link(newcomer, LinkPurpose::AcceptInvitation);
    let accept = json!({ "token": link, "password": PASSWORD });
    town.post("", "/auth/password-reset/confirm", accept).await.with(204);
    let member = town.sign_in("new@example.cn").await;
    assert_eq!(town.get(&member, "/me").await.with(200)["email_verified"], true);

    assert_eq!(town.get(&member, &path).await.with(200)["total"], 2);
    let page = town.get(&member, &format!("{path}?limit=1")).await.with(200);
    let next = page["next_cursor"].as_str().unwrap();
    let rest = town.get(&member, &format!("{path}?limit=1&cursor={next}")).await.with(200);
    assert_eq!(
        (page["items"][0]["name"].as_str(), &rest["next_cursor"]),
        (Some("孙丽"), &Value::Null)
    );
    assert_eq!(rest["items"][0]["account_id"], json!(boss));
    town.person("stranger@example.cn", None);
    let stranger = town.sign_in("stranger@example.cn").await;
    assert_eq!(town.get(&stranger, &path).await.code(403), "not_member");
    assert_eq!(
        town.post(&member, &path, json!({ "email": "x@example.cn", "name": "x", "role": "admin" }))
            .await
            .code(403),
        "not_admin"
    );
    assert_eq!(town.delete(&member, &format!("{path}/{boss}")).await.code(403), "not_admin");
    assert_eq!(town.delete(&token, &format!("{path}/{boss}")).await.code(409), "last_admin");
    town.delete(&token, &format!("{path}/{}", Id::<of::Account>::fresh())).await.with(404);
    town.delete(&member, &format!("{path}/{newcomer}")).await.with(204);
    assert_eq!(town.get(&member, &path).await.code(403), "not_member");
}

#[actix_web::test]
async fn a_key_speaks_for_its_organization_and_no_further() {
    let town = Town::with(&[]).await;
    let boss = town.person("boss@example.cn", Some((PlatformRole::Operator, "210000")));
    let house = town.organization(OrganizationKind::Company, 1, OrganizationState::Pending);
    let other = town.organization(OrganizationKind::Company, 2, OrganizationState::Pending);
    town.seat(house, boss, MemberRole::Admin);
    town.seat(other, boss, MemberRole::Admin);
    let token = town.sign_in("boss@example.cn").await;
    let path = format!("/organizations/{house}/api-keys");
    let made = town.post(&token, &path, json!({ "name": "同步" })).await.with(201);
    let key = made["secret"].as_str().unwrap().to_owned();
    assert!(key.starts_with("ks_") && key.starts_with(made["prefix"].as_str().unwrap()));
    let list = town.get(&token, &path).await.with(200);
    assert_eq!((&list["total"], &list["items"][0]["secret"]), (&json!(1), &Value::Null));

    let me = town.get(&key, "/me").await.with(200);
    assert_eq!((me["memberships"].as_array().unwrap().len(), &me["platform"]), (1, &Value::Null));
    town.get(&key, &format!("/organizations/{house}")).await.with(200);
    town.get(&key, &format!("/organizations/{other}")).await.with(404);
    assert_eq!(town.post(&key, &path, json!({ "name": "b" })).await.code(403), "not_admin");
    assert_eq!(town.patch(&key, "/me", json!({ "name": "b" })).await.code(403), "session_required");
    assert_eq!(town.post(&key, "/me/totp", json!({})).await.code(403), "session_required");
    let gone = format!("{path}/{}", made["id"].as_str().unwrap());
    town.delete(&token, &gone).await.with(204);
    assert_eq!(town.get(&key, "/me").await.code(401), "api_key_invalid");
}

#[actix_web::test]
async fn a_broker_is_a_verified_member_of_an_agency() {
    let town = Town::open().await;
    let (broker, outsider) = (town.person("b@example.cn", None), town.person("o@example.cn", None));
    let agency = town.organization(OrganizationKind::Agency, 1, OrganizationState::Verified);
    let firm = town.organization(OrganizationKind::Company, 2, OrganizationState::Verified);
    town.seat(agency, broker, MemberRole::Admin);
    town.seat(firm, outsider, MemberRole::Admin);
    let (token, other) = (town.sign_in("b@example.cn").await, town.sign_in("o@example.cn").await);
    let body = json!({ "level": "senior", "certificate_no": "JSJL-1", "fields": ["05"],
        "region_codes": ["210106"], "languages": ["zh"] });
    assert_eq!(town.post(&other, "/brokers", body.clone()).await.code(403), "not_agency_member");
    let mut bad = body.clone();
    bad["fields"] = json!(["05", "05"]);
    bad["region_codes"] = json!(["999999"]);
    assert_eq!(
        town.post(&token, "/brokers", bad).await.faults(),
        ["/fields/1 duplicate", "/region_codes/0 unknown_region"]
    );
    let made = town.post(&token, "/brokers", body.clone()).await.with(201);
    assert_eq!(town.post(&token, "/brokers", body).await.code(409), "broker_exists");
    let path = format!("/brokers/{}", made["id"].as_str().unwrap());
    town.get("", &path).await.with(404);
    let operator = town.operator("op@example.cn", "210100").await;
    let verify = format!("{path}/verify");
    assert_eq!(town.post(&token, &verify, json!({})).await.code(403), "not_operator");
    town.post(&other, &verify, json!({})).await.with(404);
    town.post(&operator, &verify, json!({})).await.with(200);
    assert_eq!(town.post(&operator, &verify, json!({})).await.code(409), "illegal_transition");
    let seen = town.get("", &path).await.with(200);
    assert_eq!((seen["state"].as_str(), &seen["certificate_no"]), (Some("verified"), &Value::Null));
    assert_eq!(town.get("", "/brokers?field=05&region=210100").await.with(200)["total"], 1);
    assert_eq!(town.get("", "/brokers?field=06").await.with(200)["total"], 0);
    assert_eq!(town.get("", "/brokers?region=210300").await.with(200)["total"], 0);
    assert_eq!(town.get(&token, "/me").await.with(200)["broker"]["certificate_no"], "JSJL-1");
}

#[actix_web::test]
async fn a_list_shows_what_its_reader_may_see() {
    let town = Town::open().await;
    let me = town.person("a@example.cn", None);
    for n in 0..5 {
        town.organization(OrganizationKind::Company, n, OrganizationState::Verified);
    }
    let mine = town.organization(OrganizationKind::Institute, 7, OrganizationState::Pending);
    town.organization(OrganizationKind::Institute, 8, OrganizationState::Rejected);
    town.seat(mine, me, MemberRole::Member);
    let token = town.sign_in("a@example.cn").await;
    let operator = town.operator("op@example.cn", "210100").await;
    let elsewhere = town.operator("else@example.cn", "210300").await;
    for (reader, query, total) in [
        ("", "", 5),
        (token.as_str(), "", 6),
        (operator.as_str(), "", 7),
        (elsewhere.as_str(), "", 5),
        ("", "state=pending", 0),
        (token.as_str(), "state=pending", 1),
        (operator.as_str(), "state=rejected", 1),
        ("", "kind=institute", 0),
        ("", "region=210100", 5),
        ("", "region=210300", 0),
        ("", "q=%E5%8D%95%E4%BD%8D3", 1),
        ("", "q=%25", 0),
        ("", "q=%22)%20OR%20*%3A*'%3B--", 0),
    ] {
        let seen = town.get(reader, &format!("/organizations?{query}")).await.with(200);
        assert_eq!(seen["total"], total, "{query}");
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = town.get("", &format!("/organizations?limit=2{cursor}")).await.with(200);
        for item in page["items"].as_array().unwrap() {
            seen.push(item["id"].as_str().unwrap().to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 5);
    for bad in ["limit=0", "cursor=x", "state=none", "colour=red", "region=999999", "q=%00"] {
        town.get("", &format!("/organizations?{bad}")).await.with(422);
    }
    town.get("", "/organizations/no-id").await.with(404);
}

#[actix_web::test]
async fn the_journal_knows_no_secret_and_no_person() {
    let town = Town::open().await;
    town.post("", "/auth/register", registration("zhao@example.cn", 1)).await.with(201);
    let id = town.id_of("zhao@example.cn");
    let link = town.link(id, LinkPurpose::VerifyEmail);
    town.post("", "/auth/verify-email", json!({ "token": link })).await.with(204);
    let (token, refresh) = town.tokens("zhao@example.cn").await;
    let changed = town.patch(&token, "/me", json!({ "name": "赵敏敏", "lang": "en" })).await;
    assert_eq!(changed.header("etag"), "\"3\"");
    let totp = town.post(&token, "/me/totp", json!({})).await.with(200);
    let house =
        town.get(&token, "/me").await.with(200)["memberships"][0]["organization"]["id"].clone();
    let keys = format!("/organizations/{}/api-keys", house.as_str().unwrap());
    let key = town.post(&token, &keys, json!({ "name": "同步" })).await.with(201);
    let told =
        town.journal().into_iter().map(|(t, s, b)| format!("{t} {s} {b}\n")).collect::<String>();
    for secret in [
        link.as_str(),
        token.as_str(),
        refresh.as_str(),
        totp["secret"].as_str().unwrap(),
        key["secret"].as_str().unwrap(),
        PASSWORD,
        "zhao@example.cn",
        "赵敏",
        "$argon2",
    ] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    // and the tables hold digests, or what is sealed
    let read = |c: &mut DbConn| {
        let mut kept: Vec<String> = links::table.select(links::digest).load(c)?;
        kept.extend(refresh_tokens::table.select(refresh_tokens::digest).load::<String>(c)?);
        kept.extend(api_keys::table.select(api_keys::digest).load::<String>(c)?);
        let sealed = people::table.select(people::totp_secret).load::<Option<String>>(c)?;
        kept.extend(sealed.into_iter().flatten());
        Ok(kept)
    };
    let kept = town.db.read_now(read).unwrap();
    assert_eq!(kept.len(), 4);
    for secret in [link.as_str(), &refresh, totp["secret"].as_str().unwrap()] {
        assert!(!kept.iter().any(|k| k.contains(secret)), "{secret}");
    }
}
