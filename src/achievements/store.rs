//! Every SQL statement about achievements.
use diesel::prelude::*;

use super::model::Achievement;
use crate::{
    kernel::{DbConn, Id, Result, of},
    schema::achievements,
};

pub fn find(conn: &mut DbConn, id: Id<of::Achievement>) -> Result<Option<Achievement>> {
    Ok(Achievement::query().filter(achievements::id.eq(id)).first(conn).optional()?)
}

/// The achievements of `ids`, in no order; unknown ids are left out.
pub fn find_many(conn: &mut DbConn, ids: &[Id<of::Achievement>]) -> Result<Vec<Achievement>> {
    Ok(Achievement::query().filter(achievements::id.eq_any(ids)).load(conn)?)
}
