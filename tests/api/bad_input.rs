//! Input that nobody should send: a clear 4xx, nothing written, nothing leaked, never a 500.
use std::collections::BTreeMap;

use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use keshi::{
    accounts::uscc,
    each_db,
    kernel::{Id, Moment, OrganizationKind, of},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{
    doors::unsigned,
    market::with,
    rooms::owners,
    support::{Answer, PASSWORD, SECRET, TestApp},
};

fn demand() -> Value {
    json!({
        "title": "钢包渣线镁碳砖寿命提升",
        "description": "现用镁碳砖含碳百分之十四，炼超低碳钢时增碳，降碳后又在渣线剥落，寿命不到四十炉。",
        "keywords": ["镁碳砖"], "field": "05", "kind": "key_technology",
        "cooperation_modes": ["license"], "budget_fen": 400_000_000, "budget_negotiable": false,
        "visibility": "public"
    })
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How many rows each table has.
fn rows(app: &TestApp) -> BTreeMap<String, i64> {
    let mut conn = app.connection();
    let tables = owners().into_keys();
    tables
        .map(|table| {
            let sql = format!("SELECT COUNT(*) AS n FROM {table}");
            let count: Count = each_db!(&mut conn, c => sql_query(sql).get_result(c)).unwrap();
            (table, count.n)
        })
        .collect()
}

/// Refused as the client's fault, in words for clients.
#[track_caller]
fn clear(what: &str, answer: &Answer) {
    let status = answer.status.as_u16();
    assert!((400..500).contains(&status), "{what}: {status} {}", answer.text);
    assert!(answer.header("content-type").unwrap().starts_with("application/problem+json"));
    assert!(answer.body["code"].is_string() && answer.body["detail"].is_string(), "{what}");
    nothing_leaked(what, answer);
}

#[track_caller]
fn nothing_leaked(what: &str, answer: &Answer) {
    let text = answer.text.to_lowercase();
    for word in [
        "select ",
        "insert into",
        "sqlite",
        "postgres",
        "diesel",
        "tantivy",
        "serde",
        "::",
        ".rs",
        "/src/",
        "/work",
        "/tmp",
        "panicked",
        "i64",
        "u8",
        "struct ",
        "enum ",
        "constraint",
        "argon2",
    ] {
        assert!(!text.contains(word), "{what}: {word:?} in {}", answer.text);
    }
}

#[actix_web::test]
async fn what_is_no_json_is_refused() {
    let app = TestApp::start().await;
    let firm = app.house(OrganizationKind::Company, "210100").await;
    let before = rows(&app);
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let cases: Vec<Vec<u8>> = [
        "{",
        "nul",
        "{\"title\":}",
        "{\"title\":\"x\"} {}",
        "{'title': 1}",
        r#"{"title": "\ud800"}"#,
        r#"{"title": "\udfff\ud800"}"#,
        r#"{"title": "\u00"}"#,
        r#"{"budget_fen": 0x10}"#,
        r#"{"budget_fen": NaN}"#,
        &deep,
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([vec![0xff, 0xfe, b'{', b'}'], b"{\"title\":\"\xed\xa0\x80\"}".to_vec()])
    .collect();
    for text in cases {
        let what = String::from_utf8_lossy(&text).chars().take(30).collect::<String>();
        let answer = firm.admin.post_text("/demands", text.clone()).await;
        clear(&what, &answer);
        answer.refused(422, "malformed_json");
        app.visitor().post_text("/auth/login", text).await.refused(422, "malformed_json");
    }
    assert_eq!(rows(&app), before);
    app.settle();
}

#[actix_web::test]
async fn every_faulty_field_is_named() {
    let app = TestApp::start().await;
    let firm = app.house(OrganizationKind::Company, "210100").await;
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({ "title": 7 }), &["/title wrong_type"]),
        (json!({ "keywords": "镁碳砖" }), &["/keywords wrong_type"]),
        (json!({ "budget_negotiable": "no" }), &["/budget_negotiable wrong_type"]),
        (json!({ "surprise": 1 }), &["/surprise unknown_field"]),
        (json!({ "__proto__": {}, "id": 1 }), &["/__proto__ unknown_field", "/id unknown_field"]),
        (json!({ "title": "题".repeat(121) }), &["/title too_long"]),
        (json!({ "description": "述".repeat(5001) }), &["/description too_long"]),
        (json!({ "title": "钢包\u{7}寿命提升" }), &["/title control_character"]),
        (json!({ "title": "钢包\u{0}寿命提升" }), &["/title control_character"]),
        (json!({ "keywords": ["镁\u{1b}[31m"] }), &["/keywords/0 control_character"]),
        (json!({ "keywords": vec!["镁"; 11] }), &["/keywords too_many"]),
        (json!({ "field": "99" }), &["/field not_in_list"]),
        (json!({ "field": "05' OR '1'='1" }), &["/field not_in_list"]),
        (json!({ "budget_fen": -1 }), &["/budget_fen too_small"]),
        (json!({ "budget_fen": i64::MIN }), &["/budget_fen too_small"]),
        (json!({ "budget_fen": 1_000_000_000_000_001_i64 }), &["/budget_fen too_large"]),
        (json!({ "budget_fen": i64::MAX }), &["/budget_fen too_large"]),
        (json!({ "budget_fen": u64::MAX }), &["/budget_fen too_large"]),
        (json!({ "budget_fen": 1e300 }), &["/budget_fen too_large"]),
        (json!({ "budget_fen": 1.5 }), &["/budget_fen wrong_type"]),
        (json!({ "budget_fen": "5" }), &["/budget_fen wrong_type"]),
        (json!({ "deadline": "2027-02-29" }), &["/deadline bad_format"]),
        (json!({ "deadline": "2027-13-01" }), &["/deadline bad_format"]),
        (json!({ "deadline": "tomorrow" }), &["/deadline bad_format"]),
        (json!({ "deadline": "2020-01-01" }), &["/deadline past_day"]),
        (json!({ "region_code": "219999" }), &["/region_code unknown_region"]),
        (json!({ "region_code": "沈阳" }), &["/region_code bad_format"]),
        (json!({ "organization_id": "7" }), &["/organization_id bad_format"]),
        (json!({ "min_trl": 10 }), &["/min_trl too_large"]),
        (json!({ "min_trl": 0, "title": "短" }), &["/min_trl too_small", "/title too_short"]),
    ];
    let before = rows(&app);
    let mut wrong = Vec::new();
    for (patch, wanted) in cases {
        let answer = firm.admin.post("/demands", with(demand(), patch.clone())).await;
        clear(&patch.to_string(), &answer);
        let part = |e: &Value, name: &str| e[name].as_str().unwrap().to_owned();
        let told: Vec<_> = answer.body["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|e| format!("{} {}", part(e, "pointer"), part(e, "code")))
            .collect();
        if answer.status != 422 || told != wanted {
            let patch: String = patch.to_string().chars().take(60).collect();
            wrong.push(format!("{patch}: {} {told:?}, not {wanted:?}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for text in ["null", "[]", "\"x\"", "7"] {
        firm.admin.post_text("/demands", text).await.faults(&[" wrong_type"]);
    }
    assert_eq!(rows(&app), before);
    app.settle();
}

#[actix_web::test]
async fn amounts_of_a_contract_stay_in_range() {
    let app = TestApp::start().await;
    let firm = app.house(OrganizationKind::Company, "210100").await;
    let registrar = app.house(OrganizationKind::Registrar, "210100").await;
    let contract = |amounts: &[i64]| {
        let line =
            |a: &i64| json!({ "kind": "technology", "description": "许可费", "amount_fen": a });
        json!({
            "title": "低碳镁碳砖技术实施许可", "category": "license", "subcategory": "lic_secret",
            "seller": { "organization_id": firm.id },
            "buyer": { "name": "某示例公司", "uscc": uscc::fictional(OrganizationKind::Company, &"210200".parse().unwrap(), 9),
                "region_code": "210200", "party_type": "company" },
            "signed_on": "2026-01-05", "effective_on": "2026-01-05", "valid_to": "2027-01-05",
            "field": "05", "ip_kinds": ["technical_secret"], "plan_source": "none", "objective": "industry",
            "industry": "C30", "payment": "installments", "related_party": false, "cross_border": "none",
            "lines": amounts.iter().map(line).collect::<Vec<_>>(), "registrar_id": registrar.id
        })
    };
    let before = rows(&app);
    for amounts in [&[-1][..], &[i64::MAX], &[i64::MAX, i64::MAX], &[1_000_000_000_000_000; 3]] {
        let answer = firm.admin.post("/contracts", contract(amounts)).await;
        clear(&format!("{amounts:?}"), &answer);
        assert_eq!(answer.status, 422, "{}", answer.text);
        let pointer = answer.body["errors"][0]["pointer"].as_str().unwrap();
        assert!(pointer.starts_with("/lines"), "{}", answer.text);
    }
    let mut unreal = contract(&[100]);
    unreal["signed_on"] = json!("2026-04-31");
    firm.admin.post("/contracts", unreal).await.faults(&["/signed_on bad_format"]);
    assert_eq!(rows(&app), before);
    firm.admin.post("/contracts", contract(&[100])).await.ok();
    app.settle();
}

#[actix_web::test]
async fn five_megabytes_are_too_much() {
    let app = TestApp::start().await;
    let firm = app.house(OrganizationKind::Company, "210100").await;
    let before = rows(&app);
    let body = with(demand(), json!({ "description": "a".repeat(5 * 1024 * 1024) })).to_string();
    for (caller, path) in [(&firm.admin, "/demands"), (&app.visitor(), "/match")] {
        let answer = caller.post_text(path, body.clone()).await;
        clear(path, &answer);
        answer.refused(413, "body_too_large");
    }
    assert_eq!(rows(&app), before);
    app.settle();
}

#[actix_web::test]
async fn corrupted_credit_codes_are_refused() {
    let app = TestApp::start().await;
    let good = uscc::fictional(OrganizationKind::Company, &"210100".parse().unwrap(), 7);
    let register = |code: &str| {
        json!({
            "email": "li@firm.test", "password": PASSWORD, "name": "李",
            "organization": { "name": "示例公司（虚构）", "kind": "company", "region_code": "210100", "uscc": code }
        })
    };
    let before = rows(&app);
    let (last, swapped) = (good.chars().last().unwrap(), good[1..2].to_owned() + &good[..1]);
    let wrong = [
        format!("{}{}", &good[..17], if last == '0' { '1' } else { '0' }),
        swapped + &good[2..],
        good[..17].to_owned(),
        format!("{good}0"),
        good.replacen('F', "I", 1),
        String::new(),
        "'; DROP TABLE accounts; --".to_owned(),
    ];
    for code in wrong {
        let answer = app.visitor().post("/auth/register", register(&code)).await;
        clear(&code, &answer);
        assert_eq!(answer.status, 422, "{code}");
        assert_eq!(answer.body["errors"][0]["pointer"], "/organization/uscc", "{}", answer.text);
    }
    assert_eq!(rows(&app), before);
    app.visitor().post("/auth/register", register(&good)).await.ok();
    app.settle();
}

#[actix_web::test]
async fn ids_of_others_name_nothing() {
    let app = TestApp::start().await;
    let owner = app.house(OrganizationKind::Company, "210100").await;
    let other = app.house(OrganizationKind::Company, "210100").await;
    let made = owner.admin.post("/demands", demand()).await.ok();
    let id = made["id"].as_str().unwrap();
    let before = rows(&app);
    let nobodys = Id::<of::Demand>::fresh().to_string();
    for id in
        [id, nobodys.as_str(), "7", "%27%20OR%201%3D1", "..%2F..%2Fetc%2Fpasswd", "%00", "%FF"]
    {
        let at = format!("/demands/{id}");
        for answer in [
            app.visitor().get(&at).await,
            other.admin.get(&at).await,
            other.admin.get(&format!("{at}/versions")).await,
            other.admin.get(&format!("{at}/matches")).await,
            other.admin.patch(&at, json!({ "min_trl": 3 })).await,
            other.admin.act(&format!("{at}/submit")).await,
            other.admin.delete(&at).await,
        ] {
            clear(id, &answer);
            answer.refused(404, "not_found");
        }
    }
    let foreign = with(demand(), json!({ "organization_id": owner.id }));
    clear("another's organization", &other.admin.post("/demands", foreign).await);
    assert_eq!(rows(&app), before);
    assert_eq!(owner.admin.get(&format!("/demands/{id}")).await.ok()["version"], made["version"]);
    app.settle();
}

#[actix_web::test]
async fn stale_etags_change_nothing() {
    let app = TestApp::start().await;
    let owner = app.house(OrganizationKind::Company, "210100").await;
    let made = owner.admin.post("/demands", demand()).await;
    let first = made.etag();
    let at = format!("/demands/{}", made.ok()["id"].as_str().unwrap());
    let new = owner.admin.with("if-match", &first).patch(&at, json!({ "min_trl": 3 })).await;
    let (new, present) = (new.etag(), new.ok());
    assert_ne!(first, new);
    let before = rows(&app);
    for tag in [
        first.as_str(),
        "\"99999\"",
        "\"-1\"",
        "7",
        "\"abc\"",
        "\"9223372036854775808\"",
        "W/\"1\"",
    ] {
        let stale = owner.admin.with("if-match", tag);
        for answer in [
            stale.patch(&at, json!({ "min_trl": 5 })).await,
            stale.act(&format!("{at}/submit")).await,
            stale.delete(&at).await,
        ] {
            clear(tag, &answer);
            answer.refused(412, "stale");
        }
    }
    assert_eq!(rows(&app), before);
    assert_eq!(owner.admin.get(&at).await.ok(), present);
    app.settle();
}

#[actix_web::test]
async fn tokens_of_others_open_nothing() {
    let app = TestApp::start().await;
    let operator = app.operator("210000").await;
    let token = operator.token.clone().unwrap();
    let claims: Value = {
        use base64::Engine;
        let text = token.split('.').nth(1).unwrap();
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    let sign = |claims: &Value, algorithm: Algorithm, key: &str| {
        encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
    };
    let changed = |patch: Value| sign(&with(claims.clone(), patch), Algorithm::HS256, SECRET);
    let show = |token: &str| {
        let mut caller = operator.clone();
        caller.token = Some(token.to_owned());
        caller
    };
    let now = Moment::now().unix_seconds();
    let without = |name: &str| {
        let mut less = claims.clone();
        less.as_object_mut().unwrap().remove(name);
        sign(&less, Algorithm::HS256, SECRET)
    };
    // a token made here in the same way is good: the others fail for what is changed in them
    show(&sign(&claims, Algorithm::HS256, SECRET)).get("/me").await.ok();
    let before = rows(&app);
    let forged = [
        ("alg none", unsigned(&token), "token_invalid"),
        (
            "another key",
            sign(&claims, Algorithm::HS256, "another secret of more than thirty-two bytes"),
            "token_invalid",
        ),
        ("another algorithm", sign(&claims, Algorithm::HS512, SECRET), "token_invalid"),
        ("another audience", changed(json!({ "aud": "other-api" })), "token_invalid"),
        ("another issuer", changed(json!({ "iss": "other" })), "token_invalid"),
        ("no audience", without("aud"), "token_invalid"),
        ("no expiry", without("exp"), "token_invalid"),
        ("no session", without("sid"), "token_invalid"),
        ("expired", changed(json!({ "exp": now - 3600, "iat": now - 7200 })), "token_expired"),
        ("no such session", changed(json!({ "sid": Id::<of::Session>::fresh() })), ""),
        ("somebody else's session", changed(json!({ "sub": Id::<of::Account>::fresh() })), ""),
        ("a cut signature", token[..token.len() - 2].to_owned(), "token_invalid"),
        ("no signature", token.rsplit_once('.').unwrap().0.to_owned(), "token_invalid"),
        ("no token", "x".to_owned(), "token_invalid"),
        ("an empty token", String::new(), "token_invalid"),
        ("an invented key", "ks_0123456789".to_owned(), ""),
        ("a very long token", "a.".repeat(4_000), "token_invalid"),
    ];
    for (what, token, code) in &forged {
        for answer in [
            show(token).get("/me").await,
            // a visitor with a token that opens nothing is told so
            show(token).get("/demands").await,
            show(token).post("/targets", json!({})).await,
        ] {
            clear(what, &answer);
            let told = answer.body["code"].as_str().unwrap();
            assert_eq!(
                (answer.status.as_u16(), told),
                (401, if code.is_empty() { told } else { code }),
                "{what}"
            );
        }
    }
    for scheme in ["Basic b3BlcmF0b3I6eA==", "Bearer", "bearer ", &token] {
        let answer = app.visitor().with("authorization", scheme).get("/me").await;
        clear(scheme, &answer);
        assert_eq!(answer.status, 401, "{scheme}");
    }
    assert_eq!(rows(&app), before);

    operator.get("/me").await.ok();
    operator.act("/auth/logout").await.ok();
    operator.get("/me").await.refused(401, "session_revoked");
    operator.get("/demands").await.refused(401, "session_revoked");
    app.settle();
}

#[actix_web::test]
async fn search_text_is_text() {
    let app = TestApp::start().await;
    let firm = app.house(OrganizationKind::Company, "210100").await;
    let operator = app.operator("210000").await;
    let at = format!(
        "/demands/{}",
        firm.admin.post("/demands", demand()).await.ok()["id"].as_str().unwrap()
    );
    firm.admin.act(&format!("{at}/submit")).await.ok();
    operator.act(&format!("{at}/approve")).await.ok();
    app.settle();
    let before = rows(&app);
    let (long, wide) = ("a".repeat(10_000), "镁碳砖".repeat(2_000));
    let texts = [
        r#"") OR *:*"#,
        r#"""#,
        r#""unbalanced"#,
        "(((",
        "title:镁",
        "a AND",
        "NOT",
        "+ - && || ! ( ) { } [ ] ^ ~ * ? : \\ /",
        "[* TO *]",
        "镁碳砖~2",
        "镁*",
        "'; DROP TABLE demands; --",
        "' OR '1'='1",
        "%",
        "_",
        "\\",
        "a",
        "砖",
        "𠮷",
        "😀",
        "👨‍👩‍👧",
        "\u{202e}x",
        "\u{0}",
        "\n",
        " ",
        long.as_str(),
        wide.as_str(),
    ];
    for text in texts {
        let what: String = text.chars().take(20).collect();
        let path = format!("/search?q={}", utf8_percent_encode(text, NON_ALPHANUMERIC));
        let answer = app.visitor().get(&path).await;
        assert_eq!(answer.status, 200, "{what:?}: {}", answer.text);
        nothing_leaked(&what, &answer);
        let body = json!({ "text": text, "want": "demand" });
        let answer = app.visitor().post("/match", body).await;
        assert!([200, 422].contains(&answer.status.as_u16()), "{what:?}: {}", answer.text);
        nothing_leaked(&what, &answer);
    }
    // nothing beside a word widens what it finds; a text without any word is an empty one
    for text in [r#"啤酒") OR *:*"#, "啤酒*", "啤酒' OR '1'='1", "啤酒 OR title:*", "-啤酒"]
    {
        let path = format!("/search?q={}", utf8_percent_encode(text, NON_ALPHANUMERIC));
        assert_eq!(app.visitor().get(&path).await.ok()["items"], json!([]), "{text}");
    }
    let path = format!("/search?q={}", utf8_percent_encode("\"镁碳砖", NON_ALPHANUMERIC));
    let found = app.visitor().get(&path).await.ok();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    app.visitor()
        .post("/match", json!({ "text": "砖".repeat(10_001), "want": "demand" }))
        .await
        .faults(&["/text too_long"]);
    app.visitor()
        .post("/match", json!({ "text": "砖", "want": "demand" }))
        .await
        .faults(&["/text too_short"]);
    assert_eq!(rows(&app), before);
    app.settle();
}

#[actix_web::test]
async fn query_strings_are_checked_like_bodies() {
    let app = TestApp::start().await;
    let operator = app.operator("210000").await;
    let mut wrong = Vec::new();
    for query in [
        "/search?surprise=1",
        "/search?limit=0",
        "/search?limit=101",
        "/search?limit=-1",
        "/search?limit=x",
        "/search?limit=99999999999999999999",
        "/search?cursor=x",
        "/search?cursor=e30",
        "/search?kind=x",
        "/search?field=99",
        "/search?region=219999",
        "/search?region=x",
        "/search?stage=x",
        "/search?trl_min=0",
        "/search?trl_min=10",
        "/search?trl_min=-1",
        "/search?price_max_fen=-1",
        "/search?price_max_fen=99999999999999999999",
        "/search?sort=x",
        "/demands?limit=0",
        "/demands?cursor=%00",
        "/demands?state=x",
        "/demands?region=219999",
        "/achievements?cursor=x",
        "/achievements?surprise=1",
        "/achievements?region=219999",
        "/organizations?kind=x",
        "/organizations?limit=101",
        "/organizations?region=219999",
        "/brokers?cursor=x",
        "/brokers?region=219999",
        "/deals?state=x",
        "/match-requests?box=x",
        "/contracts?cursor=x",
        "/contracts?limit=0",
        "/targets?region=219999",
        "/regions?parent=219999",
        "/regions?surprise=1",
        "/statistics/turnover?from=2026-13&to=2026-01",
        "/statistics/turnover?from=2026-02&to=2026-01",
        "/statistics/turnover?by=x",
        "/statistics/turnover?region=219999",
    ] {
        let answer = operator.get(query).await;
        nothing_leaked(query, &answer);
        if answer.status != 422 {
            let text: String = answer.text.chars().take(200).collect();
            wrong.push(format!("{query}: {} {text}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    app.settle();
}
