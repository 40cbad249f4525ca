//! A value that is kept as it was written: `7.36` is 736 hundredths, in the database and in sums.
//!
//! In JSON it is a plain number. At most 15 digits stand in one with decimals, and up to there text
//! and number say the same, so nothing is lost on the way.
use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{
    ObjectBuilder, RefOr,
    schema::{Schema, Type},
};

/// Decimals that a target or a ratio may have.
pub const MAX_SCALE: u32 = 4;
/// The largest value of a target: 10 万亿元 in fen.
const MAX: i64 = 1_000_000_000_000_000;

/// `digits` × 10^-`scale`.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    digits: i64,
    scale: u32,
}

/// The text is no decimal number of this program.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a number from 0 to 10^15 with at most 4 decimals and 15 digits")]
pub struct NoDecimal;

impl Decimal {
    pub const fn whole(digits: i64) -> Self {
        Self { digits, scale: 0 }
    }
    pub fn new(digits: i64, scale: i64) -> Self {
        let scale = u32::try_from(scale).unwrap_or_default().min(MAX_SCALE);
        Self { digits, scale }.plain()
    }
    /// `part / whole` to four decimals, rounded half up; none for a whole that is not positive.
    pub fn ratio(part: i64, whole: i64) -> Option<Self> {
        let (part, whole) = (i128::from(part), i128::from(whole));
        if whole <= 0 {
            return None;
        }
        let digits = (part * 20_000 + whole).div_euclid(whole * 2);
        Some(Self { digits: i64::try_from(digits).ok()?, scale: MAX_SCALE }.plain())
    }
    pub fn scale(self) -> u32 {
        self.scale
    }
    /// How many 10^-`scale` this is; none when that is no whole number or leaves the range.
    pub fn at_scale(self, scale: u32) -> Option<i64> {
        self.digits.checked_mul(10i64.checked_pow(scale.checked_sub(self.scale)?)?)
    }
    /// How many 10^-4 this is: exact, for sums of values with different decimals.
    pub fn ten_thousandths(self) -> i128 {
        i128::from(self.digits) * 10i128.pow(MAX_SCALE.saturating_sub(self.scale))
    }
    /// The value of so many 10^-4; none where it leaves the range.
    pub fn of_ten_thousandths(amount: i128) -> Option<Self> {
        let mut plain = (amount, MAX_SCALE);
        while plain.1 > 0 && plain.0 % 10 == 0 {
            plain = (plain.0 / 10, plain.1 - 1);
        }
        Some(Self { digits: i64::try_from(plain.0).ok()?, scale: plain.1 })
    }
    /// The same value without zeros at its end.
    fn plain(self) -> Self {
        let (mut digits, mut scale) = (self.digits, self.scale);
        while scale > 0 && digits % 10 == 0 {
            digits /= 10;
            scale -= 1;
        }
        Self { digits, scale }
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.plain(), other.plain());
        (a.digits, a.scale) == (b.digits, b.scale)
    }
}
impl Eq for Decimal {}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(unit) = 10u64.checked_pow(self.scale).filter(|_| self.scale > 0) else {
            return write!(f, "{}", self.digits);
        };
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = self.digits.unsigned_abs();
        let width = usize::try_from(self.scale).unwrap_or_default();
        write!(f, "{sign}{}.{:0width$}", digits / unit, digits % unit)
    }
}

impl FromStr for Decimal {
    type Err = NoDecimal;
    fn from_str(text: &str) -> Result<Self, NoDecimal> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let part = part.trim_end_matches('0');
        let all = format!("{whole}{part}");
        let digits_only = !whole.is_empty() && all.chars().all(|c| c.is_ascii_digit());
        let scale = u32::try_from(part.len()).ok().filter(|s| *s <= MAX_SCALE);
        let digits = all.parse().ok().filter(|d| *d <= MAX);
        match (digits_only, digits, scale) {
            (true, Some(digits), Some(scale)) => Ok(Self { digits, scale }),
            _ => Err(NoDecimal),
        }
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let plain = self.plain();
        if plain.scale == 0 {
            return s.serialize_i64(plain.digits);
        }
        s.serialize_f64(plain.to_string().parse().map_err(serde::ser::Error::custom)?)
    }
}
impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(d)?;
        number.to_string().parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Decimal {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some(
                "A number kept exactly, with at most 4 decimals; money is whole fen.",
            ))
            .minimum(Some(0i64))
            .maximum(Some(MAX))
            .examples([60])
            .build()
            .into()
    }
}
impl utoipa::ToSchema for Decimal {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Decimal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_is_kept_as_it_was_written() {
        let d: Decimal = serde_json::from_str("7.36").unwrap();
        assert_eq!((d.at_scale(2), d.at_scale(4), d.at_scale(1)), (Some(736), Some(73_600), None));
        assert_eq!(serde_json::to_string(&d).unwrap(), "7.36");
        assert_eq!(serde_json::to_string(&Decimal::new(8_000, 2)).unwrap(), "80");
        assert_eq!(Decimal::new(5, 4).to_string(), "0.0005");
        for wrong in ["-1", "0.00001", "1e3000", "10000000000000000", "\"7\""] {
            assert!(serde_json::from_str::<Decimal>(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", ".5", "1.2.3", "+1", "1e3", " 1"] {
            assert_eq!(wrong.parse::<Decimal>(), Err(NoDecimal), "{wrong}");
        }
    }

    #[test]
    fn a_ratio_rounds_half_up() {
        let r = |a, b| Decimal::ratio(a, b).unwrap().to_string();
        assert_eq!(r(63_281, 60_000), "1.0547");
        assert_eq!(r(63_281, 80_000), "0.791");
        assert_eq!(r(1, 20_000), "0.0001");
        assert_eq!(r(1, 20_001), "0");
        assert_eq!(Decimal::ratio(1, 0), None);
    }

    proptest! {
        #[test]
        fn json_loses_nothing(digits in 0i64..1_000_000_000_000_000, scale in 0i64..=4) {
            let d = Decimal::new(digits, scale);
            let back: Decimal = serde_json::from_str(&serde_json::to_string(&d).unwrap()).unwrap();
            prop_assert_eq!(back, d);
        }
    }
}
