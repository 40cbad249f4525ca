//! Promises about who gets in: every route of the document against strangers, forgers and each role.
use std::fmt::Write;

use base64::Engine;
use keshi::{
    accounts::model::OrganizationState,
    kernel::{Id, MemberRole, OrganizationKind, of},
};
use serde_json::json;

use crate::{
    openapi::{Call, calls},
    support::TestApp,
};

/// What anybody may ask for, and nothing else.
const OPEN_TO_ALL: &[&str] = &[
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "POST /api/v1/auth/register",
    "POST /api/v1/auth/verify-email",
    "POST /api/v1/auth/password-reset",
    "POST /api/v1/auth/password-reset/confirm",
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/refresh",
    "GET /api/v1/codes",
    "GET /api/v1/quality",
    "GET /api/v1/regions",
    "GET /api/v1/search",
    "POST /api/v1/match",
    "GET /api/v1/achievements",
    "GET /api/v1/achievements/{id}",
    "GET /api/v1/achievements/{id}/matches",
    "GET /api/v1/demands",
    "GET /api/v1/demands/{id}",
    "GET /api/v1/demands/{id}/matches",
    "GET /api/v1/organizations",
    "GET /api/v1/organizations/{id}",
    "GET /api/v1/brokers",
    "GET /api/v1/brokers/{id}",
    "GET /api/v1/agencies",
    "GET /api/v1/agencies/{id}",
    "GET /api/v1/agencies/scorecard-rules",
    "GET /api/v1/targets",
    "GET /api/v1/targets/lint",
    "GET /api/v1/targets/{id}",
    "GET /api/v1/targets/{id}/progress",
    "GET /api/v1/statistics/turnover",
    "GET /api/v1/statistics/flows",
    "GET /api/v1/statistics/rankings",
    "GET /api/v1/statistics/local-conversion",
    "GET /api/v1/indicators",
    "GET /api/v1/indicators/{indicator}/values",
    "GET /api/v1/forecasts/quality",
    "GET /api/v1/statistics/funnel",
    "GET /api/v1/reports/{kind}",
    "GET /api/v1/rule-sets",
    "GET /api/v1/rule-sets/{id}",
    "GET /api/v1/verify/{code}",
    "GET /api/v1/unsubscribe",
    "POST /api/v1/unsubscribe",
];

/// Answers that depend on nobody, so that no token is looked at.
const ASKS_NOBODY: &[&str] = &[
    "GET /api/v1/codes",
    "GET /api/v1/quality",
    "GET /api/v1/regions",
    "GET /api/v1/rule-sets",
    "GET /api/v1/rule-sets/{id}",
    "GET /api/v1/verify/{code}",
];

/// The path of `call` with ids that name nothing.
fn nowhere(call: &Call) -> String {
    let mut path = call.path.clone();
    while let (Some(open), Some(close)) = (path.find('{'), path.find('}')) {
        path.replace_range(open..=close, Id::<of::Account>::fresh().as_str());
    }
    path
}

/// A token of somebody real in a session that is open, signed by nobody.
pub fn unsigned(token: &str) -> String {
    let claims = token.split('.').nth(1).unwrap();
    let head = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .encode(json!({ "alg": "none", "typ": "JWT" }).to_string());
    format!("{head}.{claims}.")
}

#[actix_web::test]
async fn a_stranger_meets_closed_doors() {
    let app = TestApp::start().await;
    let mut wrong = Vec::new();
    let all = calls();
    for call in &all {
        let answer = app.knock(&call.verb, &nowhere(call), None).await;
        let (status, name) = (answer.status.as_u16(), call.name());
        let open = OPEN_TO_ALL.contains(&name.as_str());
        if status >= 500 || (status == 401) == open {
            wrong.push(format!("{name} answers {status} {}", answer.text));
        }
        if open != call.open() {
            wrong.push(format!("{name}: the document says open = {}", call.open()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for name in OPEN_TO_ALL {
        assert!(all.iter().any(|c| c.name() == *name), "{name} is no route");
    }
    app.settle();
}

#[actix_web::test]
async fn a_forged_token_opens_nothing() {
    let app = TestApp::start().await;
    let operator = app.operator("210000").await;
    let forged = unsigned(operator.token.as_ref().unwrap());
    let mut wrong = Vec::new();
    for call in calls() {
        let name = call.name();
        let looks = call.path.starts_with("/api/v1/")
            && !call.path.starts_with("/api/v1/auth/")
            && !ASKS_NOBODY.contains(&name.as_str());
        let answer = app.knock(&call.verb, &nowhere(&call), Some(&forged)).await;
        let status = answer.status.as_u16();
        if status >= 500 || (looks && status != 401) {
            wrong.push(format!("{name} answers {status} {}", answer.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    app.settle();
}

#[actix_web::test]
async fn every_role_at_every_door() {
    let app = TestApp::start().await;
    let firm = app.house(OrganizationKind::Company, "210100").await;
    let pending =
        app.house_in(OrganizationKind::University, "210100", OrganizationState::Pending).await;
    let registrar = app.house(OrganizationKind::Registrar, "210100").await;
    let roles = [
        ("member", app.member("member", &firm, MemberRole::Member).await),
        ("pending", pending.admin.clone()),
        ("clerk", app.clerk(&registrar).await),
        ("operator", app.operator("210000").await),
        ("auditor", app.auditor("210000").await),
    ];
    let mut table = String::new();
    for (role, _) in &roles {
        write!(table, "{role:<9}").unwrap();
    }
    for call in calls() {
        // these end the session or change what the caller must show
        if call.path.ends_with("/auth/logout") || call.path.ends_with("/me/totp") {
            continue;
        }
        table.push('\n');
        for (role, caller) in &roles {
            let answer = app.knock(&call.verb, &nowhere(&call), caller.token.as_deref()).await;
            let status = answer.status.as_u16();
            assert!(status < 500, "{role}: {} answers {status} {}", call.name(), answer.text);
            write!(table, "{status:<9}").unwrap();
        }
        table.push_str(&call.name());
    }
    insta::assert_snapshot!(table);
    app.settle();
}
