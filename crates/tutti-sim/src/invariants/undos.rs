//! What completed and says how it is taken back is undone once, newest first, when an error leaves the `try` around it or
//! the execution ends badly; and never otherwise.

use std::collections::{BTreeMap, BTreeSet};

use tutti_dsl::{TaskKind, Workflow};
use tutti_ids::Sequence;
use tutti_journal::{Entry, Flow, Resolution};

use super::tree::Tree;

/// What of one execution can be undone, and what is being undone.
#[derive(Debug, Default)]
pub(super) struct Undos {
    /// By the entry with which it completed, the task execution.
    held: BTreeMap<Sequence, Sequence>,
    /// What undoes, with the task execution inside which it does.
    running: BTreeMap<Sequence, Sequence>,
    /// The `try`s whose own tasks have begun, and have not all ended well.
    trying: BTreeSet<Sequence>,
    /// Those that handle an error.
    handling: BTreeSet<Sequence>,
    /// What ends badly: only inside of it is anything undone.
    failing: BTreeSet<Sequence>,
    /// Extended tasks whose body was passed over, or is on record as completed.
    settled: BTreeSet<Sequence>,
}

impl Undos {
    pub(super) fn on_entry(
        &mut self,
        sequence: Sequence,
        entry: &Entry,
        tree: &Tree,
        workflow: &Workflow,
    ) -> Vec<String> {
        match entry {
            Entry::TaskStarted { reference, parent, .. } => {
                if super::extensions::place(reference.as_str()).is_none() {
                    self.trying.insert(*parent);
                }
            }
            Entry::BodyCompleted { task, .. } => {
                self.complete(sequence, *task, tree, workflow);
                self.trying.remove(task);
            }
            Entry::TaskCompleted { task, then, .. } => {
                self.complete(sequence, *task, tree, workflow);
                self.note_bypass(*task, *then, tree);
                self.end_undoing(*task, tree);
            }
            Entry::ReversalStarted { task, .. } | Entry::TaskTimedOut { task, .. } => {
                self.failing.insert(*task);
            }
            Entry::CancelRequested { .. } => _ = self.failing.insert(Sequence::FIRST),
            Entry::UndoStarted { task, completed } => {
                return self.start(sequence, *task, *completed, tree);
            }
            Entry::IncidentRaised { task, .. } if tree.undoes(*task) => self.forget(*task, tree),
            Entry::IncidentResolved { task, resolution } if tree.undoes(*task) => {
                if !matches!(resolution, Resolution::Retry) {
                    self.end_undoing(*task, tree);
                }
            }
            Entry::ErrorCaught { task, .. } => {
                let left = self.left_inside(*task, "was caught", tree);
                self.failing.remove(task);
                self.handling.insert(*task);
                return left;
            }
            Entry::TaskFaulted { task, .. } => {
                let is_try = |task| matches!(&tree.task(task, workflow), Some(task) if matches!(task.kind, TaskKind::Try(_)));
                if let Some(parent) = tree.parent(*task)
                    && (!is_try(parent) || self.handling.contains(&parent))
                {
                    self.failing.insert(parent);
                }
                if is_try(*task) && self.trying.contains(task) {
                    return self.left_inside(*task, "left the `try`", tree);
                }
            }
            Entry::ExecutionFaulted { .. } | Entry::ExecutionCancelled => {
                return self.left_inside(Sequence::FIRST, "ended the execution", tree);
            }
            _ => {}
        }
        Vec::new()
    }

    fn complete(&mut self, completed: Sequence, task: Sequence, tree: &Tree, workflow: &Workflow) {
        let undo = tree.task(task, workflow).and_then(|task| task.settings.undo);
        if undo.is_some() && self.settled.insert(task) {
            self.held.insert(completed, task);
        }
    }

    /// A task that runs before another and says `exit`: what the other does is passed over.
    fn note_bypass(&mut self, task: Sequence, then: Flow, tree: &Tree) {
        let runs_before =
            |task| super::extensions::place(tree.reference(task)).is_some_and(|place| place.before);
        if let Some(parent) = tree.parent(task)
            && then == Flow::Exit
            && runs_before(task)
            && super::extensions::place(tree.reference(parent)).is_none()
        {
            self.settled.insert(parent);
        }
    }

    fn start(
        &mut self,
        id: Sequence,
        around: Sequence,
        completed: Sequence,
        tree: &Tree,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        let newest = self.inside(around, tree).last();
        if newest != Some(completed) {
            problems.push(format!(
                "what completed at {completed} is undone inside {around}, where {newest:?} is next"
            ));
        }
        if !self.failing.contains(&around) {
            problems.push(format!("{completed} is undone though nothing went wrong in {around}"));
        }
        if self.running.values().any(|other| *other == around) {
            problems.push(format!("{completed} is undone while another is, inside {around}"));
        }
        self.held.remove(&completed);
        self.running.insert(id, around);
        problems
    }

    /// Undoing is over, and with it what it did itself.
    fn end_undoing(&mut self, undo: Sequence, tree: &Tree) {
        if self.running.remove(&undo).is_some() {
            self.forget(undo, tree);
        }
    }

    fn forget(&mut self, around: Sequence, tree: &Tree) {
        self.held.retain(|_, task| !tree.is_inside(*task, around));
    }

    fn inside(&self, around: Sequence, tree: &Tree) -> impl Iterator<Item = Sequence> {
        let held = self.held.iter().filter(move |(_, task)| tree.is_inside(**task, around));
        held.map(|(completed, _)| *completed)
    }

    fn left_inside(&self, around: Sequence, what: &str, tree: &Tree) -> Vec<String> {
        let left = self
            .inside(around, tree)
            .map(|held| format!("an error {what} {around} and what completed at {held} stays"));
        let running = self.running.iter().filter(|(_, inside)| **inside == around);
        let running = running.map(|(undo, _)| format!("an error {what} {around} before {undo}"));
        left.chain(running).collect()
    }
}
