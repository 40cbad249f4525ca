//! Organizations and their members.
use diesel::{
    prelude::*,
    sql_types::{Bool, Nullable},
};

use crate::{
    accounts::{
        model::{Member, Organization, OrganizationState, Person, inputs::NewOrganization},
        rules::Move,
    },
    kernel::{
        Actor, After, DbConn, Error, Id, MemberRole, Moment, OrganizationKind, Region, Result, Tx,
        Window,
        db::MultiBackend,
        is_unique_violation, of,
        text::{containing, lower},
    },
    markets::regions::Reach,
    schema::{accounts, memberships, organizations},
};

pub fn organization(conn: &mut DbConn, id: Id<of::Organization>) -> Result<Option<Organization>> {
    Ok(Organization::query().filter(organizations::id.eq(id)).first(conn).optional()?)
}

/// The organizations of `ids`, in no order; unknown ids are left out.
pub fn organizations(conn: &mut DbConn, ids: &[Id<of::Organization>]) -> Result<Vec<Organization>> {
    Ok(Organization::query().filter(organizations::id.eq_any(ids)).load(conn)?)
}

/// All verified agencies, in the order in which they came.
pub fn agencies(conn: &mut DbConn) -> Result<Vec<Organization>> {
    verified(conn, OrganizationKind::Agency)
}

/// All verified registrars, in the order in which they came.
pub fn registrars(conn: &mut DbConn) -> Result<Vec<Organization>> {
    verified(conn, OrganizationKind::Registrar)
}

fn verified(conn: &mut DbConn, kind: OrganizationKind) -> Result<Vec<Organization>> {
    Ok(Organization::query()
        .filter(organizations::kind.eq(kind))
        .filter(organizations::state.eq(OrganizationState::Verified))
        .order((organizations::created_at, organizations::id))
        .load(conn)?)
}

/// Which organizations a caller may see: verified ones, the own ones, and those of the region that
/// an operator or auditor oversees. A list cannot be asked for without one.
pub struct Scope {
    own: Vec<Id<of::Organization>>,
    overseen: Option<Region>,
}

impl Scope {
    pub fn of(actor: Option<&Actor>) -> Self {
        Self {
            own: actor
                .map(|a| a.memberships.iter().map(|m| m.organization).collect())
                .unwrap_or_default(),
            overseen: actor.and_then(|a| a.platform.as_ref()).map(|p| p.region.clone()),
        }
    }
}

/// What a list is narrowed to.
#[derive(Debug, Default)]
pub struct Wanted {
    pub q: Option<String>,
    pub kind: Option<OrganizationKind>,
    pub region: Option<Region>,
    pub state: Option<OrganizationState>,
}

/// Organizations in `scope`, newest first, one more than the window shows, and how many in all.
pub fn list(
    conn: &mut DbConn,
    scope: &Scope,
    wanted: &Wanted,
    window: &Window<After<of::Organization>>,
) -> Result<(Vec<Organization>, i64)> {
    let total = organizations::table.filter(chosen(scope, wanted)).count().get_result(conn)?;
    let mut rows = Organization::query()
        .filter(chosen(scope, wanted))
        .order((organizations::created_at.desc(), organizations::id.desc()))
        .limit(window.limit + 1)
        .into_boxed::<MultiBackend>();
    if let Some(after) = &window.after {
        rows = rows.filter(
            organizations::created_at
                .lt(after.at)
                .or(organizations::created_at.eq(after.at).and(organizations::id.lt(after.id))),
        );
    }
    Ok((rows.load(conn)?, total))
}

type Condition =
    Box<dyn BoxableExpression<organizations::table, MultiBackend, SqlType = Nullable<Bool>>>;

fn chosen(scope: &Scope, wanted: &Wanted) -> Condition {
    let mut seen: Condition = Box::new(
        organizations::state
            .eq(OrganizationState::Verified)
            .or(organizations::id.eq_any(scope.own.clone()))
            .nullable(),
    );
    if let Some(region) = &scope.overseen {
        seen = Box::new(seen.or(lies_in(region)));
    }
    let mut all = seen;
    if let Some(q) = &wanted.q {
        let code: String = q.split_whitespace().collect::<String>().to_uppercase();
        all = Box::new(
            all.and(
                lower(organizations::name)
                    .like(containing(q.trim()))
                    .escape('\\')
                    .or(organizations::uscc.eq(code)),
            ),
        );
    }
    if let Some(kind) = wanted.kind {
        all = Box::new(all.and(organizations::kind.eq(kind)));
    }
    if let Some(region) = &wanted.region {
        all = Box::new(all.and(lies_in(region)));
    }
    if let Some(state) = wanted.state {
        all = Box::new(all.and(organizations::state.eq(state)));
    }
    all
}

fn lies_in(region: &Region) -> Condition {
    let Reach { like, zones } = Reach::of(region);
    let inside = organizations::region_code.like(like).or(organizations::region_code.eq_any(zones));
    Box::new(inside.nullable())
}

/// Organizations in `region` that wait for an operator, oldest first.
pub fn pending_in(conn: &mut DbConn, region: &Region) -> Result<Vec<Organization>> {
    Ok(Organization::query()
        .filter(organizations::state.eq(OrganizationState::Pending))
        .filter(lies_in(region))
        .order((organizations::created_at, organizations::id))
        .load(conn)?)
}

pub fn insert(
    tx: &mut Tx<'_>,
    new: &NewOrganization,
    state: OrganizationState,
) -> Result<Organization> {
    let now = tx.now();
    let made = Organization {
        id: Id::fresh(),
        name: new.name.clone(),
        kind: new.kind,
        uscc: new.uscc.clone(),
        region_code: new.region_code.clone(),
        state,
        reason: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let row = (
        organizations::id.eq(made.id),
        organizations::name.eq(&made.name),
        organizations::kind.eq(made.kind),
        organizations::uscc.eq(&made.uscc),
        organizations::region_code.eq(&made.region_code),
        organizations::state.eq(made.state),
        organizations::version.eq(made.version),
        organizations::created_at.eq(now),
        organizations::updated_at.eq(now),
    );
    tx.savepoint(|conn| diesel::insert_into(organizations::table).values(row).execute(conn))
        .map_err(taken)?;
    Ok(made)
}

/// One live organization a credit code.
fn taken(cause: diesel::result::Error) -> Error {
    if is_unique_violation(&cause, &["organizations_uscc", "organizations.uscc"]) {
        Error::conflict(
            "organization_exists",
            "该统一社会信用代码的单位已注册：请联系本单位管理员发出邀请。",
        )
    } else {
        cause.into()
    }
}

/// Carries out `step` and writes what `changed` says, unless someone else was faster.
pub fn apply(tx: &mut Tx<'_>, changed: Organization, step: &Move) -> Result<Organization> {
    let now = tx.now();
    let seen = organizations::table.filter(
        organizations::id
            .eq(changed.id)
            .and(organizations::version.eq(changed.version))
            .and(organizations::state.eq(step.from())),
    );
    let after =
        Organization { state: step.to(), version: changed.version + 1, updated_at: now, ..changed };
    let new = (
        organizations::name.eq(&after.name),
        organizations::uscc.eq(&after.uscc),
        organizations::region_code.eq(&after.region_code),
        organizations::state.eq(after.state),
        organizations::reason.eq(&after.reason),
        organizations::version.eq(after.version),
        organizations::updated_at.eq(now),
    );
    match tx.savepoint(|conn| diesel::update(seen).set(new).execute(conn)).map_err(taken)? {
        0 => Err(Error::Stale),
        _ => Ok(after),
    }
}

/// Makes whoever else changes the members of `id` wait: two administrators who remove each other at
/// once would leave nobody. SQLite has one writer anyway.
pub fn lock_members(tx: &mut Tx<'_>, id: Id<of::Organization>) -> Result<()> {
    diesel::update(organizations::table.find(id))
        .set(organizations::version.eq(organizations::version))
        .execute(&mut **tx)?;
    Ok(())
}

/// Everyone who may speak for `organization`, oldest membership first.
pub fn members(conn: &mut DbConn, organization: Id<of::Organization>) -> Result<Vec<Member>> {
    let rows: Vec<(MemberRole, Moment, Person)> = memberships::table
        .inner_join(accounts::table)
        .filter(memberships::organization_id.eq(organization))
        .order((memberships::created_at, memberships::account_id))
        .select((memberships::role, memberships::created_at, Person::as_select()))
        .load(conn)?;
    Ok(rows.into_iter().map(as_member).collect())
}

fn as_member((role, since, person): (MemberRole, Moment, Person)) -> Member {
    Member { person, role, since }
}

/// Members newest first, one more than the window shows, and how many in all.
pub fn member_list(
    conn: &mut DbConn,
    organization: Id<of::Organization>,
    window: &Window<After<of::Account>>,
) -> Result<(Vec<Member>, i64)> {
    let total = member_count(conn, organization)?;
    let mut rows = memberships::table
        .inner_join(accounts::table)
        .filter(memberships::organization_id.eq(organization))
        .order((memberships::created_at.desc(), memberships::account_id.desc()))
        .limit(window.limit + 1)
        .select((memberships::role, memberships::created_at, Person::as_select()))
        .into_boxed::<MultiBackend>();
    if let Some(after) = &window.after {
        rows =
            rows.filter(memberships::created_at.lt(after.at).or(
                memberships::created_at.eq(after.at).and(memberships::account_id.lt(after.id)),
            ));
    }
    let rows: Vec<(MemberRole, Moment, Person)> = rows.load(conn)?;
    Ok((rows.into_iter().map(as_member).collect(), total))
}

pub fn member_count(conn: &mut DbConn, organization: Id<of::Organization>) -> Result<i64> {
    let all = memberships::table.filter(memberships::organization_id.eq(organization));
    Ok(all.count().get_result(conn)?)
}

pub fn admin_count(conn: &mut DbConn, organization: Id<of::Organization>) -> Result<i64> {
    Ok(memberships::table
        .filter(memberships::organization_id.eq(organization))
        .filter(memberships::role.eq(MemberRole::Admin))
        .count()
        .get_result(conn)?)
}

pub fn role_of(
    conn: &mut DbConn,
    organization: Id<of::Organization>,
    account: Id<of::Account>,
) -> Result<Option<MemberRole>> {
    Ok(memberships::table
        .find((account, organization))
        .select(memberships::role)
        .first(conn)
        .optional()?)
}

pub fn insert_member(
    tx: &mut Tx<'_>,
    organization: Id<of::Organization>,
    account: Id<of::Account>,
    role: MemberRole,
) -> Result<()> {
    let row = (
        memberships::account_id.eq(account),
        memberships::organization_id.eq(organization),
        memberships::role.eq(role),
        memberships::created_at.eq(tx.now()),
    );
    match tx.savepoint(|conn| diesel::insert_into(memberships::table).values(row).execute(conn)) {
        Ok(_) => Ok(()),
        Err(cause) if is_unique_violation(&cause, &[]) => {
            Err(Error::conflict("already_member", "此人已是该单位成员。"))
        }
        Err(other) => Err(other.into()),
    }
}

pub fn delete_member(
    tx: &mut Tx<'_>,
    organization: Id<of::Organization>,
    account: Id<of::Account>,
) -> Result<()> {
    diesel::delete(memberships::table.find((account, organization))).execute(&mut **tx)?;
    Ok(())
}
