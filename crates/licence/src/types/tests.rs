//! Tests of the definitions of licence types.

use super::{Mask, Types, Viewer, mask};
use crate::tests_support::{DEFINITIONS, types};

const GOOD: &str = r#"
id = "permit"
version = 1
code = "11100000MB0143028R001"
clause = "3.5"
basis = "《某办法》"
owner = "某局"
owner_en = "some office"
effective = 2026-01-01
title = "某证"
title_en = "Some permit"
holder = "person"
items = []
unconfirmed = []
[[field]]
id = "name"
title = "姓名"
title_en = "Name"
kind = "text"
shown_to = ["office"]
"#;

#[track_caller]
fn check(text: &str, expected: &[(usize, &str)]) {
    match Types::load(&[("permit.toml", text)]) {
        Ok(_) => assert!(expected.is_empty(), "loaded in spite of {expected:?}"),
        Err(problems) => {
            let found: Vec<_> = problems.iter().map(|it| (it.line, it.text.clone())).collect();
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for ((line, text), (expected_line, part)) in found.iter().zip(expected) {
                assert_eq!(line, expected_line, "{text}");
                assert!(text.contains(part), "{text} does not say {part}");
            }
        }
    }
}

#[test]
fn the_three_types_load() {
    let types = types();
    assert_eq!(types.count(), DEFINITIONS.len());
    let card = types.get("resident_card").expect("the card");
    assert!(card.serves("121"));
    assert!(!card.shown_to(Viewer::Public).contains("address"), "no address on the street");
    let qualification = types.get("road_transport_qualification").expect("the qualification");
    assert!(qualification.serves("121") && !qualification.serves("80"));
    assert_eq!(qualification.hash().expect("hash").len(), 64);
    assert_ne!(qualification.hash().expect("hash"), card.hash().expect("hash"));
}

#[test]
fn every_problem_at_once_with_its_line() {
    check(GOOD, &[]);
    let bad = GOOD
        .replace("version = 1", "version = 0")
        .replace("MB0143028R001", "MB0143028X001")
        .replace("clause = \"3.5\"", "clause = \"99.9\"")
        .replace("2026-01-01", "\"soon\"")
        .replace("title_en = \"Some permit\"", "titel_en = \"Some permit\"")
        .replace("unconfirmed = []", "unconfirmed = [\"colour\"]")
        .replace("kind = \"text\"", "kind = \"picture\"")
        .replace("[\"office\"]", "[\"neighbour\"]");
    check(
        &bad,
        &[
            (1, "`title_en` is missing"),
            (3, "begins at 1"),
            (4, "credit code"),
            (5, "no clause"),
            (9, "no date"),
            (11, "`titel_en` is not a key"),
            (14, "`colour` is neither"),
            (19, "none of text, date"),
            (20, "none of public"),
        ],
    );
    check("id = \n[[field]\n", &[(1, ""), (2, "")]);
}

#[test]
fn what_is_there_twice() {
    let again = GOOD.replace("id = \"permit\"", "id = \"other\"");
    let problems = Types::load(&[("a.toml", GOOD), ("b.toml", &again)]).expect_err("the same code");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].to_string().starts_with("b.toml:4: code"), "{}", problems[0]);
}

#[test]
fn terms() {
    let types = types();
    let end = |id: &str, from: &str, age| {
        let end = types.get(id).expect("type").term_end(from.parse().expect("date"), age);
        end.map(|date| date.to_string())
    };
    assert_eq!(end("resident_card", "2026-01-01", 15).as_deref(), Some("2030-12-31"));
    assert_eq!(end("resident_card", "2026-01-01", 16).as_deref(), Some("2035-12-31"));
    assert_eq!(end("resident_card", "2024-02-29", 30).as_deref(), Some("2044-02-28"));
    assert_eq!(end("resident_card", "2026-01-01", 46), None);
    assert_eq!(end("road_transport_qualification", "2020-12-11", 40).as_deref(), Some("2026-12-10"));
    assert_eq!(end("business_licence", "2026-01-01", 0), None);
}

#[test]
fn masks() {
    assert_eq!(mask(Mask::Name, "贺志强"), "**强");
    assert_eq!(mask(Mask::Name, "贺"), "*");
    assert_eq!(mask(Mask::Number, "430102199003070012"), "430102********0012");
    assert_eq!(mask(Mask::Number, "12345"), "*****");
}
