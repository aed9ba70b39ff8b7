//! What expressions promise, as tables.

mod compile;
mod fuzzed;
mod hostile;
mod jq;
mod reads;
mod secrets;
mod templates;
mod values;

use tutti_expr::{Environment, Error, Expression, Scope, Value};

/// Variables `$secrets` (marked), `$context` and `$deep`; the turn's time is 2015-03-05T23:53:41.678Z.
struct World;

impl Environment for World {
    fn variable(&self, name: &str) -> Option<Value> {
        match name {
            "secrets" => Some(
                Value::object([("token", Value::from("hunter2")), ("pin", Value::from(1234))])
                    .tainted(),
            ),
            "context" => Some(json(r#"{"a":{"b":1}}"#)),
            _ => None,
        }
    }

    fn now_ms(&self) -> i64 {
        1_425_599_621_678
    }
}

fn json(text: &str) -> Value {
    Value::from_json(text).expect("the test's JSON parses")
}

fn scope() -> Scope {
    Scope::new(["secrets", "context", "missing"])
}

fn evaluate(source: &str, input: &Value) -> Result<Value, Error> {
    Expression::compile(source, &scope())
        .expect("the test's expression compiles")
        .evaluate(input, &World)
}
