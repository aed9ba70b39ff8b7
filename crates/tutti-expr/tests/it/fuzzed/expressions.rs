//! Any source is refused, or its evaluation ends. The fuzz target of this name calls the same function.

use std::cell::Cell;

use tutti_expr::{Environment, Expression, Scope, Value};

/// Compiles the text up to a NUL and evaluates it on the JSON after it.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (source, input) = text.split_once('\0').unwrap_or((&text, "null"));
    let Ok(expression) = Expression::compile(source, &Scope::new(["secrets", "context"])) else {
        return;
    };
    assert_eq!(expression.source(), source);
    let input = Value::from_json(input).unwrap_or(Value::NULL);
    let surroundings = Surroundings::default();
    let first = expression.evaluate(&input, &surroundings);
    // A program that goes on until a limit ends it takes most of the time there is; once is enough.
    let first_only = surroundings.used.get() > REPEATED;
    let second =
        if first_only { first.clone() } else { expression.evaluate(&input, &surroundings) };
    match (first, second) {
        (Ok(first), Ok(second)) => {
            assert!(first == second, "{source:?} has two results");
            assert_eq!(first.is_tainted(), second.is_tainted(), "{source:?}");
            assert!(!first.to_redacted_json().contains(SECRET), "{source:?} tells a secret");
        }
        (Err(first), Err(second)) => assert_eq!(first.to_string(), second.to_string()),
        (first, second) => assert_eq!(first.is_ok(), second.is_ok(), "{source:?}"),
    }
}

/// Long enough that nothing comes upon it by itself.
const SECRET: &str = "hunter2-correct-horse";

/// The ticks up to which an evaluation is repeated.
const REPEATED: u64 = 20_000;

#[derive(Default)]
struct Surroundings {
    /// The ticks that the last evaluation used.
    used: Cell<u64>,
}

impl Environment for Surroundings {
    fn variable(&self, name: &str) -> Option<Value> {
        match name {
            "secrets" => Some(Value::object([("token", Value::from(SECRET))]).tainted()),
            "context" => Some(Value::object([("a", Value::from(1))])),
            _ => None,
        }
    }

    fn now_ms(&self) -> i64 {
        1_425_599_621_678
    }

    fn on_evaluated(&self, ticks: u64) {
        self.used.set(ticks);
    }
}
