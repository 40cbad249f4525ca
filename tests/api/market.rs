//! A market of listings alone: the real routes over a database of their own, with callers who need no
//! token because they are put beside the request.
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use actix_web::{
    App, HttpMessage,
    dev::Service,
    http::{Method, header::HeaderMap},
    test,
    web::Data,
};
use diesel::prelude::*;
use keshi::{
    accounts::model::OrganizationState,
    achievements, console, demands,
    kernel::{
        Actor, Config, Db, DbConn, Id, MemberRole, Moment, OrganizationKind, PlatformRole, Region,
        Result, Tx,
        actor::{Membership, Platform, Recognised},
        of,
    },
    markets,
    schema::{accounts, brokers, journal, organizations},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use utoipa_actix_web::{AppExt, scope};

pub struct Market {
    _folder: TempDir,
    pub db: Db,
    config: Config,
    callers: Mutex<HashMap<String, Actor>>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The answer's body, when it has the status that is due.
    #[track_caller]
    pub fn with(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }
    /// The code of the problem, when it has the status that is due.
    #[track_caller]
    pub fn code(self, status: u16) -> String {
        self.with(status)["code"].as_str().unwrap().to_owned()
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
    /// `pointer code` of every fault.
    #[track_caller]
    pub fn faults(self) -> Vec<String> {
        let body = self.with(422);
        let told = |f: &Value| {
            format!("{} {}", f["pointer"].as_str().unwrap(), f["code"].as_str().unwrap())
        };
        let mut all: Vec<_> = body["errors"].as_array().into_iter().flatten().map(told).collect();
        all.sort();
        all
    }
}

impl Market {
    pub fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config =
            Config::for_folder(folder.path(), "a secret of thirty-two bytes or more").unwrap();
        DbConn::open(&config.database_url).unwrap().migrate().unwrap();
        let db = Db::open(&config.database_url).unwrap();
        Self { _folder: folder, db, config, callers: Mutex::default() }
    }
    /// Verified organizations need no review here.
    pub fn trusting() -> Self {
        let mut market = Self::open();
        market.config.trusted_listings = true;
        market
    }
    fn callers(&self) -> MutexGuard<'_, HashMap<String, Actor>> {
        self.callers.lock().unwrap()
    }
    pub fn write<T>(&self, f: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> T {
        self.db.write_now(f).unwrap()
    }
    /// Works as if it were `now`.
    pub fn at<T>(&self, now: Moment, f: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> T {
        self.write(|tx| tx.at(now, f))
    }

    pub fn organization(
        &self,
        kind: OrganizationKind,
        state: OrganizationState,
        region: &str,
    ) -> Id<of::Organization> {
        let id = Id::<of::Organization>::fresh();
        self.write(|tx| {
            let row = (
                organizations::id.eq(id),
                organizations::name.eq("示例单位（虚构）"),
                organizations::kind.eq(kind),
                organizations::uscc.eq(id),
                organizations::region_code.eq(region),
                organizations::state.eq(state),
                organizations::version.eq(1),
                organizations::created_at.eq(tx.now()),
                organizations::updated_at.eq(tx.now()),
            );
            Ok(diesel::insert_into(organizations::table).values(row).execute(&mut **tx)?)
        });
        id
    }

    fn person(&self, members: Vec<Membership>, platform: Option<Platform>) -> String {
        let id = Id::<of::Account>::fresh();
        self.write(|tx| {
            let row = (
                accounts::id.eq(id),
                accounts::email.eq(format!("{id}@example.invalid")),
                accounts::name.eq("王明"),
                accounts::password_hash.eq(""),
                accounts::lang.eq("zh-CN"),
                accounts::version.eq(1),
                accounts::created_at.eq(tx.now()),
            );
            Ok(diesel::insert_into(accounts::table).values(row).execute(&mut **tx)?)
        });
        let actor = Actor {
            account: id,
            session: None,
            api_key: None,
            email_verified: true,
            second_factor_missing: false,
            memberships: members,
            platform,
        };
        self.callers().insert(id.to_string(), actor);
        id.to_string()
    }

    /// A member of `organizations`, as the database knows them.
    pub fn member(&self, organizations: &[Id<of::Organization>]) -> String {
        let known = self.db.read_now(|c| keshi::accounts::organizations(c, organizations)).unwrap();
        let members = known.into_iter().map(|o| Membership {
            organization: o.id,
            kind: o.kind,
            role: MemberRole::Member,
            region: o.region_code.clone(),
            verified: o.is_verified(),
        });
        self.person(members.collect(), None)
    }
    /// The member of a fresh verified organization in Shenyang.
    pub fn firm(&self, kind: OrganizationKind) -> String {
        self.member(&[self.organization(kind, OrganizationState::Verified, "210100")])
    }
    pub fn official(&self, role: PlatformRole, region: &str) -> String {
        let region: Region = region.parse().unwrap();
        self.person(Vec::new(), Some(Platform { role, region }))
    }
    pub fn actor(&self, caller: &str) -> Actor {
        self.callers().get(caller).unwrap().clone()
    }

    /// A broker of a verified agency: the caller and the profile.
    pub fn broker(&self, state: &str) -> (String, Id<of::Broker>) {
        let agency =
            self.organization(OrganizationKind::Agency, OrganizationState::Verified, "210100");
        let (caller, id) = (self.member(&[agency]), Id::<of::Broker>::fresh());
        self.write(|tx| {
            let row = (
                brokers::id.eq(id),
                brokers::account_id.eq(&caller),
                brokers::organization_id.eq(agency),
                brokers::level.eq("senior"),
                brokers::certificate_no.eq("示例"),
                brokers::fields.eq("[]"),
                brokers::region_codes.eq("[]"),
                brokers::languages.eq("[]"),
                brokers::state.eq(state),
                brokers::version.eq(1),
                brokers::created_at.eq(tx.now()),
            );
            Ok(diesel::insert_into(brokers::table).values(row).execute(&mut **tx)?)
        });
        (caller, id)
    }

    /// What the journal says happened, oldest first.
    pub fn topics(&self) -> Vec<String> {
        let read = |c: &mut DbConn| {
            Ok(journal::table.order(journal::id).select(journal::topic).load(c)?)
        };
        self.db.read_now(read).unwrap()
    }

    pub async fn ask(
        &self,
        caller: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let actor = self.callers().get(caller).cloned();
        let app = App::new()
            .into_utoipa_app()
            .service(
                scope("/api/v1")
                    .configure(achievements::http::routes)
                    .configure(demands::http::routes)
                    .configure(markets::http::routes)
                    .configure(console::http::routes),
            )
            .into_app()
            .app_data(Data::new(self.db.clone()))
            .app_data(Data::new(self.config.clone()))
            .app_data(Data::new(keshi::kernel::Answers::default()))
            .wrap_fn(move |req, srv| {
                let known = actor.clone().map(|a| Recognised::Known(Box::new(a)));
                req.extensions_mut().insert(known.unwrap_or(Recognised::Nobody));
                srv.call(req)
            });
        let app = test::init_service(app).await;
        let mut req = test::TestRequest::with_uri(&format!("/api/v1{path}")).method(method);
        for (name, value) in headers {
            req = req.insert_header((*name, *value));
        }
        let res = test::call_service(&app, req.set_payload(body.into()).to_request()).await;
        let (status, headers) = (res.status().as_u16(), res.headers().clone());
        let bytes = test::read_body(res).await;
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)))
        };
        Answer { status, headers, body }
    }
    pub async fn get(&self, caller: &str, path: &str) -> Answer {
        self.ask(caller, Method::GET, path, &[], "").await
    }
    pub async fn post(&self, caller: &str, path: &str, body: Value) -> Answer {
        self.ask(caller, Method::POST, path, &[], body.to_string()).await
    }
    pub async fn patch(&self, caller: &str, path: &str, body: Value) -> Answer {
        self.ask(caller, Method::PATCH, path, &[], body.to_string()).await
    }
    pub async fn delete(&self, caller: &str, path: &str) -> Answer {
        self.ask(caller, Method::DELETE, path, &[], "").await
    }
}

/// `base` with some fields replaced.
pub fn with(mut base: Value, patch: Value) -> Value {
    for (name, value) in patch.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}
