//! Sources that do not compile: what is said about them, and where.

use tutti_expr::{Expression, Value};

use crate::scope;

fn check(source: &str, part: &str, message: &str, hint: &str) {
    let error = Expression::compile(source, &scope()).expect_err(source);
    let found = source.get(error.range.clone()).expect("the range is inside the source");
    let hinted = error.hint.clone().unwrap_or_default();
    assert_eq!((found, error.message.as_str(), hinted.as_str()), (part, message, hint), "{source}");
}

#[test]
fn unknown_names_are_told_with_the_nearest_ones() {
    check(".a | lenght", "lenght", "unknown function `lenght/0`", "did you mean `length`?");
    check("def total: 1; totl", "totl", "unknown function `totl/0`", "did you mean `total`?");
    check("$secret.a", "$secret", "unknown variable `$secret`", "did you mean `$secrets`?");
    check("1 as $value | $valu", "$valu", "unknown variable `$valu`", "did you mean `$value`?");
    check(
        "$zzz",
        "$zzz",
        "unknown variable `$zzz`",
        "variables available here: $context, $missing, $secrets",
    );
    check(
        "sort_by",
        "sort_by",
        "unknown function `sort_by/0`",
        "`sort_by` takes 1 arguments, separated by `;`",
    );
    check("zzzzzz", "zzzzzz", "unknown function `zzzzzz/0`", "");
    check(
        "break $x",
        "$x",
        "`break $x` is not inside `label $x`",
        "write `label $x | …` around it",
    );
    check(
        "@bas64",
        "@bas64",
        "unknown format `@bas64`",
        "formats: @text, @json, @csv, @tsv, @html, @uri, @urid, @sh, @base64, @base64d, @base32, @base32d",
    );
}

#[test]
fn broken_syntax_is_told_with_what_was_expected() {
    check("", "", "the expression is empty", "write `.` for the input itself");
    check(".a |", "", "expected a filter, found the end of the expression", "");
    check(".a )", ")", "expected an operator or the end of the expression, found `)`", "");
    check("{a 1}", "1", "expected `}`, found `1`", "");
    check(
        "if . then 1",
        "",
        "expected `elif`, `else` or `end`, found the end of the expression",
        "",
    );
    check(
        ".a && .b",
        "&",
        "expected an operator or the end of the expression, found `&`",
        "write `and`",
    );
    check("'a'", "'", "expected a filter, found `'`", "strings stand in double quotes");
    check("\"a", "\"", "the string does not end", "close it with `\"`");
    check("\"\\x\"", "\\", "unknown escape in a string", "write `\\\\` for a backslash");
    check(
        "1 == 2 == 3",
        "==",
        "`==` cannot follow another operator of its kind",
        "put one of them in parentheses",
    );
    check("é", "é", "expected a filter, found `é`", "");
}

#[test]
fn any_text_compiles_or_is_refused_with_a_range_inside_it() {
    let pieces = [
        "(", ")", "[", "]", "{", "}", "\"", "\\(", ".", "..", "a", "$a", "as", "|", ",", "1", "-",
        "é", "?//", "@json", "if", "def", ":", ";", "reduce", "\\u00", "#", "\n",
    ];
    let mut seed = 7_usize;
    for _ in 0..20_000 {
        let mut source = String::new();
        for _ in 0..seed % 9 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            source.push_str(pieces[(seed >> 33) % pieces.len()]);
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
            >> 1;
        match Expression::compile(&source, &scope()) {
            Ok(expression) => assert!(
                expression.evaluate(&Value::NULL, &crate::World).is_ok() || !source.is_empty()
            ),
            Err(error) => {
                assert!(source.get(error.range.clone()).is_some(), "{source:?} {error:?}");
            }
        }
    }
}
