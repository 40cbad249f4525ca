//! The real service in this process, with a database, an index and a post of its own for each test.
pub mod postgres;

use std::{
    cell::{Cell, RefCell},
    env,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{Mutex, OnceLock},
};

use actix_web::{
    body::MessageBody,
    dev::Service,
    http::{Method, StatusCode, header::HeaderMap},
    test::{self, TestRequest},
    web::Data,
};
use diesel::connection::SimpleConnection;
use keshi::{
    Keshi,
    accounts::{
        self, NewAccount,
        credentials::Hasher,
        model::{OrganizationState, inputs::NewOrganization},
    },
    kernel::{
        Code, Config, Id, Lang, MemberRole, Moment, OrganizationKind, PlatformRole, Region, Tx,
        db::DbConn, journal, of,
    },
    notices::{self, OutgoingMail, Post, SendError},
    worker::{CLOCKS, Consumers},
};
use serde_json::{Value, json};

pub const SECRET: &str = "a secret of the tests, of more than thirty-two bytes";
pub const PASSWORD: &str = "盛京-boiler-7788";

type Asked = Pin<Box<dyn Future<Output = Result<Answer, String>>>>;
type Ask = Rc<dyn Fn(TestRequest) -> Asked>;

/// Post that arrives, and can be read.
#[derive(Default)]
pub struct Letterbox(Mutex<Vec<OutgoingMail>>);

impl Post for Letterbox {
    fn send(&self, mail: &OutgoingMail) -> Result<(), SendError> {
        self.0.lock().unwrap().push(mail.clone());
        Ok(())
    }
}

pub struct TestApp {
    pub keshi: Keshi,
    consumers: RefCell<Consumers>,
    pub post: Letterbox,
    ask: Ask,
    serial: Cell<u32>,
    leaves_work: Cell<bool>,
    _dir: tempfile::TempDir,
}

/// An organization with a signed-in administrator.
pub struct House {
    pub id: String,
    pub admin: Caller,
}

/// Somebody with or without a token.
#[derive(Clone)]
pub struct Caller {
    ask: Ask,
    pub token: Option<String>,
    headers: Vec<(String, String)>,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Of what is no text, as well as it goes.
    pub text: String,
    pub bytes: Vec<u8>,
    pub body: Value,
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With settings of its own; rate limits are off and no second factor is asked unless set.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::start_changed(settings, |keshi| keshi).await
    }

    /// With another part in the place of what the settings give.
    pub async fn start_changed(
        settings: &[(&str, &str)],
        change: impl FnOnce(Keshi) -> Keshi,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().display().to_string();
        let url = fresh_database(&dir);
        let set =
            |key: &str| settings.iter().find(|(k, _)| *k == key).map(|(_, v)| (*v).to_owned());
        let config = Config::read("", |key| {
            set(key).or_else(|| match key {
                "KESHI_DATA_DIR" => Some(path.clone()),
                "DATABASE_URL" => Some(url.clone()),
                "KESHI_JWT_SECRET" => Some(SECRET.into()),
                "KESHI_RATE_LIMIT" => Some("off".into()),
                "KESHI_REQUIRE_TOTP" => Some("false".into()),
                "KESHI_PUBLIC_URL" => Some("https://keshi.test".into()),
                _ => None,
            })
        })
        .unwrap();
        let mut keshi = change(Keshi::open(config).unwrap());
        keshi.hasher = Data::new(Hasher::cheap().unwrap());
        let service = Rc::new(test::init_service(keshi::app(&keshi)).await);
        let ask: Ask = Rc::new(move |request: TestRequest| {
            let service = service.clone();
            Box::pin(async move {
                let response =
                    service.call(request.to_request()).await.unwrap_or_else(|e| panic!("{e}"));
                let (status, headers) = (response.status(), response.headers().clone());
                let bytes = actix_web::body::to_bytes(response.into_body().boxed()).await;
                let bytes = bytes.map_err(|e| e.to_string())?;
                let bytes = bytes.to_vec();
                // a workbook is no text
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let body = serde_json::from_str(&text).unwrap_or(Value::Null);
                Ok(Answer { status, headers, text, body, bytes })
            })
        });
        let consumers = RefCell::new(Consumers::new(&keshi).unwrap());
        Self {
            keshi,
            consumers,
            post: Letterbox::default(),
            ask,
            serial: Cell::new(0),
            leaves_work: Cell::new(false),
            _dir: dir,
        }
    }

    pub fn visitor(&self) -> Caller {
        Caller { ask: self.ask.clone(), token: None, headers: vec![] }
    }

    fn next(&self) -> u32 {
        self.serial.set(self.serial.get() + 1);
        self.serial.get()
    }

    /// An account made as the command line makes one, signed in over HTTP.
    async fn account(
        &self,
        name: &str,
        platform: Option<(PlatformRole, &str)>,
        member: Option<(&str, MemberRole)>,
    ) -> Caller {
        let email = format!("{name}{}@keshi.test", self.next());
        let new = NewAccount {
            email: email.clone(),
            name: name.to_owned(),
            password_hash: self.keshi.hasher.hash(PASSWORD).unwrap(),
            lang: Lang::Zh,
            verified: true,
            platform: platform.map(|(role, region)| (role, region.parse().unwrap())),
        };
        let join = |tx: &mut Tx<'_>| {
            let account = accounts::create_account(tx, new)?;
            if let Some((house, role)) = member {
                accounts::add_member(tx, house.parse().unwrap(), account, role)?;
            }
            Ok(())
        };
        self.keshi.db.write_now(join).unwrap();
        self.sign_in(&email).await
    }

    pub async fn sign_in(&self, email: &str) -> Caller {
        let body = json!({ "email": email, "password": PASSWORD });
        let tokens = self.visitor().post("/auth/login", body).await.ok();
        Caller {
            token: Some(tokens["access_token"].as_str().unwrap().to_owned()),
            ..self.visitor()
        }
    }

    pub async fn operator(&self, region: &str) -> Caller {
        self.account("operator", Some((PlatformRole::Operator, region)), None).await
    }

    pub async fn auditor(&self, region: &str) -> Caller {
        self.account("auditor", Some((PlatformRole::Auditor, region)), None).await
    }

    /// A clerk of the registrar `house`.
    pub async fn clerk(&self, house: &House) -> Caller {
        self.member("clerk", house, MemberRole::Member).await
    }

    /// Somebody new who may speak for `house`.
    pub async fn member(&self, name: &str, house: &House, role: MemberRole) -> Caller {
        self.account(name, None, Some((&house.id, role))).await
    }

    /// A verified organization whose administrator is signed in.
    pub async fn house(&self, kind: OrganizationKind, region: &str) -> House {
        self.house_in(kind, region, OrganizationState::Verified).await
    }

    pub async fn house_in(
        &self,
        kind: OrganizationKind,
        region: &str,
        state: OrganizationState,
    ) -> House {
        let n = self.next();
        let region: Region = region.parse().unwrap();
        let new = NewOrganization {
            name: format!("{}{n}（示例）", kind.zh()),
            kind,
            uscc: accounts::uscc::fictional(kind, &region, n),
            region_code: region,
        };
        let made =
            self.keshi.db.write_now(|tx| accounts::create_organization(tx, &new, state)).unwrap();
        let id = made.id.to_string();
        let admin = self.account("admin", None, Some((&id, MemberRole::Admin))).await;
        House { id, admin }
    }

    /// Lets the journal's consumers and the post finish everything that waits.
    pub fn settle(&self) {
        loop {
            self.consumers.borrow_mut().settle().unwrap();
            if notices::deliver(&self.keshi.db, &self.post, &self.keshi.config).unwrap() == 0 {
                return;
            }
        }
    }

    /// Lets the journal's consumers finish; mails stay in their queue.
    pub fn consume(&self) {
        self.consumers.borrow_mut().settle().unwrap();
    }

    /// This test is about what waits, so some may be left.
    pub fn may_leave_work(&self) {
        self.leaves_work.set(true);
    }

    /// Cuts the digests that are due at `now` and sends everything that waits.
    pub fn post_at(&self, now: Moment) {
        self.consume();
        let (db, config) = (&self.keshi.db, &self.keshi.config);
        while notices::deliver_at(db, &self.post, config, now).unwrap() > 0 {}
    }

    /// Lets every deadline pass that lies before `now`.
    pub fn pass_deadlines_at(&self, now: Moment) {
        let mut conn = self.connection();
        for room in CLOCKS {
            while Tx::run_at(&mut conn, now, room).unwrap() > 0 {}
        }
    }

    /// The mails that were sent to `address`, oldest first.
    pub fn mails_to(&self, address: &str) -> Vec<OutgoingMail> {
        self.settle();
        self.post.0.lock().unwrap().iter().filter(|m| m.to_address == address).cloned().collect()
    }

    /// Topics of the journal, oldest first.
    pub fn topics(&self) -> Vec<String> {
        self.settle();
        let read =
            |conn: &mut DbConn| Ok(journal::after(conn, 0)?.into_iter().map(|e| e.topic).collect());
        self.keshi.db.read_now(read).unwrap()
    }

    pub fn connection(&self) -> DbConn {
        DbConn::open(&self.keshi.config.database_url).unwrap()
    }

    /// Runs SQL as somebody with the database's password would.
    pub fn tamper(&self, sql: &str) {
        self.connection().batch_execute(sql).unwrap();
    }

    /// A request to any path, with an empty body where one is usual.
    pub async fn knock(&self, verb: &str, path: &str, token: Option<&str>) -> Answer {
        let method = verb.to_uppercase().parse::<Method>().unwrap();
        let mut request = TestRequest::default().method(method).uri(path);
        if let Some(token) = token {
            request = request.insert_header(("authorization", format!("Bearer {token}")));
        }
        if matches!(verb, "post" | "patch" | "put") {
            request = request.set_json(json!({}));
        }
        (self.ask)(request).await.unwrap()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if std::thread::panicking() || self.leaves_work.get() {
            return;
        }
        let unsealed = self.keshi.db.read_now(journal::unsealed).unwrap();
        let lag = self.consumers.borrow().lag().unwrap();
        let mail = self.keshi.db.read_now(notices::backlog).unwrap();
        assert!(
            unsealed == 0 && lag.iter().all(|(_, events)| *events == 0) && mail.queued == 0,
            "work was left: {unsealed} events unsealed, consumers behind by {lag:?}, {} mails queued; call settle()",
            mail.queued
        );
    }
}

impl Caller {
    /// The same caller, sending one more header.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.set_json(body);
        }
        (self.ask)(request).await.unwrap()
    }

    fn request(&self, method: Method, path: &str) -> TestRequest {
        let uri = format!("/api/v1{}", encoded(path));
        let mut request = TestRequest::default().method(method).uri(&uri);
        if let Some(token) = &self.token {
            request = request.insert_header(("authorization", format!("Bearer {token}")));
        }
        for (name, value) in &self.headers {
            request = request.insert_header((name.as_str(), value.as_str()));
        }
        request
    }

    /// The answer, or why it broke off.
    pub async fn try_get(&self, path: &str) -> Result<Answer, String> {
        (self.ask)(self.request(Method::GET, path)).await
    }
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }
    /// A `POST` that says everything in its path.
    pub async fn act(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await
    }
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }
    /// A form with one file in it, said to be of the type `declared`.
    pub async fn upload(&self, path: &str, name: &str, declared: &str, content: &[u8]) -> Answer {
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: {declared}\r\n\r\n"
        );
        let form = [head.as_bytes(), content, b"\r\n--edge--\r\n"].concat();
        let request = self
            .request(Method::POST, path)
            .insert_header(("content-type", "multipart/form-data; boundary=edge"));
        (self.ask)(request.set_payload(form)).await.unwrap()
    }
    /// A form with short texts and then a file in it.
    pub async fn upload_form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        name: &str,
        content: &[u8],
    ) -> Answer {
        let mut form = Vec::new();
        for (field, text) in fields {
            let part = format!(
                "--edge\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{text}\r\n"
            );
            form.extend_from_slice(part.as_bytes());
        }
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        form.extend_from_slice(&[head.as_bytes(), content, b"\r\n--edge--\r\n"].concat());
        let request = self
            .request(Method::POST, path)
            .insert_header(("content-type", "multipart/form-data; boundary=edge"));
        (self.ask)(request.set_payload(form)).await.unwrap()
    }
    /// The body of an answer that is no text.
    pub async fn bytes(&self, path: &str) -> Vec<u8> {
        let answer = self.get(path).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        answer.bytes
    }
    /// A body exactly as given, JSON or not.
    pub async fn post_text(&self, path: &str, text: impl Into<Vec<u8>>) -> Answer {
        let request =
            self.request(Method::POST, path).insert_header(("content-type", "application/json"));
        (self.ask)(request.set_payload(text.into())).await.unwrap()
    }
}

/// What is not allowed in a URI, written as clients write it.
fn encoded(path: &str) -> String {
    let plain = |b: u8| {
        b.is_ascii_graphic()
            && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
    };
    path.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

impl Answer {
    /// The body of an answer that went well.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        self.body
    }
    /// Refused with this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        let told = (self.status.as_u16(), self.body["code"].as_str());
        assert_eq!(told, (status, Some(code)), "{}", self.text);
        assert!(self.header("content-type").unwrap().starts_with("application/problem+json"));
        self.body
    }
    /// Refused with 422, naming exactly these faults as `pointer code`.
    #[track_caller]
    pub fn faults(self, wanted: &[&str]) {
        assert_eq!(self.status.as_u16(), 422, "{}", self.text);
        let part = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
        let errors = self.body["errors"].as_array().unwrap();
        let told: Vec<_> =
            errors.iter().map(|e| format!("{} {}", part(e, "pointer"), part(e, "code"))).collect();
        assert_eq!(told, wanted, "{}", self.text);
    }
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }
    pub fn etag(&self) -> String {
        self.header("etag").unwrap().to_owned()
    }
}

/// A database of the test's own: a file on SQLite, a copy of a migrated template on PostgreSQL.
fn fresh_database(dir: &tempfile::TempDir) -> String {
    let Ok(server) = env::var(postgres::SERVER) else {
        let url = format!("sqlite:{}", dir.path().join("keshi.db").display());
        DbConn::open(&url).unwrap().migrate().unwrap();
        return url;
    };
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    static COPYING: Mutex<()> = Mutex::new(());
    let fresh_name =
        |kind: &str| format!("{kind}_{}", Id::<of::Account>::fresh().to_string().replace('-', ""));
    let create = |name: &str, like: &str| {
        let sql = format!("CREATE DATABASE {name} TEMPLATE {like}");
        DbConn::open(&server).unwrap().batch_execute(&sql).unwrap();
    };
    let template = TEMPLATE.get_or_init(|| {
        let name = fresh_name("keshi_template");
        create(&name, "template0");
        DbConn::open(&postgres::database(&server, &name)).unwrap().migrate().unwrap();
        name
    });
    // PostgreSQL copies a template only while nobody else does
    let _one_at_a_time = COPYING.lock().unwrap_or_else(|e| e.into_inner());
    let name = fresh_name("keshi");
    create(&name, template);
    postgres::database(&server, &name)
}
