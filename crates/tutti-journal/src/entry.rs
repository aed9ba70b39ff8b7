//! The facts of an execution.

use std::sync::Arc;

use minicbor::{Decode, Encode};
use tutti_expr::Value;
use tutti_ids::{DefinitionRef, Digest, ExecutionId, Sequence, TaskRef};

use crate::{
    Effect, Error, EventPosition, Timestamp, names,
    payload::{self, Payloads},
};

/// One fact about an execution. Its place in the journal is its [`Sequence`]; a task execution is named by the sequence
/// of the entry that started it (`task`), the execution itself by [`Sequence::FIRST`].
///
/// Every evaluated value that later state depends on is in here, so that state can be folded without evaluating
/// anything. A value that equals the one it derives from is left out (`None`).
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub enum Entry {
    /// The execution began.
    #[n(0)]
    ExecutionStarted {
        /// The definition it keeps.
        #[cbor(n(0), with = "names::definition")]
        definition: DefinitionRef,
        /// The digest of that definition's text.
        #[cbor(n(1), with = "names::digest")]
        digest: Digest,
        /// What all chance of the execution is derived from.
        #[n(2)]
        seed: u64,
        /// The raw input.
        #[cbor(n(3), with = "payload")]
        input: Value,
        /// The task that started it, for a child execution.
        #[n(4)]
        parent: Option<Parent>,
        /// The last event that was received before: the execution's tasks see those after it.
        #[n(5)]
        events_after: Option<EventPosition>,
        /// The business key it was started under.
        #[n(6)]
        key: Option<String>,
    },
    /// The input fitted its schema and was transformed; the first task may start.
    #[n(1)]
    InputAccepted {
        /// The transformed input, where it differs from the raw one.
        #[cbor(n(0), with = "payload::optional", has_nil)]
        input: Option<Value>,
        /// When the execution times out.
        #[n(1)]
        due: Option<Timestamp>,
    },
    /// A task began: its condition held, its input fitted and was transformed.
    #[n(2)]
    TaskStarted {
        /// Which task of the document.
        #[cbor(n(0), with = "names::task_ref")]
        reference: TaskRef,
        /// The task execution it runs in.
        #[cbor(n(1), with = "names::sequence")]
        parent: Sequence,
        /// Which turn of the parent's loop it runs in, from 0.
        #[n(2)]
        iteration: Option<u64>,
        /// The raw input, where it is not the parent's current data.
        #[cbor(n(3), with = "payload::optional", has_nil)]
        raw: Option<Value>,
        /// The transformed input, where it differs from the raw one.
        #[cbor(n(4), with = "payload::optional", has_nil)]
        input: Option<Value>,
        /// When the task times out.
        #[n(5)]
        due: Option<Timestamp>,
        /// The author's label for lists.
        #[cbor(n(6), with = "payload::optional", has_nil)]
        label: Option<Value>,
    },
    /// A task's condition was false; its output is its raw input.
    #[n(3)]
    TaskSkipped {
        /// Which task of the document.
        #[cbor(n(0), with = "names::task_ref")]
        reference: TaskRef,
        /// The task execution it would have run in.
        #[cbor(n(1), with = "names::sequence")]
        parent: Sequence,
        /// Which turn of the parent's loop, from 0.
        #[n(2)]
        iteration: Option<u64>,
    },
    /// A task ended well.
    #[n(4)]
    TaskCompleted {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The transformed output, where it differs from the raw one (which, for most tasks, is known from before).
        #[cbor(n(1), with = "payload::optional", has_nil)]
        output: Option<Value>,
        /// The new context, where it was exported.
        #[cbor(n(2), with = "payload::optional", has_nil)]
        context: Option<Value>,
        /// Where the flow goes.
        #[n(3)]
        then: Flow,
    },
    /// A task ended with an error.
    #[n(5)]
    TaskFaulted {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The error.
        #[n(1)]
        error: Error,
    },
    /// A task was given up because something around it ended.
    #[n(6)]
    TaskCancelled {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
    },
    /// A task's time ran out; it is being interrupted.
    #[n(7)]
    TaskTimedOut {
        /// The task execution; the execution itself is [`Sequence::FIRST`].
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The error it will raise.
        #[n(1)]
        error: Error,
    },
    /// A `switch` chose.
    #[n(8)]
    CaseSelected {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The case's name; none where no case matched.
        #[n(1)]
        case: Option<String>,
        /// Where the flow goes.
        #[n(2)]
        then: Flow,
    },
    /// A `for` or `each` evaluated its collection.
    #[n(9)]
    LoopStarted {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The collection, an array.
        #[cbor(n(1), with = "payload")]
        items: Value,
        /// How many items run at once (`each`).
        #[n(2)]
        limit: Option<u64>,
    },
    /// An item of an `each` began; it is a task execution of its own.
    #[n(10)]
    ItemStarted {
        /// The task execution of the `each`.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// Which item, from 0.
        #[n(1)]
        index: u64,
    },
    /// The branches of a `fork` (or items of an `each`) ended and their exports were joined.
    #[n(11)]
    BranchesJoined {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
    },
    /// A `wait` computed when it ends.
    #[n(12)]
    WaitStarted {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// When it ends.
        #[n(1)]
        due: Timestamp,
    },
    /// A `try` will run its tasks again.
    #[n(13)]
    RetryScheduled {
        /// The task execution of the `try`.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// Which retry, from 1.
        #[n(1)]
        retry: u64,
        /// When.
        #[n(2)]
        due: Timestamp,
        /// The error that is retried.
        #[n(3)]
        error: Error,
    },
    /// The tasks of a `try` began again.
    #[n(14)]
    RetryStarted {
        /// The task execution of the `try`.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// When this attempt times out.
        #[n(1)]
        due: Option<Timestamp>,
    },
    /// A `try` caught an error and will handle it.
    #[n(15)]
    ErrorCaught {
        /// The task execution of the `try`.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The error.
        #[n(1)]
        error: Error,
    },
    /// A call is to be made.
    #[n(16)]
    CallScheduled {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// Exactly what is sent.
        #[n(1)]
        call: CallRecord,
    },
    /// A call that must not be repeated is about to leave.
    #[n(17)]
    CallDispatched {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
    },
    /// A call ended well.
    #[n(18)]
    CallCompleted {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// What it gave.
        #[cbor(n(1), with = "payload")]
        output: Value,
    },
    /// A call ended with an error.
    #[n(19)]
    CallFailed {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The error.
        #[n(1)]
        error: Error,
    },
    /// Nobody knows whether a call was made; its connector is asked, where it can tell.
    #[n(20)]
    CallOutcomeUnknown {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The `outcome-unknown` error.
        #[n(1)]
        error: Error,
        /// Whether the connector was asked and could not tell either.
        #[n(2)]
        probed: bool,
    },
    /// A call known not to have been made will be made again under its key.
    #[n(21)]
    CallRescheduled {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
    },
    /// A child execution was asked for.
    #[n(22)]
    ChildStarted {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The child's id.
        #[cbor(n(1), with = "names::execution")]
        execution: ExecutionId,
        /// The child's definition.
        #[cbor(n(2), with = "names::definition")]
        definition: DefinitionRef,
        /// The child's raw input.
        #[cbor(n(3), with = "payload")]
        input: Value,
        /// Whether the task waits for the child's end.
        #[n(4)]
        awaited: bool,
        /// The digest of the child's definition.
        #[cbor(n(5), with = "names::digest")]
        digest: Digest,
    },
    /// A child execution that is not awaited is durably on its way.
    #[n(23)]
    ChildDetached {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
    },
    /// An error only a person can settle was left open.
    #[n(24)]
    IncidentRaised {
        /// The task execution whose call's outcome is unknown.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The error.
        #[n(1)]
        error: Error,
    },
    /// A person settled an incident.
    #[n(25)]
    IncidentResolved {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// How.
        #[n(1)]
        resolution: Resolution,
    },
    /// The execution pauses: nothing new starts and timers stand still.
    #[n(26)]
    ExecutionSuspended {
        /// Why.
        #[n(0)]
        reason: SuspensionReason,
    },
    /// The execution goes on.
    #[n(27)]
    ExecutionResumed,
    /// The execution is to be cancelled.
    #[n(28)]
    CancelRequested {
        /// Why, in the words of whoever asked.
        #[n(0)]
        reason: Option<String>,
    },
    /// The execution was taken back to the start of a task; what came later is void.
    #[n(29)]
    Rewound {
        /// The entry that had started the task: state is taken back to just before it.
        #[cbor(n(0), with = "names::sequence")]
        to: Sequence,
    },
    /// The execution ended well.
    #[n(30)]
    ExecutionCompleted {
        /// Its output, where it differs from the last task's.
        #[cbor(n(0), with = "payload::optional", has_nil)]
        output: Option<Value>,
    },
    /// The execution ended with an error nothing caught.
    #[n(31)]
    ExecutionFaulted {
        /// The error.
        #[n(0)]
        error: Error,
    },
    /// The execution was cancelled.
    #[n(32)]
    ExecutionCancelled,
    /// A function was called: its task runs as a task execution of its own.
    #[n(33)]
    FunctionCalled {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The function's raw input, where it differs from the caller's input.
        #[cbor(n(1), with = "payload::optional", has_nil)]
        input: Option<Value>,
    },
    /// An event was emitted; it is received in the same moment.
    #[n(34)]
    EventEmitted {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The event's envelope.
        #[cbor(n(1), with = "payload")]
        event: Value,
    },
    /// A `listen` awaits events.
    #[n(35)]
    ListenStarted {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The events after this one are looked at.
        #[n(1)]
        after: EventPosition,
        /// What correlations must be: for each filter an object by name; absent where nothing is known before.
        #[cbor(n(2), with = "payload::optional", has_nil)]
        expected: Option<Value>,
    },
    /// A `listen` consumed an event.
    #[n(36)]
    EventConsumed {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The event's place among all events.
        #[n(1)]
        position: EventPosition,
        /// Which filter it filled, those of `until` after the others; none where every event is welcome.
        #[n(2)]
        filter: Option<u32>,
        /// Whether it only counts towards the end of the consumption.
        #[n(3)]
        ends: bool,
        /// What of it is used; absent where it only counts towards the end.
        #[cbor(n(4), with = "payload::optional", has_nil)]
        item: Option<Value>,
        /// Correlations that were first seen in it, an object by name.
        #[cbor(n(5), with = "payload::optional", has_nil)]
        learned: Option<Value>,
        /// The event's source.
        #[cbor(n(6), with = "names::text")]
        source: Arc<str>,
        /// The event's id.
        #[cbor(n(7), with = "names::text")]
        id: Arc<str>,
    },
    /// An error leaves a `try`, or the execution: what completed inside is undone first.
    #[n(37)]
    ReversalStarted {
        /// The task execution of the `try`; the execution itself is [`Sequence::FIRST`].
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The error.
        #[n(1)]
        error: Error,
        /// Whether the `try` handles it afterwards; else it goes on outwards.
        #[n(2)]
        handled: bool,
    },
    /// The undoing of a completed task began; it is a task execution of its own.
    #[n(38)]
    UndoStarted {
        /// The task execution inside which the task had completed.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The entry with which it had completed.
        #[cbor(n(1), with = "names::sequence")]
        completed: Sequence,
    },
    /// Which extensions apply to a task was decided; their tasks run before and after what the task does.
    #[n(42)]
    ExtensionsSelected {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The places of those that apply among the definition's extensions, in the order they are declared.
        #[n(1)]
        extensions: Vec<u32>,
        /// Those whose `when` gave no answer: they do not apply.
        #[n(2)]
        unanswered: Vec<Unanswered>,
    },
    /// What an extended task does has ended well, or was passed over by `exit`; the tasks after it follow.
    #[n(43)]
    BodyCompleted {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// The raw output, where it is not known from before.
        #[cbor(n(1), with = "payload::optional", has_nil)]
        raw: Option<Value>,
        /// The transformed output, where it differs from the raw one.
        #[cbor(n(2), with = "payload::optional", has_nil)]
        output: Option<Value>,
        /// The new context, where it was exported.
        #[cbor(n(3), with = "payload::optional", has_nil)]
        context: Option<Value>,
        /// Where the flow goes when the task has completed.
        #[n(4)]
        then: Flow,
    },
    /// The execution waits to be admitted: nothing of it begins, and timers stand still.
    #[n(44)]
    ExecutionHeld {
        /// What `concurrency.by` gave, as JSON: those with the same are limited together. None where its workflow
        /// limits no groups.
        #[n(0)]
        group: Option<String>,
    },
    /// The execution was admitted: it goes on.
    #[n(45)]
    ExecutionAdmitted,
    /// A call that was scheduled waits until it may be made: too many were made lately.
    #[n(46)]
    CallHeld {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
        /// Which task of the document.
        #[cbor(n(1), with = "names::task_ref")]
        reference: TaskRef,
        /// What `cooldown.by` gave, as JSON: calls with the same count together. None where all calls of the task do.
        #[n(2)]
        group: Option<String>,
    },
    /// A call that waited may be made.
    #[n(47)]
    CallAdmitted {
        /// The task execution.
        #[cbor(n(0), with = "names::sequence")]
        task: Sequence,
    },
}

/// An extension whose `when` gave neither true nor false.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Unanswered {
    /// Its place among the definition's extensions.
    #[n(0)]
    pub extension: u32,
    /// What went wrong, for people.
    #[n(1)]
    pub detail: String,
}

impl Entry {
    /// Whether the execution has ended with it.
    pub fn is_end(&self) -> bool {
        matches!(
            self,
            Self::ExecutionCompleted { .. }
                | Self::ExecutionFaulted { .. }
                | Self::ExecutionCancelled
        )
    }

    /// How many bytes the values in it take in memory, about; what is left out takes none.
    pub fn value_size(&self) -> u64 {
        let of = |value: &Option<Value>| value.as_ref().map_or(0, Value::size);
        match self {
            Self::ExecutionStarted { input, .. } | Self::ChildStarted { input, .. } => input.size(),
            Self::InputAccepted { input, .. } | Self::FunctionCalled { input, .. } => of(input),
            Self::TaskStarted { raw, input, label, .. } => of(raw) + of(input) + of(label),
            Self::TaskCompleted { output, context, .. } => of(output) + of(context),
            Self::BodyCompleted { raw, output, context, .. } => of(raw) + of(output) + of(context),
            Self::ExecutionCompleted { output } => of(output),
            Self::LoopStarted { items, .. } => items.size(),
            Self::EventEmitted { event, .. } => event.size(),
            Self::ListenStarted { expected, .. } => of(expected),
            Self::EventConsumed { item, learned, .. } => of(item) + of(learned),
            Self::CallScheduled { call, .. } => call.arguments.size(),
            Self::CallCompleted { output, .. }
            | Self::IncidentResolved { resolution: Resolution::Complete { output }, .. } => {
                output.size()
            }
            Self::TaskFaulted { error, .. }
            | Self::TaskTimedOut { error, .. }
            | Self::RetryScheduled { error, .. }
            | Self::ErrorCaught { error, .. }
            | Self::CallFailed { error, .. }
            | Self::CallOutcomeUnknown { error, .. }
            | Self::IncidentRaised { error, .. }
            | Self::ReversalStarted { error, .. }
            | Self::ExecutionFaulted { error } => {
                of(&error.title) + of(&error.detail) + of(&error.extra)
            }
            Self::TaskSkipped { .. }
            | Self::TaskCancelled { .. }
            | Self::CaseSelected { .. }
            | Self::ItemStarted { .. }
            | Self::BranchesJoined { .. }
            | Self::WaitStarted { .. }
            | Self::RetryStarted { .. }
            | Self::CallDispatched { .. }
            | Self::CallRescheduled { .. }
            | Self::ChildDetached { .. }
            | Self::IncidentResolved { .. }
            | Self::ExecutionSuspended { .. }
            | Self::ExecutionResumed
            | Self::ExecutionHeld { .. }
            | Self::ExecutionAdmitted
            | Self::CallHeld { .. }
            | Self::CallAdmitted { .. }
            | Self::CancelRequested { .. }
            | Self::Rewound { .. }
            | Self::UndoStarted { .. }
            | Self::ExtensionsSelected { .. }
            | Self::ExecutionCancelled => 0,
        }
    }
}

/// Where the flow goes after a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Flow {
    /// To the next task of the list.
    #[n(0)]
    Continue,
    /// Out of the current scope.
    #[n(1)]
    Exit,
    /// To the end of the workflow.
    #[n(2)]
    End,
    /// To the task at this position of the same list.
    #[n(3)]
    Jump(#[n(0)] u32),
}

/// The task that started a child execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Parent {
    /// The execution it belongs to.
    #[cbor(n(0), with = "names::execution")]
    pub execution: ExecutionId,
    /// The task execution.
    #[cbor(n(1), with = "names::sequence")]
    pub task: Sequence,
    /// How many parents there are above, this one included.
    #[n(2)]
    pub depth: u32,
    /// Whether it waits for the child's end.
    #[n(3)]
    pub awaits: bool,
}

/// Exactly what a connector is asked to do.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub struct CallRecord {
    /// The function: `http`, `shell`.
    #[cbor(n(0), with = "names::text")]
    pub function: Arc<str>,
    /// Its arguments, evaluated.
    #[cbor(n(1), with = "payload")]
    pub arguments: Value,
    /// What it does to the world.
    #[n(2)]
    pub effect: Effect,
    /// The key under which it is made once.
    #[cbor(n(3), with = "names::text")]
    pub key: Arc<str>,
    /// Which attempt under this key, from 1.
    #[n(4)]
    pub attempt: u32,
}

/// How a person settled an unknown outcome, or an undo that failed.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub enum Resolution {
    /// Make the call again under its key; begin the undo again.
    #[n(0)]
    Retry,
    /// It was made, and this is what it gave; what was to be undone is.
    #[n(1)]
    Complete {
        /// The call's output.
        #[cbor(n(0), with = "payload")]
        output: Value,
    },
    /// Let the task fault; it stays as it is.
    #[n(2)]
    Fault,
}

/// Why an execution is suspended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum SuspensionReason {
    /// Somebody asked for it.
    #[n(0)]
    Control,
    /// An incident needs a person.
    #[n(1)]
    Incident,
    /// Its journal has reached the limit of entries; resuming or cancelling it grants as many again.
    #[n(2)]
    JournalLimit,
}
