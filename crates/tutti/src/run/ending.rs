//! What is said at the end, and with which exit code.

use std::collections::BTreeSet;

use tutti_engine::Outcome;
use tutti_expr::Value;
use tutti_runtime::{Awaited, Incident};

use super::{Ended, State};
use crate::{
    command_line::RunArguments,
    console::{self, Console, Style},
    exit::{Exit, Failure},
    text_of_value,
};

/// Says how it ended and how to go on where it has not.
pub(super) fn tell(
    state: &State,
    ended: Ended,
    arguments: &RunArguments,
    console: &Console,
) -> Result<Exit, Failure> {
    match ended {
        Ended::Outcome(Outcome::Completed(output)) => {
            let output = without_secrets(&output, console);
            let printed = console::print(&text_of_value::text_of(&output, arguments.output));
            if printed.is_ok()
                && let Err(error) = state.discard()
            {
                let message = format!("cannot remove {}: {error}", state.directory.display());
                console.warning(&message, None);
            }
            printed
        }
        Ended::Outcome(Outcome::Faulted(error)) => {
            kept(state, console);
            console.line(&error.to_value().to_redacted_json());
            Ok(Exit::Faulted)
        }
        Ended::Outcome(Outcome::Cancelled) => {
            console.line("the execution was cancelled");
            kept(state, console);
            Ok(Exit::Cancelled)
        }
        Ended::Stuck(incidents) => {
            stuck(state, &incidents, console);
            Ok(Exit::Unfinished)
        }
        Ended::Listening(awaited) => {
            let what = "not finished: it waits for events, and none of those given is left";
            listening(state, what, &awaited, console);
            Ok(Exit::Unfinished)
        }
        Ended::TimedOut(awaited) if awaited.is_empty() => {
            console.line("not finished: the time of --timeout is up");
            go_on(state, "", console);
            Ok(Exit::Unfinished)
        }
        Ended::TimedOut(awaited) => {
            let what = "not finished: the time of --timeout is up, and it waits for events";
            listening(state, what, &awaited, console);
            Ok(Exit::Unfinished)
        }
        Ended::Signal(exit) => {
            let word = if exit == Exit::Terminated { "terminated" } else { "interrupted" };
            console.line(word);
            go_on(state, "", console);
            Ok(exit)
        }
    }
}

/// The output with every text that holds a given secret redacted, wherever it may have come from.
fn without_secrets(output: &Value, console: &Console) -> Value {
    console.redacted(&output.redacted())
}

fn stuck(state: &State, incidents: &[Incident], console: &Console) {
    for incident in incidents {
        let error = incident.error.to_value().redacted();
        let detail =
            error.get("detail").and_then(Value::as_str).unwrap_or("its outcome is unknown");
        console.line(&format!(
            "{} {} needs a person: {detail}",
            console.paint.paint(Style::Doubtful, "incident:"),
            incident.reference.as_str(),
        ));
        if let Some(key) = error.get("key").and_then(Value::as_str) {
            console.line(&format!("  the call's idempotency key is {key}"));
        }
    }
    if incidents.iter().all(Incident::is_journal_limit) {
        console.line("not finished: the execution is suspended");
        return go_on(state, "", console);
    }
    console.line("find out whether the call was made, then go on with one of:");
    let resume = state.how_to_resume();
    for (choice, meaning) in [
        ("retry", "make the call again"),
        ("fault", "let the task fault"),
        ("complete=JSON", "it was made, and this is what it gave"),
    ] {
        let command = format!("{resume} --unknown {choice}");
        console.line(&format!(
            "  {command}  {}",
            console.paint.paint(Style::Dim, &format!("# {meaning}"))
        ));
    }
}

fn listening(state: &State, what: &str, awaited: &[Awaited], console: &Console) {
    console.line(what);
    for awaited in awaited {
        let reference = awaited.reference.as_str();
        console.line(&format!("  {reference} awaits {}", events_awaited(awaited)));
    }
    go_on(state, " --event @FILE", console);
}

/// What a task awaits, in words.
fn events_awaited(awaited: &Awaited) -> String {
    let kinds: Option<BTreeSet<&str>> = awaited.kinds.iter().map(Option::as_deref).collect();
    match kinds.filter(|kinds| !kinds.is_empty()) {
        Some(kinds) => {
            let kinds: Vec<String> = kinds.into_iter().map(|kind| format!("`{kind}`")).collect();
            format!("an event of type {}", kinds.join(" or "))
        }
        None => "an event".to_owned(),
    }
}

fn go_on(state: &State, more: &str, console: &Console) {
    console.line(&format!("the state is kept in {}", state.directory.display()));
    console.line(&format!("go on with: {}{more}", state.how_to_resume()));
}

fn kept(state: &State, console: &Console) {
    console.line(&format!("the state is kept in {}", state.directory.display()));
    console.line(&format!("see the outcome again with: {}", state.how_to_resume()));
}
