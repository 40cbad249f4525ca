//! The funnel: who is in it, how long steps take while some cases are open, and what the public sees.
use keshi::kernel::{Id, OrganizationKind, of};
use serde_json::{Value, json};

use crate::support::{House, TestApp};

/// Rows of listings, requests and deals with times of their own.
struct Past<'a> {
    app: &'a TestApp,
    university: House,
    company: House,
}

impl<'a> Past<'a> {
    async fn of(app: &'a TestApp) -> Self {
        let university = app.house(OrganizationKind::University, "210106").await;
        let company = app.house(OrganizationKind::Company, "210200").await;
        Self { app, university, company }
    }

    fn member(house: &House) -> String {
        format!("(SELECT MIN(account_id) FROM memberships WHERE organization_id = '{}')", house.id)
    }

    /// An achievement of 2025 in Shenyang that went public on a day.
    fn achievement(&self, field: &str, published: &str, gone: Option<&str>) -> String {
        let id: Id<of::Achievement> = Id::fresh();
        let (state, updated) = gone.map_or(("published", published), |gone| ("withdrawn", gone));
        self.app.tamper(&format!(
            "INSERT INTO achievements (id, organization_id, created_by, state, title, abstract, \
             keywords, field, stage, trl, patents, transfer_modes, price_negotiable, region_code, \
             reasons, version, created_at, updated_at, published_at, held) VALUES ('{id}', '{}', {}, \
             '{state}', '镁碳砖', '摘要', '[]', '{field}', 'pilot', 5, '[]', '[]', TRUE, '210106', \
             '[]', 1, '{published}', '{updated}', '{published}', FALSE)",
            self.university.id,
            Self::member(&self.university),
        ));
        id.to_string()
    }

    fn demand(&self, published: &str) -> String {
        let id: Id<of::Demand> = Id::fresh();
        self.app.tamper(&format!(
            "INSERT INTO demands (id, organization_id, created_by, state, title, description, \
             keywords, field, kind, cooperation_modes, indicators, budget_negotiable, region_code, \
             visibility, broker_ids, reasons, version, created_at, updated_at, published_at, held) \
             VALUES ('{id}', '{}', {}, 'published', '炉衬', '描述', '[]', '05', 'other', '[]', '[]', \
             TRUE, '210200', 'public', '[]', '[]', 1, '{published}', '{published}', '{published}', \
             FALSE)",
            self.company.id,
            Self::member(&self.company),
        ));
        id.to_string()
    }

    /// A request about `achievement` for a demand of its own: asked, then `state` at a time.
    fn request(
        &self,
        achievement: &str,
        asked: &str,
        state: &str,
        at: &str,
        deal: Option<&str>,
    ) -> String {
        let (id, demand): (Id<of::MatchRequest>, _) = (Id::fresh(), self.demand(asked));
        let deal = deal.map_or("NULL".to_owned(), |deal| format!("'{deal}'"));
        let reason = if state == "declined" { "'price', 'achievement'" } else { "NULL, NULL" };
        self.app.tamper(&format!(
            "INSERT INTO match_requests (id, demand_id, achievement_id, demand_organization_id, \
             achievement_organization_id, demand_region_code, achievement_region_code, requested_by, \
             side, message, state, reason, declined_side, respond_by, deal_id, version, created_at, \
             updated_at) VALUES ('{id}', '{demand}', '{achievement}', '{}', '{}', '210200', '210106', \
             {}, 'demand', '请联系', '{state}', {reason}, '{at}', {deal}, 1, '{asked}', '{at}')",
            self.company.id,
            self.university.id,
            Self::member(&self.company),
        ));
        id.to_string()
    }

    /// A request that was accepted: the deal's state, and when it came to an intent, a contract, a
    /// registration, an end.
    fn deal(&self, achievement: &str, asked: &str, accepted: &str, state: &str, times: [&str; 4]) {
        let deal: Id<of::Deal> = Id::fresh();
        let request = self.request(achievement, asked, "accepted", accepted, Some(deal.as_str()));
        let contract: Id<of::Contract> = Id::fresh();
        let contract = if matches!(state, "contracted" | "registered") {
            format!("'{contract}'")
        } else {
            "NULL".to_owned()
        };
        let reason = if state == "closed" { "'other'" } else { "NULL" };
        let time = |at: &str| if at.is_empty() { "NULL".to_owned() } else { format!("'{at}'") };
        let [intent, contracted, registered, closed] = times.map(time);
        self.app.tamper(&format!(
            "INSERT INTO deals (id, match_request_id, demand_id, achievement_id, \
             buyer_organization_id, seller_organization_id, buyer_region_code, seller_region_code, \
             state, reason, contract_id, intent_at, contracted_at, registered_at, closed_at, version, \
             created_at, updated_at) SELECT '{deal}', id, demand_id, achievement_id, \
             demand_organization_id, achievement_organization_id, '210200', '210106', '{state}', \
             {reason}, {contract}, {intent}, {contracted}, {registered}, {closed}, 1, '{accepted}', \
             '{accepted}' FROM match_requests WHERE id = '{request}'"
        ));
    }

    /// Five listings and seven requests of 2025.
    fn tell(&self) {
        let a: Vec<String> = (1..=4)
            .map(|n| self.achievement("05", &format!("2025-01-1{n} 00:00:00"), None))
            .collect();
        self.achievement("01", "2025-01-20 00:00:00", Some("2025-01-30 00:00:00"));
        let (asked, done) = ("2025-02-01 00:00:00", "registered");
        let times = ["2025-02-13 00:00:00", "2025-03-05 00:00:00", "2025-03-10 00:00:00", ""];
        self.deal(&a[0], asked, "2025-02-03 00:00:00", done, times);
        let times = ["2025-03-01 00:00:00", "", "", "2025-04-01 00:00:00"];
        self.deal(&a[1], asked, "2025-02-05 00:00:00", "closed", times);
        // straight to the contract
        let times = ["", "2025-02-27 00:00:00", "", ""];
        self.deal(&a[2], asked, "2025-02-07 00:00:00", "contracted", times);
        let late = "2025-03-01 00:00:00";
        self.request(&a[0], late, "declined", "2025-03-04 00:00:00", None);
        self.request(&a[1], late, "expired", "2025-03-15 00:00:00", None);
        self.request(&a[1], "2025-12-30 00:00:00", "requested", "2025-12-30 00:00:00", None);
        // accepted after the year is over: in the year it is still open
        let asked = "2025-02-10 00:00:00";
        self.deal(&a[0], asked, "2026-01-05 00:00:00", "negotiating", [""; 4]);
    }
}

const YEAR: &str = "/statistics/funnel?region=210000&from=2025-01&to=2025-12&as_of=2025-12-31";

fn counts(funnel: &Value) -> Vec<Option<i64>> {
    funnel["stages"].as_array().unwrap().iter().map(|s| s["count"].as_i64()).collect()
}

fn step<'a>(funnel: &'a Value, to: &str) -> &'a Value {
    funnel["steps"].as_array().unwrap().iter().find(|s| s["to"] == to).unwrap()
}

/// Fields of a step, as JSON.
fn told(funnel: &Value, to: &str, fields: &[&str]) -> Value {
    fields.iter().map(|field| step(funnel, to)[*field].clone()).collect()
}

#[actix_web::test]
async fn every_step_has_its_cases_and_its_time() {
    let app = TestApp::start().await;
    Past::of(&app).await.tell();
    let operator = app.operator("210000").await;
    let funnel = operator.get(YEAR).await.ok();
    assert_eq!(counts(&funnel), [5, 7, 3, 3, 2, 1].map(Some));
    let fields = ["entered", "reached", "rate", "ended", "open", "skipped", "timed"];
    let parts = |to| told(&funnel, to, &fields);
    // one listing was withdrawn before anybody asked, one waits
    assert_eq!(parts("requests"), json!([5, 3, 0.6, 1, 1, 0, 3]));
    // one was declined, one expired; one is open, and one was accepted only after the last day
    assert_eq!(parts("accepted"), json!([7, 3, 0.4286, 2, 2, 0, 3]));
    assert_eq!(parts("intents"), json!([3, 3, 1, 0, 0, 1, 2]));
    assert_eq!(parts("contracts"), json!([3, 2, 0.6667, 1, 0, 0, 1]));
    assert_eq!(parts("registered"), json!([2, 1, 0.5, 0, 1, 0, 1]));
    let days = |to| told(&funnel, to, &["median_days", "p90_days"]);
    assert_eq!(days("requests"), json!([20, null]), "19, 20 and 21 days; one still waits");
    // accepted after 2, 4 and 6 days: 1/2 of all by then, and at most 1/6 may follow
    assert_eq!(days("accepted"), json!([4, null]));
    assert_eq!(days("intents"), json!([10, 24]));
    assert_eq!(days("contracts"), json!([20, 20]));
    assert_eq!(days("registered"), json!([5, null]), "the other one may still be registered");

    // a year later the last one has been accepted
    let later = operator.get(&YEAR.replace("as_of=2025-12-31", "as_of=2026-01-31")).await.ok();
    assert_eq!(told(&later, "accepted", &["reached", "open"]), json!([4, 1]));
    let again = operator.get(YEAR).await.ok();
    assert_eq!(again["digest"], funnel["digest"]);
    assert_ne!(later["digest"], funnel["digest"]);

    // the same from the other side, and by field
    let absorbed = operator.get(&format!("{YEAR}&flow=absorbed")).await.ok();
    assert_eq!(counts(&absorbed), [7, 7, 3, 3, 2, 1].map(Some));
    let field = operator.get(&format!("{YEAR}&field=01")).await.ok();
    assert_eq!(counts(&field), [1, 0, 0, 0, 0, 0].map(Some));
    let dalian = operator.get(&YEAR.replace("210000", "210200")).await.ok();
    assert_eq!(counts(&dalian), [0; 6].map(Some));
    let february =
        operator.get(&YEAR.replace("from=2025-01&to=2025-12", "from=2025-02&to=2025-02")).await;
    assert_eq!(counts(&february.ok()), [0, 4, 3, 3, 2, 1].map(Some));
    app.settle();
}

#[actix_web::test]
async fn the_public_sees_no_small_counts_and_nothing_that_gives_them_away() {
    let app = TestApp::start().await;
    Past::of(&app).await.tell();
    let anyone = app.visitor();
    let year = anyone.get(YEAR).await.ok();
    let few = [Some(5), Some(7), Some(3), Some(3), None, None];
    assert_eq!(counts(&year), few);
    assert_eq!(year["stages"][4]["suppressed"], true);
    assert_eq!(
        told(&year, "accepted", &["entered", "reached", "ended", "open"]),
        json!([7, 3, null, null])
    );
    assert_eq!(told(&year, "accepted", &["timed", "median_days"]), json!([3, 4]));
    assert_eq!(
        told(&year, "intents", &["reached", "timed", "median_days"]),
        json!([3, null, null])
    );
    assert_eq!(
        told(&year, "contracts", &["entered", "reached", "rate"]),
        json!([null, null, null])
    );
    // a month less the year, a county less its city, a field less all
    let none = [None; 6];
    let february =
        anyone.get(&YEAR.replace("from=2025-01&to=2025-12", "from=2025-02&to=2025-11")).await;
    assert_eq!(counts(&february.ok()), [Some(0), None, Some(3), Some(3), None, None]);
    let field = anyone.get(&format!("{YEAR}&field=05")).await.ok();
    assert_eq!(counts(&field)[0], None, "the other field has a single listing");
    let city_and_field =
        anyone.get(&format!("{}&field=05", YEAR.replace("210000", "210100"))).await;
    assert_eq!(counts(&city_and_field.ok()), none);
    // days of a month that is over are not cut
    let day = anyone.get(&YEAR.replace("2025-12-31", "2025-12-15")).await.ok();
    assert_eq!(day["query"]["as_of"], "2025-11-30");
    // who oversees another region is public here
    let elsewhere = app.operator("210200").await;
    assert_eq!(counts(&elsewhere.get(YEAR).await.ok()), few);
    app.settle();
}

#[actix_web::test]
async fn faulty_questions_are_refused_at_once() {
    let app = TestApp::start().await;
    let faulty = "/statistics/funnel?region=999999&from=2010-01&to=2025-12&flow=local&field=12&as_of=2025-02-30";
    app.visitor().get(faulty).await.faults(&[
        "region unknown_region",
        "field not_in_list",
        "flow not_in_list",
        "to span_too_long",
        "as_of bad_day",
    ]);
    let empty = app.visitor().get("/statistics/funnel").await.ok();
    assert_eq!(counts(&empty), [0; 6].map(Some));
    assert_eq!(empty["steps"][0]["rate"], Value::Null);
    app.settle();
}
