//! Ranking by meaning from outside: what the operator's model changes, and what is said before it has read a
//! listing. The model here is told what texts mean.
use std::time::{Duration, Instant};

use keshi::{Keshi, kernel::OrganizationKind, worker::Worker};
use keshi_index::semantic::{PENDING, Semantic, SemanticScorer};
use serde_json::{Value, json};

use crate::support::{SECRET, TestApp};

/// Texts that speak of heat mean one thing, all others another.
struct Told;

impl SemanticScorer for Told {
    fn fingerprint(&self) -> [u8; 16] {
        [9; 16]
    }

    fn width(&self) -> usize {
        2
    }

    fn vector(&self, text: &str) -> Vec<f32> {
        if text.contains('热') { vec![1.0, 0.0] } else { vec![0.0, 1.0] }
    }
}

/// Three achievements of the same trade; only the last one, which says least of the request's words, means
/// the same.
async fn market() -> (TestApp, Vec<String>) {
    let change = |keshi: Keshi| {
        let semantic = Semantic::with(Box::new(Told), &keshi.config.data_dir).unwrap();
        Keshi { catalogue: keshi.catalogue.clone().by_meaning(semantic), ..keshi }
    };
    let app = TestApp::start_changed(&[("KESHI_LISTING_REVIEW", "trusted")], change).await;
    let seller = app.house(OrganizationKind::University, "210100").await;
    let mut ids = Vec::new();
    for (title, text) in [
        ("数控机床主轴误差补偿方法", "对数控机床主轴误差作补偿，零件尺寸随工况漂移时修正坐标。"),
        ("机床主轴误差在线测量与补偿", "在线测量数控机床主轴误差并补偿，早晚加工的零件尺寸稳定。"),
        (
            "机床主轴误差的热变形补偿",
            "早晚加工零件时布置温度测点，按热变形模型补偿数控机床主轴误差。",
        ),
    ] {
        let body = json!({ "title": title, "abstract": text, "keywords": [], "field": "03", "stage": "pilot",
            "trl": 6, "transfer_modes": ["license"], "price_negotiable": true, "region_code": "210100" });
        let id =
            seller.admin.post("/achievements", body).await.ok()["id"].as_str().unwrap().to_owned();
        seller.admin.act(&format!("/achievements/{id}/submit")).await.ok();
        ids.push(id);
    }
    app.settle();
    (app, ids)
}

async fn ask(app: &TestApp) -> Value {
    let text = "数控机床主轴误差补偿，早晚加工零件尺寸漂移，主轴发热";
    app.visitor().post("/match", json!({ "text": text, "want": "achievement" })).await.ok()
}

fn meaning(item: &Value) -> Option<&Value> {
    let parts = item["explanation"]["parts"].as_array().unwrap();
    parts.iter().find(|part| part["part"] == "semantic")
}

fn assert_adds_up(answer: &Value) {
    for item in answer["items"].as_array().unwrap() {
        let parts = item["explanation"]["parts"].as_array().unwrap();
        let sum: f64 = parts.iter().map(|p| p["contribution"].as_f64().unwrap()).sum();
        assert!((sum - item["score"].as_f64().unwrap()).abs() < 1e-6, "{item}");
    }
}

#[actix_web::test]
async fn the_best_are_ranked_once_more_and_it_is_said_what_was_not_compared() {
    let (app, ids) = market().await;
    let first = |answer: &Value| answer["items"][0]["achievement"]["id"].clone();
    let before = ask(&app).await;
    assert_eq!(before["items"].as_array().unwrap().len(), 3, "{before}");
    assert_ne!(first(&before), json!(ids[2]), "else this shows nothing");
    for item in before["items"].as_array().unwrap() {
        let part = meaning(item).unwrap();
        assert_eq!(
            (&part["contribution"], &part["evidence"][0]["term"]),
            (&json!(0.0), &json!(PENDING))
        );
        assert!(item["explanation"]["summary"].as_str().unwrap().contains("含义尚未比对"));
    }
    assert_adds_up(&before);

    let semantic = app.keshi.catalogue.meaning().unwrap();
    assert_eq!(semantic.tend(app.keshi.catalogue.index(), 10).unwrap(), 3);
    let after = ask(&app).await;
    assert_eq!(first(&after), json!(ids[2]));
    assert_eq!(meaning(&after["items"][0]).unwrap()["contribution"], json!(40.0));
    assert!(after["items"][0]["explanation"]["summary"].as_str().unwrap().contains("含义相近"));
    assert!(meaning(&after["items"][1]).is_none());
    assert_adds_up(&after);
    let model = after["model"].as_str().unwrap();
    assert_eq!(model, format!("{}+semantic-1-09090909", keshi_index::model()));
    assert_eq!(app.visitor().get("/quality").await.ok()["model"], json!(model));
    // it orders, and does not decide on what is suitable
    assert_eq!(after["items"].as_array().unwrap().len(), 3);
    app.settle();
}

#[actix_web::test]
async fn a_server_compares_new_listings_by_itself() {
    let (app, _) = market().await;
    let worker = Worker::start(&app.keshi).unwrap();
    let semantic = app.keshi.catalogue.meaning().unwrap();
    let begun = Instant::now();
    while semantic.vectors() < 3 && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10));
    }
    worker.stop();
    assert_eq!(semantic.vectors(), 3);
    app.settle();
}

#[test]
fn a_model_that_cannot_be_used_is_named_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("model.bin");
    std::fs::write(&model, "no model").unwrap();
    let config = keshi::kernel::Config::read("", |key| match key {
        "KESHI_DATA_DIR" => Some(dir.path().display().to_string()),
        "KESHI_JWT_SECRET" => Some(SECRET.into()),
        "KESHI_SEMANTIC_MODEL" => Some(model.display().to_string()),
        _ => None,
    })
    .unwrap();
    assert!(config.show().contains("KESHI_SEMANTIC_MODEL = "));
    let error =
        format!("{:#}", anyhow::Error::from(keshi::meaning(&config, dir.path()).err().unwrap()));
    let why = if cfg!(feature = "semantic") { "E5S1" } else { "--features semantic" };
    assert!(error.contains("model.bin") && error.contains(why), "{error}");
}
