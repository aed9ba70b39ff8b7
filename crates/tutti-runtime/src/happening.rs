//! What happens to the loop, and what it wants done.

use std::sync::Arc;

use tutti_connectors::Call;
use tutti_dsl::Workflow;
use tutti_engine::{
    CallOutcome, ChildOutcome, ChildRequest, Control, Outcome, ProbeOutcome, Rejection, Start,
};
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::{CloudEvent, Error, EventPosition, Turn};
use tutti_store::{AuditFact, Commit, History, RecordId};

/// Names one request of a caller, so that the answer finds it.
pub type RequestId = u64;

/// Something that happened, for the loop to take in.
#[derive(Debug)]
pub enum Happening {
    /// An execution is to be started.
    Start {
        /// How.
        start: Start,
        /// Its definition, compiled.
        workflow: Arc<Workflow>,
        /// What becomes durable with it.
        beside: Beside,
        /// Who asks.
        request: RequestId,
    },
    /// An execution that the store knows is to be gone on with.
    Adopt {
        /// Which.
        execution: ExecutionId,
        /// Who asks.
        request: RequestId,
    },
    /// Somebody wants to know when an execution ends or needs a person.
    Watch {
        /// Which.
        execution: ExecutionId,
        /// Who asks.
        request: RequestId,
    },
    /// There is room for an execution that waits to be admitted, or a call of it that waits may be made.
    Admit {
        /// Which.
        execution: ExecutionId,
        /// The task execution whose call may be made; none where it is about the execution.
        call: Option<Sequence>,
        /// What becomes durable with it.
        beside: Beside,
        /// Who asks.
        request: RequestId,
    },
    /// An operator's hand.
    Control {
        /// Which execution.
        execution: ExecutionId,
        /// What is wanted.
        control: Control,
        /// What becomes durable with it.
        beside: Beside,
        /// Who asks.
        request: RequestId,
    },
    /// An operator wants an execution taken back to the start of a task, ended or not.
    Retry {
        /// Which execution.
        execution: ExecutionId,
        /// The task whose latest passage is void; none for the one whose error ended the execution.
        from: Option<TaskRef>,
        /// What becomes durable with it.
        beside: Beside,
        /// Who asks.
        request: RequestId,
    },
    /// A call ended.
    CallFinished {
        /// Which.
        execution: ExecutionId,
        /// The task execution.
        task: Sequence,
        /// The attempt.
        attempt: u32,
        /// How.
        outcome: CallOutcome,
    },
    /// A connector said what became of a call.
    ProbeFinished {
        /// Which.
        execution: ExecutionId,
        /// The task execution.
        task: Sequence,
        /// What it said.
        outcome: ProbeOutcome,
    },
    /// Events were logged durably: the log ends here, or later.
    EventsLogged {
        /// The position of the newest.
        newest: EventPosition,
    },
    /// A part of the log of events was read.
    EventsRead {
        /// It begins after this position.
        after: EventPosition,
        /// The events, in order.
        result: Result<Vec<(EventPosition, CloudEvent)>, tutti_store::Error>,
    },
    /// An execution was read from the store.
    Loaded {
        /// Which.
        execution: ExecutionId,
        /// Its journal and definition; none where the store does not know it.
        result: Result<Option<Stored>, Unread>,
    },
    /// Another execution, of this loop or of another, has a message for one of this loop's.
    Told {
        /// Whom it is for.
        to: ExecutionId,
        /// What it says.
        message: Message,
    },
    /// A commit ended.
    Committed {
        /// Whether all of it is durable.
        result: Result<(), tutti_store::Error>,
    },
    /// Some loop has set an execution aside.
    SetAside,
    /// Time has passed.
    Tick,
}

/// What becomes durable with the turn that carries out a request, in one transaction, or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// Records and what they hold from then on, whatever they held before: a turn waits for nothing.
    pub records: Vec<(RecordId, Option<Vec<u8>>)>,
    /// Facts for the audit trail.
    pub audit: Vec<AuditFact>,
}

/// A journal, or a snapshot and what follows it, and the definition it is about, compiled.
pub type Stored = (Box<History>, Arc<Workflow>);

/// Why an execution was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// The store does not answer: that is not about this execution alone.
    #[error("the store cannot be read")]
    Store(#[source] tutti_store::Error),
    /// What is stored of it is damaged, or its definition is.
    #[error("{0}")]
    Damaged(String),
}

impl From<tutti_store::Error> for Unread {
    fn from(error: tutti_store::Error) -> Self {
        match error {
            tutti_store::Error::Damaged(_)
            | tutti_store::Error::Corrupt { .. }
            | tutti_store::Error::NotEnded { .. }
            | tutti_store::Error::Erased { .. }
            | tutti_store::Error::Unknown { .. } => Self::Damaged(error.to_string()),
            tutti_store::Error::Conflict { .. }
            | tutti_store::Error::Stale { .. }
            | tutti_store::Error::Ambiguous { .. }
            | tutti_store::Error::Unavailable { .. } => Self::Store(error),
        }
    }
}

/// What one execution tells another. Messages from one loop to another arrive in the order in which they were told, and
/// each may be told again: it means no more the second time.
#[derive(Debug)]
pub enum Message {
    /// A parent wants this child started, if it has not been, and to know how it ends.
    StartChild {
        /// What is wanted.
        request: Box<ChildRequest>,
        /// The newest event the parent's loop has seen: the child listens to later ones.
        newest_event: EventPosition,
    },
    /// A parent gives this child up.
    CancelChild {
        /// Who gives it up.
        parent: ExecutionId,
    },
    /// A child whose end nobody awaits is on its way.
    ChildStarted {
        /// Which.
        child: ExecutionId,
    },
    /// A child has ended.
    ChildEnded {
        /// Which.
        child: ExecutionId,
        /// How.
        outcome: ChildOutcome,
    },
    /// Something below this execution stands still.
    Stands,
    /// A parent wants to know whether this child and all below it stand still.
    Count {
        /// The parent.
        parent: ExecutionId,
        /// Names the count.
        number: u64,
    },
    /// How a child stands that was counted.
    Counted {
        /// Which.
        child: ExecutionId,
        /// Which count.
        number: u64,
        /// None where something moves.
        standing: Option<Standing>,
    },
    /// A child was read again after a commit failed, and may have forgotten what its parent wants of it.
    AskAgain {
        /// Which.
        child: ExecutionId,
    },
}

/// How an execution, and all below it, stands still.
#[derive(Debug, Default)]
pub struct Standing {
    /// Whether any of them is suspended.
    pub is_suspended: bool,
    /// What needs a person.
    pub incidents: Vec<Incident>,
    /// The events they await.
    pub awaited: Vec<Awaited>,
    /// Why one of them cannot be read.
    pub lost: Option<String>,
}

/// Something to do for the loop.
#[derive(Debug)]
pub enum Output {
    /// Write this, then tell [`Happening::Committed`]; where it has events that may be stored now, tell all loops
    /// [`Happening::EventsLogged`] before. There is one at a time.
    Commit(Commit),
    /// Read this execution, its snapshot and what follows it, then tell [`Happening::Loaded`].
    Load(ExecutionId),
    /// Read the whole journal of this execution, as going back needs it and as a snapshot that is of no use leaves it,
    /// then tell [`Happening::Loaded`].
    LoadWhole(ExecutionId),
    /// Read so many events of the log, then tell [`Happening::EventsRead`]. There is one such read at a time.
    ReadEvents {
        /// After this position.
        after: EventPosition,
        /// At most so many.
        limit: usize,
    },
    /// Make this call of this function, then tell [`Happening::CallFinished`].
    MakeCall(Arc<str>, Call),
    /// Tell a call under way that it is no longer wanted.
    CancelCall(ExecutionId, Sequence),
    /// Ask the connector of this function what became of this call, then tell [`Happening::ProbeFinished`].
    Probe(Arc<str>, Call),
    /// A turn is durable.
    Publish(Turn, Arc<Workflow>),
    /// A request was carried out durably, or refused.
    Reply(RequestId, Result<(), Refusal>),
    /// What was watched for has come.
    Settled(RequestId, Settlement),
    /// Hand this message to the loop that owns the execution, as [`Happening::Told`]. What one loop tells another must
    /// arrive in this order.
    Tell {
        /// Whom it is for.
        to: ExecutionId,
        /// What it says.
        message: Message,
    },
    /// This execution cannot be read, for this reason, and is left alone until somebody asks for it again: tell every loop
    /// [`Happening::SetAside`].
    SetAside(ExecutionId, String),
    /// Nothing more can be done: the store failed.
    Halt(tutti_store::Error),
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such execution.
    #[error("there is no execution {0}")]
    NotFound(ExecutionId),
    /// The execution cannot do this as it stands.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The execution cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

/// How an execution that was watched stands when it needs nothing more of us.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// It ended.
    Ended(Outcome),
    /// It is suspended; incidents say what needs a person.
    Suspended {
        /// Those of the execution and of its children.
        incidents: Vec<Incident>,
    },
    /// It goes on only when an event arrives that is not in the log yet.
    Listening {
        /// What it and its children await.
        awaited: Vec<Awaited>,
    },
    /// It cannot be read, or waits for a child that cannot.
    Lost(String),
}

/// Something only a person can settle: a call's unknown outcome, or a journal that has reached its limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// The execution it belongs to.
    pub execution: ExecutionId,
    /// The task execution; the execution itself ([`Sequence::FIRST`]) where its journal has reached its limit.
    pub task: Sequence,
    /// The task in the document.
    pub reference: TaskRef,
    /// The error.
    pub error: Error,
}

impl Incident {
    /// Whether the journal has reached its limit: resuming or cancelling the execution settles that.
    pub fn is_journal_limit(&self) -> bool {
        self.task == Sequence::FIRST
    }
}

/// What a task that listens awaits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// The execution it belongs to.
    pub execution: ExecutionId,
    /// The task execution.
    pub task: Sequence,
    /// The task in the document.
    pub reference: TaskRef,
    /// The types of events that may match, none standing for any type; one for each filter that is open.
    pub kinds: Vec<Option<Arc<str>>>,
}
