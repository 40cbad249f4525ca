//! The routes as a client meets them; who the caller is stands in a header, as `accounts` would say.
use std::collections::HashMap;

use actix_web::{
    App, HttpMessage,
    dev::{Service, ServiceResponse},
    test,
    web::Data,
};
use serde_json::{Value, json};
use utoipa_actix_web::AppExt;

use super::routes;
use crate::{
    deals::service::tests::Market,
    demands::model::Visibility,
    kernel::{Actor, Db, actor::Recognised},
};

struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: Value,
}

impl Answer {
    fn code(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }
    fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }
    fn faults(&self) -> Vec<String> {
        let told = self.body["errors"].as_array().cloned().unwrap_or_default();
        told.iter().map(|f| format!("{} {}", f["pointer"], f["code"]).replace('"', "")).collect()
    }
}

/// Sends one request as `who` to a fresh app over the market's database.
async fn call(
    m: &Market,
    who: Option<&Actor>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> Answer {
    let known = who.map_or(Recognised::Nobody, |a| Recognised::Known(Box::new(a.clone())));
    let (app, _) = App::new()
        .into_utoipa_app()
        .app_data(Data::new(Db::open(&m.url).unwrap()))
        .configure(routes)
        .split_for_parts();
    let app = app.wrap_fn(move |req, next| {
        req.extensions_mut().insert(known.clone());
        next.call(req)
    });
    let app = test::init_service(app).await;
    let mut req = test::TestRequest::with_uri(path).method(method.parse().unwrap());
    if method == "POST" && !body.is_null() {
        req = req.set_payload(body.to_string());
    }
    for (name, value) in headers {
        req = req.insert_header((*name, *value));
    }
    let res: ServiceResponse<_> = test::call_service(&app, req.to_request()).await;
    let status = res.status().as_u16();
    let headers = res
        .headers()
        .iter()
        .map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned()))
        .collect();
    let bytes = test::read_body(res).await;
    Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
}

async fn post(m: &Market, who: &Actor, path: &str, body: Value) -> Answer {
    call(m, Some(who), "POST", path, &[], body).await
}
async fn get(m: &Market, who: &Actor, path: &str) -> Answer {
    call(m, Some(who), "GET", path, &[], Value::Null).await
}

fn ask(m: &Market) -> Value {
    json!({ "demand_id": m.demand, "achievement_id": m.achievement, "message": "希望洽谈" })
}

#[actix_web::test]
async fn from_request_to_closed_deal() {
    let m = Market::new(Visibility::Public);
    let key = [("idempotency-key", "k1")];
    let asked = call(&m, Some(&m.buyer), "POST", "/match-requests", &key, ask(&m)).await;
    assert_eq!((asked.status, asked.headers["etag"].as_str()), (201, "\"1\""));
    let at = format!("/match-requests/{}", asked.text("id"));
    assert_eq!(asked.headers["location"], format!("/api/v1{at}"));
    assert_eq!(asked.body["allowed_actions"], json!(["withdraw"]));
    let again = call(&m, Some(&m.buyer), "POST", "/match-requests", &key, ask(&m)).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!((again.status, &again.body), (201, &asked.body));

    let accept = format!("{at}/accept");
    let stale = [("if-match", "\"9\"")];
    let refused = call(&m, Some(&m.seller), "POST", &accept, &stale, Value::Null).await;
    assert_eq!(refused.code(), (412, "stale"));
    let fresh = [("if-match", "\"1\"")];
    let accepted = call(&m, Some(&m.seller), "POST", &accept, &fresh, Value::Null).await;
    assert_eq!((accepted.status, accepted.headers["etag"].as_str()), (200, "\"2\""));
    assert_eq!(accepted.text("state"), "accepted");
    let deal = format!("/deals/{}", accepted.text("deal_id"));

    assert_eq!(get(&m, &m.buyer, &deal).await.text("state"), "negotiating");
    assert_eq!(get(&m, &m.stranger, &deal).await.code(), (404, "not_found"));
    let close = format!("{deal}/close");
    let why = json!({ "reason": "价格未谈拢" });
    assert_eq!(post(&m, &m.stranger, &close, why.clone()).await.status, 404);
    let closed = post(&m, &m.buyer, &close, why.clone()).await;
    assert_eq!((closed.status, closed.text("state")), (200, "closed"));
    let twice = post(&m, &m.seller, &close, why).await;
    assert_eq!(twice.code(), (409, "illegal_transition"));
    assert_eq!((twice.text("state"), &twice.body["allowed_actions"]), ("closed", &json!([])));
    // the deal is over: the two may try again
    assert_eq!(post(&m, &m.seller, "/match-requests", ask(&m)).await.status, 201);
}

#[actix_web::test]
async fn bad_input_is_named_and_writes_nothing() {
    let m = Market::new(Visibility::Public);
    let mut body = ask(&m);
    body["message"] = json!("字".repeat(2001));
    body["surprise"] = json!(1);
    body["demand_id"] = json!("7");
    let told = post(&m, &m.buyer, "/match-requests", body).await;
    assert_eq!(told.status, 422);
    assert_eq!(
        told.faults(),
        ["/demand_id bad_format", "/message too_long", "/surprise unknown_field"]
    );
    let mut body = ask(&m);
    body["message"] = json!("  ");
    let told = post(&m, &m.buyer, "/match-requests", body).await;
    assert_eq!((told.status, told.faults()), (422, vec!["/message empty".to_owned()]));
    let mut body = ask(&m);
    body["achievement_id"] = json!(uuid::Uuid::now_v7());
    assert_eq!(post(&m, &m.buyer, "/match-requests", body).await.code(), (404, "not_found"));
    assert_eq!(get(&m, &m.buyer, "/match-requests").await.body["total"], 0);

    let asked = post(&m, &m.buyer, "/match-requests", ask(&m)).await;
    let at = format!("/match-requests/{}", asked.text("id"));
    let decline = format!("{at}/decline");
    let told = post(&m, &m.seller, &decline, json!({ "reason": "boring" })).await;
    assert_eq!((told.status, told.faults()), (422, vec!["/reason not_in_list".to_owned()]));
    let told = post(&m, &m.seller, &decline, json!({})).await;
    assert_eq!(told.faults(), ["/reason required"]);
    let told = post(&m, &m.seller, &format!("{at}/accept"), json!({ "x": 1 })).await;
    assert_eq!((told.status, told.faults()), (422, vec![" unknown_field".to_owned()]));
    let done = post(&m, &m.seller, &decline, json!({ "reason": "price", "comment": "太高" })).await;
    assert_eq!((done.status, done.text("reason")), (200, "price"), "{}", done.body);

    for (query, status) in [
        ("", 200),
        ("?box=sent&state=declined&limit=1", 200),
        ("?box=drafts", 422),
        ("?state=new", 422),
        ("?limit=0", 422),
        ("?cursor=x", 422),
        ("?page=2", 422),
    ] {
        let answer = get(&m, &m.buyer, &format!("/match-requests{query}")).await;
        assert_eq!(answer.status, status, "{query} {}", answer.body);
    }
    assert_eq!(get(&m, &m.buyer, "/deals?state=closed").await.status, 200);
    assert_eq!(get(&m, &m.buyer, "/deals/1").await.status, 404);
}

#[actix_web::test]
async fn nobody_gets_in_without_a_token() {
    let m = Market::new(Visibility::Public);
    let (_, api) = App::new().into_utoipa_app().configure(routes).split_for_parts();
    let mut doors = 0;
    for (path, item) in &api.paths.paths {
        let path = path.replace("{id}", "0199f3a4-5c1e-7d3a-9b52-2f6c0a1d7e10");
        for (method, operation) in [("GET", &item.get), ("POST", &item.post)] {
            if operation.is_some() {
                doors += 1;
                let answer = call(&m, None, method, &path, &[], Value::Null).await;
                assert_eq!(answer.code(), (401, "unauthenticated"), "{method} {path}");
            }
        }
    }
    assert_eq!(doors, 9);
    let unproven = Actor { email_verified: false, ..m.buyer.clone() };
    let answer = post(&m, &unproven, "/match-requests", ask(&m)).await;
    assert_eq!(answer.code(), (403, "email_unverified"));
}
