//! Search, matching and the cross-match from outside.
use keshi::kernel::OrganizationKind;
use serde_json::{Value, json};

use crate::support::{House, TestApp};

async fn market() -> (TestApp, House, House, Vec<String>) {
    let app = TestApp::start_with(&[("KESHI_LISTING_REVIEW", "trusted")]).await;
    let seller = app.house(OrganizationKind::University, "210100").await;
    let buyer = app.house(OrganizationKind::Company, "210300").await;
    let texts = [
        (
            "石墨烯改性导热硅脂",
            "以石墨烯片与氧化铝复配填充硅油，导热系数不低于六瓦，长期使用不渗油。",
            "05",
            "210100",
        ),
        (
            "海水养殖尾水生物絮团处理",
            "利用异养菌在池内形成絮团，将氨氮转化为菌体蛋白，换水量减少八成。",
            "09",
            "210200",
        ),
        (
            "数控机床主轴热误差补偿",
            "在主轴与床身布置温度测点，建立热变形模型并实时修正坐标，误差减少七成。",
            "03",
            "210303",
        ),
    ];
    let mut ids = Vec::new();
    for (title, text, field, region) in texts {
        let body = json!({ "title": title, "abstract": text, "keywords": [], "field": field, "stage": "pilot", "trl": 6,
            "transfer_modes": ["license"], "price_fen": 100_000_000, "price_negotiable": false, "region_code": region });
        let id =
            seller.admin.post("/achievements", body).await.ok()["id"].as_str().unwrap().to_owned();
        seller.admin.act(&format!("/achievements/{id}/submit")).await.ok();
        ids.push(id);
    }
    app.settle();
    (app, seller, buyer, ids)
}

fn demand(visibility: &str) -> Value {
    json!({ "title": "机床加工尺寸随温度漂移", "description": "早晚加工的同一批零件尺寸相差两丝，机床预热半天才稳定，希望补偿主轴热变形。",
        "keywords": ["热变形"], "field": "03", "kind": "equipment_improvement", "cooperation_modes": ["service"],
        "budget_fen": 50_000_000, "budget_negotiable": false, "visibility": visibility })
}

#[actix_web::test]
async fn a_search_filters_counts_and_marks() {
    let (app, _, _, ids) = market().await;
    let v = app.visitor();
    let all = v.get("/search").await.ok();
    assert_eq!((all["total"].as_i64(), all["items"].as_array().unwrap().len()), (Some(3), 3));
    assert_eq!(all["items"][0]["id"], json!(ids[2]), "newest first");
    let found = v.get("/search?q=石墨烯").await.ok();
    let item = &found["items"][0];
    assert_eq!((&item["id"], &item["title"]), (&json!(ids[0]), &json!("石墨烯改性导热硅脂")));
    assert!(
        item["highlights"]
            .as_array()
            .unwrap()
            .iter()
            .any(|h| h["field"] == "title" && h["start"] == 0 && h["end"] == 3),
        "{item}"
    );
    // traditional characters and full width find the same
    assert_eq!(v.get("/search?q=石墨烯導熱").await.ok()["items"][0]["id"], json!(ids[0]));
    // a region covers what lies in it, and 铁西区 of Anshan is not that of Shenyang
    assert_eq!(v.get("/search?region=210300").await.ok()["total"], 1);
    assert_eq!(v.get("/search?region=210106").await.ok()["total"], 0);
    assert_eq!(v.get("/search?region=210000").await.ok()["total"], 3);
    assert_eq!(
        v.get("/search?region=219999").await.refused(422, "invalid")["errors"][0]["code"],
        "unknown_region"
    );
    assert_eq!(
        v.get("/search?field=09").await.ok()["facets"]["field"],
        json!([{ "value": "09", "count": 1 }])
    );
    assert_eq!(
        v.get("/search?colour=red").await.refused(422, "invalid")["errors"][0]["code"],
        "unknown_parameter"
    );
    // pages follow each other without gap or repeat
    let mut seen = Vec::new();
    let mut path = "/search?limit=1".to_owned();
    loop {
        let page = v.get(&path).await.ok();
        seen.push(page["items"][0]["id"].as_str().unwrap().to_owned());
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/search?limit=1&cursor={cursor}"),
            None => break,
        }
    }
    seen.reverse();
    assert_eq!(seen, ids);
    v.get("/search?cursor=nonsense").await.refused(422, "invalid");
}

#[actix_web::test]
async fn a_match_explains_itself_in_two_languages() {
    let (app, _, _, ids) = market().await;
    let body = json!({ "text": "主轴发热后加工误差大，想做热误差补偿", "want": "achievement", "limit": 5 });
    let zh = app.visitor().post("/match", body.clone()).await.ok();
    assert_eq!(zh["items"][0]["achievement"]["id"], json!(ids[2]));
    let sum: f64 = zh["items"][0]["explanation"]["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["contribution"].as_f64().unwrap())
        .sum();
    assert!((sum - zh["items"][0]["score"].as_f64().unwrap()).abs() < 1e-6);
    assert_eq!(zh["path"], "problem", "a sentence, short as it is");
    let probability = zh["items"][0]["probability"].as_f64().unwrap();
    assert!(probability > 0.0 && probability < 1.0 && zh["items"][0]["grade"].is_string(), "{zh}");
    // what is pointed at stands there
    let listing = app.visitor().get(&format!("/achievements/{}", ids[2])).await.ok();
    let mut seen = 0;
    for part in zh["items"][0]["explanation"]["parts"].as_array().unwrap() {
        for evidence in part["evidence"].as_array().unwrap() {
            let text = match evidence["field"].as_str().unwrap() {
                "title" => listing["title"].as_str().unwrap(),
                "text" => listing["abstract"].as_str().unwrap(),
                "keywords" => {
                    let at = evidence["keyword"].as_u64().unwrap() as usize;
                    listing["keywords"][at].as_str().unwrap()
                }
                other => panic!("{other}"),
            };
            let (start, end) =
                (evidence["start"].as_u64().unwrap(), evidence["end"].as_u64().unwrap());
            let there: String =
                text.chars().skip(start as usize).take((end - start) as usize).collect();
            assert_eq!(there, evidence["term"].as_str().unwrap());
            seen += 1;
        }
    }
    assert!(seen > 0);
    let en =
        app.visitor().with("Accept-Language", "en-GB, zh;q=0.3").post("/match", body).await.ok();
    let said =
        |answer: &Value| answer["items"][0]["explanation"]["summary"].as_str().unwrap().to_owned();
    assert!(
        said(&zh).chars().any(|c| c == '。') && said(&en).contains(' '),
        "{} | {}",
        said(&zh),
        said(&en)
    );
    let nothing =
        app.visitor().post("/match", json!({ "text": "qqqq zzzz", "want": "demand" })).await.ok();
    assert!(nothing["items"].as_array().unwrap().is_empty() && nothing["advice"].is_string());
    assert!(nothing.get("missing").is_none(), "of an achievement nothing is diagnosed: {nothing}");
    let strange = json!({ "text": "婚礼现场需要会唱歌的主持人和乐队，最好自带音响和灯光师", "want": "achievement" });
    let zh = app.visitor().post("/match", strange.clone()).await.ok();
    assert_eq!((&zh["items"], &zh["path"]), (&json!([]), &json!("problem")));
    assert!(zh["missing"].as_array().unwrap().contains(&json!("indicators")), "{zh}");
    let advice = zh["advice"].as_str().unwrap();
    assert!(
        advice.contains("补充") && advice.contains("量化指标") && advice.contains("订阅"),
        "{advice}"
    );
    let en = app.visitor().with("Accept-Language", "en").post("/match", strange).await.ok();
    let advice = en["advice"].as_str().unwrap();
    assert!(advice.contains("add ") && advice.contains("quantified indicators"), "{advice}");
    assert!(advice.contains("subscribe"), "{advice}");
}

#[actix_web::test]
async fn hidden_demands_stay_hidden() {
    let (app, seller, buyer, ids) = market().await;
    let private = buyer.admin.post("/demands", demand("private")).await.ok()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let masked = buyer.admin.post("/demands", demand("masked")).await.ok()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for id in [&private, &masked] {
        buyer.admin.act(&format!("/demands/{id}/submit")).await.ok();
    }
    app.settle();
    let found = app.visitor().get("/search?kind=demand").await.ok();
    assert_eq!((found["total"].as_i64(), &found["items"][0]["id"]), (Some(1), &json!(masked)));
    let matches = seller.admin.get(&format!("/achievements/{}/matches", ids[2])).await;
    assert!(
        !matches.text.contains(&private) && !matches.text.contains(&buyer.id),
        "{}",
        matches.text
    );
    assert!(matches.text.contains(&masked));
    seller.admin.get(&format!("/demands/{private}/matches")).await.refused(404, "not_found");
    assert_eq!(
        buyer.admin.get(&format!("/demands/{private}/matches")).await.ok()["items"][0]["achievement"]
            ["id"],
        json!(ids[2])
    );
}

#[actix_web::test]
async fn the_cross_match_streams_a_line_for_each_demand() {
    let (app, _, buyer, ids) = market().await;
    let mut demands = Vec::new();
    for _ in 0..2 {
        let id = buyer.admin.post("/demands", demand("public")).await.ok()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        buyer.admin.act(&format!("/demands/{id}/submit")).await.ok();
        demands.push(id);
    }
    app.settle();
    let answer =
        buyer.admin.post("/match/batch", json!({ "demand_ids": demands, "limit": 3 })).await;
    assert!(answer.header("content-type").unwrap().starts_with("application/x-ndjson"));
    let lines: Vec<Value> = answer.text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert_eq!(
            (&line["items"][0]["achievement_id"], &line["items"][0]["rank"]),
            (&json!(ids[2]), &json!(1))
        );
    }
    let all = buyer.admin.post("/match/batch", json!({ "filter": { "region": "210000" } })).await;
    assert_eq!(all.text.lines().count(), 2);
    buyer.admin.post("/match/batch", json!({})).await.refused(422, "invalid");
    let unknown = json!({ "demand_ids": ["0199f3a4-5c1e-7d3a-9b52-2f6c0a1d7e10"] });
    buyer.admin.post("/match/batch", unknown).await.refused(422, "invalid");
    app.visitor()
        .post("/match/batch", json!({ "filter": {} }))
        .await
        .refused(401, "unauthenticated");
}

/// The record of the shipped set is what the code reaches now; `keshi eval --shipped --json` prints it anew.
#[actix_web::test]
async fn the_recorded_quality_is_reached() {
    let app = TestApp::start().await;
    let told = app.visitor().get("/quality").await.ok();
    assert_eq!(told["model"], json!(keshi_index::model()));
    let shipped = told["sets"].as_array().unwrap().iter().find(|s| s["shipped"] == true).unwrap();
    let report = keshi::demo::shipped_quality(None, None).unwrap();
    assert_eq!(shipped["documents"], json!(report.documents));
    assert_eq!(shipped["rows"].as_array().unwrap().len(), report.rows.len());
    for (recorded, row) in shipped["rows"].as_array().unwrap().iter().zip(&report.rows) {
        assert_eq!(recorded["queries"], json!(row.queries));
        for (name, now) in
            [("ndcg_10", row.ndcg_10), ("mrr_10", row.mrr_10), ("recall_50", row.recall_50)]
        {
            let then = recorded[name]["mean"].as_f64().unwrap();
            assert!(
                (then - now.mean).abs() < 1e-6,
                "{} {name}: recorded {then}, now {}",
                row.system,
                now.mean
            );
        }
    }
    app.settle();
}
