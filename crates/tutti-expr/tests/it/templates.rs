//! Value positions: what is an expression in them, and what is refused.

use tutti_expr::{Expression, Mode, Template, Value};

use crate::{World, json, scope};

fn check(template: &str, mode: Mode, input: &str, expected: &str) {
    let template =
        Template::compile(&json(template), mode, &scope()).expect("the template compiles");
    let value = template.evaluate(&json(input), &World).expect("the template evaluates");
    assert_eq!(value.to_json(), expected);
}

#[test]
fn only_whole_texts_are_expressions_in_strict_mode() {
    check(
        r#"{"a":"${ .x }","b":".x","c":["  ${.x + 1}  ",true]}"#,
        Mode::Strict,
        r#"{"x":1}"#,
        r#"{"a":1,"b":".x","c":[2,true]}"#,
    );
    check(r#""${ {a: .x} }""#, Mode::Strict, r#"{"x":1}"#, r#"{"a":1}"#);
    check(r#""${ \"}\" + \"{\" }""#, Mode::Strict, "null", r#""}{""#);
    check(r#""${ \"\\(.x)}\" }""#, Mode::Strict, r#"{"x":1}"#, r#""1}""#);
    check(r#""$5 {x}""#, Mode::Strict, "null", r#""$5 {x}""#);
    check(r#""${ empty }""#, Mode::Strict, "null", "null");
}

#[test]
fn loose_texts_are_tried_and_stand_for_themselves_otherwise() {
    check(
        r#"{"a":".x","b":"hello there","c":"error(1)","d":"nothing"}"#,
        Mode::Loose,
        r#"{"x":1}"#,
        r#"{"a":1,"b":"hello there","c":"error(1)","d":"nothing"}"#,
    );
}

#[test]
fn literal_parts_collapse() {
    let of = |text| {
        Template::compile(&json(text), Mode::Strict, &scope()).expect("the template compiles")
    };
    assert!(of(r#"{"a":[1,{"b":"x"}]}"#).is_literal());
    let mixed = of(r#"{"a":[1,{"b":"x"}],"c":"${ .x }","d":["${ .y }"]}"#);
    let sources: Vec<&str> = mixed.expressions().map(Expression::source).collect();
    assert_eq!(sources, [" .x ", " .y "]);
    let Template::Object(members) = &mixed else {
        unreachable!("an object with an expression stays an object")
    };
    assert!(members[0].1.is_literal() && !members[1].1.is_literal());
}

#[test]
fn every_mistake_is_told_with_its_place_and_a_hint() {
    let template = json(
        r#"{"a/b":"Disk full on ${ .host }!","c":["ok","${ .x | lenght }"],"d":"${ .x","e":"${ .a } ${ .b }","f":"  ${ $nope }"}"#,
    );
    let errors =
        Template::compile(&template, Mode::Strict, &scope()).expect_err("there are mistakes");
    let shown: Vec<String> = errors
        .0
        .iter()
        .map(|error| {
            let text = template.pointer(&error.pointer).and_then(Value::as_str).unwrap_or_default();
            let part = text.get(error.range.clone()).expect("the range is inside the text");
            format!(
                "{} [{part}] {} | {}",
                error.pointer,
                error.message,
                error.hint.clone().unwrap_or_default()
            )
        })
        .collect();
    let expected = [
        r#"/a~1b [${ .host }] `${…}` cannot stand inside other text | make the whole text one expression: ${ "Disk full on \(.host)!" }"#,
        "/c/1 [lenght] unknown function `lenght/0` | did you mean `length`?",
        r#"/d [${ .x] `${…}` cannot stand inside other text | make the whole text one expression: ${ "\(.x)" }"#,
        r#"/e [${ .a }] `${…}` cannot stand inside other text | make the whole text one expression: ${ "\(.a) \(.b)" }"#,
        "/f [$nope] unknown variable `$nope` | variables available here: $context, $missing, $secrets",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn expression_positions_take_the_braces_or_leave_them() {
    for (text, expected) in [
        (".a", ".a"),
        ("${ .a }", ".a"),
        ("  ${.a}  ", ".a"),
        (" {a: 1} ", "{a: 1}"),
        ("${ {a: 1} }", "{a: 1}"),
    ] {
        assert_eq!(Expression::strip(text), expected);
    }
}

#[test]
fn data_is_never_code() {
    check(
        r#"{"a":"${ .x }"}"#,
        Mode::Loose,
        r#"{"x":"${ error(1) }"}"#,
        r#"{"a":"${ error(1) }"}"#,
    );
}
