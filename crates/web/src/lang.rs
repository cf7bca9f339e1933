//! Languages of the interface (界面语言): a text is always a pair, so that a missing half cannot compile.
//!
//! Dates, numbers and codes are written one way each; nothing else in a page formats them.
//! They take a value or a reference, because templates hand over references.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tb_base::{Date, NodeId, Refusal, Timestamp};

/// Chinese or English.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// Chinese (中文), the default.
    Zh,
    /// English.
    En,
}

/// A text in both languages (双语文本).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Chinese.
    pub zh: Cow<'static, str>,
    /// English.
    pub en: Cow<'static, str>,
}

impl Text {
    /// A text from its two halves.
    pub fn new(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Text {
        Text { zh: zh.into(), en: en.into() }
    }
}

/// A value, or any depth of reference to it: templates hand over references, handlers hand over values.
pub trait Given<T> {
    /// The value.
    fn given(&self) -> T;
}

impl<T, G: Given<T> + ?Sized> Given<T> for &G {
    fn given(&self) -> T {
        (**self).given()
    }
}

/// Makes a copyable type its own value.
macro_rules! copied {
    ($($name:ty),+) => {$(
        impl Given<$name> for $name {
            fn given(&self) -> $name {
                *self
            }
        }
    )+};
}

copied!(Date, Timestamp, NodeId, Lang);

/// Numbers of any width are shown alike; what exceeds the widest is shown as the widest.
macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl Given<i64> for $number {
            fn given(&self) -> i64 {
                i64::try_from(*self).unwrap_or(i64::MAX)
            }
        }
    )+};
}

numbers!(i32, i64, u8, u16, u32, u64, usize);

/// Words, or a reference to them: templates hand over references to literals, which must not shorten their life.
pub trait Words<'a> {
    /// The words.
    fn words(self) -> &'a str;
}

impl<'a, 'l: 'a> Words<'a> for &'l str {
    fn words(self) -> &'a str {
        self
    }
}

impl<'a, 'l: 'a> Words<'a> for &'l String {
    fn words(self) -> &'a str {
        self
    }
}

impl<'a, W: Words<'a> + Copy> Words<'a> for &W {
    fn words(self) -> &'a str {
        (*self).words()
    }
}

impl<'a, 'l: 'a> Words<'a> for &'l Cow<'static, str> {
    fn words(self) -> &'a str {
        self
    }
}

const WEEKDAYS: [(&str, &str); 7] = [
    ("周一", "Mon"),
    ("周二", "Tue"),
    ("周三", "Wed"),
    ("周四", "Thu"),
    ("周五", "Fri"),
    ("周六", "Sat"),
    ("周日", "Sun"),
];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Thousands take a no-break space, so that a number never breaks over two lines.
const NO_BREAK_SPACE: char = '\u{a0}';

impl Lang {
    /// The half of the pair that this page speaks.
    pub fn t<'a>(self, zh: impl Words<'a>, en: impl Words<'a>) -> &'a str {
        match self {
            Lang::Zh => zh.words(),
            Lang::En => en.words(),
        }
    }

    /// The half of a stored pair.
    pub fn of(self, text: &Text) -> &str {
        self.t(&text.zh, &text.en)
    }

    /// Whether the page is in English.
    pub fn is_english(self) -> bool {
        self == Lang::En
    }

    /// The value of the `lang` attribute.
    pub fn code(self) -> &'static str {
        self.t("zh-CN", "en")
    }

    /// The value of the cookie and of `?lang=`.
    pub fn key(self) -> &'static str {
        self.t("zh", "en")
    }

    /// The language named by a cookie or by `?lang=`.
    pub fn named(key: &str) -> Option<Lang> {
        match key {
            "zh" => Some(Lang::Zh),
            "en" => Some(Lang::En),
            _ => None,
        }
    }

    /// `2026-11-24` in both languages.
    pub fn date(self, date: impl Given<Date>) -> String {
        date.given().to_string()
    }

    /// `11 月 24 日` or `24 Nov`: a day that is spoken of, the year being plain.
    pub fn day(self, date: impl Given<Date>) -> String {
        let date = date.given();
        let month = usize::from(date.month().unsigned_abs()).saturating_sub(1);
        match self {
            Lang::Zh => format!("{} 月 {} 日", date.month(), date.day()),
            Lang::En => format!("{} {}", date.day(), MONTHS.get(month).unwrap_or(&"")),
        }
    }

    /// `11-24`: a day of the running year where there is little room.
    pub fn short(self, date: impl Given<Date>) -> String {
        let date = date.given();
        format!("{:02}-{:02}", date.month(), date.day())
    }

    /// `09:41:07`: what lives a minute only needs its seconds.
    pub fn clock(self, at: impl Given<Timestamp>) -> String {
        let civil = at.given().civil();
        format!("{:02}:{:02}:{:02}", civil.hour(), civil.minute(), civil.second())
    }

    /// `周二` or `Tue`.
    pub fn weekday(self, date: impl Given<Date>) -> &'static str {
        let at = usize::try_from(date.given().weekday().to_monday_zero_offset()).unwrap_or(0);
        WEEKDAYS.get(at).map_or("", |(zh, en)| self.t(zh, en))
    }

    /// `2026-11-24 09:41`.
    pub fn time(self, at: impl Given<Timestamp>) -> String {
        at.given().minute()
    }

    /// `11-24 09:41`: a moment of the running year.
    pub fn moment(self, at: impl Given<Timestamp>) -> String {
        let text = at.given().minute();
        text.get(5..).map_or(text.clone(), str::to_owned)
    }

    /// `1 284 617`, with no-break spaces.
    pub fn number(self, number: impl Given<i64>) -> String {
        let number = number.given();
        let digits = number.unsigned_abs().to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
        if number < 0 {
            // The minus sign, which is as wide as a digit, not the hyphen.
            text.push('−');
        }
        for (at, digit) in digits.chars().enumerate() {
            if 0 < at && (digits.len() - at).is_multiple_of(3) {
                text.push(NO_BREAK_SPACE);
            }
            text.push(digit);
        }
        text
    }

    /// `3 件` or `3 cases`, `1 case`.
    pub fn count(self, number: impl Given<i64>, zh_unit: &str, en_one: &str, en_many: &str) -> String {
        let number = number.given();
        let figure = self.number(number);
        match (self, number) {
            (Lang::Zh, _) => format!("{figure} {zh_unit}"),
            (Lang::En, 1) => format!("{figure} {en_one}"),
            (Lang::En, _) => format!("{figure} {en_many}"),
        }
    }

    /// What a refusal says.
    pub fn refusal(self, refusal: &Refusal) -> &str {
        self.t(&refusal.zh, &refusal.en)
    }

    /// What a person can do after a refusal, if it says so.
    pub fn way_out(self, refusal: &Refusal) -> Option<&str> {
        refusal.way_out.as_ref().map(|(zh, en)| self.t(zh, en))
    }
}

/// The `lang` attribute of what somebody typed: Chinese where there is any in it, for a voice that reads it.
pub fn written_in(text: &str) -> &'static str {
    let is_han = |letter: char| ('\u{4e00}'..='\u{9fff}').contains(&letter);
    if text.chars().any(is_han) { Lang::Zh.code() } else { Lang::En.code() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: i64, expected: &str) {
        assert_eq!(Lang::Zh.number(number).replace(NO_BREAK_SPACE, " "), expected);
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        check(0, "0");
        check(999, "999");
        check(1_284, "1 284");
        check(-1_284_617, "−1 284 617");
        check(i64::MIN, "−9 223 372 036 854 775 808");
    }

    #[test]
    fn dates_are_written_one_way() {
        let date = Timestamp(1_795_449_600_000_000).date();
        assert_eq!(Lang::Zh.date(date), "2026-11-24");
        assert_eq!(Lang::Zh.day(date), "11 月 24 日");
        assert_eq!(Lang::En.day(date), "24 Nov");
        assert_eq!(Lang::Zh.weekday(date), "周二");
        assert_eq!(Lang::En.weekday(date), "Tue");
        assert_eq!(Lang::En.moment(Timestamp(1_795_449_600_000_000)), "11-24 00:00");
        assert_eq!(Lang::En.count(1_usize, "件", "case", "cases"), "1 case");
    }
}
