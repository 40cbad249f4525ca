//! Targets over HTTP: where they contradict each other, indicators counted and entered, forecasts.
use diesel::connection::SimpleConnection;
use keshi::{
    insight,
    kernel::{Id, MemberRole, OrganizationKind, Tx, of},
};
use serde_json::{Value, json};

use crate::support::{Caller, TestApp};

/// Contracts as if they had been registered, without all that leads to a registration.
struct Past {
    app: TestApp,
    registrar: String,
}

impl Past {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let registrar = app.house(OrganizationKind::Registrar, "210100").await.id;
        Self { app, registrar }
    }

    fn register(
        &self,
        rows: impl IntoIterator<Item = (String, &'static str, &'static str, i64)>,
    ) -> Vec<String> {
        let mut ids = Vec::new();
        self.app
            .keshi
            .db
            .write_now(|tx: &mut Tx<'_>| {
                for (day, seller, buyer, fen) in rows {
                    let id = Id::<of::Contract>::fresh();
                    let registrar = &self.registrar;
                    tx.batch_execute(&format!(
                        "INSERT INTO contracts (id, state, version, title, category, subcategory, field, \
                         total_fen, tech_fen, seller_region, seller_type, buyer_region, buyer_type, parties, \
                         terms, registrar_id, digest, registered_on, created_at, updated_at) VALUES ('{id}', \
                         'registered', 1, '合同', 'development', 'dev_entrusted', '05', {fen}, {fen}, \
                         '{seller}', 'university', '{buyer}', 'company', '[]', '{{}}', '{registrar}', '{id}', \
                         '{day}', '2020-01-01 00:00:00', '2020-01-01 00:00:00'); \
                         INSERT INTO turnover_postings VALUES ('{id}', 1, 'registration', '{day}', '{day}', 1, \
                         'development', 'dev_entrusted', '05', '{seller}', '{buyer}', 'university', 'company', \
                         'none', 'none', 'industry', 'C38', 'none', {fen}, {fen})"
                    ))?;
                    ids.push(id.to_string());
                }
                insight::rebuild(tx)
            })
            .unwrap();
        ids
    }

    /// Four contracts in each month from 2015 on, up to a month of 2020: half of a year's turnover comes in
    /// its last quarter, and each year has a tenth more than the one before.
    fn years_up_to(&self, last: u32) {
        let mut rows = Vec::new();
        for year in 2015..=2020i32 {
            for month in 1..=12u32 {
                if year == 2020 && month > last {
                    continue;
                }
                for part in 0..4i64 {
                    let season = [4, 4, 4, 5, 5, 5, 7, 8, 8, 15, 15, 20]
                        [usize::try_from(month - 1).unwrap()];
                    let grown = 110i64.pow(u32::try_from(year - 2015).unwrap());
                    let scale = 100i64.pow(u32::try_from(year - 2015).unwrap());
                    // a little apart from year to year
                    let wobble =
                        1000 + i64::from((year * 7 + i32::try_from(month).unwrap() * 13) % 11) * 10;
                    let fen = 1_000_000 * season * grown / scale * wobble / 1000;
                    rows.push((
                        format!("{year}-{month:02}-{:02}", 5 + part * 6),
                        "210106",
                        "210200",
                        fen,
                    ));
                }
            }
        }
        self.register(rows);
    }
}

async fn target(caller: &Caller, about: Value) -> String {
    let body = crate::market::with(
        json!({
            "region_code": "210000", "indicator": "turnover", "period": "2020", "operator": "=",
            "value": 2_000_000_000i64, "kind": "level", "document": {"title": "计划", "issued_on": "2020-01-05"},
        }),
        about,
    );
    caller.post("/targets", body).await.ok()["id"].as_str().unwrap().to_owned()
}

fn codes(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn contradictions_are_quoted_from_both_sides() {
    let app = TestApp::start().await;
    app.keshi.db.write_now(insight::load_shipped_targets).unwrap();
    let visitor = app.visitor();
    let all = visitor.get("/targets/lint").await.ok();
    assert_eq!((&all["targets"], &all["contradictions"]), (&json!(95), &json!(3)));
    let chaoyang = visitor.get("/targets/lint?region=211300").await.ok();
    assert_eq!(chaoyang["targets"], 31);
    let finding = &chaoyang["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["severity"]),
        (&json!("flows_and_cumulative"), &json!("contradiction"))
    );
    let sides = finding["sides"].as_array().unwrap();
    assert_eq!(sides.len(), 3);
    for (side, figure) in sides.iter().zip(["100 项", "12 个", "16 个"]) {
        assert!(side["quote"].as_str().unwrap().contains(figure), "{side}");
        assert_eq!(side["document"], "朝阳市推进科技创新赋能高质量发展工作方案");
        assert_eq!(side["issued_on"], "2021-08-18");
        let id = side["target_id"].as_str().unwrap();
        visitor.get(&format!("/targets/{id}")).await.ok();
    }
    assert!(finding["detail"].as_str().unwrap().contains("5 × 28 = 140 项"), "{finding}");
    // the city's zone lies in the city
    let shenyang = visitor.get("/targets/lint?region=210100").await.ok();
    assert_eq!((&shenyang["targets"], codes(&shenyang)), (&json!(20), vec!["stock_and_additions"]));
    visitor.get("/targets/lint?region=219999").await.faults(&["region unknown_region"]);

    // both targets of 2020 stand, one marked as replaced by the other
    let turnover = visitor.get("/targets?indicator=turnover&year=2020").await.ok();
    assert_eq!(turnover["total"], 2);
    let both = turnover["items"].as_array().unwrap();
    let newer = both.iter().find(|t| t["value"] == 6_000_000_000_000i64).unwrap();
    let older = both.iter().find(|t| t["value"] == 8_000_000_000_000i64).unwrap();
    assert_eq!(newer["supersedes"], older["id"]);

    // what an operator adds is looked at, too
    let operator = app.operator("210000").await;
    let value =
        json!({ "region_code": "211300", "indicator": "eaglets", "period": "2025", "value": 91 });
    target(&operator, value).await;
    let chaoyang = visitor.get("/targets/lint?region=211300").await.ok();
    assert!(codes(&chaoyang).contains(&"conflicting_values"), "{chaoyang:#}");
    app.settle();
}

#[actix_web::test]
async fn what_nobody_counts_is_entered_with_its_source() {
    let app = TestApp::start().await;
    let operator = app.operator("210100").await;
    let visitor = app.visitor();
    let gdp = |value: i64, source: &str| {
        json!({ "region_code": "210100", "period": "2025", "value": value, "unit": "fen",
            "source": source, "source_date": "2026-03-20" })
    };
    let first = gdp(90_000_000_000_000, "统计公报（初步核算）");
    visitor.post("/indicators/gdp/values", first.clone()).await.refused(401, "unauthenticated");
    let firm = app.house(OrganizationKind::Company, "210100").await;
    let path = "/indicators/gdp/values";
    firm.admin.post(path, first.clone()).await.refused(403, "not_operator_of_region");
    let elsewhere = app.operator("210200").await;
    elsewhere.post(path, first.clone()).await.refused(403, "not_operator_of_region");
    operator.post("/indicators/wealth/values", first.clone()).await.refused(404, "not_found");
    let once = operator.with("idempotency-key", "k");
    let made = once.post(path, first.clone()).await.ok();
    assert_eq!(once.post(path, first).await.ok(), made);
    assert_eq!((&made["counts"], &made["unit"]), (&json!(true), &json!("fen")));

    // a correction is entered beside it, and counts
    let corrected = gdp(91_000_000_000_000, "统计公报（最终核实）");
    operator.post(path, corrected).await.ok();
    let list = visitor.get("/indicators/gdp/values?region=210100").await.ok();
    let told: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| (v["value"].as_i64().unwrap(), v["counts"].as_bool().unwrap()))
        .collect();
    assert_eq!(told, [(91_000_000_000_000, true), (90_000_000_000_000, false)]);
    assert_eq!(visitor.get("/indicators/gdp/values?region=210200").await.ok()["total"], 0);
    // pages know it as well
    let page = visitor.get("/indicators/gdp/values?limit=1").await.ok();
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = visitor.get(&format!("/indicators/gdp/values?limit=1&cursor={cursor}")).await.ok();
    assert_eq!(next["items"][0]["counts"], false);
    let entered = app.topics().into_iter().filter(|t| t == "indicator.value_entered").count();
    assert_eq!(entered, 2);

    let with = |patch: Value| crate::market::with(gdp(1, "统计公报"), patch);
    for (patch, faults) in [
        (json!({ "period": "2025-13" }), vec!["/period bad_period"]),
        (json!({ "period": "2025-Q5" }), vec!["/period bad_period"]),
        (json!({ "period": "2025-2021" }), vec!["/period bad_period"]),
        (json!({ "period": "2099" }), vec!["/period in_the_future"]),
        (json!({ "day": "2025-12-31" }), vec!["/period period_or_day"]),
        (
            json!({ "value": 1.5, "unit": "亿元", "source_date": "2099-01-01", "region_code": "210101" }),
            vec![
                "/region_code unknown_region",
                "/unit wrong_unit",
                "/value not_whole",
                "/source_date in_the_future",
            ],
        ),
    ] {
        operator.post(path, with(patch)).await.faults(&faults);
    }
    for fine in ["2025-Q2", "2025-06", "2021-2024", "2025-01..2025-06"] {
        operator.post(path, with(json!({ "period": fine }))).await.ok();
    }
    app.settle();
}

#[actix_web::test]
async fn progress_tells_whose_figure_it_is() {
    let past = Past::start().await;
    let app = &past.app;
    past.register(
        (0..6).map(|n| (format!("2025-0{}-10", n + 1), "210202", "210200", 10_000_000_000i64)),
    );
    let operator = app.operator("210000").await;
    let enter = |indicator: &str, body: Value| {
        let (operator, path) = (operator.clone(), format!("/indicators/{indicator}/values"));
        let body = crate::market::with(
            json!({ "region_code": "210200", "source": "大连市统计公报", "source_date": "2026-03-20" }),
            body,
        );
        async move { operator.post(&path, body).await.ok() }
    };
    let progress = |id: String, as_of: &'static str| {
        let operator = operator.clone();
        async move { operator.get(&format!("/targets/{id}/progress?as_of={as_of}")).await.ok() }
    };
    let place = |about: Value| crate::market::with(json!({ "region_code": "210200" }), about);

    // a stock: from its baseline, as of a day
    let stock = target(
        &operator,
        place(json!({ "indicator": "alliances", "period": "2025", "value": 55, "baseline": 50 })),
    )
    .await;
    let none = progress(stock.clone(), "2025-12-31").await;
    assert_eq!((&none["actual"], &none["source"]), (&Value::Null, &Value::Null));
    assert!(none["basis"].as_str().unwrap().contains("尚未统计"), "{none}");
    enter("alliances", json!({ "day": "2025-06-30", "value": 52 })).await;
    enter("alliances", json!({ "day": "2025-12-31", "value": 54 })).await;
    let june = progress(stock.clone(), "2025-07-15").await;
    assert_eq!((&june["actual"], &june["source"]), (&json!(52), &json!("entered")));
    let december = progress(stock, "2025-12-31").await;
    assert_eq!(
        (&december["actual"], &december["expected_by_now"], &december["pace"]),
        (&json!(54), &json!(55), &json!("on_track"))
    );
    assert_eq!(december["entered"]["source"], "大连市统计公报");
    let basis = december["basis"].as_str().unwrap();
    assert!(basis.contains("大连市统计公报") && basis.contains("2026-03-20"), "{basis}");
    assert_eq!(december["forecast"], Value::Null);

    // a yearly figure of several years, year by year; and the sum of them
    let about = |kind: &str, value: i64| {
        place(
            json!({ "indicator": "skilled_talents", "period": "2021-2025", "value": value, "kind": kind }),
        )
    };
    let yearly = target(&operator, about("flow", 8000)).await;
    let sum = target(&operator, about("cumulative", 40_000)).await;
    for (period, value) in [("2021", 8200), ("2022", 7800), ("2023-Q1", 2000)] {
        enter("skilled_talents", json!({ "period": period, "value": value })).await;
    }
    let told = progress(yearly, "2023-06-30").await;
    assert_eq!((&told["from"], &told["to"]), (&json!("2023-01-01"), &json!("2023-12-31")));
    assert_eq!(told["actual"], 2000);
    let years: Vec<_> = told["years"]
        .as_array()
        .unwrap()
        .iter()
        .map(|y| {
            (
                y["year"].as_i64().unwrap(),
                y["actual"].as_i64().unwrap(),
                y["ratio"].as_f64().unwrap(),
            )
        })
        .collect();
    assert_eq!(years, [(2021, 8200, 1.025), (2022, 7800, 0.975), (2023, 2000, 0.25)]);
    let told = progress(sum, "2023-06-30").await;
    assert_eq!((&told["actual"], &told["ratio"]), (&json!(18_000), &json!(0.45)));
    assert!(told["basis"].as_str().unwrap().contains("数值只到 2023-03-31"), "{told}");

    // a ratio, of what was counted by what was entered
    let ratio = target(
        &operator,
        place(json!({ "indicator": "turnover_gdp_share", "period": "2025", "value": 3.5, "kind": "ratio" })),
    )
    .await;
    let told = progress(ratio.clone(), "2025-12-31").await;
    assert_eq!(told["actual"], Value::Null);
    assert!(told["basis"].as_str().unwrap().contains("缺少"), "{told}");
    enter("gdp", json!({ "period": "2025", "value": 2_000_000_000_000i64 })).await;
    let told = progress(ratio, "2025-12-31").await;
    assert_eq!((&told["actual"], &told["source"]), (&json!(3), &json!("computed")));
    assert_eq!((&told["ratio"], &told["pace"]), (&json!(0.8571), &Value::Null));
    app.settle();
}

#[actix_web::test]
async fn the_market_counts_its_brokers_agencies_and_achievements() {
    let past = Past::start().await;
    let app = &past.app;
    let operator = app.operator("210000").await;
    let city = app.operator("210100").await;
    let agency = app.house(OrganizationKind::Agency, "210106").await;
    let other = app.house(OrganizationKind::Agency, "210200").await;
    let mut brokers = Vec::new();
    for (house, level, verified) in [
        (&agency, "senior", "2025-03-01 00:00:00"),
        (&agency, "junior", "2026-02-01 00:00:00"),
        (&other, "junior", "2025-03-01 00:00:00"),
    ] {
        let member = app.member("broker", house, MemberRole::Member).await;
        let me = member.get("/me").await.ok();
        brokers.push((me["id"].as_str().unwrap().to_owned(), &house.id, level, verified));
    }
    for (n, (account, house, level, verified)) in brokers.iter().enumerate() {
        let id = Id::<of::Broker>::fresh();
        app.tamper(&format!(
            "INSERT INTO brokers (id, account_id, organization_id, level, certificate_no, fields, region_codes, \
             languages, state, version, created_at, verified_at) VALUES ('{id}', '{account}', '{house}', \
             '{level}', 'C{n}', '[]', '[]', '[]', 'verified', 1, '2025-01-01 00:00:00', '{verified}')"
        ));
    }
    let figure = |caller: Caller,
                  region: &'static str,
                  as_of: &'static str,
                  indicator: &'static str| async move {
        let told = caller.get(&format!("/indicators?region={region}&as_of={as_of}")).await.ok();
        let items = told["items"].as_array().unwrap().clone();
        items.into_iter().find(|i| i["indicator"] == indicator).unwrap()
    };
    let visitor = app.visitor();
    let told = figure(visitor.clone(), "210000", "2025-12-31", "brokers").await;
    assert_eq!((&told["value"], &told["source"]), (&json!(2), &json!("counted")));
    let told = figure(visitor.clone(), "210100", "2026-03-31", "brokers").await;
    assert_eq!(told["value"], 2);
    assert_eq!(
        told["parts"],
        json!([{ "label": "初级技术经纪人", "value": 1 }, { "label": "高级技术经理人", "value": 1 }])
    );
    assert_eq!(figure(visitor.clone(), "210100", "2025-02-28", "brokers").await["value"], 0);
    assert_eq!(figure(visitor.clone(), "210100", "2026-03-31", "new_brokers").await["value"], 1);
    let certificate =
        |until: &str| format!("UPDATE brokers SET valid_until = '{until}' WHERE level = 'senior'");
    app.tamper(&certificate("2026-03-30"));
    assert_eq!(figure(visitor.clone(), "210100", "2026-03-31", "brokers").await["value"], 1);

    // agencies: each once, at its highest level, as long as it is recognized
    let recognize =
        |level: &str| json!({ "level": level, "year": 2025, "document": { "title": "认定通知" } });
    for (house, level) in [(&agency, "city"), (&agency, "provincial"), (&other, "city")] {
        operator.post(&format!("/agencies/{}/recognitions", house.id), recognize(level)).await.ok();
    }
    let told = figure(visitor.clone(), "210000", "2026-03-31", "agencies").await;
    assert_eq!(told["value"], 2);
    assert_eq!(
        told["parts"],
        json!([{ "label": "省级", "value": 1 }, { "label": "市级", "value": 1 }])
    );
    assert_eq!(figure(visitor.clone(), "210000", "2024-12-31", "agencies").await["value"], 0);
    assert_eq!(figure(visitor.clone(), "210000", "2025-12-31", "new_agencies").await["value"], 2);

    // a contract that came from no deal names no achievement; one that did is in the story
    past.register((0..4).map(|n| (format!("2025-0{}-10", n + 1), "210200", "210106", 1_000_000)));
    let told = figure(city.clone(), "210100", "2025-12-31", "achievements_transferred").await;
    assert_eq!(told["value"], 0);
    assert!(told["basis"].as_str().unwrap().contains("未经平台洽谈"), "{told}");
    let fairs = figure(visitor, "210000", "2025-12-31", "fairs").await;
    assert_eq!((&fairs["value"], &fairs["source"]), (&Value::Null, &Value::Null));
    assert!(fairs["basis"].as_str().unwrap().contains("人工填报"), "{fairs}");
    app.settle();
}

#[actix_web::test]
async fn a_year_is_forecast_from_its_past() {
    let past = Past::start().await;
    let app = &past.app;
    past.years_up_to(9);
    let operator = app.operator("210000").await;
    let visitor = app.visitor();
    let id = target(&operator, json!({})).await;
    let path = format!("/targets/{id}/progress?as_of=2020-09-30");
    let told = operator.get(&path).await.ok();
    let forecast = |told: &Value, name: &str| told["forecast"][name].as_f64().unwrap();
    let [p10, p50, p90] = ["p10", "p50", "p90"].map(|name| forecast(&told, name));
    let actual = told["actual"].as_f64().unwrap();
    assert!(actual < p10 && p10 < p50 && p50 < p90, "{told:#}");
    // half of a year comes in its last quarter
    assert!((p50 / actual - 2.0).abs() < 0.05, "{told:#}");
    assert!((told["forecast"]["usual_share"].as_f64().unwrap() - 0.5).abs() < 0.02, "{told:#}");
    assert_eq!(
        (&told["forecast"]["years"], &told["forecast"]["origin"]),
        (&json!(5), &json!("2020-09-30"))
    );
    let probability = forecast(&told, "probability");
    assert!((0.0..=1.0).contains(&probability));
    // the five largest of the year so far
    let without = &told["without_largest"];
    assert_eq!(without["contracts"], 5);
    assert!(without["forecast"]["p50"].as_f64().unwrap() < p50);
    assert!(told["required_per_month"].as_i64().unwrap() > 0);
    // an easier target is likelier
    let easy = target(&operator, json!({ "value": told["forecast"]["p10"] })).await;
    let easy = operator.get(&format!("/targets/{easy}/progress?as_of=2020-09-30")).await.ok();
    assert!((forecast(&easy, "probability") - 0.9).abs() < 0.002, "{easy:#}");

    // the public is told the same of a whole month, without the contracts
    let public = visitor.get(&path).await.ok();
    assert_eq!(public["forecast"], told["forecast"]);
    assert_eq!(public["without_largest"], Value::Null);
    let middle = visitor.get(&format!("/targets/{id}/progress?as_of=2020-09-20")).await.ok();
    assert_eq!(middle["forecast"]["origin"], "2020-08-31");
    // inside of a month, who oversees a city takes the province's curve from its months
    let city = target(&operator, json!({ "region_code": "210100" })).await;
    let mayor = app.operator("210100").await;
    let told = mayor.get(&format!("/targets/{city}/progress?as_of=2020-09-20")).await.ok();
    assert_eq!(told["forecast"]["origin"], "2020-09-20");

    // with too little past it says so
    let early = target(&operator, json!({ "period": "2017" })).await;
    let told = operator.get(&format!("/targets/{early}/progress?as_of=2017-09-30")).await.ok();
    assert_eq!(told["forecast"], Value::Null);
    let why = told["forecast_basis"].as_str().unwrap();
    assert!(why.contains("历史不足") && why.contains("只有 2 个"), "{why}");
    let over = operator.get(&format!("/targets/{early}/progress?as_of=2018-01-31")).await.ok();
    assert!(over["forecast_basis"].as_str().unwrap().contains("已经结束"));
    let before = operator.get(&format!("/targets/{early}/progress?as_of=2016-01-31")).await.ok();
    assert!(before["forecast_basis"].as_str().unwrap().contains("尚未开始"));
    let elsewhere = target(&operator, json!({ "region_code": "211400" })).await;
    let told = visitor.get(&format!("/targets/{elsewhere}/progress?as_of=2020-09-30")).await.ok();
    assert_eq!(told["forecast"], Value::Null);
    app.settle();
}

#[actix_web::test]
async fn forecasts_are_measured_by_what_came() {
    let past = Past::start().await;
    let app = &past.app;
    past.years_up_to(12);
    let told = app.visitor().get("/forecasts/quality").await.ok();
    let yearly = &told["yearly"];
    // 2013 to 2023, both flows; the first years know too little
    assert_eq!(yearly["trials"].as_array().unwrap().len(), 22);
    let n = yearly["score"]["n"].as_i64().unwrap();
    assert_eq!(n + yearly["score"]["refused"].as_i64().unwrap(), 22);
    for name in ["mape", "coverage", "mape_by_growth", "mape_by_line"] {
        let share = yearly["score"][name].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&share), "{name} {share}");
    }
    let within = told["within_year"]["trials"].as_array().unwrap();
    let origins: Vec<_> = within.iter().map(|t| t["origin"].as_str().unwrap()).collect();
    assert_eq!(origins, ["2018-06-30", "2018-09-30", "2019-09-30"]);
    // 293.9 over the share of 2018, 243.9 of 474.49
    let by_share = within[2]["by_share"].as_i64().unwrap();
    assert!((57_176..=57_178).contains(&(by_share / 100_000_000)), "{by_share}");
    assert!(told["unused"][0].as_str().unwrap().contains("沈阳市 2018-01..11"));
    let market = &told["market"];
    assert_eq!((&market["years"], &market["score"]["n"]), (&json!([2018, 2020]), &json!(33)));
    assert_eq!(market["by_month"].as_array().unwrap().len(), 11);
    let december = market["by_month"][10]["mape"].as_f64().unwrap();
    let january = market["by_month"][0]["mape"].as_f64().unwrap();
    assert!(december <= january && december < 0.05, "{market:#}");
    assert!(market["series"].as_str().unwrap().contains("合成"));
    // a place with a contract now and then is not told of by month
    past.register([("2019-05-05".to_owned(), "211400", "210200", 5_000i64)]);
    let hidden = app.visitor().get("/forecasts/quality?region=211400").await.ok();
    assert_eq!(hidden["market"], Value::Null);
    let operator = app.operator("210000").await;
    let seen = operator.get("/forecasts/quality?region=211400").await.ok();
    assert_eq!(seen["market"]["score"]["n"], 0);
    app.visitor().get("/forecasts/quality?region=110108").await.faults(&["region region_not_kept"]);
    app.settle();
}
