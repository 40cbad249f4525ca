//! What operators rely on: `verify` finds what was altered, the index follows within a second and comes
//! back when it is lost, health tells the truth.
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use keshi::{
    Keshi, discovery, insight,
    kernel::{Moment, OrganizationKind, journal},
    worker::{Consumers, Worker},
};
use serde_json::{Value, json};

use crate::support::{Caller, TestApp};

fn listing(title: &str) -> Value {
    json!({
        "title": title, "abstract": "采用激光熔覆在轧辊表面制备耐磨涂层，硬度不低于六十，寿命提高两倍以上。",
        "keywords": ["激光熔覆", "轧辊"], "field": "03", "stage": "mature", "trl": 8,
        "transfer_modes": ["transfer"], "price_negotiable": true
    })
}

async fn published(owner: &Caller, title: &str) -> String {
    let id =
        owner.post("/achievements", listing(title)).await.ok()["id"].as_str().unwrap().to_owned();
    owner.act(&format!("/achievements/{id}/submit")).await.ok();
    id
}

async fn trusted() -> TestApp {
    TestApp::start_with(&[("KESHI_LISTING_REVIEW", "trusted")]).await
}

#[actix_web::test]
async fn publishing_and_withdrawing_show_within_a_second() {
    let app = trusted().await;
    let owner = app.house(OrganizationKind::Institute, "210200").await.admin;
    app.settle();
    let worker = Worker::start(&app.keshi).unwrap();
    let visitor = app.visitor();
    let id = published(&owner, "轧辊激光熔覆修复工艺").await;
    let found = |wanted: bool| {
        let visitor = visitor.clone();
        async move {
            let started = Instant::now();
            loop {
                let page = visitor.get("/search?q=激光熔覆").await.ok();
                if (page["total"] == 1) == wanted {
                    return started.elapsed();
                }
                assert!(started.elapsed() < Duration::from_secs(20), "never shown: {page}");
                actix_web::rt::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    found(true).await;
    owner.act(&format!("/achievements/{id}/withdraw")).await.ok();
    found(false).await;
    worker.stop();
    // the threads have taken the journal along; this app's own consumers still stand at its beginning
    app.settle();
}

#[actix_web::test]
async fn verify_names_what_was_altered() {
    let app = trusted().await;
    let owner = app.house(OrganizationKind::Institute, "210200").await.admin;
    let id = published(&owner, "轧辊激光熔覆修复工艺").await;
    app.settle();
    let chain = || app.keshi.db.read_now(journal::verify).unwrap();
    let index = || discovery::verify(&app.keshi.db, &app.keshi.catalogue).unwrap();
    assert!(chain().is_ok());
    assert_eq!(index(), Ok(1));

    // the tables themselves refuse
    let mut conn = app.connection();
    let refused = diesel::connection::SimpleConnection::batch_execute(
        &mut conn,
        "UPDATE journal SET actor = 'nobody' WHERE topic = 'achievement.published'",
    );
    assert!(refused.unwrap_err().to_string().contains("append-only"));

    // somebody with the database's password drops the trigger first
    let drop = if app.keshi.db.is_postgres() {
        "DROP TRIGGER journal_keeps_its_rows ON journal;"
    } else {
        "DROP TRIGGER journal_keeps_its_words;"
    };
    app.tamper(&format!(
        "{drop} UPDATE journal SET actor = 'nobody' WHERE topic = 'achievement.published'"
    ));
    let told = chain().unwrap_err();
    assert!(told.contains("achievement.published") && told.contains(&id), "{told}");

    app.tamper("UPDATE achievements SET title = '别的标题'");
    assert!(index().unwrap_err().contains(&id));
    app.tamper("UPDATE achievements SET state = 'withdrawn'");
    assert!(index().unwrap_err().contains("not published"));
    app.settle();
}

#[actix_web::test]
async fn verify_recounts_the_figures() {
    let app = TestApp::start().await;
    app.tamper(
        "INSERT INTO figure_cells (layer, flow, place, dimension, period, value, contracts, total_fen, tech_fen, \
         largest_fen) VALUES ('registered', 'output', '210100', 'month', '2026-01', '', 1, 100, 100, 100); \
         INSERT INTO figure_years VALUES (2026, 1)",
    );
    let told = app.keshi.db.read_now(insight::verify).unwrap().unwrap_err();
    assert!(told.contains("2026-01"), "{told}");
    app.settle();
}

fn files_under(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}

#[actix_web::test]
async fn a_lost_or_broken_index_comes_back_by_itself() {
    let app = trusted().await;
    let owner = app.house(OrganizationKind::Institute, "210200").await.admin;
    published(&owner, "轧辊激光熔覆修复工艺").await;
    app.settle();
    let config = app.keshi.config.as_ref().clone();
    let dir = config.index_dir();
    // a node of its own on the same database, whose index folder is damaged before each start
    let second = tempfile::tempdir().unwrap();
    let copy = second.path().join("index");
    for damage in 0..3 {
        if copy.exists() {
            match damage {
                1 => fs::remove_dir_all(&copy).unwrap(),
                _ => {
                    for file in files_under(&copy) {
                        fs::write(&file, b"not an index").unwrap();
                    }
                }
            }
        }
        fs::create_dir_all(&copy).unwrap();
        let catalogue = keshi::discovery::Catalogue::open(&copy, 0.0).unwrap();
        let node = Keshi { catalogue, ..app.keshi.clone() };
        let mut consumers = Consumers::new(&node).unwrap();
        consumers.settle().unwrap();
        assert_eq!(node.catalogue.index().len(), 1, "after damage {damage}");
        assert_eq!(discovery::verify(&node.db, &node.catalogue).unwrap(), Ok(1));
    }
    assert!(dir.exists());
    app.settle();
}

#[actix_web::test]
async fn health_tells_the_truth() {
    let app = TestApp::start().await;
    assert_eq!(app.knock("get", "/healthz", None).await.body["status"], "alive");
    let ready = app.knock("get", "/readyz", None).await;
    assert_eq!((ready.status.as_u16(), &ready.body["ready"]), (200, &json!(true)));
    let metrics = app.knock("get", "/metrics", None).await;
    assert!(metrics.text.contains("keshi_http_request_seconds"), "{}", metrics.text);
    app.tamper("ALTER TABLE mails RENAME TO mails_gone");
    let unready = app.knock("get", "/readyz", None).await;
    assert_eq!(unready.status.as_u16(), 503);
    assert!(!unready.body["reasons"].as_array().unwrap().is_empty());
    app.tamper("ALTER TABLE mails_gone RENAME TO mails");
    app.settle();
}

#[actix_web::test]
async fn the_same_key_does_the_work_once() {
    let app = TestApp::start().await;
    let owner = app.house(OrganizationKind::Institute, "210200").await.admin;
    let once = owner.with("Idempotency-Key", "k-1");
    let first = once.post("/achievements", listing("轧辊激光熔覆修复工艺")).await;
    let again = once.post("/achievements", listing("轧辊激光熔覆修复工艺")).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(
        (first.status, &first.text, first.header("etag")),
        (again.status, &again.text, again.header("etag"))
    );
    once.post("/achievements", listing("另一个标题")).await.refused(422, "idempotency_key_reused");
    // another caller's key is another key
    let other =
        app.house(OrganizationKind::Institute, "210200").await.admin.with("Idempotency-Key", "k-1");
    assert_ne!(
        other.post("/achievements", listing("轧辊激光熔覆修复工艺")).await.ok()["id"],
        first.body["id"]
    );
    // a failed try does not use the key up
    let retry = owner.with("Idempotency-Key", "k-2");
    retry.post("/achievements", json!({})).await;
    assert_eq!(retry.post("/achievements", listing("第二个标题")).await.status.as_u16(), 201);
    // what is kept is not readable
    let mut conn = app.connection();
    #[derive(diesel::QueryableByName)]
    struct Kept {
        #[diesel(sql_type = diesel::sql_types::Text)]
        answer: String,
    }
    let kept: Vec<Kept> =
        diesel::RunQueryDsl::load(diesel::sql_query("SELECT answer FROM kept_answers"), &mut conn)
            .unwrap();
    assert!(kept.len() >= 3 && kept.iter().all(|k| !k.answer.contains("title")));
    app.settle();
}

#[actix_web::test]
async fn the_clock_lets_requests_and_listings_expire() {
    let app = trusted().await;
    let seller = app.house(OrganizationKind::Institute, "210200").await.admin;
    let buyer = app.house(OrganizationKind::Company, "210300").await.admin;
    let achievement = published(&seller, "轧辊激光熔覆修复工艺").await;
    let soon = Moment::now().day() + chrono::Days::new(30);
    let body = json!({
        "title": "轧辊修复", "description": "轧辊磨损快，换辊频繁，希望现场修复并提高耐磨性，减少停机时间。",
        "keywords": [], "field": "03", "kind": "process_improvement", "cooperation_modes": ["service"],
        "budget_negotiable": true, "deadline": soon, "visibility": "public"
    });
    let demand = buyer.post("/demands", body).await.ok()["id"].as_str().unwrap().to_owned();
    buyer.act(&format!("/demands/{demand}/submit")).await.ok();
    let ask = json!({ "demand_id": demand, "achievement_id": achievement, "message": "请联系我们安排试修。" });
    let request = buyer.post("/match-requests", ask).await.ok()["id"].as_str().unwrap().to_owned();
    app.settle();
    assert!(app.visitor().get("/search?q=轧辊&kind=demand").await.ok()["total"] == 1);
    let waiting = seller.get("/me/tasks").await.ok();
    assert!(waiting["items"].to_string().contains(&request), "{waiting}");
    app.pass_deadlines_at(Moment::now().plus_days(15));
    let path = format!("/match-requests/{request}");
    assert_eq!(seller.get(&path).await.ok()["state"], "expired");
    seller.act(&format!("{path}/accept")).await.refused(409, "illegal_transition");
    app.pass_deadlines_at(Moment::now().plus_days(40));
    app.settle();
    assert_eq!(buyer.get(&format!("/demands/{demand}")).await.ok()["state"], "expired");
    assert!(app.visitor().get("/search?q=轧辊&kind=demand").await.ok()["total"] == 0);
}

#[actix_web::test]
async fn a_file_is_imported_whole_or_not_at_all() {
    use keshi::exchange::{
        ImportKind,
        command::{Options, run},
    };
    let app = TestApp::start().await;
    let house = app.house(OrganizationKind::Institute, "210200").await;
    let email = house.admin.get("/me").await.ok()["email"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jsonl");
    let good = listing("轧辊激光熔覆修复工艺").to_string();
    fs::write(&file, format!("{good}\n\n{{\"title\": 1}}\n")).unwrap();
    let import =
        |name: &str| run(&app.keshi.db, ImportKind::Achievements, &file, name, &Options::default());
    let told = import(&email).unwrap_err().to_string();
    assert!(told.contains("line 3: /title") && told.contains("/abstract"), "{told}");
    assert_eq!(house.admin.get("/achievements?mine=true").await.ok()["total"], 0);
    fs::write(&file, format!("{good}\n{good}\n")).unwrap();
    assert!(import("nobody@keshi.test").is_err());
    assert_eq!(import(&email.to_uppercase()).unwrap(), 2);
    assert_eq!(house.admin.get("/achievements?mine=true").await.ok()["total"], 2);

    // the same as a table
    let table = folder.path().join("a.csv");
    let heads = "title,abstract,keywords,field,stage,trl,transfer_modes,price_fen,price_negotiable";
    let row = |trl: &str| {
        format!(
            "高压泵阀密封环,以碳化硅与石墨复合烧结制成密封环，耐压二十兆帕，寿命三年以上。,密封;碳化硅,03,pilot,{trl},license；transfer,,是"
        )
    };
    let result = folder.path().join("result.csv");
    let options = |dry_run| Options { dry_run, result: Some(&result) };
    let load = || run(&app.keshi.db, ImportKind::Achievements, &table, &email, &options(false));
    fs::write(&table, format!("{heads}\n{}\n{}\n", row("6"), row("six"))).unwrap();
    let told = load().unwrap_err().to_string();
    assert!(told.contains("F3: 技术成熟度") && !told.contains("F2"), "{told}");
    fs::write(&table, format!("\u{feff}{heads}\n{}\n", row("6"))).unwrap();
    let dry = run(&app.keshi.db, ImportKind::Achievements, &table, &email, &options(true));
    assert_eq!(dry.unwrap(), 1);
    assert_eq!(house.admin.get("/achievements?mine=true").await.ok()["total"], 2);
    assert!(fs::read_to_string(&result).unwrap().contains("\n2,检查通过,"));
    assert_eq!(load().unwrap(), 1);
    assert!(fs::read_to_string(&result).unwrap().contains("\n2,已导入,"));
    let listed = house.admin.get("/achievements?mine=true&limit=1").await.ok();
    assert_eq!(listed["items"][0]["keywords"], json!(["密封", "碳化硅"]));
    app.settle();
}
