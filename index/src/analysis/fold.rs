use std::sync::LazyLock;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Text made comparable (NFKC, lower case, simplified), with a way back to the original.
#[derive(Debug, Clone, Default)]
pub struct Folded {
    pub text: String,
    pub(crate) chars: Vec<char>,
    /// Byte offset in `text` of every character, and its length at the end.
    bytes: Vec<usize>,
    /// For every character the original characters it came from, as (first, one past the last).
    origin: Vec<(usize, usize)>,
}

impl Folded {
    /// The folded text between two of its characters.
    pub(crate) fn slice(&self, from: usize, to: usize) -> &str {
        match (self.bytes.get(from), self.bytes.get(to)) {
            (Some(a), Some(b)) => self.text.get(*a..*b).unwrap_or(""),
            _ => "",
        }
    }

    /// The characters of the original text that `from..to` of the folded text came from.
    pub fn original(&self, from: usize, to: usize) -> (usize, usize) {
        let last = to.checked_sub(1).filter(|last| *last >= from);
        match (self.origin.get(from), last.and_then(|last| self.origin.get(last))) {
            (Some((start, _)), Some((_, end))) => (*start, *end),
            _ => (0, 0),
        }
    }
}

/// Characters of three bytes in UTF-8, from U+0800 on, 64 to a word: whether they stay what they are when
/// traditional ones are made simple. Others have no such table to be looked up in: the
/// library's own takes three lookups in maps for each.
static STEADY: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let is_steady = |code: u32| {
        char::from_u32(code).is_some_and(|c| {
            let alone = c.encode_utf8(&mut [0; 4]).to_owned();
            fast2s::convert(&alone) == alone
        })
    };
    let word =
        |first: u32| (0..64).fold(0, |word, bit| word | u64::from(is_steady(first + bit)) << bit);
    (FIRST..=0xFFFF).step_by(64).map(word).collect()
});

const FIRST: u32 = 0x800;

fn is_steady(c: char) -> bool {
    let Some(at) = u32::from(c).checked_sub(FIRST) else { return true };
    let word = usize::try_from(at / 64).ok().and_then(|word| STEADY.get(word));
    word.is_none_or(|word| word & 1 << (at % 64) != 0)
}

/// Whether a character stays what it is behind this one: two are made simple only in company (看著, 苧麻), where
/// others would be left alone.
fn stays(before: char, c: char) -> bool {
    is_steady(c) && !matches!((before, c), ('看', '著') | ('苧', '麻'))
}

/// Whether the character joins the one before it.
fn is_mark(c: char) -> bool {
    !matches!(c, '\0'..='\u{2FF}' | '\u{3400}'..='\u{9FFF}') && is_combining_mark(c)
}

/// What a character is folded to that no table is needed for, where no mark follows it.
fn plain(c: char, next: Option<char>) -> Option<char> {
    match c {
        '\0' => next.is_none_or(|next| next.is_ascii()).then_some(' '),
        '\u{1}'..='\u{7F}' => Some(c.to_ascii_lowercase()),
        // what most text is made of, and NFKC leaves alone
        '\u{4E00}'..='\u{9FFF}' | '\u{3001}'..='\u{3002}' => Some(c),
        // full width
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(c) - 0xFEE0).map(|c| c.to_ascii_lowercase())
        }
        _ => None,
    }
}

/// What a character is to the view of pairs, where that can be told without folding it: whether it is
/// Chinese, and then it is folded to itself.
pub(crate) fn told_apart(before: char, c: char) -> Option<bool> {
    match c {
        '\u{4E00}'..='\u{9FFF}' => stays(before, c).then_some(true),
        // no marks among these, and none of them becomes Chinese
        '\0'..='\u{2FF}'
        | '\u{370}'..='\u{482}'
        | '\u{2000}'..='\u{200A}'
        | '\u{2010}'..='\u{2027}'
        | '\u{2030}'..='\u{205E}'
        | '\u{2100}'..='\u{27BF}'
        | '\u{3000}'..='\u{3002}'
        | '\u{3008}'..='\u{3020}'
        | '\u{E000}'..='\u{F8FF}'
        | '\u{FF01}'..='\u{FF5E}' => Some(false),
        _ => None,
    }
}

/// Folds character by character (a letter and the marks on it together), so that every folded
/// character knows where it came from.
pub fn fold(text: &str) -> Folded {
    let mut chars: Vec<char> = Vec::with_capacity(text.len() / 2);
    let mut origin: Vec<(usize, usize)> = Vec::with_capacity(text.len() / 2);
    let mut source = text.chars().enumerate().peekable();
    while let Some((at, c)) = source.next() {
        let next = source.peek().map(|(_, next)| *next);
        if let Some(plain) = plain(c, next).filter(|_| !next.is_some_and(is_mark)) {
            chars.push(plain);
            origin.push((at, at + 1));
            continue;
        }
        let mut end = at + 1;
        let mut marks: Vec<char> = Vec::new();
        while let Some((_, mark)) = source.next_if(|(_, next)| is_mark(*next)) {
            marks.push(mark);
            end += 1;
        }
        for folded in std::iter::once(c).chain(marks).nfkc().flat_map(char::to_lowercase) {
            chars.push(folded);
            origin.push((at, end));
        }
    }
    let mut before = '\0';
    if !chars.iter().all(|c| stays(std::mem::replace(&mut before, *c), *c)) {
        let traditional: String = chars.iter().collect();
        let simple: Vec<char> = fast2s::convert(&traditional).chars().collect();
        if simple.len() == chars.len() {
            chars = simple;
        }
    }
    let mut text = String::with_capacity(text.len());
    let mut bytes = Vec::with_capacity(chars.len() + 1);
    for c in &chars {
        bytes.push(text.len());
        text.push(*c);
    }
    bytes.push(text.len());
    Folded { text, chars, bytes, origin }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Without any of the short ways.
    fn folded_at_length(text: &str) -> (String, Vec<(usize, usize)>) {
        let (mut folded, mut origin) = (String::new(), Vec::new());
        let mut source = text.chars().enumerate().peekable();
        while let Some((at, c)) = source.next() {
            let (mut piece, mut end) = (c.to_string(), at + 1);
            while let Some((_, mark)) = source.next_if(|(_, next)| is_combining_mark(*next)) {
                piece.push(mark);
                end += 1;
            }
            for c in piece.nfkc().flat_map(char::to_lowercase) {
                folded.push(c);
                origin.push((at, end));
            }
        }
        (fast2s::convert(&folded), origin)
    }

    proptest! {
        #[test]
        fn short_ways_lead_to_the_same(
            text in "[\\PC石墨烯電池乾隆坤憑藉口看著苧麻計畫樊於期，。！Ａｚ０～aÉ\u{301}\u{3099}か가\u{11A8}-]{0,40}",
        ) {
            let folded = fold(&text);
            prop_assert_eq!((folded.text, folded.origin), folded_at_length(&text));
        }
    }

    /// The library turns some characters only beside certain others: all of those must be known here.
    #[test]
    fn what_is_steady_is_so_in_any_company() {
        let han = || (0x4E00..=0x9FFF).filter_map(char::from_u32);
        let steady: String = han().filter(|c| is_steady(*c)).collect();
        assert!(steady.chars().count() > 15_000);
        // the company that matters: https://docs.rs/fast2s, as of 0.3
        for partner in "寬答批回甚慰狼望幺樊隆坤卦口憑看麻家書校定仇計企".chars()
        {
            let steady = steady.chars().filter(|c| stays(partner, *c) && stays(*c, partner));
            let beside: String = steady.flat_map(|c| [partner, c, partner, '。']).collect();
            let after = fast2s::convert(&beside);
            for (before, after) in beside.chars().zip(after.chars()).skip(1).step_by(4) {
                assert_eq!(before, after, "beside {partner}");
            }
        }
        for changed in ["看著", "苧麻", "計畫"] {
            assert_ne!(fold(changed).text, changed);
        }
    }
}
