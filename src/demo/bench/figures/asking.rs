//! Every statistic, many times, in a process that does nothing but serve.
//!
//! Three rounds of the same questions in an order drawn once: *cold*, the first of the process; *warm*, the
//! second; *moved*, in which the figures of the running year move before every question, as if a contract
//! were registered each time.
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use actix_web::HttpServer;
use serde_json::{Value, json};

use super::{
    super::{ask as ask_over_http, connect, peak_memory_mb, serve},
    store,
};
use crate::{
    Keshi,
    demo::variation::Dice,
    insight::{
        model::{
            By, ConversionQuery, Flow, FlowsQuery, ProgressQuery, RankingsQuery, TargetsQuery,
            TurnoverQuery,
        },
        service::{Grids, flows, rankings, targets, turnover},
    },
    kernel::{Actor, Code, Config, Db, Id, Moment, PlatformRole, Result, actor::Platform, of},
};

const PLACES: [Option<&str>; 6] =
    [None, Some("210000"), Some("210100"), Some("210106"), Some("LNZ-SF"), Some("110000")];
/// First and last month: this year, the last whole one, a quarter, years and parts of years, everything.
const SPANS: [(&str, &str); 5] = [
    ("2026-01", "2026-12"),
    ("2025-01", "2025-12"),
    ("2026-07", "2026-09"),
    ("2015-02", "2019-10"),
    ("2010-01", "2026-12"),
];

/// A question, and the name it is counted under.
struct Question {
    name: String,
    what: What,
    insider: bool,
}

enum What {
    Turnover(Value),
    Flows(Value),
    Rankings(Value),
    Conversion(Value),
    Progress(Id<of::Target>),
}

pub fn run(config: &Config) -> anyhow::Result<()> {
    let keshi = Keshi::open(config.clone())?;
    let address = {
        let keshi = keshi.clone();
        serve(move |listener| {
            Ok(HttpServer::new(move || crate::app(&keshi))
                .workers(2)
                .worker_max_blocking_threads(4)
                .listen(listener)?
                .run())
        })?
    };
    keshi.db.write_now(crate::insight::load_shipped_targets)?;
    let mut questions = questions(&keshi.db)?;
    shuffle(&mut questions);
    println!("{} questions; in ms: p50 p99 max", questions.len());
    let overseer = overseer()?;
    let mut rounds: Vec<BTreeMap<String, Vec<Duration>>> = Vec::new();
    for round in ["cold", "warm", "moved"] {
        let mut times: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
        for question in &questions {
            if round == "moved" {
                keshi.db.write_now(|tx| store::move_year(tx, tx.now().day()))?;
            }
            let started = Instant::now();
            answer(&keshi.db, &keshi.grids, question, &overseer)?;
            times.entry(question.name.clone()).or_default().push(started.elapsed());
        }
        rounds.push(times);
    }
    for (n, name) in ["cold", "warm", "moved"].iter().enumerate() {
        let Some(times) = rounds.get_mut(n) else { continue };
        for (statistic, times) in times {
            println!("{name:6} {statistic:24} {}", percentiles(times));
        }
    }
    over_http(address, &questions)?;
    println!("peak memory of the process that serves: {} MB", peak_memory_mb()?);
    Ok(())
}

fn overseer() -> anyhow::Result<Actor> {
    Ok(Actor {
        account: Id::fresh(),
        session: None,
        api_key: None,
        email_verified: true,
        second_factor_missing: false,
        memberships: vec![],
        platform: Some(Platform { role: PlatformRole::Operator, region: "210000".parse()? }),
    })
}

fn questions(db: &Db) -> anyhow::Result<Vec<Question>> {
    let mut all = Vec::new();
    let mut both = |name: &str, what: &dyn Fn() -> What| {
        for insider in [false, true] {
            all.push(Question { name: name.to_owned(), what: what(), insider });
        }
    };
    for (from, to) in SPANS {
        for basis in ["reported", "restated"] {
            for region in PLACES {
                for by in By::ALL {
                    for flow in Flow::ALL {
                        for compare in [None, Some("previous_year")] {
                            both(&format!("turnover by {}", by.slug()), &|| {
                                What::Turnover(json!({
                                    "region": region, "from": from, "to": to, "flow": flow.slug(),
                                    "by": by.slug(), "basis": basis, "compare": compare,
                                }))
                            });
                        }
                    }
                }
                both("local conversion", &|| {
                    What::Conversion(
                        json!({ "region": region, "from": from, "to": to, "basis": basis }),
                    )
                });
            }
            for level in ["city", "province"] {
                // as often as the others are asked in all
                for _ in 0..10 {
                    both(&format!("flows by {level}"), &|| {
                        What::Flows(
                            json!({ "level": level, "from": from, "to": to, "basis": basis }),
                        )
                    });
                }
            }
        }
    }
    for (level, region) in
        [("city", None), ("province", None), ("county", Some("210100")), ("county", Some("210200"))]
    {
        for period in ["2026", "2025", "2018", "2026-Q3", "2026-Q4", "2026-10", "2020-02"] {
            for flow in ["output", "absorbed"] {
                for basis in ["reported", "restated"] {
                    both("rankings", &|| {
                        What::Rankings(json!({
                            "level": level, "region": region, "period": period, "flow": flow,
                            "basis": basis,
                        }))
                    });
                }
            }
        }
    }
    let (wanted, window) = targets::wanted(from_json::<TargetsQuery>(
        json!({ "indicator": "turnover", "limit": 100 }),
    )?)?;
    for target in db.read_now(|conn| targets::list(conn, &wanted, &window))?.items {
        for _ in 0..50 {
            both("target progress", &|| What::Progress(target.id));
        }
    }
    Ok(all)
}

fn shuffle(questions: &mut [Question]) {
    let mut dice = Dice::new(20);
    for n in (1..questions.len()).rev() {
        questions.swap(n, dice.below(n + 1));
    }
}

/// A question as its parameters would be read.
fn from_json<T: for<'de> serde::Deserialize<'de>>(mut query: Value) -> Result<T> {
    if let Some(query) = query.as_object_mut() {
        query.retain(|_, value| !value.is_null());
    }
    Ok(serde_json::from_value(query)?)
}

/// What a handler does between its parameters and its bytes; answers how many there are.
fn answer(db: &Db, grids: &Grids, question: &Question, overseer: &Actor) -> Result<usize> {
    let actor = question.insider.then_some(overseer);
    let now = Moment::now();
    let today = now.day();
    let bytes = |told: serde_json::Result<Vec<u8>>| -> Result<usize> { Ok(told?.len()) };
    db.read_snapshot_now(|conn| match &question.what {
        What::Turnover(query) => {
            let asked = from_json::<TurnoverQuery>(query.clone())?.parse(today)?;
            bytes(serde_json::to_vec(&turnover::turnover(conn, grids, actor, asked, now)?))
        }
        What::Flows(query) => {
            let asked = from_json::<FlowsQuery>(query.clone())?.parse(today)?;
            bytes(serde_json::to_vec(&flows::flows(conn, grids, actor, asked, now)?))
        }
        What::Rankings(query) => {
            let asked = from_json::<RankingsQuery>(query.clone())?.parse(today)?;
            bytes(serde_json::to_vec(&rankings::rankings(conn, grids, actor, asked, now)?))
        }
        What::Conversion(query) => {
            let asked = from_json::<ConversionQuery>(query.clone())?.parse(today)?;
            bytes(serde_json::to_vec(&turnover::conversion(conn, grids, actor, asked, now)?))
        }
        What::Progress(id) => {
            let as_of = from_json::<ProgressQuery>(json!({}))?.parse(today)?;
            let days = (as_of, today);
            bytes(serde_json::to_vec(&targets::progress(conn, grids, actor, *id, days)?))
        }
    })
}

fn percentiles(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let ms = |at: usize| times.get(at).map_or(0.0, |t| t.as_secs_f64() * 1_000.0);
    let last = times.len().saturating_sub(1);
    format!(
        "{:8.2} {:8.2} {:8.2}   of {}",
        ms(last / 2),
        ms(last * 99 / 100),
        ms(last),
        times.len()
    )
}

/// A sample of the public's questions, as a client sees them.
fn over_http(address: std::net::SocketAddr, questions: &[Question]) -> anyhow::Result<()> {
    let mut stream = connect(address)?;
    let mut times = Vec::new();
    for question in questions.iter().filter(|q| !q.insider).take(500) {
        let (path, query) = match &question.what {
            What::Turnover(query) => ("turnover", query),
            What::Flows(query) => ("flows", query),
            What::Rankings(query) => ("rankings", query),
            What::Conversion(query) => ("local-conversion", query),
            What::Progress(_) => continue,
        };
        let query: Vec<String> = query
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)))
            .collect();
        let request = format!(
            "GET /api/v1/statistics/{path}?{} HTTP/1.1\r\nHost: x\r\n\r\n",
            query.join("&")
        );
        let started = Instant::now();
        ask_over_http(&mut stream, &request)?;
        times.push(started.elapsed());
    }
    println!("warm   {:24} {}", "over HTTP, mixed", percentiles(&mut times));
    Ok(())
}
