//! Which passwords are good enough: long rather than odd (NIST SP 800-63B), not among those that
//! everybody tries first, and not the account's own name.
use std::{collections::HashSet, sync::LazyLock};

use unicode_normalization::UnicodeNormalization;

use crate::kernel::Fault;

pub const MIN_CHARS: usize = 10;
pub const MAX_CHARS: usize = 128;
/// Fewer different characters than this are a pattern, not a password.
const MIN_DIFFERENT: usize = 5;

/// Words and passwords that lists of leaked passwords begin with, pinyin and number habits included.
static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("common_passwords.txt")
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
});

/// The form that is hashed: full-width and half-width input of the same password are the same.
pub fn normal(password: &str) -> String {
    password.nfkc().collect()
}

/// Whether `password` may be chosen by the person `name` with the address `email`.
pub fn check(pointer: &str, password: &str, email: &str, name: &str) -> Result<(), Fault> {
    let password = normal(password);
    let fault = |code, detail: String| Err(Fault::new(pointer, code, detail));
    let length = password.chars().count();
    if length < MIN_CHARS {
        return fault("too_short", format!("密码至少需要 {MIN_CHARS} 个字符。"));
    }
    if length > MAX_CHARS {
        return fault("too_long", format!("密码最多 {MAX_CHARS} 个字符。"));
    }
    let folded = password.to_lowercase();
    if is_common(&folded) {
        let advice = "这个密码太常见，会最先被人试出；请换成几个不相干的词连成的短语。";
        return fault("common_password", advice.into());
    }
    let local = email.split('@').next().unwrap_or_default();
    let own = [email, local, name].map(|text| normal(text).to_lowercase());
    if own.iter().any(|text| *text == folded || *text == core(&folded)) {
        return fault("password_is_name", "密码不能与邮箱或姓名相同。".into());
    }
    Ok(())
}

fn is_common(folded: &str) -> bool {
    let different = folded.chars().collect::<HashSet<_>>().len();
    different < MIN_DIFFERENT
        || is_run(folded)
        || COMMON.contains(folded)
        || COMMON.contains(core(folded))
        || halves(folded).is_some_and(|half| COMMON.contains(half))
}

/// The word inside `password2026!!`.
fn core(folded: &str) -> &str {
    folded.trim_matches(|c: char| !c.is_alphabetic())
}

/// `1234567890`, `abcdefghij` and their reverse.
fn is_run(folded: &str) -> bool {
    let steps = |step: i64| {
        folded.chars().zip(folded.chars().skip(1)).all(|(a, b)| {
            let next = i64::from(u32::from(a)) + step;
            i64::from(u32::from(b)) == next || (a == '9' && b == '0') || (a == '0' && b == '9')
        })
    };
    steps(1) || steps(-1)
}

/// The half of a text that says the same twice.
fn halves(folded: &str) -> Option<&str> {
    let (first, second) = folded.split_at_checked(folded.len() / 2)?;
    (first == second).then_some(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(password: &str) -> &'static str {
        match check("/password", password, "zhang.wei@example.edu.cn", "张伟 Zhang Wei") {
            Ok(()) => "ok",
            Err(fault) => fault.code,
        }
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for common in [
            "woaini1314",
            "Woaini5201314",
            "1234567890",
            "0987654321",
            "password2026!",
            "1qaz2wsx3edc",
            "qwertyuiop",
            "aaaaaaaaaaaa",
            "abcdefghijk",
            "123456123456",
            "5201314520",
            "ｐａｓｓｗｏｒｄ１２３",
            "我爱你1314520",
            "Admin@123456",
        ] {
            assert_eq!(told(common), "common_password", "{common}");
        }
    }

    #[test]
    fn length_counts_characters_after_normalising() {
        assert_eq!(told("短密码"), "too_short");
        assert_eq!(told("窗外的雨下了整整一夜"), "ok");
        assert_eq!(told(&"长句子密码".repeat(26)), "too_long");
        assert_eq!(told(&"长句子密码".repeat(25)), "ok");
        assert_eq!(normal("ＡＢＣ１２３"), "ABC123");
    }

    #[test]
    fn the_own_name_is_no_password() {
        assert_eq!(told("zhang.wei@example.edu.cn"), "password_is_name");
        assert_eq!(told("ZHANG.WEI2026"), "password_is_name");
        assert_eq!(told("correct horse battery"), "ok");
    }

    #[test]
    fn the_list_is_folded_as_it_is_compared() {
        assert!(COMMON.len() >= 200, "{}", COMMON.len());
        for word in COMMON.iter() {
            assert_eq!(normal(word).to_lowercase(), *word);
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_check(text in ".*") {
            let _ = check("/password", &text, &text, &text);
        }
    }
}
