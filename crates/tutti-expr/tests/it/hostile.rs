//! Expressions that would hang, exhaust or abort other evaluators: each ends, and at which limit.
//!
//! `corpus/hostile/LIMIT/*.jq` holds them by the limit that ends them; add a file to add a case.

use std::{fs, path::PathBuf};

use tutti_expr::{Error, Expression, Limit, Scope, Value};

use crate::{World, evaluate};

fn corpus(limit: &str) -> Vec<(String, String)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus/hostile").join(limit);
    let mut sources = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "tests read their corpus")]
    for entry in fs::read_dir(directory).expect("the corpus is there") {
        let path = entry.expect("the corpus is readable").path();
        let source = fs::read_to_string(&path).expect("the corpus is readable");
        sources.push((path.display().to_string(), source.trim_end().to_owned()));
    }
    assert!(!sources.is_empty(), "no case for {limit}");
    sources
}

/// The limit that ends a source, or what became of it instead.
fn ending(source: &str, input: &Value) -> Result<Limit, String> {
    match Expression::compile(source, &Scope::default()) {
        Err(error) => error.limit.ok_or_else(|| error.to_string()),
        Ok(expression) => match expression.evaluate(input, &World) {
            Err(Error::Limit { limit }) => Ok(limit),
            other => Err(format!("{other:?}").chars().take(200).collect()),
        },
    }
}

fn check(name: &str, limit: Limit) {
    for (path, source) in corpus(name) {
        assert_eq!(ending(&source, &Value::NULL), Ok(limit), "{path}");
    }
}

#[test]
fn endless_work_ends_at_the_ticks() {
    check("ticks", Limit::Ticks);
}

#[test]
fn growing_values_end_at_the_bytes() {
    check("bytes", Limit::Bytes);
}

#[test]
fn nesting_values_end_at_the_value_depth() {
    check("value-depth", Limit::ValueDepth);
}

#[test]
fn endless_calls_end_at_the_call_depth() {
    check("call-depth", Limit::CallDepth);
}

#[test]
fn large_results_end_at_the_output() {
    check("output", Limit::Output);
}

#[test]
fn nested_sources_end_at_the_syntax_depth() {
    check("syntax-depth", Limit::SyntaxDepth);
}

#[test]
fn long_sources_end_at_the_source_limit() {
    check("source", Limit::Source);
}

#[test]
fn every_prefix_of_a_hostile_source_is_refused_or_ends() {
    for limit in ["call-depth", "value-depth", "syntax-depth"] {
        for (_, source) in corpus(limit) {
            for length in
                (0..source.len().min(120)).filter(|length| source.is_char_boundary(*length))
            {
                if let Ok(expression) = Expression::compile(&source[..length], &Scope::default()) {
                    let ended = expression.evaluate(&Value::NULL, &World);
                    assert!(ended.is_ok() || ended.is_err());
                }
            }
        }
    }
}

#[test]
fn nothing_catches_a_limit() {
    for source in
        ["try repeat(1) catch 2", "[repeat(1)?]", "last(repeat(1)) // 2", "last(repeat(null)) // 2"]
    {
        assert_eq!(ending(&format!("[{source}]"), &Value::NULL), Ok(Limit::Ticks), "{source}");
    }
}

#[test]
fn an_evaluation_on_a_small_stack_gets_one_of_its_own() {
    let work = || ending("def f: 1 + f; f", &Value::NULL);
    let thread =
        std::thread::Builder::new().stack_size(128 << 10).spawn(work).expect("a thread starts");
    assert_eq!(thread.join().expect("the thread ends"), Ok(Limit::CallDepth));
}

#[test]
fn hostile_inputs_meet_the_same_limits() {
    let deep = (0..100_000).fold(Value::NULL, |inner, _| Value::array([inner]));
    for source in [".", "tojson", "..", ". == .", "flatten", "[paths]", "walk(.)"] {
        assert_eq!(ending(source, &deep), Ok(Limit::ValueDepth), "{source}");
    }
    let wide = Value::array((0..200_000).map(Value::from));
    for source in
        ["[.[] | tostring] | map(length) | map(. + 1) | map(. + 1) | add", "[paths] | length"]
    {
        assert_eq!(ending(source, &wide), Ok(Limit::Ticks), "{source}");
    }
    let text = Value::from("x".repeat(9 << 20));
    assert_eq!(ending(".", &text), Ok(Limit::Output));
    assert_eq!(ending("tojson | tojson | tojson | tojson", &text), Ok(Limit::Ticks));
}

#[test]
fn hidden_filters_do_not_exist() {
    let hidden = [
        "env",
        "$ENV",
        "$ENV.PATH",
        "input",
        "inputs",
        "input_filename",
        "input_line_number",
        "halt",
        "halt_error",
        "halt_error(1)",
        "debug",
        "debug(1)",
        "stderr",
        "import \"a\" as a; 1",
        "include \"a\"; 1",
        "get_search_list",
        "modulemeta",
        "$__prog_args",
        "getpath(env)",
        "rand",
        "splits",
        "_match(1; 2)|env",
    ];
    for source in hidden {
        let error = Expression::compile(source, &Scope::default()).expect_err(source);
        assert!(error.limit.is_none(), "{source}: {error}");
        assert!(error.range.end <= source.len(), "{source}");
    }
}

#[test]
fn an_evaluation_after_a_hostile_one_is_as_good_as_new() {
    assert!(evaluate("[range(1e9)]", &Value::NULL).is_err());
    let count =
        evaluate("[range(300000)] | length", &Value::NULL).expect("it is within the limits");
    assert_eq!(count, Value::from(300_000));
}
