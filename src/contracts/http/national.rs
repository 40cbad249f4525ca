//! The national system over HTTP: parse, call the service, render. No decisions here.
use std::collections::BTreeMap;

use actix_web::{HttpResponse, Responder, get, post, web::Data};
use chrono::Datelike;
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    contracts::{
        model::national::{
            NationalReport, NewNationalNumbers, ReconciliationList, ReconciliationView,
        },
        service::national::{self as service, Wanted},
    },
    kernel::{
        Actor, Code, Day, Db, Error, Id, Moment, Problem, Query, Received, Reply, Result, Storage,
        Upload, Window, Writer, blocking,
        code::chosen,
        of,
        table::{self, TableFormat},
    },
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(export).service(tell_numbers).service(reconcile);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// The registrar's organization. Without it: the one the caller is a clerk of, or for operators and
    /// auditors all contracts of their region.
    #[param(value_type = Option<String>, format = Uuid)]
    registrar: Option<String>,
    /// The first day of registration.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Day>,
    /// The last day of registration.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Day>,
    /// `xlsx` unless given.
    #[param(value_type = Option<TableFormat>)]
    format: Option<String>,
}

fn registrar_of(told: Option<&str>) -> Result<Option<Id<of::Organization>>> {
    let odd = |_| Error::invalid("registrar", "bad_format", "应为 UUID。");
    told.map(|id| id.parse().map_err(odd)).transpose()
}

/// Export registered contracts for the national system.
///
/// One row for each contract that counts as registered, in the order of the days, with the fields of the
/// national form under their Chinese and its own names; what the market does not know stays empty. For the
/// registrar's clerks, and operators and auditors of the region. That it was done stands in the journal.
#[utoipa::path(
    tag = "contracts",
    params(ExportQuery),
    responses(
        (status = 200, description = "The table.", content_type = "application/octet-stream"),
        (status = 404, description = "No such registrar, or not for this caller.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/contracts/export")]
async fn export(
    actor: Actor,
    db: Data<Db>,
    storage: Data<Storage>,
    query: Query<ExportQuery>,
) -> Result<HttpResponse> {
    let ExportQuery { registrar, from, to, format } = query.0;
    let registrar = registrar_of(registrar.as_deref())?;
    let format = chosen("format", format.as_deref().unwrap_or("xlsx"))?;
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Error::invalid("to", "before_start", "to 不得早于 from。"));
    }
    let books = db.write(move |tx| service::books(tx, &actor, registrar)).await?;
    let file = storage.spool()?;
    let file = db
        .read_snapshot(move |conn| service::export(conn, &books, (from, to), format, file))
        .await?;
    Ok(table::download(file, format, "contracts"))
}

/// Tell what numbers and amounts the national system has.
///
/// A table with the columns 全国系统编号, 合同登记编号 and 成交额(元). With `dry_run`, which is the default,
/// the answer says what would be written and names every faulty cell; without it a faulty cell refuses the
/// whole table. A number that was told before is replaced.
#[utoipa::path(
    tag = "contracts",
    request_body(content = NewNationalNumbers, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "What was written, or would be.", body = NationalReport),
        (status = 403, description = "`not_a_keeper`: no clerk, no operator.", body = Problem),
        (status = 404, description = "No such registrar, or not for this caller.", body = Problem),
        (status = 422, description = "Every faulty column or cell, by its address.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[post("/contracts/national-numbers")]
async fn tell_numbers(
    actor: Writer,
    db: Data<Db>,
    storage: Data<Storage>,
    upload: Upload,
) -> Result<Reply> {
    service::may_tell(&actor)?;
    let fields = ["registrar", "year", "dry_run"];
    let (received, form) = upload.receive_form(&storage, service::FILE_LIMIT, &fields).await?;
    let Received { file, once, .. } = received;
    let registrar = registrar_of(form.get("registrar").map(String::as_str))?;
    let (year, dry_run) = (year_of(&form)?, is_dry(&form)?);
    let today = Moment::now().day();
    let (told, faults) = blocking(move || service::read(file, year, today)).await?;
    once.write(&db, actor.name(), move |tx| {
        Reply::ok(&service::tell(tx, &actor, registrar, (&told, faults), dry_run)?)
    })
    .await
}

fn year_of(form: &BTreeMap<String, String>) -> Result<Option<i64>> {
    let odd = |_| Error::invalid("/year", "wrong_type", "应为年份，如 2026。");
    form.get("year").map(|year| year.parse().map_err(odd)).transpose()
}

fn is_dry(form: &BTreeMap<String, String>) -> Result<bool> {
    match form.get("dry_run").map(String::as_str) {
        None | Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(Error::invalid("/dry_run", "wrong_type", "应为 true 或 false。")),
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReconciliationQuery {
    /// The registrar's organization; without it the one that the caller is a clerk of.
    #[param(value_type = Option<String>, format = Uuid)]
    registrar: Option<String>,
    /// This year unless given.
    #[param(minimum = 1985, maximum = 2099)]
    year: Option<i32>,
    /// The list that `cursor` belongs to.
    #[param(inline, value_type = Option<ReconciliationList>)]
    list: Option<String>,
    /// `json` unless given; `xlsx` and `csv` hold all three lists in full.
    #[param(example = "json")]
    format: Option<String>,
    /// At most this many of each list.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `next_cursor` of a list's page before.
    cursor: Option<String>,
}

/// Compare a registrar's year with the national system.
///
/// Three lists: registered only here, only there, and in both with different amounts. For the registrar's
/// clerks, and operators and auditors of its region.
#[utoipa::path(
    tag = "contracts",
    params(ReconciliationQuery),
    responses(
        (status = 200, description = "The lists, each with its first page, or with that of `cursor`.", body = ReconciliationView),
        (status = 404, description = "No such registrar, or not for this caller.", body = Problem),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/contracts/reconciliation")]
async fn reconcile(
    actor: Actor,
    db: Data<Db>,
    storage: Data<Storage>,
    request: actix_web::HttpRequest,
    query: Query<ReconciliationQuery>,
) -> Result<HttpResponse> {
    let ReconciliationQuery { registrar, year, list, format, limit, cursor } = query.0;
    let year = year.unwrap_or_else(|| Moment::now().day().year());
    if !(1985..=2099).contains(&year) {
        return Err(Error::invalid("year", "out_of_range", "year 应在 1985 与 2099 之间。"));
    }
    let list = list
        .map(|slug| {
            let odd = || Error::invalid("list", "not_in_list", "没有这个列表。");
            ReconciliationList::from_slug(&slug).ok_or_else(odd)
        })
        .transpose()?;
    if cursor.is_some() && list.is_none() {
        return Err(Error::invalid("list", "required", "给出 cursor 时须用 list 指明列表。"));
    }
    let registrar = registrar_of(registrar.as_deref())?;
    let wanted = Wanted { registrar, year, list, window: Window::read(limit, cursor.as_deref())? };
    match format.as_deref() {
        None | Some("json") => {
            let ask = move |conn: &mut _| service::reconciliation(conn, &actor, &wanted);
            Ok(Reply::ok(&db.read_snapshot(ask).await?)?.respond_to(&request))
        }
        Some(other) => {
            let (format, file) = (chosen("format", other)?, storage.spool()?);
            let write = move |conn: &mut _| {
                service::reconciliation_file(conn, &actor, &wanted, format, file)
            };
            let file = db.read_snapshot(write).await?;
            Ok(table::download(file, format, &format!("reconciliation-{year}")))
        }
    }
}
