//! Documents of a deal over HTTP: uploads and downloads pass through in pieces.
use actix_web::{HttpResponse, delete, get, http::header, post, web::Data};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use utoipa_actix_web::service_config::ServiceConfig;

use super::Wanted;
use crate::{
    deals::{
        model::talk::{DocumentView, NewDocument},
        rules::document,
        service::{
            documents::{self, Stored},
            inspection,
        },
    },
    kernel::{
        Actor, At, Config, Db, Id, Page, Part, Problem, Query, Received, Reply, Result, Storage,
        Upload, Window, Writer, blocking, of,
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
    let Received { name, declared, size, sha256, file, once } =
        upload.receive(&storage, limit).await?;
    let name = document::label(&name);
    let (name, kind, file) = blocking(move || {
        let mut file = file;
        let kind = inspection::inspect(&mut file, &name, declared.as_deref(), limit)?;
        Ok((name, kind, file))
    })
    .await?;
    let document = Id::fresh();
    let storage_key = documents::storage_key(deal, document);
    storage.put(&storage_key, file).await?;
    let stored =
        Stored { id: document, name, media_type: kind.media_type, size, sha256, storage_key };
    let row = stored.clone();
    let reply = once
        .write(&db, actor.name(), move |tx| {
            let view = documents::add(tx, &actor, deal, &row)?;
            Reply::created(format!("/deals/{deal}/documents/{}", view.id), &view)
        })
        .await;
    // the answer stands whatever becomes of this: the sweep does it again
    if let Err(error) = documents::unless_kept(&db, &storage, &stored).await {
        tracing::warn!(%error, cause = ?error, "an object that no document names was not removed yet");
    }
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
    document: Part<of::DealDocument>,
) -> Result<HttpResponse> {
    let row = db.write(move |tx| documents::downloaded(tx, &actor, id.0, document.0)).await?;
    let pieces = storage.get(&row.storage_key, row.sha256.clone()).await?;
    let digest: Vec<u8> = row.digest_bytes();
    Ok(HttpResponse::Ok()
        .content_type(row.media_type)
        .insert_header((header::CONTENT_DISPOSITION, document::content_disposition(&row.name)))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        // packing what is packed already would only hide its length
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("Repr-Digest", format!("sha-256=:{}:", BASE64.encode(digest))))
        .no_chunking(u64::try_from(row.size).unwrap_or_default())
        .streaming(pieces))
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
