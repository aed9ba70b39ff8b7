//! `tutti describe`

use std::fmt::Write as _;

use serde_json::json;
use tutti_api::{Awaits, ExecutionView, Operation, TaskView, WaitingView};

use super::{
    ask::{Ask, Client},
    facts, follow, moment,
    pages::{self, Listed},
    table::{self, one_line},
    tasks,
};
use crate::{
    command_line::{DescribeArguments, ListFormat},
    console::{self, Console},
    exit::{Exit, Failure},
};

/// How many tasks are told at most.
const MOST_TASKS: usize = 10_000;

/// All that is told of an execution.
struct Told {
    execution: ExecutionView,
    tasks: Listed<TaskView>,
    waiting: WaitingView,
}

/// Tells all about an execution.
pub(crate) fn describe(arguments: &DescribeArguments, console: &Console) -> Result<Exit, Failure> {
    let client = Client::new(&arguments.server, console)?;
    let ask = |operation| Ask::new(operation).part("id", &arguments.execution);
    let told = client.block_on(async {
        let execution = client.json(&ask(Operation::GetExecution)).await?;
        let tasks = pages::all(&client, MOST_TASKS, || ask(Operation::ListTasks)).await?;
        let waiting = client.json(&ask(Operation::GetWaiting)).await?;
        Ok(Told { execution, tasks, waiting })
    })?;
    if told.tasks.has_more {
        console.line(&format!("it has more tasks than these {MOST_TASKS}"));
    }
    match arguments.output {
        ListFormat::Table => console::print(&text(&told, &client.settings.flags, &moment::now())),
        format => {
            let (execution, tasks) = (&told.execution, &told.tasks.items);
            let all = json!({ "execution": execution, "tasks": tasks, "waiting": told.waiting });
            table::print_value(&all, format)
        }
    }
}

fn text(told: &Told, flags: &str, now: &str) -> String {
    let mut text = head(&told.execution, now);
    section(&mut text, "tasks", tasks::tree(&told.tasks.items, now));
    section(&mut text, "waits", told.waiting.waits.iter().map(|wait| waits(wait, now)));
    let incidents = told.waiting.incidents.iter().flat_map(|incident| {
        let lines = follow::incident_lines(incident, flags).into_iter().enumerate();
        lines.map(|(position, line)| if position == 0 { line } else { format!("  {line}") })
    });
    section(&mut text, "incidents", incidents);
    if let Some(output) = &told.execution.output {
        section(&mut text, "output", [output.to_string()]);
    }
    if let Some(error) = &told.execution.error {
        section(&mut text, "error", [facts::told(error), error.to_string()]);
    }
    text
}

fn head(view: &ExecutionView, now: &str) -> String {
    let until = view.ended_at.as_deref().unwrap_or(now);
    let rows = [
        ("execution", Some(view.id.clone())),
        ("workflow", Some(format!("{}/{} {}", view.namespace, view.workflow, view.version))),
        ("status", Some(view.status.as_str().to_owned())),
        ("key", view.key.clone()),
        ("parent", view.parent.clone()),
        ("started", Some(moment::ago(&view.started_at, now))),
        ("ended", view.ended_at.as_ref().map(|at| moment::ago(at, now))),
        ("took", moment::between(&view.started_at, until).filter(|_| view.ended_at.is_some())),
        ("due", view.due.clone()),
    ];
    let mut text = String::new();
    for (name, value) in rows {
        if let Some(value) = value {
            writeln!(text, "{name:<10} {}", one_line(&value)).ok();
        }
    }
    text
}

fn section(text: &mut String, name: &str, lines: impl IntoIterator<Item = String>) {
    for (position, line) in lines.into_iter().enumerate() {
        if position == 0 {
            writeln!(text, "\n{name}").ok();
        }
        writeln!(text, "  {line}").ok();
    }
}

fn waits(wait: &Awaits, now: &str) -> String {
    let place = if wait.reference.is_empty() { "/" } else { &wait.reference };
    let mut line = format!("{place}  {} ({})", wait.what, wait.detail);
    write!(line, "  since {}", moment::ago(&wait.since, now)).ok();
    if let Some(until) = &wait.until {
        write!(line, "  until {until}").ok();
        if let Some(left) = moment::between(now, until) {
            write!(line, " (in {left})").ok();
        }
    }
    one_line(&line)
}
