//! `--event`: what is read, and how it is handed over.

use std::path::Path;

use tutti_expr::Value;
use tutti_journal::CloudEvent;
use tutti_runtime::Handle;

use super::{
    input::{Stdin, read_file},
    stopped,
};
use crate::{command_line::RunArguments, exit::Failure};

/// The events the command line gives, in order.
pub(super) fn given(
    arguments: &RunArguments,
    stdin: &mut Stdin,
) -> Result<Vec<CloudEvent>, Failure> {
    let mut events = Vec::new();
    for given in &arguments.event {
        let (text, name) = match (given.as_str(), given.strip_prefix('@')) {
            ("-", _) => (stdin.read("--event")?, "standard input"),
            (_, Some(path)) => (read_file(Path::new(path))?, path),
            (text, None) => (text.to_owned(), "--event"),
        };
        for value in values(&text, name)? {
            let event = CloudEvent::from_value(&value).map_err(|error| {
                Failure::usage(format!("{name} has no valid event: {error}"))
                    .hint("an event is a CloudEvent: specversion, id, source, type, and data")
            })?;
            events.push(event);
        }
    }
    Ok(events)
}

/// Hands events over; those that the execution's store knows already change nothing.
pub(super) async fn publish(handle: &Handle, events: &[CloudEvent]) -> Result<(), Failure> {
    if events.is_empty() {
        return Ok(());
    }
    handle.publish(events).await.map(|_receipts| ()).map_err(|error| stopped(&error))
}

/// One JSON value, the items of one array, or one value a line.
fn values(text: &str, name: &str) -> Result<Vec<Value>, Failure> {
    let whole = match Value::from_json(text) {
        Ok(value) => {
            return Ok(value.as_array().map_or_else(|| vec![value.clone()], <[Value]>::to_vec));
        }
        Err(error) => error,
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let values: Result<Vec<Value>, _> = lines.map(Value::from_json).collect();
    values.map_err(|_of_a_line| {
        let place = format!("line {}, column {}", whole.line, whole.column);
        Failure::usage(format!("{name} is not JSON: {} ({place})", whole.message))
            .hint("--event takes a CloudEvent, an array of them or one a line: JSON, @FILE or -")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
