//! Terms on their way into the engine: one line of text that its tokenizer only has to split.
//!
//! The engine takes a list of ready tokens as well, and copies each of them twice. Here a term costs no
//! allocation of its own: it is written behind a character that says how many units it stands after the
//! term before, and ends with a separator that no folded text holds.
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::analysis;

/// The name under which the engine knows the tokenizer.
pub(crate) const NAME: &str = "cut";

const END: char = '\u{1}';
/// Steps are written as characters from here on; none of them is a surrogate.
const STEPS: u32 = 0x20;
const LONGEST_STEP: u32 = 0xD000;

/// The terms of one text. Positions that fall back are written as standing where the last one stood.
pub(super) fn line(tokens: &[analysis::Token]) -> String {
    let mut line = String::with_capacity(tokens.len() * 9);
    let mut at = 0;
    for token in tokens {
        let step = token.position.saturating_sub(at).min(LONGEST_STEP);
        at += step;
        line.push(char::from_u32(STEPS + step).unwrap_or(' '));
        line.extend(token.term.chars().filter(|c| *c != END));
        line.push(END);
    }
    line
}

/// Makes the tokenizer known to an engine.
pub(crate) fn register(engine: &tantivy::Index) {
    engine.tokenizers().register(NAME, Cut::default());
}

/// Splits such a line.
#[derive(Clone, Default)]
pub(super) struct Cut {
    token: Token,
}

pub(super) struct Terms<'a> {
    rest: &'a str,
    token: &'a mut Token,
}

impl Tokenizer for Cut {
    type TokenStream<'a> = Terms<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Terms<'a> {
        self.token.reset();
        self.token.position = 0;
        Terms { rest: text, token: &mut self.token }
    }
}

impl TokenStream for Terms<'_> {
    fn advance(&mut self) -> bool {
        let Some((term, rest)) = self.rest.split_once(END) else { return false };
        self.rest = rest;
        let mut chars = term.chars();
        let step = chars.next().map_or(0, |c| u32::from(c).saturating_sub(STEPS));
        self.token.position += crate::number::index(step);
        self.token.text.clear();
        self.token.text.push_str(chars.as_str());
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analysis::Analyzer;

    proptest! {
        #[test]
        fn terms_and_positions_arrive_as_they_were(text in "[\\PC石墨烯，\u{1}电池 -/%.]{0,80}") {
            let analysis = Analyzer::new().unwrap().analyse(&text);
            for tokens in [analysis.words, analysis.characters] {
                let line = line(&tokens);
                let mut cut = Cut::default();
                let mut stream = cut.token_stream(&line);
                let mut back = Vec::new();
                while stream.advance() {
                    back.push((stream.token().text.clone(), stream.token().position));
                }
                let sent: Vec<_> =
                    tokens.iter().map(|t| (t.term.clone(), crate::number::index(t.position))).collect();
                prop_assert_eq!(back, sent);
            }
        }
    }
}
