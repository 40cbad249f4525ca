//! Writing one achievement, durably.
use std::time::Instant;

use actix_web::HttpServer;
use diesel::{RunQueryDsl, sql_query, sql_types::Text};

use super::{ROUND, ROUNDS, ask, connect, hammer, serve, tell};
use crate::{
    Keshi,
    demo::market,
    kernel::{Config, Tx, db::DbConn},
};

pub fn run(config: &Config) -> anyhow::Result<()> {
    let keshi = Keshi::open(config.clone())?;
    let token = market::somebody_who_may_list(&keshi)?;
    let ours = {
        let keshi = keshi.clone();
        serve(move |l| {
            Ok(HttpServer::new(move || crate::app(&keshi))
                .workers(2)
                .worker_max_blocking_threads(8)
                .listen(l)?
                .run())
        })?
    };
    let body = market::LISTING_BODY;
    let request = format!(
        "POST /api/v1/achievements HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    ask(&mut connect(ours)?, &request)?;
    // the rows that one POST wrote, to be written again by hand
    let mut conn = DbConn::open(&config.database_url)?;
    sql_query("CREATE TABLE bare_achievements AS SELECT * FROM achievements WHERE 0")
        .execute(&mut conn)?;
    sql_query("CREATE UNIQUE INDEX bare_key ON bare_achievements (id)").execute(&mut conn)?;
    sql_query("CREATE INDEX bare_newest ON bare_achievements (state, created_at, id)")
        .execute(&mut conn)?;
    sql_query("CREATE INDEX bare_owner ON bare_achievements (organization_id, created_at, id)")
        .execute(&mut conn)?;
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        rates.push((hammer(ours, &request)?, bare_commits(&mut conn)?));
    }
    tell(
        "durable POST /achievements",
        "bare loop of the same rows, one transaction each",
        "commits/s",
        &rates,
    );
    Ok(())
}

/// Copies of one listing and one line of the journal, each pair in a transaction of its own.
fn bare_commits(conn: &mut DbConn) -> anyhow::Result<f64> {
    let started = Instant::now();
    let mut commits = 0u32;
    while started.elapsed() < ROUND {
        let id = uuid::Uuid::now_v7().to_string();
        Tx::run(conn, |tx| {
            sql_query(
                "INSERT INTO bare_achievements SELECT $1, organization_id, created_by, state, title, abstract, keywords, \
                 field, stage, trl, ip_kind, patents, transfer_modes, price_fen, price_negotiable, region_code, industry, \
                 chain, details, reasons, version, created_at, updated_at, published_at, expires_on \
                 FROM achievements LIMIT 1",
            )
            .bind::<Text, _>(&id)
            .execute(&mut **tx)?;
            sql_query(
                "INSERT INTO journal (at, actor, topic, subject, body) SELECT at, actor, topic, $1, body FROM journal \
                 WHERE topic = 'achievement.created' LIMIT 1",
            )
            .bind::<Text, _>(&id)
            .execute(&mut **tx)?;
            Ok(())
        })?;
        commits += 1;
    }
    Ok(f64::from(commits) / started.elapsed().as_secs_f64())
}
