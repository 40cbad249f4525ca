//! The OpenAPI document, made from the code, and the page to browse it without internet.
use actix_web::{App, HttpResponse, web};
use utoipa::openapi::{
    Content, InfoBuilder, LicenseBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder,
    path::{Operation, ParameterIn},
    security::{
        ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
    },
    tag::TagBuilder,
};
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::SwaggerUi;

use crate::{api, kernel::Error, operations};

const PATH: &str = "/api/v1/openapi.json";
const PROBLEM: &str = "application/problem+json";
const JSON: &str = "application/json";

const TAGS: &[(&str, &str)] = &[
    ("identity", "注册、登录与本人 · accounts, sessions, the caller"),
    ("organizations", "单位、成员与接口密钥 · organizations, members, API keys"),
    ("brokers", "技术经纪人 · technology brokers"),
    ("achievements", "科技成果 · what universities offer"),
    ("demands", "技术需求 · what firms ask for"),
    ("diagnosis", "需求诊断 · what a demand leaves out, and how a broker works on it"),
    ("discovery", "检索与匹配 · search and explained matching"),
    ("deals", "对接与交易 · match requests and deals"),
    ("contracts", "技术合同登记 · registration of technology contracts"),
    ("imports", "批量导入 · tables of drafts"),
    ("brokerage", "技术经理人工作台 · the brokers' desk and their figures"),
    ("agencies", "技术转移机构 · technology transfer agencies and their scorecards"),
    ("targets", "指标与进度 · targets and their progress"),
    ("indicators", "指标数值：平台统计与人工填报 · figures of indicators, counted and entered"),
    ("forecasts", "预测质量 · how good forecasts are"),
    ("statistics", "成交额统计 · turnover"),
    ("notices", "订阅与通知 · subscriptions and notices"),
    ("webhooks", "接口推送 · webhooks"),
    ("codes", "代码表 · code lists and regions"),
    ("operations", "运行状态 · health and metrics"),
];

/// The document that clients read: every route of the running service.
pub fn document() -> OpenApi {
    let (_, mut doc) = App::new()
        .into_utoipa_app()
        .service(utoipa_actix_web::scope("/api/v1").configure(api))
        .configure(operations::routes)
        .split_for_parts();
    doc.info = InfoBuilder::new()
        .title("keshi 科市")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "技术市场接口：金额为整数分（_fen），时间为 UTC，报表按北京时间切分；错误遵循 RFC 9457，\
             并指出每一处有误的字段。",
        ))
        .license(Some(LicenseBuilder::new().name("MIT OR Apache-2.0").build()))
        .build();
    doc.tags = Some(
        TAGS.iter()
            .map(|(name, text)| TagBuilder::new().name(*name).description(Some(*text)).build())
            .collect(),
    );
    let components = doc.components.get_or_insert_default();
    components.add_security_scheme(
        "bearer",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some("access token of POST /auth/login, good for 15 minutes"))
                .build(),
        ),
    );
    components.add_security_scheme(
        "api_key",
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            "Authorization",
            "`Bearer ks_…`, a key of an organization",
        ))),
    );
    name_calls(&mut doc);
    add_usual_refusals(&mut doc);
    describe_answers(&mut doc);
    doc
}

/// Every call with its path.
fn calls(doc: &mut OpenApi) -> impl Iterator<Item = (&String, &mut Operation)> {
    doc.paths.paths.iter_mut().flat_map(|(path, item)| {
        let PathItem { get, post, put, patch, delete, .. } = item;
        [get, post, put, patch, delete].into_iter().flatten().map(move |call| (path, call))
    })
}

/// Handlers of two rooms may have one name; a call is named by its room and its handler.
fn name_calls(doc: &mut OpenApi) {
    for (_, call) in calls(doc) {
        let room = call.tags.iter().flatten().next();
        if let (Some(room), Some(handler)) = (room, &call.operation_id) {
            call.operation_id = Some(format!("{room}_{handler}"));
        }
    }
}

/// Adds the refusals that follow from what a call takes, so that a handler names only its own: a token
/// can open nothing, a path lead nowhere, a body or query be faulty, a version be stale.
fn add_usual_refusals(doc: &mut OpenApi) {
    for (path, call) in calls(doc) {
        let takes = |place: ParameterIn, name: Option<&str>| {
            let all = call.parameters.iter().flatten();
            all.clone().any(|p| match p {
                RefOr::T(p) => p.parameter_in == place && name.is_none_or(|n| p.name == n),
                RefOr::Ref(_) => false,
            })
        };
        let token =
            call.security.iter().flatten().any(|way| *way != SecurityRequirement::default());
        let body = call.request_body.is_some();
        let usual = [
            ("401", token),
            ("404", path.contains('{')),
            ("412", takes(ParameterIn::Header, Some("If-Match"))),
            ("413", body),
            ("422", body || takes(ParameterIn::Query, None)),
        ];
        for (status, _) in usual.into_iter().filter(|(_, can)| *can) {
            let answers = &mut call.responses.responses;
            answers.entry(status.to_owned()).or_insert_with(|| RefOr::T(refusal()));
        }
    }
}

fn refusal() -> Response {
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().content(PROBLEM, problem).build()
}

fn is_problem(content: &RefOr<Content>) -> bool {
    let RefOr::T(content) = content else { return false };
    matches!(&content.schema, Some(RefOr::Ref(at)) if at.ref_location.ends_with("/Problem"))
}

/// Every answer must have a description; where a route says nothing special, its status does. Refusals
/// are of the type that RFC 9457 gives them.
fn describe_answers(doc: &mut OpenApi) {
    for (status, answer) in calls(doc).flat_map(|(_, call)| &mut call.responses.responses) {
        let RefOr::T(answer) = answer else { continue };
        if answer.description.is_empty() {
            answer.description = usual_meaning(status).into();
        }
        if answer.content.get(JSON).is_some_and(is_problem)
            && let Some(content) = answer.content.shift_remove(JSON)
        {
            answer.content.insert(PROBLEM.to_owned(), content);
        }
    }
}

fn usual_meaning(status: &str) -> &'static str {
    match status {
        "200" => "成功 · done",
        "201" => "已创建 · created",
        "202" => "已受理 · taken on",
        "204" => "成功，无内容 · done, nothing to say",
        "401" => "未登录或令牌无效 · sign in first",
        "403" => "无权进行此操作 · not allowed for this caller",
        "404" => "不存在或不可见 · nothing there for this caller",
        "409" => "当前状态不允许 · not possible in the present state",
        "412" => "已被他人修改 · changed since it was read",
        "413" => "请求体过大 · the body is too large",
        "422" => "请求有误，`errors` 指出每一处 · faulty, `errors` names every place",
        "429" => "请求过于频繁 · too many requests",
        _ => "见 detail · see detail",
    }
}

/// `/api/v1/openapi.json` and `/docs`.
pub fn pages(cfg: &mut web::ServiceConfig) {
    let text = document().to_json().map_err(|cause| cause.to_string());
    cfg.route(
        PATH,
        web::get().to(move || {
            let text = text.clone();
            async move {
                let text =
                    text.map_err(|cause| anyhow::anyhow!("writing the document: {cause}"))?;
                Ok::<_, Error>(HttpResponse::Ok().content_type("application/json").body(text))
            }
        }),
    )
    .route(
        "/docs",
        web::get().to(|| async {
            HttpResponse::PermanentRedirect().insert_header(("location", "/docs/")).finish()
        }),
    )
    .service(SwaggerUi::new("/docs/{_:.*}").config(utoipa_swagger_ui::Config::from(PATH)));
}
