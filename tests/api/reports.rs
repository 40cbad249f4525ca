//! Reports: every figure can be asked for again, on paper as in JSON, and nothing hidden is shown as nil.
use std::io::{Cursor, Read};

use calamine::{Data, Reader, Xlsx};
use keshi::{
    contracts::{
        self,
        model::{Parties, PartyType, Subcategory, Terms},
        service::NewRegistered,
    },
    kernel::{Day, Fen, Moment, Tx},
    markets::model::Field,
};
use serde_json::{Value, json};

use crate::{
    contracts::Cast,
    support::{Caller, TestApp},
};

/// Registers contracts of the years 2024 and 2025: many in Shenyang and Dalian, one in Anshan.
async fn market(app: &TestApp) {
    let cast = Cast::of(app).await;
    let id = cast.draft("样本").await;
    let sample = app.keshi.db.read_now(|conn| contracts::find(conn, id.parse().unwrap()));
    let sample = sample.unwrap().unwrap();
    let (parties, terms): (Parties, Terms) =
        (sample.parties.into_inner(), sample.terms.into_inner());
    let kinds = [Subcategory::DevEntrusted, Subcategory::ServGeneral, Subcategory::LicPatent];
    let fields = [Field::Materials, Field::Electronics, Field::Manufacturing];
    let types = [PartyType::University, PartyType::Company, PartyType::Institute];
    let load = |tx: &mut Tx<'_>, n: u32, day: Day, seller: &str, buyer: &str, fen: i64| {
        let at = usize::try_from(n).unwrap();
        let (mut parties, mut terms) = (parties.clone(), terms.clone());
        parties.seller.region_code = seller.parse().unwrap();
        parties.seller.party_type = types[at % 3];
        parties.buyer.region_code = buyer.parse().unwrap();
        terms.lines.truncate(1);
        terms.lines[0].amount_fen = Fen(fen);
        let new = NewRegistered {
            title: format!("合同{n}"),
            subcategory: kinds[at % 3],
            field: fields[at % 3],
            parties,
            terms,
            registrar_id: cast.registrar.id.parse().unwrap(),
            registrar_region: "210100".parse().unwrap(),
            registered_on: day,
            at: Moment::start_of(day),
        };
        contracts::service::load_registered(tx, new).map(|_| ())
    };
    app.keshi
        .db
        .write_now(|tx| {
            let mut n = 0;
            for year in [2024, 2025] {
                for month in 1..=12 {
                    for copy in 0..6 {
                        n += 1;
                        let day = Day::from_ymd_opt(year, month, 3 + copy).unwrap();
                        let seller = if copy % 2 == 0 { "210106" } else { "210202" };
                        let buyer = if copy % 3 == 0 { "210106" } else { "210202" };
                        // 2025 falls behind in Dalian
                        let fall = if year == 2025 && copy % 2 == 1 { 2 } else { 1 };
                        let fen = 10_000_000_000 * i64::from(copy + 1) / fall + i64::from(n);
                        load(tx, n, day, seller, buyer, fen)?;
                    }
                }
            }
            load(tx, n + 1, Day::from_ymd_opt(2025, 5, 20).unwrap(), "210302", "110108", 7_777_777)
        })
        .unwrap();
    app.settle();
    let operator = app.operator("210000").await;
    let target = |value: i64, title: &str, on: &str| {
        json!({
            "region_code": "210000", "indicator": "turnover", "period": "2025", "operator": ">=",
            "value": value, "document": {"title": title, "issued_on": on},
        })
    };
    let first = target(8_000_000_000_000, "<script>alert(1)</script>方案", "2015-08-03");
    operator.post("/targets", first).await.ok();
    operator.post("/targets", target(1_000_000_000_000, "行动计划", "2019-03-01")).await.ok();
    app.settle();
}

fn figures(report: &Value) -> Vec<&Value> {
    let sections = report["sections"].as_array().unwrap();
    sections.iter().flat_map(|s| s["figures"].as_array().unwrap()).collect()
}

fn figure<'a>(report: &'a Value, key: &str) -> &'a Value {
    let found = figures(report).into_iter().find(|f| f["key"] == key);
    found.unwrap_or_else(|| panic!("no figure {key}"))
}

/// The cell of a row under a column.
fn cell<'a>(figure: &'a Value, row: &str, column: &str) -> &'a Value {
    let columns = figure["columns"].as_array().unwrap();
    let at = columns.iter().position(|c| c["key"] == column).unwrap();
    let rows = figure["rows"].as_array().unwrap();
    let row = rows.iter().find(|r| r["key"] == row).unwrap_or_else(|| panic!("no row {row}"));
    assert_eq!(row["cells"].as_array().unwrap().len(), columns.len());
    &row["cells"][at]
}

async fn report(who: &Caller, path: &str) -> Value {
    who.get(&format!("/reports/{path}")).await.ok()
}

const ALL: [&str; 4] = [
    "monthly?period=2025-10",
    "quarterly?period=2025-Q2",
    "annual?period=2025",
    "annual?period=2025&region=210100&basis=restated",
];

#[actix_web::test]
async fn every_figure_of_every_report_is_given_anew_by_its_call() {
    let app = TestApp::start().await;
    market(&app).await;
    for who in [app.operator("210000").await, app.visitor()] {
        for path in ALL {
            let made = report(&who, path).await;
            let mut asked = 0;
            for figure in figures(&made) {
                let sources = figure["sources"].as_array().unwrap();
                assert!(!sources.is_empty(), "{figure}");
                for source in sources {
                    let call = source["query"].as_str().unwrap();
                    let answer = who.get(call.strip_prefix("/api/v1").unwrap()).await.ok();
                    assert_eq!(answer["digest"], source["digest"], "{path}: {call}");
                    assert_eq!(answer["position"], source["cut_off"]["position"], "{call}");
                    assert!(source["cut_off"]["day"].is_string() && source["basis"] != "");
                    asked += 1;
                }
                if let [only] = sources.as_slice() {
                    assert_eq!(figure["digest"], only["digest"]);
                }
            }
            assert!(asked >= 14, "{path} has only {asked} sources");
            // and the whole
            let call = made["call"].as_str().unwrap().strip_prefix("/api/v1").unwrap();
            let again = who.get(call).await.ok();
            assert_eq!(
                (&again["digest"], &again["sections"]),
                (&made["digest"], &made["sections"])
            );
        }
    }
    // a figure that somebody has changed is found out
    let anyone = app.visitor();
    let made = report(&anyone, "annual?period=2025").await;
    app.tamper("UPDATE figure_cells SET total_fen = total_fen + 1 WHERE place = '210000'");
    let source = &figure(&made, "category")["sources"][0];
    let call = source["query"].as_str().unwrap().strip_prefix("/api/v1").unwrap();
    assert_ne!(anyone.get(call).await.ok()["digest"], source["digest"]);
    assert_ne!(report(&anyone, "annual?period=2025").await["digest"], made["digest"]);
    app.settle();
}

#[actix_web::test]
async fn a_year_stands_beside_its_targets_and_the_year_before() {
    let app = TestApp::start().await;
    market(&app).await;
    let operator = app.operator("210000").await;
    let year = report(&operator, "annual?period=2025").await;
    // per month 1+2/2+3+4/2+5+6/2 yi and some fen, and the one of Anshan
    let turnover =
        operator.get("/statistics/turnover?region=210000&from=2025-01&to=2025-12").await.ok();
    let total = turnover["total"]["total_fen"].as_i64().unwrap();
    let headline = figure(&year, "headline");
    assert_eq!(cell(headline, "total", "total_fen"), total);
    assert_eq!(cell(headline, "total", "contracts"), 73);
    assert_eq!(cell(headline, "total", "average_fen"), (total * 2 + 73) / 146);
    let growth = cell(headline, "total", "growth").as_f64().unwrap();
    assert!((growth + 0.2856).abs() < 0.001, "{growth}");
    // both targets of the year, the older first
    let targets = figure(&year, "targets");
    let rows = targets["rows"].as_array().unwrap();
    let ratios: Vec<f64> = rows.iter().map(|r| r["cells"][3].as_f64().unwrap()).collect();
    assert_eq!(rows.len(), 2);
    assert!((ratios[0] - 0.225).abs() < 0.001 && (ratios[1] - 1.8).abs() < 0.001, "{ratios:?}");
    assert!(rows[0]["cells"][8] == "滞后", "{}", rows[0]);
    // months add up, and the line ends at the target
    let months = figure(&year, "months");
    assert_eq!(months["rows"].as_array().unwrap().len(), 12);
    assert_eq!(cell(months, "2025-12", "cumulative_fen"), total);
    assert_eq!(months["rows"][11]["cells"][7], 8_000_000_000_000i64);
    // places: Shenyang before Dalian, which fell from the first place
    let ranking = figure(&year, "ranking_output");
    assert_eq!(
        (cell(ranking, "210100", "place"), cell(ranking, "210100", "change")),
        (&json!(1), &json!(1))
    );
    assert_eq!(cell(ranking, "210200", "change"), -1);
    for key in
        ["category", "subcategory", "field", "seller_type", "buyer_type", "ip_kind", "plan_source"]
    {
        let rows = figure(&year, key)["rows"].as_array().unwrap();
        let (all, parts) = rows.split_last().unwrap();
        assert_eq!(all["is_total"], true);
        let sum: i64 = parts.iter().map(|r| r["cells"][2].as_i64().unwrap()).sum();
        assert_eq!((sum, all["cells"][2].as_i64()), (total, Some(total)), "{key}");
    }
    let conversion = figure(&year, "conversion");
    assert_eq!(cell(conversion, "rate_of_output", "denominator"), "技术输出额");
    // what a dispatch of a month is for: who lags
    let month = report(&operator, "monthly?period=2025-10").await;
    assert_eq!(month["sections"][2]["key"], "lag");
    assert_eq!(figure(&month, "lag_regions")["rows"][0]["key"], "210200", "Dalian lost most");
    let told = month["findings"].as_array().unwrap();
    let has = |words: &str| told.iter().any(|f| f.as_str().unwrap().contains(words));
    assert!(has("大连市同比减少最多") && has("欠序时进度"), "{told:?}");
    // in English for who wants it, with the same digest
    let english =
        operator.with("accept-language", "en").get("/reports/annual?period=2025").await.ok();
    assert_eq!(english["digest"], year["digest"]);
    assert!(english["title"].as_str().unwrap().ends_with("Annual ranking"));
    assert_eq!(figure(&english, "category")["title"], "By category");
    assert_eq!(cell(figure(&english, "category"), "license", "label"), "Licence");
    app.settle();
}

fn open(bytes: &[u8]) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(bytes.to_vec())).unwrap()
}

/// A part of the archive that a workbook is.
fn part(bytes: &[u8], name: &str) -> String {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes.to_vec())).unwrap();
    let mut text = String::new();
    zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[actix_web::test]
async fn a_workbook_holds_the_same_figures_as_numbers() {
    let app = TestApp::start().await;
    market(&app).await;
    let operator = app.operator("210000").await;
    let made = report(&operator, "annual?period=2025").await;
    let answer = operator.get("/reports/annual?period=2025&format=xlsx").await;
    assert_eq!(answer.status.as_u16(), 200);
    assert!(answer.header("content-type").unwrap().ends_with("spreadsheetml.sheet"));
    let name = answer.header("content-disposition").unwrap();
    assert!(name.starts_with("attachment;") && name.ends_with("_2025.xlsx"), "{name}");
    assert!(name.contains("filename*=UTF-8''%E8%BE%BD%E5%AE%81%E7%9C%81"), "{name}");
    let again = operator.get("/reports/annual?period=2025&format=xlsx").await;
    assert!(again.bytes == answer.bytes, "the same state gives the same bytes");

    let mut book = open(&answer.bytes);
    let sections = made["sections"].as_array().unwrap();
    let titles: Vec<&str> = sections.iter().map(|s| s["title"].as_str().unwrap()).collect();
    assert_eq!(book.sheet_names()[1..], titles);
    // every number of every table stands in its sheet, in yuan
    let mut numbers = 0;
    for section in sections {
        let sheet = book.worksheet_range(section["title"].as_str().unwrap()).unwrap();
        let rows: Vec<Vec<Data>> = sheet.rows().map(<[Data]>::to_vec).collect();
        for figure in section["figures"].as_array().unwrap() {
            let at = rows
                .iter()
                .position(|r| r[0] == Data::String(figure["title"].as_str().unwrap().into()));
            let first = at.unwrap() + 2;
            for (n, row) in figure["rows"].as_array().unwrap().iter().enumerate() {
                for (column, value) in row["cells"].as_array().unwrap().iter().enumerate() {
                    let Some(value) = value.as_f64() else { continue };
                    let fen = figure["columns"][column]["unit"] == "fen";
                    let wanted = if fen { value / 100.0 } else { value };
                    let is = &rows[first + n][column];
                    assert_eq!(is, &Data::Float(wanted), "{} {}", figure["key"], row["key"]);
                    numbers += 1;
                }
            }
            let digest = figure["sources"][0]["digest"].as_str().unwrap();
            let told = rows.iter().any(|r| r[0].to_string().contains(digest));
            assert!(told, "{} has no digest", figure["key"]);
        }
    }
    assert!(numbers > 300, "{numbers}");
    let styles = part(&answer.bytes, "xl/styles.xml");
    assert!(styles.contains("formatCode=\"0\\.00,,\""), "亿元: {styles}");
    let small = operator.get("/reports/annual?period=2025&region=210300&format=xlsx").await;
    let styles = part(&small.bytes, "xl/styles.xml");
    assert!(styles.contains("formatCode=\"0\\.0,\""), "万元: {styles}");
    let names = part(&answer.bytes, "xl/workbook.xml");
    assert!(names.contains("_xlnm.Print_Titles") && names.contains("_xlnm.Print_Area"));
    let sheet = part(&answer.bytes, "xl/worksheets/sheet2.xml");
    for printed in ["orientation=\"landscape\"", "paperSize=\"9\"", "&amp;P", "pane "] {
        assert!(sheet.contains(printed), "{printed} in {sheet}");
    }
    let charts: Vec<String> =
        (1..=5).map(|n| part(&answer.bytes, &format!("xl/charts/chart{n}.xml"))).collect();
    for kind in ["c:barChart", "c:lineChart", "c:pieChart"] {
        assert!(charts.iter().any(|c| c.contains(kind)), "no {kind}");
    }
    app.settle();
}

#[actix_web::test]
async fn what_the_public_may_not_see_is_a_dash_and_never_nil() {
    let app = TestApp::start().await;
    market(&app).await;
    let anyone = app.visitor();
    let made = report(&anyone, "annual?period=2025").await;
    let ranking = figure(&made, "ranking_output");
    let hidden = ranking["rows"].as_array().unwrap().iter().find(|r| r["key"] == "210300").unwrap();
    assert_eq!((&hidden["suppressed"], &hidden["cells"][3]), (&json!(true), &Value::Null));
    assert!(made["notes"][0].as_str().unwrap().starts_with("“—”"));
    let page = anyone.get("/reports/annual?period=2025&format=html").await;
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.header("content-disposition").unwrap().starts_with("inline;"));
    assert!(
        page.text.contains("<td class=\"s\">鞍山市</td><td class=\"n\">—</td>"),
        "a dash for Anshan"
    );
    assert!(!page.text.contains("7777777"));
    let book = anyone.get("/reports/annual?period=2025&format=xlsx").await;
    let sheet = open(&book.bytes).worksheet_range("地区排名").unwrap();
    let anshan = sheet.rows().find(|r| r[1] == Data::String("鞍山市".into())).unwrap();
    assert_eq!(anshan[3], Data::String("—".into()));
    // a chart draws what is shown and no more
    let charts = (1..=9).filter_map(|n| {
        let mut zip = zip::ZipArchive::new(Cursor::new(book.bytes.clone())).unwrap();
        let mut text = String::new();
        zip.by_name(&format!("xl/charts/chart{n}.xml")).ok()?.read_to_string(&mut text).ok()?;
        Some(text)
    });
    assert!(charts.into_iter().all(|c| !c.contains("—") && !c.contains("鞍山")));
    let insider = report(&app.operator("210000").await, "annual?period=2025").await;
    assert_eq!(cell(figure(&insider, "ranking_output"), "210300", "total_fen"), 7_777_777);
    assert_ne!(insider["digest"], made["digest"]);
    app.settle();
}

#[actix_web::test]
async fn a_page_for_print_needs_nothing_else_and_escapes_everything() {
    let app = TestApp::start().await;
    market(&app).await;
    let operator = app.operator("210000").await;
    let page = operator.get("/reports/monthly?period=2025-10&format=html").await;
    let text = &page.text;
    assert!(text.contains("&lt;script&gt;") && !text.contains("<script"), "escaped");
    let elsewhere = ["http://", "https://", "src=", "url(", "@import", "<link"];
    for word in elsewhere {
        assert!(!text.contains(word), "{word} leads elsewhere");
    }
    let made = report(&operator, "monthly?period=2025-10").await;
    let digest = made["digest"].as_str().unwrap();
    assert!(text.contains(digest) && text.contains("counter(page)") && text.contains("<svg"));
    for figure in figures(&made) {
        assert!(
            text.contains(figure["sources"][0]["digest"].as_str().unwrap()),
            "{}",
            figure["key"]
        );
    }
    app.settle();
}

#[actix_web::test]
async fn faulty_questions_are_refused() {
    let app = TestApp::start().await;
    let anyone = app.visitor();
    let faulty = "/reports/monthly?period=2025-Q1&region=999999&basis=x&format=pdf";
    anyone.get(faulty).await.faults(&[
        "region unknown_region",
        "basis not_in_list",
        "format not_in_list",
        "period bad_period",
    ]);
    for (kind, period) in [("quarterly", "2025"), ("quarterly", "2025-Q5"), ("annual", "2025-01")] {
        let path = format!("/reports/{kind}?period={period}");
        anyone.get(&path).await.faults(&["period bad_period"]);
    }
    anyone.get("/reports/annual?period=2199").await.faults(&["period not_begun"]);
    anyone.get("/reports/annual?region=110108").await.faults(&["region region_not_kept"]);
    anyone.get("/reports/weekly").await.refused(404, "not_found");
    // an empty market has a report, too
    let empty = report(&anyone, "quarterly").await;
    assert_eq!(cell(figure(&empty, "headline"), "total", "contracts"), 0);
    for format in ["xlsx", "html"] {
        let answer = anyone.get(&format!("/reports/annual?format={format}")).await;
        assert_eq!(answer.status.as_u16(), 200);
    }
    app.settle();
}
