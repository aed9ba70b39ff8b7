//! Events as text: one JSON value, an array of them, or one a line.

use tutti_expr::Value;
use tutti_journal::CloudEvent;

use crate::exit::Failure;

/// The events of a text that is called `name`.
pub(crate) fn events(text: &str, name: &str) -> Result<Vec<CloudEvent>, Failure> {
    all(&values(text, name)?, name)
}

/// The events of one line: none, one, or an array of them. Nothing where it is no JSON by itself.
pub(crate) fn line(text: &str, name: &str) -> Result<Option<Vec<CloudEvent>>, Failure> {
    if text.trim().is_empty() {
        return Ok(Some(Vec::new()));
    }
    let Ok(value) = Value::from_json(text) else { return Ok(None) };
    all(&items(&value), name).map(Some)
}

fn all(values: &[Value], name: &str) -> Result<Vec<CloudEvent>, Failure> {
    let event = |(number, value): (usize, &Value)| {
        CloudEvent::from_value(value).map_err(|error| {
            let what = if values.len() > 1 {
                format!("event {number} of {name} is not valid")
            } else {
                format!("{name} has no valid event")
            };
            Failure::usage(format!("{what}: {error}"))
                .hint("an event is a CloudEvent: specversion, id, source, type, and data")
        })
    };
    (1..).zip(values).map(event).collect()
}

fn items(value: &Value) -> Vec<Value> {
    value.as_array().map_or_else(|| vec![value.clone()], <[Value]>::to_vec)
}

fn values(text: &str, name: &str) -> Result<Vec<Value>, Failure> {
    let whole = match Value::from_json(text) {
        Ok(value) => return Ok(items(&value)),
        Err(error) => error,
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let values: Result<Vec<Value>, _> = lines.map(Value::from_json).collect();
    values.map_err(|_of_a_line| {
        Failure::usage(format!("{name} is not JSON: {}", whole.message))
            .hint("events are a CloudEvent, an array of them or one a line: JSON, @FILE or -")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_is_not_valid_is_told_by_its_number() {
        let good = r#"{"specversion":"1.0","id":"1","source":"a","type":"t"}"#;
        let told = |text: &str| events(text, "it").expect_err("it is not valid").message;
        assert!(told(&format!("[{good},{{}}]")).starts_with("event 2 of it is not valid: "));
        assert!(told(&format!("{good}\n{{}}")).starts_with("event 2 of it is not valid: "));
        assert!(told("{}").starts_with("it has no valid event: "));
    }

    #[test]
    fn events_are_one_value_an_array_or_lines() {
        let check = |text: &str, expected: Option<&[&str]>| {
            let found = values(text, "it").ok();
            let found = found.map(|values| values.iter().map(Value::to_json).collect::<Vec<_>>());
            let expected = expected.map(|all| all.iter().map(|it| (*it).to_owned()).collect());
            assert_eq!(found, expected, "{text}");
        };
        check("{\n}", Some(&["{}"]));
        check("[{},1]", Some(&["{}", "1"]));
        check("[]", Some(&[]));
        check("{}\n\n1\n", Some(&["{}", "1"]));
        check("{}\n{", None);
        check("", Some(&[]));
    }
}
