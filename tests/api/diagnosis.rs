//! Demand diagnosis: what the reading finds, measured; what the advice says; and how a broker and an owner
//! work on a demand together.
use std::{collections::BTreeMap, fmt::Write};

use keshi::{
    demands::diagnosis::{
        model::{Item, Status},
        reading::{Asked, Reading},
    },
    demo::text::Texts,
    kernel::{Code, MemberRole, Moment, OrganizationKind},
};
use serde_json::{Value, json};

use crate::support::{Caller, House, TestApp};

/// Hits, false alarms and misses of one item; passages that overlap the judge's words.
#[derive(Default, Clone, Copy)]
struct Tally {
    hits: u32,
    false_alarms: u32,
    misses: u32,
    right_words: u32,
}

impl Tally {
    fn precision(self) -> f64 {
        f64::from(self.hits) / f64::from((self.hits + self.false_alarms).max(1))
    }
    fn recall(self) -> f64 {
        f64::from(self.hits) / f64::from((self.hits + self.misses).max(1))
    }
}

/// One judged demand: the words that tell each item, or none.
fn judged() -> Vec<(String, String, Value)> {
    let shipped = Texts::shipped().unwrap().demands;
    include_str!("../../src/demands/diagnosis/judged.jsonl")
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let (title, text) = match line["key"].as_str() {
                Some(key) => {
                    let demand = shipped.iter().find(|d| d.key == key).unwrap();
                    (demand.title.clone(), demand.text.clone())
                }
                None => {
                    (line["title"].as_str().unwrap().into(), line["text"].as_str().unwrap().into())
                }
            };
            (title, text, line)
        })
        .collect()
}

fn tally(demands: &[(String, String, Value)], slips: &mut String) -> BTreeMap<Item, Tally> {
    let mut tallies = BTreeMap::<Item, Tally>::new();
    for (title, text, words) in demands {
        let asked = Asked {
            title,
            description: text,
            indicators: &[],
            budget_fen: None,
            budget_negotiable: false,
            deadline: None,
        };
        let reading = Reading::of(&asked);
        for check in &reading.checks {
            let due = words[check.item.slug()].as_str().unwrap();
            assert!(format!("{title}\n{text}").contains(due), "{title}: {due} is not there");
            let found = check.status == Status::Found;
            let told = tallies.entry(check.item).or_default();
            match (found, due.is_empty()) {
                (true, false) => told.hits += 1,
                (true, true) => told.false_alarms += 1,
                (false, false) => told.misses += 1,
                (false, true) => {}
            }
            let overlaps = check.passages.iter().any(|p| {
                let whole = if p.pointer == "/title" { title } else { text };
                let at = whole.find(due).map(|byte| whole[..byte].chars().count());
                at.is_some_and(|at| p.start < at + due.chars().count() && at < p.end)
            });
            told.right_words += u32::from(found && !due.is_empty() && overlaps);
            if found == due.is_empty() {
                let passages: Vec<_> = check.passages.iter().map(|p| p.text.as_str()).collect();
                writeln!(slips, "{title}: {} due {due:?}, read {passages:?}", check.item.slug())
                    .unwrap();
            }
        }
    }
    tallies
}

/// The cue words were grown on the even lines of the judged set; the odd ones were only measured.
#[test]
fn the_reading_is_as_good_as_it_says() {
    let all = judged();
    let half = |odd: usize| -> Vec<_> {
        all.iter().enumerate().filter(|(at, _)| at % 2 == odd).map(|(_, d)| d.clone()).collect()
    };
    let mut slips = String::new();
    let (grown, held_out) = (tally(&half(0), &mut slips), tally(&half(1), &mut String::new()));
    if std::env::var("KESHI_SHOW_SLIPS").is_ok() {
        eprintln!("{slips}");
    }
    let mut table = String::new();
    for (name, tallies) in [("grown on", &grown), ("held out", &held_out)] {
        for (item, t) in tallies {
            writeln!(
                table,
                "{name}  {:12} told {:2}  precision {:.2}  recall {:.2}  right words {:2}/{}",
                item.slug(),
                t.hits + t.misses,
                t.precision(),
                t.recall(),
                t.right_words,
                t.hits
            )
            .unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

/// The recorded gains are what the code measures now; `keshi eval --diagnosis` prints them anew.
#[test]
fn the_recorded_gains_are_measured_again() {
    let recorded = keshi::demands::diagnosis::advice::gains().unwrap();
    let now = keshi::demo::ablation::gains().unwrap();
    assert_eq!((&recorded.model, recorded.demands), (&now.model, now.demands));
    assert_eq!(recorded.items.len(), now.items.len());
    for (item, then) in &recorded.items {
        let now = now.items.get(item).unwrap();
        assert_eq!(then.demands, now.demands, "{item}");
        for (a, b) in [
            (then.ndcg_10, now.ndcg_10),
            (then.at_random, now.at_random),
            (then.when_complete, now.when_complete),
        ] {
            assert!((a - b).abs() < 1e-3, "{item}: recorded {a}, now {b}");
        }
    }
}

const GOOD: &str = "厚板立缝埋弧焊后冲击韧性不合格，试过小电流多层焊，太慢。希望提高熔合线冲击功，\
    需要提供焊丝配方和工艺规程，用于船坞大合拢，冲击功不低于 47 J。";

fn draft(title: &str, description: &str, visibility: &str) -> Value {
    json!({ "title": title, "description": description, "keywords": [], "field": "05", "kind": "key_technology",
        "cooperation_modes": ["license"], "budget_negotiable": true, "visibility": visibility })
}

async fn drafted(owner: &Caller, body: Value) -> String {
    let made = owner.post("/demands", body).await.ok();
    format!("/demands/{}", made["id"].as_str().unwrap())
}

/// A verified broker of a fresh agency, and the id of the profile.
async fn broker(app: &TestApp) -> (Caller, String) {
    let agency = app.house(OrganizationKind::Agency, "210100").await;
    let person = app.member("broker", &agency, MemberRole::Member).await;
    let profile = json!({ "level": "senior", "certificate_no": format!("示例-{}", keshi::kernel::Id::<keshi::kernel::of::Broker>::fresh()), "fields": ["05"],
        "region_codes": ["210000"], "languages": ["zh"] });
    let made = person.post("/brokers", profile).await.ok();
    let id = made["id"].as_str().unwrap().to_owned();
    app.operator("210000").await.act(&format!("/brokers/{id}/verify")).await.ok();
    (person, id)
}

struct Stage {
    app: TestApp,
    firm: House,
    at: String,
    broker: Caller,
    broker_id: String,
}

/// A vague draft of a firm, and a broker.
async fn stage() -> Stage {
    let app = TestApp::start_with(&[("KESHI_LISTING_REVIEW", "trusted")]).await;
    let firm = app.house(OrganizationKind::Company, "210100").await;
    let vague = draft(
        "厚板焊接技术合作",
        "希望提高产品质量，降低成本，欢迎有实力的单位联系我公司。",
        "masked",
    );
    let at = drafted(&firm.admin, vague).await;
    let (broker, broker_id) = broker(&app).await;
    Stage { app, firm, at, broker, broker_id }
}

impl Stage {
    /// The path of a diagnosis that the owner asked for.
    async fn asked(&self) -> String {
        let body = json!({ "broker_id": self.broker_id, "message": "请帮忙写清楚指标。" });
        let made = self.firm.admin.post(&format!("{}/diagnoses", self.at), body).await;
        let at = made.header("location").unwrap().strip_prefix("/api/v1").unwrap().to_owned();
        made.ok();
        at
    }
    async fn taken(&self) -> String {
        let at = self.asked().await;
        self.broker.act(&format!("{at}/take")).await.ok();
        at
    }
    async fn tasks(&self, caller: &Caller) -> Vec<String> {
        let told = caller.get("/me/tasks").await.ok();
        let kinds = told["items"].as_array().unwrap().iter().map(|t| t["kind"].as_str().unwrap());
        kinds.filter(|k| k.contains("diagnos")).map(str::to_owned).collect()
    }
    fn diagnosis_topics(&self) -> Vec<String> {
        let mut all = self.app.topics();
        all.retain(|t| t.starts_with("demand.diagnosis"));
        all.iter().map(|t| t.trim_start_matches("demand.diagnosis_").to_owned()).collect()
    }
}

fn statuses(report: &Value) -> BTreeMap<&str, &str> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks.map(|c| (c["item"].as_str().unwrap(), c["status"].as_str().unwrap())).collect()
}

#[actix_web::test]
async fn a_text_is_diagnosed_before_anyone_saves_it() {
    let app = TestApp::start_with(&[("KESHI_LISTING_REVIEW", "trusted")]).await;
    let firm = app.house(OrganizationKind::Company, "210100").await;
    let ask = async |body: Value| firm.admin.post("/demands/diagnose", body).await;
    let vague = json!({ "description": "希望提高产品质量，降低成本。", "field": "05" });
    let told = ask(vague.clone()).await.ok();
    let read = statuses(&told);
    assert_eq!((read["object"], read["effect"], read["budget"]), ("missing", "vague", "missing"));
    assert_eq!((&told["language"], &told["found"]), (&json!("zh-CN"), &json!(0)));
    let advice = told["advice"].as_array().unwrap();
    assert_eq!(advice.len(), 8, "everything is missing");
    for one in advice {
        // nobody has published anything: the examples are those that ship
        assert_eq!(one["example"]["demand_id"], Value::Null, "{one}");
        assert!(one["example"]["sentence"].as_str().unwrap().chars().count() > 4, "{one}");
        let measured = !matches!(one["item"].as_str(), Some("budget" | "deadline"));
        assert_eq!(one["gain"].is_object(), measured, "{one}");
    }
    assert_eq!(told["gain_basis"]["model"], keshi_index::model());

    // a good public demand of the same field is quoted, a masked one is not
    let good = drafted(&firm.admin, draft("厚板立缝焊接低温韧性", GOOD, "masked")).await;
    let submitted = firm.admin.act(&format!("{good}/submit")).await.ok();
    let hint = submitted["hint"].as_str().unwrap();
    assert!(hint.contains("预算、期限") && !hint.contains("方法"), "{hint}");
    let quoted = async || {
        let told = ask(vague.clone()).await.ok();
        let method = told["advice"].as_array().unwrap().iter().find(|a| a["item"] == "method");
        method.unwrap()["example"].clone()
    };
    assert_eq!(quoted().await["demand_id"], Value::Null);
    firm.admin.patch(&good, json!({ "visibility": "public" })).await.ok();
    let example = quoted().await;
    assert!(good.ends_with(example["demand_id"].as_str().unwrap()), "{example}");
    assert_eq!(example["sentence"], "厚板立缝埋弧焊后冲击韧性不合格，试过小电流多层焊，太慢");

    // passages stand where they say
    let report = firm.admin.get(&format!("{good}/diagnosis")).await.ok();
    for passage in
        report["checks"].as_array().unwrap().iter().flat_map(|c| c["passages"].as_array().unwrap())
    {
        if passage["pointer"] == "/description" {
            let place = |name: &str| usize::try_from(passage[name].as_u64().unwrap()).unwrap();
            let piece: String =
                GOOD.chars().skip(place("start")).take(place("end") - place("start")).collect();
            assert_eq!(passage["text"], json!(piece));
        }
    }

    // English is read for what it has, and silence is not taken for a gap
    let english = json!({ "title": "Seal", "description": "We need a rubber seal that lasts at least 10 years at -55 °C." });
    let told = ask(english).await.ok();
    let read = statuses(&told);
    assert_eq!((&told["language"], read["indicators"]), (&json!("en"), "found"));
    assert_eq!((read["method"], read["deadline"]), ("unknown", "missing"));

    app.visitor().post("/demands/diagnose", json!({})).await.refused(401, "unauthenticated");
    ask(json!({})).await.faults(&["/description required"]);
    ask(json!({ "description": "", "field": "12", "mood": 1 })).await.faults(&[
        "/description empty",
        "/field not_in_list",
        "/mood unknown_field",
    ]);
    ask(json!({ "description": "长".repeat(5001) })).await.faults(&["/description too_long"]);
    app.settle();
}

#[actix_web::test]
async fn who_may_read_a_diagnosis() {
    let stage = stage().await;
    let (app, report) = (&stage.app, format!("{}/diagnosis", stage.at));
    let stranger = app.house(OrganizationKind::University, "210100").await;
    stage.firm.admin.get(&report).await.ok();
    app.operator("210000").await.get(&report).await.ok();
    app.auditor("210100").await.get(&report).await.ok();
    app.visitor().get(&report).await.refused(401, "unauthenticated");
    for caller in [&stage.broker, &stranger.admin, &app.operator("210200").await] {
        caller.get(&report).await.refused(404, "not_found");
    }
    // once it is public it can be seen, but its diagnosis is still not for everyone
    stage.firm.admin.act(&format!("{}/submit", stage.at)).await.ok();
    stranger.admin.get(&report).await.refused(403, "not_yours");
    stage.broker.get(&report).await.refused(403, "not_yours");
    let named = json!({ "visibility": "private", "broker_ids": [stage.broker_id] });
    stage.firm.admin.patch(&stage.at, named).await.ok();
    stage.broker.get(&report).await.ok();
    stranger.admin.get(&report).await.refused(404, "not_found");
    app.settle();
}

#[actix_web::test]
async fn a_broker_and_an_owner_work_on_a_demand() {
    let stage = stage().await;
    let (owner, broker) = (&stage.firm.admin, &stage.broker);
    broker.get(&stage.at).await.refused(404, "not_found");
    let at = stage.asked().await;
    assert_eq!(stage.tasks(broker).await, ["answer_diagnosis_request"]);
    // whom the owner asks may look first
    let seen = broker.get(&stage.at).await.ok();
    assert_eq!((&seen["masked"], &seen["allowed_actions"]), (&json!(false), &json!([])));
    broker.patch(&stage.at, json!({ "min_trl": 6 })).await.refused(403, "not_yours");
    let mine = owner.get(&at).await;
    assert_eq!(mine.etag(), "\"1\"");
    assert_eq!(mine.ok()["allowed_actions"], json!(["withdraw"]));
    owner.act(&format!("{at}/take")).await.refused(403, "not_your_move");
    let taken = broker.with("if-match", "\"1\"").act(&format!("{at}/take")).await.ok();
    assert_eq!(
        (&taken["state"], &taken["allowed_actions"]),
        (&json!("open"), &json!(["propose", "end"]))
    );
    assert_eq!(stage.tasks(broker).await, ["diagnose_demand"]);
    broker.get(&format!("{}/diagnosis", stage.at)).await.ok();

    // a version beside the owner's
    let propose = format!("{at}/propose");
    let changes =
        json!({ "title": "厚板立缝焊接低温韧性", "description": GOOD, "deadline": "2027-06-30" });
    let body = json!({ "changes": changes, "comment": "按现场记录补齐。" });
    let stale = broker.with("if-match", "\"1\"");
    stale.post(&propose, body.clone()).await.refused(412, "stale");
    let proposed = broker.with("idempotency-key", "p1").post(&propose, body.clone()).await;
    let again = broker.with("idempotency-key", "p1").post(&propose, body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(proposed.ok()["proposals"].as_array().unwrap().len(), 1);
    assert_eq!(stage.tasks(owner).await, ["decide_diagnosis_proposal"]);
    let view = owner.get(&at).await.ok();
    let differences = view["proposals"][0]["differences"].as_array().unwrap();
    let fields: Vec<_> = differences.iter().map(|d| d["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["deadline", "description", "title"]);
    assert_eq!(
        (&differences[2]["owner"], &differences[2]["broker"], &differences[2]["accepted"]),
        (&json!("厚板焊接技术合作"), &json!("厚板立缝焊接低温韧性"), &Value::Null)
    );
    assert_eq!(owner.get(&stage.at).await.ok()["title"], "厚板焊接技术合作", "nothing changed yet");

    // the owner takes over a part, and the broker writes another
    let accept = format!("{at}/accept");
    owner
        .post(&accept, json!({ "fields": ["min_trl", "title"] }))
        .await
        .faults(&["/fields/0 not_offered"]);
    owner.post(&accept, json!({ "fields": [] })).await.faults(&["/fields too_few"]);
    broker.post(&accept, json!({})).await.refused(403, "not_your_move");
    let partly = owner.post(&accept, json!({ "fields": ["description"] })).await.ok();
    assert_eq!(
        (&partly["state"], &partly["proposals"][0]["state"]),
        (&json!("open"), &json!("partly"))
    );
    let now = owner.get(&stage.at).await.ok();
    assert_eq!((&now["title"], &now["description"]), (&json!("厚板焊接技术合作"), &json!(GOOD)));
    assert_eq!(now["deadline"], Value::Null);
    broker.post(&propose, json!({ "changes": { "title": "厚板立缝焊接韧性" } })).await.ok();
    let rejected = owner.act(&format!("{at}/reject")).await.ok();
    assert_eq!(rejected["proposals"][0]["state"], "rejected");
    broker.act(&format!("{at}/submit")).await.refused(409, "illegal_transition");

    // what the owner has changed himself since is not written over
    broker.post(&propose, json!({ "changes": { "title": "厚板立缝", "min_trl": 7 } })).await.ok();
    owner.patch(&stage.at, json!({ "title": "厚板立缝气电焊" })).await.ok();
    owner.post(&accept, json!({})).await.refused(409, "changed_since");
    let cleared =
        owner.post(&accept, json!({ "fields": ["min_trl"], "may_submit": true })).await.ok();
    assert_eq!(
        (&cleared["state"], stage.tasks(broker).await),
        (&json!("cleared"), vec!["submit_diagnosed_demand".to_owned()])
    );
    // the yes was for that version
    owner.patch(&stage.at, json!({ "min_trl": 8 })).await.ok();
    let submit = format!("{at}/submit");
    broker.act(&submit).await.refused(409, "changed_since");
    broker.post(&propose, json!({ "changes": { "min_trl": 7 } })).await.ok();
    owner.post(&accept, json!({ "may_submit": true })).await.ok();
    owner.act(&submit).await.refused(403, "not_your_move");
    let ended = broker.act(&submit).await.ok();
    assert_eq!((&ended["state"], &ended["ending"]), (&json!("ended"), &json!("submitted")));
    assert_eq!((&ended["allowed_actions"], &ended["due_by"]), (&json!([]), &Value::Null));
    assert_eq!(owner.get(&stage.at).await.ok()["state"], "published");
    let kept = ended["proposals"].as_array().unwrap();
    assert_eq!(kept.len(), 4, "every version is kept");
    assert_eq!(broker.get(&stage.at).await.ok()["masked"], true, "the broker is a stranger again");
    assert_eq!(owner.get("/diagnoses").await.ok()["total"], 1);
    assert_eq!(broker.get("/diagnoses").await.ok()["items"][0]["state"], "ended");
    assert_eq!(
        stage.diagnosis_topics(),
        [
            "requested",
            "taken",
            "proposed",
            "accepted",
            "proposed",
            "rejected",
            "proposed",
            "accepted",
            "accepted",
            "proposed",
            "accepted",
            "accepted",
            "ended"
        ]
    );
}

#[actix_web::test]
async fn an_owner_who_insists_submits() {
    let stage = stage().await;
    let at = stage.taken().await;
    stage.broker.post(&format!("{at}/propose"), json!({ "changes": { "min_trl": 6 } })).await.ok();
    let submitted = stage.firm.admin.act(&format!("{}/submit", stage.at)).await.ok();
    assert_eq!(submitted["state"], "published");
    assert!(submitted["hint"].as_str().unwrap().contains("量化指标"));
    let seen = stage.firm.admin.get(&at).await.ok();
    assert_eq!(
        (&seen["ending"], &seen["proposals"][0]["state"]),
        (&json!("submitted"), &json!("lapsed"))
    );
    stage.app.settle();
}

#[actix_web::test]
async fn a_broker_offers_and_others_cannot() {
    let stage = stage().await;
    let (app, owner) = (&stage.app, &stage.firm.admin);
    let diagnoses = format!("{}/diagnoses", stage.at);
    // a draft is nobody's business
    stage.broker.post(&diagnoses, json!({})).await.refused(404, "not_found");
    owner.post(&diagnoses, json!({})).await.faults(&["/broker_id required"]);
    let nobody = json!({ "broker_id": "0199f3a4-5c1e-7d3a-9b52-2f6c0a1d7e10" });
    owner.post(&diagnoses, nobody).await.faults(&["/broker_id unknown_broker"]);
    owner.act(&format!("{}/submit", stage.at)).await.ok();
    stage
        .broker
        .post(&diagnoses, json!({ "broker_id": stage.broker_id }))
        .await
        .faults(&["/broker_id not_yours"]);
    let stranger = app.house(OrganizationKind::University, "210100").await;
    stranger.admin.post(&diagnoses, json!({})).await.refused(403, "not_a_broker");
    let made = stage.broker.post(&diagnoses, json!({ "message": "可以帮您补齐指标。" })).await.ok();
    let at = format!("/diagnoses/{}", made["id"].as_str().unwrap());
    stage.broker.post(&diagnoses, json!({})).await.refused(409, "already_asked");
    assert_eq!(stage.tasks(owner).await, ["answer_diagnosis_request"]);
    stranger.admin.get(&at).await.refused(404, "not_found");
    stranger.admin.act(&format!("{at}/take")).await.refused(404, "not_found");
    app.auditor("210000").await.get(&at).await.ok();
    app.operator("210000").await.act(&format!("{at}/take")).await.refused(403, "not_your_move");
    // an offer lets nobody in
    assert_eq!(stage.broker.get(&stage.at).await.ok()["masked"], true);
    stage.broker.act(&format!("{at}/take")).await.refused(403, "not_your_move");
    owner.act(&format!("{at}/take")).await.ok();
    // one broker at a time
    let (other, _) = broker(app).await;
    let second = other.post(&diagnoses, json!({})).await.ok();
    let second = format!("/diagnoses/{}", second["id"].as_str().unwrap());
    owner.act(&format!("{second}/take")).await.refused(409, "in_diagnosis");
    let ended = owner.act(&format!("{at}/end")).await.ok();
    assert_eq!(ended["ending"], "closed");
    owner.act(&format!("{second}/decline")).await.ok();
    let list = owner.get(&diagnoses).await.ok();
    assert_eq!(list["items"][0]["ending"], "declined");
    other.get(&diagnoses).await.refused(403, "not_yours");
    app.settle();
}

#[actix_web::test]
async fn a_bad_version_is_refused_whole() {
    let stage = stage().await;
    let at = stage.taken().await;
    let propose = async |changes: Value| {
        stage.broker.post(&format!("{at}/propose"), json!({ "changes": changes })).await
    };
    propose(json!({ "visibility": "public" }))
        .await
        .faults(&["/changes/visibility not_for_brokers"]);
    propose(json!({})).await.faults(&["/changes nothing_changed"]);
    propose(json!({ "title": "厚板焊接技术合作" })).await.faults(&["/changes nothing_changed"]);
    propose(json!({ "deadline": "2020-01-01", "region_code": "219999" }))
        .await
        .faults(&["/changes/region_code unknown_region", "/changes/deadline past_day"]);
    propose(json!({ "title": "短", "contact": "1" }))
        .await
        .faults(&["/changes/contact unknown_field", "/changes/title too_short"]);
    let seen = stage.broker.get(&at).await.ok();
    assert_eq!((&seen["state"], &seen["proposals"]), (&json!("open"), &json!([])));
    // a draft that is thrown away takes the work on it along
    stage.firm.admin.delete(&stage.at).await.ok();
    stage.broker.get(&at).await.refused(404, "not_found");
    stage.app.settle();
}

#[actix_web::test]
async fn the_clock_ends_what_nobody_answers() {
    let stage = stage().await;
    let later = |days| Moment::now().plus_days(days);
    let at = stage.asked().await;
    stage.app.pass_deadlines_at(later(15));
    let seen = stage.firm.admin.get(&at).await.ok();
    assert_eq!((&seen["state"], &seen["ending"]), (&json!("ended"), &json!("expired")));
    stage.broker.get(&stage.at).await.refused(404, "not_found");
    let at = stage.taken().await;
    stage.broker.post(&format!("{at}/propose"), json!({ "changes": { "min_trl": 6 } })).await.ok();
    stage.app.pass_deadlines_at(later(15));
    let seen = stage.firm.admin.get(&at).await.ok();
    assert_eq!(
        (&seen["state"], &seen["proposals"][0]["state"]),
        (&json!("open"), &json!("lapsed"))
    );
    stage.app.pass_deadlines_at(later(46));
    assert_eq!(stage.firm.admin.get(&at).await.ok()["ending"], "expired");
    assert_eq!(
        stage.diagnosis_topics(),
        ["requested", "ended", "requested", "taken", "proposed", "rejected", "ended"]
    );
}
