//! Entries as JSON.

use serde_json::{Map, Value as Json, json};
use tutti_api::JournalEntry;
use tutti_expr::Value;
use tutti_journal::{
    CallRecord, Effect, Entry, Error, Flow, Resolution, SuspensionReason, Timestamp,
};

use super::plain::plain;
use crate::moment::show;

/// An entry on the wire.
pub(crate) fn journal_entry(sequence: u64, at: Timestamp, entry: &Entry) -> JournalEntry {
    let (kind, facts) = facts(entry);
    let mut told = Map::new();
    for (name, fact) in facts {
        if !fact.is_null() {
            told.insert(name.to_owned(), fact);
        }
    }
    JournalEntry { sequence, at: show(at), kind: kind.to_owned(), facts: Json::Object(told) }
}

type Facts = Vec<(&'static str, Json)>;

/// What kind of fact it is, and what it says; nothing is said of what is null.
fn facts(entry: &Entry) -> (&'static str, Facts) {
    match entry {
        Entry::TaskStarted { reference, parent, iteration, raw, input, due, label } => (
            "TaskStarted",
            vec![
                ("reference", json!(reference.as_str())),
                ("parent", json!(parent.0)),
                ("iteration", json!(iteration)),
                ("raw", optional(raw.as_ref())),
                ("input", optional(input.as_ref())),
                ("due", moment(*due)),
                ("label", optional(label.as_ref())),
            ],
        ),
        Entry::TaskSkipped { reference, parent, iteration } => (
            "TaskSkipped",
            vec![
                ("reference", json!(reference.as_str())),
                ("parent", json!(parent.0)),
                ("iteration", json!(iteration)),
            ],
        ),
        Entry::TaskCompleted { task, output, context, then } => (
            "TaskCompleted",
            vec![
                ("task", json!(task.0)),
                ("output", optional(output.as_ref())),
                ("context", optional(context.as_ref())),
                ("then", flow(*then)),
            ],
        ),
        Entry::BodyCompleted { task, raw, output, context, then } => (
            "BodyCompleted",
            vec![
                ("task", json!(task.0)),
                ("raw", optional(raw.as_ref())),
                ("output", optional(output.as_ref())),
                ("context", optional(context.as_ref())),
                ("then", flow(*then)),
            ],
        ),
        Entry::TaskFaulted { task, error: it } => {
            ("TaskFaulted", vec![("task", json!(task.0)), ("error", error(it))])
        }
        Entry::TaskCancelled { task } => ("TaskCancelled", vec![("task", json!(task.0))]),
        Entry::TaskTimedOut { task, error: it } => {
            ("TaskTimedOut", vec![("task", json!(task.0)), ("error", error(it))])
        }
        of_control => facts_of_control(of_control),
    }
}

/// Of what decides the flow.
fn facts_of_control(entry: &Entry) -> (&'static str, Facts) {
    match entry {
        Entry::CaseSelected { task, case, then } => (
            "CaseSelected",
            vec![("task", json!(task.0)), ("case", json!(case)), ("then", flow(*then))],
        ),
        Entry::LoopStarted { task, items, limit } => (
            "LoopStarted",
            vec![("task", json!(task.0)), ("items", plain(items)), ("limit", json!(limit))],
        ),
        Entry::ItemStarted { task, index } => {
            ("ItemStarted", vec![("task", json!(task.0)), ("index", json!(index))])
        }
        Entry::BranchesJoined { task } => ("BranchesJoined", vec![("task", json!(task.0))]),
        Entry::WaitStarted { task, due } => {
            ("WaitStarted", vec![("task", json!(task.0)), ("due", json!(show(*due)))])
        }
        Entry::RetryScheduled { task, retry, due, error: it } => (
            "RetryScheduled",
            vec![
                ("task", json!(task.0)),
                ("retry", json!(retry)),
                ("due", json!(show(*due))),
                ("error", error(it)),
            ],
        ),
        Entry::RetryStarted { task, due } => {
            ("RetryStarted", vec![("task", json!(task.0)), ("due", moment(*due))])
        }
        Entry::ErrorCaught { task, error: it } => {
            ("ErrorCaught", vec![("task", json!(task.0)), ("error", error(it))])
        }
        Entry::ReversalStarted { task, error: it, handled } => (
            "ReversalStarted",
            vec![("task", json!(task.0)), ("error", error(it)), ("handled", json!(handled))],
        ),
        Entry::UndoStarted { task, completed } => {
            ("UndoStarted", vec![("task", json!(task.0)), ("completed", json!(completed.0))])
        }
        Entry::ExtensionsSelected { task, extensions, unanswered } => {
            let unanswered = unanswered
                .iter()
                .map(|it| json!({ "extension": it.extension, "detail": it.detail }))
                .collect();
            (
                "ExtensionsSelected",
                vec![
                    ("task", json!(task.0)),
                    ("extensions", json!(extensions)),
                    ("unanswered", Json::Array(unanswered)),
                ],
            )
        }
        Entry::FunctionCalled { task, input } => {
            ("FunctionCalled", vec![("task", json!(task.0)), ("input", optional(input.as_ref()))])
        }
        of_the_world => facts_of_the_world(of_the_world),
    }
}

/// Of calls, children and events.
fn facts_of_the_world(entry: &Entry) -> (&'static str, Facts) {
    match entry {
        Entry::CallScheduled { task, call: it } => {
            ("CallScheduled", vec![("task", json!(task.0)), ("call", call(it))])
        }
        Entry::CallHeld { task, group, .. } => {
            ("CallHeld", vec![("task", json!(task.0)), ("group", json!(group))])
        }
        Entry::CallAdmitted { task } => ("CallAdmitted", vec![("task", json!(task.0))]),
        Entry::CallDispatched { task } => ("CallDispatched", vec![("task", json!(task.0))]),
        Entry::CallCompleted { task, output } => {
            ("CallCompleted", vec![("task", json!(task.0)), ("output", plain(output))])
        }
        Entry::CallFailed { task, error: it } => {
            ("CallFailed", vec![("task", json!(task.0)), ("error", error(it))])
        }
        Entry::CallOutcomeUnknown { task, error: it, probed } => (
            "CallOutcomeUnknown",
            vec![("task", json!(task.0)), ("error", error(it)), ("probed", json!(probed))],
        ),
        Entry::CallRescheduled { task } => ("CallRescheduled", vec![("task", json!(task.0))]),
        Entry::ChildStarted { task, execution, definition, input, awaited, digest } => (
            "ChildStarted",
            vec![
                ("task", json!(task.0)),
                ("execution", json!(execution.to_string())),
                ("definition", json!(definition.to_string())),
                ("digest", json!(digest.to_string())),
                ("input", plain(input)),
                ("awaited", json!(awaited)),
            ],
        ),
        Entry::ChildDetached { task } => ("ChildDetached", vec![("task", json!(task.0))]),
        Entry::EventEmitted { task, event } => {
            ("EventEmitted", vec![("task", json!(task.0)), ("event", plain(event))])
        }
        Entry::ListenStarted { task, after, expected } => (
            "ListenStarted",
            vec![
                ("task", json!(task.0)),
                ("after", json!(after.0)),
                ("expected", optional(expected.as_ref())),
            ],
        ),
        Entry::EventConsumed { task, position, filter, ends, item, learned, source, id } => (
            "EventConsumed",
            vec![
                ("task", json!(task.0)),
                ("position", json!(position.0)),
                ("source", json!(&**source)),
                ("id", json!(&**id)),
                ("filter", json!(filter)),
                ("ends", json!(ends)),
                ("item", optional(item.as_ref())),
                ("learned", optional(learned.as_ref())),
            ],
        ),
        of_the_execution => facts_of_the_execution(of_the_execution),
    }
}

/// Of the execution as a whole.
fn facts_of_the_execution(entry: &Entry) -> (&'static str, Facts) {
    match entry {
        Entry::ExecutionStarted { definition, digest, input, parent, key, .. } => (
            "ExecutionStarted",
            vec![
                ("definition", json!(definition.to_string())),
                ("digest", json!(digest.to_string())),
                ("input", plain(input)),
                ("parent", json!(parent.map(|parent| parent.execution.to_string()))),
                ("key", json!(key)),
            ],
        ),
        Entry::InputAccepted { input, due } => {
            ("InputAccepted", vec![("input", optional(input.as_ref())), ("due", moment(*due))])
        }
        Entry::IncidentRaised { task, error: it } => {
            ("IncidentRaised", vec![("task", json!(task.0)), ("error", error(it))])
        }
        Entry::IncidentResolved { task, resolution: it } => {
            ("IncidentResolved", vec![("task", json!(task.0)), ("resolution", resolution(it))])
        }
        Entry::ExecutionSuspended { reason } => {
            ("ExecutionSuspended", vec![("reason", json!(suspension(reason)))])
        }
        Entry::ExecutionResumed => ("ExecutionResumed", vec![]),
        Entry::ExecutionHeld { group } => ("ExecutionHeld", vec![("group", json!(group))]),
        Entry::ExecutionAdmitted => ("ExecutionAdmitted", vec![]),
        Entry::CancelRequested { reason } => ("CancelRequested", vec![("reason", json!(reason))]),
        Entry::Rewound { to } => ("Rewound", vec![("to", json!(to.0))]),
        Entry::ExecutionCompleted { output } => {
            ("ExecutionCompleted", vec![("output", optional(output.as_ref()))])
        }
        Entry::ExecutionFaulted { error: it } => ("ExecutionFaulted", vec![("error", error(it))]),
        Entry::ExecutionCancelled => ("ExecutionCancelled", vec![]),
        // The others were told above.
        _ => ("Other", vec![]),
    }
}

fn optional(value: Option<&Value>) -> Json {
    value.map_or(Json::Null, plain)
}

fn moment(at: Option<Timestamp>) -> Json {
    at.map_or(Json::Null, |at| json!(show(at)))
}

pub(super) fn error(error: &Error) -> Json {
    plain(&error.to_value())
}

/// Of an error only what kind it is and where: what it says may be data.
pub(super) fn error_kind(error: &Error) -> Json {
    json!({ "type": &*error.kind, "status": error.status, "instance": &*error.instance })
}

fn flow(then: Flow) -> Json {
    match then {
        Flow::Continue => json!("continue"),
        Flow::Exit => json!("exit"),
        Flow::End => json!("end"),
        Flow::Jump(place) => json!({ "jump": place }),
    }
}

pub(super) fn call(call: &CallRecord) -> Json {
    json!({
        "function": &*call.function,
        "arguments": plain(&call.arguments),
        "effect": match call.effect {
            Effect::Read => "read",
            Effect::Idempotent => "idempotent",
            Effect::Once => "once",
        },
        "key": &*call.key,
        "attempt": call.attempt,
    })
}

fn resolution(resolution: &Resolution) -> Json {
    match resolution {
        Resolution::Retry => json!("retry"),
        Resolution::Fault => json!("fault"),
        Resolution::Complete { output } => json!({ "complete": plain(output) }),
    }
}

pub(crate) fn suspension(reason: &SuspensionReason) -> &'static str {
    match reason {
        SuspensionReason::Control => "control",
        SuspensionReason::Incident => "incident",
        SuspensionReason::JournalLimit => "journal-limit",
    }
}
