//! A task execution that is going on: one frame of an execution's tree.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};
use tutti_dsl::{ListId, TaskId};
use tutti_expr::Value;
use tutti_ids::Sequence;
use tutti_journal::{CallRecord, Error, Flow, Payloads, Timestamp, codec};

use crate::{
    child::ChildRequest,
    extension::{After, Before},
    key_ring,
    listening::Listening,
    places::{contexts, optional_task, results},
    undo::{self, UndoState, Undos},
};
pub(crate) use crate::{
    cursor::Cursor,
    key_ring::{KeyRing, Place},
};

/// A task execution that is going on, an item of an `each`, or the workflow itself.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) struct Frame {
    #[cbor(n(0), with = "codec::sequence")]
    pub(crate) id: Sequence,
    /// The frame it runs in; none for the workflow itself.
    #[cbor(n(1), with = "codec::optional_sequence")]
    pub(crate) parent: Option<Sequence>,
    /// The task in the document; an item has its `each`'s; none for the workflow itself.
    #[cbor(n(2), with = "optional_task")]
    pub(crate) task: Option<TaskId>,
    #[n(3)]
    pub(crate) role: Role,
    /// Which turn of the parent's loop it runs in.
    #[n(4)]
    pub(crate) iteration: Option<u64>,
    #[n(5)]
    pub(crate) started_at: Timestamp,
    #[cbor(n(6), with = "codec::value")]
    pub(crate) raw: Value,
    #[cbor(n(7), with = "codec::value")]
    pub(crate) input: Value,
    /// When it times out.
    #[n(8)]
    pub(crate) due: Option<Timestamp>,
    /// How many frames run directly in it.
    #[n(9)]
    pub(crate) children: usize,
    /// How it will end once its children are gone.
    #[n(10)]
    pub(crate) ending: Option<Ending>,
    /// `$context`, where this frame has one of its own: the workflow, a branch, an item.
    #[cbor(n(11), with = "codec::optional", has_nil)]
    pub(crate) context: Option<Value>,
    #[n(12)]
    pub(crate) body: Body,
    /// What completed in it and could be undone.
    #[cbor(n(14), with = "undo::by_entry")]
    pub(crate) undos: Undos,
    /// The places of the extensions that apply to it among the workflow's, in the order they are declared.
    #[n(15)]
    pub(crate) extensions: Vec<u32>,
    /// Whether it stands in the queue of frames that are ready.
    #[n(13)]
    pub(crate) queued: bool,
}

impl Frame {
    /// One that begins at `at` with the entry `id`, to do nothing yet for nobody: what it is, is for the caller to say.
    pub(crate) fn new(id: Sequence, at: Timestamp, role: Role, input: Value, body: Body) -> Self {
        Self {
            id,
            parent: None,
            task: None,
            role,
            iteration: None,
            started_at: at,
            raw: input.clone(),
            input,
            due: None,
            children: 0,
            ending: None,
            context: None,
            body,
            undos: Undos::new(),
            extensions: Vec::new(),
            queued: false,
        }
    }
}

/// What a frame stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Role {
    #[n(0)]
    Workflow,
    #[n(1)]
    Task,
    #[n(2)]
    Item,
    /// The undoing of a task that had completed.
    #[n(3)]
    Undo,
}

/// How a frame will end once its children are gone.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) enum Ending {
    /// With an error.
    #[n(0)]
    Fault(#[n(0)] Error),
    /// Because something around it ends.
    #[n(1)]
    Cancel,
    /// Well, before all of its children had ended: a branch won, or the flow said `end`.
    #[n(2)]
    Finish,
}

/// How far a frame has come.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) enum Body {
    /// Nothing is decided yet; what the task does is decided next.
    #[n(0)]
    Fresh,
    /// A `switch` that chose.
    #[n(1)]
    Switched {
        #[n(0)]
        then: Flow,
    },
    /// Tasks one after another: the workflow, a `do`, an item.
    #[n(2)]
    List(#[n(0)] Cursor),
    /// `for`
    #[n(3)]
    For {
        #[cbor(n(0), with = "codec::value")]
        items: Value,
        /// Which item the body runs for.
        #[n(1)]
        index: u64,
        /// Whether the body has begun for it.
        #[n(2)]
        entered: bool,
        #[n(3)]
        cursor: Cursor,
    },
    /// `fork`, and `each` over its items.
    #[n(4)]
    Fork(#[n(0)] Branches),
    /// `try`
    #[n(5)]
    Try(#[n(0)] TryState),
    /// `wait`
    #[n(6)]
    Wait {
        #[n(0)]
        due: Timestamp,
    },
    /// A call of a connector.
    #[n(7)]
    Call {
        #[n(0)]
        record: CallRecord,
        #[n(1)]
        phase: CallPhase,
    },
    /// A child execution.
    #[n(8)]
    Child {
        #[n(0)]
        request: ChildRequest,
        #[n(1)]
        phase: ChildPhase,
    },
    /// An `emit`: the event.
    #[n(11)]
    Emitted(#[cbor(n(0), with = "codec::value")] Value),
    /// A `listen`.
    #[n(12)]
    Listen(#[n(0)] Box<Listening>),
    /// A function's task, which runs as a child frame.
    #[n(9)]
    Function {
        #[cbor(n(0), with = "codec::value")]
        input: Value,
        #[cbor(n(1), with = "codec::optional", has_nil)]
        output: Option<Value>,
    },
    /// The tasks that take back one that had completed.
    #[n(10)]
    Undo(#[n(0)] UndoState),
    /// A task that extensions extend; which of them apply is decided next.
    #[n(20)]
    Extended,
    /// The tasks before what it does.
    #[n(21)]
    Before(#[n(0)] Before),
    /// Passed over by `exit` in a task before it, with this as its raw output.
    #[n(22)]
    Bypassed(#[cbor(n(0), with = "codec::value")] Value),
    /// The tasks after what it does.
    #[n(23)]
    After(#[n(0)] After),
}

/// What runs beside each other: branches of a `fork` or items of an `each`.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) struct Branches {
    #[n(0)]
    pub(crate) kind: BranchesKind,
    /// Those that have started or were skipped all stand before this one.
    #[n(1)]
    next: usize,
    /// Those before it that have not: going back made their starts void.
    #[n(8)]
    left_out: BTreeSet<usize>,
    /// How each ended.
    #[cbor(n(2), with = "results")]
    pub(crate) results: Vec<Option<Result<Value, Error>>>,
    #[n(3)]
    pub(crate) failed: usize,
    /// The branch that won.
    #[n(4)]
    pub(crate) winner: Option<usize>,
    /// `$context` when they began, and as each that ended left it.
    #[cbor(n(5), with = "codec::value")]
    pub(crate) base: Value,
    #[cbor(n(6), with = "contexts")]
    pub(crate) contexts: BTreeMap<usize, Value>,
    #[n(7)]
    pub(crate) joined: bool,
}

#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) enum BranchesKind {
    #[n(0)]
    Fork {
        #[n(0)]
        compete: bool,
    },
    #[n(1)]
    Each {
        #[cbor(n(0), with = "codec::value")]
        items: Value,
        #[n(1)]
        limit: usize,
        #[n(2)]
        collect: bool,
        #[n(3)]
        allowed_failures: usize,
    },
}

impl Branches {
    pub(crate) fn new(kind: BranchesKind, width: usize, base: Value) -> Self {
        Self {
            kind,
            next: 0,
            left_out: BTreeSet::new(),
            results: vec![None; width],
            failed: 0,
            winner: None,
            base,
            contexts: BTreeMap::new(),
            joined: false,
        }
    }

    /// The one to start next; as many as there are where none is left.
    pub(crate) fn upcoming(&self) -> usize {
        self.left_out.first().copied().unwrap_or(self.next)
    }

    /// One starts or is skipped.
    pub(crate) fn begin(&mut self, branch: usize) {
        if branch >= self.results.len() {
            return;
        }
        self.left_out.remove(&branch);
        self.left_out.extend(self.next..branch);
        self.next = self.next.max(branch.saturating_add(1));
    }

    /// How many may run at once.
    pub(crate) fn limit(&self) -> usize {
        match self.kind {
            BranchesKind::Fork { .. } => usize::MAX,
            BranchesKind::Each { limit, .. } => limit,
        }
    }
}

impl Frame {
    /// Whether an error that comes out of one of its branches or items may stay in it, seen by no `try` around it.
    pub(crate) fn keeps_errors(&self) -> bool {
        let Body::Fork(branches) = &self.body else { return false };
        match branches.kind {
            BranchesKind::Fork { compete } => compete,
            BranchesKind::Each { collect, .. } => collect,
        }
    }
}

/// `try`
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) struct TryState {
    #[n(0)]
    pub(crate) phase: TryPhase,
    #[n(1)]
    pub(crate) cursor: Cursor,
    /// How many retries there were.
    #[n(2)]
    pub(crate) retries: u64,
    /// When the attempt that runs times out.
    #[n(3)]
    pub(crate) attempt_due: Option<Timestamp>,
    /// The keys of calls that failed in the body: their re-runs take them over.
    #[cbor(n(4), with = "key_ring")]
    pub(crate) keys: KeyRing,
}

impl TryState {
    pub(crate) fn new(body: ListId, input: Value) -> Self {
        Self {
            phase: TryPhase::Body,
            cursor: Cursor::new(body, input),
            retries: 0,
            attempt_due: None,
            keys: KeyRing::new(),
        }
    }
}

#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) enum TryPhase {
    /// The tasks under `try` run.
    #[n(0)]
    Body,
    /// An error came out of them; what to do is decided next.
    #[n(1)]
    Caught(#[n(0)] Error),
    /// What completed in it is being undone before the error is handled.
    #[n(4)]
    Undoing(#[n(0)] Error),
    /// It waits before it tries again.
    #[n(2)]
    Delay {
        #[n(0)]
        due: Timestamp,
    },
    /// The tasks under `catch.do` run.
    #[n(3)]
    Handler(#[n(0)] Error),
}

/// How far a call has come.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) enum CallPhase {
    /// It may be made; for `once`, after its dispatch is recorded.
    #[n(0)]
    Scheduled,
    /// It has left, or is about to.
    #[n(1)]
    Dispatched,
    /// Its outcome is unknown and its connector is being asked.
    #[n(2)]
    Probing(#[n(0)] Error),
    /// Its outcome is unknown and what that means is decided next.
    #[n(3)]
    Unknown(#[n(0)] Error),
    /// A person is asked.
    #[n(4)]
    Incident(#[n(0)] Error),
    /// It ended; what follows is decided next.
    #[n(5)]
    Done(#[cbor(n(0), with = "codec::result")] Result<Value, Error>),
    /// It is to be made when it may, see `cooldown`.
    #[n(6)]
    Held {
        /// Those with the same count together.
        #[n(0)]
        group: Option<String>,
        #[n(1)]
        since: Timestamp,
    },
}

/// How far a child execution has come.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) enum ChildPhase {
    /// It is to be started, or on its way.
    #[n(0)]
    Requested,
    /// It ended, or need not be waited for.
    #[n(1)]
    Done(#[cbor(n(0), with = "codec::result")] Result<Value, Error>),
}
