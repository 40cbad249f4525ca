//! The search for better constants.
use super::{
    LEAST_GAIN,
    cases::{Case, Cases},
    mean_of_kinds, values,
};
use crate::{MatchPath, weights::Weights};

/// One constant that can be moved.
pub(super) struct Knob {
    pub name: &'static str,
    pub get: fn(&Weights) -> f64,
    set: fn(&mut Weights, f64),
    most: f64,
    /// The first step, where the constant is 0 or for shares that only mean something up to 1.
    step: f64,
}

macro_rules! knobs {
    ($($name:ident: $step:literal to $most:literal),+ $(,)?) => {
        &[$(Knob {
            name: stringify!($name),
            get: |w| w.$name,
            set: |w, value| w.$name = value,
            most: $most,
            step: $step,
        }),+]
    };
}

/// What a few words without a title are weighed by. The scale of `words` against `characters` is one
/// constant: only their ratio counts.
const OF_WORDS: &[Knob] = knobs! {
    k1: 0.4 to 3.0, b: 0.2 to 1.0, rarity: 0.4 to 3.0, words: 0.3 to 5.0, title: 0.2 to 5.0,
    keywords: 0.1 to 5.0, phrase_title: 0.4 to 5.0, phrase_keyword: 0.2 to 5.0,
    phrase_whole_keyword: 0.2 to 5.0, phrase_text: 0.3 to 5.0,
};

const OF_TEXTS: &[Knob] = knobs! {
    k1: 0.4 to 3.0, b: 0.2 to 1.0, rarity: 0.4 to 3.0, words: 0.3 to 5.0, title: 0.2 to 5.0,
    keywords: 0.1 to 5.0, generic: 0.2 to 1.0, firm: 0.05 to 1.0,
};

const OF_LISTINGS: &[Knob] = knobs! {
    k1: 0.4 to 3.0, b: 0.2 to 1.0, rarity: 0.4 to 3.0, words: 0.3 to 5.0, title: 0.2 to 5.0,
    keywords: 0.1 to 5.0, generic: 0.2 to 1.0, firm: 0.05 to 1.0, from_title: 0.8 to 10.0,
};

fn knobs(path: MatchPath) -> &'static [Knob] {
    match path {
        MatchPath::Keyword => OF_WORDS,
        MatchPath::Problem => OF_TEXTS,
        MatchPath::Listing => OF_LISTINGS,
    }
}

/// How often steps are halved.
const ROUNDS: usize = 3;

/// Half of the way from one to the other.
pub(super) fn halfway(start: &Weights, fitted: &Weights) -> Weights {
    let mut half = *start;
    for knob in OF_WORDS.iter().chain(OF_TEXTS).chain(OF_LISTINGS) {
        (knob.set)(&mut half, f64::midpoint((knob.get)(start), (knob.get)(fitted)));
    }
    half
}

/// Better constants for these cases, and which of them moved.
pub(super) fn climb(cases: &Cases, of: &[&Case], start: &Weights) -> (Weights, Vec<&'static Knob>) {
    let mut best = *start;
    let Some(first) = of.first() else { return (best, Vec::new()) };
    let knobs = knobs(first.path);
    let value = |weights: &Weights| mean_of_kinds(of, &values(cases, of, weights));
    let mut reached = value(&best);
    let mut shrink = 1.0;
    for _ in 0..ROUNDS {
        let mut moves = true;
        while moves {
            moves = false;
            for knob in knobs {
                for step in [knob.step * shrink, -knob.step * shrink] {
                    let next = ((knob.get)(&best) + step).clamp(0.0, knob.most);
                    let mut tried = best;
                    (knob.set)(&mut tried, (next * 1e4).round() / 1e4);
                    if tried == best {
                        continue;
                    }
                    let came_to = value(&tried);
                    if came_to > reached + LEAST_GAIN {
                        (best, reached, moves) = (tried, came_to, true);
                        break;
                    }
                }
            }
        }
        shrink /= 2.0;
    }
    let moved = knobs.iter().filter(|k| (k.get)(start) != (k.get)(&best)).collect();
    (best, moved)
}
