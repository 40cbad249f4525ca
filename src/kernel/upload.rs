//! A file that comes as `multipart/form-data`: written to the spool piece by piece, never held whole.
use std::{collections::BTreeMap, fs::File, io::Write};

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use anyhow::Context;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use super::{
    Error, Result, blocking,
    idempotency::{Once, hex},
    storage::Storage,
};

/// Written to the spool at once.
const BLOCK: usize = 256 * 1024;
/// Bytes of a text beside the file.
const SHORT: usize = 200;

/// An upload that has not been read yet: who may not send one is refused before it is.
pub struct Upload {
    request: HttpRequest,
    parts: Multipart,
}

/// The one file of an upload.
pub struct Received {
    /// What the sender calls it; not to be trusted in any way.
    pub name: String,
    /// What the sender says it is.
    pub declared: Option<String>,
    pub size: i64,
    pub sha256: String,
    pub file: File,
    pub once: Once,
}

impl FromRequest for Upload {
    type Error = Error;
    type Future = std::future::Ready<Result<Self>>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let parts = Multipart::new(request.headers(), payload.take());
        std::future::ready(Ok(Self { request: request.clone(), parts }))
    }
}

impl Upload {
    /// Reads the part `file`, of at most `limit` bytes.
    pub async fn receive(self, storage: &Storage, limit: i64) -> Result<Received> {
        Ok(self.receive_form(storage, limit, &[]).await?.0)
    }

    /// Reads the part `file`, and beside it short texts under the names `fields`, in any order.
    pub async fn receive_form(
        mut self,
        storage: &Storage,
        limit: i64,
        fields: &[&str],
    ) -> Result<(Received, BTreeMap<String, String>)> {
        let (mut received, mut texts) = (None, BTreeMap::new());
        while let Some(part) = self.parts.next().await {
            let part = part.map_err(broken)?;
            let name = part.name().unwrap_or_default().to_owned();
            if name == "file" && received.is_none() {
                received = Some(whole(part, storage.spool()?, limit).await?);
            } else if fields.contains(&name.as_str()) && !texts.contains_key(&name) {
                let text = short(part, &name).await?;
                texts.insert(name, text);
            } else if name == "file" || fields.is_empty() {
                return Err(Error::invalid(
                    "/file",
                    "one_file",
                    "表单中应只有一个名为 file 的部分。",
                ));
            } else {
                let pointer = format!("/{name}");
                return Err(Error::invalid(
                    &pointer,
                    "unknown_field",
                    "表单中不应有这一部分，或它出现了两次。",
                ));
            }
        }
        let Some(whole) = received else {
            return Err(Error::invalid("/file", "required", "表单中缺少名为 file 的部分。"));
        };
        let mut work = Sha256::new();
        for part in [&whole.name, &whole.sha256].into_iter().chain(texts.values()) {
            work.update(part);
            work.update(b"\0");
        }
        let once = Once::from_request(&self.request, &work.finalize())?;
        let Whole { name, declared, size, sha256, file } = whole;
        Ok((Received { name, declared, size, sha256, file, once }, texts))
    }
}

/// A part that is a short text.
async fn short(mut part: Field, name: &str) -> Result<String> {
    let pointer = format!("/{name}");
    let mut bytes = Vec::new();
    while let Some(piece) = part.next().await {
        bytes.extend_from_slice(&piece.map_err(broken)?);
        if bytes.len() > SHORT {
            return Err(Error::invalid(&pointer, "too_long", format!("超过 {SHORT} 个字节。")));
        }
    }
    let odd = |_| Error::invalid(&pointer, "bad_format", "应为 UTF-8 文本。");
    String::from_utf8(bytes).map(|text| text.trim().to_owned()).map_err(odd)
}

/// The file, before it is known what it is for.
struct Whole {
    name: String,
    declared: Option<String>,
    size: i64,
    sha256: String,
    file: File,
}

async fn whole(mut part: Field, mut file: File, limit: i64) -> Result<Whole> {
    let name = part
        .content_disposition()
        .and_then(|d| {
            d.get_filename_ext().map(|n| lossy(&n.value)).or(d.get_filename().map(str::to_owned))
        })
        .unwrap_or_default();
    let declared = part.content_type().map(|mime| mime.essence_str().to_ascii_lowercase());
    let (mut size, mut hash, mut block) = (0i64, Sha256::new(), Vec::with_capacity(BLOCK));
    loop {
        let piece = part.next().await.transpose().map_err(broken)?;
        if let Some(piece) = &piece {
            size = size.saturating_add(i64::try_from(piece.len()).unwrap_or(i64::MAX));
            if size > limit {
                return Err(Error::TooLarge {
                    limit: usize::try_from(limit).unwrap_or(usize::MAX),
                });
            }
            block.extend_from_slice(piece);
        }
        if block.len() >= BLOCK || (piece.is_none() && !block.is_empty()) {
            let full = std::mem::replace(&mut block, Vec::with_capacity(BLOCK));
            (file, hash) = blocking(move || {
                file.write_all(&full).context("writing to the spool")?;
                hash.update(&full);
                Ok((file, hash))
            })
            .await?;
        }
        if piece.is_none() {
            break;
        }
    }
    Ok(Whole { name, declared, size, sha256: hex(&hash.finalize()), file })
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn broken(cause: MultipartError) -> Error {
    tracing::debug!(%cause, "a form could not be read");
    Error::invalid(
        "",
        "malformed_form",
        "应为完整的 multipart/form-data 表单，其中 file 部分带有文件名。",
    )
}
