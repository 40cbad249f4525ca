//! Targets in the database.
use diesel::prelude::*;

use crate::{
    insight::{
        decimal::Decimal,
        indicators::Indicator,
        model::{NewTarget, Target},
    },
    kernel::{After, DbConn, Id, JsonText, Region, Result, Tx, Window, db::MultiBackend, of},
    schema::targets,
};

pub fn find(conn: &mut DbConn, id: Id<of::Target>) -> Result<Option<Target>> {
    Ok(Target::query().filter(targets::id.eq(id)).first(conn).optional()?)
}

/// What a list of targets is narrowed to.
pub struct Wanted {
    pub region: Option<Region>,
    pub indicator: Option<Indicator>,
    pub year: Option<i64>,
}

/// Targets, newest first, one more than the window asks for, and how many there are in all.
pub fn list(
    conn: &mut DbConn,
    wanted: &Wanted,
    window: &Window<After<of::Target>>,
) -> Result<(Vec<Target>, i64)> {
    macro_rules! narrowed {
        ($query:expr) => {{
            let mut query = $query.into_boxed::<MultiBackend>();
            if let Some(region) = &wanted.region {
                query = query.filter(targets::region_code.eq(region));
            }
            if let Some(indicator) = wanted.indicator {
                query = query.filter(targets::indicator.eq(indicator));
            }
            if let Some(year) = wanted.year {
                query = query.filter(targets::first_year.le(year).and(targets::last_year.ge(year)));
            }
            query
        }};
    }
    let total = narrowed!(targets::table).count().get_result(conn)?;
    let mut query = narrowed!(Target::query());
    if let Some(after) = &window.after {
        query = query.filter(
            targets::created_at
                .lt(after.at)
                .or(targets::created_at.eq(after.at).and(targets::id.lt(after.id))),
        );
    }
    let rows = query
        .order((targets::created_at.desc(), targets::id.desc()))
        .limit(window.limit + 1)
        .load(conn)?;
    Ok((rows, total))
}

/// The targets of a region whose period holds a year, in the order of their papers.
pub fn in_force(conn: &mut DbConn, region: &Region, year: i64) -> Result<Vec<Target>> {
    Ok(Target::query()
        .filter(targets::region_code.eq(region))
        .filter(targets::first_year.le(year).and(targets::last_year.ge(year)))
        .order((targets::document_issued_on, targets::id))
        .load(conn)?)
}

/// Stores a target; `by` is none for those that ship with the program.
pub fn insert(
    tx: &mut Tx<'_>,
    target: &NewTarget,
    by: Option<Id<of::Account>>,
) -> Result<Id<of::Target>> {
    let (id, scale) = (Id::fresh(), target.scale());
    let digits = |value: Decimal| {
        value.at_scale(scale).ok_or_else(|| anyhow::anyhow!("{value} has no place in a target"))
    };
    let row = (
        targets::id.eq(id),
        targets::region_code.eq(&target.region_code),
        targets::indicator.eq(target.indicator),
        targets::label.eq(&target.label),
        targets::first_year.eq(target.first_year),
        targets::last_year.eq(target.last_year),
        targets::operator.eq(target.operator),
        targets::value.eq(digits(target.value)?),
        targets::upper.eq(target.upper.map(digits).transpose()?),
        targets::scale.eq(i64::from(scale)),
        targets::kind.eq(target.kind),
        targets::document_title.eq(&target.document.title),
        targets::document_issued_on.eq(target.document.issued_on),
        targets::supersedes.eq(target.supersedes),
        targets::baseline.eq(target.baseline.map(digits).transpose()?),
        targets::breakdown.eq(JsonText::of(target.breakdown.clone())?),
        targets::note.eq(target.note.as_deref()),
        targets::created_by.eq(by),
        targets::version.eq(1),
        targets::created_at.eq(tx.now()),
        targets::kind_stated.eq(target.kind_stated),
    );
    diesel::insert_into(targets::table).values(row).execute(&mut **tx)?;
    Ok(id)
}

/// Targets that shipped with the program and have been loaded before.
pub fn shipped(conn: &mut DbConn) -> Result<Vec<Target>> {
    Ok(Target::query().filter(targets::created_by.is_null()).load(conn)?)
}

/// Every target, in the order of papers: the oldest paper first, those without a day last.
pub fn all(conn: &mut DbConn) -> Result<Vec<Target>> {
    let mut rows = Target::query().order((targets::created_at, targets::id)).load(conn)?;
    rows.sort_by_key(|t| (t.document_issued_on.is_none(), t.document_issued_on));
    Ok(rows)
}
