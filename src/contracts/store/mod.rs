//! Every SQL statement about contracts.
mod case;
mod file;
pub mod national;
mod numbers;
mod postings;
mod versions;

use diesel::{dsl::sql, prelude::*, sql_types::Bool};

pub use case::{
    assign, case_of, cases_of, change_of, claim, drop_change, is_assigned, note_step, put_case,
    put_change, release, steps,
};
pub use file::{
    NewPaper, add_paper, add_receipt, drop_paper, file_of, files_in_use, keep_file, papers,
    receipts, received,
};
pub use numbers::{next_serial, registrar_number};
pub use postings::{Counted, post};
pub use versions::{Approval, give_code, keep_version, of_code, versions};

use super::{
    draft::Content,
    model::{Category, Contract, DUPLICATE, Parties, PartyType, Subcategory, Terms},
    rulebook::RuleSet,
    rules::{ContractState, Move, Scope},
};
use crate::{
    kernel::{
        After, Day, DbConn, Error, Fen, Id, JsonText, Moment, Region, Result, Tx, Window,
        db::MultiBackend, is_unique_violation, of,
    },
    markets::{
        model::Field,
        regions::{self, Reach},
    },
    schema::{contract_cases, contracts},
};

/// The columns that the content fills.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = contracts, treat_none_as_null = true)]
struct ContentColumns<'a> {
    filer_id: Option<Id<of::Organization>>,
    title: &'a str,
    category: Category,
    subcategory: Subcategory,
    field: Field,
    total_fen: Fen,
    tech_fen: Fen,
    seller_organization_id: Option<Id<of::Organization>>,
    seller_uscc: Option<&'a str>,
    seller_region: &'a Region,
    seller_type: PartyType,
    buyer_organization_id: Option<Id<of::Organization>>,
    buyer_region: &'a Region,
    buyer_type: PartyType,
    parties: JsonText<Parties>,
    terms: JsonText<Terms>,
    registrar_id: Id<of::Organization>,
    digest: String,
}

impl<'a> ContentColumns<'a> {
    fn of(content: &'a Content, rules: &RuleSet) -> Result<Self> {
        let Parties { seller, buyer, .. } = &content.parties;
        Ok(Self {
            filer_id: content.filer(rules),
            title: &content.title,
            category: content.subcategory.category(),
            subcategory: content.subcategory,
            field: content.field,
            total_fen: content.amounts.total,
            tech_fen: content.amounts.tech,
            seller_organization_id: seller.organization_id,
            seller_uscc: seller.uscc.as_deref(),
            seller_region: &seller.region_code,
            seller_type: seller.party_type,
            buyer_organization_id: buyer.organization_id,
            buyer_region: &buyer.region_code,
            buyer_type: buyer.party_type,
            parties: JsonText::of(content.parties.clone())?,
            terms: JsonText::of(content.terms.clone())?,
            registrar_id: content.registrar_id,
            digest: content.digest(),
        })
    }
}

/// A contract, its total, and the day on which it was registered.
pub type Total = (Id<of::Contract>, Fen, Option<Day>);

/// The total of each of these contracts, and the day it was registered if it counts as turnover.
pub fn totals(conn: &mut DbConn, ids: &[Id<of::Contract>]) -> Result<Vec<Total>> {
    let mut found = Vec::new();
    // a statement takes some tens of thousands of ids at the most
    for some in ids.chunks(5_000) {
        let rows: Vec<(Id<of::Contract>, Fen, ContractState, Option<Day>)> = contracts::table
            .filter(contracts::id.eq_any(some))
            .select((
                contracts::id,
                contracts::total_fen,
                contracts::state,
                contracts::registered_on,
            ))
            .load(conn)?;
        found.extend(
            rows.into_iter()
                .map(|(id, total, state, on)| (id, total, on.filter(|_| state.counts()))),
        );
    }
    Ok(found)
}

/// What a move notes beside the state; what is `None` stays as it is.
#[derive(Debug, Default, AsChangeset)]
#[diesel(table_name = contracts)]
pub struct Marks {
    pub submitted_at: Option<Moment>,
    pub accepted_at: Option<Moment>,
    /// `Some(None)`: nobody has examined it anew.
    pub examiner_id: Option<Option<Id<of::Account>>>,
    pub registered_by: Option<Id<of::Account>>,
    pub registration_no: Option<String>,
    pub registered_on: Option<Day>,
    /// `Some(None)`: what was said before is settled.
    pub grounds: Option<Option<String>>,
}

pub fn find(conn: &mut DbConn, id: Id<of::Contract>) -> Result<Option<Contract>> {
    Ok(Contract::query().filter(contracts::id.eq(id)).first(conn).optional()?)
}

pub fn again(tx: &mut Tx<'_>, id: Id<of::Contract>) -> Result<Contract> {
    Ok(Contract::query().filter(contracts::id.eq(id)).first(&mut **tx)?)
}

pub fn draft(
    tx: &mut Tx<'_>,
    content: &Content,
    rules: &RuleSet,
    deal: Option<Id<of::Deal>>,
) -> Result<Id<of::Contract>> {
    let (id, now) = (Id::fresh(), tx.now());
    let row = (
        ContentColumns::of(content, rules)?,
        contracts::id.eq(id),
        contracts::state.eq(ContractState::Draft),
        contracts::version.eq(1),
        contracts::deal_id.eq(deal),
        contracts::created_at.eq(now),
        contracts::updated_at.eq(now),
    );
    diesel::insert_into(contracts::table).values(row).execute(&mut **tx)?;
    open_case(tx, id, content, None)?;
    Ok(id)
}

fn open_case(
    tx: &mut Tx<'_>,
    id: Id<of::Contract>,
    content: &Content,
    rule_set: Option<&str>,
) -> Result<()> {
    let row = (
        contract_cases::contract_id.eq(id),
        contract_cases::rule_set.eq(rule_set),
        contract_cases::disputed.eq(false),
        contract_cases::provisional.eq(content.terms.payment.is_royalty()),
    );
    diesel::insert_into(contract_cases::table).values(row).execute(&mut **tx)?;
    Ok(())
}

/// Gives a contract that is still open another content, unless someone else changed it since it was read.
pub fn rewrite(
    tx: &mut Tx<'_>,
    row: &Contract,
    content: &Content,
    rules: &RuleSet,
) -> Result<Contract> {
    let now = tx.now();
    let target = contracts::table
        .filter(contracts::id.eq(row.id).and(contracts::version.eq(row.version)))
        .filter(
            contracts::state.eq_any([ContractState::Draft, ContractState::SupplementRequested]),
        );
    let changed = diesel::update(target)
        .set((
            ContentColumns::of(content, rules)?,
            contracts::version.eq(row.version + 1),
            contracts::updated_at.eq(now),
        ))
        .execute(&mut **tx)?;
    if changed == 0 {
        return Err(Error::Stale);
    }
    let royalty = content.terms.payment.is_royalty();
    diesel::update(contract_cases::table.find(row.id))
        .set(contract_cases::provisional.eq(royalty))
        .execute(&mut **tx)?;
    again(tx, row.id)
}

pub fn delete_draft(tx: &mut Tx<'_>, row: &Contract) -> Result<()> {
    let target = contracts::table
        .filter(contracts::id.eq(row.id).and(contracts::version.eq(row.version)))
        .filter(contracts::state.eq(ContractState::Draft));
    if diesel::delete(target).execute(&mut **tx)? == 0 { Err(Error::Stale) } else { Ok(()) }
}

/// Carries out `step`, unless someone else changed the contract since it was read. `content` is
/// written anew with it where it is given.
pub fn apply(
    tx: &mut Tx<'_>,
    row: &Contract,
    step: &Move,
    marks: &Marks,
    content: Option<(&Content, &RuleSet)>,
) -> Result<Contract> {
    let now = tx.now();
    let content = content.map(|(c, rules)| ContentColumns::of(c, rules)).transpose()?;
    let target = contracts::table
        .filter(contracts::id.eq(row.id).and(contracts::version.eq(row.version)))
        .filter(contracts::state.eq(step.from()));
    let update = diesel::update(target).set((
        contracts::state.eq(step.to()),
        contracts::version.eq(row.version + 1),
        contracts::updated_at.eq(now),
        marks,
        content,
    ));
    match tx.savepoint(|conn| update.execute(conn)) {
        Ok(0) => Err(Error::Stale),
        Ok(_) => again(tx, row.id),
        Err(cause) => Err(or_duplicate(cause)),
    }
}

fn or_duplicate(cause: diesel::result::Error) -> Error {
    let names = [
        "contracts_live",
        "contracts.digest",
        "contract_identities_pkey",
        "contract_identities.identity",
    ];
    if is_unique_violation(&cause, &names) {
        Error::conflict("duplicate_contract", DUPLICATE)
    } else {
        cause.into()
    }
}

/// Writes down a contract that has been registered already.
pub fn registered(
    tx: &mut Tx<'_>,
    content: &Content,
    rules: &RuleSet,
    registration_no: &str,
    registered_on: Day,
) -> Result<Id<of::Contract>> {
    let (id, now) = (Id::fresh(), tx.now());
    let columns = ContentColumns::of(content, rules)?;
    let row = (
        columns,
        contracts::id.eq(id),
        contracts::state.eq(ContractState::Registered),
        contracts::version.eq(1),
        contracts::submitted_at.eq(now),
        contracts::accepted_at.eq(now),
        contracts::registration_no.eq(registration_no),
        contracts::registered_on.eq(registered_on),
        contracts::created_at.eq(now),
        contracts::updated_at.eq(now),
    );
    let insert = diesel::insert_into(contracts::table).values(row);
    tx.savepoint(|conn| insert.execute(conn)).map_err(or_duplicate)?;
    open_case(tx, id, content, Some(&rules.id))?;
    Ok(id)
}

/// Those of the contracts in `scope`, and in `state` where one is given, that `window` asks for,
/// and how many there are in all.
pub fn list(
    conn: &mut DbConn,
    scope: &Scope,
    state: Option<ContractState>,
    window: &Window<After<of::Contract>>,
) -> Result<(Vec<Contract>, i64)> {
    let total = visible(scope, state).count().get_result(conn)?;
    let mut rows = visible(scope, state);
    if let Some(After { at, id }) = &window.after {
        rows = rows.filter(
            contracts::created_at
                .lt(*at)
                .or(contracts::created_at.eq(*at).and(contracts::id.lt(*id))),
        );
    }
    let rows = rows
        .order((contracts::created_at.desc(), contracts::id.desc()))
        .limit(window.limit + 1)
        .select(Contract::as_select())
        .load(conn)?;
    Ok((rows, total))
}

fn visible(scope: &Scope, state: Option<ContractState>) -> contracts::BoxedQuery<'_, MultiBackend> {
    let party = contracts::filer_id
        .eq_any(&scope.parties)
        .or(contracts::seller_organization_id.eq_any(&scope.parties))
        .or(contracts::buyer_organization_id.eq_any(&scope.parties));
    // as `Contract::home` says: the buyer's region where the seller is abroad
    let buyer_is_home = contracts::seller_region.eq(regions::ABROAD).and(
        contracts::buyer_region
            .like(&scope.overseen.like)
            .or(contracts::buyer_region.eq_any(&scope.overseen.zones)),
    );
    let query = contracts::table
        .filter(
            party
                .or(contracts::registrar_id
                    .eq_any(&scope.registrars)
                    .and(contracts::submitted_at.is_not_null()))
                .or(contracts::seller_region.like(&scope.overseen.like))
                .or(contracts::seller_region.eq_any(&scope.overseen.zones))
                .or(buyer_is_home),
        )
        .into_boxed::<MultiBackend>();
    match state {
        Some(state) => query.filter(contracts::state.eq(state)),
        None => query,
    }
}

/// What waits for somebody: contracts that their filer must go on with, those at these registrars, and
/// objections in the region of an authority; the longest waiting first.
pub fn waiting(conn: &mut DbConn, scope: &Scope) -> Result<Vec<Contract>> {
    use ContractState::*;
    // three questions, each with an index of its own: one with OR would read the whole table
    let order = (contracts::updated_at, contracts::id);
    let clerk = [Submitted, Accepted, UnderReview, ExpertReview, ChangePending];
    let mut rows = Contract::query()
        .filter(
            contracts::filer_id
                .eq_any(&scope.parties)
                .and(contracts::state.eq_any([Draft, SupplementRequested]))
                .or(contracts::registrar_id
                    .eq_any(&scope.registrars)
                    .and(contracts::state.eq_any(clerk))),
        )
        .order(order)
        .load(conn)?;
    let provisional = contract_cases::table
        .filter(contract_cases::provisional)
        .select(contract_cases::contract_id);
    rows.extend(
        Contract::query()
            .filter(contracts::filer_id.eq_any(&scope.parties))
            .filter(contracts::state.eq(Registered).and(contracts::id.eq_any(provisional)))
            .order(order)
            .load(conn)?,
    );
    if !scope.overseen.is_nowhere() {
        let Reach { like, zones } = &scope.overseen;
        let objected = contract_cases::table
            .filter(contract_cases::objected_from.is_not_null())
            .select(contract_cases::contract_id);
        let home = contracts::seller_region
            .like(like)
            .or(contracts::seller_region.eq_any(zones))
            .or(contracts::seller_region
                .eq(regions::ABROAD)
                .and(contracts::buyer_region.like(like)));
        rows.extend(
            Contract::query()
                .filter(contracts::id.eq_any(objected).and(home))
                .order(order)
                .load(conn)?,
        );
    }
    rows.sort_by_key(|row| (row.updated_at, row.id));
    Ok(rows)
}

/// Other contracts in which one of these is the seller or the buyer, the newest first: for the check
/// whether one text was filed twice.
pub fn of_same_parties(conn: &mut DbConn, row: &Contract, limit: i64) -> Result<Vec<Contract>> {
    let mut rows = Vec::new();
    if let Some(code) = &row.seller_uscc {
        rows = Contract::query()
            .filter(contracts::seller_uscc.eq(code).and(contracts::id.ne(row.id)))
            .filter(contracts::state.ne(ContractState::Draft))
            .order((contracts::created_at.desc(), contracts::id.desc()))
            .limit(limit)
            .load(conn)?;
    }
    Ok(rows)
}

/// [`ContractState::is_live`] in the words of the index `contracts_live`: SQLite uses an index of some
/// rows only where the question says the same.
const LIVE: &str =
    "state NOT IN ('draft', 'rejected', 'refused', 'withdrawn', 'cancelled', 'revoked')";

/// Whether the same contract is live already, by its digest or by its identity.
pub fn is_twice(
    conn: &mut DbConn,
    id: Id<of::Contract>,
    digest: &str,
    identity: Option<&str>,
) -> Result<bool> {
    let same: i64 = contracts::table
        .filter(contracts::digest.eq(digest).and(contracts::id.ne(id)))
        .filter(sql::<Bool>(LIVE))
        .count()
        .get_result(conn)?;
    let claimed = match identity {
        Some(identity) => case::claimant(conn, identity)?.is_some_and(|other| other != id),
        None => false,
    };
    Ok(same > 0 || claimed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Code;

    #[test]
    fn the_index_knows_what_is_live() {
        for state in ContractState::ALL {
            assert_eq!(
                state.is_live(),
                !LIVE.contains(&format!("'{}'", state.slug())),
                "{state:?}"
            );
        }
    }
}
