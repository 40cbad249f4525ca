//! Looking into a file before it is kept: what it is, and whether it would burst when unpacked.
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
};

use anyhow::Context;

use super::{self as document, Kind};
use crate::kernel::{
    Error, Received, Result,
    archive::{self, read_full},
    blocking,
    idempotency::Once,
};

/// An upload that is fit to keep.
pub struct Inspected {
    /// A label: one line, never empty.
    pub name: String,
    pub media_type: &'static str,
    pub size: i64,
    pub sha256: String,
    pub file: File,
    pub once: Once,
}

/// Looks into an upload of at most `limit` bytes; refuses by `/file` what is not fit to keep.
pub async fn inspected(upload: Received, limit: i64) -> Result<Inspected> {
    let Received { name, declared, size, sha256, file, once } = upload;
    let name = document::label(&name);
    let (name, kind, file) = blocking(move || {
        let mut file = file;
        let kind = inspect(&mut file, &name, declared.as_deref(), limit)?;
        Ok((name, kind, file))
    })
    .await?;
    Ok(Inspected { name, media_type: kind.media_type, size, sha256, file, once })
}

/// What `file` is, if it is fit to keep: of a kind that the market keeps, as its sender says, and no
/// bomb. Reads the whole file, a piece at a time.
fn inspect(
    file: &mut File,
    name: &str,
    declared: Option<&str>,
    limit: i64,
) -> Result<&'static Kind> {
    let size = file.seek(SeekFrom::End(0)).context("measuring the spool")?;
    if size == 0 {
        return Err(refused("empty_file", "文件是空的（0 字节）。"));
    }
    rewind(file)?;
    let mut head = [0; 16];
    let n = read_full(file, &mut head).context("reading the spool")?;
    let head = head.get(..n).unwrap_or_default();
    let kind = match document::by_head(head, name) {
        Some(kind) if archive::is_archive(head) => {
            rewind(file)?;
            let limit = u64::try_from(limit).unwrap_or(0);
            let names = archive::entries(BufReader::new(&mut *file), size, limit)?;
            match document::by_entries(names.iter().map(String::as_str)) {
                found if *found == document::ZIP => kind,
                found => found,
            }
        }
        Some(kind) => kind,
        None => {
            rewind(file)?;
            if !is_text(file).context("reading the spool")? {
                return Err(refused(
                    "type_not_allowed",
                    "只接受 PDF、Word、Excel、PowerPoint、PNG、JPEG、GIF、WebP、UTF-8 编码的文本与 CSV、ZIP。",
                ));
            }
            document::of_text(name, declared)
        }
    };
    if document::is_lie(kind, name, declared) {
        return Err(refused(
            "type_mismatch",
            format!("内容是 {}，与所声明的类型或文件扩展名不符。", kind.media_type),
        ));
    }
    Ok(kind)
}

fn refused(code: &'static str, why: impl Into<String>) -> Error {
    Error::invalid("/file", code, why)
}

fn rewind(file: &mut File) -> Result<()> {
    file.seek(SeekFrom::Start(0)).context("reading the spool")?;
    Ok(())
}

/// UTF-8 without control characters, read a piece at a time.
fn is_text(file: &mut impl Read) -> io::Result<bool> {
    let (mut piece, mut held) = (vec![0; 64 * 1024], 0);
    loop {
        let Some(space) = piece.get_mut(held..) else { return Ok(false) };
        let n = file.read(space)?;
        let bytes = piece.get(..held + n).unwrap_or_default();
        let (text, rest) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, 0),
            // a character may be cut in two by the end of the piece, and by nothing else
            Err(e) if e.error_len().is_none() && n > 0 => {
                let whole = bytes.get(..e.valid_up_to()).unwrap_or_default();
                (std::str::from_utf8(whole).unwrap_or_default(), bytes.len() - e.valid_up_to())
            }
            Err(_) => return Ok(false),
        };
        if !document::is_plain(text) {
            return Ok(false);
        }
        if n == 0 {
            return Ok(true);
        }
        let from = bytes.len() - rest;
        piece.copy_within(from..from + rest, 0);
        held = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};
    use zip::write::{SimpleFileOptions, ZipWriter};

    fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            out.start_file(*name, SimpleFileOptions::default()).unwrap();
            out.write_all(content).unwrap();
        }
        out.finish().unwrap().into_inner()
    }

    fn told(content: &[u8], name: &str, declared: Option<&str>) -> String {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        match inspect(&mut file, name, declared, 1024 * 1024) {
            Ok(kind) => kind.media_type.to_owned(),
            Err(Error::Invalid(faults)) => faults[0].code.to_owned(),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn what_is_kept_and_what_is_not() {
        assert_eq!(told(b"", "a.txt", None), "empty_file");
        assert_eq!(told(b"%PDF-1.7 x", "a.pdf", None), "application/pdf");
        assert_eq!(told(b"%PDF-1.7 x", "a.png", Some("image/png")), "type_mismatch");
        assert_eq!(told(b"MZ\x90\0\x03", "a.pdf", Some("application/pdf")), "type_not_allowed");
        assert_eq!(told("循环,容量\n1,200".as_bytes(), "a.csv", Some("text/csv")), "text/csv");
        assert_eq!(told("你".repeat(50_000).as_bytes(), "a.txt", None), "text/plain");
        assert_eq!(
            told("你".as_bytes().split_last().unwrap().1, "a.txt", None),
            "type_not_allowed"
        );
        assert_eq!(told(b"<html></html>", "a.html", Some("text/html")), "type_mismatch");
    }

    #[test]
    fn an_archive_is_looked_into() {
        let office = [("[Content_Types].xml", &b"<x/>"[..]), ("word/document.xml", b"<x/>")];
        let office = zipped(&office);
        assert!(told(&office, "a.docx", None).ends_with("wordprocessingml.document"));
        assert_eq!(told(&office, "a.zip", None), "type_mismatch");
        assert_eq!(told(&zipped(&[("a", b"x")]), "a.zip", None), "application/zip");
        assert_eq!(told(&zipped(&[("a", b"x")])[..30], "a.zip", None), "broken_archive");
    }

    #[test]
    fn a_bomb_is_not_kept() {
        let zeros = vec![0; 30 * 1024 * 1024];
        let bomb = zipped(&[("zeros", &zeros)]);
        assert!(bomb.len() < 100 * 1024);
        assert_eq!(told(&bomb, "a.zip", None), "archive_bomb");
        // the same, one archive deeper
        assert_eq!(told(&zipped(&[("inner.zip", &bomb)]), "a.zip", None), "archive_bomb");
        let mut deep = zipped(&[("a", b"x")]);
        for _ in 0..3 {
            deep = zipped(&[("inner.zip", &deep)]);
        }
        assert_eq!(told(&deep, "a.zip", None), "nested_archive");
    }

    #[test]
    fn a_bomb_that_declares_little_is_found_out() {
        let mut lie = zipped(&[("zeros", &vec![0; 30 * 1024 * 1024])]);
        let real = (30u32 * 1024 * 1024).to_le_bytes();
        for at in 0..lie.len() - 4 {
            if lie[at..at + 4] == real {
                lie[at..at + 4].copy_from_slice(&100u32.to_le_bytes());
            }
        }
        let told = told(&lie, "a.zip", None);
        assert!(["archive_bomb", "broken_archive"].contains(&told.as_str()), "{told}");
    }
}
