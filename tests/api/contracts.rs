//! Contracts from the first draft to the registration number, and every way in which they stop.
use std::{collections::BTreeSet, rc::Rc, thread};

use actix_web::{
    App, HttpMessage,
    dev::Service,
    http::{Method, StatusCode, header::HeaderMap},
    test::{self, TestRequest},
    web::Data,
};
use diesel::connection::SimpleConnection;
use keshi::{
    accounts::{
        self,
        model::{OrganizationState, inputs::NewOrganization},
        uscc,
    },
    contracts::{
        self,
        model::{ContractView, Parties, PartyType, Subcategory, Terms},
        service::NewRegistered,
    },
    deals,
    kernel::{
        Actor, Day, Db, DbConn, Fen, Id, Lang, MemberRole, Moment, OrganizationKind, PlatformRole,
        Region, Tx,
        actor::{Membership, Platform, Recognised},
        journal, month_of, of,
    },
    markets::model::Field,
};
use serde_json::{Value, json};
use utoipa_actix_web::AppExt;

// ---- a market with the routes of contracts, where a header says who asks

struct Market {
    db: Db,
    _dir: tempfile::TempDir,
}

#[derive(Clone)]
struct House {
    id: Id<of::Organization>,
    kind: OrganizationKind,
    region: Region,
}

fn day(offset: i64) -> Day {
    Moment::now().plus_days(offset).day()
}

impl Market {
    fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = match std::env::var("TEST_DATABASE_URL") {
            Ok(server) => {
                let name = format!("contracts_{}", Id::<of::Deal>::fresh()).replace('-', "");
                let create = format!("CREATE DATABASE {name} TEMPLATE template0");
                DbConn::open(&server).unwrap().batch_execute(&create).unwrap();
                let (front, options) = server.split_once('?').unwrap_or((&server, ""));
                format!("{}/{name}?{options}", front.rsplit_once('/').unwrap().0)
            }
            Err(_) => format!("sqlite:{}", dir.path().join("keshi.db").display()),
        };
        DbConn::open(&url).unwrap().migrate().unwrap();
        Self { db: Db::open(&url).unwrap(), _dir: dir }
    }

    fn house(&self, kind: OrganizationKind, region: &str) -> House {
        self.house_in(kind, region, OrganizationState::Verified)
    }

    fn house_in(&self, kind: OrganizationKind, region: &str, state: OrganizationState) -> House {
        let region_code: Region = region.parse().unwrap();
        let n = self.db.read_now(journal::unsealed).unwrap();
        let n = u32::try_from(n).unwrap();
        let new = NewOrganization {
            name: format!("{}{n}（示例）", keshi::kernel::Code::zh(kind)),
            kind,
            uscc: uscc::fictional(kind, &region_code, n),
            region_code: region_code.clone(),
        };
        let made = self
            .db
            .write_now(|tx| accounts::service::setup::create_organization(tx, &new, state))
            .unwrap();
        House { id: made.id, kind, region: region_code }
    }

    fn person(&self, of: Option<&House>, platform: Option<(PlatformRole, &str)>) -> Actor {
        let platform = platform.map(|(role, region)| (role, region.parse::<Region>().unwrap()));
        let account = self
            .db
            .write_now(|tx| {
                let account = accounts::create_account(
                    tx,
                    accounts::NewAccount {
                        email: format!("p{}@keshi.test", Id::<of::Account>::fresh()),
                        name: "某人".into(),
                        password_hash: "-".into(),
                        lang: Lang::Zh,
                        verified: true,
                        platform: platform.clone(),
                    },
                )?;
                if let Some(house) = of {
                    accounts::add_member(tx, house.id, account, MemberRole::Member)?;
                }
                Ok(account)
            })
            .unwrap();
        let organization = of.map(|h| self.db.read_now(|c| accounts::organization(c, h.id)));
        let verified = organization.is_some_and(|o| o.unwrap().unwrap().is_verified());
        Actor {
            account,
            session: None,
            api_key: None,
            email_verified: true,
            second_factor_missing: false,
            memberships: of
                .map(|h| Membership {
                    organization: h.id,
                    kind: h.kind,
                    role: MemberRole::Member,
                    region: h.region.clone(),
                    verified,
                })
                .into_iter()
                .collect(),
            platform: platform.map(|(role, region)| Platform { role, region }),
        }
    }

    fn topics(&self) -> Vec<String> {
        while journal::seal(&self.db).unwrap() > 0 {}
        let events = self.db.read_now(|conn| journal::after(conn, 0)).unwrap();
        events.into_iter().map(|e| e.topic).filter(|t| t.starts_with("contract.")).collect()
    }

    /// A deal between the two houses, as an accepted match request would open it.
    fn deal(&self, seller: &House, buyer: &House, by: &Actor) -> Id<of::Deal> {
        let (achievement, demand) = (Id::<of::Achievement>::fresh(), Id::<of::Demand>::fresh());
        let (request, deal) = (Id::<of::MatchRequest>::fresh(), Id::<of::Deal>::fresh());
        let (at, who) = ("'2026-01-01 00:00:00'", by.account);
        let (s, b, sr, br) = (seller.id, buyer.id, &seller.region, &buyer.region);
        let sql = format!(
            "INSERT INTO achievements (id, organization_id, created_by, state, title, abstract, keywords, field, \
               stage, trl, ip_kind, patents, transfer_modes, price_negotiable, region_code, reasons, version, \
               created_at, updated_at) VALUES ('{achievement}', '{s}', '{who}', 'published', '正极材料包覆', '摘要', \
               '[]', '05', 'pilot', 5, 'invention_patent', '[]', '[\"license\"]', true, '{sr}', '[]', 1, {at}, {at}); \
             INSERT INTO demands (id, organization_id, created_by, state, title, description, keywords, field, kind, \
               cooperation_modes, indicators, budget_negotiable, region_code, industry, visibility, broker_ids, reasons, \
               version, created_at, updated_at) VALUES ('{demand}', '{b}', '{who}', 'published', '循环寿命', '描述', \
               '[]', '05', 'key_technology', '[\"license\"]', '[]', true, '{br}', 'C38', 'public', '[]', '[]', 1, {at}, {at}); \
             INSERT INTO match_requests (id, demand_id, achievement_id, demand_organization_id, \
               achievement_organization_id, demand_region_code, achievement_region_code, requested_by, side, message, \
               state, respond_by, deal_id, version, created_at, updated_at) VALUES ('{request}', '{demand}', \
               '{achievement}', '{b}', '{s}', '{br}', '{sr}', '{who}', 'demand', '请联系', 'accepted', {at}, '{deal}', \
               1, {at}, {at}); \
             INSERT INTO deals (id, match_request_id, demand_id, achievement_id, buyer_organization_id, \
               seller_organization_id, buyer_region_code, seller_region_code, state, version, created_at, updated_at) \
               VALUES ('{deal}', '{request}', '{demand}', '{achievement}', '{b}', '{s}', '{br}', '{sr}', \
               'negotiating', 1, {at}, {at})"
        );
        self.db.write_now(|tx| Ok(tx.batch_execute(&sql)?)).unwrap();
        deal
    }

    fn deal_state(&self, deal: Id<of::Deal>) -> String {
        let row = self.db.read_now(|conn| deals::find(conn, deal)).unwrap().unwrap();
        keshi::kernel::Code::slug(row.state).to_owned()
    }

    async fn send(
        &self,
        caller: Option<&Actor>,
        verb: Method,
        path: &str,
        body: Option<&Value>,
        header: Option<(&str, &str)>,
    ) -> Answer {
        let caller = Rc::new(caller.cloned());
        let (app, _) = App::new()
            .into_utoipa_app()
            .app_data(Data::new(self.db.clone()))
            .service(utoipa_actix_web::scope("/api/v1").configure(contracts::http::routes))
            .split_for_parts();
        let app = app.wrap_fn(move |req, service| {
            if let Some(actor) = caller.as_ref() {
                req.extensions_mut().insert(Recognised::Known(Box::new(actor.clone())));
            }
            service.call(req)
        });
        let service = test::init_service(app).await;
        let mut req = TestRequest::default().method(verb).uri(&format!("/api/v1{path}"));
        if let Some(header) = header {
            req = req.insert_header(header);
        }
        if let Some(body) = body {
            req = req.set_json(body);
        }
        let response = service.call(req.to_request()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = test::read_body(response).await;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, body }
    }

    async fn post(&self, who: &Actor, path: &str, body: &Value) -> Answer {
        self.send(Some(who), Method::POST, path, Some(body), None).await
    }
    async fn act(&self, who: &Actor, id: &str, action: &str) -> Answer {
        let path = format!("/contracts/{id}/{action}");
        self.send(Some(who), Method::POST, &path, None, None).await
    }
    async fn get(&self, who: &Actor, path: &str) -> Answer {
        self.send(Some(who), Method::GET, path, None, None).await
    }
    async fn patch(&self, who: &Actor, path: &str, body: &Value) -> Answer {
        self.send(Some(who), Method::PATCH, path, Some(body), None).await
    }
    async fn delete(&self, who: &Actor, path: &str) -> Answer {
        self.send(Some(who), Method::DELETE, path, None, None).await
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    #[track_caller]
    fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.body);
        self.body
    }
    #[track_caller]
    fn refused(self, status: u16, code: &str) -> Value {
        let told = (self.status.as_u16(), self.body["code"].as_str());
        assert_eq!(told, (status, Some(code)), "{}", self.body);
        self.body
    }
    #[track_caller]
    fn faults(self, wanted: &[&str]) {
        assert_eq!(self.status.as_u16(), 422, "{}", self.body);
        let told: Vec<_> = self.body["errors"].as_array().unwrap().iter().map(told).collect();
        assert_eq!(told, wanted);
    }
    fn etag(&self) -> String {
        self.headers.get("etag").unwrap().to_str().unwrap().to_owned()
    }
}

fn told(fault: &Value) -> String {
    format!("{} {}", fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap())
}

/// A seller with a member, a buyer with a member, a registrar with two clerks.
struct Cast {
    seller: House,
    buyer: House,
    registrar: House,
    filer: Actor,
    customer: Actor,
    clerk: Actor,
    second: Actor,
}

impl Cast {
    fn of(market: &Market) -> Self {
        let seller = market.house(OrganizationKind::University, "210106");
        let buyer = market.house(OrganizationKind::Company, "210200");
        let registrar = market.house(OrganizationKind::Registrar, "210100");
        let person = |house| market.person(Some(house), None);
        Self {
            filer: person(&seller),
            customer: person(&buyer),
            clerk: person(&registrar),
            second: person(&registrar),
            seller,
            buyer,
            registrar,
        }
    }

    fn body(&self) -> Value {
        json!({
            "title": "高镍三元正极材料包覆工艺委托开发", "category": "development",
            "subcategory": "dev_entrusted", "seller": {"organization_id": self.seller.id},
            "buyer": {"organization_id": self.buyer.id},
            "signed_on": day(-30), "effective_on": day(-20), "valid_to": day(700),
            "field": "05", "ip_kinds": ["invention_patent"], "plan_source": "none",
            "objective": "industry", "industry": "C38", "payment": "installments",
            "related_party": false, "cross_border": "none",
            "lines": [
                {"kind": "technology", "description": "工艺开发", "amount_fen": 100_000_000},
                {"kind": "equipment", "description": "中试设备", "amount_fen": 20_000_000}
            ],
            "registrar_id": self.registrar.id
        })
    }

    fn titled(&self, title: &str) -> Value {
        with(self.body(), json!({ "title": title }))
    }

    async fn draft(&self, market: &Market, title: &str) -> String {
        let made = market.post(&self.filer, "/contracts", &self.titled(title)).await.ok();
        made["id"].as_str().unwrap().to_owned()
    }

    async fn under_review(&self, market: &Market, title: &str) -> String {
        let id = self.draft(market, title).await;
        market.act(&self.filer, &id, "submit").await.ok();
        market.act(&self.clerk, &id, "accept").await.ok();
        market.act(&self.clerk, &id, "review").await.ok();
        id
    }
}

fn with(mut body: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn without(mut body: Value, fields: &[&str]) -> Value {
    for field in fields {
        body.as_object_mut().unwrap().remove(*field);
    }
    body
}

// ---- the way to the number

#[actix_web::test]
async fn a_contract_is_registered_by_two_clerks() {
    let market = Market::open();
    let cast = Cast::of(&market);
    let made = market.post(&cast.filer, "/contracts", &cast.body()).await;
    assert_eq!((made.status.as_u16(), made.etag().as_str()), (201, "\"1\""));
    let location = made.headers.get("location").unwrap().to_str().unwrap().to_owned();
    let draft = made.ok();
    let id = draft["id"].as_str().unwrap().to_owned();
    assert_eq!(location, format!("/api/v1/contracts/{id}"));
    assert_eq!(
        (&draft["total_fen"], &draft["tech_fen"]),
        (&json!(120_000_000), &json!(100_000_000))
    );
    assert!(draft["amount_basis"].as_str().unwrap().contains("设备 200,000.00 元"), "{draft}");
    assert_eq!(draft["allowed_actions"], json!(["submit", "withdraw"]));
    assert_eq!(draft["seller"]["party_type"], "university");

    market.act(&cast.filer, &id, "submit").await.ok();
    market.act(&cast.clerk, &id, "accept").await.ok();
    let reviewed = market.act(&cast.clerk, &id, "review").await.ok();
    assert_eq!(reviewed["allowed_actions"], json!(["refuse"]), "the examiner cannot register");
    market.act(&cast.clerk, &id, "register").await.refused(403, "two_person_rule");
    let done = market.act(&cast.second, &id, "register").await.ok();

    let today = Moment::now().day();
    let no = format!("{}210101000001", today.format("%Y"));
    assert_eq!(
        (done["state"].as_str(), done["registration_no"].as_str()),
        (Some("registered"), Some(&*no))
    );
    assert_eq!((&done["registered_on"], &done["allowed_actions"]), (&json!(today), &json!([])));
    assert_eq!(
        market.get(&cast.customer, &format!("/contracts/{id}")).await.ok()["state"],
        "registered"
    );
    assert_eq!(
        market.topics(),
        [
            "contract.drafted",
            "contract.submitted",
            "contract.accepted",
            "contract.under_review",
            "contract.registered"
        ]
    );
    let events = market.db.read_now(|conn| journal::after(conn, 0)).unwrap();
    let body = events.last().unwrap().body().unwrap();
    assert_eq!(body, json!({ "state": "registered", "month": month_of(today) }));
}

#[actix_web::test]
async fn what_a_state_forbids_is_refused_with_what_it_allows() {
    let market = Market::open();
    let cast = Cast::of(&market);
    let id = cast.draft(&market, "状态演练").await;
    let told = market.act(&cast.filer, &id, "register").await.refused(409, "illegal_transition");
    assert_eq!(
        (&told["state"], &told["allowed_actions"]),
        (&json!("draft"), &json!(["submit", "withdraw"]))
    );
    market.act(&cast.customer, &id, "submit").await.refused(403, "not_your_step");
    market.act(&cast.filer, &id, "submit").await.ok();
    market.act(&cast.filer, &id, "accept").await.refused(403, "not_your_step");
    market.act(&cast.clerk, &id, "withdraw").await.refused(403, "not_your_step");
    let path = format!("/contracts/{id}");
    market
        .patch(&cast.filer, &path, &json!({"title": "改名"}))
        .await
        .refused(409, "illegal_transition");
    market.delete(&cast.filer, &path).await.refused(409, "illegal_transition");
    market.patch(&cast.clerk, &path, &json!({"title": "改名"})).await.refused(403, "not_the_filer");

    let refuse = format!("{path}/refuse");
    market
        .post(&cast.clerk, &refuse, &json!({"grounds": "短"}))
        .await
        .faults(&["/grounds too_short"]);
    market.post(&cast.clerk, &refuse, &json!({})).await.faults(&["/grounds required"]);
    let grounds = json!({"grounds": "标的为承揽加工，不属于技术合同。"});
    let refused = market.post(&cast.clerk, &refuse, &grounds).await.ok();
    assert_eq!((&refused["state"], &refused["grounds"]), (&json!("refused"), &grounds["grounds"]));
    market.act(&cast.filer, &id, "withdraw").await.refused(409, "illegal_transition");

    for steps in [&[][..], &["submit"], &["submit", "accept"], &["submit", "accept", "review"]] {
        let id = cast.draft(&market, &format!("撤回于第{}步之后", steps.len())).await;
        for (i, step) in steps.iter().enumerate() {
            let who = if i == 0 { &cast.filer } else { &cast.clerk };
            market.act(who, &id, step).await.ok();
        }
        assert_eq!(market.act(&cast.filer, &id, "withdraw").await.ok()["state"], "withdrawn");
    }
}

#[actix_web::test]
async fn who_may_not_know_of_a_contract_gets_404() {
    let market = Market::open();
    let cast = Cast::of(&market);
    let id = cast.draft(&market, "谁能看见").await;
    let path = format!("/contracts/{id}");
    let stranger = market.person(Some(&market.house(OrganizationKind::Company, "210100")), None);
    let elsewhere = market.house(OrganizationKind::Registrar, "210200");
    let foreign_clerk = market.person(Some(&elsewhere), None);
    let operator = market.person(None, Some((PlatformRole::Operator, "210100")));
    let auditor = market.person(None, Some((PlatformRole::Auditor, "210000")));
    let dalian = market.person(None, Some((PlatformRole::Operator, "210200")));
    let sees = async |who: &Actor| {
        let seen = market.get(who, &path).await.status.as_u16() == 200;
        let list = market.get(who, "/contracts").await.ok();
        assert_eq!(list["total"] == json!(1), seen, "list and contract agree");
        assert_eq!(list["items"].as_array().unwrap().len() == 1, seen);
        seen
    };
    assert!(sees(&cast.filer).await && sees(&cast.customer).await);
    assert!(!sees(&cast.clerk).await, "the registrar sees it when it is handed in");
    assert!(sees(&operator).await && sees(&auditor).await && !sees(&dalian).await);
    market.act(&cast.filer, &id, "submit").await.ok();
    assert!(sees(&cast.clerk).await && !sees(&foreign_clerk).await && !sees(&stranger).await);
    for action in ["submit", "accept", "review", "register", "withdraw"] {
        market.act(&stranger, &id, action).await.refused(404, "not_found");
        market.act(&auditor, &id, action).await;
    }
    market.patch(&stranger, &path, &json!({"title": "改名"})).await.refused(404, "not_found");
    market.delete(&stranger, &path).await.refused(404, "not_found");
    market.get(&cast.filer, "/contracts/7").await.refused(404, "not_found");
    assert_eq!(market.get(&cast.filer, &path).await.ok()["state"], "submitted", "nothing moved");
    assert_eq!(market.get(&operator, "/contracts?mine=true").await.ok()["total"], 0);
    assert_eq!(
        market.get(&cast.clerk, "/contracts?mine=true&state=submitted").await.ok()["total"],
        1
    );
    assert_eq!(market.get(&cast.clerk, "/contracts?state=accepted").await.ok()["total"], 0);
    market.get(&cast.clerk, "/contracts?state=lost").await.faults(&["state not_in_list"]);
    market.get(&cast.clerk, "/contracts?colour=red").await.faults(&["colour unknown_parameter"]);
    let nobody = market.send(None, Method::GET, &path, None, None).await;
    nobody.refused(401, "unauthenticated");
}

#[actix_web::test]
async fn a_draft_is_changed_by_its_filer_alone_and_never_blindly() {
    let market = Market::open();
    let cast = Cast::of(&market);
    let id = cast.draft(&market, "初稿").await;
    let path = format!("/contracts/{id}");
    let lines =
        json!([{"kind": "carrier", "description": "样机", "amount_fen": 300, "quantity": 3}]);
    let new = market.patch(&cast.filer, &path, &json!({"title": "二稿", "lines": lines})).await;
    assert_eq!(new.etag(), "\"2\"");
    let new = new.ok();
    assert_eq!(
        (&new["title"], &new["total_fen"], &new["tech_fen"]),
        (&json!("二稿"), &json!(300), &json!(200))
    );
    let same = market.patch(&cast.filer, &path, &json!({"title": "二稿"})).await;
    assert_eq!(same.etag(), "\"2\"", "what changes nothing makes no version");
    let stale = Some(("if-match", "\"1\""));
    let body = json!({"title": "三稿"});
    market
        .send(Some(&cast.filer), Method::PATCH, &path, Some(&body), stale)
        .await
        .refused(412, "stale");
    market.send(Some(&cast.filer), Method::DELETE, &path, None, stale).await.refused(412, "stale");
    let submit = format!("{path}/submit");
    market.send(Some(&cast.filer), Method::POST, &submit, None, stale).await.refused(412, "stale");
    market.patch(&cast.customer, &path, &body).await.refused(403, "not_the_filer");
    market.patch(&cast.filer, &path, &json!({"title": null})).await.faults(&["/title wrong_type"]);
    market
        .patch(&cast.filer, &path, &json!({"state": "registered"}))
        .await
        .faults(&["/state unknown_field"]);
    market
        .patch(&cast.filer, &path, &json!({"valid_to": day(-40)}))
        .await
        .faults(&["/valid_to before_effect"]);
    assert_eq!(market.get(&cast.filer, &path).await.ok()["version"], 2);
    assert_eq!(market.delete(&cast.filer, &path).await.status.as_u16(), 204);
    market.get(&cast.filer, &path).await.refused(404, "not_found");
    assert_eq!(market.topics(), ["contract.drafted", "contract.changed", "contract.deleted"]);
}

#[actix_web::test]
async fn bad_input_is_named_and_nothing_is_written() {
    let market = Market::open();
    let cast = Cast::of(&market);
    let stranger = market.house(OrganizationKind::University, "210106");
    let dalian = market.house(OrganizationKind::Registrar, "210200");
    let line = |amount: Value| json!({"lines": [{"kind": "technology", "description": "一", "amount_fen": amount}]});
    let many: Vec<_> =
        (0..2).map(|_| line(json!(1_000_000_000_000_000i64))["lines"][0].clone()).collect();
    let cases = [
        (line(json!(-1)), "/lines/0/amount_fen too_small"),
        (line(json!(1_000_000_000_000_001i64)), "/lines/0/amount_fen too_large"),
        (line(json!(9_223_372_036_854_775_808u64)), "/lines/0/amount_fen too_large"),
        (line(json!("12")), "/lines/0/amount_fen wrong_type"),
        (line(json!(0)), "/lines no_technology_amount"),
        (json!({"lines": many}), "/lines too_large"),
        (json!({"lines": []}), "/lines too_few"),
        (json!({"payment": "barter"}), "/payment not_in_list"),
        (json!({"subcategory": "consult"}), "/subcategory wrong_category"),
        (json!({"signed_on": "2026-02-30"}), "/signed_on bad_format"),
        (json!({"effective_on": day(-31)}), "/effective_on before_signing"),
        (json!({"registrar_id": dalian.id}), "/registrar_id registrar_not_competent"),
        (json!({"registrar_id": cast.buyer.id}), "/registrar_id registrar_not_competent"),
        (
            json!({"buyer": {"organization_id": Id::<of::Organization>::fresh()}}),
            "/buyer/organization_id unknown_organization",
        ),
        (json!({"buyer": {"organization_id": cast.seller.id}}), "/buyer same_party"),
        (json!({"deal_id": Id::<of::Deal>::fresh()}), "/deal_id unknown_deal"),
        (json!({"title": "a\u{0}b"}), "/title control_character"),
    ];
    for (change, wanted) in cases {
        market.post(&cast.filer, "/contracts", &with(cast.body(), change)).await.faults(&[wanted]);
    }
    let foreign = json!({"seller": {"organization_id": stranger.id}});
    market
        .post(&cast.filer, "/contracts", &with(cast.body(), foreign))
        .await
        .refused(403, "not_the_filer");
    market.post(&cast.customer, "/contracts", &cast.body()).await.refused(403, "not_the_filer");
    let unverified = Actor { email_verified: false, ..cast.filer.clone() };
    market.post(&unverified, "/contracts", &cast.body()).await.refused(403, "email_unverified");
    assert_eq!(market.get(&cast.filer, "/contracts").await.ok()["total"], 0);
    assert_eq!(market.topics(), [""; 0]);
}

#[actix_web::test]
async fn what_is_not_ready_is_not_handed_in() {
    let market = Market::open();
    let cast = Cast::of(&market);
    let future = with(cast.titled("尚未生效"), json!({"effective_on": day(2)}));
    let past = with(cast.titled("已过有效期"), json!({"valid_to": day(-1)}));
    for body in [future, past] {
        let id = market.post(&cast.filer, "/contracts", &body).await.ok()["id"].clone();
        market
            .act(&cast.filer, id.as_str().unwrap(), "submit")
            .await
            .refused(409, "outside_validity");
    }
    let edges =
        with(cast.titled("首日即末日"), json!({"effective_on": day(0), "valid_to": day(0)}));
    let id = market.post(&cast.filer, "/contracts", &edges).await.ok()["id"].clone();
    market.act(&cast.filer, id.as_str().unwrap(), "submit").await.ok();

    let pending = market.house_in(OrganizationKind::Company, "210100", OrganizationState::Pending);
    let newcomer = market.person(Some(&pending), None);
    let own = with(cast.body(), json!({"seller": {"organization_id": pending.id}}));
    let id = market.post(&newcomer, "/contracts", &own).await.ok()["id"].clone();
    market
        .act(&newcomer, id.as_str().unwrap(), "submit")
        .await
        .refused(403, "organization_unverified");
}

#[actix_web::test]
async fn the_same_contract_is_live_once() {
    let market = Market::open();
    let cast = Cast::of(&market);
    let first = cast.draft(&market, "同一合同").await;
    let again = cast.draft(&market, " 同一 合同。").await;
    market.act(&cast.filer, &first, "submit").await.ok();
    market.act(&cast.filer, &again, "submit").await.refused(409, "duplicate_contract");
    assert_eq!(
        market.get(&cast.filer, &format!("/contracts/{again}")).await.ok()["state"],
        "draft"
    );
    market.act(&cast.filer, &first, "withdraw").await.ok();
    market.act(&cast.filer, &again, "submit").await.ok();
}

#[actix_web::test]
async fn a_repeated_request_draws_up_one_contract() {
    let market = Market::open();
    let cast = Cast::of(&market);
    let key = Some(("idempotency-key", "draft-1"));
    let body = cast.body();
    let first = market.send(Some(&cast.filer), Method::POST, "/contracts", Some(&body), key).await;
    let again = market.send(Some(&cast.filer), Method::POST, "/contracts", Some(&body), key).await;
    assert_eq!(
        (again.status.as_u16(), again.headers.contains_key("idempotency-replayed")),
        (201, true)
    );
    assert_eq!(first.ok()["id"], again.ok()["id"]);
    let other = cast.titled("另一份");
    let reused =
        market.send(Some(&cast.filer), Method::POST, "/contracts", Some(&other), key).await;
    reused.refused(422, "idempotency_key_reused");
    assert_eq!(market.get(&cast.filer, "/contracts").await.ok()["total"], 1);
}

#[actix_web::test]
async fn pages_hold_every_contract_once() {
    let market = Market::open();
    let cast = Cast::of(&market);
    for i in 0..5 {
        cast.draft(&market, &format!("第{i}份合同")).await;
    }
    let (mut seen, mut path) = (BTreeSet::new(), "/contracts?limit=2".to_owned());
    loop {
        let page = market.get(&cast.customer, &path).await.ok();
        assert_eq!(page["total"], 5);
        seen.extend(page["items"].as_array().unwrap().iter().map(|c| c["id"].to_string()));
        match page["next_cursor"].as_str() {
            Some(next) => path = format!("/contracts?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
}

// ---- with a deal

#[actix_web::test]
async fn a_deal_becomes_a_contract_and_follows_it() {
    let market = Market::open();
    let cast = Cast::of(&market);
    let deal = market.deal(&cast.seller, &cast.buyer, &cast.filer);
    let path = format!("/deals/{deal}/contract");
    let short =
        without(cast.body(), &["title", "seller", "buyer", "field", "ip_kinds", "industry"]);
    market.post(&cast.customer, &path, &short).await.refused(403, "not_the_filer");
    let stranger = market.person(Some(&market.house(OrganizationKind::Company, "210100")), None);
    market.post(&stranger, &path, &short).await.refused(404, "not_found");

    let made = market.post(&cast.filer, &path, &short).await.ok();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made["title"], &made["field"], &made["industry"]),
        (&json!("正极材料包覆"), &json!("05"), &json!("C38"))
    );
    assert_eq!(
        (&made["deal_id"], &made["buyer"]["organization_id"]),
        (&json!(deal), &json!(cast.buyer.id))
    );
    assert_eq!(market.deal_state(deal), "contracted");
    assert_eq!(
        market.post(&cast.filer, &path, &short).await.status.as_u16(),
        409,
        "one contract a deal"
    );
    market.delete(&cast.filer, &format!("/contracts/{id}")).await;
    assert_eq!(market.deal_state(deal), "negotiating");

    let given = with(short.clone(), json!({"title": "另行拟定的名称"}));
    let id = market.post(&cast.filer, &path, &given).await.ok()["id"].as_str().unwrap().to_owned();
    market.act(&cast.filer, &id, "withdraw").await.ok();
    assert_eq!(market.deal_state(deal), "negotiating");

    let direct = with(cast.titled("直接起草"), json!({ "deal_id": deal }));
    market.post(&stranger, "/contracts", &direct).await.faults(&["/deal_id unknown_deal"]);
    let id = market.post(&cast.filer, "/contracts", &direct).await.ok()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    market.act(&cast.filer, &id, "submit").await.ok();
    market.act(&cast.clerk, &id, "accept").await.ok();
    market.act(&cast.clerk, &id, "review").await.ok();
    assert_eq!(market.deal_state(deal), "contracted");
    market.act(&cast.second, &id, "register").await.ok();
    assert_eq!(market.deal_state(deal), "registered");
}

// ---- numbers

#[actix_web::test]
async fn racing_clerks_leave_no_gap() {
    let market = Market::open();
    let cast = Cast::of(&market);
    let mut ids: Vec<Id<of::Contract>> = Vec::new();
    for i in 0..12 {
        ids.push(cast.under_review(&market, &format!("并发登记{i}")).await.parse().unwrap());
    }
    use contracts::{rules::ContractAct, service::advance};
    let any = keshi::kernel::IfMatch(None);
    let register =
        |tx: &mut Tx<'_>, id| advance(tx, &cast.second, id, any, ContractAct::Register, None);
    let numbers: BTreeSet<String> = thread::scope(|scope| {
        let racers: Vec<_> = ids
            .iter()
            .map(|id| {
                let (db, register) = (market.db.clone(), &register);
                scope.spawn(move || {
                    // the first try fails after its number was taken
                    let failed = db.write_now(|tx| {
                        register(tx, *id)?;
                        Err::<ContractView, _>(keshi::kernel::Error::Stale)
                    });
                    assert!(failed.is_err());
                    db.write_now(|tx| register(tx, *id)).unwrap().registration_no.unwrap()
                })
            })
            .collect();
        racers.into_iter().map(|r| r.join().unwrap()).collect()
    });
    let year = Moment::now().day().format("%Y").to_string();
    let expected: BTreeSet<_> = (1..=12).map(|n| format!("{year}210101{n:06}")).collect();
    assert_eq!(numbers, expected);
}

#[actix_web::test]
async fn a_history_is_loaded_with_its_numbers() {
    let market = Market::open();
    let cast = Cast::of(&market);
    let id = cast.draft(&market, "样本").await;
    let sample =
        market.db.read_now(|conn| contracts::find(conn, id.parse().unwrap())).unwrap().unwrap();
    let (parties, terms): (Parties, Terms) =
        (sample.parties.into_inner(), sample.terms.into_inner());
    assert_eq!(parties.seller.party_type, PartyType::University);
    let on = |y, m, d| Day::from_ymd_opt(y, m, d).unwrap();
    let load = |n: usize, registered_on: Day| NewRegistered {
        title: format!("历年合同{n}"),
        subcategory: Subcategory::DevEntrusted,
        field: Field::Materials,
        parties: parties.clone(),
        terms: terms.clone(),
        registrar_id: cast.registrar.id,
        registrar_region: cast.registrar.region.clone(),
        registered_on,
        at: Moment::start_of(registered_on),
    };
    let load_one = |tx: &mut Tx<'_>, n, day| contracts::service::load_registered(tx, load(n, day));
    let numbers: Vec<String> = market
        .db
        .write_now(|tx| {
            let days = [on(2015, 3, 1), on(2015, 12, 31), on(2016, 1, 1)];
            days.into_iter().enumerate().map(|(n, day)| Ok(load_one(tx, n, day)?.1)).collect()
        })
        .unwrap();
    assert_eq!(numbers, ["2015210101000001", "2015210101000002", "2016210101000001"]);
    let again = market.db.write_now(|tx| load_one(tx, 0, on(2017, 1, 1)));
    assert_eq!(again.unwrap_err().code(), "duplicate_contract");
    let listed = market.get(&cast.filer, "/contracts?state=registered").await.ok();
    assert_eq!(
        (&listed["total"], &listed["items"][0]["total_fen"]),
        (&json!(3), &json!(120_000_000))
    );
    assert_eq!(listed["items"][0]["registered_on"], "2016-01-01");
    assert_eq!(Fen(120_000_000).in_wan(), "120.00");
}

#[actix_web::test]
async fn tasks_name_the_next_step_to_whoever_can_take_it() {
    let market = Market::open();
    let cast = Cast::of(&market);
    let draft = cast.draft(&market, "草稿").await;
    let reviewed = cast.under_review(&market, "审查中").await;
    let tasks = |who: &Actor| -> Vec<String> {
        let found = market.db.read_now(|conn| contracts::tasks(conn, who)).unwrap();
        found.into_iter().map(|task| task.action).collect()
    };
    assert_eq!(tasks(&cast.filer), [format!("POST /contracts/{draft}/submit")]);
    assert_eq!(tasks(&cast.second), [format!("POST /contracts/{reviewed}/register")]);
    assert_eq!(tasks(&cast.clerk), [""; 0], "the examiner waits for a colleague");
    assert_eq!(tasks(&cast.customer), [""; 0]);
}
