//! Executions: how they stand, what they did, what they wait for, and the hands that are laid on them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The phases of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionStatus {
    /// It has not begun.
    Pending,
    /// It works.
    Running,
    /// It waits for a time, an event or a child.
    Waiting,
    /// It was paused, or an incident needs a person.
    Suspended,
    /// It was cancelled.
    Cancelled,
    /// An error ended it.
    Faulted,
    /// It ended well.
    Completed,
}

impl ExecutionStatus {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Suspended => "suspended",
            Self::Cancelled => "cancelled",
            Self::Faulted => "faulted",
            Self::Completed => "completed",
        }
    }

    /// Whether it has ended.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Cancelled | Self::Faulted | Self::Completed)
    }
}

/// How an execution stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionView {
    /// Its id.
    pub id: String,
    /// Its namespace.
    pub namespace: String,
    /// The name of its workflow.
    pub workflow: String,
    /// The version of its workflow.
    pub version: String,
    /// The digest of the definition it keeps.
    pub digest: String,
    /// How it stands.
    pub status: ExecutionStatus,
    /// The business key it was started under.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
    /// The execution that started it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<String>,
    /// When it started, in RFC 3339.
    pub started_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<String>,
    /// When it has to be looked at next.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub due: Option<String>,
    /// Its output, where it completed. Not in lists, and only for who may read values.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output: Option<Value>,
    /// The error, where it faulted. Not in lists, and only for who may read values.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<Value>,
}

/// How a task execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TaskStatus {
    /// It works.
    Running,
    /// It waits for a time, an event or another attempt.
    Waiting,
    /// It needs a person.
    Suspended,
    /// It ended well.
    Completed,
    /// An error ended it.
    Faulted,
    /// It was given up.
    Cancelled,
    /// Its condition was false.
    Skipped,
}

/// A task execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskView {
    /// The sequence of the entry that started it: its name within the execution.
    pub sequence: u64,
    /// The task of the document, a JSON Pointer.
    pub reference: String,
    /// The task's name.
    pub name: String,
    /// The author's label.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// The task execution it runs in.
    pub parent: u64,
    /// The turns of the loops and the items it runs in, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub iterations: Vec<u64>,
    /// How it stands.
    pub status: TaskStatus,
    /// When it started, in RFC 3339.
    pub started_at: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<String>,
    /// The attempts of its call, or those of a `try`, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attempts: Option<u64>,
    /// The transformed input, where it was asked for with `values=true`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub input: Option<Value>,
    /// What its call was sent, where it was asked for with `values=true`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub call: Option<Value>,
    /// The transformed output, where it was asked for with `values=true`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output: Option<Value>,
    /// The error that ended it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<Value>,
    /// The child execution it started.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub child: Option<String>,
}

/// A fact of an execution's journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JournalEntry {
    /// Its place in the journal, from 1.
    pub sequence: u64,
    /// When it was decided, in RFC 3339.
    pub at: String,
    /// What happened: `TaskStarted`, `CallCompleted`.
    pub kind: String,
    /// What else the fact says. What came from a secret is `«secret»`.
    pub facts: Value,
}

/// What an execution waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingView {
    /// How the execution stands.
    pub status: ExecutionStatus,
    /// What it waits for; empty where it works or has ended.
    pub waits: Vec<Awaits>,
    /// What needs a person.
    pub incidents: Vec<IncidentView>,
}

/// One thing that is waited for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Awaits {
    /// What it is: `time`, `retry`, `call`, `event`, `child`, `person`, `resume`; `cooldown` where a call waits as too many
    /// were made lately; `limit` and `key` where the execution waits to be admitted.
    pub what: String,
    /// The task execution that waits.
    pub task: u64,
    /// The task of the document.
    pub reference: String,
    /// Since when, in RFC 3339.
    pub since: String,
    /// Until when at most, where there is such a time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
    /// How many executions may go on at once, where it waits for room; how many calls may be made in the time of a cool-down.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub limit: Option<u32>,
    /// Its place among those that wait for the same limit or key, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<u64>,
    /// For people: which event, which child, which limit, why again.
    pub detail: String,
}

/// Something only a person can settle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IncidentView {
    /// The execution it belongs to: this one or a child.
    pub execution: String,
    /// The task execution.
    pub task: u64,
    /// The task of the document.
    pub reference: String,
    /// The error.
    pub error: Value,
}

/// Asks to suspend, resume or cancel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ControlRequest {
    /// Why, in the words of whoever asks; at most 1,000 bytes. It is audited.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// Asks to take an execution back to the start of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetryRequest {
    /// The task, a JSON Pointer into the document; the one whose error ended the execution if it is left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// Settles an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveRequest {
    /// The task execution; may be left out where the execution has one incident.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub task: Option<u64>,
    /// How.
    pub resolution: Resolution,
    /// The output to go on with, for `complete`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output: Option<Value>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// How an incident is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Resolution {
    /// Make the call again under its key, or begin the undo again.
    Retry,
    /// It happened, and this is what it gave.
    Complete,
    /// Let the task fault.
    Fault,
}
