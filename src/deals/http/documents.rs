//! Documents of a deal over HTTP: uploads and downloads pass through in pieces.
use actix_web::{HttpResponse, delete, get, post, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use super::Wanted;
use crate::{
    deals::{
        model::talk::{DocumentView, NewDocument},
        service::documents::{self, Stored},
    },
    kernel::{
        Actor, At, Config, Db, Id, Page, Part, Problem, Query, Reply, Result, Storage, Upload,
        Window, Writer,
        document::{self, Inspected},
        of,
    },
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(add_document)
        .service(list_documents)
        .service(download_document)
        .service(remove_document);
}

/// Add a document to a deal.
///
/// A form with one part, `file`. What it is, its content says: a file that claims to be something else
/// is refused, and so is an archive that would burst.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid)),
    request_body(content = NewDocument, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The document", body = DocumentView),
        (status = 403, description = "`not_a_member`, `organization_unverified`", body = Problem),
        (status = 409, description = "`illegal_transition`: the deal is closed", body = Problem),
        (status = 413, description = "Over the limit", body = Problem),
        (status = 422, description = "`empty_file`, `type_not_allowed`, `type_mismatch`, `archive_bomb` …", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/deals/{id}/documents")]
async fn add_document(
    actor: Writer,
    db: Data<Db>,
    config: Data<Config>,
    storage: Data<Storage>,
    id: At<of::Deal>,
    upload: Upload,
) -> Result<Reply> {
    let deal = id.0;
    let asking = actor.clone();
    db.read(move |conn| documents::may_add(conn, &asking, deal)).await?;
    let limit = config.document_limit;
    let Inspected { name, media_type, size, sha256, file, once } =
        document::inspected(upload.receive(&storage, limit).await?, limit).await?;
    let id = Id::fresh();
    let key = documents::storage_key(deal, id);
    storage.put(&key, file).await?;
    let stored = Stored { id, name, media_type, size, sha256, storage_key: key.clone() };
    let reply = once
        .write(&db, actor.name(), move |tx| {
            let view = documents::add(tx, &actor, deal, &stored)?;
            Reply::created(format!("/deals/{deal}/documents/{}", view.id), &view)
        })
        .await;
    storage.unless_named(&db, &key, documents::in_use).await;
    reply
}

/// The documents of a deal, newest first.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid), Wanted),
    responses(
        (status = 200, description = "A page, newest first", body = Page<DocumentView>),
        (status = 403, description = "`not_a_member`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/deals/{id}/documents")]
async fn list_documents(
    actor: Actor,
    db: Data<Db>,
    id: At<of::Deal>,
    query: Query<Wanted>,
) -> Result<Reply> {
    let window = Window::read(query.0.limit, query.0.cursor.as_deref())?;
    Reply::ok(&db.read(move |conn| documents::list(conn, &actor, id.0, &window)).await?)
}

/// Download a document.
///
/// Only for the parties and the broker. Every download is in the journal.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid), ("part" = String, Path, format = Uuid)),
    responses(
        (status = 200, description = "The file, under its name", content_type = "application/octet-stream"),
        (status = 403, description = "`not_a_member`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/deals/{id}/documents/{part}")]
async fn download_document(
    actor: Actor,
    db: Data<Db>,
    storage: Data<Storage>,
    id: At<of::Deal>,
    part: Part<of::DealDocument>,
) -> Result<HttpResponse> {
    let row = db.write(move |tx| documents::downloaded(tx, &actor, id.0, part.0)).await?;
    document::give(&storage, row.given()).await
}

/// Take a document back that one's own side has added.
#[utoipa::path(
    tag = "deals",
    params(("id" = String, Path, format = Uuid), ("part" = String, Path, format = Uuid)),
    responses(
        (status = 204, description = "Gone; that it was there stays on record"),
        (status = 403, description = "`not_a_member`, `not_your_document`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[delete("/deals/{id}/documents/{part}")]
async fn remove_document(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Deal>,
    document: Part<of::DealDocument>,
) -> Result<Reply> {
    db.write(move |tx| documents::remove(tx, &actor, id.0, document.0)).await?;
    Ok(Reply::no_content())
}
