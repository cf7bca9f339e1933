//! What is canonical, and what is refused.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[track_caller]
fn check(value: &Value, expected: Option<&str>) {
    let text = canonical(value).ok().map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(text.as_deref(), expected);
}

#[test]
fn writing() {
    check(&json!({"b": 1, "a": [true, null, -2], "": {}}), Some(r#"{"":{},"a":[true,null,-2],"b":1}"#));
    check(&json!("长沙\u{7f}\u{1}\n\"\\/"), Some("\"长沙\u{7f}\\u0001\\n\\\"\\\\/\""));
    check(&json!(1.5), None);
    check(&json!(1.0), None);
    check(&json!(CANONICAL_INTEGER_MAX), Some("9007199254740991"));
    check(&json!(CANONICAL_INTEGER_MAX + 1), None);
    check(&json!(-9_007_199_254_740_991_i64), Some("-9007199254740991"));
    check(&json!(i64::MIN), None);
}

#[test]
fn keys_of_rfc_8785() {
    // RFC 8785 §3.2.3: an emoji sorts before U+FB33 by UTF-16, after it by UTF-8.
    let value =
        json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
    check(
        &value,
        Some("{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"),
    );
}

#[test]
fn depth() {
    let nested = |depth| (0..depth).fold(json!(0), |inner, _| json!([inner]));
    assert!(canonical(&nested(CANONICAL_DEPTH_MAX)).is_ok());
    assert!(canonical(&nested(CANONICAL_DEPTH_MAX + 1)).is_err());
}

#[test]
fn reading_takes_one_spelling() {
    let read = |text: &str| from_canonical::<Value>(text.as_bytes()).is_ok();
    assert!(read(r#"{"a":1,"b":2}"#));
    for other in
        [r#"{"b":2,"a":1}"#, r#"{"a":1, "b":2}"#, r#"{"a":1,"a":1}"#, r#""\u0041""#, "-0", "1e2", "", "1 "]
    {
        assert!(!read(other), "{other}");
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..8)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn there_and_back(value in values()) {
        let text = canonical(&value).unwrap();
        prop_assert_eq!(from_canonical::<Value>(&text).unwrap(), value);
    }
}
