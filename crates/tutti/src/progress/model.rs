//! The tree a person sees of an execution. Pure, and bounded: a task that starts again in the same place
//! takes the place of what it was before, and items of an `each` that ended are counted, not kept.

use std::{collections::BTreeMap, sync::Arc};

use tutti_dsl::Workflow;
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::Timestamp;

use super::words::plain;

/// Items of an `each` that failed and are still shown.
const FAILED_ITEMS_KEPT: u64 = 5;

/// Names a node: an execution, and the entry that started the task execution.
pub(super) type Key = (ExecutionId, Sequence);

/// The tree of one execution and its children.
#[derive(Debug, Default)]
pub(crate) struct Model {
    root: Option<ExecutionId>,
    nodes: BTreeMap<Key, Node>,
    /// The task that started each child execution.
    pub(super) started_by: BTreeMap<ExecutionId, Key>,
    /// Tasks that completed and can be undone, by the entry with which they did.
    undoable: BTreeMap<Key, Undoable>,
}

/// A task that completed and can be undone. It outlives its node: a loop keeps one iteration only.
#[derive(Debug)]
pub(super) struct Undoable {
    pub(super) task: Key,
    pub(super) name: String,
    pub(super) place: Place,
}

/// Where a task stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The tasks that started the child execution it is in, if it is in one.
    pub(super) around: String,
    /// Its pointer.
    pub(super) path: Arc<str>,
    /// The items and iterations it runs in, such as `[3]`.
    pub(super) indices: String,
}

/// One task execution, or an execution.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) parent: Option<Key>,
    /// The pointer of the task in its document; empty for an execution, an undo and an item of an `each`.
    pub(super) reference: Arc<str>,
    /// The task it undoes, if it is an undo.
    pub(super) undoes: Option<Undoable>,
    /// Whether what completed within it is being undone.
    pub(super) reversing: bool,
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) started: Timestamp,
    pub(super) ended: Option<Timestamp>,
    /// Retries of a `try`.
    pub(super) retries: u64,
    /// Which item or iteration it is, from 0.
    pub(super) index: Option<u64>,
    /// Of a loop.
    pub(super) count: Option<Count>,
    /// The last line of its call.
    pub(super) log: Option<String>,
    /// How many lines its call has printed.
    pub(super) logged: u64,
    /// Whether a task within it ended the execution, and so all that is around it.
    pub(super) ends: bool,
    /// The events it awaits.
    pub(super) awaits: Option<String>,
    /// How many events it consumed.
    pub(super) events: u64,
    /// What else there is to say.
    pub(super) note: Option<String>,
    pub(super) children: Vec<Key>,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Running,
    Waiting,
    Stuck,
    Completed,
    Undone,
    Skipped,
    Faulted,
    Cancelled,
}

impl Status {
    pub(super) fn has_ended(self) -> bool {
        !matches!(self, Self::Running | Self::Waiting | Self::Stuck)
    }
}

/// How far a loop is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) total: u64,
    /// Whether its items run beside each other.
    pub(super) parallel: bool,
}

/// What is known while one entry is folded.
pub(super) struct Fold<'a> {
    pub(super) key: Key,
    pub(super) at: Timestamp,
    pub(super) workflow: &'a Workflow,
}

impl Model {
    /// This is the execution at the root.
    pub(super) fn watch(&mut self, execution: ExecutionId) {
        self.root = Some(execution);
    }

    /// The node at the root, once its execution has begun.
    pub(super) fn root(&self) -> Option<&Node> {
        self.node((self.root?, Sequence::FIRST))
    }

    pub(super) fn node(&self, key: Key) -> Option<&Node> {
        self.nodes.get(&key)
    }

    /// Whether anything on the screen changes with time alone.
    pub(super) fn is_going_on(&self) -> bool {
        self.root().is_some_and(|root| !root.status.has_ended())
    }

    pub(super) fn begin(&mut self, fold: &Fold<'_>) {
        let parent = self.started_by.get(&fold.key.0).copied();
        if parent.is_none() {
            self.root.get_or_insert(fold.key.0);
        }
        self.add(fold, parent, Arc::from(""), fold.workflow.document.name.to_string(), None);
    }

    pub(super) fn start(
        &mut self,
        fold: &Fold<'_>,
        reference: &str,
        parent: Key,
        iteration: Option<u64>,
    ) {
        self.enter_iteration(parent, iteration);
        self.take_place_of(parent, reference);
        let task = fold.workflow.find(reference).map(|id| fold.workflow.task(id));
        let name = task.map_or_else(|| reference.to_owned(), |task| plain(&task.name));
        self.add(fold, Some(parent), Arc::from(reference), name, iteration);
    }

    /// A task that can be undone completed with the entry that is folded.
    pub(super) fn note_undo(&mut self, fold: &Fold<'_>, task: Key) {
        let Some(node) = self.nodes.get(&task) else { return };
        let found = fold.workflow.find(&node.reference);
        if found.is_some_and(|id| fold.workflow.task(id).settings.undo.is_some()) {
            let undoable = Undoable { task, name: node.name.clone(), place: self.place(task) };
            self.undoable.insert(fold.key, undoable);
        }
    }

    /// The undoing of a task began; it stands below what is being undone.
    pub(super) fn start_undo(&mut self, fold: &Fold<'_>, around: Key, completed: Key) {
        let undoes = self.undoable.remove(&completed);
        self.add(fold, Some(around), Arc::from(""), String::new(), None);
        self.on(fold.key, |node| node.undoes = undoes);
    }

    /// A task is undone, if that is what the node did.
    fn end_undo(&mut self, undo: Key, status: Status) {
        let undone = self.nodes.get(&undo).filter(|_| status == Status::Completed);
        if let Some(task) = undone.and_then(|node| Some(node.undoes.as_ref()?.task)) {
            self.on(task, |task| task.status = Status::Undone);
        }
    }

    /// An item of an `each` began.
    pub(super) fn insert(&mut self, fold: &Fold<'_>, parent: Key, index: u64) {
        self.add(fold, Some(parent), Arc::from(""), String::new(), Some(index));
    }

    fn add(
        &mut self,
        fold: &Fold<'_>,
        parent: Option<Key>,
        reference: Arc<str>,
        name: String,
        index: Option<u64>,
    ) {
        let node = Node {
            parent,
            reference,
            undoes: None,
            reversing: false,
            name,
            status: Status::Running,
            started: fold.at,
            ended: None,
            retries: 0,
            index,
            count: None,
            log: None,
            logged: 0,
            ends: false,
            awaits: None,
            events: 0,
            note: None,
            children: Vec::new(),
        };
        self.nodes.insert(fold.key, node);
        if let Some(parent) = parent {
            self.on(parent, |parent| parent.children.push(fold.key));
        }
    }

    fn enter_iteration(&mut self, parent: Key, iteration: Option<u64>) {
        self.on(parent, |parent| {
            if let (Some(count), Some(iteration)) = (&mut parent.count, iteration)
                && !count.parallel
            {
                count.done = iteration;
            }
        });
    }

    /// A task that starts again takes its own place, and that of everything after it.
    fn take_place_of(&mut self, parent: Key, reference: &str) {
        let Some(around) = self.nodes.get(&parent) else { return };
        let position = around.children.iter().position(|child| {
            self.nodes.get(child).is_some_and(|child| *child.reference == *reference)
        });
        let Some(position) = position else { return };
        let replaced = match self.nodes.get_mut(&parent) {
            Some(around) => around.children.split_off(position),
            None => return,
        };
        // Branches still going on elsewhere are not what is replaced.
        for key in replaced {
            self.remove(key);
        }
    }

    fn remove(&mut self, key: Key) {
        let mut left = vec![key];
        while let Some(key) = left.pop() {
            if let Some(node) = self.nodes.remove(&key) {
                left.extend(node.children);
            }
        }
    }

    pub(super) fn end(&mut self, key: Key, status: Status, at: Timestamp) {
        self.on(key, |node| {
            node.status = status;
            node.ended = Some(at);
            node.log = None;
            if status == Status::Completed
                && let Some(count) = node.count.as_mut().filter(|count| !count.parallel)
            {
                count.done = count.total;
            }
        });
        self.end_undo(key, status);
        self.count_item(key, status);
    }

    /// An item of an `each` that ended is counted; it stays on the screen only if it failed.
    fn count_item(&mut self, key: Key, status: Status) {
        let Some(node) = self.nodes.get(&key) else { return };
        let Some(parent) =
            node.parent.filter(|_| node.index.is_some() && node.reference.is_empty())
        else {
            return;
        };
        let mut drop = false;
        self.on(parent, |parent| {
            let Some(count) = &mut parent.count else { return };
            count.done += 1;
            count.failed += u64::from(status == Status::Faulted);
            drop = status != Status::Faulted || count.failed > FAILED_ITEMS_KEPT;
            if drop {
                parent.children.retain(|child| *child != key);
            }
        });
        if drop {
            self.remove(key);
        }
    }

    /// A task ends its execution, or the undo it belongs to: what is around it is not given up, it is over.
    pub(super) fn end_from(&mut self, task: Key) {
        let mut current = self.node(task).and_then(|node| node.parent);
        while let Some(key) = current.filter(|key| key.0 == task.0) {
            self.on(key, |node| node.ends = true);
            current =
                self.node(key).filter(|node| node.undoes.is_none()).and_then(|node| node.parent);
        }
    }

    pub(super) fn note(&mut self, key: Key, note: Option<String>) {
        self.on(key, |node| node.note = note);
    }

    pub(super) fn on(&mut self, key: Key, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(&key) {
            change(node);
        }
    }
}
