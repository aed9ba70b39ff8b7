//! One life of a workflow, folded from its journal.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::Arc,
};

use minicbor::{Decode, Encode};
use tutti_dsl::{Task, Workflow};
use tutti_expr::Value;
use tutti_ids::{DefinitionRef, Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::{Error, EventPosition, Parent, Payloads, SuspensionReason, Timestamp, codec};

use crate::{
    frame::{Body, CallPhase, ChildPhase, Ending, Frame, KeyRing, Place, Role, TryPhase},
    hold::Hold,
    listening::Consumed,
    undo::UndoState,
};

/// One life of a workflow: the fold of its journal so far.
#[derive(Clone)]
pub struct Execution {
    pub(crate) id: ExecutionId,
    pub(crate) workflow: Arc<Workflow>,
    pub(crate) definition: DefinitionRef,
    pub(crate) digest: Digest,
    pub(crate) seed: u64,
    pub(crate) parent: Option<Parent>,
    pub(crate) started_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Of the next entry.
    pub(crate) next: Sequence,
    pub(crate) frames: BTreeMap<Sequence, Frame>,
    /// Frames whose next decision is ours, in the order they became so. Entries that no longer are get skipped.
    pub(crate) ready: VecDeque<Sequence>,
    /// Frames the world may owe something.
    pub(crate) external: BTreeSet<Sequence>,
    pub(crate) timers: BTreeSet<(Timestamp, Sequence)>,
    pub(crate) suspended: Option<(SuspensionReason, Timestamp)>,
    /// Since when it waits to be admitted.
    pub(crate) held: Option<Timestamp>,
    /// What it is admitted by, if it is not free to begin.
    pub(crate) hold: Option<Hold>,
    pub(crate) outcome: Option<Outcome>,
    /// Keys of calls voided by going back: their re-runs take them over.
    pub(crate) handed_keys: KeyRing,
    /// Where the entries that the limit of the journal counts begin: each grant counts anew.
    pub(crate) granted_at: Sequence,
    /// The last event received before it began.
    pub(crate) events_after: EventPosition,
    /// Which events were consumed on each line of flow: that of the workflow and of each branch or item, by its frame.
    pub(crate) lines: BTreeMap<Sequence, Consumed>,
    /// The same of branches and items that have ended, by the frame around them, until that ends.
    pub(crate) joining: BTreeMap<Sequence, Consumed>,
    /// `$workflow`, made once.
    pub(crate) descriptor: Value,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub enum Outcome {
    /// Well, with this output.
    #[n(0)]
    Completed(#[cbor(n(0), with = "codec::value")] Value),
    /// With an error nothing caught.
    #[n(1)]
    Faulted(#[n(0)] Error),
    /// It was cancelled.
    #[n(2)]
    Cancelled,
}

/// How an execution stands: the phases of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It has not begun, or waits to be admitted again.
    Pending,
    /// It works, or a call of it does.
    Running,
    /// It waits for a timer, an event or a child.
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

impl Execution {
    /// An execution without any entry. Its first entry must be `ExecutionStarted`.
    pub fn new(
        id: ExecutionId,
        definition: DefinitionRef,
        digest: Digest,
        workflow: Arc<Workflow>,
    ) -> Self {
        Self {
            id,
            workflow,
            definition,
            digest,
            seed: 0,
            parent: None,
            started_at: Timestamp(0),
            updated_at: Timestamp(0),
            next: Sequence::FIRST,
            frames: BTreeMap::new(),
            ready: VecDeque::new(),
            external: BTreeSet::new(),
            timers: BTreeSet::new(),
            suspended: None,
            held: None,
            hold: None,
            outcome: None,
            handed_keys: KeyRing::new(),
            granted_at: Sequence::FIRST,
            events_after: EventPosition::default(),
            lines: BTreeMap::new(),
            joining: BTreeMap::new(),
            descriptor: Value::NULL,
        }
    }

    /// Its id.
    pub fn id(&self) -> ExecutionId {
        self.id
    }

    /// The name of its definition.
    pub fn definition(&self) -> &DefinitionRef {
        &self.definition
    }

    /// The digest of its definition.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its definition, compiled.
    pub fn workflow(&self) -> &Arc<Workflow> {
        &self.workflow
    }

    /// The task that started it.
    pub fn parent(&self) -> Option<Parent> {
        self.parent
    }

    /// When it started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// When its last entry was decided.
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// The sequence its next entry will have.
    pub fn next_sequence(&self) -> Sequence {
        self.next
    }

    /// How it ended, if it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Why it is suspended, if it is.
    pub fn suspended(&self) -> Option<&SuspensionReason> {
        self.suspended.as_ref().map(|(reason, _)| reason)
    }

    /// What it is admitted by, if it was not free to begin.
    pub fn hold(&self) -> Option<&Hold> {
        self.hold.as_ref()
    }

    /// Since when it waits to be admitted, if it does.
    pub fn held(&self) -> Option<Timestamp> {
        self.held
    }

    /// Whether nothing of it may go on: it was paused, or was not admitted yet.
    pub(crate) fn is_still(&self) -> bool {
        self.suspended.is_some() || self.held.is_some()
    }

    /// The earliest time at which a timer fires.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// The open incidents: what only a person can settle.
    pub fn incidents(&self) -> impl Iterator<Item = (Sequence, TaskRef, &Error)> {
        self.external_frames().filter_map(|frame| match &frame.body {
            Body::Call { phase: CallPhase::Incident(error), .. }
            | Body::Undo(UndoState { incident: Some(error), .. }) => {
                Some((frame.id, self.reference(frame), error))
            }
            _ => None,
        })
    }

    /// How it stands.
    pub fn status(&self) -> Status {
        match (&self.outcome, &self.suspended) {
            (Some(Outcome::Completed(_)), _) => Status::Completed,
            (Some(Outcome::Faulted(_)), _) => Status::Faulted,
            (Some(Outcome::Cancelled), _) => Status::Cancelled,
            (None, Some(_)) => Status::Suspended,
            (None, None) if self.held.is_some() || self.frames.is_empty() => Status::Pending,
            (None, None) if self.has_ready() || self.external_frames().any(is_working) => {
                Status::Running
            }
            (None, None) => Status::Waiting,
        }
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(crate) fn frame(&self, id: Sequence) -> Option<&Frame> {
        self.frames.get(&id)
    }

    pub(crate) fn external_frames(&self) -> impl Iterator<Item = &Frame> {
        self.external.iter().filter_map(|id| self.frames.get(id))
    }

    pub(crate) fn task_of(&self, frame: &Frame) -> Option<&Task> {
        frame.task.map(|task| self.workflow.task(task))
    }

    /// The place of a frame in the document.
    pub(crate) fn reference(&self, frame: &Frame) -> TaskRef {
        self.task_of(frame).map_or_else(TaskRef::root, |task| TaskRef::new(task.reference.clone()))
    }

    /// The iteration numbers of the loops around a frame, outermost first.
    pub(crate) fn iteration_path(&self, frame: &Frame) -> Vec<u64> {
        let mut path: Vec<u64> =
            self.ancestors(frame).filter_map(|around| around.iteration).collect();
        path.reverse();
        path.extend(frame.iteration);
        path
    }

    /// Where a frame stands.
    pub(crate) fn place(&self, frame: &Frame) -> Place {
        let step = |frame: &Frame| {
            let undoing = (frame.role == Role::Undo).then_some(frame.id.0);
            frame.task.map(|task| (task, undoing.or(frame.iteration)))
        };
        let mut place: Place = self.ancestors(frame).filter_map(step).collect();
        place.reverse();
        place.extend(step(frame));
        place
    }

    /// The frames around a frame, innermost first.
    pub(crate) fn ancestors<'a>(
        &'a self,
        frame: &Frame,
    ) -> impl Iterator<Item = &'a Frame> + use<'a> {
        let mut next = frame.parent;
        std::iter::from_fn(move || {
            let around = self.frames.get(&next?)?;
            next = around.parent;
            Some(around)
        })
    }

    /// The frame whose `$context` a frame sees.
    pub(crate) fn context_owner(&self, frame: &Frame) -> Sequence {
        if frame.context.is_some() {
            return frame.id;
        }
        self.ancestors(frame)
            .find(|around| around.context.is_some())
            .map_or(Sequence::FIRST, |around| around.id)
    }
}

/// Whether a call is being made for this frame.
fn is_working(frame: &Frame) -> bool {
    let waits =
        |phase: &CallPhase| matches!(phase, CallPhase::Incident(_) | CallPhase::Held { .. });
    matches!(&frame.body, Body::Call { phase, .. } if !waits(phase))
}

impl Frame {
    /// Whether the next decision about this frame is ours.
    pub(crate) fn is_ready(&self) -> bool {
        match &self.ending {
            Some(_) => self.children == 0 && !self.is_unsettled(),
            None => self.can_go_on(),
        }
    }

    /// Whether something this frame asked of the world has to be settled before it may end.
    fn is_unsettled(&self) -> bool {
        match &self.body {
            Body::Call { phase, .. } => {
                matches!(
                    phase,
                    CallPhase::Dispatched | CallPhase::Probing(_) | CallPhase::Incident(_)
                )
            }
            Body::Child { request, phase: ChildPhase::Requested } => request.parent.awaits,
            _ => false,
        }
    }

    fn can_go_on(&self) -> bool {
        match &self.body {
            Body::Fresh
            | Body::Switched { .. }
            | Body::Emitted(_)
            | Body::Extended
            | Body::Bypassed(_) => true,
            Body::List(_)
            | Body::For { .. }
            | Body::Function { .. }
            | Body::Before(_)
            | Body::After(_) => self.children == 0,
            Body::Fork(branches) => {
                let more = branches.upcoming() < branches.results.len();
                (more && self.children < branches.limit()) || self.children == 0
            }
            Body::Try(state) => match state.phase {
                TryPhase::Body | TryPhase::Handler(_) | TryPhase::Undoing(_) => self.children == 0,
                TryPhase::Caught(_) => true,
                TryPhase::Delay { .. } => false,
            },
            Body::Undo(state) => self.children == 0 && state.incident.is_none(),
            Body::Wait { .. } | Body::Listen(_) => false,
            Body::Call { phase, .. } => matches!(phase, CallPhase::Done(_) | CallPhase::Unknown(_)),
            Body::Child { phase, .. } => matches!(phase, ChildPhase::Done(_)),
        }
    }

    /// The moments at which something about this frame is due.
    pub(crate) fn due_times(&self) -> impl Iterator<Item = Timestamp> {
        let timeout = self.due.filter(|_| self.ending.is_none());
        let own = match &self.body {
            _ if self.ending.is_some() => None,
            Body::Wait { due } => Some(*due),
            Body::Try(state) => match state.phase {
                TryPhase::Delay { due } => Some(due),
                TryPhase::Body => state.attempt_due,
                TryPhase::Caught(_) | TryPhase::Undoing(_) | TryPhase::Handler(_) => None,
            },
            _ => None,
        };
        timeout.into_iter().chain(own)
    }

    /// Whether a call or child of this frame is on its way, in whatever state.
    pub(crate) fn is_under_way(&self) -> bool {
        match &self.body {
            Body::Call { phase, .. } => !matches!(phase, CallPhase::Incident(_)),
            Body::Child { phase, .. } => matches!(phase, ChildPhase::Requested),
            _ => false,
        }
    }

    /// Whether the world may owe this frame something.
    pub(crate) fn is_external(&self) -> bool {
        matches!(
            self.body,
            Body::Call { .. } | Body::Child { .. } | Body::Undo(_) | Body::Listen(_)
        )
    }

    /// The latest of what completed in this frame that has to be undone before the frame's error or cancelling goes on.
    pub(crate) fn next_undo(&self) -> Option<Sequence> {
        let undoing = match (&self.body, &self.ending) {
            (Body::Try(state), None) => matches!(state.phase, TryPhase::Undoing(_)),
            (Body::Try(_), Some(Ending::Fault(_))) => true,
            (_, Some(Ending::Fault(_) | Ending::Cancel)) => self.role == Role::Workflow,
            _ => false,
        };
        self.undos.last_key_value().filter(|_| undoing).map(|(completed, _)| *completed)
    }
}

/// All of its state: two executions of one definition that print the same are the same.
impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("id", &self.id)
            .field("next", &self.next)
            .field("status", &self.status())
            .field("started_at", &self.started_at)
            .field("updated_at", &self.updated_at)
            .field("seed", &self.seed)
            .field("parent", &self.parent)
            .field("frames", &self.frames)
            .field("ready", &self.ready)
            .field("external", &self.external)
            .field("timers", &self.timers)
            .field("suspended", &self.suspended)
            .field("held", &self.held)
            .field("hold", &self.hold)
            .field("outcome", &self.outcome)
            .field("handed_keys", &self.handed_keys)
            .field("granted_at", &self.granted_at)
            .field("events_after", &self.events_after)
            .field("lines", &self.lines)
            .field("joining", &self.joining)
            .finish_non_exhaustive()
    }
}

impl Ending {
    /// Whether what ends raises an error.
    pub(crate) fn is_fault(&self) -> bool {
        matches!(self, Self::Fault(_))
    }
}
