//! Registered contracts as the national system wants them, and what it says of them.
use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::{
    contracts::{
        model::{
            Contract,
            national::{Different, NationalNumber, OnlyHere, OnlyThere},
        },
        rules::ContractState,
    },
    kernel::{Day, DbConn, Fen, Id, Result, Tx, Window, db::MultiBackend, of},
    markets::regions::{self, Reach},
    schema::{contracts, national_numbers as national},
};

/// States in which a contract counts as registered.
const COUNTED: [ContractState; 2] = [ContractState::Registered, ContractState::ChangePending];

/// Whose contracts are wanted.
#[derive(Debug, Clone)]
pub enum Books {
    Of(Id<of::Organization>),
    /// All whose home is in reach.
    Within(Reach),
}

/// Registered contracts of `books`, registered from `from` to `to`, in the order of their days: `limit` of
/// them after the one that is named.
pub fn registered(
    conn: &mut DbConn,
    books: &Books,
    (from, to): (Option<Day>, Option<Day>),
    after: Option<(Day, Id<of::Contract>)>,
    limit: i64,
) -> Result<Vec<Contract>> {
    let mut query = contracts::table
        .filter(contracts::state.eq_any(COUNTED))
        .filter(contracts::registered_on.is_not_null())
        .into_boxed::<MultiBackend>();
    query = match books {
        Books::Of(registrar) => query.filter(contracts::registrar_id.eq(*registrar)),
        Books::Within(Reach { like, zones }) => query.filter(
            contracts::seller_region
                .like(like.clone())
                .or(contracts::seller_region.eq_any(zones.clone()))
                // as `Contract::home` says
                .or(contracts::seller_region.eq(regions::ABROAD).and(
                    contracts::buyer_region
                        .like(like.clone())
                        .or(contracts::buyer_region.eq_any(zones.clone())),
                )),
        ),
    };
    if let Some(from) = from {
        query = query.filter(contracts::registered_on.ge(from));
    }
    if let Some(to) = to {
        query = query.filter(contracts::registered_on.le(to));
    }
    if let Some((day, id)) = after {
        let same = contracts::registered_on.eq(day).and(contracts::id.gt(id));
        query = query.filter(contracts::registered_on.gt(day).or(same));
    }
    Ok(query
        .order((contracts::registered_on, contracts::id))
        .limit(limit)
        .select(Contract::as_select())
        .load(conn)?)
}

/// The national numbers of these registration numbers.
pub fn numbers_of(conn: &mut DbConn, registrations: &[String]) -> Result<HashMap<String, String>> {
    let rows: Vec<(Option<String>, String)> = national::table
        .filter(national::registration_no.eq_any(registrations))
        .select((national::registration_no, national::national_no))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(here, there)| Some((here?, there))).collect())
}

/// Everything that the national system said of a registrar's contracts.
pub fn known(conn: &mut DbConn, registrar: Id<of::Organization>) -> Result<Vec<NationalNumber>> {
    Ok(NationalNumber::query().filter(national::registrar_id.eq(registrar)).load(conn)?)
}

/// The totals of those of `registrations` that are registered by this registrar.
pub fn totals_of(
    conn: &mut DbConn,
    registrar: Id<of::Organization>,
    registrations: &[&str],
) -> Result<HashMap<String, Fen>> {
    let mut found = HashMap::new();
    // a statement takes some tens of thousands of values at the most
    for some in registrations.chunks(5_000) {
        let rows: Vec<(Option<String>, Fen)> = contracts::table
            .filter(contracts::registration_no.eq_any(some))
            .filter(contracts::registrar_id.eq(registrar))
            .filter(contracts::state.eq_any(COUNTED))
            .select((contracts::registration_no, contracts::total_fen))
            .load(conn)?;
        found.extend(rows.into_iter().filter_map(|(no, total)| Some((no?, total))));
    }
    Ok(found)
}

pub fn insert(
    tx: &mut Tx<'_>,
    registrar: Id<of::Organization>,
    by: Id<of::Account>,
    number: &NationalNumber,
) -> Result<()> {
    let row = (
        national::registrar_id.eq(registrar),
        national::national_no.eq(&number.national_no),
        national::year.eq(number.year),
        national::registration_no.eq(&number.registration_no),
        national::total_fen.eq(number.total_fen),
        national::told_on.eq(number.told_on),
        national::told_by.eq(by),
        national::updated_at.eq(tx.now()),
    );
    diesel::insert_into(national::table).values(row).execute(&mut **tx)?;
    Ok(())
}

pub fn update(
    tx: &mut Tx<'_>,
    registrar: Id<of::Organization>,
    by: Id<of::Account>,
    number: &NationalNumber,
) -> Result<()> {
    diesel::update(national::table.find((registrar, &number.national_no)))
        .set((
            national::year.eq(number.year),
            national::registration_no.eq(&number.registration_no),
            national::total_fen.eq(number.total_fen),
            national::told_on.eq(number.told_on),
            national::told_by.eq(by),
            national::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    Ok(())
}

/// A registrar's year.
#[derive(Debug, Clone, Copy)]
pub struct BookYear {
    pub registrar: Id<of::Organization>,
    pub year: i32,
}

impl BookYear {
    fn days(self) -> (Day, Day) {
        let day = |m, d| NaiveDate::from_ymd_opt(self.year, m, d).unwrap_or_default();
        (day(1, 1), day(12, 31))
    }
}

type Listed<T> = (Vec<T>, i64);

/// Registered here in the year, and the national system has said nothing of them.
pub fn only_here(
    conn: &mut DbConn,
    of: BookYear,
    window: &Window<String>,
) -> Result<Listed<OnlyHere>> {
    let (first, last) = of.days();
    let all = || {
        let told = national::table
            .filter(national::registrar_id.eq(of.registrar))
            .filter(national::registration_no.is_not_null())
            .select(national::registration_no);
        contracts::table
            .filter(contracts::registrar_id.eq(of.registrar))
            .filter(contracts::state.eq_any(COUNTED))
            .filter(contracts::registered_on.between(first, last))
            .filter(contracts::registration_no.ne_all(told))
            .into_boxed::<MultiBackend>()
    };
    let total = all().count().get_result(conn)?;
    let mut query = all();
    if let Some(after) = &window.after {
        query = query.filter(contracts::registration_no.gt(after));
    }
    type Row = (Id<of::Contract>, Option<String>, String, Fen, Option<Day>);
    let rows: Vec<Row> = query
        .order(contracts::registration_no)
        .limit(window.limit.saturating_add(1))
        .select((
            contracts::id,
            contracts::registration_no,
            contracts::title,
            contracts::total_fen,
            contracts::registered_on,
        ))
        .load(conn)?;
    let item = |(contract_id, registration_no, title, total_fen, registered_on)| OnlyHere {
        contract_id,
        registration_no,
        title,
        total_fen,
        registered_on,
    };
    Ok((rows.into_iter().map(item).collect(), total))
}

/// In the national system in the year, and not registered here.
pub fn only_there(
    conn: &mut DbConn,
    of: BookYear,
    window: &Window<String>,
) -> Result<Listed<OnlyThere>> {
    let all = || {
        let here = contracts::table
            .filter(contracts::registrar_id.eq(of.registrar))
            .filter(contracts::state.eq_any(COUNTED))
            .filter(contracts::registration_no.is_not_null())
            .select(contracts::registration_no);
        let nobody = national::registration_no.is_null();
        national::table
            .filter(national::registrar_id.eq(of.registrar))
            .filter(national::year.eq(i64::from(of.year)))
            .filter(nobody.or(national::registration_no.ne_all(here)))
            .into_boxed::<MultiBackend>()
    };
    let total = all().count().get_result(conn)?;
    let mut query = all();
    if let Some(after) = &window.after {
        query = query.filter(national::national_no.gt(after));
    }
    let rows: Vec<NationalNumber> = query
        .order(national::national_no)
        .limit(window.limit.saturating_add(1))
        .select(NationalNumber::as_select())
        .load(conn)?;
    let item = |row: NationalNumber| OnlyThere {
        national_no: row.national_no,
        registration_no: row.registration_no,
        total_fen: row.total_fen,
        told_on: row.told_on,
    };
    Ok((rows.into_iter().map(item).collect(), total))
}

/// In both, with different amounts.
pub fn different(
    conn: &mut DbConn,
    of: BookYear,
    window: &Window<String>,
) -> Result<Listed<Different>> {
    let all = || {
        national::table
            .inner_join(
                contracts::table.on(contracts::registration_no
                    .eq(national::registration_no)
                    .and(contracts::registrar_id.eq(national::registrar_id))),
            )
            .filter(national::registrar_id.eq(of.registrar))
            .filter(national::year.eq(i64::from(of.year)))
            .filter(contracts::state.eq_any(COUNTED))
            .filter(contracts::total_fen.ne(national::total_fen))
    };
    let total = all().count().get_result(conn)?;
    let after = window.after.clone().unwrap_or_default();
    type Row = (Id<of::Contract>, String, Option<String>, String, Fen, Fen);
    let rows: Vec<Row> = all()
        .filter(national::national_no.gt(after))
        .order(national::national_no)
        .limit(window.limit.saturating_add(1))
        .select((
            contracts::id,
            national::national_no,
            national::registration_no,
            contracts::title,
            contracts::total_fen,
            national::total_fen,
        ))
        .load(conn)?;
    let item =
        |(contract_id, national_no, registration_no, title, total_fen, national_total_fen)| {
            Different {
                contract_id,
                national_no,
                registration_no,
                title,
                total_fen,
                national_total_fen,
            }
        };
    Ok((rows.into_iter().map(item).collect(), total))
}
