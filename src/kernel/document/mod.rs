//! Documents: what may be kept as one, how it is taken in, and how it is given out again.
mod answer;
mod inspection;

pub use answer::{Given, give};
pub use inspection::{Inspected, inspected};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::kernel::archive::is_archive;

/// A kind of file that the market keeps.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// What it is given out as.
    pub media_type: &'static str,
    /// Other names under which browsers send it.
    aliases: &'static [&'static str],
    extensions: &'static [&'static str],
}

macro_rules! kind {
    ($name:ident, $type:literal, [$($alias:literal),*], [$($ext:literal),*]) => {
        pub static $name: Kind = Kind {
            media_type: $type,
            aliases: &[$($alias),*],
            extensions: &[$($ext),*],
        };
    };
}

kind!(PDF, "application/pdf", [], ["pdf"]);
kind!(PNG, "image/png", [], ["png"]);
kind!(JPEG, "image/jpeg", ["image/jpg", "image/pjpeg"], ["jpg", "jpeg"]);
kind!(GIF, "image/gif", [], ["gif"]);
kind!(WEBP, "image/webp", [], ["webp"]);
kind!(
    DOCX,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    [],
    ["docx"]
);
kind!(XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", [], ["xlsx"]);
kind!(
    PPTX,
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    [],
    ["pptx"]
);
kind!(DOC, "application/msword", [], ["doc", "wps"]);
kind!(XLS, "application/vnd.ms-excel", [], ["xls", "et"]);
kind!(PPT, "application/vnd.ms-powerpoint", [], ["ppt", "dps"]);
kind!(ZIP, "application/zip", ["application/x-zip-compressed", "application/x-zip"], ["zip"]);
kind!(TEXT, "text/plain", ["text/markdown"], ["txt", "md"]);
// Windows says Excel of every table
kind!(CSV, "text/csv", ["application/vnd.ms-excel", "text/plain", "application/csv"], ["csv"]);

/// The extension of a name, in lower case.
pub fn extension(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let (stem, extension) = last.rsplit_once('.')?;
    (!stem.is_empty()).then(|| extension.to_ascii_lowercase())
}

/// What a file is by its first bytes. Of an archive, the names of its entries say more.
pub fn by_head(head: &[u8], name: &str) -> Option<&'static Kind> {
    let begins = |magic: &[u8]| head.starts_with(magic);
    if begins(b"%PDF-") {
        Some(&PDF)
    } else if begins(b"\x89PNG\r\n\x1a\n") {
        Some(&PNG)
    } else if begins(b"\xff\xd8\xff") {
        Some(&JPEG)
    } else if begins(b"GIF87a") || begins(b"GIF89a") {
        Some(&GIF)
    } else if begins(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        Some(&WEBP)
    } else if begins(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        // one container for all old office files, and for installers: the name must say which
        let wanted = extension(name)?;
        [&DOC, &XLS, &PPT].into_iter().find(|kind| kind.extensions.contains(&wanted.as_str()))
    } else if is_archive(head) {
        Some(&ZIP)
    } else {
        None
    }
}

/// What an archive is by the names of its entries.
pub fn by_entries<'a>(names: impl Iterator<Item = &'a str>) -> &'static Kind {
    let (mut office, mut found) = (false, &ZIP);
    for name in names {
        office |= name == "[Content_Types].xml";
        for (folder, kind) in [("word/", &DOCX), ("xl/", &XLSX), ("ppt/", &PPTX)] {
            if name.starts_with(folder) {
                found = kind;
            }
        }
    }
    if office { found } else { &ZIP }
}

/// What text is, which has no mark of its own.
pub fn of_text(name: &str, declared: Option<&str>) -> &'static Kind {
    let csv = extension(name).as_deref() == Some("csv")
        || (extension(name).is_none() && declared == Some(CSV.media_type));
    if csv { &CSV } else { &TEXT }
}

/// Text has no control characters but those of lines, tabs and pages.
pub fn is_plain(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

/// Whether the sender said something else than what it is, by type or by name.
pub fn is_lie(kind: &Kind, name: &str, declared: Option<&str>) -> bool {
    let told = declared.filter(|d| *d != "application/octet-stream");
    let other_type = told.is_some_and(|d| d != kind.media_type && !kind.aliases.contains(&d));
    let other_name = extension(name).is_some_and(|e| !kind.extensions.contains(&e.as_str()));
    other_type || other_name
}

/// The name as a label: one line, not too long, never empty.
pub fn label(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
    if name.trim().is_empty() { "未命名".to_owned() } else { name.trim().to_owned() }
}

/// What RFC 5987 lets stand in a header unquoted.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// How a document is given out: to be saved.
pub fn content_disposition(name: &str) -> String {
    disposition("attachment", name)
}

/// `attachment` or `inline`, under a name without any way to elsewhere, in ASCII for old clients and in
/// UTF-8 (RFC 5987) for all others.
pub fn disposition(kind: &str, name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| {
            if matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|') { '_' } else { c }
        })
        .collect();
    // a leading dot hides a file or names a folder above
    let safe = safe.trim_start_matches('.');
    let safe = if safe.is_empty() { "_" } else { safe };
    let plain = |c: char| c == ' ' || (c.is_ascii_graphic() && c != '%');
    let ascii: String = safe.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let full = utf8_percent_encode(safe, PLAIN);
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{full}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_file_is_its_content_says() {
        assert_eq!(by_head(b"%PDF-1.7", "x.exe"), Some(&PDF));
        assert_eq!(by_head(b"RIFF\0\0\0\0WEBPVP8 ", "x"), Some(&WEBP));
        assert_eq!(by_head(b"MZ\x90\0", "x.pdf"), None);
        let ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
        assert_eq!(by_head(ole, "报价.XLS"), Some(&XLS));
        assert_eq!(by_head(ole, "setup.msi"), None);
        let names = ["[Content_Types].xml", "word/document.xml"];
        assert_eq!(by_entries(names.into_iter()), &DOCX);
        assert_eq!(by_entries(["word/x"].into_iter()), &ZIP);
    }

    #[test]
    fn a_lie_is_a_lie_by_type_or_by_name() {
        assert!(is_lie(&PDF, "a.pdf", Some("image/png")));
        assert!(is_lie(&PDF, "a.png", Some("application/pdf")));
        assert!(is_lie(&TEXT, "a.html", Some("text/html")));
        assert!(!is_lie(&PDF, "报告.PDF", Some("application/pdf")));
        assert!(!is_lie(&PDF, "报告", Some("application/octet-stream")));
        assert!(!is_lie(&CSV, "表.csv", Some("application/vnd.ms-excel")));
        assert!(!is_lie(&PDF, "../../x", None));
    }

    #[test]
    fn a_name_leads_nowhere() {
        assert_eq!(
            content_disposition("../../x"),
            "attachment; filename=\"_.._x\"; filename*=UTF-8''_.._x"
        );
        assert_eq!(
            content_disposition("小试 \"1\".pdf"),
            "attachment; filename=\"__ _1_.pdf\"; filename*=UTF-8''%E5%B0%8F%E8%AF%95%20_1_.pdf"
        );
        assert_eq!(label("\r\n"), "未命名");
    }

    proptest! {
        #[test]
        fn no_name_breaks_a_header(name in ".*") {
            let header = content_disposition(&label(&name));
            prop_assert!(header.is_ascii() && !header.contains(['\r', '\n', '/', '\\']));
            prop_assert_eq!(header.matches('"').count(), 2);
        }
    }
}
