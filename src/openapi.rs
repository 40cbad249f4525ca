//! The OpenAPI document, made from the code, and the page to browse it without internet.
use actix_web::{App, HttpResponse, web};
use utoipa::openapi::{
    InfoBuilder, LicenseBuilder, OpenApi,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::SwaggerUi;

use crate::{api, operations};

const PATH: &str = "/api/v1/openapi.json";

const TAGS: &[(&str, &str)] = &[
    ("identity", "注册、登录、单位与成员 · accounts, sessions, organizations"),
    ("achievements", "科技成果 · what universities offer"),
    ("demands", "技术需求 · what firms ask for"),
    ("discovery", "检索与匹配 · search and explained matching"),
    ("deals", "对接与交易 · match requests and deals"),
    ("contracts", "技术合同登记 · registration of technology contracts"),
    ("insight", "指标与统计 · targets and turnover"),
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
    doc
}

/// `/api/v1/openapi.json` and `/docs`.
pub fn pages(cfg: &mut web::ServiceConfig) {
    let text = document().to_json().unwrap_or_default();
    cfg.route(
        PATH,
        web::get().to(move || {
            let text = text.clone();
            async move { HttpResponse::Ok().content_type("application/json").body(text) }
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
