//! Demands: what differs from achievements is who is shown what, and the deadline.
use actix_web::http::Method;
use keshi::{
    demands,
    kernel::{Moment, OrganizationKind::*, PlatformRole},
};
use serde_json::{Value, json};

use crate::market::{Market, with};

fn draft(patch: Value) -> Value {
    let base = json!({
        "title": "正极材料循环寿命提升",
        "description": "现用三元正极材料在高温下循环后容量衰减很快，希望延长寿命。",
        "keywords": ["正极材料"], "field": "05", "kind": "key_technology",
        "cooperation_modes": ["license"], "indicators": [{"name": "循环寿命", "target": "≥3000 次"}],
        "budget_fen": 200_000_000, "budget_negotiable": false, "visibility": "public"
    });
    with(base, patch)
}

/// Where a fresh public demand of `owner` stands, in a market that trusts.
async fn published(market: &Market, owner: &str, patch: Value) -> String {
    let made = market.post(owner, "/demands", draft(patch)).await.with(201);
    let at = format!("/demands/{}", made["id"].as_str().unwrap());
    market.post(owner, &format!("{at}/submit"), json!({})).await.with(200);
    at
}

#[actix_web::test]
async fn a_demand_lives_from_draft_to_publication_and_back() {
    let market = Market::open();
    let owner = market.firm(Government);
    let operator = market.official(PlatformRole::Operator, "210100");
    let at = published(&market, &owner, json!({})).await;
    assert_eq!(market.get(&owner, &at).await.with(200)["state"], "in_review");
    market.get("", &at).await.with(404);
    let waiting = market.db.read_now(|c| demands::tasks(c, &market.actor(&operator))).unwrap();
    assert_eq!(waiting.len(), 1);
    market.post(&operator, &format!("{at}/approve"), json!({})).await.with(200);
    let seen = market.get("", &at).await.with(200);
    assert_eq!(
        (&seen["masked"], &seen["organization"]["kind"]),
        (&json!(false), &json!("government"))
    );
    assert!(seen.get("broker_ids").is_none() && seen.get("reasons").is_none());
    let edited = market.patch(&owner, &at, json!({"min_trl": 6, "budget_fen": 1})).await.with(200);
    assert_eq!((&edited["min_trl"], &edited["version"]), (&json!(6), &json!(4)));
    let history = market.get(&operator, &format!("{at}/versions")).await.with(200);
    assert_eq!(history["items"][0]["changed"], json!(["budget_fen", "min_trl"]));
    market.post(&owner, &format!("{at}/withdraw"), json!({})).await.with(200);
    market.get("", &at).await.with(404);
    let due = ["created", "submitted", "published", "changed", "withdrawn"];
    assert_eq!(market.topics(), due.map(|t| format!("demand.{t}")));
    let stranger = market.firm(Company);
    market.patch(&stranger, &at, json!({"min_trl": 1})).await.with(404);
    assert_eq!(
        market.post(&operator, &format!("{at}/submit"), json!({})).await.code(403),
        "not_yours"
    );
}

#[actix_web::test]
async fn a_masked_demand_does_not_name_its_owner() {
    let market = Market::trusting();
    let (owner, stranger) = (market.firm(Company), market.firm(University));
    let auditor = market.official(PlatformRole::Auditor, "210000");
    let at = published(&market, &owner, json!({"visibility": "masked"})).await;
    for caller in ["", stranger.as_str()] {
        for seen in [
            market.get(caller, &at).await.with(200),
            market.get(caller, "/demands").await.with(200)["items"][0].clone(),
        ] {
            assert_eq!((&seen["organization"], &seen["masked"]), (&Value::Null, &json!(true)));
            let id = market.actor(&owner).memberships[0].organization;
            assert!(!seen.to_string().contains(id.as_str()), "{seen}");
            assert!(!seen.to_string().contains(&owner), "{seen}");
        }
        assert!(market.get(caller, &format!("{at}/versions")).await.status >= 401);
    }
    for caller in [&owner, &auditor] {
        let seen = market.get(caller, &at).await.with(200);
        assert_eq!((seen["organization"].is_object(), &seen["masked"]), (true, &json!(false)));
    }
}

#[actix_web::test]
async fn a_private_demand_is_there_for_the_brokers_it_names() {
    let market = Market::trusting();
    let owner = market.firm(Company);
    let ((broker, id), (other, _)) = (market.broker("verified"), market.broker("verified"));
    let (_, unverified) = market.broker("pending");
    for (ids, due) in [
        (json!([id, unverified]), "/broker_ids/1 unknown_broker"),
        (json!(["0199f3a4-5c1e-7d3a-9b52-2f6c0a1d7e10"]), "/broker_ids/0 unknown_broker"),
        (json!([id, id]), "/broker_ids/1 duplicate"),
    ] {
        let body = draft(json!({"visibility": "private", "broker_ids": ids}));
        assert_eq!(market.post(&owner, "/demands", body).await.faults(), [due]);
    }
    let patch = json!({"visibility": "private", "broker_ids": [id]});
    let at = published(&market, &owner, patch).await;
    let total =
        async |caller: &str| market.get(caller, "/demands").await.with(200)["total"].clone();
    for caller in ["", other.as_str()] {
        market.get(caller, &at).await.with(404);
        assert_eq!(total(caller).await, 0);
    }
    market.patch(&other, &at, json!({"min_trl": 1})).await.with(404);
    let seen = market.get(&broker, &at).await.with(200);
    assert_eq!((&seen["masked"], seen.get("broker_ids")), (&json!(false), None));
    assert_eq!((total(&broker).await, total(&owner).await), (json!(1), json!(1)));
    market.patch(&owner, &at, json!({"broker_ids": []})).await.with(200);
    market.get(&broker, &at).await.with(404);
    assert_eq!(total(&broker).await, 0);
    market.patch(&owner, &at, json!({"visibility": "public"})).await.with(200);
    market.get("", &at).await.with(200);
}

#[actix_web::test]
async fn bad_input_is_refused_and_leaves_nothing() {
    let market = Market::open();
    let owner = market.firm(Company);
    for (patch, due) in [
        (json!({"region_code": "000000"}), "/region_code unknown_region"),
        (json!({"budget_fen": -5}), "/budget_fen too_small"),
        (json!({"budget_fen": i64::MAX}), "/budget_fen too_large"),
        (json!({"budget_fen": null}), "/budget_fen budget_required"),
        (json!({"deadline": "2020-01-01"}), "/deadline past_day"),
        (json!({"deadline": "2027-13-01"}), "/deadline bad_format"),
        (
            json!({"description": "\u{1b}[31m 终端控制符会扰乱日志，因此在这里被拒绝。"}),
            "/description control_character",
        ),
        (json!({"title": "长".repeat(121)}), "/title too_long"),
        (json!({"visibility": "hidden"}), "/visibility not_in_list"),
        (json!({"contact": "13800000000"}), "/contact unknown_field"),
    ] {
        let told = market.post(&owner, "/demands", draft(patch.clone())).await.faults();
        assert!(told.contains(&due.to_owned()), "{patch}: {told:?}");
    }
    market.ask(&owner, Method::POST, "/demands", &[], vec![b' '; 5 << 20]).await.with(413);
    let refused = market.ask(&owner, Method::POST, "/demands", &[], r#"{"title":"\udc00"}"#).await;
    assert_eq!(refused.code(422), "malformed_json");
    assert_eq!(market.get(&owner, "/demands?mine=true").await.with(200)["total"], 0);
    let ask = async |key| {
        let headers = [("idempotency-key", key)];
        let body = draft(json!({})).to_string();
        market.ask(&owner, Method::POST, "/demands", &headers, body).await
    };
    let (first, again) = (ask("k").await, ask("k").await);
    assert_eq!((first.body, again.header("idempotency-replayed")), (again.body.clone(), "true"));
    let at = format!("/demands/{}", again.body["id"].as_str().unwrap());
    let stale =
        market.ask(&owner, Method::PATCH, &at, &[("if-match", "\"3\"")], r#"{"min_trl":7}"#).await;
    assert_eq!(stale.code(412), "stale");
    market.delete(&owner, &at).await.with(204);
}

#[actix_web::test]
async fn a_demand_ends_with_its_deadline() {
    let market = Market::trusting();
    let owner = market.firm(Company);
    let (today, tomorrow) = (Moment::now(), Moment::now().plus_days(1));
    let at = published(&market, &owner, json!({"deadline": today.day()})).await;
    assert_eq!(market.at(tomorrow, demands::tick), 1);
    market.get("", &at).await.with(404);
    let renew = format!("{at}/renew");
    let back = market
        .post(&owner, &renew, json!({"deadline": tomorrow.plus_days(30).day()}))
        .await
        .with(200);
    assert_eq!(back["state"], "published");
    assert_eq!(market.topics().last().unwrap(), "demand.renewed");
}
