//! Journal entries folded into the tree. Pure.

use tutti_dsl::Workflow;
use tutti_engine::leads_nowhere;
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::{Entry, Flow, Resolution, Turn, Unanswered};

use super::{
    awaited::awaited,
    model::{Count, Fold, Key, Model, Status},
    notice::{Detail, Notice},
    words::{label_text, plain, told},
};
use crate::length_of_time;

impl Model {
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

    fn fold_entry(&mut self, fold: &Fold<'_>, entry: &Entry, tell: &mut impl FnMut(Notice<'_>)) {
        let of = |task: &Sequence| (fold.key.0, *task);
        match entry {
            Entry::TaskStarted { reference, parent, iteration, label, .. } => {
                self.start(fold, reference.as_str(), of(parent), *iteration);
                if let Some(label) = label {
                    self.on(fold.key, |node| node.name = label_text(label));
                }
            }
            Entry::TaskSkipped { reference, parent, iteration } => {
                self.start(fold, reference.as_str(), of(parent), *iteration);
                tell(self.notice("skipped", fold.key, Detail::Nothing));
                self.end(fold.key, Status::Skipped, fold.at);
            }
            Entry::TaskCompleted { task, output, then, .. } => {
                self.warn_of_pointers(fold, of(task), output.as_ref(), tell);
                if *then == Flow::End {
                    self.end_from(of(task));
                }
                self.note_undo(fold, of(task));
                let is_undo = self.node(of(task)).is_some_and(|node| node.undoes.is_some());
                let word = if is_undo { "undone" } else { "completed" };
                tell(self.notice(word, of(task), self.took(of(task), fold.at)));
                self.end(of(task), Status::Completed, fold.at);
            }
            // Done, though tasks of extensions follow: from here on it could be undone.
            Entry::BodyCompleted { task, output, .. } => {
                self.warn_of_pointers(fold, of(task), output.as_ref(), tell);
                self.note_undo(fold, of(task));
            }
            Entry::CallCompleted { task, output } if !self.is_made_anew(fold, of(task)) => {
                self.warn_of_pointers(fold, of(task), Some(output), tell);
            }
            Entry::TaskFaulted { task, error } => {
                tell(self.notice("faulted", of(task), Detail::Error(error)));
                self.note(of(task), Some(told(error)));
                self.end(of(task), Status::Faulted, fold.at);
            }
            Entry::TaskCancelled { task } if self.node(of(task)).is_some_and(|node| node.ends) => {
                tell(self.notice("ended", of(task), self.took(of(task), fold.at)));
                self.end(of(task), Status::Completed, fold.at);
            }
            Entry::TaskCancelled { task } => {
                tell(self.notice("cancelled", of(task), self.took(of(task), fold.at)));
                self.end(of(task), Status::Cancelled, fold.at);
            }
            Entry::TaskTimedOut { task, .. } => {
                tell(self.notice("timed out", of(task), self.took(of(task), fold.at)));
            }
            Entry::RetryScheduled { .. }
            | Entry::RetryStarted { .. }
            | Entry::ErrorCaught { .. }
            | Entry::ReversalStarted { .. }
            | Entry::UndoStarted { .. }
            | Entry::ExtensionsSelected { .. }
            | Entry::IncidentRaised { .. }
            | Entry::IncidentResolved { .. } => self.fold_trouble(fold, entry, tell),
            Entry::ListenStarted { task, expected, .. } => {
                self.fold_listening(fold, of(task), expected.as_ref(), tell);
            }
            Entry::EventConsumed { task, .. } => self.on(of(task), |node| node.events += 1),
            Entry::CaseSelected { .. }
            | Entry::LoopStarted { .. }
            | Entry::ItemStarted { .. }
            | Entry::WaitStarted { .. }
            | Entry::ChildStarted { .. } => self.fold_detail(fold, entry),
            of_the_execution => self.fold_execution(fold, of_the_execution),
        }
    }

    /// Errors that are retried, caught or left to a person.
    fn fold_trouble(&mut self, fold: &Fold<'_>, entry: &Entry, tell: &mut impl FnMut(Notice<'_>)) {
        let of = |task: &Sequence| (fold.key.0, *task);
        match entry {
            Entry::RetryScheduled { task, retry, due, error } => {
                let pause = length_of_time::show(due.ms_since(fold.at));
                let text = format!("in {pause} (retry {retry}): {}", told(error));
                tell(self.notice("retrying", of(task), Detail::Text(text)));
                self.on(of(task), |node| {
                    node.retries = *retry;
                    node.status = Status::Waiting;
                    node.note = Some(format!("again in {pause}: {}", told(error)));
                });
            }
            Entry::ReversalStarted { task, error, .. } => {
                tell(self.notice("reversing", of(task), Detail::Error(error)));
                self.on(of(task), |node| {
                    node.reversing = true;
                    node.note = Some(format!("reversing: {}", told(error)));
                });
            }
            Entry::UndoStarted { task, completed } => {
                self.reverse(of(task), tell);
                self.start_undo(fold, of(task), of(completed));
                tell(self.notice("undoing", fold.key, Detail::Nothing));
            }
            Entry::ExtensionsSelected { task, unanswered, .. } => {
                for Unanswered { extension, detail } in unanswered {
                    let known = usize::try_from(*extension).ok();
                    let known = known.and_then(|place| fold.workflow.extensions.get(place));
                    let name = known.map_or("", |extension| &*extension.name);
                    let text = format!(
                        "extension {name} does not apply: its `when` gave no answer: {detail}"
                    );
                    tell(self.notice("warning", of(task), Detail::Text(plain(&text))));
                }
            }
            Entry::ErrorCaught { task, error } => {
                tell(self.notice("caught", of(task), Detail::Error(error)));
                self.on(of(task), |node| {
                    node.status = Status::Running;
                    node.note = Some(format!("caught: {}", told(error)));
                });
            }
            Entry::IncidentRaised { task, error } => {
                tell(self.notice("incident", of(task), Detail::Error(error)));
                self.on(of(task), |node| {
                    node.status = Status::Stuck;
                    node.note = Some(told(error));
                });
            }
            Entry::IncidentResolved { task, resolution }
                if self.node(of(task)).is_some_and(|node| node.undoes.is_some()) =>
            {
                self.settle_undo(fold, of(task), resolution, tell);
            }
            Entry::RetryStarted { task, .. } | Entry::IncidentResolved { task, .. } => {
                self.on(of(task), |node| {
                    node.status = Status::Running;
                    node.note = None;
                });
            }
            _ => {}
        }
    }

    /// Whether what a call gives is not yet the output of its task.
    fn is_made_anew(&self, fold: &Fold<'_>, task: Key) -> bool {
        let found = self.node(task).and_then(|node| fold.workflow.find(&node.reference));
        found.is_some_and(|id| fold.workflow.task(id).flow.output_as.is_some())
    }

    /// Told where a pointer to something sensitive leads nowhere in what a task gives.
    fn warn_of_pointers(
        &mut self,
        fold: &Fold<'_>,
        task: Key,
        output: Option<&Value>,
        tell: &mut impl FnMut(Notice<'_>),
    ) {
        // What is not all secret was marked where the pointers lead.
        let Some(output) = output.filter(|output| output.is_tainted()) else { return };
        let Some(node) = self.node(task) else { return };
        let Some(id) = fold.workflow.find(&node.reference) else { return };
        let pointers = fold.workflow.task(id).settings.sensitive.iter();
        let lost: Vec<_> = pointers.filter(|it| leads_nowhere(output, it)).cloned().collect();
        for pointer in lost {
            let text = format!(
                "`sensitive` says {pointer}, which is not in the output: all of it counts as secret"
            );
            tell(self.notice("warning", task, Detail::Text(plain(&text))));
        }
    }

    /// Told once where nothing but the first undo says that it has begun: an error nobody caught, or a cancellation.
    fn reverse(&mut self, around: Key, tell: &mut impl FnMut(Notice<'_>)) {
        if self.node(around).is_none_or(|node| node.reversing) {
            return;
        }
        tell(self.notice("reversing", around, Detail::Nothing));
        self.on(around, |node| {
            node.reversing = true;
            node.note = Some("reversing".to_owned());
        });
    }

    /// A person has said what becomes of an undo that failed.
    fn settle_undo(
        &mut self,
        fold: &Fold<'_>,
        undo: Key,
        resolution: &Resolution,
        tell: &mut impl FnMut(Notice<'_>),
    ) {
        let (word, status, note) = match resolution {
            Resolution::Retry => ("undoing", Status::Running, None),
            Resolution::Complete { .. } => ("undone", Status::Completed, Some("by hand")),
            Resolution::Fault => ("faulted", Status::Faulted, Some("left as it is")),
        };
        let text = note.unwrap_or("again").to_owned();
        tell(self.notice(word, undo, Detail::Text(text)));
        if status.has_ended() {
            self.end(undo, status, fold.at);
        }
        self.on(undo, |node| {
            node.status = status;
            node.note = note.map(str::to_owned);
        });
    }

    /// A task begins to wait for events.
    fn fold_listening(
        &mut self,
        fold: &Fold<'_>,
        task: Key,
        expected: Option<&Value>,
        tell: &mut impl FnMut(Notice<'_>),
    ) {
        let Some(node) = self.node(task) else { return };
        let Some(awaits) = awaited(fold.workflow, &node.reference, expected) else { return };
        let awaits = plain(&awaits);
        tell(self.notice("waiting", task, Detail::Text(format!("for {awaits}"))));
        self.on(task, |node| {
            node.status = Status::Waiting;
            node.awaits = Some(awaits);
        });
    }

    /// What is beside a task's status.
    fn fold_detail(&mut self, fold: &Fold<'_>, entry: &Entry) {
        let of = |task: &Sequence| (fold.key.0, *task);
        match entry {
            Entry::CaseSelected { task, case, .. } => {
                self.note(of(task), case.as_ref().map(|case| format!("→ {case}")));
            }
            Entry::LoopStarted { task, items, limit } => {
                let total = items.as_array().map_or(0, <[Value]>::len) as u64;
                let count = Count { total, parallel: limit.is_some(), ..Count::default() };
                self.on(of(task), |node| node.count = Some(count));
            }
            Entry::ItemStarted { task, index } => {
                self.insert(fold, of(task), *index);
                self.on(of(task), |node| {
                    if let Some(count) = &mut node.count {
                        count.parallel = true;
                    }
                });
            }
            Entry::WaitStarted { task, due } => self.on(of(task), |node| {
                node.status = Status::Waiting;
                let length = due.ms_since(node.started);
                node.note = Some(format!("for {}", length_of_time::show(length)));
            }),
            Entry::ChildStarted { task, execution, .. } => {
                self.started_by.insert(*execution, of(task));
            }
            _ => {}
        }
    }

    fn fold_execution(&mut self, fold: &Fold<'_>, entry: &Entry) {
        let execution = (fold.key.0, Sequence::FIRST);
        match entry {
            Entry::ExecutionStarted { .. } => self.begin(fold),
            Entry::ExecutionSuspended { .. } => {
                self.on(execution, |node| node.status = Status::Stuck);
            }
            Entry::ExecutionResumed | Entry::ExecutionAdmitted => {
                self.on(execution, |node| node.status = Status::Running);
            }
            Entry::ExecutionCompleted { .. } => self.end(execution, Status::Completed, fold.at),
            Entry::ExecutionFaulted { error } => {
                self.note(execution, Some(told(error)));
                self.end(execution, Status::Faulted, fold.at);
            }
            Entry::ExecutionCancelled => self.end(execution, Status::Cancelled, fold.at),
            _ => {}
        }
    }
}

/// The child executions a turn asks for.
pub(super) fn children_of(turn: &Turn) -> impl Iterator<Item = ExecutionId> {
    turn.entries.iter().filter_map(|entry| match entry {
        Entry::ChildStarted { execution, .. } => Some(*execution),
        _ => None,
    })
}
