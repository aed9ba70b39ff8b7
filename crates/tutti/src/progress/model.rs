//! Journal entries folded into the tree a person sees. Pure, and bounded: a task that starts again in the same place
//! takes the place of what it was before, and items of an `each` that ended are counted, not kept.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use tutti_connectors::LogLine;
use tutti_dsl::Workflow;
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::{Entry, Error, Timestamp, Turn};

use crate::length_of_time;

/// Items of an `each` that failed and are still shown.
const FAILED_ITEMS_KEPT: u64 = 5;
/// The longest text of a document or a call that is kept, in characters.
const MAX_TEXT: usize = 400;

/// Names a node: an execution, and the entry that started the task execution.
pub(super) type Key = (ExecutionId, Sequence);

/// The tree of one execution and its children.
#[derive(Debug, Default)]
pub(crate) struct Model {
    root: Option<ExecutionId>,
    nodes: BTreeMap<Key, Node>,
    /// The task that started each child execution.
    started_by: BTreeMap<ExecutionId, Key>,
}

/// One task execution, or an execution.
#[derive(Debug)]
pub(super) struct Node {
    parent: Option<Key>,
    /// The pointer of the task in its document; empty for an execution.
    reference: Arc<str>,
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

/// Something that happened to a task, for one line.
#[derive(Debug)]
pub(crate) struct Notice<'a> {
    /// `completed`, `faulted`, …
    pub(super) word: &'static str,
    place: String,
    detail: Detail<'a>,
}

#[derive(Debug)]
enum Detail<'a> {
    Nothing,
    Took(u64),
    Text(String),
    Error(&'a Error),
    Log(&'a str),
}

impl Notice<'_> {
    /// The line after its word.
    pub(super) fn text(&self) -> String {
        let place = &self.place;
        match &self.detail {
            Detail::Nothing => place.clone(),
            Detail::Took(milliseconds) => {
                format!("{place} {}", length_of_time::show(*milliseconds))
            }
            Detail::Text(text) => format!("{place} {text}"),
            Detail::Error(error) => format!("{place} {}", told(error)),
            Detail::Log(line) => format!("{place} | {}", plain(line)),
        }
    }
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

    /// Folds a turn; tells what a line is worth.
    pub(super) fn fold(
        &mut self,
        turn: &Turn,
        workflow: &Workflow,
        tell: &mut impl FnMut(Notice<'_>),
    ) {
        let mut sequence = turn.first;
        for entry in &turn.entries {
            let fold = Fold { key: (turn.execution, sequence), at: turn.at, workflow };
            self.fold_entry(&fold, entry, tell);
            sequence = sequence.next();
        }
    }

    /// Takes in a line of a call.
    pub(super) fn log<'a>(&mut self, line: &'a LogLine) -> Option<Notice<'a>> {
        let key = (line.execution, line.task);
        let place = self.place(key);
        self.nodes.get_mut(&key)?.log = Some(plain(&line.text));
        Some(Notice { word: "log", place, detail: Detail::Log(&line.text) })
    }

    fn fold_entry(&mut self, fold: &Fold<'_>, entry: &Entry, tell: &mut impl FnMut(Notice<'_>)) {
        let execution = fold.key.0;
        let of = |task: &Sequence| (execution, *task);
        match entry {
            Entry::ExecutionStarted { .. } => self.begin(fold),
            Entry::TaskStarted { reference, parent, iteration, label, .. } => {
                self.start(fold, reference.as_str(), of(parent), *iteration);
                if let (Some(label), Some(node)) = (label, self.nodes.get_mut(&fold.key)) {
                    node.name = label_text(label);
                }
            }
            Entry::TaskSkipped { reference, parent, iteration } => {
                self.start(fold, reference.as_str(), of(parent), *iteration);
                self.end(fold.key, Status::Skipped, fold.at);
                tell(self.notice("skipped", fold.key, Detail::Nothing));
            }
            Entry::TaskCompleted { task, .. } => {
                tell(self.notice("completed", of(task), self.took(of(task), fold.at)));
                self.end(of(task), Status::Completed, fold.at);
            }
            Entry::TaskFaulted { task, error } => {
                tell(self.notice("faulted", of(task), Detail::Error(error)));
                self.note(of(task), Some(told(error)));
                self.end(of(task), Status::Faulted, fold.at);
            }
            Entry::TaskCancelled { task } => {
                tell(self.notice("cancelled", of(task), self.took(of(task), fold.at)));
                self.end(of(task), Status::Cancelled, fold.at);
            }
            Entry::TaskTimedOut { task, .. } => {
                tell(self.notice("timed out", of(task), self.took(of(task), fold.at)));
            }
            Entry::CaseSelected { task, case, .. } => {
                self.note(of(task), case.as_ref().map(|case| format!("→ {case}")));
            }
            Entry::LoopStarted { task, items, limit } => {
                let total = items.as_array().map_or(0, <[Value]>::len) as u64;
                let count = Count { total, parallel: limit.is_some(), ..Count::default() };
                self.on(of(task), |node| node.count = Some(count));
            }
            Entry::ItemStarted { task, index } => {
                self.insert(fold, of(task), String::new(), Some(*index));
                self.on(of(task), |node| {
                    if let Some(count) = &mut node.count {
                        count.parallel = true;
                    }
                });
            }
            Entry::WaitStarted { task, due } => {
                self.on(of(task), |node| {
                    node.status = Status::Waiting;
                    let length = due.ms_since(node.started);
                    node.note = Some(format!("for {}", length_of_time::show(length)));
                });
            }
            Entry::RetryScheduled { task, retry, due, error } => {
                let pause = length_of_time::show(due.ms_since(fold.at));
                let text = format!("in {pause} ({}): {}", ordinal(*retry), told(error));
                tell(self.notice("retrying", of(task), Detail::Text(text)));
                self.on(of(task), |node| {
                    node.retries = *retry;
                    node.status = Status::Waiting;
                    node.note = Some(format!("again in {pause}: {}", told(error)));
                });
            }
            Entry::RetryStarted { task, .. } => self.on(of(task), |node| {
                node.status = Status::Running;
                node.note = None;
            }),
            Entry::ErrorCaught { task, error } => {
                tell(self.notice("caught", of(task), Detail::Error(error)));
                self.on(of(task), |node| {
                    node.status = Status::Running;
                    node.note = Some(format!("caught: {}", told(error)));
                });
            }
            Entry::ChildStarted { task, execution, .. } => {
                self.started_by.insert(*execution, of(task));
            }
            Entry::IncidentRaised { task, error } => {
                tell(self.notice("incident", of(task), Detail::Error(error)));
                self.on(of(task), |node| {
                    node.status = Status::Stuck;
                    node.note = Some(told(error));
                });
            }
            Entry::IncidentResolved { task, .. } => self.on(of(task), |node| {
                node.status = Status::Running;
                node.note = None;
            }),
            Entry::ExecutionSuspended { .. } => {
                self.on(of(&Sequence::FIRST), |node| node.status = Status::Stuck);
            }
            Entry::ExecutionResumed => {
                self.on(of(&Sequence::FIRST), |node| node.status = Status::Running);
            }
            Entry::ExecutionCompleted { .. } => {
                self.end(of(&Sequence::FIRST), Status::Completed, fold.at);
            }
            Entry::ExecutionFaulted { error } => {
                self.note(of(&Sequence::FIRST), Some(told(error)));
                self.end(of(&Sequence::FIRST), Status::Faulted, fold.at);
            }
            Entry::ExecutionCancelled => {
                self.end(of(&Sequence::FIRST), Status::Cancelled, fold.at);
            }
            Entry::InputAccepted { .. }
            | Entry::BranchesJoined { .. }
            | Entry::CallScheduled { .. }
            | Entry::CallDispatched { .. }
            | Entry::CallCompleted { .. }
            | Entry::CallFailed { .. }
            | Entry::CallOutcomeUnknown { .. }
            | Entry::CallRescheduled { .. }
            | Entry::ChildDetached { .. }
            | Entry::CancelRequested { .. }
            | Entry::Rewound { .. }
            | Entry::FunctionCalled { .. } => {}
        }
    }

    fn begin(&mut self, fold: &Fold<'_>) {
        let parent = self.started_by.get(&fold.key.0).copied();
        if parent.is_none() {
            self.root.get_or_insert(fold.key.0);
        }
        self.add(fold, parent, Arc::from(""), fold.workflow.document.name.to_string(), None);
    }

    fn start(&mut self, fold: &Fold<'_>, reference: &str, parent: Key, iteration: Option<u64>) {
        self.enter_iteration(parent, iteration);
        self.take_place_of(parent, reference);
        let task = fold.workflow.find(reference).map(|id| fold.workflow.task(id));
        let name = task.map_or_else(|| reference.to_owned(), |task| plain(&task.name));
        self.add(fold, Some(parent), Arc::from(reference), name, iteration);
    }

    fn insert(&mut self, fold: &Fold<'_>, parent: Key, name: String, index: Option<u64>) {
        self.add(fold, Some(parent), Arc::from(""), name, index);
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
            name,
            status: Status::Running,
            started: fold.at,
            ended: None,
            retries: 0,
            index,
            count: None,
            log: None,
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

    fn end(&mut self, key: Key, status: Status, at: Timestamp) {
        self.on(key, |node| {
            node.status = status;
            node.ended = Some(at);
            node.log = None;
            if status == Status::Completed {
                if let Some(count) = node.count.as_mut().filter(|count| !count.parallel) {
                    count.done = count.total;
                }
            }
        });
        self.count_item(key, status);
    }

    /// An item of an `each` that ended is counted; it stays on the screen only if it failed.
    fn count_item(&mut self, key: Key, status: Status) {
        let Some(node) = self.nodes.get(&key) else { return };
        let Some(parent) = node.parent.filter(|_| node.reference.is_empty()) else { return };
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

    fn note(&mut self, key: Key, note: Option<String>) {
        self.on(key, |node| node.note = note);
    }

    fn on(&mut self, key: Key, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(&key) {
            change(node);
        }
    }

    fn took<'a>(&self, key: Key, at: Timestamp) -> Detail<'a> {
        self.node(key).map_or(Detail::Nothing, |node| Detail::Took(at.ms_since(node.started)))
    }

    fn notice<'a>(&self, word: &'static str, key: Key, detail: Detail<'a>) -> Notice<'a> {
        Notice { word, place: self.place(key), detail }
    }

    /// The pointer of a task with the items and iterations it runs in, such as `/do/1/deploy[3]`; in a child execution
    /// behind the place of the task that started it.
    fn place(&self, key: Key) -> String {
        let Some(node) = self.node(key) else { return String::new() };
        let mut around = Vec::new();
        let mut current = Some(node);
        while let Some(node) = current {
            around.push(node);
            current = node.parent.and_then(|parent| self.node(parent));
        }
        let mut place = String::new();
        let mut indices = String::new();
        for node in around.iter().rev() {
            if let Some(index) = node.index {
                write!(indices, "[{index}]").ok();
            }
        }
        // Each execution on the way has its own pointers: the innermost task of each is named.
        let mut innermost = "";
        for node in around.iter().rev() {
            if node.reference.is_empty() && node.index.is_none() && !innermost.is_empty() {
                write!(place, "{innermost} > ").ok();
                innermost = "";
            } else if !node.reference.is_empty() {
                innermost = &node.reference;
            }
        }
        place.push_str(if innermost.is_empty() { "/" } else { innermost });
        place.push_str(&indices);
        plain(&place)
    }
}

/// What is known while one entry is folded.
struct Fold<'a> {
    key: Key,
    at: Timestamp,
    workflow: &'a Workflow,
}

/// The child executions a turn asks for.
pub(super) fn children_of(turn: &Turn) -> impl Iterator<Item = ExecutionId> {
    turn.entries.iter().filter_map(|entry| match entry {
        Entry::ChildStarted { execution, .. } => Some(*execution),
        _ => None,
    })
}

fn label_text(label: &Value) -> String {
    let label = label.redacted();
    plain(&label.as_str().map_or_else(|| label.to_json(), str::to_owned))
}

/// An error in one line: what happened, or else its kind.
fn told(error: &Error) -> String {
    let error = error.to_value().redacted();
    let text = |key| error.get(key).and_then(Value::as_str).map(str::to_owned);
    let kind = text("type").unwrap_or_default();
    let kind = kind.rsplit('/').next().unwrap_or_default();
    match text("detail").or_else(|| text("title")) {
        Some(what) => plain(&format!("{kind}: {what}")),
        None => plain(kind),
    }
}

fn ordinal(retry: u64) -> String {
    format!("retry {retry}")
}

/// A text that a terminal shows as one line: no escape sequences, no control characters, of limited length.
pub(super) fn plain(text: &str) -> String {
    let mut shown = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\x1b' => skip_escape(&mut characters),
            '\t' => shown.push(' '),
            '\n' => shown.push('␤'),
            // Marks that turn the direction of writing could show one text as another.
            '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            control if control.is_control() => {}
            other => shown.push(other),
        }
        if shown.len() > 4 * MAX_TEXT {
            break;
        }
    }
    match shown.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown,
    }
}

/// Skips the rest of an ANSI escape sequence.
fn skip_escape(characters: &mut std::str::Chars<'_>) {
    let mut ahead = characters.clone();
    match ahead.next() {
        Some('[') => {
            for character in ahead.by_ref() {
                if ('\x40'..='\x7e').contains(&character) {
                    break;
                }
            }
        }
        Some(']') => {
            for character in ahead.by_ref() {
                if matches!(character, '\x07' | '\x1b') {
                    break;
                }
            }
        }
        _ => {}
    }
    *characters = ahead;
}
