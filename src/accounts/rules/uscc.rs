//! Unified social credit codes (统一社会信用代码, GB 32100-2015): 18 characters, of which two check the
//! others. The registration region inside is history and is not compared with today's regions.
use crate::kernel::{Fault, OrganizationKind, Region};

/// The characters of a code in the order of their values: no I, O, S, V, Z.
const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Weights of the first 17 characters: 3^i mod 31.
const WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/// Weights of the organization code inside (GB 11714): positions 9 to 16.
const INNER_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// What is wrong with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    Length,
    Character,
    /// The organization code inside does not check, at position 17.
    Inner,
    /// The whole does not check, at position 18.
    Whole,
}

impl Wrong {
    pub fn fault(self, pointer: &str) -> Fault {
        let (code, detail) = match self {
            Self::Length => ("bad_length", "统一社会信用代码应为 18 位。"),
            Self::Character => (
                "bad_character",
                "统一社会信用代码只含数字与大写字母，且不含 I、O、S、V、Z；请检查是否误把 0 写成 O。",
            ),
            Self::Inner => (
                "bad_check_digit",
                "第 17 位（组织机构代码校验位，GB 11714）不符：第 9 至 17 位中有误写。",
            ),
            Self::Whole => (
                "bad_check_digit",
                "第 18 位校验码（GB 32100-2015）不符：代码中有误写，请对照证照逐位核对。",
            ),
        };
        Fault::new(pointer, code, detail)
    }
}

/// The code in upper case without blanks, when both check digits are right.
pub fn parse(text: &str) -> Result<String, Wrong> {
    let code: String =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
    if code.chars().count() != 18 {
        return Err(Wrong::Length);
    }
    if !code.chars().all(|c| ALPHABET.contains(c)) {
        return Err(Wrong::Character);
    }
    let at = |n: usize| code.chars().nth(n);
    if at(16) != Some(inner_check(code.get(8..16).unwrap_or_default())) {
        return Err(Wrong::Inner);
    }
    if at(17) != Some(whole_check(code.get(..17).unwrap_or_default())) {
        return Err(Wrong::Whole);
    }
    Ok(code)
}

/// A valid code that nobody holds, for the fictional organizations of the demo and for tests: its
/// organization code begins with `F` and counts with `n`.
pub fn fictional(kind: OrganizationKind, region: &Region, n: u32) -> String {
    use OrganizationKind as K;
    let register = match kind {
        K::Government => "11",
        K::University | K::Institute | K::Hospital | K::Registrar => "12",
        K::Company | K::Agency | K::Investor => "91",
    };
    // a zone has no place in the code: its organizations register with the province
    let place = region.province().map_or("210000", |_| region.as_str());
    let inner = format!("F{:07}", n % 10_000_000);
    let body = format!("{register}{place}{inner}{}", inner_check(&inner));
    let check = whole_check(&body);
    format!("{body}{check}")
}

/// GB 11714 counts letters from A = 10 to Z = 35.
fn inner_check(eight: &str) -> char {
    let sum: u32 =
        eight.chars().zip(INNER_WEIGHTS).map(|(c, w)| c.to_digit(36).unwrap_or(0) * w).sum();
    match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => char::from_digit(digit, 10).unwrap_or('0'),
    }
}

/// GB 32100 counts by the position in its own alphabet.
fn whole_check(seventeen: &str) -> char {
    let value = |c| (0..).zip(ALPHABET.chars()).find(|(_, a)| *a == c).map_or(0, |(n, _)| n);
    let sum: u32 = seventeen.chars().zip(WEIGHTS).map(|(c, w)| value(c) * w).sum();
    let check = (31 - sum % 31) % 31;
    (0..).zip(ALPHABET.chars()).find(|(n, _)| *n == check).map_or('0', |(_, c)| c)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;
    use crate::kernel::Code;

    #[test]
    fn published_codes_pass() {
        for code in [
            "91210100604608172K",
            "12100000400000624D",
            "914403001922038216",
            "91330100799655058B",
            "91110000600037341L",
            "91350100M000100Y43",
        ] {
            assert_eq!(parse(code).as_deref(), Ok(code));
        }
        assert_eq!(parse(" 9121 0100 6046 0817 2k\u{3000}").unwrap(), "91210100604608172K");
    }

    #[test]
    fn corrupted_codes_fail() {
        assert_eq!(parse("91210100604608127K"), Err(Wrong::Inner));
        assert_eq!(parse("91210100604608172X"), Err(Wrong::Whole));
        assert_eq!(parse("9121010060460817"), Err(Wrong::Length));
        assert_eq!(parse("9121O100604608172K"), Err(Wrong::Character));
        assert_eq!(parse("９1210100604608172K"), Err(Wrong::Character));
        assert_eq!(parse(""), Err(Wrong::Length));
    }

    proptest! {
        #[test]
        fn a_fictional_code_is_valid(kind in select(OrganizationKind::ALL), n in 0u32..10_000_000) {
            for region in ["210106", "210000", "LNZ-SF"] {
                let code = fictional(kind, &region.parse().unwrap(), n);
                prop_assert_eq!(parse(&code), Ok(code));
            }
        }

        #[test]
        fn one_wrong_character_is_noticed(
            n in 0u32..10_000_000, at in 0usize..18, wrong in select(ALPHABET.chars().collect::<Vec<_>>())
        ) {
            let code = fictional(OrganizationKind::Company, &"210100".parse().unwrap(), n);
            let mut bad: Vec<char> = code.chars().collect();
            prop_assume!(bad[at] != wrong);
            bad[at] = wrong;
            prop_assert!(parse(&bad.into_iter().collect::<String>()).is_err());
        }

        #[test]
        fn no_text_breaks_the_check(text in ".*") {
            let _ = parse(&text);
        }
    }
}
