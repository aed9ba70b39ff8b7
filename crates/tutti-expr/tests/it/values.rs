//! Values: text in and out, equality, order, what they know about themselves.

use std::cmp::Ordering;

use tutti_expr::{Kind, Value};

use crate::json;

#[test]
fn a_value_is_small_and_knows_its_size_depth_and_mark() {
    assert!(size_of::<Value>() <= 32);
    let value = json(r#"{"a":[1,"xy",{}],"b":null}"#);
    assert_eq!((value.depth(), value.is_tainted()), (3, false));
    assert!(value.size() >= value.to_json().len() as u64 / 2);
    let marked = Value::array([value.clone(), Value::from("s").tainted()]);
    assert!(marked.is_tainted());
    assert_eq!(marked.to_redacted_json(), r#"[{"a":[1,"xy",{}],"b":null},"«secret»"]"#);
}

#[test]
fn text_reads_and_writes_back_the_same() {
    let texts = [
        "null",
        "true",
        "-0",
        "0.5",
        "1.0",
        "1e100",
        "12345678901234567890123",
        "\"a\\\"\\\\\\n\\u0001é😀\"",
        "[]",
        "{}",
        "[1,[2,{\"a\":[]}]]",
        "{\"b\":1,\"a\":{\"c\":null}}",
        "9223372036854775807",
        "-9223372036854775808",
    ];
    for text in texts {
        let printed = json(text).to_json();
        assert_eq!(json(&printed), json(text), "{text} {printed}");
        assert_eq!(json(&printed).to_json(), printed);
    }
    assert_eq!(json("\"\\ud83d\\ude00\\ud83d\"").as_str(), Some("😀\u{fffd}"));
    assert_eq!(json(r#"{"a":1,"b":2,"a":3}"#).to_json(), r#"{"a":3,"b":2}"#);
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    let refused = |text: &str| {
        let error = Value::from_json(text).expect_err(text);
        (error.line, error.column)
    };
    assert_eq!(refused("[1,\n 2,,]"), (2, 4));
    let wrong = [
        "",
        "[",
        "{\"a\"}",
        "nul",
        "01",
        "1.",
        "\"\n\"",
        "\"\\x\"",
        "[1] 2",
        "{a:1}",
        "\"abc",
        "-",
        "[1 2]",
        "\"\\u12\"",
        "\u{feff}1",
    ];
    for text in wrong {
        refused(text);
    }
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(Value::from_json(&nested(128)).is_ok());
    assert!(Value::from_json(&nested(129)).is_err());
    assert!(Value::from_json(&nested(1_000_000)).is_err());
}

#[test]
fn equality_is_that_of_json() {
    assert_eq!(json("1"), json("1.0"));
    assert_eq!(json(r#"{"a":1,"b":2}"#), json(r#"{"b":2,"a":1}"#));
    assert_ne!(json("[1,2]"), json("[2,1]"));
    assert_ne!(json("9007199254740993"), json("9007199254740992"));
    assert_eq!(Value::from("a").tainted(), Value::from("a"));
}

#[test]
fn order_is_that_of_jq() {
    let sorted = [
        "null",
        "false",
        "true",
        "-1",
        "0.5",
        "1",
        "\"\"",
        "\"a\"",
        "[]",
        "[0]",
        "[0,1]",
        "[1]",
        "{}",
        r#"{"a":1}"#,
        r#"{"a":2}"#,
        r#"{"b":0}"#,
    ];
    for (left_at, left) in sorted.iter().enumerate() {
        for (right_at, right) in sorted.iter().enumerate() {
            assert_eq!(json(left).order(&json(right)), left_at.cmp(&right_at), "{left} {right}");
        }
    }
    assert_eq!(json("1").order(&json("1.0")), Ordering::Equal);
}

#[test]
fn very_deep_values_are_dropped_compared_and_printed() {
    let deep = || {
        (0..200_000).fold(Value::NULL, |inner, at| {
            if at % 2 == 0 { Value::array([inner]) } else { Value::object([("a", inner)]) }
        })
    };
    let (left, right) = (deep(), deep());
    assert_eq!(left, right);
    assert_eq!(left.order(&right), Ordering::Equal);
    assert_eq!(left.depth(), 200_000);
    assert!(left.to_json().len() > 200_000);
    assert!(left.clone().tainted().to_redacted_json().contains("«secret»"));
}

#[test]
fn numbers_are_always_finite_outside() {
    assert!(Value::float(f64::NAN).is_null() && Value::float(f64::INFINITY).is_null());
    let huge = json("1e1000");
    assert!(matches!(huge.kind(), Kind::Float(number) if number.is_finite()));
    assert_eq!(huge.to_json(), "1e1000");
}

#[test]
fn serde_values_convert_both_ways() {
    let value = json(r#"{"a":[1,2.5,18446744073709551615,"x",null,true]}"#);
    let serde = serde_json::Value::from(&value);
    assert_eq!(serde.to_string(), value.to_json());
    assert_eq!(Value::from(serde), value);
}

#[test]
fn pointers_find_their_value() {
    let value = json(r#"{"a/b":[{"m~n":1}],"":2}"#);
    assert_eq!(value.pointer("/a~1b/0/m~0n"), Some(&Value::from(1)));
    assert_eq!(value.pointer("/"), Some(&Value::from(2)));
    assert_eq!(value.pointer(""), Some(&value));
    assert!(value.pointer("a").is_none() && value.pointer("/a~1b/9").is_none());
}

#[test]
fn sameness_is_cheap_and_never_wrong() {
    let value = json("[1,\"a\"]");
    assert!(value.is_same(&value.clone()));
    assert!(!value.is_same(&json("[1,\"a\"]")));
    assert!(Value::from(1).is_same(&Value::from(1)));
    assert!(!Value::from(1).is_same(&Value::from(1).tainted()));
}
