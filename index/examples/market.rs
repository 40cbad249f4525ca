//! Speed and floor on a whole market: `market FOLDER` with `achievements.jsonl` and `demands.jsonl`.
//! Prints the time to index, to match every demand, and how often something suitable is found.
use std::{path::Path, time::Instant};

use keshi_index::{Index, Kind, Listing, MatchRequest, PartKind};
use serde_json::Value;

fn read(path: &Path) -> Result<Vec<Value>, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(path)?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn listing(value: &Value, kind: Kind, body: &str) -> Listing {
    let keywords = value.get("keywords").and_then(Value::as_array).into_iter().flatten();
    Listing {
        text: text(value, body),
        keywords: keywords.filter_map(Value::as_str).map(str::to_owned).collect(),
        field: Some(text(value, "field")),
        owner: text(value, if kind == Kind::Demand { "firm" } else { "owner" }),
        ..Listing::new(kind, text(value, "id"), text(value, "title"))
    }
}

fn share(part: usize, whole: usize) -> usize {
    part * 1000 / whole.max(1)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: market FOLDER")?;
    let achievements = read(&Path::new(&folder).join("achievements.jsonl"))?;
    let demands = read(&Path::new(&folder).join("demands.jsonl"))?;
    let offers: Vec<Listing> =
        achievements.iter().map(|v| listing(v, Kind::Achievement, "abstract")).collect();
    let needs: Vec<Listing> =
        demands.iter().map(|v| listing(v, Kind::Demand, "description")).collect();

    let start = Instant::now();
    let index = Index::in_memory()?;
    println!("dictionary      {:?}", start.elapsed());
    let start = Instant::now();
    for listing in offers.iter().chain(&needs) {
        index.put(listing)?;
    }
    index.commit(1)?;
    println!("indexing {:>6} {:?}", index.len(), start.elapsed());

    let requests: Vec<MatchRequest> = needs.iter().map(MatchRequest::from).collect();
    let whole: Vec<MatchRequest> =
        requests.iter().map(|r| MatchRequest { include_unsuitable: true, ..r.clone() }).collect();
    for (name, asked) in [("above the floor", &requests), ("the best 20", &whole)] {
        for threads in [1, 2] {
            let start = Instant::now();
            let mut found = index.match_many(asked, threads)?;
            let matches: usize = found.iter().map(Vec::len).sum();
            let matched = start.elapsed();
            index.locate_many(&mut found, threads)?;
            println!(
                "matching, {name}, threads {threads}: {matched:?}, {matches} explained; with their places in \
                 the text {:?}",
                start.elapsed()
            );
        }
    }

    // the floor: points of the wording for true partners, and for the best of the others
    let all: Vec<MatchRequest> = requests
        .iter()
        .map(|r| MatchRequest { include_unsuitable: true, limit: 200, ..r.clone() })
        .collect();
    let (mut partner, mut others) = (Vec::new(), Vec::new());
    let mut first = 0;
    for (demand, matches) in demands.iter().zip(index.match_many(&all, 2)?) {
        let gold = demand.get("gold_achievement").and_then(Value::as_str);
        let wording = |m: &keshi_index::Match| -> f64 {
            let text = [PartKind::Words, PartKind::Characters, PartKind::Title, PartKind::Keywords];
            let parts = m.explanation.parts.iter().filter(|p| text.contains(&p.part));
            parts.map(|p| p.contribution).sum()
        };
        match gold {
            Some(id) => {
                first += usize::from(matches.first().is_some_and(|m| m.id == id));
                partner.push(matches.iter().find(|m| m.id == id).map_or(0.0, wording));
            }
            None => others.push(matches.first().map_or(0.0, wording)),
        }
    }
    println!("true partner first: {first} of {}", partner.len());
    println!("floor   true partners kept   demands without one that get a match (per mille)");
    for floor in 2..30 {
        let over = |list: &[f64]| list.iter().filter(|p| **p >= f64::from(floor)).count();
        println!(
            "{floor:>5} {:>20} {:>20}",
            share(over(&partner), partner.len()),
            share(over(&others), others.len())
        );
    }
    for request in requests.iter().take(5) {
        if let Some(best) = index.matches(request)?.first() {
            println!("{:?} -> {} ({:.1})", request.title, best.title, best.score);
            println!("  {}", best.explanation.summary(keshi_index::Lang::Zh));
            println!("  {}", best.explanation.summary(keshi_index::Lang::En));
        }
    }
    Ok(())
}
