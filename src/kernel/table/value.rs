//! What stands in a cell, and what it can be read as.
use unicode_normalization::UnicodeNormalization;

use crate::kernel::{Day, Fen};

/// Why a cell cannot be read: a stable code, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    pub code: &'static str,
    pub detail: String,
}

impl Flaw {
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// What stands in a cell that is not empty.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Without blanks around it.
    Text(String),
    /// Workbooks keep every number as a double.
    Number(f64),
    Day(Day),
    Bool(bool),
    Bad(Flaw),
}

/// One width for digits, letters and signs, no blanks around.
pub fn folded(text: &str) -> String {
    text.nfkc().collect::<String>().trim().to_owned()
}

impl Value {
    /// Nothing when there are only blanks.
    pub fn of_text(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        // not every database can store them, and no cell needs them
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            let why = "文本中含有控制字符；请删去后重新填写。";
            return Some(Self::bad("control_character", why));
        }
        (!text.is_empty()).then(|| Self::Text(text.to_owned()))
    }

    pub(super) fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Bad(Flaw::new(code, detail))
    }

    pub(super) fn formula() -> Self {
        Self::bad("formula", "单元格是公式，导入不计算公式；请选中后复制，再“选择性粘贴—数值”。")
    }

    /// As it is written; a number without point where it is whole.
    pub fn text(&self) -> Result<String, Flaw> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Number(n) => {
                let text = decimal(*n)?;
                // a workbook keeps 15 digits; what is longer has lost its end already
                if text.trim_start_matches('-').len() > 15 && !text.contains('.') {
                    return Err(Flaw::new(
                        "number_too_long",
                        "单元格是数值，超过 15 位的数字已被 Excel 改动；请把单元格设为文本格式后重新填写。",
                    ));
                }
                Ok(text)
            }
            Self::Day(day) => Ok(day.to_string()),
            Self::Bool(is) => Ok(if *is { "是" } else { "否" }.to_owned()),
            Self::Bad(flaw) => Err(flaw.clone()),
        }
    }

    /// A code: one width, no blanks around.
    pub fn code(&self) -> Result<String, Flaw> {
        Ok(folded(&self.text()?))
    }

    /// A date cell, or a text such as `2026-03-01`, `2026/3/1`, `2026年3月1日`, `20260301`.
    pub fn day(&self) -> Result<Day, Flaw> {
        let flaw = |why: &str| Flaw::new("bad_date", why);
        match self {
            Self::Day(day) => Ok(*day),
            Self::Number(_) => {
                let digits = self.text()?;
                // a serial number without a date format: nobody can tell from which year it counts
                day_of(&digits).filter(|_| digits.len() == 8).ok_or_else(|| {
                    flaw("单元格是数值，不是日期；请设为日期格式，或写作 2026-03-01。")
                })
            }
            _ => day_of(&self.code()?).ok_or_else(|| {
                flaw("应为存在的日期，写作 2026-03-01、2026/3/1、2026年3月1日或 20260301，先年后日。")
            }),
        }
    }

    /// An amount in yuan with at most two decimals, as whole fen.
    pub fn fen(&self) -> Result<Fen, Flaw> {
        match self {
            Self::Number(n) => fen_of(&decimal(*n)?),
            _ => fen_of(&self.code()?),
        }
    }

    pub fn integer(&self) -> Result<i64, Flaw> {
        let text = self.code()?;
        text.parse()
            .map_err(|_| Flaw::new("wrong_type", format!("应为整数，现为“{}”。", short(&text))))
    }

    /// `是` or `否`, `true` or `false`.
    pub fn boolean(&self) -> Result<bool, Flaw> {
        match (self, self.code()?.to_lowercase().as_str()) {
            (Self::Bool(is), _) => Ok(*is),
            (_, "是" | "true" | "yes" | "y" | "1") => Ok(true),
            (_, "否" | "false" | "no" | "n" | "0") => Ok(false),
            (_, other) => {
                Err(Flaw::new("wrong_type", format!("应为“是”或“否”，现为“{}”。", short(other))))
            }
        }
    }
}

/// The beginning of a text, for a sentence.
pub(super) fn short(text: &str) -> String {
    let cut: String = text.chars().take(20).collect();
    if cut.len() < text.len() { format!("{cut}……") } else { cut }
}

/// The decimal that Excel shows for a double: its 15 digits, without zeros at the end.
fn decimal(n: f64) -> Result<String, Flaw> {
    let odd = || Flaw::new("wrong_type", "单元格的数值无法读取。");
    if !n.is_finite() {
        return Err(odd());
    }
    let told = format!("{n:.14e}");
    let (mantissa, exponent) = told.split_once('e').ok_or_else(odd)?;
    let exponent: i32 = exponent.parse().map_err(|_| odd())?;
    if !(-30..=30).contains(&exponent) {
        return Err(odd());
    }
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let point = exponent + 1;
    let (whole, rest) = match usize::try_from(point) {
        Ok(point) if point >= digits.len() => {
            (format!("{digits}{}", "0".repeat(point - digits.len())), String::new())
        }
        Ok(point) if point > 0 => {
            let (whole, rest) = digits.split_at(point);
            (whole.to_owned(), rest.to_owned())
        }
        _ => {
            let zeros = usize::try_from(-point).unwrap_or_default();
            ("0".to_owned(), format!("{}{digits}", "0".repeat(zeros)))
        }
    };
    let rest = rest.trim_end_matches('0');
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Ok(if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") })
}

fn fen_of(text: &str) -> Result<Fen, Flaw> {
    let odd = || {
        Flaw::new(
            "bad_amount",
            format!("应为以元为单位的金额，至多两位小数，如 1200000.00；现为“{}”。", short(text)),
        )
    };
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let plain = plain.trim_start_matches(['¥', '￥']);
    if plain.ends_with("万元") || plain.ends_with(['万', '亿']) || plain.ends_with("亿元") {
        return Err(Flaw::new("wrong_unit", "金额应以元为单位填写数字，不写“万元”“亿元”。"));
    }
    let plain = plain.strip_suffix('元').unwrap_or(plain);
    let (whole, decimals) = plain.split_once('.').unwrap_or((plain, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let rest: Vec<_> = groups.collect();
    let grouped =
        rest.iter().all(|group| group.len() == 3) && (rest.is_empty() || first.len() <= 3);
    if first.is_empty() || !grouped || !digits(first) || !rest.iter().all(|g| digits(g)) {
        return Err(odd());
    }
    if !digits(decimals) {
        return Err(odd());
    }
    let decimals = decimals.trim_end_matches('0');
    if decimals.len() > 2 {
        return Err(Flaw::new("too_many_decimals", "金额以元为单位，至多两位小数（到分）。"));
    }
    let fen = format!("{first}{}{decimals:0<2}", rest.concat());
    let too_large = || Flaw::new("too_large", "金额过大。");
    fen.parse().map(Fen).map_err(|_| too_large())
}

/// Year, month and day in this order, whatever stands between them; a time of day behind them is left out.
fn day_of(text: &str) -> Option<Day> {
    let text = text.trim();
    let day = match text.split_once([' ', 'T']) {
        Some((day, time))
            if time.trim().chars().all(|c| c.is_ascii_digit() || ":.Z+".contains(c)) =>
        {
            day
        }
        Some(_) => return None,
        None => text,
    };
    let number = |text: &str| {
        let fits = (1..=4).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit());
        fits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let of = |year: &str, month: &str, day: &str| {
        let year = number(year).filter(|_| year.len() == 4)?;
        Day::from_ymd_opt(i32::try_from(year).ok()?, number(month)?, number(day)?)
    };
    if day.len() == 8 && day.chars().all(|c| c.is_ascii_digit()) {
        return of(day.get(..4)?, day.get(4..6)?, day.get(6..)?);
    }
    for signs in [['-', '-'], ['/', '/'], ['.', '.'], ['年', '月']] {
        let [first, second] = signs;
        let Some((year, rest)) = day.split_once(first) else { continue };
        let Some((month, rest)) = rest.split_once(second) else { continue };
        let rest = if first == '年' { rest.strip_suffix(['日', '号'])? } else { rest };
        return of(year.trim(), month.trim(), rest.trim());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(t: &str) -> Value {
        Value::of_text(t).unwrap()
    }

    #[test]
    fn days_as_people_write_them() {
        let day = Day::from_ymd_opt(2026, 3, 1).unwrap();
        for told in [
            "2026-03-01",
            "2026-3-1",
            "2026/3/1",
            "2026.03.01",
            "2026年3月1日",
            "20260301",
            "２０２６－０３－０１",
            " 2026-03-01 00:00:00",
            "２０２６年３月１日",
        ] {
            assert_eq!(text(told).day(), Ok(day), "{told}");
        }
        assert_eq!(Value::Number(20_260_301.0).day(), Ok(day));
        for told in
            ["01/03/2026", "2026-02-30", "26-3-1", "三月一日", "2026-03", "2026-03-01 x", "46082"]
        {
            assert_eq!(text(told).day().unwrap_err().code, "bad_date", "{told}");
        }
        assert_eq!(Value::Number(46_082.0).day().unwrap_err().code, "bad_date");
    }

    #[test]
    fn amounts_are_exact_or_refused() {
        for (told, fen) in [
            ("1200000", 120_000_000),
            ("1,200,000.5", 120_000_050),
            ("¥ 1200000.05元", 120_000_005),
            ("１２００．３０", 120_030),
            ("0.010", 1),
        ] {
            assert_eq!(text(told).fen(), Ok(Fen(fen)), "{told}");
        }
        for (told, code) in [
            ("120万元", "wrong_unit"),
            ("1.2亿", "wrong_unit"),
            ("1.005", "too_many_decimals"),
            ("-5", "bad_amount"),
            ("1,20", "bad_amount"),
            ("一百", "bad_amount"),
            (".5", "bad_amount"),
            ("1e5", "bad_amount"),
            ("99999999999999999999", "too_large"),
        ] {
            assert_eq!(text(told).fen().unwrap_err().code, code, "{told}");
        }
        assert_eq!(Value::Number(0.1 + 0.2).fen(), Ok(Fen(30)));
        assert_eq!(Value::Number(1_234_567_890_123.45).fen(), Ok(Fen(123_456_789_012_345)));
        assert_eq!(Value::Number(1.005).fen().unwrap_err().code, "too_many_decimals");
        assert_eq!(Value::Number(-1.0).fen().unwrap_err().code, "bad_amount");
        assert_eq!(Value::Number(f64::NAN).fen().unwrap_err().code, "wrong_type");
    }

    #[test]
    fn a_number_that_lost_its_end_is_no_code() {
        assert_eq!(Value::Number(210_100.0).text().unwrap(), "210100");
        assert_eq!(
            Value::Number(912_102_000_000_000_003.0).text().unwrap_err().code,
            "number_too_long"
        );
        assert_eq!(text("９１２１").code().unwrap(), "9121");
    }

    proptest! {
        #[test]
        fn every_amount_in_a_workbook_comes_back_to_the_fen(fen in 0i64..10_000_000_000_000) {
            let yuan: f64 = format!("{}.{:02}", fen / 100, fen % 100).parse().unwrap();
            prop_assert_eq!(Value::Number(yuan).fen(), Ok(Fen(fen)));
        }
        #[test]
        fn no_text_breaks_a_reading(told in ".*") {
            if let Some(value) = Value::of_text(&told) {
                let _ = (value.day(), value.fen(), value.integer(), value.boolean());
            }
        }
    }
}
