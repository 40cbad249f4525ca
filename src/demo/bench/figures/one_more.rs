//! What one more registration costs, beside a bare commit of the same rows.
use std::time::Instant;

use anyhow::Context;
use chrono::Days;
use diesel::{RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};
use serde_json::json;

use super::super::median;
use crate::{
    Keshi, accounts,
    contracts::{
        model::Doing,
        service::{advance, draft},
    },
    kernel::{Actor, Day, Id, IfMatch, Moment, Result, Tx, of},
};

/// Rows of one registration, of which each round writes a copy.
const TABLES: [(&str, &str); 4] = [
    ("contract_versions", "contract_id"),
    ("turnover_postings", "contract_id"),
    ("contract_steps", "contract_id"),
    ("contract_clerks", "contract_id"),
];

pub fn run(keshi: &Keshi, rounds: u32) -> anyhow::Result<()> {
    let find =
        |name: &str| keshi.db.read_now(|conn| actor(conn, &format!("{name}@demo.keshi.invalid")));
    let (filer, buyer) = (find("u01")?, find("c01")?);
    let (examiner, approver) = (find("clerk1a")?, find("clerk1b")?);
    let parties = [organization(&filer)?, organization(&buyer)?, organization(&examiner)?];
    let today = Moment::now().day();
    let mut waiting = Vec::new();
    for n in 0..rounds {
        waiting.push(keshi.db.write_now(|tx| {
            let id = filed(tx, parties, &filer, today, n)?;
            advance(tx, &filer, id, IfMatch(None), Doing::Submit)?;
            let accept = serde_json::from_value(json!({}))?;
            advance(tx, &examiner, id, IfMatch(None), Doing::Accept(accept))?;
            advance(tx, &examiner, id, IfMatch(None), Doing::Review)?;
            Ok(id)
        })?);
    }
    keshi.db.write_now(|tx| {
        for (table, _) in TABLES {
            tx.batch_execute(&format!(
                "DROP TABLE IF EXISTS bare_{table}; CREATE TABLE bare_{table} AS SELECT * FROM {table} WHERE 1 = 0"
            ))?;
        }
        Ok(())
    })?;
    let (mut ours, mut bare, mut more) = (Vec::new(), Vec::new(), Vec::new());
    for id in waiting {
        let started = Instant::now();
        keshi.db.write_now(|tx| {
            advance(tx, &approver, id, IfMatch(None), Doing::Register).map(|_| ())
        })?;
        let one = started.elapsed().as_secs_f64() * 1_000.0;
        let started = Instant::now();
        keshi.db.write_now(|tx| same_rows(tx, id))?;
        let other = started.elapsed().as_secs_f64() * 1_000.0;
        ours.push(one);
        bare.push(other);
        more.push(one - other);
    }
    more.sort_by(f64::total_cmp);
    let p99 = more.get(more.len() * 99 / 100).copied().unwrap_or_default();
    println!(
        "registering one more: {:.2} ms; bare commit of the same rows: {:.2} ms; difference {:.2} ms, p99 {p99:.2} ms (of {rounds} in turn)",
        median(ours),
        median(bare),
        median(more),
    );
    Ok(())
}

fn actor(conn: &mut crate::kernel::DbConn, email: &str) -> Result<Actor> {
    accounts::actor_by_email(conn, email)?
        .ok_or_else(|| anyhow::anyhow!("nobody has the address {email}").into())
}

fn organization(actor: &Actor) -> anyhow::Result<Id<of::Organization>> {
    Ok(actor
        .memberships
        .first()
        .context("a person of the demo is a member of somebody")?
        .organization)
}

fn filed(
    tx: &mut Tx<'_>,
    [seller, buyer, registrar]: [Id<of::Organization>; 3],
    filer: &Actor,
    today: Day,
    n: u32,
) -> Result<Id<of::Contract>> {
    let signed_on = today - Days::new(10);
    let body = json!({
        "title": format!("又一份示例合同{}-{n}", Id::<of::Contract>::fresh()),
        "category": "development", "subcategory": "dev_entrusted",
        "seller": { "organization_id": seller }, "buyer": { "organization_id": buyer },
        "signed_on": signed_on, "effective_on": signed_on, "valid_to": today + Days::new(700),
        "field": "05", "ip_kinds": ["invention_patent"], "plan_source": "none",
        "objective": "industry", "industry": "C38", "payment": "installments",
        "related_party": false, "cross_border": "none",
        "lines": [{ "kind": "technology", "description": "工艺开发", "amount_fen": 10_000_000 + n }],
        "registrar_id": registrar,
    });
    Ok(draft(tx, filer, serde_json::from_value(body)?)?.id)
}

/// Writes what the registration of `id` has written once more into tables without rules, and moves the
/// contract and the journal as it did.
fn same_rows(tx: &mut Tx<'_>, id: Id<of::Contract>) -> Result<()> {
    let id = id.to_string();
    for (table, key) in TABLES {
        sql_query(format!("INSERT INTO bare_{table} SELECT * FROM {table} WHERE {key} = $1"))
            .bind::<Text, _>(&id)
            .execute(&mut **tx)?;
    }
    sql_query("UPDATE contracts SET version = version + 1 WHERE id = $1")
        .bind::<Text, _>(&id)
        .execute(&mut **tx)?;
    sql_query("UPDATE contract_cases SET disputed = disputed WHERE contract_id = $1")
        .bind::<Text, _>(&id)
        .execute(&mut **tx)?;
    sql_query(
        "INSERT INTO journal (at, actor, topic, subject, body) \
         SELECT at, actor, 'bench.bare', subject, body FROM journal WHERE subject = $1 LIMIT 1",
    )
    .bind::<Text, _>(format!("contract:{id}"))
    .execute(&mut **tx)?;
    Ok(())
}
