//! Documents of a deal. The object is stored before the row that names it.
use serde_json::json;

use super::{joined_deal, open_deal, viewer};
use crate::{
    deals::{
        model::{
            DealSide,
            talk::{Document, DocumentView},
        },
        store::talk as store,
    },
    kernel::{
        Actor, After, Db, DbConn, Error, Id, Moment, Page, Result, Storage, Tx, Window, journal, of,
    },
};

pub use store::{Stored, in_use};

const DOCUMENT: &str = "文件";
/// All objects of documents are below this prefix.
pub const PREFIX: &str = "documents";

/// Under which key an object is stored: made of ids alone.
pub fn storage_key(deal: Id<of::Deal>, document: Id<of::DealDocument>) -> String {
    format!("{PREFIX}/{deal}/{document}")
}

/// Whether the caller may add a document: asked before a byte of it is read.
pub fn may_add(conn: &mut DbConn, actor: &Actor, deal: Id<of::Deal>) -> Result<()> {
    let viewer = viewer(conn, actor)?;
    open_deal(conn, &viewer, deal, "document").map(drop)
}

pub fn add(
    tx: &mut Tx<'_>,
    actor: &Actor,
    deal: Id<of::Deal>,
    stored: &Stored,
) -> Result<DocumentView> {
    let viewer = viewer(tx, actor)?;
    let (deal, side, voices) = open_deal(tx, &viewer, deal, "document")?;
    let row = store::keep(tx, deal.id, (actor.account, side), stored)?;
    note(tx, actor, "deal.document_added", &row)?;
    Ok(view(row, &voices))
}

pub fn list(
    conn: &mut DbConn,
    actor: &Actor,
    deal: Id<of::Deal>,
    window: &Window<After<of::DealDocument>>,
) -> Result<Page<DocumentView>> {
    let viewer = viewer(conn, actor)?;
    let (deal, voices) = joined_deal(conn, &viewer, deal)?;
    let (rows, total) = store::documents(conn, deal.id, window)?;
    let page = window.page(rows, total, |r| After { at: r.created_at, id: r.id })?;
    Ok(page.map(|row| view(row, &voices)))
}

fn find(
    conn: &mut DbConn,
    actor: &Actor,
    deal: Id<of::Deal>,
    id: Id<of::DealDocument>,
) -> Result<(Document, Vec<DealSide>)> {
    let viewer = viewer(conn, actor)?;
    let (deal, voices) = joined_deal(conn, &viewer, deal)?;
    let row = store::find_document(conn, id)?
        .filter(|row| row.deal_id == deal.id && row.removed_at.is_none())
        .ok_or(Error::NotFound(DOCUMENT))?;
    Ok((row, voices))
}

/// The document that is given out next; that it was asked for is in the journal before it is.
pub fn downloaded(
    tx: &mut Tx<'_>,
    actor: &Actor,
    deal: Id<of::Deal>,
    id: Id<of::DealDocument>,
) -> Result<Document> {
    let (row, _) = find(tx, actor, deal, id)?;
    note(tx, actor, "deal.document_downloaded", &row)?;
    Ok(row)
}

/// Takes a document back. Only the side that added it may, and its row stays.
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    deal: Id<of::Deal>,
    id: Id<of::DealDocument>,
) -> Result<()> {
    let (row, voices) = find(tx, actor, deal, id)?;
    if !voices.contains(&row.side) {
        return Err(Error::forbidden("not_your_document", "只有上传文件的一方可以移除它。"));
    }
    store::remove(tx, &row, actor.account)?;
    note(tx, actor, "deal.document_removed", &row)
}

fn view(row: Document, voices: &[DealSide]) -> DocumentView {
    DocumentView {
        allowed_actions: voices.contains(&row.side).then_some("remove").into_iter().collect(),
        id: row.id,
        side: row.side,
        name: row.name,
        media_type: row.media_type,
        size: row.size,
        sha256: row.sha256,
        created_at: row.created_at,
    }
}

fn note(tx: &mut Tx<'_>, actor: &Actor, topic: &str, row: &Document) -> Result<()> {
    let body = json!({ "document": row.id });
    journal::record(tx, &actor.name(), topic, &format!("deal:{}", row.deal_id), &body)
}

/// Deletes objects that no document names: of uploads that were broken off, and of documents that
/// were removed. Answers how many.
pub async fn sweep(db: &Db, storage: &Storage, now: Moment) -> Result<usize> {
    Ok(storage.sweep(db, (PREFIX, store::in_use), now).await?.len())
}
