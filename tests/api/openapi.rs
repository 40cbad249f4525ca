//! Promises about the document that clients read: complete, consistent, and changed only on purpose.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::{Value, json};

const PROBLEM: &str = "#/components/schemas/Problem";

pub fn document() -> Value {
    serde_json::from_str(&keshi::openapi::document().to_json().unwrap()).unwrap()
}

/// One call: its method, path and description.
pub struct Call {
    pub verb: String,
    pub path: String,
    pub about: Value,
}

impl Call {
    pub fn name(&self) -> String {
        format!("{} {}", self.verb.to_uppercase(), self.path)
    }
    /// Whether a caller without any token may ask.
    pub fn open(&self) -> bool {
        let ways = self.about["security"].as_array();
        ways.is_some_and(|ways| ways.iter().any(|w| w.as_object().is_some_and(|w| w.is_empty())))
    }
}

pub fn calls() -> Vec<Call> {
    let doc = document();
    let mut all = Vec::new();
    for (path, verbs) in doc["paths"].as_object().unwrap() {
        for (verb, about) in verbs.as_object().unwrap() {
            all.push(Call { verb: verb.clone(), path: path.clone(), about: about.clone() });
        }
    }
    assert!(all.len() > 60, "only {} calls were seen", all.len());
    all
}

#[test]
fn the_document_changes_on_purpose_only() {
    let mut doc = document();
    doc["info"]["version"] = json!("…");
    insta::assert_snapshot!(serde_json::to_string_pretty(&doc).unwrap());
}

/// What a reader of the document would miss about `call`.
fn gaps(call: &Call, doc: &Value) -> Vec<String> {
    let about = &call.about;
    let mut gaps = Vec::new();
    let mut want = |fine: bool, what: &str| {
        if !fine {
            gaps.push(format!("{}: {what}", call.name()));
        }
    };
    want(about["summary"].as_str().is_some_and(|s| !s.is_empty()), "no summary");
    want(about["tags"].as_array().is_some_and(|t| t.len() == 1), "not exactly one tag");
    want(about["security"].is_array(), "says nothing about security");
    let answers = about["responses"].as_object().unwrap();
    want(answers.keys().any(|status| status.starts_with('2')), "no 2xx");
    if !call.open() && call.path.starts_with("/api/") {
        want(answers.contains_key("401"), "no 401, and it is not open to all");
    }
    if call.path.contains("{id}") {
        want(answers.contains_key("404"), "no 404, and its path has {id}");
        let id = |p: &Value| p["name"] == "id" && p["in"] == "path" && p["required"] == true;
        want(
            about["parameters"].as_array().is_some_and(|p| p.iter().any(id)),
            "{id} is not described",
        );
    }
    if let Some(content) = about["requestBody"]["content"].as_object() {
        want(answers.contains_key("422"), "no 422, and it takes a body");
        for body in content.values() {
            let schema = resolve(&body["schema"], doc);
            want(schema["additionalProperties"] == false, "its body takes unknown fields");
        }
    }
    want(call.verb != "get" || about["requestBody"].is_null(), "a GET with a body");
    for (status, answer) in answers {
        want(answer["description"].is_string(), &format!("{status} has no description"));
        if status.starts_with('4') {
            let content = answer["content"].as_object();
            let problem =
                content.is_some_and(|c| c.values().all(|b| b["schema"]["$ref"] == PROBLEM));
            want(problem, &format!("{status} is no Problem"));
        }
    }
    gaps
}

fn resolve<'a>(schema: &'a Value, doc: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(name) => &doc["components"]["schemas"][name.rsplit('/').next().unwrap()],
        None => schema,
    }
}

#[test]
fn every_call_is_described_in_full() {
    let doc = document();
    let all = calls();
    let found: Vec<_> = all.iter().flat_map(|call| gaps(call, &doc)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    let mut ids = BTreeSet::new();
    for call in &all {
        let id = call.about["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{}: operationId {id} is not the only one", call.name());
    }
}

#[test]
fn the_lint_sees_gaps() {
    let about = json!({
        "tags": [], "requestBody": { "content": { "application/json": { "schema": {} } } },
        "responses": { "400": { "description": "", "content": {} }, "409": { "description": "" } }
    });
    let call = Call { verb: "get".into(), path: "/api/v1/x/{id}".into(), about };
    let found = gaps(&call, &json!({}));
    assert_eq!(found.len(), 11, "{found:#?}");
}

/// Calls `see` for every `$ref` in `value`.
fn refs(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| refs(item, see)),
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                see(target);
            }
            fields.values().for_each(|field| refs(field, see));
        }
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_tag_is_described() {
    let doc = document();
    let (mut seen, mut lost) = (BTreeSet::new(), BTreeSet::new());
    refs(&doc, &mut |target| {
        if doc.pointer(target.strip_prefix('#').unwrap()).is_none() {
            lost.insert(target.to_owned());
        }
        seen.insert(target.to_owned());
    });
    assert!(lost.is_empty(), "these lead nowhere: {lost:?}");
    assert!(seen.len() > 50, "only {} references were seen", seen.len());
    let told: BTreeSet<_> = doc["tags"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|t| t["description"].as_str().is_some_and(|d| !d.is_empty()))
        .map(|t| t["name"].as_str().unwrap().to_owned())
        .collect();
    let used: BTreeSet<_> =
        calls().iter().map(|c| c.about["tags"][0].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, used);
}

/// Two types of one name would be published as one of them: the document names components by the type.
#[test]
fn no_two_types_are_published_under_one_name() {
    let mut places = BTreeMap::<String, Vec<String>>::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut places);
    assert!(places.len() > 80, "only {} published types were seen", places.len());
    let doc = document();
    let components = doc["components"]["schemas"].as_object().unwrap();
    // a code list that only programs use is published nowhere
    let twice: Vec<_> =
        places.iter().filter(|(name, at)| at.len() > 1 && components.contains_key(*name)).collect();
    assert!(twice.is_empty(), "{twice:#?}");
}

fn gather(dir: &Path, places: &mut BTreeMap<String, Vec<String>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, places);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // types of tests are published nowhere
            let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
            for name in published(text) {
                places.entry(name).or_default().push(path.display().to_string());
            }
        }
    }
}

/// Names of the types of `text` that derive `ToSchema` or are code lists.
fn published(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut pending, mut renamed) = (false, None);
    for line in text.lines().map(str::trim) {
        if line.starts_with("codes! {")
            || (line.starts_with("#[derive(") && line.contains("ToSchema"))
        {
            (pending, renamed) = (true, None);
        } else if line.ends_with("utoipa::ToSchema,") || line == "ToSchema," {
            pending = true; // a derive over several lines
        } else if let Some((_, name)) = line.split_once("schema(as = ") {
            renamed = Some(word(name));
        } else if pending {
            let line = line.trim_start_matches("pub(super) ").trim_start_matches("pub(crate) ");
            let line = line.trim_start_matches("pub ");
            if let Some(name) = line.strip_prefix("struct ").or_else(|| line.strip_prefix("enum "))
            {
                names.push(renamed.take().unwrap_or_else(|| word(name)));
                pending = false;
            }
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn published_types_are_found() {
    let text = "#[derive(Debug, utoipa::ToSchema)]\n/// x\npub struct A {}\nstruct B;\ncodes! {\n/// x\npub enum C {\n\
        #[derive(utoipa::ToSchema)]\n#[schema(as = E)]\nstruct D<T>(T);";
    assert_eq!(published(text), ["A", "C", "E"]);
}
