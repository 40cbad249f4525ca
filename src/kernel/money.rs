//! Money: whole fen in an `i64`. No float ever holds an amount, and a sum past the range is an
//! error, not a wrong figure.
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    serialize::{self, Output, ToSql},
    sql_types::BigInt,
};
use serde::{Deserialize, Serialize};

#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    AsExpression,
    FromSqlRow,
    utoipa::ToSchema,
)]
#[serde(transparent)]
#[diesel(sql_type = BigInt)]
/// An amount in fen (分), one hundredth of a yuan; 1 万元 = 1,000,000 fen.
#[schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_000i64, example = 120_000_000)]
pub struct Fen(pub i64);

/// 1 亿元.
pub const FEN_PER_YI: i64 = 10_000_000_000;
/// 1 万元.
pub const FEN_PER_WAN: i64 = 1_000_000;

impl Fen {
    pub const ZERO: Self = Self(0);

    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
    /// The sum, or `None` when it leaves the range of an `i64`.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }
    /// `1,289.07` for an amount in 亿元, rounded half up, for display only.
    pub fn in_yi(self) -> String {
        two_decimals(self.0, FEN_PER_YI)
    }
    /// `1,200,000.00` for an amount in 元, exact to the fen.
    pub fn in_yuan(self) -> String {
        two_decimals(self.0, 100)
    }
    /// `120.00` for an amount in 万元, rounded half up, for display only.
    pub fn in_wan(self) -> String {
        two_decimals(self.0, FEN_PER_WAN)
    }
}

fn two_decimals(fen: i64, unit: i64) -> String {
    let cents = (i128::from(fen.unsigned_abs()) * 100 + i128::from(unit) / 2) / i128::from(unit);
    let whole = (cents / 100).to_string();
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{}{grouped}.{:02}", if fen < 0 { "-" } else { "" }, cents % 100)
}

impl<DB: Backend> ToSql<BigInt, DB> for Fen
where
    i64: ToSql<BigInt, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}
impl<DB: Backend> FromSql<BigInt, DB> for Fen
where
    i64: FromSql<BigInt, DB>,
{
    fn from_sql(raw: DB::RawValue<'_>) -> deserialize::Result<Self> {
        i64::from_sql(raw).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_wan_and_yi_rounded_half_up() {
        assert_eq!(Fen(128_907_000_000_000 / 100 * 10).in_yi(), "1,289.07");
        assert_eq!(Fen(1_204_999).in_wan(), "1.20");
        assert_eq!(Fen(1_205_000).in_wan(), "1.21");
        assert_eq!(Fen(-1_205_000).in_wan(), "-1.21");
        assert_eq!(Fen(120_000_005).in_yuan(), "1,200,000.05");
        assert_eq!(Fen(i64::MAX).in_yi(), "922,337,203.69");
    }

    proptest! {
        #[test]
        fn a_sum_is_exact_or_refused(amounts in prop::collection::vec(any::<i64>(), 0..8)) {
            let exact: i128 = amounts.iter().map(|a| i128::from(*a)).sum();
            let partial_fits = amounts.iter().try_fold(0i64, |s, a| s.checked_add(*a)).is_some();
            match Fen::sum(amounts.iter().map(|a| Fen(*a))) {
                Some(sum) => prop_assert_eq!(i128::from(sum.0), exact),
                None => prop_assert!(!partial_fits),
            }
        }
    }
}
