//! What is said at the end, and with which exit code.

use std::collections::BTreeSet;

use tutti_engine::Outcome;
use tutti_expr::Value;
use tutti_journal::{Error, ErrorType};
use tutti_runtime::{Awaited, Incident};

use super::{Ended, State};
use crate::{
    command_line::RunArguments,
    console::{self, Console, Style},
    exit::{Exit, Failure},
    progress::{plain, told_value},
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
            printed.map_err(|failure| {
                let directory = state.directory.display();
                let see = state.how_to_see();
                failure.hint(format!(
                    "the execution completed and its state is kept in {directory}; see the output again with: {see}"
                ))
            })
        }
        Ended::Outcome(Outcome::Faulted(error)) => {
            faulted(&error, console);
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

/// For people: what, where, and what to do where that is known. For programs the last line says it.
fn faulted(error: &Error, console: &Console) {
    let place = if error.instance.is_empty() { "/" } else { &error.instance };
    let what = told_value(&error.to_value().redacted());
    let word = console.paint.paint(Style::Bad, "error:");
    console.line(&format!("{word} {} {what}", plain(place)));
    let hint = match (place, error.detail.as_ref().and_then(Value::as_str)) {
        ("/input", Some(detail)) if detail.contains(" is larger than the limit of ") => {
            "put the data into a file or a store, and give its place as input"
        }
        ("/input", _) if error.is(ErrorType::Validation) => {
            "give what `input.schema` of the document asks for, with --input JSON|@FILE or --set PATH=TEXT (PATH:=JSON for what is no text)"
        }
        (_, Some(detail)) if detail.starts_with("the secret `") => {
            "give it with --secret NAME (environment) or NAME=@FILE, and declare it in `use.secrets`"
        }
        _ => return,
    };
    console.line(&format!("{} {hint}", console.paint.paint(Style::Bold, "hint:")));
}

fn stuck(state: &State, incidents: &[Incident], console: &Console) {
    for incident in incidents {
        if incident.is_journal_limit() {
            let word = console.paint.paint(Style::Doubtful, "incident:");
            let execution = incident.execution;
            console.line(&format!(
                "{word} {execution} needs a person: its journal has reached its limit; going on grants as many entries again"
            ));
            continue;
        }
        let error = incident.error.to_value().redacted();
        console.line(&format!(
            "{} {} needs a person: {}",
            console.paint.paint(Style::Doubtful, "incident:"),
            incident.reference.as_str(),
            told_value(&error),
        ));
        if let Some(key) = error.get("key").and_then(Value::as_str) {
            console.line(&format!("  the call's idempotency key is {key}"));
        }
    }
    if incidents.iter().all(Incident::is_journal_limit) {
        console.line("not finished: the execution is suspended");
        return go_on(state, "", console);
    }
    let is_undo = |incident: &Incident| incident.error.is(ErrorType::CompensationFailed);
    if incidents.iter().any(|incident| !is_undo(incident)) {
        console.line("find out whether the call was made, then go on with one of:");
        let meanings =
            ["make the call again", "let the task fault", "it was made, and this is what it gave"];
        choices(state, ["retry", "fault", "complete=JSON"], meanings, console);
    }
    if incidents.iter().any(is_undo) {
        console
            .line("see to it that it can be undone, or undo it by hand, then go on with one of:");
        let meanings =
            ["undo it again", "leave it, undo the rest, and fault", "it is undone by hand"];
        choices(state, ["retry", "fault", "complete={}"], meanings, console);
    }
}

fn choices(state: &State, choices: [&str; 3], meanings: [&str; 3], console: &Console) {
    let resume = state.how_to_resume();
    for (choice, meaning) in choices.into_iter().zip(meanings) {
        let command = format!("{resume} --unknown {choice}");
        let meaning = console.paint.paint(Style::Dim, &format!("# {meaning}"));
        console.line(&format!("  {command}  {meaning}"));
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
    let running: Vec<String> = state.still_running().iter().map(i32::to_string).collect();
    if !running.is_empty() {
        let (which, them) = match running.len() {
            1 => ("a command still runs, in process group", "it"),
            _ => ("commands still run, in process groups", "them"),
        };
        console.line(&format!("{which} {}: going on recognises {them}", running.join(", ")));
    }
    console.line(&format!("the state is kept in {}", state.directory.display()));
    console.line(&format!("go on with: {}{more}", state.how_to_resume()));
}

fn kept(state: &State, console: &Console) {
    console.line(&format!("the state is kept in {}", state.directory.display()));
    console.line(&format!("see the outcome again with: {}", state.how_to_see()));
}
