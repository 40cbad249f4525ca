//! The national system: what goes there, what comes back, and where the two differ.
use keshi::kernel::OrganizationKind;
use serde_json::{Value, json};

use crate::{
    contracts::Cast,
    imports::workbook,
    support::{Answer, Caller, TestApp},
};

const PATH: &str = "/contracts/national-numbers";

fn csv(rows: &[&str]) -> Vec<u8> {
    format!("全国系统编号,合同登记编号,成交额(元)\n{}\n", rows.join("\n")).into_bytes()
}

async fn tell(who: &Caller, dry_run: &str, file: &[u8]) -> Answer {
    who.upload_form(PATH, &[("dry_run", dry_run)], "a.csv", file).await
}

fn number(contract: &Value) -> String {
    contract["registration_no"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_registrar_reconciles_its_year() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let mut numbers = Vec::new();
    for title in ["=SUM(A1) 第一份合同", "第二份合同", "第三份合同"] {
        let id = cast.registered(cast.titled(title)).await;
        numbers.push(number(&cast.filer.get(&format!("/contracts/{id}")).await.ok()));
    }
    let draft = cast.draft("只是草稿").await;

    // export: one row a contract, the form's names, nothing that could run
    let told = cast.clerk.get("/contracts/export?format=csv").await;
    assert_eq!(told.status.as_u16(), 200, "{}", told.text);
    let lines: Vec<_> = told.text.lines().collect();
    assert_eq!(lines.len(), 4, "{}", told.text);
    assert!(
        lines[0].contains("项目名称(projectname)")
            && lines[0].contains("合同成交总额(元)(totalamount)")
    );
    assert!(
        lines[1].contains(&numbers[0]) && lines[1].contains(",'=SUM(A1) 第一份合同,"),
        "{}",
        lines[1]
    );
    assert!(lines[1].contains(",1200000.00,1000000.00,"), "{}", lines[1]);
    assert!(!told.text.contains(&draft) && !told.text.contains("只是草稿"));
    let bytes = cast.clerk.bytes("/contracts/export").await;
    assert!(bytes.starts_with(b"PK"));
    let none = cast.clerk.get("/contracts/export?format=csv&to=2000-01-01").await;
    assert_eq!(none.text.lines().count(), 1);
    cast.clerk
        .get("/contracts/export?from=2026-02-01&to=2026-01-01")
        .await
        .faults(&["to before_start"]);

    // the list that comes back: the first fits, the second has another amount, one is unknown here
    let list = csv(&[
        &format!("JS-1,{},1200000.00", numbers[0]),
        &format!("JS-2,{},\"1,200,000.01\"", numbers[1]),
        "JS-9,2026219999000001,500",
    ]);
    let report = tell(&cast.clerk, "true", &list).await.ok();
    let counts =
        ["rows", "new", "changed", "matched", "different"].map(|c| report[c].as_i64().unwrap());
    assert_eq!(counts, [3, 3, 0, 2, 1]);
    let year = &numbers[0][..4];
    let path = format!("/contracts/reconciliation?year={year}");
    let view = cast.clerk.get(&path).await.ok();
    assert_eq!(view["only_here"]["total"], 3, "a dry run writes nothing");
    tell(&cast.clerk, "false", &list).await.ok();
    let again = tell(&cast.clerk, "false", &list).await.ok();
    assert_eq!((&again["new"], &again["unchanged"]), (&json!(0), &json!(3)));

    let view = cast.clerk.get(&path).await.ok();
    let totals =
        ["only_here", "only_there", "different"].map(|list| view[list]["total"].as_i64().unwrap());
    assert_eq!(totals, [1, 1, 1]);
    assert_eq!(view["only_here"]["items"][0]["registration_no"], numbers[2].as_str());
    assert_eq!(view["only_there"]["items"][0]["national_no"], "JS-9");
    let different = &view["different"]["items"][0];
    assert_eq!(different["registration_no"], numbers[1].as_str());
    assert_eq!(
        (&different["total_fen"], &different["national_total_fen"]),
        (&json!(120_000_000), &json!(120_000_001))
    );

    // a list goes on by its own cursor
    let list = csv(&["JS-7,,300", "JS-8,,400"]);
    let form = [("dry_run", "false"), ("year", year)];
    cast.clerk.upload_form(PATH, &form, "a.csv", &list).await.ok();
    let first = cast.clerk.get(&format!("{path}&limit=2")).await.ok();
    assert_eq!(first["only_there"]["total"], 3);
    let cursor = first["only_there"]["next_cursor"].as_str().unwrap();
    let second =
        cast.clerk.get(&format!("{path}&limit=2&list=only_there&cursor={cursor}")).await.ok();
    assert_eq!(second["only_there"]["items"][0]["national_no"], "JS-9");
    cast.clerk.get(&format!("{path}&cursor={cursor}")).await.faults(&["list required"]);

    let file = cast.clerk.get(&format!("{path}&format=csv")).await;
    assert_eq!(file.text.lines().count(), 6, "{}", file.text);
    assert!(file.text.contains("只在本系统") && file.text.contains("金额不同"), "{}", file.text);
    assert!(cast.clerk.bytes(&format!("{path}&format=xlsx")).await.starts_with(b"PK"));

    // what is no longer registered here is only there
    let all = cast.clerk.get("/contracts").await.ok();
    let first = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["registration_no"] == numbers[0].as_str());
    let id = first.unwrap()["id"].as_str().unwrap().to_owned();
    cast.filer
        .post(
            &format!("/contracts/{id}/cancel"),
            json!({"ground": "dissolved", "text": "双方已解除协议。"}),
        )
        .await
        .ok();
    assert_eq!(cast.clerk.get(&path).await.ok()["only_there"]["total"], 4);
    assert_eq!(cast.clerk.get("/contracts/export?format=csv").await.text.lines().count(), 3);
    let topics = app.topics();
    assert_eq!(topics.iter().filter(|t| *t == "registrar.national_numbers_told").count(), 3);
    assert!(topics.iter().any(|t| t == "registrar.contracts_exported"));
    app.settle();
}

#[actix_web::test]
async fn only_those_who_keep_the_books_see_them() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    cast.registered(cast.titled("一份合同")).await;
    let export = format!("/contracts/export?format=csv&registrar={}", cast.registrar.id);
    let books = format!("/contracts/reconciliation?registrar={}", cast.registrar.id);
    let list = csv(&["JS-1,2026210101000001,5000"]);
    let form = [("dry_run", "false"), ("registrar", cast.registrar.id.as_str())];

    let elsewhere = app.house(OrganizationKind::Registrar, "210200").await;
    for stranger in
        [&cast.filer, &cast.customer, &app.clerk(&elsewhere).await, &app.operator("210200").await]
    {
        stranger.get(&export).await.refused(404, "not_found");
        stranger.get(&books).await.refused(404, "not_found");
    }
    cast.filer.upload_form(PATH, &form, "a.csv", &list).await.refused(403, "not_a_keeper");
    app.operator("210200")
        .await
        .upload_form(PATH, &form, "a.csv", &list)
        .await
        .refused(404, "not_found");
    let auditor = app.auditor("210000").await;
    auditor.upload_form(PATH, &form, "a.csv", &list).await.refused(403, "not_a_keeper");
    assert_eq!(auditor.get(&export).await.text.lines().count(), 2);
    auditor.get(&books).await.ok();
    let operator = app.operator("210100").await;
    operator.upload_form(PATH, &form, "a.csv", &list).await.ok();
    // without a registrar: all of the region
    assert_eq!(operator.get("/contracts/export?format=csv").await.text.lines().count(), 2);
    assert_eq!(
        app.operator("210300").await.get("/contracts/export?format=csv").await.text.lines().count(),
        1
    );
    app.settle();
}

#[actix_web::test]
async fn a_faulty_list_is_refused_by_its_cells() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let list = workbook(|page| {
        for (head, at) in
            ["全国系统编号", "合同登记编号", "成交额(元)", "登记日期"].iter().zip(0u16..)
        {
            page.write_string(0, at, *head).unwrap();
        }
        for row in 1..=5 {
            page.write_string(row, 0, format!("JS-{row}")).unwrap();
            page.write_string(row, 1, format!("202621010100000{row}")).unwrap();
            page.write_number(row, 2, 5_000).unwrap();
        }
        page.write_string(1, 0, "JS-2").unwrap();
        page.write_string(2, 1, "12345").unwrap();
        page.write_formula(3, 2, "=5000*2").unwrap();
        page.write_string(4, 3, "去年").unwrap();
        page.write_number(5, 2, 0).unwrap();
    });
    let refused = cast.clerk.upload_form(PATH, &[("dry_run", "false")], "a.xlsx", &list).await;
    refused.faults(&[
        "Sheet1!B3 bad_format",
        "Sheet1!B3 year_unknown",
        "Sheet1!A3 duplicate",
        "Sheet1!C4 formula",
        "Sheet1!D5 bad_date",
        "Sheet1!C6 too_small",
    ]);
    let dry = cast.clerk.upload_form(PATH, &[], "a.xlsx", &list).await.ok();
    assert_eq!((&dry["faults"].as_array().unwrap().len(), &dry["dry_run"]), (&6, &json!(true)));
    tell(&cast.clerk, "false", "编号,金额\n1,2\n".as_bytes()).await.faults(&[
        "A1 unknown_column",
        "B1 unknown_column",
        "A1 missing_column",
    ]);

    // one registration number has one national number
    tell(&cast.clerk, "false", &csv(&["JS-1,2026210101000001,5000"])).await.ok();
    tell(&cast.clerk, "false", &csv(&["JS-2,2026210101000001,5000"]))
        .await
        .faults(&["B2 registration_taken"]);
    let changed = tell(&cast.clerk, "false", &csv(&["JS-1,2026210101000001,6000"])).await.ok();
    assert_eq!(changed["changed"], 1);
    app.settle();
}
