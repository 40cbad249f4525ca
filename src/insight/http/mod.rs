//! Targets, indicators, forecasts and statistics over HTTP.
mod forecasts;
mod indicators;
mod statistics;
mod targets;
#[cfg(test)]
mod tests;

use utoipa_actix_web::service_config::ServiceConfig;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(targets::routes).configure(statistics::routes);
    cfg.configure(indicators::routes).configure(forecasts::routes);
}
