//! Tables of drafts over HTTP: what is wrong with them is told by the cell, and nothing of a faulty one stays.
use std::io::{Cursor, Read, Write};

use keshi::{
    exchange,
    kernel::{self, Moment, OrganizationKind},
};
use rust_xlsxwriter::{Format, Workbook, Worksheet};
use serde_json::{Value, json};

use crate::{
    contracts::{Cast, contract_topics},
    support::{Answer, Caller, TestApp},
};

const HEADS: [&str; 20] = [
    "合同编号",
    "合同名称*",
    "合同细类*",
    "买方名称",
    "买方信用代码",
    "买方区划",
    "买方类别",
    "签订日期",
    "生效日期",
    "有效期至",
    "技术领域",
    "知识产权构成",
    "计划来源",
    "社会经济目标",
    "行业",
    "支付方式",
    "关联交易",
    "跨境",
    "成交额(元)",
    "登记机构",
];
const TOTAL: u16 = 18;

/// A workbook with one sheet, `Sheet1`.
pub fn workbook(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(book.add_worksheet());
    book.save_to_buffer().unwrap()
}

/// The headings of contracts and `rows` of them, then what `more` does to the sheet.
fn contracts(cast: &Cast, rows: u32, more: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let registrar = cast.registrar.id.clone();
    workbook(|page| {
        for (head, at) in HEADS.iter().zip(0u16..) {
            page.write_string(0, at, *head).unwrap();
        }
        for row in 1..=rows {
            let (number, title) = (format!("HT-{row}"), format!("第 {row} 份委托开发合同"));
            let cells = [
                number.as_str(),
                title.as_str(),
                "委托开发",
                "渤海示例装备有限公司",
                "91210200F0000000XK",
                "210200",
                "企业",
                "2026-03-01",
                "2026/3/1",
                "2028年2月28日",
                "5",
                "发明专利；技术秘密",
                "计划外",
                "工商业发展",
                "C38",
                "分期支付",
                "否",
                "境内",
            ];
            for (cell, at) in cells.into_iter().zip(0u16..) {
                page.write_string(row, at, cell).unwrap();
            }
            page.write_number(row, TOTAL, 1_200_000.05).unwrap();
            page.write_string(row, TOTAL + 1, &registrar).unwrap();
        }
        more(page);
    })
}

/// One entry of an archive, written anew.
fn rewritten(archive: &[u8], name: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut old = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut new = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut seen = false;
    for at in 0..old.len() {
        let mut entry = old.by_index(at).unwrap();
        let entry_name = entry.name().unwrap().into_owned();
        let mut text = Vec::new();
        entry.read_to_end(&mut text).unwrap();
        if entry_name == name {
            seen = true;
            text = change(String::from_utf8(text).unwrap()).into_bytes();
        }
        new.start_file(entry_name, zip::write::SimpleFileOptions::default()).unwrap();
        new.write_all(&text).unwrap();
    }
    assert!(seen, "there is no {name}");
    new.finish().unwrap().into_inner()
}

async fn send(who: &Caller, kind: &str, name: &str, file: &[u8]) -> Answer {
    who.upload_form("/imports", &[("kind", kind)], name, file).await
}

/// Sends a file, lets it be checked and answers its id with how it stands.
async fn checked(app: &TestApp, who: &Caller, kind: &str, file: &[u8]) -> (String, Value) {
    let made = send(who, kind, "表.xlsx", file).await.ok();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!((&made["state"], &made["done"]), (&json!("checking"), &json!(0)));
    work_off(app);
    (id.clone(), who.get(&format!("/imports/{id}")).await.ok())
}

fn work_off(app: &TestApp) {
    tried(app).unwrap();
}

/// A test runs inside a runtime, and the worker waits for the storage in one of its own.
fn tried(app: &TestApp) -> kernel::Result<()> {
    let (db, storage) = (&app.keshi.db, &app.keshi.storage);
    std::thread::scope(|s| s.spawn(|| exchange::work_off(db, storage).map(drop)).join()).unwrap()
}

/// `Sheet1!S2 too_many_decimals`, in the order of the sheet.
async fn findings(who: &Caller, id: &str) -> Vec<String> {
    let page = who.get(&format!("/imports/{id}/faults?limit=100")).await.ok();
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|f| format!("{} {}", f["cell"].as_str().unwrap(), f["code"].as_str().unwrap()))
        .collect()
}

async fn drafts(cast: &Cast) -> i64 {
    cast.filer.get("/contracts").await.ok()["total"].as_i64().unwrap()
}

#[actix_web::test]
async fn a_table_is_checked_and_then_committed_whole() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let file = contracts(&cast, 3, |_| {});
    let (id, found) = checked(&app, &cast.filer, "contracts", &file).await;
    assert_eq!(findings(&cast.filer, &id).await, Vec::<String>::new());
    assert_eq!(
        (&found["state"], &found["rows"], &found["done"]),
        (&json!("checked"), &json!(3), &json!(3))
    );
    assert_eq!(found["allowed_actions"], json!(["commit"]));
    assert_eq!(drafts(&cast).await, 0);

    let commit = format!("/imports/{id}/commit");
    let begun = cast.filer.act(&commit).await;
    assert_eq!((begun.status.as_u16(), &begun.body["state"]), (202, &json!("committing")));
    cast.filer.get(&format!("/imports/{id}/result")).await.refused(409, "not_finished");
    work_off(&app);
    assert_eq!(cast.filer.get(&format!("/imports/{id}")).await.ok()["state"], "committed");
    cast.filer.act(&commit).await.refused(409, "illegal_transition");

    let listed = cast.filer.get("/contracts").await.ok();
    assert_eq!(listed["total"], 3);
    let one = &listed["items"][0];
    assert_eq!((&one["state"], &one["total_fen"]), (&json!("draft"), &json!(120_000_005)));
    assert_eq!(one["seller"]["organization_id"], cast.seller.id.as_str());
    assert_eq!((&one["valid_to"], &one["field"]), (&json!("2028-02-28"), &json!("05")));
    assert_eq!(one["category"], "development");
    let topics = contract_topics(&app);
    assert_eq!(topics, ["contract.drafted"; 3]);

    // the result names what every row became
    let result = cast.filer.get(&format!("/imports/{id}/result?format=csv")).await;
    assert_eq!(result.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(result.text.lines().count(), 4);
    assert!(result.text.contains("\n2,已导入,"), "{}", result.text);
    assert!(result.text.contains(one["id"].as_str().unwrap()));
    app.settle();
}

#[actix_web::test]
async fn without_a_dry_run_a_fit_table_is_committed_at_once() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let file = contracts(&cast, 2, |_| {});
    let form = [("kind", "contracts"), ("dry_run", "false")];
    let made = cast.filer.upload_form("/imports", &form, "a.xlsx", &file).await;
    assert_eq!(made.status.as_u16(), 201);
    work_off(&app);
    assert_eq!(drafts(&cast).await, 2);
    // the same file again is only a warning
    let (id, found) = checked(&app, &cast.filer, "contracts", &file).await;
    assert_eq!(found["state"], "checked");
    assert!(found["reason"].as_str().unwrap().contains("已经导入过"), "{found} {id}");
    app.settle();
}

#[actix_web::test]
async fn every_faulty_cell_is_named_and_nothing_is_written() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let file = contracts(&cast, 9, |page| {
        page.write_formula(1, TOTAL, "=1000000+200000").unwrap();
        page.merge_range(2, 3, 3, 3, "渤海示例装备有限公司", &Format::new()).unwrap();
        page.write_number(4, TOTAL, 1_200_000.005).unwrap();
        page.write_string(4, 4, "91210200F00000003X").unwrap();
        page.write_string(5, 7, "2026-02-30").unwrap();
        page.write_number(5, 8, 46_082).unwrap();
        page.write_string(6, 10, "炼丹").unwrap();
        page.write_string(6, TOTAL, "120万元").unwrap();
        page.write_string(7, 9, "2020-01-01").unwrap();
        page.write_blank(7, 2, &Format::new()).unwrap();
        page.write_string(8, TOTAL + 1, "没有这个登记处").unwrap();
        page.write_string(9, 25, "旁注").unwrap();
    });
    let (id, found) = checked(&app, &cast.filer, "contracts", &file).await;
    assert_eq!(found["state"], "faulty");
    let told = findings(&cast.filer, &id).await;
    let wanted = [
        "Sheet1!D3:D4 merged_cells",
        "Sheet1!S2 formula",
        "Sheet1!D4 required",
        "Sheet1!E5 bad_check_digit",
        "Sheet1!S5 too_many_decimals",
        "Sheet1!H6 bad_date",
        "Sheet1!I6 bad_date",
        "Sheet1!K7 not_in_list",
        "Sheet1!S7 wrong_unit",
        "Sheet1!C8 required",
        "Sheet1!T9 unknown_registrar",
        "Sheet1!Z10 no_heading",
    ];
    for one in wanted {
        assert!(told.iter().any(|t| t == one), "{one} is not among {told:#?}");
    }
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    assert_eq!(found["faults"], told.len());
    let first = cast.filer.get(&format!("/imports/{id}/faults?limit=1")).await.ok();
    assert_eq!(
        (&first["items"][0]["line"], &first["items"][0]["severity"]),
        (&json!(3), &json!("error"))
    );
    let next =
        format!("/imports/{id}/faults?limit=1&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(cast.filer.get(&next).await.ok()["items"][0]["column"], "成交额(元)");

    cast.filer.act(&format!("/imports/{id}/commit")).await.refused(409, "illegal_transition");
    assert_eq!(drafts(&cast).await, 0);
    let result = cast.filer.get(&format!("/imports/{id}/result?format=csv")).await;
    assert!(result.text.contains("Sheet1!S2,成交额(元),formula"), "{}", result.text);
    app.settle();
}

#[actix_web::test]
async fn rules_between_cells_lead_back_to_cells() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let file = contracts(&cast, 4, |page| {
        page.write_string(1, 9, "2020-01-01").unwrap();
        page.write_string(2, 4, "91210200F00000003X").unwrap();
        page.write_string(3, 11, "未涉及知识产权;发明专利").unwrap();
        page.write_string(4, 5, "219999").unwrap();
    });
    let (id, _) = checked(&app, &cast.filer, "contracts", &file).await;
    let told = findings(&cast.filer, &id).await;
    assert_eq!(told[0], "Sheet1!J2 before_effect");
    assert!(told[1].starts_with("Sheet1!E3 "), "{told:?}");
    assert_eq!(told[2..], ["Sheet1!L4 none_alone", "Sheet1!F5 unknown_region"]);
    app.settle();
}

#[actix_web::test]
async fn both_calendars_and_full_width_digits_are_read() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let dated = |serial: f64| {
        contracts(&cast, 1, |page| {
            let day = Format::new().set_num_format("yyyy/m/d");
            page.write_number_with_format(1, 7, serial, &day).unwrap();
            page.write_string(1, 8, "２０２６－０３－０２").unwrap();
            page.write_string(1, 5, "２１０２００").unwrap();
            page.write_string(1, TOTAL, "１，２００，０００．５０").unwrap();
        })
    };
    let since_1900 = dated(46_082.0);
    let since_1904 = rewritten(&dated(44_620.0), "xl/workbook.xml", |xml| {
        let found = xml.replacen("<workbookPr ", "<workbookPr date1904=\"1\" ", 1);
        assert_ne!(found, xml);
        found
    });
    for file in [since_1900, since_1904] {
        let form = [("kind", "contracts"), ("dry_run", "false")];
        cast.filer.upload_form("/imports", &form, "a.xlsx", &file).await.ok();
        work_off(&app);
        let one = &cast.filer.get("/contracts?limit=1").await.ok()["items"][0];
        assert_eq!(
            (&one["signed_on"], &one["effective_on"]),
            (&json!("2026-03-01"), &json!("2026-03-02"))
        );
        assert_eq!(one["total_fen"], 120_000_050);
    }
    assert_eq!(drafts(&cast).await, 2);
    app.settle();
}

#[actix_web::test]
async fn a_mistaken_unit_is_a_warning_that_stops_nothing() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let file = contracts(&cast, 3, |page| {
        page.write_number(1, TOTAL, 120).unwrap();
        page.write_number(2, TOTAL, 12.5).unwrap();
        page.write_number(3, TOTAL, 1_000_000_000).unwrap();
        page.write_string(4, 0, "#示例").unwrap();
    });
    let (id, found) = checked(&app, &cast.filer, "contracts", &file).await;
    assert_eq!((&found["state"], &found["warnings"]), (&json!("checked"), &json!(3)));
    let told = findings(&cast.filer, &id).await;
    assert_eq!(told, ["Sheet1!S3 odd_amount", "Sheet1!S4 odd_amount", "Sheet1!A5 comment_row"]);
    let errors = cast.filer.get(&format!("/imports/{id}/faults?severity=error")).await.ok();
    assert_eq!(errors["total"], 0);
    cast.filer.act(&format!("/imports/{id}/commit")).await.ok();
    work_off(&app);
    assert_eq!(drafts(&cast).await, 3);
    app.settle();
}

#[actix_web::test]
async fn what_is_no_table_is_refused_at_once() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let who = &cast.filer;
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("合同.txt", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all("合同".as_bytes()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let whole = contracts(&cast, 1, |_| {});
    for (file, code) in [
        (&b""[..], "empty_file"),
        (&zip[..], "not_a_workbook"),
        (&whole[..whole.len() - 200], "broken_archive"),
        (&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], "old_workbook"),
        (&b"%PDF-1.7\x00\x01"[..], "control_character"),
        (&b"\xff\xfe\x00\xd8"[..], "bad_encoding"),
    ] {
        send(who, "contracts", "a.xlsx", file).await.faults(&[&format!("/file {code}")]);
    }
    let bomb = rewritten(&whole, "xl/sharedStrings.xml", |_| " ".repeat(12 << 20));
    send(who, "contracts", "a.xlsx", &bomb).await.faults(&["/file archive_bomb"]);
    let torn = rewritten(&whole, "xl/workbook.xml", |xml| xml[..xml.len() / 2].to_owned());
    send(who, "contracts", "a.xlsx", &torn).await.faults(&["/file broken_workbook"]);

    let csv = "成果名称,简介,成果名称\n甲,乙,丙\n".as_bytes();
    let refused = send(who, "achievements", "a.csv", csv).await;
    refused.faults(&["B1 unknown_column", "C1 duplicate_column", "A1 missing_column"]);
    let wan = "合同名称,成交额(万元)\n甲,1\n".as_bytes();
    send(who, "contracts", "a.csv", wan).await.faults(&["B1 unknown_column", "A1 missing_column"]);

    who.upload_form("/imports", &[], "a.csv", csv).await.faults(&["/kind required"]);
    let odd = [("kind", "deals")];
    who.upload_form("/imports", &odd, "a.csv", csv).await.faults(&["/kind not_in_list"]);
    let odd = [("kind", "contracts"), ("dry_run", "maybe")];
    who.upload_form("/imports", &odd, "a.csv", csv).await.faults(&["/dry_run wrong_type"]);
    let odd = [("kind", "contracts"), ("more", "x")];
    who.upload_form("/imports", &odd, "a.csv", csv).await.faults(&["/more unknown_field"]);
    assert_eq!(who.get("/imports").await.ok()["total"], 0);
    app.settle();
}

#[actix_web::test]
async fn a_sheet_of_a_million_rows_is_let_go_early() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let mut text = format!("{}\n", HEADS.join(","));
    text.push_str(&"甲\n".repeat(1_000_000));
    let made = send(&cast.filer, "contracts", "a.csv", text.as_bytes()).await.ok();
    let id = made["id"].as_str().unwrap().to_owned();
    let begun = std::time::Instant::now();
    work_off(&app);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    assert_eq!(findings(&cast.filer, &id).await, ["A100002 too_many_rows"]);
    assert_eq!(cast.filer.get(&format!("/imports/{id}")).await.ok()["state"], "faulty");

    let empty = format!("{}\n,,,\n", HEADS.join(","));
    let made = send(&cast.filer, "contracts", "a.csv", empty.as_bytes()).await.ok();
    work_off(&app);
    assert_eq!(findings(&cast.filer, made["id"].as_str().unwrap()).await, ["/file empty_table"]);
    app.settle();
}

#[actix_web::test]
async fn listings_come_from_gb18030_and_in_the_name_of_their_organization() {
    let app = TestApp::start().await;
    let house = app.house(OrganizationKind::Institute, "210200").await;
    let heads =
        "成果名称,成果简介,关键词,技术领域,所处阶段,技术成熟度,转化方式,价格(元),价格面议\n";
    let row = "高压泵阀密封环,以碳化硅与石墨复合烧结制成密封环，耐压二十兆帕，寿命三年以上。,密封;碳化硅,先进制造,中期阶段,6,技术许可,1200.50,否\n";
    let text = format!("{heads}{row}");
    let (bytes, _, _) = encoding_rs::GB18030.encode(&text);
    let form = [("kind", "achievements"), ("dry_run", "false")];
    house.admin.upload_form("/imports", &form, "成果.csv", &bytes).await.ok();
    work_off(&app);
    let listed = house.admin.get("/achievements?mine=true").await.ok();
    let one = &listed["items"][0];
    assert_eq!((&listed["total"], &one["price_fen"]), (&json!(1), &json!(120_050)));
    assert_eq!((&one["state"], &one["keywords"]), (&json!("draft"), &json!(["密封", "碳化硅"])));

    let heads = "需求名称,需求描述,关键词,技术领域,需求类型,合作方式,技术指标,预算面议,可见范围\n";
    let row = "轧辊寿命提升,现用轧辊表面剥落严重，希望通过熔覆修复使寿命提高一倍以上并降低成本。,轧辊,03,关键技术研发,技术许可;委托开发,寿命:≥2 年；硬度:≥60 HRC,是,公开\n";
    let form = [("kind", "demands"), ("dry_run", "false")];
    house
        .admin
        .upload_form("/imports", &form, "a.csv", format!("{heads}{row}").as_bytes())
        .await
        .ok();
    work_off(&app);
    let listed = house.admin.get("/demands?mine=true").await.ok();
    assert_eq!(listed["items"][0]["indicators"][1], json!({"name": "硬度", "target": "≥60 HRC"}));
    app.settle();
}

#[actix_web::test]
async fn only_its_organization_and_its_overseers_see_an_import() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let file = contracts(&cast, 1, |_| {});
    let (id, _) = checked(&app, &cast.filer, "contracts", &file).await;
    let path = format!("/imports/{id}");
    for stranger in [&cast.customer, &cast.clerk, &app.operator("210200").await] {
        stranger.get(&path).await.refused(404, "not_found");
        stranger.get(&format!("{path}/faults")).await.refused(404, "not_found");
        stranger.get(&format!("{path}/result")).await.refused(404, "not_found");
        stranger.act(&format!("{path}/commit")).await.refused(404, "not_found");
        assert_eq!(stranger.get("/imports").await.ok()["total"], 0);
    }
    for overseer in [app.operator("210000").await, app.auditor("210100").await] {
        assert_eq!(overseer.get(&path).await.ok()["allowed_actions"], json!([]));
        assert_eq!(overseer.get("/imports").await.ok()["total"], 1);
        overseer.act(&format!("{path}/commit")).await.refused(403, "not_a_member");
        send(&overseer, "contracts", "a.xlsx", &file).await.refused(403, "no_organization");
    }
    // the same rights as for one thing: a registrar lists no achievements
    let csv =
        "成果名称,成果简介,关键词,技术领域,所处阶段,技术成熟度,转化方式,价格面议\n甲,,,,,,,\n";
    send(&cast.clerk, "achievements", "a.csv", csv.as_bytes())
        .await
        .refused(403, "organization_kind");
    app.settle();
}

#[actix_web::test]
async fn what_changes_between_check_and_commit_is_found_out() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let file = contracts(&cast, 2, |_| {});
    let (id, _) = checked(&app, &cast.filer, "contracts", &file).await;
    app.tamper(&format!(
        "UPDATE organizations SET state = 'suspended' WHERE id = '{}'",
        cast.registrar.id
    ));
    cast.filer.act(&format!("/imports/{id}/commit")).await.ok();
    work_off(&app);
    assert_eq!(cast.filer.get(&format!("/imports/{id}")).await.ok()["state"], "faulty");
    let told = findings(&cast.filer, &id).await;
    assert_eq!(told, ["Sheet1!T2 registrar_not_competent", "Sheet1!T3 registrar_not_competent"]);
    assert_eq!(drafts(&cast).await, 0);

    // another file under the same key is not the one that was checked
    app.tamper(&format!(
        "UPDATE organizations SET state = 'verified' WHERE id = '{}'",
        cast.registrar.id
    ));
    let (id, _) = checked(&app, &cast.filer, "contracts", &file).await;
    app.tamper(&format!("UPDATE imports SET sha256 = 'ff' WHERE id = '{id}'"));
    cast.filer.act(&format!("/imports/{id}/commit")).await.ok();
    assert!(tried(&app).is_err());
    assert_eq!(drafts(&cast).await, 0);
    app.settle();
}

#[actix_web::test]
async fn an_import_whose_worker_died_is_taken_up_again() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let made = send(&cast.filer, "contracts", "a.xlsx", &contracts(&cast, 2, |_| {})).await.ok();
    let id = made["id"].as_str().unwrap().to_owned();
    let state = async || cast.filer.get(&format!("/imports/{id}")).await.ok()["state"].clone();
    // as a worker leaves it that was killed half-way
    let left = |attempts: u32, lease: &str| {
        app.tamper(&format!(
            "UPDATE imports SET attempts = {attempts}, rows_total = 2, rows_done = 1, lease_until = '{lease}'; \
             INSERT INTO import_faults VALUES ('{id}', 9, 2, 'error', 'A2', '', 'stale', '')"
        ));
    };
    left(1, "2999-01-01 00:00:00");
    work_off(&app);
    assert_eq!(state().await, "checking", "somebody else still has it");
    app.tamper("UPDATE imports SET lease_until = '2020-01-01 00:00:00'");
    work_off(&app);
    assert_eq!(state().await, "checked");
    assert_eq!(findings(&cast.filer, &id).await, Vec::<String>::new());

    app.tamper("UPDATE imports SET state = 'committing', attempts = 3, lease_until = NULL");
    work_off(&app);
    assert_eq!(state().await, "failed", "a file that kills its worker is let alone");
    assert_eq!(drafts(&cast).await, 0);
    app.settle();
}

#[actix_web::test]
async fn what_is_forgotten_expires() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    let (id, _) = checked(&app, &cast.filer, "contracts", &contracts(&cast, 1, |_| {})).await;
    app.pass_deadlines_at(Moment::now().plus_days(6));
    assert_eq!(cast.filer.get(&format!("/imports/{id}")).await.ok()["state"], "checked");
    app.pass_deadlines_at(Moment::now().plus_days(8));
    assert_eq!(cast.filer.get(&format!("/imports/{id}")).await.ok()["state"], "expired");
    cast.filer.act(&format!("/imports/{id}/commit")).await.refused(409, "illegal_transition");
    let swept =
        exchange::sweep(&app.keshi.db, &app.keshi.storage, Moment::now().plus_days(3)).await;
    assert_eq!(swept.unwrap(), 1);
    app.settle();
    let topics: Vec<_> = app.topics().into_iter().filter(|t| t.starts_with("import.")).collect();
    assert_eq!(topics, ["import.begun", "import.checked", "import.expired"]);
}

#[actix_web::test]
async fn a_template_is_filled_in_and_imported() {
    let app = TestApp::start().await;
    let cast = Cast::of(&app).await;
    for kind in ["achievements", "demands", "contracts"] {
        for format in ["xlsx", "csv"] {
            let path = format!("/imports/templates/{kind}?format={format}");
            let bytes = cast.filer.bytes(&path).await;
            let made = send(&cast.filer, kind, &format!("a.{format}"), &bytes).await.ok();
            work_off(&app);
            let id = made["id"].as_str().unwrap();
            let told = findings(&cast.filer, id).await;
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].ends_with("A2 comment_row"), "{told:?}");
        }
    }
    cast.filer.get("/imports/templates/deals").await.refused(404, "not_found");
    cast.filer.get("/imports/templates/demands?format=pdf").await.faults(&["format not_in_list"]);
    app.settle();
}
