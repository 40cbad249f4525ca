//! Which postings have been counted, and the postings themselves.
use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;
use diesel::{
    dsl::{exists, sql},
    prelude::*,
    sql_types::{BigInt, Bool, Nullable, Text},
};

use crate::{
    each_db,
    insight::{model::Posting, rollups},
    kernel::{Day, DbConn, Id, Result, Tx, db::MultiBackend, of},
    schema::{figure_entries as entries, turnover_postings as postings},
};

const CHUNK: usize = 500;
/// Postings that a recount holds in memory at once.
const SLICE: i64 = 10_000;

/// The postings of `ids` that have not been counted yet.
pub fn uncounted(conn: &mut DbConn, ids: &BTreeSet<Id<of::Contract>>) -> Result<Vec<Posting>> {
    let mut found = Vec::new();
    for some in ids.iter().copied().collect::<Vec<_>>().chunks(CHUNK) {
        let counted: BTreeMap<Id<of::Contract>, i64> = entries::table
            .filter(entries::contract_id.eq_any(some))
            .select((entries::contract_id, entries::seq))
            .load(conn)?
            .into_iter()
            .collect();
        let all = Posting::query()
            .filter(postings::contract_id.eq_any(some))
            .order((postings::contract_id, postings::seq))
            .load(conn)?;
        let new = |p: &Posting| counted.get(&p.contract_id).is_none_or(|seq| p.seq > *seq);
        found.extend(all.into_iter().filter(new));
    }
    Ok(found)
}

/// Notes that `these`, in the order of their numbers, have been counted.
pub fn enter(tx: &mut Tx<'_>, these: &[Posting]) -> Result<()> {
    let last: BTreeMap<Id<of::Contract>, i64> =
        these.iter().map(|p| (p.contract_id, p.seq)).collect();
    let rows: Vec<_> = last
        .into_iter()
        .map(|(id, seq)| (entries::contract_id.eq(id), entries::seq.eq(seq)))
        .collect();
    for some in rows.chunks(CHUNK) {
        each_db!(&mut **tx, c => diesel::insert_into(entries::table)
            .values(some.to_vec())
            .on_conflict(entries::contract_id)
            .do_update()
            .set(entries::seq.eq(diesel::upsert::excluded(entries::seq)))
            .execute(c))?;
    }
    Ok(())
}

/// Notes of every contract that all its postings have been counted.
pub fn enter_all(tx: &mut Tx<'_>) -> Result<()> {
    // in the order of the key, which both tables share
    diesel::sql_query(
        "INSERT INTO figure_entries (contract_id, seq) SELECT contract_id, MAX(seq) \
         FROM turnover_postings GROUP BY contract_id",
    )
    .execute(&mut **tx)?;
    Ok(())
}

/// Which postings a recount adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    All,
    /// Those that the roll-ups have taken.
    Counted,
}

/// What a posting is that was no correction.
pub const REGISTRATION: &str = "registration";
/// In the words of the index `turnover_postings_corrections`: SQLite uses an index of some rows only where
/// the question says the same.
const CORRECTION: &str = "kind <> 'registration'";

/// Up to one slice of postings by a day, behind the last of the slice before.
macro_rules! slice {
    ($conn:expr, $day:ident, $within:expr, $which:expr, $after:expr, $($more:expr)?) => {{
        let (first, last) = $within;
        let mut query = Posting::query()$(.filter(sql::<Bool>($more)))?.into_boxed::<MultiBackend>();
        if $which == Which::Counted {
            query = query.filter(exists(
                entries::table
                    .filter(entries::contract_id.eq(postings::contract_id))
                    .filter(entries::seq.ge(postings::seq)),
            ));
        }
        let mut from: Day = first;
        if let Some((day, id, seq)) = $after {
            from = day;
            query = query.filter(
                postings::$day.gt(day).or(postings::contract_id.gt(id)).or(postings::contract_id
                    .eq(id)
                    .and(postings::seq.gt(seq))),
            );
        }
        query
            .filter(postings::$day.between(from, last))
            .order((postings::$day, postings::contract_id, postings::seq))
            .limit(SLICE)
            .load::<Posting>($conn)?
    }};
}

/// Where a slice ended.
type End = (Day, Id<of::Contract>, i64);

/// Gives every posting of a contract that was registered between two days to `take`.
pub fn each_registered(
    conn: &mut DbConn,
    within: (Day, Day),
    which: Which,
    mut take: impl FnMut(&Posting) -> Result<()>,
) -> Result<()> {
    let mut after: Option<End> = None;
    loop {
        let some = slice!(conn, registered_on, within, which, after,);
        let Some(end) = some.last() else { return Ok(()) };
        after = Some((end.registered_on, end.contract_id, end.seq));
        some.iter().try_for_each(&mut take)?;
    }
}

/// Gives every correction that was made between two days to `take`.
pub fn each_correction(
    conn: &mut DbConn,
    within: (Day, Day),
    which: Which,
    mut take: impl FnMut(&Posting) -> Result<()>,
) -> Result<()> {
    let mut after: Option<End> = None;
    loop {
        let some = slice!(conn, posted_on, within, which, after, CORRECTION);
        let Some(end) = some.last() else { return Ok(()) };
        after = Some((end.posted_on, end.contract_id, end.seq));
        some.iter().try_for_each(&mut take)?;
    }
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    contract_id: Id<of::Contract>,
}

/// The postings that have not been counted, by their keys: both tables are read along them, and nothing
/// is gathered.
const UNCOUNTED: &str = "SELECT p.contract_id FROM turnover_postings p \
    LEFT JOIN figure_entries e ON e.contract_id = p.contract_id WHERE (e.seq IS NULL OR e.seq < p.seq)";

/// Whether there are postings that have not been counted.
pub fn any_uncounted(conn: &mut DbConn) -> Result<bool> {
    let found: Option<Named> =
        diesel::sql_query(format!("{UNCOUNTED} LIMIT 1")).get_result(conn).optional()?;
    Ok(found.is_some())
}

/// The first contract with a posting that was not counted, though every event that names it has been taken:
/// none after `position`, and none that is not sealed yet.
pub fn missed(conn: &mut DbConn, position: i64) -> Result<Option<Id<of::Contract>>> {
    let topics = rollups::TOPICS.map(|topic| format!("'{topic}'")).join(", ");
    let found: Option<Named> = diesel::sql_query(format!(
        "{UNCOUNTED} AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.subject = 'contract:' || p.contract_id \
         AND j.topic IN ({topics}) AND (j.position IS NULL OR j.position > $1)) \
         ORDER BY p.contract_id LIMIT 1"
    ))
    .bind::<BigInt, _>(position)
    .get_result(conn)
    .optional()?;
    Ok(found.map(|row| row.contract_id))
}

/// How many contracts have been counted.
pub fn count_entries(conn: &mut DbConn) -> Result<i64> {
    Ok(entries::table.count().get_result(conn)?)
}

/// The first contract whose postings do not add up to what it stands registered with.
pub fn misposted(conn: &mut DbConn) -> Result<Option<(String, i64, i64)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        id: String,
        #[diesel(sql_type = Nullable<BigInt>)]
        posted: Option<i64>,
        #[diesel(sql_type = BigInt)]
        stands: i64,
    }
    // while a change or an objection is being decided, what stood before it stays counted; contract by
    // contract along the key, for a grouped table of all postings would have to be kept somewhere
    let row: Option<Row> = diesel::sql_query(
        "SELECT id, posted, stands FROM (SELECT c.id AS id, \
         CASE WHEN c.state = 'registered' THEN c.total_fen ELSE 0 END AS stands, \
         (SELECT CAST(SUM(p.sign * p.total_fen) AS BIGINT) FROM turnover_postings p \
         WHERE p.contract_id = c.id) AS posted \
         FROM contracts c WHERE c.state NOT IN ('change_pending', 'objection')) t \
         WHERE COALESCE(posted, 0) <> stands ORDER BY id LIMIT 1",
    )
    .get_result(conn)
    .optional()?;
    Ok(row.map(|r| (r.id, r.posted.unwrap_or(0), r.stands)))
}

/// Every year from that of the first posting to that of the last.
pub fn years_posted(conn: &mut DbConn) -> Result<BTreeSet<i32>> {
    // one question for each end: SQLite finds an end in an index only where it is all that is asked
    let corrections =
        || postings::table.filter(sql::<Bool>(CORRECTION)).select(postings::posted_on);
    let registered = || postings::table.select(postings::registered_on);
    let ends: [Option<Day>; 4] = [
        registered().order(postings::registered_on).first(conn).optional()?,
        registered().order(postings::registered_on.desc()).first(conn).optional()?,
        corrections().order(postings::posted_on).first(conn).optional()?,
        corrections().order(postings::posted_on.desc()).first(conn).optional()?,
    ];
    let years = || ends.iter().flatten().map(Datelike::year);
    Ok(years()
        .min()
        .zip(years().max())
        .map(|(first, last)| (first..=last).collect())
        .unwrap_or_default())
}
