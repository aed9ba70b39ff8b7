//! What runs in what, as the journal tells of it.

use std::collections::{BTreeMap, BTreeSet};

use tutti_dsl::{Task, TaskKind, Workflow};
use tutti_ids::{Sequence, TaskRef};
use tutti_journal::Entry;

/// Every task execution of a journal, with what it runs in.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<Sequence, Node>,
}

#[derive(Debug)]
struct Node {
    parent: Sequence,
    /// None for an item, and for the undoing of a task.
    reference: Option<TaskRef>,
    undoes: bool,
}

impl Tree {
    pub(super) fn note(&mut self, sequence: Sequence, entry: &Entry) {
        let (parent, reference, undoes) = match entry {
            Entry::TaskStarted { reference, parent, .. } => (parent, Some(reference), false),
            Entry::ItemStarted { task, .. } => (task, None, false),
            Entry::UndoStarted { task, .. } => (task, None, true),
            _ => return,
        };
        let node = Node { parent: *parent, reference: reference.cloned(), undoes };
        self.nodes.insert(sequence, node);
    }

    pub(super) fn parent(&self, task: Sequence) -> Option<Sequence> {
        self.nodes.get(&task).map(|node| node.parent)
    }

    /// Where its task stands in the document.
    pub(super) fn reference(&self, task: Sequence) -> &str {
        let node = self.nodes.get(&task);
        node.and_then(|node| node.reference.as_ref()).map_or("", TaskRef::as_str)
    }

    pub(super) fn task<'w>(&self, task: Sequence, workflow: &'w Workflow) -> Option<&'w Task> {
        workflow.find(self.reference(task)).map(|task| workflow.task(task))
    }

    /// Whether it undoes a task.
    pub(super) fn undoes(&self, task: Sequence) -> bool {
        self.nodes.get(&task).is_some_and(|node| node.undoes)
    }

    /// A task execution and all it runs in, innermost first.
    pub(super) fn outwards(&self, task: Sequence) -> impl Iterator<Item = Sequence> {
        std::iter::successors(Some(task), |task| self.parent(*task))
    }

    pub(super) fn is_inside(&self, task: Sequence, around: Sequence) -> bool {
        self.outwards(task).any(|outer| outer == around)
    }

    /// Whether two run in different branches, or items, of the same task.
    pub(super) fn are_beside(&self, one: Sequence, other: Sequence, workflow: &Workflow) -> bool {
        let around: BTreeSet<Sequence> = self.outwards(one).collect();
        let mut inner = None;
        for outer in self.outwards(other) {
            if around.contains(&outer) {
                let same = outer == one || inner.is_none();
                return !same && self.branches(outer, workflow);
            }
            inner = Some(outer);
        }
        false
    }

    fn branches(&self, task: Sequence, workflow: &Workflow) -> bool {
        let kind = self.task(task, workflow).map(|task| &task.kind);
        matches!(kind, Some(TaskKind::Fork(_) | TaskKind::Each(_)))
    }
}
