//! What lies with a contract: its sealed text, the check before filing, papers, receipts, the
//! certificate and its code, and what the migration made of older registrations.
use std::{fs, path::Path};

use keshi::kernel::journal;
use serde_json::{Value, json};

use crate::{
    contracts::{Cast, act, day, postings, say, with},
    support::{Caller, TestApp},
};

#[actix_web::test]
async fn only_assigned_clerks_open_the_text_and_every_opening_is_noted() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let id = cast.draft("谁能打开").await;
    let (path, text) = (format!("/contracts/{id}"), format!("/contracts/{id}/text"));
    act(&cast.filer, &id, "submit").await.ok();
    let summary = cast.clerk.get(&path).await.ok();
    assert_eq!((&summary["text_sealed"], &summary["lines"]), (&json!(true), &Value::Null));
    assert_eq!((&summary["amount_basis"], &summary["line_basis"]), (&Value::Null, &Value::Null));
    assert_eq!(cast.clerk.get("/contracts").await.ok()["items"][0]["lines"], Value::Null);
    for part in ["text", "papers", "precheck", "receipts"] {
        cast.clerk.get(&format!("{path}/{part}")).await.refused(403, "not_assigned");
    }
    act(&cast.clerk, &id, "accept").await.ok();
    let opened = cast.clerk.get(&text).await.ok();
    assert_eq!(opened["lines"][0]["amount_fen"], 100_000_000);
    assert!(opened["line_basis"][1]["sentence"].as_str().unwrap().contains("设备"), "{opened}");
    cast.second.get(&text).await.refused(403, "not_assigned");

    // a colleague is assigned; somebody from elsewhere cannot be
    cast.filer.post(&format!("{path}/assign"), json!({})).await.refused(403, "not_the_registrar");
    let me = cast.second.get("/me").await.ok()["id"].clone();
    let stranger = cast.customer.get("/me").await.ok()["id"].clone();
    let assign = format!("{path}/assign");
    cast.clerk
        .post(&assign, json!({ "account_id": stranger }))
        .await
        .faults(&["/account_id not_a_clerk"]);
    cast.clerk.post(&assign, json!({ "account_id": me })).await.ok();
    cast.second.get(&text).await.ok();

    // the parties know their own contract, the authority opens it like a clerk
    assert_eq!(cast.customer.get(&path).await.ok()["lines"][1]["kind"], "equipment");
    cast.filer.get(&text).await.ok();
    let (operator, auditor) = (app.operator("210000").await, app.auditor("210100").await);
    assert_eq!(auditor.get(&path).await.ok()["lines"], Value::Null);
    operator.get(&text).await.ok();
    auditor.get(&text).await.ok();
    app.operator("210200").await.get(&text).await.refused(404, "not_found");
    app.settle();
    let events = app.keshi.db.read_now(|conn| journal::after(conn, 0)).unwrap();
    let opened: Vec<_> = events.iter().filter(|e| e.topic == "contract.opened").collect();
    assert_eq!(opened.len(), 4, "one clerk, a colleague, the operator, the auditor");
    assert_eq!(
        opened[0].body().unwrap(),
        json!({"state": "accepted", "what": "text", "side": "registrar"})
    );
}

fn codes(report: &Value) -> Vec<String> {
    let items = report["items"].as_array().unwrap().iter();
    items
        .map(|f| {
            let part = |name: &str| f[name].as_str().unwrap().to_owned();
            format!("{} {} {}", part("severity"), part("pointer"), part("code"))
        })
        .collect()
}

async fn checked(who: &Caller, id: &str) -> Value {
    who.get(&format!("/contracts/{id}/precheck")).await.ok()
}

#[actix_web::test]
async fn the_check_names_what_is_missing_and_only_errors_stop() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let odd = with(
        cast.titled("冶金企业节能改造可行性论证"),
        json!({
            "related_party": true, "cross_border": "export", "plan_source": "national",
            "payment": "royalty", "buyer": {"organization_id": cast.buyer.id},
            "lines": [{"kind": "technology", "description": "调研与咨询报告", "amount_fen": 100_000_000_000i64}]
        }),
    );
    let id = cast.drafted(odd).await;
    let report = checked(&cast.filer, &id).await;
    assert_eq!((&report["fit"], &report["rule_set"]), (&json!(true), &json!("R2026")));
    assert_eq!(
        codes(&report),
        [
            "warning /papers missing_paper",
            "warning /papers missing_paper",
            "warning /papers missing_paper",
            "warning /plan_source missing_consent",
            "warning /related_party related_party",
            "warning /cross_border cross_border_duty",
            "warning /lines unit_of_amount",
            "warning /lines large_contract",
            "warning /payment amount_provisional",
            "warning /category class_does_not_fit",
        ]
    );
    for finding in report["items"].as_array().unwrap() {
        for part in ["rule", "detail", "advice"] {
            assert!(!finding[part].as_str().unwrap().is_empty(), "{finding}");
        }
    }
    act(&cast.filer, &id, "submit").await.ok();

    // papers that are entered are missing no longer
    let small =
        json!([{"kind": "technology", "description": "新工艺研究开发", "amount_fen": 9_999}]);
    let id = cast.drafted(with(cast.titled("小额开发"), json!({ "lines": small }))).await;
    for (n, kind) in ["contract", "technical_annex", "price_breakdown"].into_iter().enumerate() {
        let paper = json!({"kind": kind, "name": format!("{kind}.pdf"), "media_type": "application/pdf",
            "bytes": 10, "sha256": format!("{n:0>64}")});
        cast.filer.post(&format!("/contracts/{id}/papers"), paper).await.ok();
    }
    assert_eq!(codes(&checked(&cast.filer, &id).await), ["warning /lines unit_of_amount"]);

    let late = cast.drafted(with(cast.titled("过期"), json!({"valid_to": day(-1)}))).await;
    let report = checked(&cast.filer, &late).await;
    assert_eq!(report["fit"], false);
    assert_eq!(codes(&report)[0], "error /valid_to outside_validity");
    act(&cast.filer, &late, "submit").await.refused(409, "outside_validity");
    app.settle();
}

#[actix_web::test]
async fn the_same_contract_is_known_by_its_number_and_by_its_text() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let numbered = |title: &str, no: &str| with(cast.titled(title), json!({ "contract_no": no }));
    let first = cast.drafted(numbered("高镍三元正极材料包覆工艺开发", "LDW-2026-017")).await;
    act(&cast.filer, &first, "submit").await.ok();
    let again = cast.drafted(numbered("完全不同的名称", "ldw 2026 017")).await;
    assert_eq!(codes(&checked(&cast.filer, &again).await)[0], "error /title duplicate_contract");
    act(&cast.filer, &again, "submit").await.refused(409, "duplicate_contract");
    // nearly the same text under another number is only questioned
    let near = cast.drafted(numbered("高镍三元正极材料包覆工艺开发二", "LDW-2026-018")).await;
    let told = codes(&checked(&cast.filer, &near).await);
    assert!(told.contains(&"warning /title near_duplicate".to_owned()), "{told:?}");
    act(&cast.filer, &near, "submit").await.ok();
    // once the first is withdrawn, its number is free
    act(&cast.filer, &first, "withdraw").await.ok();
    act(&cast.filer, &again, "submit").await.ok();
    app.settle();
}

#[actix_web::test]
async fn papers_are_entered_while_the_contract_is_open() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let id = cast.draft("材料").await;
    let path = format!("/contracts/{id}/papers");
    let paper = json!({"kind": "contract", "name": "合同.pdf", "media_type": "application/pdf",
        "bytes": 482_113, "sha256": "a".repeat(64)});
    let bad = json!({"kind": "poem", "name": "", "media_type": "pdf", "bytes": 0, "sha256": "A"});
    cast.filer.post(&path, bad).await.faults(&[
        "/bytes too_small",
        "/kind not_in_list",
        "/media_type bad_format",
        "/name empty",
        "/sha256 bad_format",
    ]);
    cast.customer.post(&path, paper.clone()).await.refused(403, "not_the_filer");
    let made = cast.filer.post(&path, paper.clone()).await.ok();
    cast.filer.post(&path, paper.clone()).await.refused(409, "paper_exists");
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    assert_eq!(cast.customer.get(&path).await.ok()["items"][0]["name"], "合同.pdf");
    assert_eq!(cast.filer.delete(&one).await.status.as_u16(), 204);
    cast.filer.delete(&one).await.refused(404, "not_found");
    cast.filer.post(&path, paper.clone()).await.ok();
    act(&cast.filer, &id, "submit").await.ok();
    let late = with(paper, json!({"sha256": "b".repeat(64)}));
    cast.filer.post(&path, late).await.refused(409, "illegal_transition");
    // a draft goes with its papers
    let other = cast.draft("另一份材料").await;
    let paper = json!({"kind": "other", "name": "附.pdf", "media_type": "application/pdf", "bytes": 1,
        "sha256": "c".repeat(64)});
    cast.filer.post(&format!("/contracts/{other}/papers"), paper).await.ok();
    assert_eq!(cast.filer.delete(&format!("/contracts/{other}")).await.status.as_u16(), 204);
    app.settle();
}

#[actix_web::test]
async fn the_file_of_a_paper_opens_for_those_who_may_read_the_text() {
    const PDF: &[u8] = b"%PDF-1.7 contract";
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let id = cast.draft("材料文件").await;
    let (papers, files) =
        (format!("/contracts/{id}/papers"), format!("/contracts/{id}/papers/files"));
    let kind = |kind| [("kind", kind)];
    let stored = || {
        fs::read_dir(app.keshi.config.data_dir.join("documents/papers").join(&id))
            .map_or(0, Iterator::count)
    };

    let refused = [
        (&[][..], "a.pdf", PDF, "/kind required"),
        (&kind("poem")[..], "a.pdf", PDF, "/kind not_in_list"),
        (&kind("contract")[..], "a.pdf", b"", "/file empty_file"),
        (&kind("contract")[..], "a.png", PDF, "/file type_mismatch"),
        (&kind("contract")[..], "a.pdf", b"MZ\x90\0", "/file type_not_allowed"),
    ];
    for (fields, name, content, fault) in refused {
        cast.filer.upload_form(&files, fields, name, content).await.faults(&[fault]);
    }
    let other = cast.customer.upload_form(&files, &kind("contract"), "a.pdf", PDF).await;
    other.refused(403, "not_the_filer");
    assert_eq!(stored(), 0, "what was refused left nothing behind");

    // a digest that was entered first: the file joins its paper
    let sha256 = "096d13eda09b562b3eaa39836d9d553d25c07a1d4877f59445bd0b0ed77a9745";
    let pledge = json!({"kind": "contract", "name": "合同.pdf", "media_type": "application/pdf",
        "bytes": 482_113, "sha256": sha256});
    let pledged = cast.filer.post(&papers, pledge).await.ok();
    assert_eq!(pledged["has_file"], false);
    let file = |paper: &Value| format!("{papers}/{}/file", paper["id"].as_str().unwrap());
    cast.filer.get(&file(&pledged)).await.refused(404, "not_found");
    let kept = cast.filer.upload_form(&files, &kind("contract"), "../../合同.pdf", PDF).await.ok();
    assert_eq!((&kept["id"], &kept["has_file"]), (&pledged["id"], &json!(true)));
    assert_eq!(kept["bytes"], PDF.len(), "what was said of it gives way to what it is");
    let again = cast.filer.upload_form(&files, &kind("contract"), "b.pdf", PDF).await;
    again.refused(409, "paper_exists");
    assert_eq!(stored(), 1);

    act(&cast.filer, &id, "submit").await.ok();
    cast.clerk.get(&file(&kept)).await.refused(403, "not_assigned");
    act(&cast.clerk, &id, "accept").await.ok();
    let given = cast.clerk.get(&file(&kept)).await;
    assert_eq!(
        (given.bytes.as_slice(), given.header("content-type")),
        (PDF, Some("application/pdf"))
    );
    assert_eq!(given.header("content-length"), Some(PDF.len().to_string().as_str()));
    assert_eq!(cast.customer.bytes(&file(&kept)).await, PDF);
    let late = cast.filer.upload_form(&files, &kind("other"), "c.pdf", b"%PDF-1.7 late").await;
    late.refused(409, "illegal_transition");
    app.settle();
    let events = app.keshi.db.read_now(|conn| journal::after(conn, 0)).unwrap();
    let opened: Vec<_> = events.iter().filter(|e| e.topic == "contract.opened").collect();
    let what = json!(format!("paper:{}", kept["id"].as_str().unwrap()));
    assert_eq!(opened.len(), 1, "the parties know their own papers");
    assert_eq!(opened[0].body().unwrap()["what"], what);
}

#[actix_web::test]
async fn royalties_are_provisional_until_amended_and_receipts_count() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let body = with(cast.titled("提成许可"), json!({"payment": "royalty_with_entry_fee"}));
    let id = cast.registered(body).await;
    let path = format!("/contracts/{id}");
    assert_eq!(cast.filer.get(&path).await.ok()["amount_provisional"], true);
    let page = cast.customer.get(&format!("{path}/certificate")).await;
    assert!(page.text.contains("金额为暂定"), "{}", page.text);
    let tasks = cast.filer.get("/me/tasks").await.ok();
    assert_eq!(tasks["items"][0]["action"], format!("POST /contracts/{id}/change"));

    let receipts = format!("{path}/receipts");
    let got = |on, fen: i64| json!({"received_on": on, "amount_fen": fen});
    cast.customer.post(&receipts, got(day(-1), 1)).await.refused(403, "not_the_filer");
    cast.filer.post(&receipts, got(day(1), 1)).await.faults(&["/received_on out_of_range"]);
    cast.filer.post(&receipts, got(day(-40), 1)).await.faults(&["/received_on out_of_range"]);
    cast.filer.post(&receipts, got(day(0), 0)).await.faults(&["/amount_fen too_small"]);
    let first = cast.filer.post(&receipts, got(day(-1), 60_000_000)).await.ok();
    assert_eq!(
        (&first["received_fen"], &first["tech_income_fen"]),
        (&json!(60_000_000), &json!(60_000_000))
    );
    let second = cast.filer.post(&receipts, got(day(0), 60_000_000)).await.ok();
    assert_eq!(
        (&second["received_fen"], &second["tech_income_fen"]),
        (&json!(120_000_000), &json!(100_000_000)),
        "at most the technology amount"
    );
    let most = 1_000_000_000_000_000i64;
    cast.filer.post(&receipts, got(day(0), most)).await.faults(&["/amount_fen too_large"]);
    assert_eq!(cast.filer.get(&path).await.ok()["tech_income_fen"], 100_000_000);

    let change = json!({"reason": "按实际销售额确定提成。", "amounts_final": true, "changes": {}});
    say(&cast.filer, &id, "change", change).await.ok();
    act(&cast.clerk, &id, "review").await.ok();
    let done = act(&cast.second, &id, "register").await.ok();
    assert_eq!(done["amount_provisional"], false);
    let page = cast.customer.get(&format!("{path}/certificate")).await;
    assert!(!page.text.contains("金额为暂定"));
    app.settle();
}

/// The code that stands on a certificate.
fn code_on(page: &str) -> String {
    let (_, rest) = page.split_once("验证码 ").unwrap();
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

#[actix_web::test]
async fn a_certificate_is_verified_without_telling_more_than_it_must() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let operator = app.operator("210000").await;
    let id = cast.under_review("登记证明<b>").await;
    let certificate = format!("/contracts/{id}/certificate");
    cast.filer.get(&certificate).await.refused(409, "no_certificate");
    act(&cast.second, &id, "register").await.ok();
    let page = cast.filer.get(&certificate).await;
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    let words =
        ["1,200,000.00", "壹佰贰拾万元整", "壹佰万元整", "<svg", "研究开发人", "登记证明&lt;b&gt;"];
    for word in words {
        assert!(page.text.contains(word), "{word} is not in {}", page.text);
    }
    app.operator("210200").await.get(&certificate).await.refused(404, "not_found");

    let anyone = app.visitor();
    let code = code_on(&page.text);
    let verify = |code: &str| format!("/verify/{code}");
    let told = anyone.get(&verify(&code)).await.ok();
    assert_eq!((&told["status"], &told["total_matches"]), (&json!("valid"), &Value::Null));
    assert_eq!(told["seller"], "高等****", "masked");
    let text = told.to_string();
    assert!(!text.contains("120000000") && !text.contains("登记证明<b>"), "{text}");
    let plain = code.replace('-', "").to_lowercase();
    let asked = format!("{}?total_fen=120000000&tech_fen=1", verify(&plain));
    let told = anyone.get(&asked).await.ok();
    assert_eq!((&told["total_matches"], &told["tech_matches"]), (&json!(true), &json!(false)));
    let slipped = if plain.starts_with('a') { "b" } else { "a" }.to_owned() + &plain[1..];
    anyone.get(&verify(&slipped)).await.faults(&["code bad_code"]);
    anyone.get(&verify("x")).await.faults(&["code bad_code"]);
    anyone.get(&verify("000000000000")).await.refused(404, "not_found");

    // the paper of before a change is told to be old
    let change = json!({"reason": "双方签订了补充协议。", "changes": {"valid_to": day(800)}});
    say(&cast.filer, &id, "change", change).await.ok();
    assert_eq!(anyone.get(&verify(&code)).await.ok()["status"], "valid", "not decided yet");
    act(&cast.clerk, &id, "review").await.ok();
    act(&cast.second, &id, "register").await.ok();
    assert_eq!(anyone.get(&verify(&code)).await.ok()["status"], "changed");
    let newer = code_on(&cast.filer.get(&certificate).await.text);
    assert_ne!(newer, code);
    assert_eq!(anyone.get(&verify(&newer)).await.ok()["status"], "valid");
    let grounds = json!({"grounds": "经查双方未发生真实交易。"});
    say(&operator, &id, "revoke", grounds).await.ok();
    assert_eq!(anyone.get(&verify(&newer)).await.ok()["status"], "revoked");
    cast.filer.get(&certificate).await.refused(409, "no_certificate");
    let other = cast.registered(cast.titled("另一份")).await;
    let code = code_on(&cast.filer.get(&format!("/contracts/{other}/certificate")).await.text);
    act(&cast.filer, &other, "cancel").await.ok();
    assert_eq!(anyone.get(&verify(&code)).await.ok()["status"], "cancelled");
    app.settle();
}

#[actix_web::test]
async fn guesses_at_codes_are_limited() {
    let app = TestApp::start_with(&[("KESHI_RATE_LIMIT", "on")]).await;
    let mut limited = 0;
    for _ in 0..40 {
        let answer = app.visitor().get("/verify/000000000000").await;
        limited += usize::from(answer.status.as_u16() == 429);
    }
    assert!(limited >= 15, "only {limited} of 40 were refused");
    app.settle();
}

/// The last part of the migration, which fills the new tables for older registrations, does the same as
/// the acts do.
#[actix_web::test]
async fn older_registrations_are_filled_in() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let body = with(
        cast.titled("旧\"登记\""),
        json!({"ip_kinds": ["utility_model", "invention_patent"], "payment": "royalty"}),
    );
    let id = cast.registered(body).await;
    let versions = cast.filer.get(&format!("/contracts/{id}/versions")).await.ok();
    let before = (postings(&app), ip_kinds(&app));
    let backend = if app.keshi.db.is_postgres() { "postgres" } else { "sqlite" };
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("migrations/{backend}/0013_registration/up.sql"));
    let up = fs::read_to_string(file).unwrap();
    let (_, fill) = up.split_once("-- What was filed and registered before.").unwrap();
    app.tamper(&format!(
        "DELETE FROM turnover_postings; DELETE FROM contract_versions; DELETE FROM contract_clerks; \
         DELETE FROM contract_cases; {fill}"
    ));
    assert_eq!((postings(&app), ip_kinds(&app)), before);
    assert_eq!(before.1, ["utility_model,invention_patent"]);
    let filled = cast.filer.get(&format!("/contracts/{id}/versions")).await.ok();
    assert_eq!(filled["items"][0]["tech_fen"], versions["items"][0]["tech_fen"]);
    let view = cast.filer.get(&format!("/contracts/{id}")).await.ok();
    assert_eq!(view["amount_provisional"], true);
    // a certificate of before there were codes gets its code when it is printed
    let certificate = format!("/contracts/{id}/certificate");
    let code = code_on(&cast.filer.get(&certificate).await.text);
    assert_eq!(code, code_on(&cast.filer.get(&certificate).await.text));
    assert_eq!(app.visitor().get(&format!("/verify/{code}")).await.ok()["status"], "valid");
    app.settle();
}

fn ip_kinds(app: &TestApp) -> Vec<String> {
    use diesel::RunQueryDsl;
    #[derive(diesel::QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text)]
        ip_kinds: String,
    }
    let sql = "SELECT ip_kinds FROM turnover_postings";
    let lines: Vec<Line> = diesel::sql_query(sql).load(&mut app.connection()).unwrap();
    lines.into_iter().map(|l| l.ip_kinds).collect()
}
