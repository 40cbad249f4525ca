//! Looking into a ZIP archive before anything of it is used: whether it would burst when unpacked.
use std::io::{self, Cursor, Read, Seek};

use zip::ZipArchive;

use super::{Error, Result};

/// How much a file may grow when it is unpacked.
const MOST_TIMES: u64 = 100;
/// Below this, growth harms nobody: a page of blanks is packed very small.
const HARMLESS: u64 = 10 * 1024 * 1024;
/// Entries of an archive, those of archives within it included.
const MOST_ENTRIES: usize = 10_000;
/// Archives within archives within archives are no way to send a document.
const MOST_DEPTH: usize = 2;
/// An archive within an archive is looked into in memory, up to this size.
const NESTED: u64 = 32 * 1024 * 1024;

pub fn is_archive(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// The names of the entries of an archive of `size` bytes, if all of it may be unpacked where files have
/// at most `limit` bytes: the sizes that it declares are added up first, and then every entry is unpacked
/// into nothing, for what is declared may be a lie.
pub fn entries<R: Read + Seek>(from: R, size: u64, limit: u64) -> Result<Vec<String>> {
    let bytes =
        size.saturating_mul(MOST_TIMES).max(HARMLESS).min(limit.saturating_mul(10).max(HARMLESS));
    unpackable(from, &mut Budget { bytes, entries: MOST_ENTRIES }, 0)
}

/// What is left of what an archive may hold.
struct Budget {
    bytes: u64,
    entries: usize,
}

fn unpackable<R: Read + Seek>(from: R, budget: &mut Budget, depth: usize) -> Result<Vec<String>> {
    let mut archive = ZipArchive::new(from).map_err(unreadable)?;
    let count = archive.len();
    budget.entries = budget.entries.checked_sub(count).ok_or_else(bomb)?;
    let (mut names, mut total) = (Vec::with_capacity(count), 0u64);
    for at in 0..count {
        let entry = archive.by_index_raw(at).map_err(unreadable)?;
        total = total.saturating_add(entry.size());
        names.push(entry.name().map_err(unreadable)?.into_owned());
    }
    budget.bytes = budget.bytes.checked_sub(total).ok_or_else(bomb)?;
    for at in 0..count {
        let encrypted = archive.by_index_raw(at).map_err(unreadable)?.encrypted();
        if encrypted {
            return Err(refused("encrypted_archive", "不接受加密的压缩包：无法检查其中的内容。"));
        }
        let mut entry = archive.by_index(at).map_err(unreadable)?;
        let declared = entry.size();
        let mut head = [0; 4];
        let n = read_full(&mut entry, &mut head).map_err(|_| broken())?;
        let head = head.get(..n).unwrap_or_default();
        let mut all = head.chain(entry.take(declared.saturating_add(1)));
        let real = if is_archive(head) {
            if depth >= MOST_DEPTH || declared > NESTED {
                return Err(refused("nested_archive", "压缩包中的压缩包层数过多或过大。"));
            }
            let mut inner = Vec::new();
            all.read_to_end(&mut inner).map_err(|_| broken())?;
            let size = u64::try_from(inner.len()).unwrap_or(u64::MAX);
            if size <= declared {
                unpackable(Cursor::new(inner), budget, depth + 1)?;
            }
            size
        } else {
            io::copy(&mut all, &mut io::sink()).map_err(|_| broken())?
        };
        if real > declared {
            return Err(bomb());
        }
    }
    Ok(names)
}

/// Fills as much of `into` as there is.
pub fn read_full(from: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest)? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}

fn refused(code: &'static str, why: &str) -> Error {
    Error::invalid("/file", code, why)
}

fn bomb() -> Error {
    refused("archive_bomb", "压缩包解开后的大小远超其本身或超过上限，不予接收。")
}

fn broken() -> Error {
    refused("broken_archive", "压缩包已损坏，无法读取。")
}

fn unreadable(cause: zip::result::ZipError) -> Error {
    tracing::debug!(%cause, "an archive could not be read");
    broken()
}
