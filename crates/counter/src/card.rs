//! What a card reader types (读卡): one line, in which the resident number and the name are found.
//!
//! Readers differ in order and separators, and some add nation, birth and address; a clerk may type the same line.
//! Pure: no register is asked here. Invariant: two numbers or two possible names on a line are refused, not guessed.

use tb_base::{Refusal, ResidentId};

/// Letters of a line at the most.
pub const LINE_LETTERS_MAX: usize = 400;
/// Parts of a line at the most.
const PARTS_MAX: usize = 24;
/// Letters of a name.
const NAME_LETTERS: std::ops::RangeInclusive<usize> = 2..=20;
/// What separates the parts, for readers that type one or the other.
const SEPARATORS: [char; 9] = ['|', '｜', ',', '，', ';', '；', '^', '\t', '\u{1f}'];
/// What stands between a head and its value.
const BETWEEN: [char; 3] = [':', '：', ' '];
/// Words of a card that are no name: sex, nation, and the heads that some readers type before a value.
const WORDS: [&str; 9] = ["男", "女", "汉", "汉族", "姓名", "性别", "民族", "住址", "公民身份号码"];

/// What a card says (卡面信息).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The resident number, with its check letter.
    pub number: ResidentId,
    /// The name.
    pub name: String,
}

/// Reads the line of a card reader, or of whoever types number and name.
pub fn read(line: &str) -> Result<Card, Refusal> {
    if LINE_LETTERS_MAX < line.chars().count() {
        return Err(unreadable());
    }
    let parts = parts(line);
    if PARTS_MAX < parts.len() {
        return Err(unreadable());
    }
    let numbers: Vec<ResidentId> = parts.iter().filter_map(|part| number_of(part)).collect();
    let number = match numbers.as_slice() {
        [one] => *one,
        [] if parts.iter().any(|part| looks_like_a_number(part)) => return Err(wrong_number()),
        [] => return Err(no_number()),
        _ => return Err(two_cards()),
    };
    let named = parts.iter().find_map(|part| after_head(part, "姓名")).filter(|name| is_name(name));
    let name = match named {
        Some(name) => name.to_owned(),
        // The name stands first on every reader that says no heads; what follows may be nation and address.
        None => (*parts.iter().find(|part| is_name(part)).ok_or_else(no_name)?).to_owned(),
    };
    Ok(Card { number, name })
}

/// Whether a line is more than one word: number and name belong together, a number alone is typed elsewhere.
fn parts(line: &str) -> Vec<&str> {
    let by_sign: Vec<&str> = line.split(SEPARATORS).map(str::trim).filter(|part| !part.is_empty()).collect();
    if 1 < by_sign.len() {
        return by_sign;
    }
    line.split_whitespace().collect()
}

fn number_of(part: &str) -> Option<ResidentId> {
    let part = after_head(part, "公民身份号码").unwrap_or(part);
    part.to_ascii_uppercase().parse().ok()
}

fn looks_like_a_number(part: &str) -> bool {
    let part = after_head(part, "公民身份号码").unwrap_or(part);
    10 < part.len() && part.chars().filter(char::is_ascii_digit).count() + 1 >= part.chars().count()
}

/// What follows a head, `姓名：周晓梅`.
fn after_head<'a>(part: &'a str, head: &str) -> Option<&'a str> {
    let mut rest = part.strip_prefix(head)?.trim_start_matches(BETWEEN);
    while let Some(more) = rest.strip_prefix(head) {
        rest = more.trim_start_matches(BETWEEN);
    }
    let rest = rest.trim();
    (!rest.is_empty()).then_some(rest)
}

fn is_name(part: &str) -> bool {
    let letters = part.chars().count();
    let fits = part.chars().all(|letter| is_han(letter) || letter == '·' || letter.is_ascii_alphabetic());
    NAME_LETTERS.contains(&letters) && fits && !WORDS.contains(&part)
}

fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3134f}')
}

fn unreadable() -> Refusal {
    Refusal::invalid("CTR-CRD-001", "这不是一张身份证的内容", "This is not what a resident card holds")
        .on("card")
        .but(
            "把身份证平放在读卡器上再读一次，或照卡输入号码和姓名",
            "Read the card once more, or type number and name from it",
        )
}

fn no_number() -> Refusal {
    Refusal::invalid("CTR-CRD-002", "没有读到身份证号码", "No resident number was read")
        .on("card")
        .but("再读一次卡，或照卡输入号码和姓名", "Read the card once more, or type number and name from it")
}

fn wrong_number() -> Refusal {
    Refusal::invalid(
        "CTR-CRD-003",
        "读到的号码不对，末位校验不符",
        "The number that was read has a wrong check letter",
    )
    .on("card")
    .but("再读一次卡，或照卡输入号码和姓名", "Read the card once more, or type number and name from it")
}

fn no_name() -> Refusal {
    Refusal::invalid("CTR-CRD-004", "只读到号码，没有读到姓名", "A number was read, and no name")
        .on("card")
        .but("在号码后面加上姓名，用空格隔开", "Add the name behind the number, with a blank between")
}

fn two_cards() -> Refusal {
    Refusal::invalid("CTR-CRD-005", "读到了两个号码", "Two numbers were read")
        .on("card")
        .but("清空后只读一张卡", "Empty the field and read one card only")
}
