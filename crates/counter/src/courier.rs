//! Numbers of couriers (快递单号): each courier's own form, and the check digit where there is one.
//!
//! Pure: nobody is asked whether a parcel exists.

use serde::{Deserialize, Serialize};
use tb_base::Refusal;
use tb_case::text::Text;

/// Characters of a number at the most, before blanks are taken out.
pub const NUMBER_LETTERS_MAX: usize = 40;
/// Characters of the number of a courier whose form is not known here.
const OTHER_LETTERS: std::ops::RangeInclusive<usize> = 8..=30;
/// Weights of the eight digits of an S10 number of the Universal Postal Union.
const S10_WEIGHTS: [u32; 8] = [8, 6, 4, 2, 3, 5, 9, 7];

/// How a paper travels (交接方式).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Courier {
    /// From hand to hand, without a number (当面).
    Hand,
    /// The post's express (邮政 EMS).
    Ems,
    /// SF Express (顺丰).
    Sf,
    /// JD Logistics (京东).
    Jd,
    /// Any other.
    Other,
}

/// Every way to travel, in the order of the form.
pub const COURIERS: [Courier; 5] = [Courier::Hand, Courier::Ems, Courier::Sf, Courier::Jd, Courier::Other];

impl Courier {
    /// Its name in both languages.
    pub fn name(self) -> Text {
        match self {
            Courier::Hand => Text::new("当面交接", "by hand"),
            Courier::Ems => Text::new("邮政 EMS", "China Post EMS"),
            Courier::Sf => Text::new("顺丰", "SF Express"),
            Courier::Jd => Text::new("京东快递", "JD Logistics"),
            Courier::Other => Text::new("其他快递", "another courier"),
        }
    }

    /// The word that forms and rows have.
    pub fn word(self) -> &'static str {
        match self {
            Courier::Hand => "hand",
            Courier::Ems => "ems",
            Courier::Sf => "sf",
            Courier::Jd => "jd",
            Courier::Other => "other",
        }
    }

    /// The way to travel of that word.
    pub fn of_word(word: &str) -> Option<Courier> {
        COURIERS.into_iter().find(|courier| courier.word() == word)
    }

    /// How a number of it looks, in both languages.
    fn form(self) -> (&'static str, &'static str) {
        match self {
            Courier::Hand => ("没有单号", "no number"),
            Courier::Ems => (
                "13 位数字，以 1 开头；或 2 个字母、9 位数字、2 个字母，如 EA123456785CN",
                "13 digits that begin with 1; or 2 letters, 9 digits, 2 letters, such as EA123456785CN",
            ),
            Courier::Sf => ("SF 后面 13 位数字", "SF and 13 digits"),
            Courier::Jd => ("JD 后面 13 位数字或字母", "JD and 13 digits or letters"),
            Courier::Other => ("8 到 30 位字母和数字", "8 to 30 letters and digits"),
        }
    }

    /// The number without blanks and in capitals, if it can be one of this courier; empty from hand to hand.
    pub fn check(self, typed: &str) -> Result<String, Refusal> {
        let number: String = typed
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '-')
            .collect::<String>()
            .to_ascii_uppercase();
        match (self, number.is_empty()) {
            (Courier::Hand, true) => Ok(number),
            (Courier::Hand, false) => Err(none_by_hand()),
            (_, true) => {
                Err(self.refuse("CTR-COU-001", "还没有快递单号", "The number of the parcel is missing"))
            }
            (_, false) if self.fits(&number) => Ok(number),
            (_, false) => Err(self.refuse(
                "CTR-COU-002",
                "单号的位数或校验位不对",
                "The number has the wrong length or check digit",
            )),
        }
    }

    fn fits(self, number: &str) -> bool {
        let behind = |head: &str| number.strip_prefix(head).filter(|rest| rest.len() == 13);
        let is_digits = |text: &str| text.bytes().all(|letter| letter.is_ascii_digit());
        match self {
            Courier::Hand => false,
            Courier::Ems => {
                is_s10(number) || number.len() == 13 && number.starts_with('1') && is_digits(number)
            }
            Courier::Sf => behind("SF").is_some_and(is_digits),
            Courier::Jd => behind("JD").is_some_and(is_plain),
            Courier::Other => OTHER_LETTERS.contains(&number.len()) && is_plain(number),
        }
    }

    fn refuse(self, code: &'static str, zh: &'static str, en: &'static str) -> Refusal {
        let (name, form) = (self.name(), self.form());
        Refusal::invalid(code, zh, en).on("number").but(
            format!("照面单重新输入。{}：{}", name.zh, form.0),
            format!("Type it from the label again. {}: {}", name.en, form.1),
        )
    }
}

fn none_by_hand() -> Refusal {
    Refusal::invalid("CTR-COU-003", "当面交接没有快递单号", "What passes from hand to hand has no number")
        .on("number")
        .but("清空单号，或改选快递公司", "Empty the number, or choose the courier")
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|letter| letter.is_ascii_alphanumeric())
}

/// Two letters, eight digits, a check digit and the country's two letters, as the post writes them everywhere.
fn is_s10(number: &str) -> bool {
    let letters: Vec<char> = number.chars().collect();
    let [a, b, digits @ .., c, d] = letters.as_slice() else { return false };
    let numbers: Vec<u32> = digits.iter().filter_map(|letter| letter.to_digit(10)).collect();
    let ([first @ .., check], 9, 9) = (numbers.as_slice(), numbers.len(), digits.len()) else { return false };
    if ![a, b, c, d].iter().all(|letter| letter.is_ascii_uppercase()) {
        return false;
    }
    let sum: u32 = first.iter().zip(S10_WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    let wanted = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        other => other,
    };
    *check == wanted
}
