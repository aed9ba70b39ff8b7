//! A task execution that is going on: one frame of an execution's tree.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tutti_dsl::{ListId, TaskId};
use tutti_expr::Value;
use tutti_ids::Sequence;
use tutti_journal::{CallRecord, Error, Flow, Timestamp};

use crate::child::ChildRequest;

/// A task execution that is going on, an item of an `each`, or the workflow itself.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) id: Sequence,
    /// The frame it runs in; none for the workflow itself.
    pub(crate) parent: Option<Sequence>,
    /// The task in the document; an item has its `each`'s; none for the workflow itself.
    pub(crate) task: Option<TaskId>,
    pub(crate) role: Role,
    /// Which turn of the parent's loop it runs in.
    pub(crate) iteration: Option<u64>,
    pub(crate) started_at: Timestamp,
    pub(crate) raw: Value,
    pub(crate) input: Value,
    /// When it times out.
    pub(crate) due: Option<Timestamp>,
    /// How many frames run directly in it.
    pub(crate) children: usize,
    /// How it will end once its children are gone.
    pub(crate) ending: Option<Ending>,
    /// `$context`, where this frame has one of its own: the workflow, a branch, an item.
    pub(crate) context: Option<Value>,
    pub(crate) body: Body,
    /// What completed in it and could be undone.
    pub(crate) undos: Undos,
    /// Whether it stands in the queue of frames that are ready.
    pub(crate) queued: bool,
}

/// What a frame stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Workflow,
    Task,
    Item,
    /// The undoing of a task that had completed.
    Undo,
}

/// How a frame will end once its children are gone.
#[derive(Debug, Clone)]
pub(crate) enum Ending {
    /// With an error.
    Fault(Error),
    /// Because something around it ends.
    Cancel,
    /// Well, before all of its children had ended: a branch won, or the flow said `end`.
    Finish,
}

/// How far a frame has come.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// Nothing is decided yet; what the task does is decided next.
    Fresh,
    /// A `switch` that chose.
    Switched { then: Flow },
    /// Tasks one after another: the workflow, a `do`, an item.
    List(Cursor),
    /// `for`
    For {
        items: Value,
        /// Which item the body runs for.
        index: u64,
        /// Whether the body has begun for it.
        entered: bool,
        cursor: Cursor,
    },
    /// `fork`, and `each` over its items.
    Fork(Branches),
    /// `try`
    Try(TryState),
    /// `wait`
    Wait { due: Timestamp },
    /// A call of a connector.
    Call { record: CallRecord, phase: CallPhase },
    /// A child execution.
    Child { request: ChildRequest, phase: ChildPhase },
    /// A function's task, which runs as a child frame.
    Function { input: Value, output: Option<Value> },
    /// The tasks that take back one that had completed.
    Undo(UndoState),
}

/// A place in a list of tasks.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    pub(crate) list: ListId,
    /// Which task comes next, or runs.
    pub(crate) position: usize,
    /// The output of the task before: the next one's raw input.
    pub(crate) data: Value,
}

impl Cursor {
    pub(crate) fn new(list: ListId, data: Value) -> Self {
        Self { list, position: 0, data }
    }
}

/// What runs beside each other: branches of a `fork` or items of an `each`.
#[derive(Debug, Clone)]
pub(crate) struct Branches {
    pub(crate) kind: BranchesKind,
    /// Those that have started or were skipped all stand before this one.
    next: usize,
    /// Those before it that have not: going back made their starts void.
    left_out: BTreeSet<usize>,
    /// How each ended.
    pub(crate) results: Vec<Option<Result<Value, Error>>>,
    pub(crate) failed: usize,
    /// The branch that won.
    pub(crate) winner: Option<usize>,
    /// `$context` when they began, and as each that ended left it.
    pub(crate) base: Value,
    pub(crate) contexts: BTreeMap<usize, Value>,
    pub(crate) joined: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum BranchesKind {
    Fork { compete: bool },
    Each { items: Value, limit: usize, collect: bool, allowed_failures: usize },
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

/// `try`
#[derive(Debug, Clone)]
pub(crate) struct TryState {
    pub(crate) phase: TryPhase,
    pub(crate) cursor: Cursor,
    /// How many retries there were.
    pub(crate) retries: u64,
    /// When the attempt that runs times out.
    pub(crate) attempt_due: Option<Timestamp>,
    /// The keys of calls that failed in the body: their re-runs take them over.
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

#[derive(Debug, Clone)]
pub(crate) enum TryPhase {
    /// The tasks under `try` run.
    Body,
    /// An error came out of them; what to do is decided next.
    Caught(Error),
    /// What completed in it is being undone before the error is handled.
    Undoing(Error),
    /// It waits before it tries again.
    Delay { due: Timestamp },
    /// The tasks under `catch.do` run.
    Handler(Error),
}

/// A task that completed and says how it is taken back.
#[derive(Debug, Clone)]
pub(crate) struct Undo {
    pub(crate) task: TaskId,
    /// What it gave: the raw input of the first task that undoes it.
    pub(crate) output: Value,
    /// The variables that loops and handlers around it had bound, innermost first.
    pub(crate) bound: Vec<(Arc<str>, Value)>,
}

/// What could be undone, by the entry with which it completed.
pub(crate) type Undos = BTreeMap<Sequence, Undo>;

/// How far the undoing of a task has come.
#[derive(Debug, Clone)]
pub(crate) struct UndoState {
    pub(crate) undo: Undo,
    pub(crate) cursor: Cursor,
    /// Why it could not go on; a person is asked.
    pub(crate) incident: Option<Error>,
    /// The keys of calls that failed in it: when it begins again, their re-runs take them over.
    pub(crate) keys: KeyRing,
}

/// Where a task execution stands, the same for its re-run: the tasks from the workflow down to it, each with the iteration
/// it runs in. An undoing has its own number there: what it takes back is not taken back again.
pub(crate) type Place = Vec<(TaskId, Option<u64>)>;

/// Keys of failed calls by place, with the attempts made under them.
pub(crate) type KeyRing = BTreeMap<Place, (Arc<str>, u32)>;

/// How far a call has come.
#[derive(Debug, Clone)]
pub(crate) enum CallPhase {
    /// It may be made; for `once`, after its dispatch is recorded.
    Scheduled,
    /// It has left, or is about to.
    Dispatched,
    /// Its outcome is unknown and its connector is being asked.
    Probing(Error),
    /// Its outcome is unknown and what that means is decided next.
    Unknown(Error),
    /// A person is asked.
    Incident(Error),
    /// It ended; what follows is decided next.
    Done(Result<Value, Error>),
}

/// How far a child execution has come.
#[derive(Debug, Clone)]
pub(crate) enum ChildPhase {
    /// It is to be started, or on its way.
    Requested,
    /// It ended, or need not be waited for.
    Done(Result<Value, Error>),
}
