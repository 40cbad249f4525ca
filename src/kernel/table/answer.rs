//! A table as an answer, read from its file piece by piece.
use std::{fs::File, io::Read};

use actix_web::{HttpResponse, http::header, web::Bytes};
use anyhow::Context;
use futures_util::stream::unfold;

use super::TableFormat;
use crate::kernel::{Code, Error, blocking};

const PIECE: usize = 256 * 1024;

/// The answer that saves `file` as `NAME.xlsx` or `NAME.csv`; `name` is of letters, digits and hyphens.
pub fn download(file: File, format: TableFormat, name: &str) -> HttpResponse {
    let pieces = unfold(Some(file), |file| async move {
        let mut file = file?;
        let read = blocking(move || {
            let mut piece = vec![0; PIECE];
            let n = file.read(&mut piece).context("reading a table")?;
            piece.truncate(n);
            Ok((file, piece))
        });
        match read.await {
            Ok((_, piece)) if piece.is_empty() => None,
            Ok((file, piece)) => Some((Ok::<_, Error>(Bytes::from(piece)), Some(file))),
            Err(error) => Some((Err(error), None)),
        }
    });
    let name = format!("attachment; filename=\"{name}.{}\"", format.slug());
    HttpResponse::Ok()
        .content_type(format.media_type())
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .streaming(pieces)
}
