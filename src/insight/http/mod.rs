//! Targets and statistics over HTTP.
mod statistics;
mod targets;
#[cfg(test)]
mod tests;

use utoipa_actix_web::service_config::ServiceConfig;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(targets::routes).configure(statistics::routes);
}
