//! Targets, indicators, forecasts, statistics and reports over HTTP.
mod forecasts;
mod funnel;
mod indicators;
mod reports;
mod statistics;
mod targets;
#[cfg(test)]
mod tests;

use utoipa_actix_web::service_config::ServiceConfig;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(targets::routes).configure(statistics::routes);
    cfg.configure(indicators::routes).configure(forecasts::routes);
    cfg.service(funnel::show_funnel).service(reports::show_report);
}
