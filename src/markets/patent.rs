//! Patent numbers of the Chinese office: the filing number with its check digit, and the publication
//! number, which has none and is told by its `CN` and the letter behind its digits.
use crate::kernel::Fault;

/// What a patent number is, in the one way of writing it that two spellings share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Patent {
    /// 专利申请号 (or 专利号, with `ZL`): the digits and the check digit, no prefix, no point.
    Filing(String),
    /// 公开（公告）号: `CN`, up to nine digits, a letter.
    Publication(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPatent {
    Form,
    /// The check digit should be this.
    CheckDigit(char),
}

/// Reads `ZL95115608.X`, `201710601862.3`, `CN 201310699744.2`, `CN1234567A`.
pub fn parse(text: &str) -> Result<Patent, NoPatent> {
    if let Some(publication) = publication(text) {
        return Ok(Patent::Publication(publication));
    }
    let bare = text.strip_prefix("ZL").or_else(|| text.strip_prefix("CN")).unwrap_or(text);
    let bare = bare.strip_prefix(' ').unwrap_or(bare);
    let mut rest = bare.chars();
    let check = rest.next_back().ok_or(NoPatent::Form)?;
    let digits = rest.as_str();
    let digits = digits.strip_suffix('.').unwrap_or(digits);
    let values: Vec<u32> =
        digits.chars().map(|c| c.to_digit(10).ok_or(NoPatent::Form)).collect::<Result<_, _>>()?;
    // the year is written with four digits since 2003-10, with two before
    let (since, kind) = match values.len() {
        12 => (digits.get(..4) >= Some("2003"), values.get(4)),
        8 => (true, values.get(2)),
        _ => return Err(NoPatent::Form),
    };
    // 1 invention, 2 utility model, 3 design; 8 and 9 came in through the PCT
    let well_formed = since
        && kind.is_some_and(|kind| matches!(kind, 1 | 2 | 3 | 8 | 9))
        && (check.is_ascii_digit() || check == 'X');
    match check_digit(&values) {
        _ if !well_formed => Err(NoPatent::Form),
        due if due == check => Ok(Patent::Filing(format!("{digits}{check}"))),
        due => Err(NoPatent::CheckDigit(due)),
    }
}

/// The sum of digit × weight mod 11, the weights running 2…9 over and over; ten is `X`.
fn check_digit(digits: &[u32]) -> char {
    let sum: u32 = digits.iter().zip((2..=9).cycle()).map(|(digit, weight)| digit * weight).sum();
    char::from_digit(sum % 11, 10).unwrap_or('X')
}

fn publication(text: &str) -> Option<String> {
    let number = text.strip_prefix("CN")?;
    let number = number.strip_prefix(' ').unwrap_or(number);
    let digits = number.strip_suffix(['A', 'B', 'U', 'S', 'C', 'Y'])?;
    let fits = (1..=9).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit());
    fits.then(|| format!("CN{number}"))
}

/// The patent behind `text`, or the fault of it being none, at `pointer`.
pub fn check(pointer: String, text: &str) -> Result<Patent, Fault> {
    parse(text).map_err(|why| match why {
        NoPatent::Form => Fault::new(
            pointer,
            "bad_patent_number",
            "不是专利号：应为申请号（如 ZL95115608.X、201710601862.3）或公开公告号（如 CN1234567A）。",
        ),
        NoPatent::CheckDigit(due) => Fault::new(
            pointer,
            "bad_check_digit",
            format!("专利号校验位不符：按前面的数字，校验位应为 {due}。"),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REAL: [&str; 5] =
        ["201710601862.3", "ZL95115608.X", "201310699744.2", "97101765.4", "200310102344.5"];

    #[test]
    fn real_numbers_are_read_however_they_are_written() {
        for number in REAL {
            let bare = number.trim_start_matches("ZL");
            let filing = Patent::Filing(bare.replace('.', ""));
            for written in [
                bare.to_owned(),
                format!("ZL{bare}"),
                format!("ZL {bare}"),
                format!("CN{bare}"),
                bare.replace('.', ""),
            ] {
                assert_eq!(parse(&written), Ok(filing.clone()), "{written}");
            }
        }
    }

    #[test]
    fn a_publication_number_is_another_form() {
        for number in ["CN1234567A", "CN 101234567B", "CN302345678S", "CN1A"] {
            assert!(matches!(parse(number), Ok(Patent::Publication(_))), "{number}");
        }
        assert_eq!(parse("CN 1234567A"), parse("CN1234567A"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in [
            "",
            "X",
            "1234567A",
            "CN1234567890A",
            "CN1234567D",
            "zl95115608.x",
            "２０１７１０６０１８６２.3",
            "2017106018623456",
            "ZL  95115608.X",
            "201740601862.3",
            "199810601862.3",
            "95.115608X",
            "US1234567A",
        ] {
            assert_eq!(parse(wrong), Err(NoPatent::Form), "{wrong}");
        }
        assert_eq!(parse("201710601862.4"), Err(NoPatent::CheckDigit('3')));
        assert_eq!(parse("95115608.1"), Err(NoPatent::CheckDigit('X')));
    }

    proptest! {
        /// Every weight is prime to 11, so no single slip of a digit stays unseen.
        #[test]
        fn one_wrong_digit_is_noticed(which in 0usize..5, at in 5usize..12, by in 1u32..10) {
            let mut digits: Vec<char> = REAL[which].trim_start_matches("ZL").replace('.', "").chars().collect();
            let at = at.min(digits.len() - 2);
            let wrong = (digits[at].to_digit(10).unwrap() + by) % 10;
            digits[at] = char::from_digit(wrong, 10).unwrap();
            prop_assert!(parse(&digits.into_iter().collect::<String>()).is_err());
        }
        #[test]
        fn no_text_breaks_it(text in ".{0,20}") {
            let _ = parse(&text);
        }
    }
}
