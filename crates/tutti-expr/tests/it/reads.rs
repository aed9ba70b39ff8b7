//! Which members of a variable a program reads, as far as its source tells.

use tutti_expr::{Expression, Reads};

use crate::scope;

fn reads(source: &str) -> String {
    let expression = Expression::compile(source, &scope()).expect(source);
    match expression.reads("secrets") {
        None => "none".to_owned(),
        Some(Reads::All) => "all".to_owned(),
        Some(Reads::Members(names)) => {
            names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ")
        }
    }
}

#[test]
fn members_named_in_the_source_are_told() {
    for (source, expected) in [
        (".a", "none"),
        ("$context.a", "none"),
        ("$secrets.a", "a"),
        ("$secrets[\"a-b\"]", "a-b"),
        ("$secrets.\"a-b\"", "a-b"),
        ("$secrets.a.b[0] + $secrets.c", "a c"),
        ("$secrets.a?", "a"),
        ("$secrets | .a", "a"),
        ("$secrets | .[\"a\"]", "a"),
        ("$secrets | .a | .b | ascii_upcase", "a"),
        ("$secrets | .a? | .b", "a"),
        ("$secrets | .a.b[] | $secrets.c", "a c"),
        ("\"Bearer \\($secrets.a)\"", "a"),
        ("if .x then $secrets.a else $secrets.b end", "a b"),
        ("$secrets.a // $secrets.b", "a b"),
        ("def f(g): g; f($secrets.a)", "a"),
        ("def f: $secrets.a; f", "a"),
        ("$secrets.a as $x | $x.b", "a"),
        ("reduce $secrets.a as $x (0; . + $secrets.b)", "a b"),
        (". as {($secrets.a): $x} | $x", "a"),
        (". as $secrets | $secrets.a", "none"),
        ("$secrets.a[.name]", "a"),
        ("$secrets[$secrets.a]", "all"),
        ("$secrets[.name]", "all"),
        ("$secrets[\"a\" + \"b\"]", "all"),
        ("$secrets | .a[.b]", "all"),
        ("$secrets | .a, .b", "all"),
        ("$secrets | .a as $x | .b", "all"),
        ("$secrets | keys", "all"),
        ("$secrets as $s | $s.a", "all"),
        ("$secrets as {a: $x} | $x", "all"),
        ("def f(g): $secrets | g; f(.a)", "all"),
        ("$secrets.a, $secrets", "all"),
        ("$secrets", "all"),
        ("[$secrets[]]", "all"),
    ] {
        assert_eq!(reads(source), expected, "{source}");
    }
}
