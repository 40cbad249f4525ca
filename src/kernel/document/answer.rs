//! Giving a document out.
use actix_web::{HttpResponse, http::header};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use super::content_disposition;
use crate::kernel::{Result, Storage};

/// A stored document, as its row knows it.
#[derive(Debug, Clone)]
pub struct Given {
    pub name: String,
    pub media_type: String,
    pub size: i64,
    /// Of its content: 64 hexadecimal digits.
    pub sha256: String,
    pub storage_key: String,
}

/// The answer that saves a document under its name, in pieces, with its digest (RFC 9530).
pub async fn give(storage: &Storage, document: Given) -> Result<HttpResponse> {
    let Given { name, media_type, size, sha256, storage_key } = document;
    let digest = BASE64.encode(bytes_of(&sha256));
    let pieces = storage.get(&storage_key, sha256).await?;
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((header::CONTENT_DISPOSITION, content_disposition(&name)))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        // packing what is packed already would only hide its length
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("Repr-Digest", format!("sha-256=:{digest}:")))
        .no_chunking(u64::try_from(size).unwrap_or_default())
        .streaming(pieces))
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    let pair = |pair: &[u32]| pair.iter().fold(0, |byte, digit| byte * 16 + digit);
    digits.chunks(2).map(pair).filter_map(|byte| u8::try_from(byte).ok()).collect()
}
