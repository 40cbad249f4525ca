//! Every SQL statement about accounts.
use diesel::prelude::*;

use super::model::{Broker, Member, Organization, Person};
use crate::{
    kernel::{DbConn, Id, MemberRole, Result, of},
    schema::{accounts, brokers, memberships, organizations},
};

pub fn organization(conn: &mut DbConn, id: Id<of::Organization>) -> Result<Option<Organization>> {
    Ok(Organization::query().filter(organizations::id.eq(id)).first(conn).optional()?)
}

/// The organizations of `ids`, in no order; unknown ids are left out.
pub fn organizations(conn: &mut DbConn, ids: &[Id<of::Organization>]) -> Result<Vec<Organization>> {
    Ok(Organization::query().filter(organizations::id.eq_any(ids)).load(conn)?)
}

pub fn person(conn: &mut DbConn, id: Id<of::Account>) -> Result<Option<Person>> {
    Ok(Person::query().filter(accounts::id.eq(id)).first(conn).optional()?)
}

/// Everyone who may speak for `organization`, oldest membership first.
pub fn members(conn: &mut DbConn, organization: Id<of::Organization>) -> Result<Vec<Member>> {
    let rows: Vec<(MemberRole, Person)> = memberships::table
        .inner_join(accounts::table)
        .filter(memberships::organization_id.eq(organization))
        .order((memberships::created_at, memberships::account_id))
        .select((memberships::role, Person::as_select()))
        .load(conn)?;
    Ok(rows.into_iter().map(|(role, person)| Member { person, role }).collect())
}

pub fn broker(conn: &mut DbConn, id: Id<of::Broker>) -> Result<Option<Broker>> {
    Ok(Broker::query().filter(brokers::id.eq(id)).first(conn).optional()?)
}

/// The broker profile of an account, if it has one.
pub fn broker_of(conn: &mut DbConn, account: Id<of::Account>) -> Result<Option<Broker>> {
    Ok(Broker::query().filter(brokers::account_id.eq(account)).first(conn).optional()?)
}
