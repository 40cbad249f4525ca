//! Every SQL statement about demands.
use diesel::prelude::*;

use super::model::Demand;
use crate::{
    kernel::{DbConn, Id, Result, of},
    schema::demands,
};

pub fn find(conn: &mut DbConn, id: Id<of::Demand>) -> Result<Option<Demand>> {
    Ok(Demand::query().filter(demands::id.eq(id)).first(conn).optional()?)
}

/// The demands of `ids`, in no order; unknown ids are left out.
pub fn find_many(conn: &mut DbConn, ids: &[Id<of::Demand>]) -> Result<Vec<Demand>> {
    Ok(Demand::query().filter(demands::id.eq_any(ids)).load(conn)?)
}
