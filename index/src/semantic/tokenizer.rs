//! Text to the numbers of a SentencePiece unigram model: of all ways to cut it into pieces, the likeliest.
use std::collections::HashMap;

use super::file::Pieces;
use crate::number::{index, small};

/// Stands for a blank.
const BLANK: char = '\u{2581}';
/// How much less likely than the least likely piece a character is that is in none.
const UNKNOWN_PENALTY: f32 = 10.0;

pub(super) struct Tokenizer {
    pieces: HashMap<Box<str>, (u32, f32)>,
    /// Bytes of the longest piece.
    longest: usize,
    begin: u32,
    end: u32,
    unknown: u32,
    unknown_score: f32,
    replaced: HashMap<char, String>,
}

impl Tokenizer {
    pub fn new(from: Pieces) -> Self {
        let least = from.pieces.iter().map(|(_, score)| *score).fold(f32::INFINITY, f32::min);
        let longest = from.pieces.iter().map(|(piece, _)| piece.len()).max().unwrap_or_default();
        let pieces = (0..)
            .zip(from.pieces)
            .filter(|(id, (piece, _))| *id != from.unknown && !piece.is_empty())
            .map(|(id, (piece, score))| (piece.into_boxed_str(), (id, score)))
            .collect();
        Self {
            pieces,
            longest,
            begin: from.begin,
            end: from.end,
            unknown: from.unknown,
            unknown_score: least - UNKNOWN_PENALTY,
            replaced: from.replaced,
        }
    }

    /// At most `most` numbers, the first and the last of which say where the text begins and ends.
    pub fn tokens(&self, text: &str, most: usize) -> Vec<u32> {
        let mut tokens = vec![self.begin];
        tokens.extend(self.cut(&self.normal(text)).into_iter().take(most.saturating_sub(2)));
        tokens.push(self.end);
        tokens
    }

    /// Characters replaced, runs of blanks made one, and a blank before the first word.
    fn normal(&self, text: &str) -> String {
        let mut normal = String::with_capacity(text.len() + 3);
        normal.push(BLANK);
        let mut push = |c: char| {
            let c = if c == ' ' { BLANK } else { c };
            if c != BLANK || !normal.ends_with(BLANK) {
                normal.push(c);
            }
        };
        for c in text.chars() {
            match self.replaced.get(&c) {
                Some(to) => to.chars().for_each(&mut push),
                None => push(c),
            }
        }
        normal
    }

    fn cut(&self, text: &str) -> Vec<u32> {
        let mut starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        starts.push(text.len());
        // of the text up to each character: the likeliest cut's score, its last piece, and where that begins
        let mut best = vec![(f32::NEG_INFINITY, self.unknown, 0); starts.len()];
        if let Some(first) = best.first_mut() {
            first.0 = 0.0;
        }
        for (from, start) in starts.iter().enumerate() {
            let Some((so_far, ..)) = best.get(from).copied() else { break };
            for (to, end) in starts.iter().enumerate().skip(from + 1) {
                if end - start > self.longest && to > from + 1 {
                    break;
                }
                let piece = text.get(*start..*end).and_then(|piece| self.pieces.get(piece));
                let step = match piece {
                    Some((id, score)) => (so_far + score, *id, small(from)),
                    None if to == from + 1 => {
                        (so_far + self.unknown_score, self.unknown, small(from))
                    }
                    None => continue,
                };
                if let Some(known) = best.get_mut(to).filter(|known| step.0 > known.0) {
                    *known = step;
                }
            }
        }
        let mut tokens = Vec::new();
        let mut at = starts.len() - 1;
        while at > 0
            && let Some((_, id, from)) = best.get(at)
        {
            tokens.push(*id);
            at = index(*from);
        }
        tokens.reverse();
        tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_cut_wins() {
        let scores = [("<s>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁石墨", -3.0), ("▁", -2.0)];
        let more = [("石墨烯", -4.0), ("烯", -5.0), ("石", -9.0), ("a", -1.0)];
        let pieces = scores.iter().chain(&more).map(|(p, s)| ((*p).to_owned(), *s)).collect();
        let replaced = HashMap::from([('Ａ', "a".to_owned()), ('　', " ".to_owned())]);
        let tokenizer = Tokenizer::new(Pieces { pieces, begin: 0, end: 1, unknown: 2, replaced });
        assert_eq!(tokenizer.tokens("石墨烯", 9), [0, 4, 5, 1], "-6 before -8");
        assert_eq!(tokenizer.tokens("石墨　 Ａ镁", 9), [0, 3, 4, 8, 2, 1]);
        assert_eq!(tokenizer.tokens("石墨　 Ａ镁", 4), [0, 3, 4, 1], "cut off");
        assert_eq!(tokenizer.tokens("", 9), [0, 4, 1]);
    }
}
