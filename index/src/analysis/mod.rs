//! From text to terms, twice: jieba words (what it is about) and pairs of neighbouring characters
//! (what a dictionary misses). Both point back into the original text, in characters.
//!
//! Latin and number tokens stay whole in both views (`5g-nr`, `lifepo4/c`, `67%`) and are also given
//! in their pieces, so that `lifepo4` finds `LiFePO4/C`. A number keeps its unit, written close or not
//! (`67 %`, `0.5 mm`, `1400–1600 ℃`).
mod fold;
mod lexicon;

pub(crate) use fold::told_apart;
pub use fold::{Folded, fold};
pub use lexicon::Lexicon;

use lexicon::lexicon;

use crate::{Result, number::small};

/// Changes whenever the same text could give other terms; part of the index fingerprint.
pub(crate) const VERSION: u32 = 2;

/// Longest Latin token kept, in characters; longer ones are identifiers or noise and are cut.
const LONGEST_TOKEN: usize = 48;

/// One term and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Folded, English ones without the plural.
    pub term: String,
    /// First character of the original text.
    pub start: usize,
    /// One past the last character of the original text.
    pub end: usize,
    /// Counted in units: a Chinese character, or a piece of a Latin token. Punctuation leaves a gap,
    /// so nothing is a phrase across it.
    pub position: u32,
    /// Units it covers from `position` on; a pair of characters counts as one, its first.
    pub units: u32,
    pub bearing: Bearing,
}

/// How much a term says about the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bearing {
    Subject,
    /// A word of every demand: 研发, 关键技术.
    Generic,
    /// In a sentence about the firm and not about what it needs.
    Firm,
}

/// A text in both views.
#[derive(Debug, Clone, Default)]
pub struct Analysis {
    pub words: Vec<Token>,
    pub characters: Vec<Token>,
    pub runs: Vec<Run>,
}

/// A stretch of text that was meant as one: without punctuation, and without a blank beside a
/// Chinese character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// First unit, and one past the last.
    pub start: u32,
    pub end: u32,
    /// Folded.
    pub text: String,
}

/// Cuts text into terms. Cheap to make; the dictionary behind it is loaded once per process.
#[derive(Clone, Copy)]
pub struct Analyzer {
    lexicon: &'static Lexicon,
}

impl Analyzer {
    /// Fails only when a lexicon file is wrong, and says in which line.
    pub fn new() -> Result<Self> {
        Ok(Self { lexicon: lexicon()? })
    }

    /// Digest of everything in the lexicon that shapes the terms.
    pub(crate) fn digest(&self) -> &'static str {
        &self.lexicon.digest
    }

    /// Whether a folded word carries no subject.
    pub(crate) fn is_stop(&self, word: &str) -> bool {
        self.lexicon.stop.contains(word)
    }

    pub fn analyse(&self, text: &str) -> Analysis {
        let folded = fold(text);
        let bearings = self.lexicon.bearings(&folded);
        let all = Wanted { term: &|_| true, words_of: &|_| true };
        self.cut(&folded, bearings, all)
    }

    /// Of the terms of a text those that are wanted, without looking at what they bear on.
    pub(crate) fn find(&self, text: &str, wanted: Wanted) -> Analysis {
        self.cut(&fold(text), Vec::new(), wanted)
    }

    /// The words of a stretch of folded Chinese characters, stop words among them.
    pub(crate) fn words<'a>(&self, run: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        // without guessed words: they change with their surroundings and gained nothing on the test set
        self.lexicon.jieba.cut(run, false).into_iter().map(|cut| cut.word)
    }

    fn cut(&self, folded: &Folded, bearings: Vec<Bearing>, wanted: Wanted) -> Analysis {
        let out = Analysis::default();
        Cutter { lexicon: self.lexicon, folded, bearings, wanted, out, unit: 0 }.run()
    }
}

/// What is to be found in a text; most of its terms are made for nothing where few are wanted.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Whether a term is, in either view.
    pub term: &'a dyn Fn(&str) -> bool,
    /// Whether the words of a stretch of Chinese characters are; they need the dictionary.
    pub words_of: &'a dyn Fn(&str) -> bool,
}

pub(crate) fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3007 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x323AF)
}

/// Keeps a Latin token together when it stands between two of its characters.
fn joins(c: char) -> bool {
    matches!(c, '-' | '_' | '/' | '.' | '+' | '#' | '&' | '\'' | '·')
}

/// Parts the two ends of a range of numbers; written as `-` in terms.
fn is_range(c: char) -> bool {
    matches!(c, '-' | '–' | '—' | '~')
}

/// Units that belong to the number before them even across a blank, folded.
const UNITS: [&str; 40] = [
    "nm", "um", "μm", "mm", "cm", "dm", "m", "km", "mg", "g", "kg", "t", "ml", "l", "pa", "kpa",
    "mpa", "gpa", "v", "kv", "a", "ma", "w", "kw", "mw", "kwh", "hz", "khz", "mhz", "ghz", "s",
    "min", "h", "d", "k", "n", "kn", "db", "ppm", "rpm",
];

fn is_word(c: char) -> bool {
    c.is_alphanumeric() && !is_han(c)
}

/// What follows a number: a sign that belongs to the token, or letters that are a token of their own too.
#[derive(Clone, Copy)]
enum Unit {
    Sign,
    Letters,
}

struct Cutter<'a> {
    lexicon: &'static Lexicon,
    folded: &'a Folded,
    bearings: Vec<Bearing>,
    wanted: Wanted<'a>,
    out: Analysis,
    unit: u32,
}

impl Cutter<'_> {
    fn at(&self, i: usize) -> Option<char> {
        self.folded.chars.get(i).copied()
    }

    fn run(mut self) -> Analysis {
        let mut i = 0;
        let mut start = (0, 0);
        while let Some(c) = self.at(i) {
            if is_han(c) {
                i = self.han(i);
            } else if is_word(c) {
                i = self.latin(i);
            } else {
                let blank = c.is_whitespace();
                let before = i.checked_sub(1).and_then(|b| self.at(b)).is_some_and(is_word);
                let after = self.at(i + 1).is_some_and(is_word);
                if !(blank && before && after) {
                    self.close_run(start, i);
                    self.unit += u32::from(!blank);
                    start = (self.unit, i + 1);
                }
                i += 1;
            }
        }
        self.close_run(start, i);
        self.out
    }

    fn close_run(&mut self, (unit, from): (u32, usize), to: usize) {
        if self.unit > unit {
            let text = self.folded.slice(from, to).to_owned();
            self.out.runs.push(Run { start: unit, end: self.unit, text });
        }
    }

    fn token(&self, term: String, from: usize, to: usize, position: u32, units: u32) -> Token {
        let (start, end) = self.folded.original(from, to);
        // a term bears as much as its strongest character
        let bearings = self.bearings.get(from..to).unwrap_or_default();
        let bearing = bearings.iter().copied().min().unwrap_or(Bearing::Subject);
        Token { term, start, end, position, units, bearing }
    }

    fn han(&mut self, from: usize) -> usize {
        let mut to = from;
        while self.at(to).is_some_and(is_han) {
            to += 1;
        }
        if (self.wanted.words_of)(self.folded.slice(from, to)) {
            self.han_words(from, to);
        }
        let last = if to - from == 1 { to } else { to - 1 };
        for i in from..last {
            let end = (i + 2).min(to);
            let term = self.folded.slice(i, end);
            if (self.wanted.term)(term) {
                let position = self.unit + small(i - from);
                let token = self.token(term.to_owned(), i, end, position, 1);
                self.out.characters.push(token);
            }
        }
        self.unit += small(to - from);
        to
    }

    fn han_words(&mut self, from: usize, to: usize) {
        let (mut at, folded) = (from, self.folded);
        for word in (Analyzer { lexicon: self.lexicon }).words(folded.slice(from, to)) {
            let end = at + word.chars().count();
            if (self.wanted.term)(word) && !self.lexicon.stop.contains(word) {
                let position = self.unit + small(at - from);
                let token = self.token(word.to_owned(), at, end, position, small(end - at));
                self.out.words.push(token);
            }
            at = end;
        }
    }

    /// A joiner belongs to the token when a word character follows; `+`, `#` and `%` may end it.
    fn latin(&mut self, from: usize) -> usize {
        let mut to = from;
        let mut pieces: Vec<(usize, usize)> = Vec::new();
        let mut piece = from;
        while let Some(c) = self.at(to) {
            if is_word(c) {
                to += 1;
                continue;
            }
            let next_is_word = self.at(to + 1).is_some_and(is_word);
            let is_digit = |d: char| d.is_ascii_digit();
            let between_digits = to > from
                && self.at(to - 1).is_some_and(is_digit)
                && self.at(to + 1).is_some_and(is_digit);
            if !(joins(c) || is_range(c) && between_digits) || !next_is_word {
                break;
            }
            if c != '.' || !between_digits {
                pieces.push((piece, to));
                piece = to + 1;
            }
            to += 1;
        }
        pieces.push((piece, to));
        while self.at(to).is_some_and(|c| matches!(c, '+' | '#' | '%' | '‰'))
            && to - from < LONGEST_TOKEN
        {
            to += 1;
        }
        let unit = self.unit_after(from, to);
        if let Some((sign, Unit::Sign)) = unit {
            to = sign;
        }
        // a token of one piece takes the closing signs with it (c++, 67%)
        if let [only] = pieces.as_mut_slice() {
            only.1 = to;
        }
        let first_unit = self.unit;
        if pieces.len() > 1 {
            self.push_latin(from, to, first_unit, small(pieces.len()));
        }
        if let Some((end, Unit::Letters)) = unit {
            self.push_latin(from, end, first_unit, small(pieces.len() + 1));
        }
        for (start, end) in pieces {
            let unit = self.unit;
            self.push_latin(start, end, unit, 1);
            self.unit += 1;
        }
        to
    }

    /// Where the unit of a number ends, when `from..to` is one and a unit follows.
    fn unit_after(&self, from: usize, to: usize) -> Option<(usize, Unit)> {
        let number = self.folded.chars.get(from..to)?;
        let of_numbers = |c: &char| c.is_ascii_digit() || *c == '.' || is_range(*c);
        if !number.iter().all(of_numbers) {
            return None;
        }
        let blank = self.at(to).is_some_and(char::is_whitespace);
        let start = if blank { to + 1 } else { to };
        match self.at(start)? {
            '%' | '‰' => return Some((start + 1, Unit::Sign)),
            '°' if matches!(self.at(start + 1), Some('c' | 'f'))
                && !self.at(start + 2).is_some_and(is_word) =>
            {
                return Some((start + 2, Unit::Sign));
            }
            _ => {}
        }
        let letters = self.folded.chars.get(start..)?.iter().take_while(|c| is_word(**c)).count();
        let is_unit = blank && UNITS.contains(&self.folded.slice(start, start + letters));
        is_unit.then_some((start + letters, Unit::Letters))
    }

    fn push_latin(&mut self, from: usize, to: usize, position: u32, units: u32) {
        let end = to.min(from + LONGEST_TOKEN);
        let text = self.folded.slice(from, end);
        if self.lexicon.stop.contains(text) {
            return;
        }
        let plain = |c: char| match c {
            c if c.is_whitespace() => None,
            '–' | '—' | '~' => Some('-'),
            c => Some(c),
        };
        let term: String = stem(text).chars().filter_map(plain).collect();
        if (self.wanted.term)(&term) {
            let token = self.token(term, from, to, position, units);
            self.out.words.push(token.clone());
            self.out.characters.push(token);
        }
    }
}

/// Harman's S-stemmer: plurals only, so that codes and names stay what they are.
fn stem(word: &str) -> &str {
    if word.len() < 4 || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return word;
    }
    let cut = |n: usize| word.get(..word.len() - n).unwrap_or(word);
    if word.ends_with("ies") && !word.ends_with("eies") && !word.ends_with("aies") {
        // meets "battery", which loses its y below
        return cut(3);
    }
    if word.ends_with("es")
        && (word.ends_with("sses")
            || word.ends_with("xes")
            || word.ends_with("ches")
            || word.ends_with("shes"))
    {
        return cut(2);
    }
    if word.ends_with('s')
        && !word.ends_with("us")
        && !word.ends_with("ss")
        && !word.ends_with("is")
    {
        return cut(1);
    }
    if word.len() > 4 && word.ends_with('y') {
        let vowel = word.bytes().rev().nth(1).is_some_and(|b| b"aeiou".contains(&b));
        return if vowel { word } else { cut(1) };
    }
    word
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        Analyzer::new().unwrap().analyse(text).words.into_iter().map(|t| t.term).collect()
    }

    fn pairs(text: &str) -> Vec<String> {
        Analyzer::new().unwrap().analyse(text).characters.into_iter().map(|t| t.term).collect()
    }

    #[test]
    fn both_views_of_a_text() {
        assert_eq!(words("石墨烯与钙钛矿太阳能电池的制备"), ["石墨烯", "钙钛矿太阳能电池", "制备"]);
        assert_eq!(pairs("石墨烯，膜"), ["石墨", "墨烯", "膜"]);
        assert_eq!(words("鋰離子電池"), words("锂离子电池"));
        assert_eq!(words("ＬｉＦｅＰＯ４／Ｃ"), ["lifepo4/c", "lifepo4", "c"]);
        assert_eq!(words("5G-NR 67% C++ 0.5mm"), ["5g-nr", "5g", "nr", "67%", "c++", "0.5mm"]);
        assert_eq!(words("≥67 %，1400–1600 ℃"), ["67%", "1400-1600°c", "1400", "1600"]);
        assert_eq!(words("1400~1600℃ 5‰"), words("1400－1600 °C 5 ‰"));
        assert_eq!(words("厚0.5 mm，长3 mm2"), ["厚", "0.5mm", "0.5", "mm", "长", "3", "mm2"]);
        assert_eq!(words("CO2 - 5 kg"), ["co2", "5kg", "5", "kg"]);
        assert_eq!(words("Batteries of the membranes"), ["batter", "membrane"]);
        assert_eq!(words("battery glass analysis bus"), ["batter", "glass", "analysis", "bus"]);
        assert_eq!(pairs("𠮷野"), ["𠮷野"]);
        assert_eq!(words("😀，。 \u{202e}"), Vec::<String>::new());
    }

    #[test]
    fn what_bears_on_the_subject() {
        let analysis = Analyzer::new()
            .unwrap()
            .analyse("公司成立于1998年，现有员工300人，占地面积2万平方米。焦化废水处理关键技术。");
        let bearing = |term: &str| analysis.words.iter().find(|t| t.term == term).unwrap().bearing;
        assert_eq!(bearing("员工"), Bearing::Firm);
        assert_eq!(bearing("焦化废水"), Bearing::Subject);
        assert_eq!(bearing("关键技术"), Bearing::Generic);
    }

    #[test]
    fn runs_end_where_a_phrase_cannot_go_on() {
        let analysis = Analyzer::new().unwrap().analyse("石墨烯 薄膜，5G NR基站");
        let runs: Vec<&str> = analysis.runs.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(runs, ["石墨烯", "薄膜", "5g nr基站"]);
    }

    proptest! {
        #[test]
        fn offsets_always_point_into_the_original(text in "[\\PC石墨烯電池ａ㎏é\u{301}𠮷ﬁ%. -]{0,60}") {
            let chars: Vec<char> = text.chars().collect();
            let folded = fold(&text);
            prop_assert_eq!(folded.chars.iter().collect::<String>(), folded.text.clone());
            let analysis = Analyzer::new().unwrap().analyse(&text);
            for token in analysis.words.iter().chain(&analysis.characters) {
                prop_assert!(token.start < token.end && token.end <= chars.len());
                let source: String = chars[token.start..token.end].iter().collect();
                // folding the piece it points at gives the term back
                let plain: String = fold(&source).text.chars().filter(|c| !c.is_whitespace()).collect();
                let plain = plain.replace(['–', '—', '~'], "-");
                prop_assert!(plain.contains(token.term.as_str()), "{:?} {}", token, source);
            }
            prop_assert!(analysis.words.windows(2).all(|w| w[0].position <= w[1].position));
        }
    }
}
