//! Agreement with jq, row by row, and what we decided for ourselves.
//!
//! `jq.jsonl` holds rows of program, input and all results, each checked against jq by `compare_with_jq.py`.

use tutti_expr::Value;

use crate::{evaluate, json};

#[test]
fn programs_yield_what_jq_yields() {
    let rows: Vec<&str> = include_str!("jq.jsonl").lines().collect();
    assert!(rows.len() >= 200, "the table has lost rows: {}", rows.len());
    let wrong: Vec<String> = rows.iter().filter_map(|row| difference(row)).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} rows differ:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
}

fn difference(row: &str) -> Option<String> {
    let row = json(row);
    let part = |at| row.pointer(at).expect("a row has three parts");
    let program = part("/0").as_str().expect("a program is a text");
    let found = evaluate(&format!("[{program}\n]"), part("/1"));
    let same = found.as_ref().is_ok_and(|found| found == part("/2"));
    (!same)
        .then(|| format!("{program} on {}: {found:?}, jq {:?}", part("/1").to_json(), part("/2")))
}

fn check(source: &str, input: &str, expected: &str) {
    let found = evaluate(source, &json(input)).expect("the expression yields a value");
    assert_eq!(found.to_json(), expected, "{source} on {input}");
}

#[test]
fn no_result_is_null_and_several_are_an_array() {
    check("empty", "1", "null");
    check("1", "1", "1");
    check(".[]", "[1,2]", "[1,2]");
    check("[]", "1", "[]");
}

#[test]
fn numbers_stay_as_they_are_until_computed_with() {
    check(".", "100000000000000000000000001", "100000000000000000000000001");
    check("[.[]]", "[1.0, 1e1000, 0.1234567890123456789]", "[1.0,1e1000,0.1234567890123456789]");
    check(". + 1", "9007199254740993", "9007199254740994");
    check(". + 1", "9223372036854775807", "9223372036854776000");
    check(". * 1", "100000000000000000000000001", "1e+26");
    check("[1.0, 1.0 + 0]", "null", "[1.0,1]");
    check(
        "infinite, -infinite, nan, [nan]",
        "null",
        "[1.7976931348623157e+308,-1.7976931348623157e+308,null,[null]]",
    );
}

#[test]
fn now_is_the_turn_and_dates_are_in_utc() {
    check("now", "null", "1425599621.678");
    check("now | todate", "null", "\"2015-03-05T23:53:41Z\"");
    check("now | strflocaltime(\"%H:%M %Z\")", "null", "\"23:53 UTC\"");
}

#[test]
fn members_keep_the_order_they_were_written_in() {
    check(".", r#"{"b":1,"a":2}"#, r#"{"b":1,"a":2}"#);
    check(". + {c: 3, b: 4}", r#"{"b":1,"a":2}"#, r#"{"b":4,"a":2,"c":3}"#);
    check("del(.b) | .b = 1", r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#);
}

#[test]
fn differences_from_jq_are_as_documented() {
    check("@html", "\"'\"", "\"&#39;\"");
    check("ltrimstr(1)", "\"a\"", "\"a\"");
    check(
        "from_entries",
        r#"[{"key":null,"value":1},{"key":false}]"#,
        r#"{"null":1,"false":null}"#,
    );
    check("@base32, (@base32 | @base32d)", "\"hello\"", r#"["NBSWY3DP","hello"]"#);
    check(".a?//\"d\"", "{}", "\"d\"");
    check("have_decnum", "null", "false");
    check("reverse", "\"ab\"", "\"ba\"");
    check("[limit(3; repeat(. * 2))]", "1", "[1,2,4]");
    check("{a: 1 + 2}", "null", r#"{"a":3}"#);
    check("toarray, ([1] | toarray)", "1", "[[1],[1]]");
}

#[test]
fn deep_tail_calls_and_long_loops_end_with_their_result() {
    check("def f: if . >= 50000 then . else . + 1 | f end; f", "0", "50000");
    check("reduce range(100000) as $i (0; . + $i)", "null", "4999950000");
    check("reduce range(20000) as $i ([]; . + [$i]) | length", "null", "20000");
    check("reduce range(5000) as $i ({}; .[\"k\\($i % 100)\"] += 1) | length", "null", "100");
    check("[recurse(if . < 10000 then . + 1 else empty end)] | length", "0", "10001");
    check("last(range(100000))", "null", "99999");
}

#[test]
fn conditions_count_only_booleans() {
    let truth = |source: &str, input: Value| {
        let expression =
            tutti_expr::Expression::compile(source, &crate::scope()).expect("it compiles");
        expression.is_true(&input, &crate::World).map_err(|error| error.to_string())
    };
    assert_eq!(truth(". == 1", Value::from(1)), Ok(true));
    assert_eq!(truth(".a", Value::NULL), Ok(false));
    assert_eq!(truth("empty", Value::NULL), Ok(false));
    let refused = |found: &str| Err(format!("a condition must yield true or false, not {found}"));
    assert_eq!(truth(".", Value::from(1)), refused("1"));
    assert_eq!(truth("true, true", Value::NULL), refused("[true,true]"));
}

#[test]
fn variables_come_from_the_environment_when_used() {
    check("$context.a.b", "null", "1");
    let expression =
        tutti_expr::Expression::compile("$context | . as $x | $secrets", &crate::scope())
            .expect("it compiles");
    assert_eq!(expression.variables().collect::<Vec<_>>(), ["context", "secrets"]);
    let missing = evaluate("$missing", &Value::NULL).expect_err("it has no value");
    assert_eq!(missing.to_string(), "$missing has no value here");
    check("if true then 1 else $missing end", "null", "1");
}
