use std::{
    collections::{HashMap, HashSet},
    sync::OnceLock,
};

use jieba_rs::Jieba;
use sha2::{Digest, Sha256};

use super::{
    Bearing,
    fold::{Folded, fold},
    is_han,
};
use crate::{Error, Result};

const TERMS: (&str, &str) = ("lexicon/terms.txt", include_str!("../../lexicon/terms.txt"));
const STOP: (&str, &str) = ("lexicon/stop.txt", include_str!("../../lexicon/stop.txt"));
const GENERIC: (&str, &str) = ("lexicon/generic.txt", include_str!("../../lexicon/generic.txt"));
const FIRM: (&str, &str) = ("lexicon/firm.txt", include_str!("../../lexicon/firm.txt"));

/// Sentences with at least this many words about the firm itself are boiler-plate.
const FIRM_WORDS: usize = 2;

/// The dictionaries that shape the search, all checked in under `lexicon/`.
pub struct Lexicon {
    pub(crate) jieba: Jieba,
    pub(crate) stop: HashSet<String>,
    generic: Phrases,
    firm: Phrases,
    pub(crate) digest: String,
}

/// Loaded once; a faulty file is the same fault for every caller.
pub(crate) fn lexicon() -> Result<&'static Lexicon> {
    static LEXICON: OnceLock<Result<Lexicon>> = OnceLock::new();
    match LEXICON.get_or_init(Lexicon::load) {
        Ok(lexicon) => Ok(lexicon),
        Err(Error::Lexicon { file, line, why }) => {
            Err(Error::Lexicon { file, line: *line, why: why.clone() })
        }
        Err(other) => Err(Error::Lexicon { file: "lexicon", line: 0, why: other.to_string() }),
    }
}

impl Lexicon {
    fn load() -> Result<Self> {
        let mut jieba = Jieba::new();
        for term in parse(TERMS, technical)? {
            jieba.add_word(&term, None, None);
        }
        let mut digest = Sha256::new();
        for (_, text) in [TERMS, STOP, GENERIC, FIRM] {
            digest.update(text);
            digest.update([0]);
        }
        Ok(Self {
            jieba,
            stop: parse(STOP, any_word)?.into_iter().collect(),
            generic: Phrases::new(parse(GENERIC, any_word)?),
            firm: Phrases::new(parse(FIRM, any_word)?),
            digest: digest.finalize().iter().map(|b| format!("{b:02x}")).collect(),
        })
    }

    /// For every folded character how much it says about the subject.
    pub(crate) fn bearings(&self, folded: &Folded) -> Vec<Bearing> {
        let mut mask = vec![Bearing::Subject; folded.chars.len()];
        for (from, to) in self.generic.find(folded, 0, folded.chars.len()) {
            if let Some(covered) = mask.get_mut(from..to) {
                covered.fill(Bearing::Generic);
            }
        }
        let mut start = 0;
        for end in 0..=folded.chars.len() {
            let stop = folded.chars.get(end).is_none_or(|c| matches!(c, '。' | ';' | '!' | '\n'));
            if !stop {
                continue;
            }
            if self.firm.find(folded, start, end).len() >= FIRM_WORDS
                && let Some(covered) = mask.get_mut(start..end)
            {
                covered.fill(Bearing::Firm);
            }
            start = end + 1;
        }
        mask
    }
}

/// A set of phrases that finds its longest member at each place.
struct Phrases {
    /// By first character, longest first.
    by_first: HashMap<char, Vec<String>>,
}

impl Phrases {
    fn new(phrases: Vec<String>) -> Self {
        let mut by_first: HashMap<char, Vec<String>> = HashMap::new();
        for phrase in phrases {
            if let Some(first) = phrase.chars().next() {
                by_first.entry(first).or_default().push(phrase);
            }
        }
        for list in by_first.values_mut() {
            list.sort_by_key(|p| std::cmp::Reverse(p.len()));
        }
        Self { by_first }
    }

    fn find(&self, folded: &Folded, from: usize, to: usize) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut at = from;
        while at < to {
            let hit = folded.chars.get(at).and_then(|c| self.by_first.get(c)).and_then(|list| {
                list.iter().find(|phrase| folded.slice(at, to).starts_with(phrase.as_str()))
            });
            match hit {
                Some(phrase) => {
                    let end = at + phrase.chars().count();
                    found.push((at, end));
                    at = end;
                }
                None => at += 1,
            }
        }
        found
    }
}

/// One entry a line, `#` starts a comment line. Every entry must be folded already and stand once.
fn parse(
    (file, text): (&'static str, &str),
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<Vec<String>> {
    let mut seen = HashSet::new();
    let mut entries = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fault = |why: String| Error::Lexicon { file, line: i + 1, why };
        if line.trim() != line || line.chars().any(char::is_whitespace) {
            return Err(fault("blanks inside an entry".into()));
        }
        let folded = fold(line).text;
        if folded != line {
            return Err(fault(format!("{line} must be written {folded}")));
        }
        check(line).map_err(fault)?;
        if !seen.insert(line) {
            return Err(fault(format!("{line} stands twice")));
        }
        entries.push(line.to_owned());
    }
    Ok(entries)
}

fn technical(entry: &str) -> Result<(), String> {
    let length = entry.chars().count();
    if !entry.chars().all(is_han) {
        return Err(format!("{entry}: only Chinese characters, Latin tokens need no dictionary"));
    }
    if !(2..=12).contains(&length) {
        return Err(format!("{entry}: 2 to 12 characters"));
    }
    Ok(())
}

fn any_word(entry: &str) -> Result<(), String> {
    if entry.chars().any(char::is_alphanumeric) {
        Ok(())
    } else {
        Err(format!("{entry}: no letter in it"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_ship_are_right() {
        let lexicon = lexicon().unwrap();
        assert!(lexicon.jieba.has_word("石墨烯"));
        assert!(parse(TERMS, technical).unwrap().len() >= 300);
    }

    #[test]
    fn a_bad_line_is_named() {
        let cases = [
            ("# fine\n石墨烯\n石 墨", 3, "blanks"),
            ("石墨烯\n石墨烯", 2, "twice"),
            ("CAR-T细胞", 1, "must be written"),
            ("car-t细胞", 1, "only Chinese"),
            ("鋰電池", 1, "must be written 锂电池"),
            ("碳", 1, "2 to 12"),
        ];
        for (text, line, why) in cases {
            let error = parse(("lexicon/terms.txt", text), technical).unwrap_err().to_string();
            assert!(error.starts_with(&format!("lexicon/terms.txt:{line}: ")), "{error}");
            assert!(error.contains(why), "{error}");
        }
    }
}
