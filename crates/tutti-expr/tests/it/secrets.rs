//! The mark of a secret follows what is computed from it, into results and never into messages.

use tutti_expr::Value;

use crate::{evaluate, json};

fn check(source: &str, expected: &str) {
    let found = evaluate(source, &json(r#"{"plain":"x","n":1}"#)).expect(source);
    assert_eq!(found.to_redacted_json(), expected, "{source}");
}

const HIDDEN: &str = "\"«secret»\"";

#[test]
fn what_is_computed_from_a_secret_is_one() {
    let programs = [
        "$secrets.token",
        "$secrets[\"token\"]",
        "$secrets | .token",
        "$secrets.token + \"x\"",
        "\"x\" + $secrets.token",
        "\"Bearer \\($secrets.token)\"",
        "@base64 \"\\($secrets.token)\"",
        "first($secrets.token | @base64, @uri)",
        "$secrets.token | length",
        "$secrets.token | explode | implode",
        "$secrets.token == \"hunter2\"",
        "$secrets.token | not",
        "$secrets.token | test(\"hunter\")",
        "\"a\" | test($secrets.token)",
        "$secrets.token | ascii_upcase",
        "$secrets.token | .[1:3]",
        "$secrets.token / \"u\" | .[0]",
        "$secrets.token | sub(\"h\"; \"H\")",
        "\"a\" | sub(\"a\"; $secrets.token)",
        "$secrets.token | capture(\"(?<x>.*)\") | .x",
        "[$secrets.token | scan(\"u\")] | .[0]",
        "$secrets.pin + 1",
        "-$secrets.pin",
        "$secrets.pin * 2",
        "$secrets.pin * 2.5",
        "[1, $secrets.pin] | join(\"-\")",
        "$secrets.pin | tostring",
        "$secrets.pin | sqrt",
        "[range($secrets.pin)] | .[5]",
        "pow($secrets.pin; 2)",
        "$secrets | tojson",
        "[$secrets.token] | tojson",
        "[$secrets.token] | join(\",\")",
        "[\"a\", $secrets.token] | add",
        "$secrets.token | tojson | fromjson",
        "$secrets.token and true",
        "any($secrets.token; . == \"a\")",
        "try error($secrets.token) catch .",
        "reduce $secrets.token as $t (\"\"; . + $t)",
        "$secrets.token as $t | $t",
        "[.plain, $secrets.token] | max_by(length)",
        "{a: [1, 2]} | .a[$secrets.pin - 1233]",
        "$secrets | keys | .[0]",
        "$secrets | to_entries | .[0].key",
        "first($secrets | paths) | .[0]",
        "$secrets.token | ltrimstr(\"h\")",
        "$secrets.token | @json",
        "[$secrets.token] | @csv",
        "$secrets.token | type",
        "first($secrets.token.x?, $secrets.token)",
        "nan | $secrets.pin / 2",
    ];
    for source in programs {
        check(source, HIDDEN);
    }
}

#[test]
fn what_stands_beside_a_secret_is_none() {
    check("{a: .plain, b: $secrets.token}", r#"{"a":"x","b":"«secret»"}"#);
    check("[.n, $secrets.token] | sort", r#"[1,"«secret»"]"#);
    check("{a: $secrets.token} | keys", r#"["a"]"#);
    check("{a: $secrets.token, b: 2} | .b", "2");
    check("{a: $secrets.token, b: 2} | del(.a)", r#"{"b":2}"#);
    check("{a: $secrets.token, b: 2} | to_entries | map(.key)", r#"["a","b"]"#);
    check(".plain as $p | $secrets.token | $p", "\"x\"");
    check("if $secrets.token == \"a\" then 1 else 2 end", "2");
    check("[.plain, $secrets.token] | reverse", r#"["«secret»","x"]"#);
}

#[test]
fn members_named_by_a_secret_are_hidden_with_their_names() {
    check("{($secrets.token): 1}", HIDDEN);
    check("{a: {($secrets.token): 1}}", r#"{"a":"«secret»"}"#);
    check("{} | .[$secrets.token] = 1", HIDDEN);
    check("{} | setpath([$secrets.token]; 1)", HIDDEN);
    check("[{key: $secrets.token, value: 1}] | from_entries", HIDDEN);
    check("{($secrets.token): 1} | keys", "[\"«secret»\"]");
    check("{a: 1} + {($secrets.token): 1}", HIDDEN);
    check("{($secrets.token): 1} | with_entries(.value += 1)", HIDDEN);
}

#[test]
fn no_message_shows_a_secret() {
    let programs = [
        "error($secrets.token)",
        "error($secrets)",
        "$secrets.token | error",
        "error({a: $secrets.token})",
        "$secrets.token + 1",
        "$secrets.token - 1",
        "$secrets.token | .[0]",
        "$secrets | .[0]",
        "[] | .[$secrets.token]",
        "$secrets.token | tonumber",
        "$secrets.token | fromjson",
        "$secrets.token | fromdate",
        "\"x\" | strptime($secrets.token)",
        "0 | strftime($secrets.token + \"%!\")",
        "$secrets.token | keys",
        "$secrets.token | .[]",
        "{} | .[$secrets.pin]",
        "[$secrets.token] | implode",
        "[[$secrets.token]] | @csv",
        "[{a: $secrets.token}] | @sh",
        "[[$secrets.token]] | join(\",\")",
        "1 | test($secrets.token)",
        "\"a\" | test(\"(\" + $secrets.token)",
        "\"a\" | test(\"a\"; $secrets.token)",
        "path($secrets.token | ascii_upcase | .a)",
        "$secrets.token | has(\"a\")",
        "$secrets.token | contains(1)",
        "-$secrets.token",
        "$secrets.token | @base32d",
        "$secrets.token | toboolean",
        "{($secrets): 1}",
        "$secrets.token | sqrt",
        "\"a\" | ltrimstr(1) | . * {} | $secrets",
        "label $out | error($secrets.token | tojson)",
    ];
    for source in programs {
        let error = evaluate(source, &json("{}")).expect_err(source);
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hunter") && !text.contains("1234"), "{source}: {text}");
    }
    let secret = Value::from("hunter2").tainted();
    let expression = tutti_expr::Expression::compile(".", &crate::scope()).expect("it compiles");
    let refused = expression.is_true(&secret, &crate::World).expect_err("it is no boolean");
    assert_eq!(refused.to_string(), "a condition must yield true or false, not \"«secret»\"");
    assert_eq!(format!("{secret:?}"), HIDDEN);
}
