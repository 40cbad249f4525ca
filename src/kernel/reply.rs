//! What goes out: a finished answer that can also be kept and given again.
use actix_web::{
    HttpRequest, HttpResponse, Responder,
    http::{StatusCode, header},
};
use serde::{Deserialize, Serialize};

use super::Result;

/// An answer with its JSON already written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reply {
    status: u16,
    etag: Option<i64>,
    location: Option<String>,
    body: Option<String>,
    #[serde(skip)]
    replayed: bool,
}

impl Reply {
    pub fn ok(body: &impl Serialize) -> Result<Self> {
        Ok(Self {
            status: 200,
            etag: None,
            location: None,
            body: Some(serde_json::to_string(body)?),
            replayed: false,
        })
    }
    /// 201, with the path of what was made, under `/api/v1`.
    pub fn created(location: String, body: &impl Serialize) -> Result<Self> {
        Ok(Self { status: 201, location: Some(format!("/api/v1{location}")), ..Self::ok(body)? })
    }
    /// 202: the work is queued.
    pub fn accepted(body: &impl Serialize) -> Result<Self> {
        Ok(Self { status: 202, ..Self::ok(body)? })
    }
    pub fn no_content() -> Self {
        Self { status: 204, etag: None, location: None, body: None, replayed: false }
    }
    /// The same answer, given again for a repeated request.
    pub(super) fn into_replay(self) -> Self {
        Self { replayed: true, ..self }
    }
    /// The `ETag` of an editable resource is its version.
    pub fn with_version(self, version: i64) -> Self {
        Self { etag: Some(version), ..self }
    }
}

impl Responder for Reply {
    type Body = actix_web::body::BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut answer =
            HttpResponse::build(StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK));
        if let Some(version) = self.etag {
            answer.insert_header((header::ETAG, format!("\"{version}\"")));
        }
        if let Some(location) = self.location {
            answer.insert_header((header::LOCATION, location));
        }
        if self.replayed {
            answer.insert_header(("Idempotency-Replayed", "true"));
        }
        match self.body {
            Some(body) => answer.content_type("application/json").body(body),
            None => answer.finish(),
        }
    }
}
