//! The national system: what goes there, what came back, and where the two differ.
use std::{collections::BTreeMap, fs::File};

use serde_json::json;

use crate::{
    accounts::{self, model::Organization},
    contracts::{
        model::{
            Contract, PartyType,
            national::{
                Different, NationalReport, OnlyHere, OnlyThere, ReconciliationList,
                ReconciliationView,
            },
        },
        rules::national::{self, COLUMNS, Keeper, Merge, Reader, Told},
        store::national::{self as store, BookYear, Books},
    },
    kernel::{
        Actor, Code, Day, DbConn, Error, Fault, Id, OrganizationKind, Page, Result, Tx, Window,
        journal, of,
        table::{Heads, Put, Table, TableFormat, Writer},
    },
    markets::regions::{self, Reach},
};

/// The largest list of the national system, in bytes.
pub const FILE_LIMIT: i64 = 64 * 1024 * 1024;
const CHUNK: i64 = 1_000;
/// Faulty cells that an answer names.
const TOLD: usize = 1_000;

const UNSEEN: Error = Error::NotFound("技术合同登记机构");

/// The registrar that is named, or the only one whose clerk the caller is, if the caller may see its books.
fn registrar(
    conn: &mut DbConn,
    actor: &Actor,
    named: Option<Id<of::Organization>>,
) -> Result<(Organization, Keeper)> {
    let Some(id) = named.or_else(|| national::own_registrar(actor)) else {
        return Err(Error::invalid("registrar", "required", "请用 registrar 指明登记机构。"));
    };
    let found = accounts::organization(conn, id)?.ok_or(UNSEEN)?;
    let keeper = national::keeper(actor, &found).ok_or(UNSEEN)?;
    Ok((found, keeper))
}

/// Whose contracts the caller takes out: of one registrar, or all of the region that they oversee. That it
/// was done stands in the journal.
pub fn books(tx: &mut Tx<'_>, actor: &Actor, named: Option<Id<of::Organization>>) -> Result<Books> {
    let whole_region = named.is_none() && national::own_registrar(actor).is_none();
    let (books, subject) = match actor.platform.as_ref().filter(|_| whole_region) {
        Some(platform) => {
            let subject = format!("region:{}", platform.region);
            (Books::Within(Reach::of(&platform.region)), subject)
        }
        None => {
            let (found, _) = registrar(tx, actor, named)?;
            (Books::Of(found.id), format!("organization:{}", found.id))
        }
    };
    journal::record(tx, &actor.name(), "registrar.contracts_exported", &subject, &json!({}))?;
    Ok(books)
}

/// The fields of the national form, by their Chinese and its own names, where these are known; then what
/// the form takes from the seller's account, and the number that was given back.
const HEADS: [&str; 39] = [
    "合同登记编号(registration_no)",
    "登记日期(registered_on)",
    "合同编号(contract_no)",
    "项目名称(projectname)",
    "买方名称(buyername)",
    "合同成交总额(元)(totalamount)",
    "技术交易额(元)(technicalamount)",
    "签订日期(signdate)",
    "合同起始日期(contractbegindate)",
    "合同终止日期(contractenddate)",
    "支付方式(paymethod)",
    "关联交易(isrelated)",
    "计划来源(projectplantype)",
    "知识产权(ipr)",
    "合同类型(contracttype)",
    "技术领域(techarea)",
    "社会经济目标",
    "买方为技术转移机构(buyer_jszyjg)",
    "买方为研究开发机构(buyer_isyfjg)",
    "买方类别(buyertype)",
    "买方为转制科研院所(buyer_zzkyys)",
    "买方为国家高新区企业(buyer_countrygxqqy)",
    "买方为上市公司(buyer_islist)",
    "买方企业规模(buyer_scale)",
    "买方国民经济行业",
    "买方行政区划代码",
    "买方行政区划",
    "买方地址(buyer_address)",
    "买方法定代表人(buyer_representative)",
    "买方联系人(buyer_contact)",
    "买方联系电话(buyer_contacttel)",
    "买方邮政编码(buyer_zipcode)",
    "买方信用代码",
    "卖方名称",
    "卖方信用代码",
    "卖方类别",
    "卖方行政区划代码",
    "卖方行政区划",
    "全国系统编号(national_no)",
];

/// Writes the registered contracts of `books` into `file`, one row each.
pub fn export(
    conn: &mut DbConn,
    books: &Books,
    days: (Option<Day>, Option<Day>),
    format: TableFormat,
    file: File,
) -> Result<File> {
    let mut out = Writer::new(format, file, "技术合同", &HEADS)?;
    let mut after = None;
    loop {
        let rows = store::registered(conn, books, days, after, CHUNK)?;
        let Some(last) = rows.last() else { return out.finish() };
        after = last.registered_on.map(|day| (day, last.id));
        let buyers: Vec<_> = rows.iter().filter_map(|row| row.buyer_organization_id).collect();
        let buyers: BTreeMap<_, _> =
            accounts::organizations(conn, &buyers)?.into_iter().map(|o| (o.id, o.kind)).collect();
        let numbers: Vec<_> = rows.iter().filter_map(|row| row.registration_no.clone()).collect();
        let numbers = store::numbers_of(conn, &numbers)?;
        for row in &rows {
            let kind = row.buyer_organization_id.and_then(|id| buyers.get(&id).copied());
            let no = row.registration_no.as_ref().and_then(|no| numbers.get(no));
            out.row(&cells(row, kind, no.map(String::as_str)))?;
        }
    }
}

/// One contract as the national form asks for it. What the market does not know stays empty.
fn cells<'a>(
    row: &'a Contract,
    buyer_kind: Option<OrganizationKind>,
    national_no: Option<&'a str>,
) -> Vec<Put<'a>> {
    let (terms, parties) = (&*row.terms, &*row.parties);
    let (seller, buyer) = (&parties.seller, &parties.buyer);
    let ipr: Vec<_> = terms.ip_kinds.iter().map(|kind| kind.zh()).collect();
    let agency = buyer_kind.map(|kind| kind == OrganizationKind::Agency);
    let research = (buyer.party_type == PartyType::Institute).then_some(true);
    let known = |is: Option<bool>| is.map_or(Put::Nothing, Put::yes_or_no);
    let cells = [
        Put::maybe(row.registration_no.as_deref()),
        row.registered_on.map_or(Put::Nothing, Put::Day),
        Put::maybe(terms.contract_no.as_deref()),
        Put::text(&row.title),
        Put::text(&buyer.name),
        Put::Yuan(row.total_fen),
        Put::Yuan(row.tech_fen),
        Put::Day(terms.signed_on),
        Put::Day(terms.effective_on),
        Put::Day(terms.valid_to),
        Put::text(terms.payment.zh()),
        Put::yes_or_no(terms.related_party),
        Put::text(terms.plan_source.zh()),
        Put::text(ipr.join("、")),
        Put::text(row.subcategory.zh()),
        Put::text(row.field.zh()),
        Put::text(terms.objective.zh()),
        known(agency),
        known(research),
        Put::text(buyer.party_type.zh()),
        Put::Nothing,
        Put::Nothing,
        Put::Nothing,
        Put::Nothing,
        Put::text(&terms.industry),
        Put::text(buyer.region_code.as_str()),
        Put::text(regions::name(&buyer.region_code)),
        Put::Nothing,
        Put::Nothing,
        Put::Nothing,
        Put::Nothing,
        Put::Nothing,
        Put::maybe(buyer.uscc.as_deref()),
        Put::text(&seller.name),
        Put::maybe(seller.uscc.as_deref()),
        Put::text(seller.party_type.zh()),
        Put::text(seller.region_code.as_str()),
        Put::text(regions::name(&seller.region_code)),
        Put::maybe(national_no),
    ];
    cells.into()
}

/// Reads a list of the national system: its rows, and what is wrong with it, by address.
pub fn read(file: File, year: Option<i64>, today: Day) -> Result<(Vec<Told>, Vec<Fault>)> {
    let mut table = Table::open(file, FILE_LIMIT)?;
    let heads = Heads::find(&mut table, &COLUMNS)?;
    Heads::not_empty(table.count(&heads)?)?;
    let mut faults = Vec::new();
    for merged in table.merged()? {
        if merged.rows.1 >= heads.row && merged.columns.0 < heads.width {
            let why = "合并的单元格不能导入；请取消合并。";
            faults.push(Fault::new(table.address_of(merged), "merged_cells", why));
        }
    }
    let mut rows = Vec::new();
    table.rows_below(&heads, |row| {
        rows.push(row);
        Ok(())
    })?;
    let mut reader = Reader::new(heads, year, today);
    let mut told = Vec::with_capacity(rows.len());
    for row in &rows {
        match reader.read(row, |column| table.address(row.number, column)) {
            Ok(one) => told.push(one),
            Err(some) => faults.extend(some),
        }
    }
    Ok((told, faults))
}

/// Whether the caller may tell what the national system says: asked before a byte is read.
pub fn may_tell(actor: &Actor) -> Result<()> {
    if national::own_registrar(actor).is_some() || actor.is_operator() {
        return Ok(());
    }
    let clerk = actor.memberships.iter().any(|m| m.kind == OrganizationKind::Registrar);
    if clerk { Ok(()) } else { Err(not_a_keeper()) }
}

fn not_a_keeper() -> Error {
    Error::forbidden("not_a_keeper", "全国系统的编号由登记机构的登记员或所在地区的运营人员导入。")
}

/// Writes what the national system says, or with `dry_run` only reports it. Faults refuse the whole list.
pub fn tell(
    tx: &mut Tx<'_>,
    actor: &Actor,
    named: Option<Id<of::Organization>>,
    (told, mut faults): (&[Told], Vec<Fault>),
    dry_run: bool,
) -> Result<NationalReport> {
    let (found, keeper) = registrar(tx, actor, named)?;
    if keeper != Keeper::Writes {
        return Err(not_a_keeper());
    }
    let known = store::known(tx, found.id)?;
    let Merge { new, changed, unchanged, taken } = national::merge(told, &known);
    for (row, holder) in taken {
        let why = format!("该合同登记编号已对应全国系统编号 {holder}。");
        faults.push(Fault::new(row.place.clone(), "registration_taken", why));
    }
    if !faults.is_empty() && !dry_run {
        faults.truncate(TOLD);
        return Err(Error::Invalid(faults));
    }
    let registrations: Vec<_> =
        told.iter().filter_map(|row| row.number.registration_no.as_deref()).collect();
    let totals = store::totals_of(tx, found.id, &registrations)?;
    let here = |row: &&Told| row.number.registration_no.as_ref().and_then(|no| totals.get(no));
    let matched = told.iter().filter(|row| here(row).is_some()).count();
    let other = |row: &&Told| here(row).is_some_and(|total| *total != row.number.total_fen);
    let different = told.iter().filter(other).count();
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    if !dry_run {
        for number in &new {
            store::insert(tx, found.id, actor.account, number)?;
        }
        for number in &changed {
            store::update(tx, found.id, actor.account, number)?;
        }
        let body = json!({ "rows": told.len(), "new": new.len(), "changed": changed.len() });
        let subject = format!("organization:{}", found.id);
        journal::record(tx, &actor.name(), "registrar.national_numbers_told", &subject, &body)?;
    }
    faults.truncate(TOLD);
    Ok(NationalReport {
        registrar_id: found.id,
        dry_run,
        rows: count(told.len()),
        new: count(new.len()),
        changed: count(changed.len()),
        unchanged,
        matched: count(matched),
        different: count(different),
        faults,
    })
}

/// Which page of a reconciliation is wanted.
pub struct Wanted {
    pub registrar: Option<Id<of::Organization>>,
    pub year: i32,
    /// The list that the cursor belongs to; all three from their beginnings without it.
    pub list: Option<ReconciliationList>,
    pub window: Window<String>,
}

/// A registrar's year, here and there.
pub fn reconciliation(
    conn: &mut DbConn,
    actor: &Actor,
    wanted: &Wanted,
) -> Result<ReconciliationView> {
    let (found, _) = registrar(conn, actor, wanted.registrar)?;
    let year = BookYear { registrar: found.id, year: wanted.year };
    let first = Window { limit: wanted.window.limit, after: None };
    let window = |list| if wanted.list == Some(list) { &wanted.window } else { &first };
    let (here, there, both) = (
        window(ReconciliationList::OnlyHere),
        window(ReconciliationList::OnlyThere),
        window(ReconciliationList::Different),
    );
    let (rows, total) = store::only_here(conn, year, here)?;
    let only_here =
        here.page(rows, total, |row: &OnlyHere| row.registration_no.clone().unwrap_or_default())?;
    let (rows, total) = store::only_there(conn, year, there)?;
    let only_there = there.page(rows, total, |row: &OnlyThere| row.national_no.clone())?;
    let (rows, total) = store::different(conn, year, both)?;
    let different = both.page(rows, total, |row: &Different| row.national_no.clone())?;
    Ok(ReconciliationView {
        registrar_id: found.id,
        year: i64::from(wanted.year),
        only_here,
        only_there,
        different,
    })
}

/// Writes a whole reconciliation into `file`: one row for each contract that is not the same in both.
pub fn reconciliation_file(
    conn: &mut DbConn,
    actor: &Actor,
    wanted: &Wanted,
    format: TableFormat,
    file: File,
) -> Result<File> {
    let (found, _) = registrar(conn, actor, wanted.registrar)?;
    let year = BookYear { registrar: found.id, year: wanted.year };
    let heads = [
        "对账结果",
        "合同登记编号",
        "全国系统编号",
        "合同名称",
        "本系统成交额(元)",
        "全国系统成交额(元)",
        "合同",
    ];
    let mut out = Writer::new(format, file, "对账", &heads)?;
    pages(
        |w| store::only_here(conn, year, w),
        |row: &OnlyHere| row.registration_no.clone(),
        |row| {
            out.row(&[
                Put::text(ReconciliationList::OnlyHere.zh()),
                Put::maybe(row.registration_no.as_deref()),
                Put::Nothing,
                Put::text(&row.title),
                Put::Yuan(row.total_fen),
                Put::Nothing,
                Put::text(row.contract_id.to_string()),
            ])
        },
    )?;
    pages(
        |w| store::only_there(conn, year, w),
        |row: &OnlyThere| Some(row.national_no.clone()),
        |row| {
            out.row(&[
                Put::text(ReconciliationList::OnlyThere.zh()),
                Put::maybe(row.registration_no.as_deref()),
                Put::text(&row.national_no),
                Put::Nothing,
                Put::Nothing,
                Put::Yuan(row.total_fen),
            ])
        },
    )?;
    pages(
        |w| store::different(conn, year, w),
        |row: &Different| Some(row.national_no.clone()),
        |row| {
            out.row(&[
                Put::text(ReconciliationList::Different.zh()),
                Put::maybe(row.registration_no.as_deref()),
                Put::text(&row.national_no),
                Put::text(&row.title),
                Put::Yuan(row.total_fen),
                Put::Yuan(row.national_total_fen),
                Put::text(row.contract_id.to_string()),
            ])
        },
    )?;
    out.finish()
}

/// Goes through all pages of a list.
fn pages<T>(
    mut load: impl FnMut(&Window<String>) -> Result<(Vec<T>, i64)>,
    place: impl Fn(&T) -> Option<String>,
    mut each: impl FnMut(&T) -> Result<()>,
) -> Result<()> {
    let mut window = Window { limit: CHUNK, after: None };
    loop {
        let (rows, total) = load(&window)?;
        let Page { items, next_cursor, .. } =
            window.page(rows, total, |row| place(row).unwrap_or_default())?;
        for row in &items {
            each(row)?;
        }
        match (next_cursor, items.last()) {
            (Some(_), Some(last)) => window.after = place(last),
            _ => return Ok(()),
        }
    }
}
