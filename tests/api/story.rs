//! The whole main path, told over HTTP: from two registrations to a target's progress.
use keshi::{kernel::OrganizationKind, worker};
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp};

fn achievement() -> Value {
    json!({
        "title": "精炼钢包用低碳镁碳砖的纳米炭增韧技术",
        "abstract": "用纳米炭黑包覆电熔镁砂细粉，使碳含量百分之四的镁碳砖仍有良好的抗热震性，平均寿命七十八炉。",
        "keywords": ["镁碳砖", "钢包"], "field": "05", "stage": "pilot", "trl": 6,
        "transfer_modes": ["license"], "price_fen": 320_000_000, "price_negotiable": false
    })
}

fn demand() -> Value {
    json!({
        "title": "钢包渣线镁碳砖寿命提升",
        "description": "现用镁碳砖含碳百分之十四，炼超低碳钢时增碳，降碳后又在渣线剥落，寿命不到四十炉。",
        "keywords": ["镁碳砖", "渣线"], "field": "05", "kind": "key_technology",
        "cooperation_modes": ["license"], "budget_fen": 400_000_000, "budget_negotiable": false,
        "visibility": "public"
    })
}

#[actix_web::test]
async fn from_registration_to_the_targets_progress() {
    let app = TestApp::start().await;
    let operator = app.operator("210000").await;

    // a university registers, follows the link in its mail, and is verified
    let visitor = app.visitor();
    let registered = visitor
        .post("/auth/register", json!({
            "email": "dean@uni.test", "password": PASSWORD, "name": "院长",
            "organization": { "name": "示例大学（虚构）", "kind": "university", "region_code": "210100",
                "uscc": keshi::accounts::uscc::fictional(OrganizationKind::University, &"210100".parse().unwrap(), 77) }
        }))
        .await
        .ok();
    assert_eq!(registered["organization"]["state"], "pending");
    let organization = registered["organization"]["id"].as_str().unwrap();
    let dean = app.sign_in("dean@uni.test").await;
    dean.post("/achievements", achievement()).await.refused(403, "email_unverified");
    let mail = app.mails_to("dean@uni.test").pop().unwrap();
    let token = mail.text.split("token=").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(
        visitor.post("/auth/verify-email", json!({ "token": token })).await.status.is_success()
    );
    let id =
        dean.post("/achievements", achievement()).await.ok()["id"].as_str().unwrap().to_owned();
    dean.act(&format!("/achievements/{id}/submit")).await.refused(403, "organization_unverified");
    operator.act(&format!("/organizations/{organization}/verify")).await.ok();

    // its achievement is reviewed and published, a firm's demand too
    dean.act(&format!("/achievements/{id}/submit")).await.ok();
    visitor.get(&format!("/achievements/{id}")).await.refused(404, "not_found");
    operator.act(&format!("/achievements/{id}/approve")).await.ok();
    let firm = app.house(OrganizationKind::Company, "210300").await;
    let wanted =
        firm.admin.post("/demands", demand()).await.ok()["id"].as_str().unwrap().to_owned();
    firm.admin.act(&format!("/demands/{wanted}/submit")).await.ok();
    operator.act(&format!("/demands/{wanted}/approve")).await.ok();

    // the index finds and matches them, and says why
    app.settle();
    let found = visitor.get("/search?q=镁碳砖&kind=achievement").await.ok();
    assert_eq!(found["items"][0]["id"], json!(id));
    let matches = firm.admin.get(&format!("/demands/{wanted}/matches")).await.ok();
    let best = &matches["items"][0];
    assert_eq!((&best["achievement"]["id"], &best["rank"]), (&json!(id), &json!(1)));
    let parts = best["explanation"]["parts"].as_array().unwrap();
    let sum: f64 = parts.iter().map(|p| p["contribution"].as_f64().unwrap()).sum();
    assert!((sum - best["score"].as_f64().unwrap()).abs() < 1e-6);

    // a request is sent and accepted: a deal
    let body = json!({ "demand_id": wanted, "achievement_id": id, "message": "希望在我厂 130 吨钢包试用。" });
    let request = firm.admin.post("/match-requests", body).await.ok();
    let request_id = request["id"].as_str().unwrap();
    assert!(app.mails_to("dean@uni.test").len() >= 3);
    let accepted = dean.act(&format!("/match-requests/{request_id}/accept")).await.ok();
    let deal = accepted["deal_id"].as_str().unwrap();

    // the deal becomes a contract, the contract is registered by two clerks
    let registrar = app.house(OrganizationKind::Registrar, "210100").await;
    let (one, two) = (app.clerk(&registrar).await, app.clerk(&registrar).await);
    let today = keshi::kernel::Moment::now().day();
    let terms = json!({
        "title": "低碳镁碳砖技术实施许可", "category": "license", "subcategory": "lic_secret",
        "signed_on": today, "effective_on": today, "valid_to": today + chrono::Days::new(400),
        "field": "05", "ip_kinds": ["technical_secret"], "plan_source": "none", "objective": "industry",
        "industry": "C30", "payment": "installments", "related_party": false, "cross_border": "none",
        "lines": [
            { "kind": "technology", "description": "许可费", "amount_fen": 300_000_000 },
            { "kind": "equipment", "description": "包覆设备", "amount_fen": 50_000_000 }
        ],
        "registrar_id": registrar.id
    });
    let contract = dean.post(&format!("/deals/{deal}/contract"), terms).await.ok();
    assert_eq!(
        (&contract["total_fen"], &contract["tech_fen"]),
        (&json!(350_000_000), &json!(300_000_000))
    );
    let path = format!("/contracts/{}", contract["id"].as_str().unwrap());
    dean.act(&format!("{path}/submit")).await.ok();
    one.act(&format!("{path}/accept")).await.ok();
    one.act(&format!("{path}/review")).await.ok();
    one.act(&format!("{path}/register")).await.refused(403, "two_person_rule");
    let registered = two.act(&format!("{path}/register")).await.ok();
    assert_eq!(registered["registration_no"].as_str().unwrap().len(), 16);
    assert_eq!(dean.get(&format!("/deals/{deal}")).await.ok()["state"], "registered");

    // and the turnover moves the target
    let year = chrono::Datelike::year(&today);
    let target = operator
        .post("/targets", json!({
            "region_code": "210000", "indicator": "turnover", "period": year.to_string(), "operator": "=",
            "value": 1_000_000_000, "unit": "fen", "kind": "level",
            "document": { "title": "试点目标", "issued_on": today }
        }))
        .await
        .ok();
    app.settle();
    let progress =
        operator.get(&format!("/targets/{}/progress", target["id"].as_str().unwrap())).await.ok();
    assert_eq!(progress["actual"], json!(350_000_000), "{progress}");
    let month = keshi::kernel::month_of(today);
    let turnover = operator
        .get(&format!("/statistics/turnover?region=210000&from={month}&to={month}&by=category"))
        .await
        .ok();
    assert_eq!(turnover["rows"][0]["total_fen"], json!(350_000_000), "{turnover}");

    // the achievement counts as transferred where the buyer is, and is no news for the public yet
    for (region, count) in [("210000", json!(1)), ("210300", json!(1)), ("210100", json!(0))] {
        let told = operator.get(&format!("/indicators?region={region}")).await.ok();
        let items = told["items"].as_array().unwrap();
        let figure = items.iter().find(|i| i["indicator"] == "achievements_transferred").unwrap();
        assert_eq!((&figure["value"], &figure["source"]), (&count, &json!("counted")), "{region}");
    }
    let told = visitor.get("/indicators?region=210300").await.ok();
    let items = told["items"].as_array().unwrap();
    let figure = items.iter().find(|i| i["indicator"] == "achievements_transferred").unwrap();
    assert_eq!(figure["value"], Value::Null);

    // everything above is in the journal, and every copy agrees with the tables
    let topics = app.topics();
    for topic in [
        "organization.verified",
        "achievement.published",
        "match_request.accepted",
        "contract.registered",
    ] {
        assert!(topics.iter().any(|t| t == topic), "{topic} is not in {topics:?}");
    }
    assert!(app.keshi.db.read_now(keshi::kernel::journal::verify).unwrap().is_ok());
    assert_eq!(app.keshi.db.read_now(keshi::insight::verify).unwrap(), Ok(1));
    assert_eq!(keshi::discovery::verify(&app.keshi.db, &app.keshi.catalogue).unwrap(), Ok(2));
    worker::tick(&app.keshi.db).unwrap();
    app.settle();
}
