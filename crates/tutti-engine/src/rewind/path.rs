//! What of a journal is beside the task that is started again, and so still counts.

use std::collections::BTreeMap;

use tutti_ids::Sequence;
use tutti_journal::{Entry, ErrorType, Resolution, Timestamp};

use super::Step;
use crate::{
    Execution,
    frame::{Body, Ending, Frame, Role},
};

/// The frames from the workflow down to the task that is started again.
pub(super) struct Path {
    /// Each frame with the frame next to it on the way down.
    steps: BTreeMap<Sequence, Option<Sequence>>,
    /// When the frames on the path began to end, and with them the branches beside it.
    ended: BTreeMap<Sequence, Timestamp>,
}

impl Path {
    pub(super) fn to(state: &Execution, to: Sequence, start: Option<&Entry>) -> Self {
        let mut path = Self { steps: BTreeMap::new(), ended: BTreeMap::new() };
        let Some(Entry::TaskStarted { parent, .. }) = start else { return path };
        let mut below = Some(to);
        let mut current = state.frame(*parent);
        while let Some(frame) = current {
            path.steps.insert(frame.id, below);
            below = Some(frame.id);
            current = frame.parent.and_then(|parent| state.frame(parent));
        }
        path
    }

    /// What of a step still counts: what branches beside the path did by themselves, not what was done to them because of
    /// it; and of a pause what it was for them.
    pub(super) fn kept<'a>(&self, state: &Execution, step: &Step<'a>) -> Option<Step<'a>> {
        let recorded = match step {
            Step::Entry(recorded) => recorded,
            Step::Again { task, .. } => {
                return self.lives_beside(state, *task).then(|| step.clone());
            }
            Step::Pause { sequence, pauses } => {
                let beside = pauses.iter().filter(|(task, _)| self.lives_beside(state, *task));
                return Some(Step::Pause {
                    sequence: *sequence,
                    pauses: beside.copied().collect(),
                });
            }
        };
        let sequence = recorded.sequence;
        let keeps = match recorded.entry {
            Entry::TaskStarted { parent, .. }
            | Entry::ItemStarted { task: parent, .. }
            | Entry::TaskSkipped { parent, .. }
            | Entry::UndoStarted { task: parent, .. } => {
                self.begins_beside(state, *parent, sequence)
            }
            Entry::ExecutionResumed => {
                let since = state.suspended.as_ref().map(|(_, since)| *since);
                return Some(self.pause(state, sequence, (since, recorded.at)));
            }
            Entry::ExecutionAdmitted => {
                return Some(self.pause(state, sequence, (state.held, recorded.at)));
            }
            entry => {
                let task = subject(entry)?;
                let is_given_up = self.is_given_up(state, task);
                if is_given_up && is_over(entry) {
                    return Some(Step::Again { sequence, task });
                }
                self.is_beside(state, task) && (!is_given_up || is_fact(entry))
            }
        };
        keeps.then(|| step.clone())
    }

    /// Takes note of what a step, folded into the state, ended on the path.
    pub(super) fn watch(&mut self, state: &Execution, at: Timestamp) {
        let ending = |id: &&Sequence| state.frame(**id).is_some_and(|frame| frame.ending.is_some());
        for id in self.steps.keys().filter(ending) {
            let since = state.suspended.as_ref().map_or(at, |(_, since)| *since);
            self.ended.entry(*id).or_insert(since);
        }
    }

    /// Since when time has stood still for a frame that counts again: what is on the path is as it was when the task
    /// `began`; what is beside it stood still since it was given up, else since the whole execution did.
    pub(super) fn still_since(
        &self,
        state: &Execution,
        id: Sequence,
        (began, stopped): (Timestamp, Timestamp),
    ) -> Timestamp {
        if self.steps.contains_key(&id) {
            return began;
        }
        let root = state.frame(id).and_then(|frame| self.branch(state, frame));
        let fork = root.and_then(|root| root.parent);
        fork.and_then(|fork| self.ended.get(&fork)).map_or(stopped, |ended| stopped.min(*ended))
    }

    /// The pause that ends with `at`, for what is beside the path.
    fn pause<'a>(
        &self,
        state: &Execution,
        sequence: Sequence,
        (since, at): (Option<Timestamp>, Timestamp),
    ) -> Step<'a> {
        let pause = since.map_or(0, |since| at.ms_since(since));
        let beside = state.timed().into_iter().filter(|id| self.lives_beside(state, *id));
        Step::Pause { sequence, pauses: beside.map(|id| (id, pause)).collect() }
    }

    fn begins_beside(&self, state: &Execution, parent: Sequence, id: Sequence) -> bool {
        let Some(below) = self.steps.get(&parent) else { return self.lives_beside(state, parent) };
        let forks = state.frame(parent).is_some_and(|frame| matches!(frame.body, Body::Fork(_)));
        forks && *below != Some(id)
    }

    fn lives_beside(&self, state: &Execution, id: Sequence) -> bool {
        self.is_beside(state, id) && !self.is_given_up(state, id)
    }

    /// Whether a frame lies in a branch beside the path.
    fn is_beside(&self, state: &Execution, id: Sequence) -> bool {
        state.frame(id).is_some_and(|frame| self.branch(state, frame).is_some())
    }

    /// Whether the branch a frame lies in was given up because of the path. What undoes goes on to its end all the same.
    fn is_given_up(&self, state: &Execution, id: Sequence) -> bool {
        let Some(frame) = state.frame(id) else { return false };
        let root = self.branch(state, frame);
        let undoes =
            frame.role == Role::Undo || state.ancestors(frame).any(|f| f.role == Role::Undo);
        root.is_some_and(|root| matches!(root.ending, Some(Ending::Cancel))) && !undoes
    }

    /// The outermost frame of the branch beside the path in which a frame lies.
    fn branch<'s>(&self, state: &'s Execution, frame: &'s Frame) -> Option<&'s Frame> {
        let mut inner = frame;
        for parent in state.ancestors(frame) {
            if let Some(below) = self.steps.get(&parent.id) {
                let on_path = self.steps.contains_key(&inner.id) || *below == Some(inner.id);
                return (!on_path && matches!(parent.body, Body::Fork(_))).then_some(inner);
            }
            inner = parent;
        }
        None
    }
}

/// What the world or a person said of a call stays true though the call had been given up: nothing is repeated silently.
fn is_fact(entry: &Entry) -> bool {
    matches!(
        entry,
        Entry::CallCompleted { .. }
            | Entry::CallOutcomeUnknown { .. }
            | Entry::IncidentResolved { resolution: Resolution::Complete { .. }, .. }
    )
}

/// Whether a call or child is known to have come to nothing.
fn is_over(entry: &Entry) -> bool {
    matches!(entry, Entry::CallFailed { error, .. } if !error.is(ErrorType::OutcomeUnknown))
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
        | Entry::CallHeld { task, .. }
        | Entry::CallAdmitted { task }
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
        | Entry::ExtensionsSelected { task, .. }
        | Entry::BodyCompleted { task, .. }
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
        | Entry::ExecutionHeld { .. }
        | Entry::ExecutionAdmitted
        | Entry::CancelRequested { .. }
        | Entry::Rewound { .. }
        | Entry::ExecutionCompleted { .. }
        | Entry::ExecutionFaulted { .. }
        | Entry::ExecutionCancelled => None,
    }
}
