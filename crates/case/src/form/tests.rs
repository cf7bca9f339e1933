//! Forms: each mistake at its question, all at once; hidden questions are neither asked nor kept.

use super::*;
use crate::fixture::{rules, xiangtan};

fn answers(pairs: &[(&str, &str)]) -> Answers {
    pairs.iter().map(|(id, answer)| ((*id).to_owned(), (*answer).to_owned())).collect()
}

#[track_caller]
fn verify(pairs: &[(&str, &str)], expected: &[(&str, &str)]) {
    let mistakes = check(&rules(xiangtan()), &answers(pairs));
    let found: Vec<_> =
        mistakes.iter().map(|it| (it.field.as_deref().unwrap_or_default(), it.code.as_ref())).collect();
    assert_eq!(found, expected);
}

const GOOD: [(&str, &str); 4] =
    [("reason", "expiring"), ("phone", "13807314627"), ("delivery", "electronic"), ("truth", "yes")];

#[test]
fn mistakes() {
    verify(&GOOD, &[]);
    verify(&[], &[("reason", "CAS-FRM-003"), ("delivery", "CAS-FRM-003"), ("truth", "CAS-FRM-003")]);
    verify(
        &[
            ("reason", "changed"),
            ("phone", "1380731462"),
            ("delivery", "post"),
            ("address", "万家丽"),
            ("truth", "no"),
        ],
        &[
            ("changed-what", "CAS-FRM-003"),
            ("phone", "CAS-FRM-007"),
            ("recipient", "CAS-FRM-003"),
            ("address", "CAS-FRM-005"),
            ("truth", "CAS-FRM-003"),
        ],
    );
    let mut unknown = GOOD.to_vec();
    unknown.push(("surprise", "x"));
    verify(&unknown, &[("surprise", "CAS-FRM-002")]);
}

#[test]
fn hidden_answers_are_not_kept() {
    let mut filled = GOOD.to_vec();
    filled.push(("address", "万家丽中路二段 8 号"));
    assert_eq!(clean(&rules(xiangtan()), &answers(&filled)), answers(&GOOD));
}
