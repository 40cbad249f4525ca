//! What lies with a contract, over HTTP.
use actix_web::{
    HttpResponse, delete, get,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY},
    post,
    web::Data,
};
use utoipa_actix_web::service_config::ServiceConfig;

use super::shown;
use crate::{
    contracts::{
        model::{
            AssignBody, ContractHistoryView, ContractVersionsView, ContractView, Paper, PaperBody,
            PaperKind, PaperUpload, PapersView, PrecheckView, ReceiptBody, ReceiptsView, TextView,
        },
        service::{self, NewPaper},
    },
    kernel::{
        Actor, At, Body, Config, Db, Error, Part, Problem, Reply, Result, Storage, Upload, Writer,
        code::chosen,
        document::{self, Inspected},
        of,
    },
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(precheck)
        .service(text)
        .service(history)
        .service(versions)
        .service(assign)
        .service(papers)
        .service(add_paper)
        .service(add_paper_file)
        .service(open_paper_file)
        .service(drop_paper)
        .service(receipts)
        .service(add_receipt)
        .service(certificate);
}

/// Check a contract before it is filed.
///
/// Errors stop the filing, warnings do not; each names its rule and what to do.
#[utoipa::path(
    tag = "contracts",
    params(("id" = String, Path, description = "The contract.")),
    responses(
        (status = 200, description = "What was found, errors first.", body = PrecheckView),
        (status = 403, description = "A clerk who is not assigned.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/contracts/{id}/precheck")]
async fn precheck(db: Data<Db>, actor: Actor, id: At<of::Contract>) -> Result<Reply> {
    Reply::ok(&db.read(move |conn| service::precheck(conn, &actor, id.0)).await?)
}

/// Open the text of a contract.
///
/// For its parties, its assigned clerks and the authority. Whoever is no party leaves a line in the journal.
#[utoipa::path(
    tag = "contracts",
    params(("id" = String, Path, description = "The contract.")),
    responses(
        (status = 200, description = "The text.", body = TextView),
        (status = 403, description = "A clerk who is not assigned.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/contracts/{id}/text")]
async fn text(db: Data<Db>, actor: Writer, id: At<of::Contract>) -> Result<Reply> {
    Reply::ok(&db.write(move |tx| service::open_text(tx, &actor, id.0)).await?)
}

/// Read the way of a contract, step by step.
#[utoipa::path(
    tag = "contracts",
    params(("id" = String, Path, description = "The contract.")),
    responses(
        (status = 200, description = "Oldest first.", body = ContractHistoryView),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/contracts/{id}/history")]
async fn history(db: Data<Db>, actor: Actor, id: At<of::Contract>) -> Result<Reply> {
    Reply::ok(&db.read(move |conn| service::history(conn, &actor, id.0)).await?)
}

/// Read the registered versions of a contract, with what changed.
///
/// To those for whom the text is sealed only the names of the fields are shown.
#[utoipa::path(
    tag = "contracts",
    params(("id" = String, Path, description = "The contract.")),
    responses(
        (status = 200, description = "Oldest first.", body = ContractVersionsView),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/contracts/{id}/versions")]
async fn versions(db: Data<Db>, actor: Actor, id: At<of::Contract>) -> Result<Reply> {
    Reply::ok(&db.read(move |conn| service::versions(conn, &actor, id.0)).await?)
}

/// Assign a clerk, who may then open the text (a clerk of the registrar).
///
/// Accepting, reviewing and registering assign by themselves.
#[utoipa::path(
    tag = "contracts",
    params(("id" = String, Path, description = "The contract.")),
    request_body = AssignBody,
    responses(
        (status = 200, description = "The contract as it is now.", body = ContractView),
        (status = 403, description = "Not for this caller.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/assign")]
async fn assign(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    body: Body<AssignBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        shown(service::assign(tx, &actor, id.0, value.account_id)?)
    })
    .await
}

/// List the papers of a contract.
///
/// An opening by a clerk or the authority is noted in the journal.
#[utoipa::path(
    tag = "contracts",
    params(("id" = String, Path, description = "The contract.")),
    responses(
        (status = 200, description = "Oldest first.", body = PapersView),
        (status = 403, description = "A clerk who is not assigned.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/contracts/{id}/papers")]
async fn papers(db: Data<Db>, actor: Writer, id: At<of::Contract>) -> Result<Reply> {
    Reply::ok(&db.write(move |tx| service::papers(tx, &actor, id.0)).await?)
}

/// Enter a paper of a contract: its kind, name, size and digest (the filer).
///
/// While it is a draft, is to be supplemented or changed. The file may stay where it is, or be handed in by
/// `POST /contracts/{id}/papers/files`.
#[utoipa::path(
    tag = "contracts",
    params(("id" = String, Path, description = "The contract.")),
    request_body = PaperBody,
    responses(
        (status = 201, description = "The paper.", body = Paper),
        (status = 403, description = "Not for this caller.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/papers")]
async fn add_paper(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    body: Body<PaperBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        let paper = service::add_paper(tx, &actor, id.0, value)?;
        Reply::created(format!("/contracts/{}/papers/{}", id.0, paper.id), &paper)
    })
    .await
}

/// Hand in a paper of a contract with its file (the filer).
///
/// A form with the parts `kind` and `file`. What it is, its content says: a file that claims to be something
/// else is refused, and so is an archive that would burst. Where a paper of this kind was entered with the
/// same digest, the file joins it.
#[utoipa::path(
    tag = "contracts",
    params(("id" = String, Path, description = "The contract.")),
    request_body(content = PaperUpload, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The paper.", body = Paper),
        (status = 403, description = "Not for this caller.", body = Problem),
        (status = 409, description = "Not in this state, or the file is there already.", body = Problem),
        (status = 413, description = "Over the limit", body = Problem),
        (status = 422, description = "`empty_file`, `type_not_allowed`, `type_mismatch`, `archive_bomb` …", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/papers/files")]
async fn add_paper_file(
    db: Data<Db>,
    config: Data<Config>,
    storage: Data<Storage>,
    actor: Writer,
    id: At<of::Contract>,
    upload: Upload,
) -> Result<Reply> {
    let (contract, asking, limit) = (id.0, actor.clone(), config.document_limit);
    db.read(move |conn| service::may_add_file(conn, &asking, contract)).await?;
    let (received, form) = upload.receive_form(&storage, limit, &["kind"]).await?;
    let kind = form.get("kind").ok_or_else(|| {
        Error::invalid("/kind", "required", "表单中缺少名为 kind 的部分：材料的种类。")
    })?;
    let kind: PaperKind = chosen("/kind", kind)?;
    let Inspected { name, media_type, size, sha256, file, once } =
        document::inspected(received, limit).await?;
    let key = service::file_key(contract);
    storage.put(&key, file).await?;
    let new = NewPaper {
        kind,
        name,
        media_type: media_type.to_owned(),
        bytes: size,
        sha256,
        storage_key: Some(key.clone()),
    };
    let reply = once
        .write(&db, actor.name(), move |tx| {
            let paper = service::add_file(tx, &actor, contract, new)?;
            Reply::created(format!("/contracts/{contract}/papers/{}", paper.id), &paper)
        })
        .await;
    storage.unless_named(&db, &key, service::files_in_use).await;
    reply
}

/// Open the file of a paper.
///
/// For the contract's parties, its assigned clerks and the authority. Whoever is no party leaves a line in
/// the journal.
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("part" = String, Path, description = "The paper."),
    ),
    responses(
        (status = 200, description = "The file, under its name", content_type = "application/octet-stream"),
        (status = 403, description = "A clerk who is not assigned.", body = Problem),
        (status = 404, description = "No such paper, or its file is not kept here.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/contracts/{id}/papers/{part}/file")]
async fn open_paper_file(
    db: Data<Db>,
    storage: Data<Storage>,
    actor: Writer,
    id: At<of::Contract>,
    paper: Part<of::Paper>,
) -> Result<HttpResponse> {
    let file = db.write(move |tx| service::open_file(tx, &actor, id.0, paper.0)).await?;
    document::give(&storage, file).await
}

/// List what was received for a contract.
#[utoipa::path(
    tag = "contracts",
    params(("id" = String, Path, description = "The contract.")),
    responses(
        (status = 200, description = "With the income from technology, and why it is so much.", body = ReceiptsView),
        (status = 403, description = "A clerk who is not assigned.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/contracts/{id}/receipts")]
async fn receipts(db: Data<Db>, actor: Actor, id: At<of::Contract>) -> Result<Reply> {
    Reply::ok(&db.read(move |conn| service::receipts(conn, &actor, id.0)).await?)
}

/// Enter money that was received for a registered contract (the filer).
#[utoipa::path(
    tag = "contracts",
    params(("id" = String, Path, description = "The contract.")),
    request_body = ReceiptBody,
    responses(
        (status = 201, description = "All receipts with the new one.", body = ReceiptsView),
        (status = 403, description = "Not for this caller.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/{id}/receipts")]
async fn add_receipt(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    body: Body<ReceiptBody>,
) -> Result<Reply> {
    let Body { value, once } = body;
    once.write(&db, actor.name(), move |tx| {
        let all = service::add_receipt(tx, &actor, id.0, value)?;
        Reply::created(format!("/contracts/{}/receipts", id.0), &all)
    })
    .await
}

/// Take a paper away again (the filer).
#[utoipa::path(
    tag = "contracts",
    params(
        ("id" = String, Path, description = "The contract."),
        ("part" = String, Path, description = "The paper."),
    ),
    responses(
        (status = 204, description = "Gone."),
        (status = 403, description = "Not a member of the filer.", body = Problem),
        (status = 409, description = "Not in this state.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[delete("/contracts/{id}/papers/{part}")]
async fn drop_paper(
    db: Data<Db>,
    actor: Writer,
    id: At<of::Contract>,
    paper: Part<of::Paper>,
) -> Result<Reply> {
    db.write(move |tx| service::drop_paper(tx, &actor, id.0, paper.0)).await?;
    Ok(Reply::no_content())
}

/// Print the certificate of a registered contract.
///
/// A page for print with the amounts in figures and in capital numerals, a code and its QR picture;
/// `GET /verify/{code}` tells whether it still holds. Amounts that are provisional are marked as such.
#[utoipa::path(
    tag = "contracts",
    params(("id" = String, Path, description = "The contract.")),
    responses(
        (status = 200, description = "The certificate.", body = String, content_type = "text/html"),
        (status = 409, description = "Not registered, or no longer.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/contracts/{id}/certificate")]
async fn certificate(
    db: Data<Db>,
    config: Data<Config>,
    actor: Actor,
    id: At<of::Contract>,
) -> Result<HttpResponse> {
    let page =
        db.write(move |tx| service::certificate(tx, &actor, id.0, &config.public_url)).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"))
        .body(page))
}
