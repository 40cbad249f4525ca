//! Reports over HTTP.
use actix_web::{HttpRequest, HttpResponse, Responder, get, http::header, web::Data};

use crate::{
    insight::{
        Grids,
        model::{Report, ReportFormat, ReportKind, ReportQuery},
        report,
    },
    kernel::{
        Code, Db, Error, Moment, Query, Reply, Result, Visitor, blocking, document::disposition,
    },
};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// 月调度, 季通报 or 年排名 of a region: as JSON, as a workbook with charts, or as a page for print.
///
/// Every figure carries its last day, its basis, the call that gives it anew and the digest of that call's
/// answer. What the caller may not see is null in JSON and `—` on paper. Labels are English for callers who
/// prefer it (`Accept-Language`).
#[utoipa::path(
    tag = "statistics",
    params(("kind" = ReportKind, Path, description = "`monthly`, `quarterly` or `annual`"), ReportQuery),
    responses((
        status = 200,
        description = "The report, in the format that was asked for",
        content(
            (Report = "application/json"),
            (String = "text/html"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ),
    )),
    security((), ("bearer" = []), ("api_key" = [])),
)]
#[get("/reports/{kind}")]
pub async fn show_report(
    visitor: Visitor,
    db: Data<Db>,
    grids: Data<Grids>,
    query: Query<ReportQuery>,
    req: HttpRequest,
) -> Result<HttpResponse> {
    let kind = req.match_info().get("kind").and_then(ReportKind::from_slug);
    let (now, lang) = (Moment::now(), visitor.lang);
    let (asked, format) = query.0.parse(kind.ok_or(Error::NotFound("报表"))?, now.day())?;
    let made = db
        .read_snapshot(move |conn| {
            report::report(conn, &grids, visitor.actor.as_ref(), asked, lang, now)
        })
        .await?;
    let name = report::file_name(&made);
    // a figure that is asked for again is counted again
    let answer = |kind: &str, disposition: String, body: Vec<u8>| {
        HttpResponse::Ok()
            .content_type(kind)
            .insert_header((header::CONTENT_DISPOSITION, disposition))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((header::CACHE_CONTROL, "private, no-store"))
            .insert_header((
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'",
            ))
            .body(body)
    };
    Ok(match format {
        ReportFormat::Json => Reply::ok(&made)?.respond_to(&req).map_into_boxed_body(),
        ReportFormat::Html => {
            let page = report::page(&made, lang)?.into_bytes();
            let name = disposition("inline", &format!("{name}.html"));
            answer("text/html; charset=utf-8", name, page)
        }
        ReportFormat::Xlsx => {
            let book = blocking(move || report::workbook(&made, lang)).await?;
            answer(XLSX, disposition("attachment", &format!("{name}.xlsx")), book)
        }
    })
}
