//! What the runtime feeds an execution, and why it may be refused.

use tutti_expr::Value;
use tutti_ids::{DefinitionRef, Digest, ExecutionId, Sequence};
use tutti_journal::{CloudEvent, Error, EventPosition, Parent, Resolution};

use crate::hold::Hold;

/// How an execution begins.
#[derive(Debug, Clone)]
pub struct Start {
    /// Its id.
    pub execution: ExecutionId,
    /// The name of its definition.
    pub definition: DefinitionRef,
    /// The digest of its definition.
    pub digest: Digest,
    /// Drawn by the caller; all chance of the execution is derived from it.
    pub seed: u64,
    /// The raw input; `None` where none was given.
    pub input: Option<Value>,
    /// The task that starts it.
    pub parent: Option<Parent>,
    /// The last event that was received before: the execution sees those after it.
    pub events_after: EventPosition,
    /// The business key it is started under; a child has none.
    pub key: Option<String>,
    /// What it is admitted by; none where it may begin at once.
    pub hold: Option<Hold>,
}

/// Something that happened outside the execution.
#[derive(Debug, Clone)]
pub enum Input {
    /// The turn's budget was used up before; go on.
    Continue,
    /// A call may leave.
    SlotGranted {
        /// The task execution whose call it is.
        task: Sequence,
    },
    /// A call ended.
    CallFinished {
        /// The task execution whose call it is.
        task: Sequence,
        /// The attempt that ended.
        attempt: u32,
        /// How.
        outcome: CallOutcome,
    },
    /// The process that made a call died before its result was recorded.
    CallLost {
        /// The task execution whose call it is.
        task: Sequence,
    },
    /// A connector said what became of an attempt.
    ProbeFinished {
        /// The task execution whose call it is.
        task: Sequence,
        /// What it said.
        outcome: ProbeOutcome,
    },
    /// Time has passed: timers due by the turn's time fire.
    TimerFired,
    /// A child execution is durably on its way.
    ChildStarted {
        /// The child.
        child: ExecutionId,
    },
    /// A child execution ended.
    ChildEnded {
        /// The child.
        child: ExecutionId,
        /// How.
        outcome: ChildOutcome,
    },
    /// An event was received. A listener is fed the events after the position it names, in the order of their
    /// positions, as long as it asks for events ([`Command::AwaitEvent`](crate::Command)).
    EventArrived {
        /// The task execution that listens.
        task: Sequence,
        /// The event's place among all events.
        position: EventPosition,
        /// The event.
        event: CloudEvent,
    },
    /// There is room: the execution need not wait any more to be admitted.
    Admitted,
    /// A call that waits may be made: few enough were made lately.
    CallAdmitted {
        /// The task execution whose call it is.
        task: Sequence,
    },
    /// An operator's hand.
    Control(Control),
}

/// How a call ended.
#[derive(Debug, Clone)]
pub enum CallOutcome {
    /// Well.
    Completed(Value),
    /// With an error that tells what happened.
    Failed(Error),
    /// It was given up before anything left.
    NotMade,
    /// Nobody knows.
    Unknown(Error),
}

/// What a connector knows about an attempt.
#[derive(Debug, Clone)]
pub enum ProbeOutcome {
    /// It ended well.
    Completed(Value),
    /// It ended with an error.
    Failed(Error),
    /// It was not made.
    NotMade,
    /// Nobody can tell.
    Unknown,
}

/// How a child execution ended.
#[derive(Debug, Clone)]
pub enum ChildOutcome {
    /// Well.
    Completed(Value),
    /// With an error.
    Faulted(Error),
    /// It was cancelled.
    Cancelled,
}

/// What an operator wants of an execution.
#[derive(Debug, Clone)]
pub enum Control {
    /// Start nothing new and hold the timers.
    Suspend,
    /// Go on.
    Resume,
    /// End it; what is in flight is settled first.
    Cancel {
        /// Why.
        reason: Option<String>,
    },
    /// Settle the unknown outcome of a call.
    Resolve {
        /// The task execution whose call it is.
        task: Sequence,
        /// How.
        resolution: Resolution,
    },
}

/// Why an input was refused. The execution is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The execution has ended.
    #[error("the execution has ended")]
    Ended,
    /// The task execution is not there, or not in a state in which the input means anything: a late or repeated fact.
    #[error("the task execution {task} does not wait for this")]
    Stale {
        /// The task execution.
        task: Sequence,
    },
    /// The child is not one the execution waits for.
    #[error("the execution does not wait for this child")]
    UnknownChild,
    /// The event is not one that the listener awaits, or was consumed before; it need not be told again.
    #[error("the event does not match")]
    NotMatched,
    /// Going back needs calls and children to be settled first: suspend or cancel the execution.
    #[error("the execution has work under way; suspend or cancel it first")]
    Busy,
    /// The journal knows no passage of the task to go back to.
    #[error("the execution has never passed the task to go back to")]
    NoSuchTask,
    /// What a task before the one to go back to did has been undone: it would count as done again.
    #[error("a task before it has been undone since; go back to that one")]
    Undone,
    /// Nothing to do: no timer is due, nothing is left to go on with, or the execution already is as asked.
    #[error("there is nothing to do")]
    Nothing,
}
