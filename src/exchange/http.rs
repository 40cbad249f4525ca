//! Imports over HTTP: parse, call the service, render. No decisions here.
use actix_web::{HttpResponse, get, post, web, web::Data};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    model::{FaultSeverity, ImportFault, ImportKind, ImportView, NewImport},
    service::{self, Order, Sheet, Stored},
    template,
};
use crate::kernel::{
    Actor, At, Body, Code, Db, Error, Id, Nothing, Page, Problem, Query, Received, Reply, Result,
    Storage, Upload, Window, Writer, blocking,
    code::chosen,
    document, of,
    table::{self, TableFormat},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(download_template)
        .service(create)
        .service(list)
        .service(show)
        .service(faults)
        .service(commit)
        .service(download_result);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WantedFormat {
    /// `xlsx` unless given.
    #[param(value_type = Option<TableFormat>)]
    format: Option<String>,
}

impl WantedFormat {
    fn read(&self) -> Result<TableFormat> {
        chosen("format", self.format.as_deref().unwrap_or("xlsx"))
    }
}

/// Download a template.
///
/// The headings, an example that is not imported, and in xlsx the code lists and what goes where.
#[utoipa::path(
    tag = "imports",
    params(("kind" = ImportKind, Path), WantedFormat),
    responses((status = 200, description = "The template", content_type = "application/octet-stream")),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/imports/templates/{kind}")]
async fn download_template(
    _actor: Actor,
    storage: Data<Storage>,
    kind: web::Path<String>,
    query: Query<WantedFormat>,
) -> Result<HttpResponse> {
    let kind = ImportKind::from_slug(&kind).ok_or(Error::NotFound("模板"))?;
    let format = query.0.read()?;
    let file = blocking(move || template::write(kind, format, storage.spool()?)).await?;
    Ok(table::download(file, format, &format!("template-{}", kind.slug())))
}

/// Import a table of drafts.
///
/// The file is taken and its headings are looked at; what is no table, or has unknown, missing or double
/// columns, is refused at once. The rows are checked afterwards: `GET /imports/{id}` shows how far that is.
/// With `dry_run`, which is the default, `commit` is what writes them, all or none; what is written are
/// drafts. A file has at most 100,000 rows and 64 MiB.
#[utoipa::path(
    tag = "imports",
    request_body(content = NewImport, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The import, about to be checked", body = ImportView),
        (status = 403, description = "`no_organization`, `organization_kind`", body = Problem),
        (status = 422, description = "`not_a_workbook`, `archive_bomb`, `bad_encoding`, `unknown_column`, `missing_column`, `duplicate_column` …; columns are named by the address of their heading", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/imports")]
async fn create(
    actor: Writer,
    db: Data<Db>,
    storage: Data<Storage>,
    upload: Upload,
) -> Result<Reply> {
    service::may_import(&actor)?;
    let fields = ["kind", "dry_run", "organization_id"];
    let (received, form) = upload.receive_form(&storage, service::FILE_LIMIT, &fields).await?;
    let Received { name, size, sha256, file, once, .. } = received;
    let order = order(&form)?;
    let kind = order.kind;
    let (file, format) = blocking(move || {
        let sheet = Sheet::open(kind, copy_of(&file)?, service::FILE_LIMIT)?;
        Ok((file, sheet.table().format()))
    })
    .await?;
    let id = Id::fresh();
    let key = service::key(id);
    storage.put(&key, file).await?;
    let stored =
        Stored { id, name: document::label(&name), format, size, sha256, key: key.clone() };
    let reply = once
        .write(&db, actor.name(), move |tx| {
            let view = service::begin(tx, &actor, &order, &stored)?;
            Reply::created(format!("/imports/{}", view.id), &view)
        })
        .await;
    storage.unless_named(&db, &key, service::in_use).await;
    reply
}

/// Another handle of the same file.
fn copy_of(file: &std::fs::File) -> Result<std::fs::File> {
    Ok(file.try_clone().map_err(anyhow::Error::from)?)
}

fn order(form: &std::collections::BTreeMap<String, String>) -> Result<Order> {
    let kind = form
        .get("kind")
        .ok_or_else(|| Error::invalid("/kind", "required", "表单中缺少名为 kind 的部分。"))?;
    let dry_run = match form.get("dry_run").map(String::as_str) {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => return Err(Error::invalid("/dry_run", "wrong_type", "应为 true 或 false。")),
    };
    let organization = form
        .get("organization_id")
        .map(|id| id.parse())
        .transpose()
        .map_err(|_| Error::invalid("/organization_id", "bad_format", "应为 UUID。"))?;
    Ok(Order { kind: chosen("/kind", kind)?, dry_run, organization })
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportList {
    /// At most this many.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The imports of the caller's organizations, and for operators and auditors those of their region.
#[utoipa::path(
    tag = "imports",
    params(ImportList),
    responses((status = 200, description = "A page, newest first", body = Page<ImportView>)),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/imports")]
async fn list(actor: Actor, db: Data<Db>, query: Query<ImportList>) -> Result<Reply> {
    let window = Window::read(query.0.limit, query.0.cursor.as_deref())?;
    Reply::ok(&db.read(move |conn| service::list(conn, &actor, &window)).await?)
}

/// How far an import is.
#[utoipa::path(
    tag = "imports",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The import", body = ImportView)),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/imports/{id}")]
async fn show(actor: Actor, db: Data<Db>, id: At<of::Import>) -> Result<Reply> {
    Reply::ok(&db.read(move |conn| service::view(conn, &actor, id.0)).await?)
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FaultList {
    /// Only errors, or only warnings.
    #[param(value_type = Option<FaultSeverity>)]
    severity: Option<String>,
    /// At most this many.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Every faulty or odd cell, in the order of the sheet.
///
/// The first 100,000 are kept; `faults` and `warnings` of the import count all of them.
#[utoipa::path(
    tag = "imports",
    params(("id" = String, Path, format = Uuid), FaultList),
    responses((status = 200, description = "A page", body = Page<ImportFault>)),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/imports/{id}/faults")]
async fn faults(
    actor: Actor,
    db: Data<Db>,
    id: At<of::Import>,
    query: Query<FaultList>,
) -> Result<Reply> {
    let FaultList { severity, limit, cursor } = query.0;
    let severity = severity.map(|slug| chosen("severity", &slug)).transpose()?;
    let window = Window::read(limit, cursor.as_deref())?;
    let page = db.read(move |conn| service::faults(conn, &actor, id.0, severity, &window)).await?;
    Reply::ok(&page)
}

/// Write all rows of an import that has been found fit, or none.
///
/// The rows are checked once more, and the file must be the one that was checked. Done when the state is
/// `committed`; `faulty` when something has changed in between, and then nothing was written.
#[utoipa::path(
    tag = "imports",
    params(("id" = String, Path, format = Uuid)),
    request_body = Nothing,
    responses(
        (status = 202, description = "The import, about to be written", body = ImportView),
        (status = 403, description = "`not_a_member`", body = Problem),
        (status = 409, description = "`illegal_transition`: not checked yet, faulty, or written already", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/imports/{id}/commit")]
async fn commit(
    actor: Writer,
    db: Data<Db>,
    id: At<of::Import>,
    body: Body<Nothing>,
) -> Result<Reply> {
    let once = body.once;
    once.write(&db, actor.name(), move |tx| Reply::accepted(&service::commit(tx, &actor, id.0)?))
        .await
}

/// What became of every row, as a file.
#[utoipa::path(
    tag = "imports",
    params(("id" = String, Path, format = Uuid), WantedFormat),
    responses(
        (status = 200, description = "A row for each row that was written, and one for each finding", content_type = "application/octet-stream"),
        (status = 409, description = "`not_finished`", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/imports/{id}/result")]
async fn download_result(
    actor: Actor,
    db: Data<Db>,
    storage: Data<Storage>,
    id: At<of::Import>,
    query: Query<WantedFormat>,
) -> Result<HttpResponse> {
    let format = query.0.read()?;
    let file = storage.spool()?;
    let file =
        db.read_snapshot(move |conn| service::result(conn, &actor, id.0, format, file)).await?;
    Ok(table::download(file, format, &format!("import-{}", id.0)))
}
