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
        let Some(meeting) = self.outwards(other).find(|outer| around.contains(outer)) else {
            return false;
        };
        let kind = self.task(meeting, workflow).map(|task| &task.kind);
        matches!(kind, Some(TaskKind::Fork(_) | TaskKind::Each(_)))
            && self.is_in_branch(one, meeting)
            && self.is_in_branch(other, meeting)
    }

    /// Whether a task execution runs in a branch or item of another, and not in what extensions put around that.
    fn is_in_branch(&self, task: Sequence, around: Sequence) -> bool {
        let branch = self.outwards(task).take_while(|outer| *outer != around).last();
        branch.is_some_and(|branch| place(self.reference(branch)).is_none())
    }
}

/// Where a task of an extension stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) extension: u32,
    /// Else after.
    pub(super) before: bool,
}

/// The place of a task by its reference, if it belongs to an extension.
pub(super) fn place(reference: &str) -> Option<Place> {
    let mut steps = reference.strip_prefix("/use/extensions/")?.split('/');
    let extension = steps.next()?.parse().ok()?;
    let before = steps.nth(1)? == "before";
    Some(Place { extension, before })
}
