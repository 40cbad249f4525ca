//! Papers and receipts.
use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Nullable},
};

use crate::{
    contracts::model::{Paper, PaperKind, Receipt},
    kernel::{Day, DbConn, Error, Fen, Id, Result, Tx, document::Given, of},
    schema::{contract_papers as papers_table, contract_receipts as receipts_table},
};

/// A paper as it is handed in.
#[derive(Debug, Clone)]
pub struct NewPaper {
    pub kind: PaperKind,
    pub name: String,
    pub media_type: String,
    pub bytes: i64,
    pub sha256: String,
    /// Where its file is kept, if it is.
    pub storage_key: Option<String>,
}

pub fn add_paper(
    tx: &mut Tx<'_>,
    contract: Id<of::Contract>,
    new: NewPaper,
    by: Id<of::Account>,
) -> Result<Paper> {
    let id: Id<of::Paper> = Id::fresh();
    let row = (
        papers_table::id.eq(id),
        papers_table::contract_id.eq(contract),
        papers_table::kind.eq(new.kind),
        papers_table::name.eq(new.name),
        papers_table::media_type.eq(new.media_type),
        papers_table::bytes.eq(new.bytes),
        papers_table::sha256.eq(new.sha256),
        papers_table::storage_key.eq(new.storage_key),
        papers_table::created_by.eq(by),
        papers_table::created_at.eq(tx.now()),
    );
    diesel::insert_into(papers_table::table).values(row).execute(&mut **tx)?;
    Ok(Paper::query().filter(papers_table::id.eq(id)).first(&mut **tx)?)
}

/// Takes a paper of `contract` away; answers whether it was there.
pub fn drop_paper(tx: &mut Tx<'_>, contract: Id<of::Contract>, id: Id<of::Paper>) -> Result<bool> {
    let own = papers_table::table
        .filter(papers_table::id.eq(id).and(papers_table::contract_id.eq(contract)));
    Ok(diesel::delete(own).execute(&mut **tx)? > 0)
}

/// Notes where the file of a paper is kept, of which only the digest was known so far. What was said of its
/// type and size gives way to what they are.
pub fn keep_file(tx: &mut Tx<'_>, id: Id<of::Paper>, file: &NewPaper) -> Result<Paper> {
    let pledged = papers_table::table.find(id).filter(papers_table::storage_key.is_null());
    let done = diesel::update(pledged)
        .set((
            papers_table::media_type.eq(&file.media_type),
            papers_table::bytes.eq(file.bytes),
            papers_table::storage_key.eq(&file.storage_key),
        ))
        .execute(&mut **tx)?;
    if done == 0 {
        return Err(Error::Stale);
    }
    Ok(Paper::query().filter(papers_table::id.eq(id)).first(&mut **tx)?)
}

/// The file of a paper of `contract`, if it is kept.
pub fn file_of(
    conn: &mut DbConn,
    contract: Id<of::Contract>,
    id: Id<of::Paper>,
) -> Result<Option<Given>> {
    type Columns = (String, String, i64, String, Option<String>);
    let row: Option<Columns> = papers_table::table
        .filter(papers_table::id.eq(id).and(papers_table::contract_id.eq(contract)))
        .select((
            papers_table::name,
            papers_table::media_type,
            papers_table::bytes,
            papers_table::sha256,
            papers_table::storage_key,
        ))
        .first(conn)
        .optional()?;
    Ok(row.and_then(|(name, media_type, size, sha256, key)| {
        key.map(|storage_key| Given { name, media_type, size, sha256, storage_key })
    }))
}

/// Which of these keys belong to a paper.
pub fn files_in_use(conn: &mut DbConn, keys: &[String]) -> Result<Vec<String>> {
    let found: Vec<Option<String>> = papers_table::table
        .filter(papers_table::storage_key.eq_any(keys))
        .select(papers_table::storage_key)
        .load(conn)?;
    Ok(found.into_iter().flatten().collect())
}

pub fn papers(conn: &mut DbConn, contract: Id<of::Contract>) -> Result<Vec<Paper>> {
    Ok(Paper::query()
        .filter(papers_table::contract_id.eq(contract))
        .order((papers_table::created_at, papers_table::id))
        .load(conn)?)
}

pub fn add_receipt(
    tx: &mut Tx<'_>,
    contract: Id<of::Contract>,
    (received_on, amount, note): (Day, Fen, Option<String>),
    by: Id<of::Account>,
) -> Result<()> {
    let id: Id<of::Receipt> = Id::fresh();
    let row = (
        receipts_table::id.eq(id),
        receipts_table::contract_id.eq(contract),
        receipts_table::received_on.eq(received_on),
        receipts_table::amount_fen.eq(amount),
        receipts_table::note.eq(note),
        receipts_table::created_by.eq(by),
        receipts_table::created_at.eq(tx.now()),
    );
    diesel::insert_into(receipts_table::table).values(row).execute(&mut **tx)?;
    Ok(())
}

/// What was received for a contract, oldest first.
pub fn receipts(conn: &mut DbConn, contract: Id<of::Contract>) -> Result<Vec<Receipt>> {
    Ok(Receipt::query()
        .filter(receipts_table::contract_id.eq(contract))
        .order((receipts_table::received_on, receipts_table::id))
        .load(conn)?)
}

/// What was received for each of these contracts; nothing stands for those without receipts. Every
/// single sum was checked when it was written, so none leaves the range.
pub fn received(
    conn: &mut DbConn,
    contracts: &[Id<of::Contract>],
) -> Result<Vec<(Id<of::Contract>, Fen)>> {
    let sum = sql::<Nullable<BigInt>>("CAST(SUM(amount_fen) AS BIGINT)");
    let rows: Vec<(Id<of::Contract>, Option<i64>)> = receipts_table::table
        .filter(receipts_table::contract_id.eq_any(contracts))
        .group_by(receipts_table::contract_id)
        .select((receipts_table::contract_id, sum))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, sum)| (id, Fen(sum.unwrap_or_default()))).collect())
}
