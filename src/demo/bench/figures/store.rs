//! Rows in bulk: the same that registration and its acts write, many to a statement.
use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use diesel::{QueryableByName, connection::SimpleConnection, prelude::*, sql_types::Text};
use serde_json::json;

use super::made::{Fate, Made};
use crate::{
    contracts::{
        draft::Content,
        model::{PostingKind, VersionKind},
        rulebook::book,
        rules::{self, ContractState},
    },
    each_db,
    kernel::{Code, Day, DbConn, Id, Moment, Region, Result, Tx, journal, month_of, of},
    schema::{
        contract_cases, contract_versions, contracts, journal as events, registrar_numbers,
        registration_serials, turnover_postings,
    },
};

/// Rows of one statement: 24 values each stay below the limit of either database.
const CHUNK: usize = 500;

#[derive(Insertable)]
#[diesel(table_name = contracts, treat_none_as_default_value = false)]
struct ContractRow {
    id: Id<of::Contract>,
    state: ContractState,
    version: i64,
    title: String,
    category: &'static str,
    subcategory: &'static str,
    field: &'static str,
    total_fen: i64,
    tech_fen: i64,
    seller_uscc: Option<String>,
    seller_region: String,
    seller_type: &'static str,
    buyer_region: String,
    buyer_type: &'static str,
    parties: String,
    terms: String,
    registrar_id: Id<of::Organization>,
    digest: String,
    submitted_at: Moment,
    accepted_at: Moment,
    registration_no: String,
    registered_on: Day,
    created_at: Moment,
    updated_at: Moment,
}

#[derive(Insertable)]
#[diesel(table_name = contract_cases, treat_none_as_default_value = false)]
struct CaseRow {
    contract_id: Id<of::Contract>,
    rule_set: &'static str,
    disputed: bool,
    provisional: bool,
}

#[derive(Insertable)]
#[diesel(table_name = contract_versions, treat_none_as_default_value = false)]
struct VersionRow {
    contract_id: Id<of::Contract>,
    number: i64,
    kind: VersionKind,
    content: String,
    total_fen: i64,
    tech_fen: i64,
    rule_set: &'static str,
    registered_on: Day,
    created_at: Moment,
}

#[derive(Insertable)]
#[diesel(table_name = turnover_postings, treat_none_as_default_value = false)]
struct PostingRow {
    contract_id: Id<of::Contract>,
    seq: i64,
    kind: PostingKind,
    posted_on: Day,
    registered_on: Day,
    sign: i64,
    category: &'static str,
    subcategory: &'static str,
    field: &'static str,
    seller_region: String,
    buyer_region: String,
    seller_type: &'static str,
    buyer_type: &'static str,
    ip_kinds: &'static str,
    plan_source: &'static str,
    objective: &'static str,
    industry: String,
    cross_border: &'static str,
    total_fen: i64,
    tech_fen: i64,
}

#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
struct EventRow {
    at: Moment,
    actor: &'static str,
    topic: &'static str,
    subject: String,
    body: String,
}

/// A registrar as numbers name it.
pub struct Registrar {
    pub id: Id<of::Organization>,
    area: String,
    number: i64,
    serials: BTreeMap<i32, i64>,
}

impl Registrar {
    /// Registrars are numbered within their areas.
    pub fn all(organizations: Vec<(Id<of::Organization>, Region)>) -> Vec<Self> {
        let mut last: BTreeMap<String, i64> = BTreeMap::new();
        organizations
            .into_iter()
            .map(|(id, region)| {
                let area = rules::area_of(&region);
                let number = last.entry(area.clone()).or_insert(0);
                *number += 1;
                Self { id, area, number: *number, serials: BTreeMap::new() }
            })
            .collect()
    }
    fn next_no(&mut self, year: i32) -> anyhow::Result<String> {
        let serial = self.serials.entry(year).or_insert(0);
        *serial += 1;
        rules::registration_no(year, &self.area, self.number, *serial)
            .ok_or_else(|| anyhow::anyhow!("a registrar has too many contracts in {year}"))
    }
}

/// The rows of some contracts, gathered.
#[derive(Default)]
pub struct Batch {
    contracts: Vec<ContractRow>,
    cases: Vec<CaseRow>,
    versions: Vec<VersionRow>,
    postings: Vec<PostingRow>,
    events: Vec<EventRow>,
}

impl Batch {
    pub fn add(&mut self, made: Made, registrar: &mut Registrar) -> anyhow::Result<()> {
        let Made { content, registered_on, later, .. } = made;
        let id: Id<of::Contract> = Id::fresh();
        let rule_set = &book().on(registered_on).id;
        let at = Moment::start_of(registered_on).plus_seconds(36_000);
        let no = registrar.next_no(registered_on.year())?;
        self.version(id, (1, VersionKind::Registration), &content, rule_set, registered_on)?;
        self.posting(id, (PostingKind::Registration, 1), (registered_on, registered_on), &content);
        self.event(id, "contract.registered", ContractState::Registered, registered_on);
        self.cases.push(CaseRow { contract_id: id, rule_set, disputed: false, provisional: false });
        let (state, stands, updated_at) = match later {
            None => (ContractState::Registered, content, at),
            Some((day, fate)) => {
                let on = (day, registered_on);
                let (kind, topic, state) = match &fate {
                    Fate::Changed(_) => {
                        (PostingKind::Change, "contract.amended", ContractState::Registered)
                    }
                    Fate::Cancelled => {
                        (PostingKind::Cancellation, "contract.cancelled", ContractState::Cancelled)
                    }
                    Fate::Revoked => {
                        (PostingKind::Revocation, "contract.revoked", ContractState::Revoked)
                    }
                };
                self.posting(id, (kind, -1), on, &content);
                self.event(id, topic, state, day);
                let stands = match fate {
                    Fate::Changed(new) => {
                        self.version(id, (2, VersionKind::Change), &new, rule_set, day)?;
                        self.posting(id, (kind, 1), on, &new);
                        *new
                    }
                    Fate::Cancelled | Fate::Revoked => content,
                };
                (state, stands, Moment::start_of(day).plus_seconds(36_000))
            }
        };
        let (seller, buyer) = (&stands.parties.seller, &stands.parties.buyer);
        self.contracts.push(ContractRow {
            id,
            state,
            version: 1,
            category: stands.subcategory.category().slug(),
            subcategory: stands.subcategory.slug(),
            field: stands.field.slug(),
            total_fen: stands.amounts.total.0,
            tech_fen: stands.amounts.tech.0,
            seller_uscc: seller.uscc.clone(),
            seller_region: seller.region_code.to_string(),
            seller_type: seller.party_type.slug(),
            buyer_region: buyer.region_code.to_string(),
            buyer_type: buyer.party_type.slug(),
            parties: serde_json::to_string(&stands.parties)?,
            terms: serde_json::to_string(&stands.terms)?,
            registrar_id: stands.registrar_id,
            digest: stands.digest(),
            submitted_at: at,
            accepted_at: at,
            registration_no: no,
            registered_on,
            created_at: at,
            updated_at,
            title: stands.title,
        });
        Ok(())
    }

    fn version(
        &mut self,
        id: Id<of::Contract>,
        (number, kind): (i64, VersionKind),
        content: &Content,
        rule_set: &'static str,
        day: Day,
    ) -> anyhow::Result<()> {
        self.versions.push(VersionRow {
            contract_id: id,
            number,
            kind,
            content: serde_json::to_string(content)?,
            total_fen: content.amounts.total.0,
            tech_fen: content.amounts.tech.0,
            rule_set,
            registered_on: day,
            created_at: Moment::start_of(day).plus_seconds(36_000),
        });
        Ok(())
    }

    fn posting(
        &mut self,
        id: Id<of::Contract>,
        (kind, sign): (PostingKind, i64),
        (posted_on, registered_on): (Day, Day),
        content: &Content,
    ) {
        let before = self.postings.last().filter(|p| p.contract_id == id).map_or(0, |p| p.seq);
        let (seller, buyer) = (&content.parties.seller, &content.parties.buyer);
        let terms = &content.terms;
        self.postings.push(PostingRow {
            contract_id: id,
            seq: before + 1,
            kind,
            posted_on,
            registered_on,
            sign,
            category: content.subcategory.category().slug(),
            subcategory: content.subcategory.slug(),
            field: content.field.slug(),
            seller_region: seller.region_code.to_string(),
            buyer_region: buyer.region_code.to_string(),
            seller_type: seller.party_type.slug(),
            buyer_type: buyer.party_type.slug(),
            ip_kinds: terms.ip_kinds.first().map_or("none", |kind| kind.slug()),
            plan_source: terms.plan_source.slug(),
            objective: terms.objective.slug(),
            industry: terms.industry.clone(),
            cross_border: terms.cross_border.slug(),
            total_fen: content.amounts.total.0,
            tech_fen: content.amounts.tech.0,
        });
    }

    fn event(&mut self, id: Id<of::Contract>, topic: &'static str, state: ContractState, day: Day) {
        self.events.push(EventRow {
            at: Moment::start_of(day).plus_seconds(36_000),
            actor: journal::CLOCK,
            topic,
            subject: format!("contract:{id}"),
            body: json!({ "state": state, "month": month_of(day) }).to_string(),
        });
    }

    /// Writes everything in the transaction, and seals its events.
    pub fn write(self, tx: &mut Tx<'_>) -> Result<()> {
        macro_rules! write {
            ($rows:expr, $table:ident) => {
                for some in $rows.chunks(CHUNK) {
                    each_db!(&mut **tx, c => diesel::insert_into($table::table).values(some).execute(c))?;
                }
            };
        }
        write!(self.contracts, contracts);
        write!(self.cases, contract_cases);
        write!(self.versions, contract_versions);
        write!(self.postings, turnover_postings);
        write!(self.events, events);
        journal::seal_within(tx, i64::try_from(self.events.len()).unwrap_or(i64::MAX))?;
        Ok(())
    }
}

/// Notes which numbers have been given, so that registration goes on behind them.
pub fn keep_numbers(tx: &mut Tx<'_>, registrars: &[Registrar]) -> Result<()> {
    for registrar in registrars {
        let row = (
            registrar_numbers::registrar_id.eq(registrar.id),
            registrar_numbers::area.eq(&registrar.area),
            registrar_numbers::number.eq(registrar.number),
        );
        diesel::insert_into(registrar_numbers::table).values(row).execute(&mut **tx)?;
        for (year, last) in &registrar.serials {
            let row = (
                registration_serials::registrar_id.eq(registrar.id),
                registration_serials::year.eq(i64::from(*year)),
                registration_serials::last.eq(*last),
            );
            diesel::insert_into(registration_serials::table).values(row).execute(&mut **tx)?;
        }
    }
    Ok(())
}

/// The index of digests, which come in no order: every row would lie on another page. It is made anew when
/// all rows are there.
const DIGESTS: &str = "contracts_live";

/// Drops the index of digests; answers the statement that makes it again.
pub fn drop_digests(tx: &mut Tx<'_>) -> Result<String> {
    #[derive(QueryableByName)]
    struct Statement {
        #[diesel(sql_type = Text)]
        text: String,
    }
    let sqlite = "SELECT sql AS text FROM sqlite_master WHERE name = $1";
    let postgres = "SELECT indexdef AS text FROM pg_indexes WHERE indexname = $1";
    let ask = if matches!(&**tx, DbConn::Sqlite(_)) { sqlite } else { postgres };
    let statement: Statement =
        diesel::sql_query(ask).bind::<Text, _>(DIGESTS).get_result(&mut **tx)?;
    tx.batch_execute(&format!("DROP INDEX {DIGESTS}"))?;
    Ok(statement.text)
}

pub fn make_digests(tx: &mut Tx<'_>, statement: &str) -> Result<()> {
    Ok(tx.batch_execute(statement)?)
}

pub fn contracts_there(conn: &mut DbConn) -> Result<i64> {
    Ok(turnover_postings::table.filter(turnover_postings::seq.eq(1)).count().get_result(conn)?)
}

/// The year whose figures move while the market is asked.
pub fn move_year(tx: &mut Tx<'_>, day: Day) -> Result<()> {
    use crate::schema::figure_years::{changes, table};
    let year = NaiveDate::year(&day);
    diesel::update(table.find(i64::from(year))).set(changes.eq(changes + 1)).execute(&mut **tx)?;
    Ok(())
}
