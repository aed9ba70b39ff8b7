//! Following an execution to its end: its facts as they become durable, also over a connection that breaks.
//!
//! [`follow`] waits, [`conclude`] says how it ended, with the words and exit codes of `tutti run`.

use std::time::Duration;

use serde_json::Value as Json;
use tutti_api::{
    Code, ExecutionStatus, ExecutionView, IncidentView, JournalEntry, Operation, WaitingView,
};
use tutti_ids::ExecutionId;
use tutti_journal::ErrorType;

use super::{
    ask::{Ask, Client},
    facts::{self, Facts},
    problem, stream, table,
};
use crate::{
    command_line::OutputFormat,
    console::{self, Console, Style},
    exit::{Exit, Failure},
    progress::style_of,
    run::signals,
    text_of_value::text_of,
};

/// How often in a row the connection is opened again.
const ATTEMPTS: u32 = 8;
/// The pause before the first time; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// How an execution is followed.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    /// How long at most.
    pub(super) limit: Option<Duration>,
    /// Whether to go on where only a person can move it.
    pub(super) patient: bool,
    /// Whether to tell nothing meanwhile.
    pub(super) quiet: bool,
}

/// How the following ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The execution did.
    End(Box<ExecutionView>),
    /// Only a person can move it.
    Stuck(WaitingView),
    /// It took longer than it was to be waited for.
    TimedOut,
    /// SIGINT or SIGTERM.
    Signal(Exit),
}

/// Follows an execution.
pub(super) async fn follow(
    client: &Client,
    execution: ExecutionId,
    how: How,
    console: &Console,
) -> Result<Ended, Failure> {
    let limit = async {
        match how.limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let mut following = Following {
        client,
        execution,
        how,
        console,
        facts: Facts::default(),
        after: 0,
        is_troubled: false,
    };
    tokio::select! {
        biased;
        exit = signals()? => Ok(Ended::Signal(exit)),
        ended = following.until_the_end() => ended,
        () = limit => Ok(Ended::TimedOut),
    }
}

/// Whether another time may be better: the connection broke, or the server stops or starts.
fn is_passing(failure: &Failure) -> bool {
    let codes = [Code::Unavailable, Code::TooMany].map(Code::as_str);
    failure.exit == Exit::Unreachable && failure.code.is_none_or(|code| codes.contains(&code))
}

struct Following<'a> {
    client: &'a Client,
    execution: ExecutionId,
    how: How,
    console: &'a Console,
    facts: Facts,
    /// The sequence of the last fact that was told.
    after: u64,
    /// Whether something needed a person at some time.
    is_troubled: bool,
}

impl Following<'_> {
    async fn until_the_end(&mut self) -> Result<Ended, Failure> {
        let mut failures = 0;
        loop {
            let before = self.after;
            match self.one_connection().await {
                Ok(Some(ended)) => return Ok(ended),
                Ok(None) => {}
                Err(failure) if !is_passing(&failure) => return Err(failure),
                Err(failure) if before == 0 && self.after == 0 => return Err(failure),
                Err(failure) if failures >= ATTEMPTS => return Err(failure),
                Err(_broken) => {}
            }
            failures = if self.after > before { 0 } else { failures + 1 };
            if failures > ATTEMPTS {
                let message = format!("the stream of {} ends again and again", self.execution);
                return Err(Failure::usage(message).exit(Exit::Unreachable));
            }
            if !self.how.quiet {
                self.console.line("the connection ended; going on where it was");
            }
            tokio::time::sleep(PAUSE * 2_u32.pow(failures.min(ATTEMPTS))).await;
        }
    }

    /// Reads as long as one connection lasts; says how it ended, where it has.
    async fn one_connection(&mut self) -> Result<Option<Ended>, Failure> {
        let ask = Ask::new(Operation::StreamExecution).part("id", &self.execution);
        let ask = if self.after > 0 { ask.header("last-event-id", &self.after) } else { ask };
        let mut exchange = self.client.exchange(&ask).await?;
        let address = &self.client.settings.address;
        if !exchange.head.status.is_success() {
            let body = exchange.whole().await;
            let body = body.map_err(|error| problem::unreached(address, &error))?;
            return Err(problem::refused(address, exchange.head.status, &body));
        }
        let mut reader = stream::Reader::default();
        loop {
            let part = exchange.next().await;
            let part = part.map_err(|error| problem::unreached(address, &error))?;
            let Some(part) = part else { return self.ended().await };
            let events = reader.take(&part)?;
            let are_new = !events.is_empty();
            for event in events {
                self.take(&event)?;
            }
            if are_new
                && self.is_troubled
                && !self.how.patient
                && let Some(stuck) = self.stuck().await?
            {
                return Ok(Some(stuck));
            }
        }
    }

    fn take(&mut self, event: &stream::Event) -> Result<(), Failure> {
        let entry: JournalEntry = serde_json::from_str(&event.data).map_err(|_other| {
            Failure::usage("the server streams what this program does not know")
                .hint("the server may be of another version: compare with `tutti version`")
        })?;
        self.after = self.after.max(entry.sequence);
        self.is_troubled |= ["IncidentRaised", "ExecutionSuspended"].contains(&entry.kind.as_str());
        if let Some(told) = self.facts.take(&entry).filter(|_| !self.how.quiet) {
            let word = self.console.paint.paint(style_of(told.word), told.word);
            self.console.line(&format!("{word} {}", told.text));
        }
        Ok(())
    }

    /// How it ended, where it has; a server that stops ends its streams too.
    async fn ended(&self) -> Result<Option<Ended>, Failure> {
        let view = self.view().await?;
        Ok(view.status.is_terminal().then_some(Ended::End(Box::new(view))))
    }

    async fn stuck(&self) -> Result<Option<Ended>, Failure> {
        if self.view().await?.status != ExecutionStatus::Suspended {
            return Ok(None);
        }
        let ask = Ask::new(Operation::GetWaiting).part("id", &self.execution);
        self.client.json(&ask).await.map(|waiting| Some(Ended::Stuck(waiting)))
    }

    async fn view(&self) -> Result<ExecutionView, Failure> {
        let ask = Ask::new(Operation::GetExecution).part("id", &self.execution);
        self.client.json(&ask).await
    }
}

/// Says how it ended, and how to go on where it has not.
pub(super) fn conclude(
    client: &Client,
    execution: ExecutionId,
    ended: &Ended,
    format: Option<OutputFormat>,
    console: &Console,
) -> Result<Exit, Failure> {
    let flags = &client.settings.flags;
    match ended {
        Ended::End(view) => concluded(view, format, console),
        Ended::Stuck(waiting) => {
            for incident in &waiting.incidents {
                tell_incident(incident, flags, console);
            }
            for wait in waiting.waits.iter().filter(|_| waiting.incidents.is_empty()) {
                console.line(&format!("not finished: {}", table::one_line(&wait.detail)));
                console.line(&format!("go on with: tutti resume {execution}{flags}"));
            }
            Ok(Exit::Unfinished)
        }
        Ended::TimedOut => {
            console.line("not finished: the time to wait is up");
            console.line(&format!("go on with: tutti watch {execution}{flags}"));
            Ok(Exit::Unfinished)
        }
        Ended::Signal(exit) => {
            console.line("no longer watched; the execution goes on");
            console.line(&format!("go on with: tutti watch {execution}{flags}"));
            Ok(*exit)
        }
    }
}

fn concluded(
    view: &ExecutionView,
    format: Option<OutputFormat>,
    console: &Console,
) -> Result<Exit, Failure> {
    match view.status {
        ExecutionStatus::Completed => {
            if let Some(output) = &view.output {
                return console::print(&text_of(&table::value_of(output), format));
            }
            console.line(&format!("{} completed; its output is not shown to you", view.id));
            Ok(Exit::Completed)
        }
        ExecutionStatus::Cancelled => {
            console.line("the execution was cancelled");
            Ok(Exit::Cancelled)
        }
        _ => {
            let error = view.error.clone().unwrap_or(Json::Null);
            let place = error["instance"].as_str().filter(|it| !it.is_empty()).unwrap_or("/");
            let word = console.paint.paint(Style::Bad, "error:");
            console.line(&format!("{word} {} {}", table::one_line(place), facts::told(&error)));
            console.line(&error.to_string());
            Ok(Exit::Faulted)
        }
    }
}

/// Says what needs a person, and the commands that settle it.
fn tell_incident(incident: &IncidentView, flags: &str, console: &Console) {
    let word = console.paint.paint(Style::Doubtful, "incident:");
    for (position, line) in incident_lines(incident, flags).into_iter().enumerate() {
        console.line(&if position == 0 { format!("{word} {line}") } else { format!("  {line}") });
    }
}

/// An incident in lines: what it is, then the commands that settle it.
pub(super) fn incident_lines(incident: &IncidentView, flags: &str) -> Vec<String> {
    let what = facts::told(&incident.error);
    let head = format!("{} needs a person: {what}", table::one_line(&incident.reference));
    let is_undo = incident.error["type"].as_str() == Some(&*ErrorType::CompensationFailed.uri());
    let choices = if is_undo {
        [
            ("retry", "undo it again"),
            ("fault", "leave it, undo the rest, and fault"),
            ("complete={}", "it is undone by hand"),
        ]
    } else {
        [
            ("retry", "make the call again"),
            ("fault", "let the task fault"),
            ("complete=JSON", "it was made, and this is what it gave"),
        ]
    };
    let command =
        format!("tutti resolve {} --task {}{flags} --as", incident.execution, incident.task);
    let line = |(choice, meaning)| format!("{command} {choice}  # {meaning}");
    std::iter::once(head).chain(choices.into_iter().map(line)).collect()
}
