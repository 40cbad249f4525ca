//! From the journal to the queue: which event tells whom what.
use serde_json::{Value, json};

use crate::{
    accounts::{
        self,
        model::{LinkPurpose, Person},
    },
    achievements, contracts,
    deals::{
        self,
        model::{AskedBy, MatchRequest},
    },
    demands,
    kernel::{
        Code, Config, Db, DbConn, Error, Id, Lang, Result, Tx,
        journal::{self, Consumer, Event},
        of,
    },
    notices::{
        model::{Letter, Params, Sender, Template},
        rules, store,
    },
};

const NAME: &str = "notices";

/// Follows the journal and writes mails.
pub struct Postman {
    /// The right side of every `Message-ID`.
    domain: String,
}

impl Postman {
    /// The sender is checked where the post is opened, before anything is written.
    pub fn new(config: &Config) -> Self {
        let domain = Sender::of(config).map_or("keshi.invalid".into(), |s| s.domain().to_owned());
        Self { domain }
    }

    /// Writes what `event` wants to tell, unless it has been written before. One-time links are made
    /// here, so that their life begins with the mail and no other row ever holds them.
    fn write(&self, tx: &mut Tx<'_>, event: &Event) -> Result<()> {
        for (mut letter, purpose) in letters_of(tx, event)? {
            if store::is_known(tx, event.position(), &letter)? {
                continue;
            }
            if let Some(purpose) = purpose {
                let token = accounts::mint_link(tx, letter.to.id, purpose)?;
                letter.params.insert("token".into(), token.into());
                letter.params.insert("good_for".into(), purpose.good_for_seconds().into());
            }
            store::insert(tx, event.position(), &self.domain, letter)?;
        }
        Ok(())
    }
}

impl Consumer for Postman {
    fn name(&self) -> &'static str {
        NAME
    }

    fn position(&self, db: &Db) -> Result<i64> {
        db.read_now(|conn| journal::cursor(conn, NAME))
    }

    fn take(&mut self, db: &Db, events: &[Event]) -> Result<()> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
        let done = db.write_now(|tx| {
            // first, because it locks the row: a node that comes second stops here
            journal::advance(tx, NAME, first.position() - 1, last.position())?;
            events.iter().try_for_each(|event| self.write(tx, event))
        });
        match done {
            Err(Error::Conflict { code: "cursor_moved", .. }) => Ok(()),
            done => done,
        }
    }
}

/// Tells nobody about what has been sealed so far: for histories that are loaded. Answers how many
/// events were passed over.
pub fn pass_over(tx: &mut Tx<'_>) -> Result<i64> {
    let from = journal::cursor(tx, NAME)?;
    let (to, _) = journal::head(tx)?;
    if to > from {
        journal::advance(tx, NAME, from, to)?;
    }
    Ok(to - from)
}

type Wanted = Vec<(Letter, Option<LinkPurpose>)>;

/// Whom an event tells what. The event names the thing; what it is now is read again.
fn letters_of(conn: &mut DbConn, event: &Event) -> Result<Wanted> {
    let Some((kind, what)) = event.topic.split_once('.') else { return Ok(Vec::new()) };
    match (kind, what) {
        ("account", _) => account_letters(conn, event, what),
        ("organization", "verified" | "rejected" | "suspended") => {
            let Some(id) = event.subject_id("organization") else { return Ok(Vec::new()) };
            organization_letters(conn, event, id, what)
        }
        ("achievement" | "demand", "published" | "returned" | "suspended") => {
            listing_letters(conn, event, kind, what)
        }
        ("match_request", "requested" | "accepted" | "declined" | "expired") => {
            match_letters(conn, event, what)
        }
        ("contract", "submitted" | "accepted" | "refused" | "registered") => {
            contract_letters(conn, event, what)
        }
        _ => Ok(Vec::new()),
    }
}

fn account_letters(conn: &mut DbConn, event: &Event, what: &str) -> Result<Wanted> {
    let (template, purpose) = match what {
        "registered" | "verification_requested" => {
            (Template::VerifyEmail, LinkPurpose::VerifyEmail)
        }
        "password_reset_requested" => (Template::ResetPassword, LinkPurpose::ResetPassword),
        "invited" => (Template::Invitation, LinkPurpose::AcceptInvitation),
        _ => return Ok(Vec::new()),
    };
    let Some(id) = event.subject_id("account") else { return Ok(Vec::new()) };
    let Some(to) = accounts::person(conn, id)? else { return Ok(Vec::new()) };
    if purpose == LinkPurpose::VerifyEmail && to.email_verified_at.is_some() {
        return Ok(Vec::new());
    }
    let mut params = Params::new();
    if template == Template::Invitation {
        let body = event.body()?;
        let id = body.get("organization").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let Some(id) = id else { return Ok(Vec::new()) };
        let Some(inviting) = accounts::organization(conn, id)? else { return Ok(Vec::new()) };
        params.insert("organization".into(), inviting.name.into());
    }
    Ok(vec![(Letter { to, template, params }, Some(purpose))])
}

fn organization_letters(
    conn: &mut DbConn,
    event: &Event,
    id: Id<of::Organization>,
    outcome: &str,
) -> Result<Wanted> {
    let Some(organization) = accounts::organization(conn, id)? else { return Ok(Vec::new()) };
    let people = rules::admins(accounts::members(conn, id)?);
    let params = json!({
        "outcome": outcome,
        "id": id,
        "name": organization.name,
        "reason": organization.reason,
    });
    Ok(news(event, people, Template::Organization, |_| params.clone()))
}

fn listing_letters(conn: &mut DbConn, event: &Event, kind: &str, outcome: &str) -> Result<Wanted> {
    let found = match kind {
        "achievement" => match event.subject_id("achievement") {
            Some(id) => achievements::find(conn, id)?
                .map(|a| (a.organization_id, a.created_by, a.title, a.reasons.into_inner())),
            None => None,
        },
        _ => match event.subject_id("demand") {
            Some(id) => demands::find(conn, id)?
                .map(|d| (d.organization_id, d.created_by, d.title, d.reasons.into_inner())),
            None => None,
        },
    };
    let Some((owner, author, title, reasons)) = found else { return Ok(Vec::new()) };
    let people = rules::authors(accounts::members(conn, owner)?, author);
    let id = event.subject.split(':').nth(1);
    let params = json!({
        "outcome": outcome, "kind": kind, "id": id, "title": title, "reasons": reasons,
    });
    Ok(news(event, people, Template::Listing, |_| params.clone()))
}

/// A request goes to whoever is asked, an answer to whoever asked. No organization is named: the
/// owner of a demand may be hidden from the other side.
fn match_letters(conn: &mut DbConn, event: &Event, what: &str) -> Result<Wanted> {
    let Some(id) = event.subject_id("match_request") else { return Ok(Vec::new()) };
    let Some(request) = deals::find_request(conn, id)? else { return Ok(Vec::new()) };
    let Some(demand) = demands::find(conn, request.demand_id)? else { return Ok(Vec::new()) };
    let Some(achievement) = achievements::find(conn, request.achievement_id)? else {
        return Ok(Vec::new());
    };
    if what == "requested" {
        let mut wanted = Vec::new();
        for (side, owner, title) in [
            (AskedBy::Achievement, request.demand_organization_id, &demand.title),
            (AskedBy::Demand, request.achievement_organization_id, &achievement.title),
        ] {
            if request.side != AskedBy::Broker && request.side != side {
                continue;
            }
            let people = rules::people(accounts::members(conn, owner)?);
            wanted.extend(news(event, people, Template::MatchRequested, |_| {
                json!({
                    "id": id, "title": title,
                    "demand": demand.title, "achievement": achievement.title,
                    "respond_by": request.respond_by.day(),
                })
            }));
        }
        return Ok(wanted);
    }
    // one of two owners agreeing to a broker's request is no answer yet
    let is_whole = event.body()?.get("state").and_then(Value::as_str) == Some("accepted");
    if what == "accepted" && !is_whole {
        return Ok(Vec::new());
    }
    let people = askers(conn, &request)?;
    let title = match request.side {
        AskedBy::Achievement => &demand.title,
        AskedBy::Demand | AskedBy::Broker => &achievement.title,
    };
    Ok(news(event, people, Template::MatchAnswered, |person| {
        let reason = request.reason.map(|reason| match person.lang {
            Lang::Zh => reason.zh(),
            Lang::En => reason.en(),
        });
        json!({
            "outcome": what, "id": id, "title": title,
            "demand": demand.title, "achievement": achievement.title,
            "reason": reason, "deal_id": request.deal_id,
        })
    }))
}

/// Who hears the answer to a request: the person who asked, or who speaks for the house now.
fn askers(conn: &mut DbConn, request: &MatchRequest) -> Result<Vec<Person>> {
    let house = match request.side {
        AskedBy::Demand => request.demand_organization_id,
        AskedBy::Achievement => request.achievement_organization_id,
        AskedBy::Broker => {
            return Ok(accounts::person(conn, request.requested_by)?.into_iter().collect());
        }
    };
    Ok(rules::authors(accounts::members(conn, house)?, request.requested_by))
}

/// A submission goes to the clerks of the registrar; what they decide to whoever filed the contract
/// and its seller, and a registration to the buyer too.
fn contract_letters(conn: &mut DbConn, event: &Event, outcome: &str) -> Result<Wanted> {
    let Some(id) = event.subject_id("contract") else { return Ok(Vec::new()) };
    let Some(contract) = contracts::find(conn, id)? else { return Ok(Vec::new()) };
    let people = if outcome == "submitted" {
        rules::people(accounts::members(conn, contract.registrar_id)?)
    } else {
        let buyer = contract.buyer_organization_id.filter(|_| outcome == "registered");
        let mut people = Vec::new();
        for house in
            [contract.filer_id, contract.seller_organization_id, buyer].into_iter().flatten()
        {
            people.extend(rules::admins(accounts::members(conn, house)?));
        }
        // one mail each, also for whoever speaks for two of them
        people.sort_by_key(|person: &Person| person.id);
        people.dedup_by_key(|person| person.id);
        people
    };
    Ok(news(event, people, Template::Contract, |_| {
        json!({
            "outcome": outcome, "id": id, "title": contract.title,
            "reason": contract.grounds, "registration_no": contract.registration_no,
        })
    }))
}

/// A letter for each of `people` who is to be told.
fn news(
    event: &Event,
    people: Vec<Person>,
    template: Template,
    params: impl Fn(&Person) -> Value,
) -> Wanted {
    people
        .into_iter()
        .filter(|person| rules::is_told(person, &event.actor))
        .map(|to| {
            let params = params(&to).as_object().cloned().unwrap_or_default();
            (Letter { to, template, params }, None)
        })
        .collect()
}
