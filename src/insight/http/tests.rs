//! The routes over a database of their own.
use super::routes;
use actix_web::{
    App, HttpMessage,
    dev::Service,
    http::{Method, StatusCode, header},
    test::{TestRequest, call_service, init_service, read_body},
    web::Data,
};
use serde_json::{Value, json};
use utoipa_actix_web::AppExt;

use crate::{
    insight::{Grids, load_shipped_targets},
    kernel::{
        Actor, Db, Id, PlatformRole,
        actor::{Platform, Recognised},
        of,
    },
};

/// What came back: status, headers that matter, and the body.
struct Answer {
    status: StatusCode,
    etag: Option<String>,
    replayed: bool,
    body: Value,
}

fn database() -> (Db, tempfile::TempDir, Actor) {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&format!("sqlite:{}", folder.path().join("t.db").display())).unwrap();
    let account: Id<of::Account> = Id::fresh();
    db.write_now(|tx| {
        tx.migrate()?;
        use crate::schema::accounts;
        use diesel::prelude::*;
        let row = (
            accounts::id.eq(account),
            accounts::email.eq("o@example.cn"),
            accounts::name.eq("运营"),
            accounts::password_hash.eq("-"),
            accounts::lang.eq("zh-CN"),
            accounts::version.eq(1),
            accounts::created_at.eq(tx.now()),
        );
        diesel::insert_into(accounts::table).values(row).execute(&mut **tx)?;
        load_shipped_targets(tx)
    })
    .unwrap();
    let operator = Actor {
        account,
        session: None,
        api_key: None,
        email_verified: true,
        second_factor_missing: false,
        memberships: vec![],
        platform: Some(Platform {
            role: PlatformRole::Operator,
            region: "210100".parse().unwrap(),
        }),
    };
    (db, folder, operator)
}

async fn ask(
    db: &Db,
    who: Option<&Actor>,
    method: Method,
    path: &str,
    body: Option<(&str, &Value)>,
) -> Answer {
    let who = who.map_or(Recognised::Nobody, |a| Recognised::Known(Box::new(a.clone())));
    let app = App::new()
        .into_utoipa_app()
        .app_data(Data::new(db.clone()))
        .app_data(Data::new(Grids::default()))
        .configure(routes)
        .into_app()
        .wrap_fn(move |req, next| {
            req.extensions_mut().insert(who.clone());
            next.call(req)
        });
    let app = init_service(app).await;
    let mut request = TestRequest::with_uri(path).method(method);
    if let Some((key, body)) = body {
        request = request.set_json(body);
        if !key.is_empty() {
            request = request.insert_header(("Idempotency-Key", key));
        }
    }
    let answer = call_service(&app, request.to_request()).await;
    let status = answer.status();
    let etag = answer.headers().get(header::ETAG).map(|v| v.to_str().unwrap().to_owned());
    let replayed = answer.headers().contains_key("Idempotency-Replayed");
    let body = serde_json::from_slice(&read_body(answer).await).unwrap_or_default();
    Answer { status, etag, replayed, body }
}

fn faults(answer: &Answer) -> Vec<String> {
    let all = answer.body["errors"].as_array().cloned().unwrap_or_default();
    let mut all: Vec<_> = all
        .iter()
        .map(|f| format!("{} {}", f["pointer"].as_str().unwrap(), f["code"].as_str().unwrap()))
        .collect();
    all.sort();
    all
}

#[actix_web::test]
async fn a_target_is_set_once_and_read_by_anyone() {
    let (db, _folder, operator) = database();
    let body = json!({
        "region_code": "210100", "indicator": "turnover", "period": "2026", "operator": ">=",
        "value": 60_000_000_000_000i64, "unit": "fen",
        "document": {"title": "年度计划", "issued_on": "2026-01-15"},
        "breakdown": [{"label": "工业", "value": 40_000_000_000_000i64}],
    });
    let set = |who, key| ask(&db, who, Method::POST, "/targets", Some((key, &body)));
    assert_eq!(set(None, "k").await.status, StatusCode::UNAUTHORIZED);
    let made = set(Some(&operator), "k").await;
    assert_eq!((made.status, made.etag.as_deref()), (StatusCode::CREATED, Some("\"1\"")));
    assert_eq!(made.body["kind"], "level");
    assert_eq!(made.body["label"], "技术合同成交额");
    let again = set(Some(&operator), "k").await;
    assert!(again.replayed && again.body == made.body);

    let id = made.body["id"].as_str().unwrap();
    let read = ask(&db, None, Method::GET, &format!("/targets/{id}"), None).await;
    assert_eq!((read.status, &read.body), (StatusCode::OK, &made.body));
    assert_eq!(read.body["value"], 60_000_000_000_000i64);
    let path = format!("/targets/{id}/progress?as_of=2026-06-30");
    let stands = ask(&db, None, Method::GET, &path, None).await;
    assert_eq!(stands.status, StatusCode::OK);
    assert_eq!(stands.body["actual"], 0);
    assert_eq!(stands.body["elapsed"], 0.4959);
    assert_eq!(stands.body["pace"], "behind");
    assert_eq!(stands.body["required_per_month"], 10_000_000_000_000i64);
    assert!(stands.body["forecast"].is_null());

    let found = ask(&db, None, Method::GET, "/targets?indicator=turnover", None).await;
    assert_eq!(found.body["total"], 3);
    let shipped = ask(&db, None, Method::GET, "/targets?indicator=patents_per_10k", None).await;
    assert_eq!(shipped.body["items"][0]["value"], 7.36);
    let id = shipped.body["items"][0]["id"].as_str().unwrap();
    let path = format!("/targets/{id}/progress");
    let uncounted = ask(&db, None, Method::GET, &path, None).await;
    assert!(uncounted.body["actual"].is_null());
    assert!(uncounted.body["basis"].as_str().unwrap().contains("尚未统计"));
}

#[actix_web::test]
async fn pages_hold_every_target_once() {
    let (db, _folder, _) = database();
    let (mut seen, mut cursor) = (std::collections::BTreeSet::new(), String::new());
    loop {
        let path = format!("/targets?limit=30{cursor}");
        let page = ask(&db, None, Method::GET, &path, None).await.body;
        assert_eq!(page["total"], 95);
        for item in page["items"].as_array().unwrap() {
            assert!(seen.insert(item["id"].as_str().unwrap().to_owned()));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 95);
}

#[actix_web::test]
async fn what_is_wrong_is_said() {
    let (db, _folder, operator) = database();
    let post = |body: Value| {
        let (db, operator) = (db.clone(), operator.clone());
        async move { ask(&db, Some(&operator), Method::POST, "/targets", Some(("", &body))).await }
    };
    let mut body = json!({
        "region_code": "210100", "indicator": "turnover", "period": "2026-2021",
        "operator": "between", "value": 5.5, "unit": "亿元", "document": {"title": "计划"},
        "breakdown": [{"label": "农业", "value": 1}, {"label": "农业", "value": 2}],
    });
    let told = post(body.clone()).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        faults(&told),
        [
            "/breakdown/1/label duplicate",
            "/period bad_period",
            "/unit wrong_unit",
            "/upper upper_and_operator",
            "/value not_whole",
        ]
    );
    body["indicator"] = json!("wealth");
    body["value"] = json!(-1);
    body["more"] = json!(true);
    assert_eq!(
        faults(&post(body).await),
        ["/indicator not_in_list", "/more unknown_field", "/value too_small"]
    );
    let fine = json!({
        "region_code": "210000", "indicator": "brokers", "period": "2026", "operator": ">",
        "value": 300, "document": {"title": "计划"},
    });
    let mut elsewhere = fine.clone();
    assert_eq!(post(fine).await.status, StatusCode::FORBIDDEN, "a city does not set for all");
    elsewhere["region_code"] = json!("210101");
    assert_eq!(faults(&post(elsewhere.clone()).await), ["/region_code unknown_region"]);
    elsewhere["region_code"] = json!("210106");
    elsewhere["supersedes"] = json!(Id::<of::Target>::fresh());
    assert_eq!(faults(&post(elsewhere).await), ["/supersedes no_such_target"]);

    for (path, fault) in [
        ("/targets?region=2101", "region bad_region"),
        ("/targets?region=219999", "region unknown_region"),
        ("/targets?indicator=wealth", "indicator not_in_list"),
        ("/targets?year=20", "year out_of_range"),
        ("/targets?limit=0", "limit out_of_range"),
        ("/targets?cursor=x", "cursor bad_cursor"),
        ("/targets?state=x", "state unknown_parameter"),
        ("/statistics/turnover?region=219999", "region unknown_region"),
        ("/statistics/turnover?from=2026-01-01", "from bad_month"),
        ("/statistics/turnover?from=2026-13", "from bad_month"),
        ("/statistics/turnover?from=2026-05&to=2026-04", "to before_from"),
        ("/statistics/turnover?by=colour", "by not_in_list"),
        ("/statistics/turnover?flow=all", "flow not_in_list"),
    ] {
        let told = ask(&db, None, Method::GET, path, None).await;
        assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert_eq!(faults(&told), [fault], "{path}");
    }
    let fresh = Id::<of::Target>::fresh();
    for path in [format!("/targets/{fresh}"), format!("/targets/{fresh}/progress")] {
        assert_eq!(ask(&db, None, Method::GET, &path, None).await.status, StatusCode::NOT_FOUND);
    }
    let none = ask(&db, None, Method::GET, "/statistics/turnover", None).await;
    assert_eq!(none.body["total"]["total_fen"], 0);
    assert_eq!(none.body["digest"].as_str().unwrap().len(), 64);
}
