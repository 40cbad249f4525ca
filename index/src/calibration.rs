//! When a match is worth a request: the points of its wording as a probability.
//!
//! The probability that a listing answers a request is a logistic curve over the logarithms of three
//! numbers: the points its wording earned, how many terms the request has, and how many listings of the
//! wanted kind there are (among a hundred, what shares a third of the words is the answer; among ten
//! thousand, something always does). All are known of one listing alone, so that answers and the
//! [`crate::percolator`] say the same, and the curve only rises with the points: a probability that is
//! asked for is a number of points that are needed.
//!
//! Field, region, stage and price are not in it. They order what answers a request; they do not make it
//! one. [`crate::fitting`] fits the curves, on queries of which some had their answers taken away.
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::number::real;

/// How sure it is that a match is worth a request.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Not suitable: say that there is nothing yet.
    #[default]
    None,
    /// 可看
    Fair,
    /// 较高
    Good,
    /// 高
    High,
}

impl Grade {
    /// The name in JSON.
    pub fn slug(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Good => "good",
            Self::Fair => "fair",
            Self::None => "none",
        }
    }
}

/// The probability from which a match has each grade.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grades {
    #[serde(deserialize_with = "probability")]
    pub high: f64,
    #[serde(deserialize_with = "probability")]
    pub good: f64,
    #[serde(deserialize_with = "probability")]
    pub fair: f64,
}

impl Grades {
    pub fn rise(&self) -> bool {
        self.fair < self.good && self.good < self.high
    }
}

/// What a curve was fitted on reaches to this size; larger markets are taken for one of it.
const LARGEST_MARKET: f64 = 10_000.0;

/// `logit(p) = base + points · ln(1 + points) + terms · ln(1 + terms) + market · ln(1 + listings / 1000)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Curve {
    #[serde(deserialize_with = "slope")]
    pub base: f64,
    #[serde(deserialize_with = "rising")]
    pub points: f64,
    #[serde(deserialize_with = "slope")]
    pub terms: f64,
    /// Not above 0: more listings make no single one likelier.
    #[serde(deserialize_with = "falling")]
    pub market: f64,
}

impl Curve {
    /// The same as in a market of one size only.
    pub fn within(self, listings: f64) -> Self {
        let base = self.base + self.market * size(listings);
        Self { base, market: 0.0, ..self }
    }

    /// The curve that within a market of that size is `self`.
    pub fn spread(self, listings: f64, market: f64) -> Self {
        Self { base: self.base - market * size(listings), market, ..self }
    }

    /// What stands beside the first three numbers of the curve.
    pub fn features(points: f64, terms: usize) -> [f64; 3] {
        [1.0, points.max(0.0).ln_1p(), real(terms).ln_1p()]
    }

    /// The probability, in a market [`within`](Self::within) which the curve is.
    pub fn probability(&self, points: f64, terms: usize) -> f64 {
        let [one, points, terms] = Self::features(points, terms);
        1.0 / (1.0 + (-(self.base * one + self.points * points + self.terms * terms)).exp())
    }

    /// The points that reach a probability.
    pub fn least(&self, probability: f64, terms: usize) -> f64 {
        let [_, _, terms] = Self::features(0.0, terms);
        let logit = (probability / (1.0 - probability)).ln();
        ((logit - self.base - self.terms * terms) / self.points).exp_m1().max(0.0)
    }
}

fn size(listings: f64) -> f64 {
    (listings.clamp(0.0, LARGEST_MARKET) / 1_000.0).ln_1p()
}

/// The curve of one path with the grades: what to ask of one request's matches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Suitability {
    curve: Curve,
    terms: usize,
    /// Points from which a match has a grade.
    high: f64,
    good: f64,
    fair: f64,
}

impl Suitability {
    /// For a request of so many different terms in both views, among so many listings of the wanted kind.
    pub fn of(curve: Curve, grades: &Grades, terms: usize, listings: f64) -> Self {
        let curve = curve.within(listings);
        let least = |probability| curve.least(probability, terms);
        Self {
            curve,
            terms,
            high: least(grades.high),
            good: least(grades.good),
            fair: least(grades.fair),
        }
    }

    /// The points of the wording below which a match is not suitable.
    pub fn floor(&self) -> f64 {
        self.fair
    }

    pub fn probability(&self, points: f64) -> f64 {
        self.curve.probability(points, self.terms)
    }

    /// The grade of a match with so many points of the wording.
    pub fn grade(&self, points: f64) -> Grade {
        match points {
            _ if points >= self.high => Grade::High,
            _ if points >= self.good => Grade::Good,
            _ if points >= self.fair => Grade::Fair,
            _ => Grade::None,
        }
    }
}

fn probability<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(from)?;
    let is_one = value > 0.0 && value < 1.0;
    is_one
        .then_some(value)
        .ok_or_else(|| D::Error::custom(format!("{value} is no probability between 0 and 1")))
}

fn slope<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(from)?;
    let fits = (-100.0..=100.0).contains(&value);
    fits.then_some(value)
        .ok_or_else(|| D::Error::custom(format!("{value} is not between -100 and 100")))
}

fn falling<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let value = slope(from)?;
    let falls = value <= 0.0;
    falls
        .then_some(value)
        .ok_or_else(|| D::Error::custom("a larger market cannot be surer: 0 or less"))
}

fn rising<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let value = slope(from)?;
    let rises = value >= 0.01;
    rises
        .then_some(value)
        .ok_or_else(|| D::Error::custom("more points must mean a higher probability: 0.01 or more"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GRADES: Grades = Grades { high: 0.6, good: 0.3, fair: 0.1 };

    proptest! {
        #[test]
        fn points_and_probability_say_the_same(
            base in -20.0..5.0f64, slope in 0.05..8.0f64, of_terms in -3.0..3.0f64,
            terms in 0_usize..2_000, points in 0.0..200.0f64, more in 0.0..50.0f64,
            market in -5.0..0.0f64, listings in 0.0..1e6f64,
        ) {
            let curve = Curve { base, points: slope, terms: of_terms, market };
            let suitable = Suitability::of(curve, &GRADES, terms, listings);
            prop_assert!(Suitability::of(curve, &GRADES, terms, 0.0).floor() <= suitable.floor() + 1e-9);
            let again = curve.within(listings).spread(listings, market);
            prop_assert!((again.base - base).abs() < 1e-9);
            let p = suitable.probability(points);
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert!(suitable.probability(points + more) >= p);
            prop_assert!(suitable.grade(points + more) >= suitable.grade(points));
            for (grade, least) in [(Grade::High, 0.6), (Grade::Good, 0.3), (Grade::Fair, 0.1)] {
                // beside the border, where rounding decides
                if (p - least).abs() > 1e-9 {
                    prop_assert_eq!(suitable.grade(points) >= grade, p > least, "{} {:?}", p, suitable);
                }
            }
            prop_assert_eq!(suitable.grade(points) > Grade::None, points >= suitable.floor());
        }
    }
}
