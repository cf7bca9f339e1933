//! Tests of reading fields.

use std::collections::BTreeMap;

use tb_base::{NodeId, Refusal};

use super::Fields;
use crate::field::{Choice, Field, Input};
use crate::lang::Lang;

const NODE: Field<'static> = Field::text("node", "城市", "City");
const COUNT: Field<'static> = Field::text("count", "数量", "Count");
const DAY: Field<'static> = Field::new("day", "日期", "Day", Input::Date);
const SECRET: Field<'static> = Field::new("password", "密码", "Password", Input::Password);
const ONE: Field<'static> = Field::new("one", "选一", "One", Input::Radio(CHOICES));
const MANY: Field<'static> = Field::new("many", "多选", "Many", Input::Boxes(CHOICES));
const CHOICES: &[Choice<'static>] = &[Choice::new("a", "甲", "A"), Choice::new("b", "乙", "B").off()];

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in pairs {
        values.entry((*name).to_owned()).or_default().push((*value).to_owned());
    }
    Fields::sent(Lang::Zh, "token".to_owned(), values, Vec::new())
}

#[track_caller]
fn check_error(fields: &Fields, name: &str, message: &str) {
    let error = fields.error_of(name).expect("an error");
    assert!(error.message.contains(message), "{}", error.message);
}

#[test]
fn all_errors_are_collected() {
    let mut form = fields(&[("node", "4301"), ("count", "zwölf"), ("one", "b")]);
    assert_eq!(form.read(&NODE).parse::<NodeId>().required(), None);
    assert_eq!(form.number(&COUNT).required(), None);
    assert_eq!(form.date(&DAY).required(), None);
    assert_eq!(form.read(&ONE).required(), None);
    assert_eq!(form.boxes(&MANY), None);
    assert_eq!(form.error_count(), 5);
    check_error(&form, "node", "6 位行政区划代码");
    check_error(&form, "count", "只填数字");
    check_error(&form, "day", "要填写");
    check_error(&form, "one", "请从列出的选项里选");
    check_error(&form, "many", "至少选一项");
}

#[test]
fn good_values_have_their_types() {
    let mut form = fields(&[
        ("node", " 430100 "),
        ("count", "1 284"),
        ("day.y", "2026"),
        ("day.m", "2"),
        ("day.d", "3"),
        ("one", "a"),
        ("many", "a"),
    ]);
    assert_eq!(
        form.read(&NODE).parse::<NodeId>().required().map(|node| node.to_string()),
        Some("430100".to_owned())
    );
    assert_eq!(
        form.number(&COUNT)
            .check(|count| if *count < 2_000 { Ok(()) } else { Err(super::not_offered()) })
            .required(),
        Some(1_284)
    );
    assert_eq!(form.date(&DAY).required().map(|day| day.to_string()), Some("2026-02-03".to_owned()));
    assert_eq!(form.read(&ONE).required().as_deref(), Some("a"));
    assert_eq!(form.boxes(&MANY), Some(vec!["a".to_owned()]));
    assert!(!form.has_errors());
}

#[test]
fn empty_wrong_and_given_are_three_answers() {
    assert_eq!(fields(&[]).number(&COUNT).optional(), Some(None));
    assert_eq!(fields(&[("count", "x")]).number(&COUNT).optional(), None);
    assert_eq!(fields(&[("count", "7")]).number(&COUNT).optional(), Some(Some(7)));
}

#[test]
fn one_field_has_one_error() {
    let mut form = fields(&[("node", &"x".repeat(300))]);
    assert_eq!(form.read(&NODE).parse::<NodeId>().required(), None);
    assert_eq!(form.error_count(), 1);
    check_error(&form, "node", "太长");
}

#[test]
fn secrets_are_neither_shown_nor_sent_back() {
    let mut form = fields(&[("password", " hunter2 ")]);
    assert_eq!(form.read(&SECRET).required().as_deref(), Some(" hunter2 "));
    assert!(!form.show(&SECRET).to_string().contains("hunter2"));
    assert!(!serde_json::to_string(&form).expect("JSON").contains("hunter2"));
}

#[test]
fn refusals_of_the_domain_come_to_their_field() {
    let mut form = fields(&[("node", "430100")]);
    let refused: tb_base::Result<()> =
        Err(Refusal::not_now("CAS-1", "已有一件在办", "One is open").on("node").into());
    assert!(form.take(refused).expect("an error of the form").is_none());
    check_error(&form, "node", "已有一件在办");
    let elsewhere: tb_base::Result<()> = Err(Refusal::not_now("CAS-2", "不是时候", "Not now").into());
    assert!(form.take(elsewhere).is_err());
}
