//! What the operators see: one log line a request, metrics, and the id that ties both to an answer.
use std::{sync::LazyLock, time::Instant};

use actix_web::{
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};
use prometheus::{
    Encoder, HistogramVec, IntGaugeVec, TextEncoder, register_histogram_vec, register_int_gauge_vec,
};
use tracing::Instrument;

use super::Result;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// The id of the request being answered, or `-` outside of one.
pub fn request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_else(|_| "-".into())
}

static REQUESTS: LazyLock<Option<HistogramVec>> = LazyLock::new(|| {
    register_histogram_vec!(
        "keshi_http_request_seconds",
        "time to answer",
        &["method", "route", "status"]
    )
    .inspect_err(|error| tracing::error!(%error, "request metrics are off"))
    .ok()
});

static LAG: LazyLock<Option<IntGaugeVec>> = LazyLock::new(|| {
    register_int_gauge_vec!(
        "keshi_consumer_lag_events",
        "journal events a consumer has still to take",
        &["consumer"]
    )
    .inspect_err(|error| tracing::error!(%error, "consumer metrics are off"))
    .ok()
});

/// Tells the metrics how far `consumer` is behind the journal.
pub fn consumer_lag(consumer: &str, events: i64) {
    if let Some(gauge) = LAG.as_ref() {
        gauge.with_label_values(&[consumer]).set(events);
    }
}

/// All metrics in the text format of Prometheus.
pub fn metrics() -> Result<Vec<u8>> {
    let mut out = Vec::new();
    TextEncoder::new().encode(&prometheus::gather(), &mut out).map_err(anyhow::Error::from)?;
    Ok(out)
}

/// An answer that took longer is worth a line.
const SLOW_SECONDS: f64 = 1.0;

/// Wraps every request: gives it an id, a span, a place in the metrics and, where it failed here or was
/// slow (all with `RUST_LOG=keshi=debug`), a line in the log.
pub async fn observe(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> std::result::Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let id = uuid::Uuid::now_v7().to_string();
    let (started, method, path) = (Instant::now(), req.method().to_string(), req.path().to_owned());
    let span = tracing::info_span!("request", id = %id, method = %method, path = %path);
    let mut res = REQUEST_ID.scope(id.clone(), next.call(req).instrument(span.clone())).await?;
    let (status, seconds) = (res.status().as_u16(), started.elapsed().as_secs_f64());
    let route = res.request().match_pattern().unwrap_or_else(|| "-".into());
    if let Some(histogram) = REQUESTS.as_ref() {
        histogram.with_label_values(&[&method, &route, &status.to_string()]).observe(seconds);
    }
    // every request in the metrics; in the log those that somebody may ask about
    let millis = seconds * 1000.0;
    if status >= 500 || seconds > SLOW_SECONDS {
        span.in_scope(|| tracing::warn!(status, millis, "answered"));
    } else {
        span.in_scope(|| tracing::debug!(status, millis, "answered"));
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        res.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    Ok(res)
}

/// Starts logging to standard error: text for people, JSON when `KESHI_LOG_FORMAT=json`; what is
/// shown is set by `RUST_LOG` (default `info`).
pub fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "info,tantivy=warn".into());
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var("KESHI_LOG_FORMAT").is_ok_and(|f| f == "json") {
        lines.json().init()
    } else {
        lines.init()
    }
}
