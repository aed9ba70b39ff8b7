//! Going back: an execution taken to the start of one of its tasks, with sibling branches kept.
//!
//! A [`Entry::Rewound`] voids entries before it. Which ones follows from the journal alone: everything from the task's
//! start on, except what branches beside it did by themselves. State after it is the fold of the entries that still
//! count, so [`Execution::apply`] stays a fold and no entry has to repeat values that the journal already holds.

use std::{collections::BTreeMap, sync::Arc};

use tutti_dsl::Workflow;
use tutti_ids::{DefinitionRef, Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::{Entry, Timestamp, Turn};

use crate::{
    Execution, Surroundings,
    advance::Stepper,
    execution::Outcome,
    frame::{Body, CallPhase, Frame, KeyRing},
    input::Rejection,
};

/// An entry of the journal with its place and time.
#[derive(Clone, Copy)]
struct Recorded<'a> {
    sequence: Sequence,
    at: Timestamp,
    entry: &'a Entry,
}

impl Execution {
    /// Folds a whole journal.
    pub fn restore<'a>(
        id: ExecutionId,
        definition: DefinitionRef,
        digest: Digest,
        workflow: Arc<Workflow>,
        journal: impl IntoIterator<Item = &'a Turn>,
    ) -> Self {
        let mut execution = Self::new(id, definition, digest, workflow);
        let counting = Counting::of(&execution, journal);
        execution.handed_keys = counting.keys;
        for recorded in counting.entries {
            execution.fold(recorded);
        }
        execution.next = counting.next;
        execution.updated_at = counting.updated_at;
        execution
    }

    /// Takes an execution back to the start of a task: the latest passage of `from`, or of the task whose error ended
    /// it. Decides the turn that says so and goes on from there.
    ///
    /// # Errors
    /// If the journal knows no such passage, the execution still has calls or children under way, or what completed before
    /// that task has been undone since.
    pub fn rewind(
        &self,
        journal: &[Turn],
        from: Option<&TaskRef>,
        surroundings: &Surroundings<'_>,
    ) -> Result<(Self, Vec<Entry>), Rejection> {
        if self.has_ready() || self.external_frames().any(Frame::is_under_way) {
            return Err(Rejection::Busy);
        }
        let to = self.passage(journal, from).ok_or(Rejection::NoSuchTask)?;
        let empty = Self::new(self.id, self.definition.clone(), self.digest, self.workflow.clone());
        let counting = Counting::of(&empty, journal);
        if Void::find(&empty, &counting.entries, to, counting.keys).forgets_an_undo {
            return Err(Rejection::Undone);
        }
        let rewound = Entry::Rewound { to };
        let turn = Turn {
            execution: self.id,
            first: self.next,
            at: surroundings.now,
            entries: vec![rewound.clone()],
        };
        let (id, definition, workflow) = (self.id, self.definition.clone(), self.workflow.clone());
        let mut execution =
            Self::restore(id, definition, self.digest, workflow, journal.iter().chain([&turn]));
        let mut entries = vec![rewound];
        entries.extend(Stepper::resume(&mut execution, surroundings));
        Ok((execution, entries))
    }

    /// Where the latest passage of a task began.
    fn passage(&self, journal: &[Turn], from: Option<&TaskRef>) -> Option<Sequence> {
        let faulted = match &self.outcome {
            Some(Outcome::Faulted(error)) => Some(TaskRef::new(error.instance.clone())),
            _ => None,
        };
        let wanted = from.or(faulted.as_ref())?;
        let starts = journal.iter().flat_map(recorded).filter(
            |recorded| matches!(recorded.entry, Entry::TaskStarted { reference, .. } if reference == wanted),
        );
        starts.last().map(|recorded| recorded.sequence)
    }

    fn fold(&mut self, recorded: Recorded<'_>) {
        self.next = recorded.sequence;
        self.apply(recorded.at, recorded.entry);
    }
}

/// The entries of a journal that still count.
struct Counting<'a> {
    entries: Vec<Recorded<'a>>,
    keys: KeyRing,
    /// The sequence after the journal's last entry, and when that was decided.
    next: Sequence,
    updated_at: Timestamp,
}

impl<'a> Counting<'a> {
    fn of(empty: &Execution, journal: impl IntoIterator<Item = &'a Turn>) -> Self {
        let mut counting = Self {
            entries: Vec::new(),
            keys: KeyRing::new(),
            next: Sequence::FIRST,
            updated_at: empty.updated_at,
        };
        for recorded in journal.into_iter().flat_map(recorded) {
            counting.next = recorded.sequence.next();
            counting.updated_at = recorded.at;
            match recorded.entry {
                Entry::Rewound { to } => {
                    let void = Void::find(empty, &counting.entries, *to, counting.keys);
                    counting.entries = void.kept;
                    counting.keys = void.keys;
                }
                _ => counting.entries.push(recorded),
            }
        }
        counting
    }
}

/// What a rewinding leaves of a journal.
struct Void<'a> {
    kept: Vec<Recorded<'a>>,
    /// Keys of calls that are void but had not ended well: a re-run takes them over.
    keys: KeyRing,
    /// Whether a completed task would count again though it was undone.
    forgets_an_undo: bool,
}

impl<'a> Void<'a> {
    fn find(empty: &Execution, counting: &[Recorded<'a>], to: Sequence, keys: KeyRing) -> Self {
        // Folded along, keys that re-runs took over are gone in the end.
        let mut state = Execution { handed_keys: keys, ..empty.clone() };
        let mut void = Self { kept: Vec::new(), keys: KeyRing::new(), forgets_an_undo: false };
        let mut void_undos = Vec::new();
        let (before, after): (Vec<_>, Vec<_>) =
            counting.iter().partition(|recorded| recorded.sequence < to);
        for recorded in before {
            state.fold(recorded);
            void.kept.push(recorded);
        }
        let path = Path::to(&state, to, after.first().map(|recorded| recorded.entry));
        for recorded in after {
            if path.keeps(&state, &recorded) {
                void.kept.push(recorded);
            } else {
                void.keep_key(&state, recorded.entry);
                if let Entry::UndoStarted { completed, .. } = recorded.entry {
                    void_undos.push(*completed);
                }
            }
            state.fold(recorded);
        }
        for frame in state.external_frames().filter(|frame| !path.is_beside(&state, Some(frame.id)))
        {
            void.keep_key_of(&state, frame);
        }
        for (place, key) in state.handed_keys {
            void.keys.entry(place).or_insert(key);
        }
        void.forgets_an_undo =
            void.kept.iter().any(|recorded| void_undos.contains(&recorded.sequence));
        void
    }

    fn keep_key(&mut self, state: &Execution, entry: &Entry) {
        if let Entry::TaskFaulted { task, .. } | Entry::TaskCancelled { task } = entry
            && let Some(frame) = state.frame(*task)
        {
            self.keep_key_of(state, frame);
        }
    }

    fn keep_key_of(&mut self, state: &Execution, frame: &Frame) {
        let (Body::Call { record, phase }, Some(task)) = (&frame.body, frame.task) else { return };
        if !matches!(phase, CallPhase::Done(Ok(_))) {
            self.keys
                .insert((task, state.iteration_path(frame)), (record.key.clone(), record.attempt));
        }
    }
}

/// The frames from the workflow down to the task that is started again.
struct Path {
    /// Each frame with the frame next to it on the way down.
    steps: BTreeMap<Sequence, Option<Sequence>>,
}

impl Path {
    fn to(state: &Execution, to: Sequence, start: Option<&Entry>) -> Self {
        let mut steps = BTreeMap::new();
        let Some(Entry::TaskStarted { parent, .. }) = start else { return Self { steps } };
        let mut below = Some(to);
        let mut current = state.frame(*parent);
        while let Some(frame) = current {
            steps.insert(frame.id, below);
            below = Some(frame.id);
            current = frame.parent.and_then(|parent| state.frame(parent));
        }
        Self { steps }
    }

    /// Whether an entry tells what a branch beside the path did by itself, not what was done to it because of the path.
    fn keeps(&self, state: &Execution, recorded: &Recorded<'_>) -> bool {
        let subject = match recorded.entry {
            Entry::TaskStarted { parent, .. }
            | Entry::ItemStarted { task: parent, .. }
            | Entry::UndoStarted { task: parent, .. } => {
                return self.begins_beside(state, *parent, recorded.sequence);
            }
            Entry::TaskSkipped { parent, .. } => {
                Some(*parent).filter(|parent| !self.steps.contains_key(parent))
            }
            Entry::TaskCancelled { .. } => None,
            entry => subject(entry),
        };
        let given_up =
            subject.and_then(|id| state.frame(id)).is_some_and(|frame| frame.ending.is_some());
        // What the world said of a call stays true though it had been given up: nothing is repeated silently.
        let is_fact = matches!(
            recorded.entry,
            Entry::CallCompleted { .. } | Entry::CallOutcomeUnknown { .. }
        );
        self.is_beside(state, subject) && (!given_up || is_fact)
    }

    fn begins_beside(&self, state: &Execution, parent: Sequence, id: Sequence) -> bool {
        match self.steps.get(&parent) {
            Some(below) => {
                let forks =
                    state.frame(parent).is_some_and(|frame| matches!(frame.body, Body::Fork(_)));
                forks && *below != Some(id)
            }
            None => self.is_beside(state, Some(parent)),
        }
    }

    /// Whether a frame lies in a branch beside the path.
    fn is_beside(&self, state: &Execution, id: Option<Sequence>) -> bool {
        let Some(mut frame) = id.and_then(|id| state.frame(id)) else { return false };
        while let Some(parent) = frame.parent.and_then(|parent| state.frame(parent)) {
            if let Some(below) = self.steps.get(&parent.id) {
                let on_path = self.steps.contains_key(&frame.id) || *below == Some(frame.id);
                return !on_path && matches!(parent.body, Body::Fork(_));
            }
            frame = parent;
        }
        false
    }
}

/// The task execution an entry is about.
fn subject(entry: &Entry) -> Option<Sequence> {
    match entry {
        Entry::TaskCompleted { task, .. }
        | Entry::TaskFaulted { task, .. }
        | Entry::TaskCancelled { task }
        | Entry::TaskTimedOut { task, .. }
        | Entry::CaseSelected { task, .. }
        | Entry::LoopStarted { task, .. }
        | Entry::ItemStarted { task, .. }
        | Entry::BranchesJoined { task }
        | Entry::WaitStarted { task, .. }
        | Entry::RetryScheduled { task, .. }
        | Entry::RetryStarted { task, .. }
        | Entry::ErrorCaught { task, .. }
        | Entry::CallScheduled { task, .. }
        | Entry::CallDispatched { task }
        | Entry::CallCompleted { task, .. }
        | Entry::CallFailed { task, .. }
        | Entry::CallOutcomeUnknown { task, .. }
        | Entry::CallRescheduled { task }
        | Entry::ChildStarted { task, .. }
        | Entry::ChildDetached { task }
        | Entry::IncidentRaised { task, .. }
        | Entry::IncidentResolved { task, .. }
        | Entry::FunctionCalled { task, .. }
        | Entry::EventEmitted { task, .. }
        | Entry::ListenStarted { task, .. }
        | Entry::EventConsumed { task, .. }
        | Entry::ReversalStarted { task, .. } => Some(*task),
        Entry::ExecutionStarted { .. }
        | Entry::InputAccepted { .. }
        | Entry::UndoStarted { .. }
        | Entry::TaskStarted { .. }
        | Entry::TaskSkipped { .. }
        | Entry::ExecutionSuspended { .. }
        | Entry::ExecutionResumed
        | Entry::CancelRequested { .. }
        | Entry::Rewound { .. }
        | Entry::ExecutionCompleted { .. }
        | Entry::ExecutionFaulted { .. }
        | Entry::ExecutionCancelled => None,
    }
}

fn recorded(turn: &Turn) -> impl Iterator<Item = Recorded<'_>> {
    let first = turn.first.0;
    turn.entries.iter().zip(first..).map(|(entry, sequence)| Recorded {
        sequence: Sequence(sequence),
        at: turn.at,
        entry,
    })
}
