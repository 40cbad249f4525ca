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

/// Folds character by character (a letter and the marks on it together), so that every folded
/// character knows where it came from.
pub fn fold(text: &str) -> Folded {
    let mut chars: Vec<char> = Vec::with_capacity(text.len() / 2);
    let mut origin: Vec<(usize, usize)> = Vec::with_capacity(text.len() / 2);
    let mut source = text.chars().enumerate().peekable();
    while let Some((at, c)) = source.next() {
        if matches!(c, '\u{4E00}'..='\u{9FFF}')
            && source.peek().is_none_or(|(_, next)| !is_combining_mark(*next))
        {
            chars.push(c); // what most text is made of, and NFKC leaves alone
            origin.push((at, at + 1));
            continue;
        }
        if c.is_ascii() && source.peek().is_none_or(|(_, next)| next.is_ascii()) {
            chars.push(if c == '\0' { ' ' } else { c.to_ascii_lowercase() });
            origin.push((at, at + 1));
            continue;
        }
        let mut end = at + 1;
        let mut marks: Vec<char> = Vec::new();
        while let Some((_, mark)) = source.next_if(|(_, next)| is_combining_mark(*next)) {
            marks.push(mark);
            end += 1;
        }
        for folded in std::iter::once(c).chain(marks).nfkc().flat_map(char::to_lowercase) {
            chars.push(folded);
            origin.push((at, end));
        }
    }
    let traditional: String = chars.iter().collect();
    let simple: Vec<char> = fast2s::convert(&traditional).chars().collect();
    if simple.len() == chars.len() {
        chars = simple;
    }
    let mut text = String::with_capacity(traditional.len());
    let mut bytes = Vec::with_capacity(chars.len() + 1);
    for c in &chars {
        bytes.push(text.len());
        text.push(*c);
    }
    bytes.push(text.len());
    Folded { text, chars, bytes, origin }
}
