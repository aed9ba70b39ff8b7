//! Task executions, folded from a journal: one for each passage, at any depth and iteration.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use tutti_api::{TaskStatus, TaskView};
use tutti_expr::Value;
use tutti_ids::{Sequence, TaskRef};
use tutti_journal::{Entry, Error, Flow, Resolution, Timestamp};
use tutti_runtime::Reading;

use super::{
    facts::{call, error, error_kind},
    plain::plain,
};
use crate::moment::show;

/// The task executions of an execution, in the order in which they started; with what they worked with, if wanted.
pub(crate) fn task_views(reading: &Reading, wants_values: bool) -> Vec<TaskView> {
    let mut fold = Fold { wants_values, tasks: BTreeMap::new(), around: BTreeMap::new() };
    for (sequence, turn, entry) in reading.entries() {
        fold.entry(sequence, turn.at, entry);
    }
    fold.tasks.into_values().collect()
}

struct Fold {
    wants_values: bool,
    tasks: BTreeMap<u64, TaskView>,
    /// What every task execution, item or undo runs in, and which item or turn of a loop it is.
    around: BTreeMap<u64, (u64, Option<u64>)>,
}

impl Fold {
    fn entry(&mut self, sequence: u64, at: Timestamp, entry: &Entry) {
        match entry {
            Entry::TaskStarted { reference, parent, iteration, raw, input, label, .. } => {
                self.begin(sequence, at, reference, *parent, *iteration);
                let value = input.as_ref().or(raw.as_ref());
                let wanted = value.filter(|_| self.wants_values).map(plain);
                self.on(Sequence(sequence), |task| {
                    task.input = wanted;
                    task.label = label.as_ref().map(text);
                });
            }
            Entry::TaskSkipped { reference, parent, iteration } => {
                self.begin(sequence, at, reference, *parent, *iteration);
                self.end(Sequence(sequence), at, TaskStatus::Skipped);
            }
            Entry::ItemStarted { task, index } => {
                self.around.insert(sequence, (task.0, Some(*index)));
            }
            Entry::UndoStarted { task, .. } => {
                self.around.insert(sequence, (task.0, None));
            }
            Entry::TaskCompleted { task, output, then, .. } => {
                self.completed(*task, at, output.as_ref(), *then);
            }
            Entry::TaskFaulted { task, error: it } => {
                let told = self.told(it);
                self.on(*task, |task| task.error = Some(told));
                self.end(*task, at, TaskStatus::Faulted);
            }
            Entry::TaskCancelled { task } => self.end(*task, at, TaskStatus::Cancelled),
            Entry::Rewound { to } => self.rewind(*to),
            other => self.detail(other),
        }
    }

    fn told(&self, it: &Error) -> Json {
        if self.wants_values { error(it) } else { error_kind(it) }
    }

    fn completed(&mut self, task: Sequence, at: Timestamp, output: Option<&Value>, then: Flow) {
        let wanted = output.filter(|_| self.wants_values).map(plain);
        self.on(task, |task| task.output = wanted.or(task.output.take()));
        self.end(task, at, TaskStatus::Completed);
        if then == Flow::End {
            // What is around it is not given up: it is over.
            self.end_around(task.0, at);
        }
    }

    fn end_around(&mut self, task: u64, at: Timestamp) {
        let mut current = self.around.get(&task).map(|(parent, _)| *parent);
        while let Some(around) = current.filter(|around| *around > Sequence::FIRST.0) {
            self.end(Sequence(around), at, TaskStatus::Completed);
            current = self.around.get(&around).map(|(parent, _)| *parent);
        }
    }

    /// What is told of a task between its start and its end.
    fn detail(&mut self, entry: &Entry) {
        let wants_values = self.wants_values;
        match entry {
            Entry::CallScheduled { task, call: it } => self.on(*task, |task| {
                task.attempts = Some(u64::from(it.attempt));
                task.call = wants_values.then(|| call(it));
            }),
            Entry::CallRescheduled { task } => self.on(*task, |task| {
                task.attempts = task.attempts.map(|attempts| attempts + 1);
                task.status = TaskStatus::Running;
            }),
            Entry::CallCompleted { task, output } if wants_values => {
                self.on(*task, |task| task.output = Some(plain(output)));
            }
            Entry::WaitStarted { task, .. }
            | Entry::ListenStarted { task, .. }
            | Entry::CallHeld { task, .. } => {
                self.on(*task, |task| task.status = TaskStatus::Waiting);
            }
            Entry::RetryScheduled { task, retry, .. } => self.on(*task, |task| {
                task.status = TaskStatus::Waiting;
                task.attempts = Some(retry + 1);
            }),
            Entry::IncidentRaised { task, error: it } => {
                let told = self.told(it);
                self.on(*task, |task| {
                    task.status = TaskStatus::Suspended;
                    task.error = Some(told);
                });
            }
            Entry::IncidentResolved { task, resolution } => self.on(*task, |task| {
                task.status = TaskStatus::Running;
                task.error = None;
                if let (Resolution::Complete { output }, true) = (resolution, wants_values) {
                    task.output = Some(plain(output));
                }
            }),
            Entry::RetryStarted { task, .. }
            | Entry::ErrorCaught { task, .. }
            | Entry::CallAdmitted { task } => {
                self.on(*task, |task| task.status = TaskStatus::Running);
            }
            Entry::ChildStarted { task, execution, .. } => {
                self.on(*task, |task| task.child = Some(execution.to_string()));
            }
            _ => {}
        }
    }

    fn begin(
        &mut self,
        sequence: u64,
        at: Timestamp,
        reference: &TaskRef,
        parent: Sequence,
        iteration: Option<u64>,
    ) {
        self.around.insert(sequence, (parent.0, iteration));
        let name = reference.as_str().rsplit('/').next().unwrap_or("");
        let view = TaskView {
            sequence,
            reference: reference.as_str().to_owned(),
            name: name.replace("~1", "/").replace("~0", "~"),
            label: None,
            parent: parent.0,
            iterations: self.iterations(sequence),
            status: TaskStatus::Running,
            started_at: show(at),
            ended_at: None,
            attempts: None,
            input: None,
            call: None,
            output: None,
            error: None,
            child: None,
        };
        self.tasks.insert(sequence, view);
    }

    /// The turns of loops and items around a task execution, outermost first.
    fn iterations(&self, task: u64) -> Vec<u64> {
        let mut found = Vec::new();
        let mut current = Some(task);
        while let Some((parent, iteration)) = current.and_then(|task| self.around.get(&task)) {
            found.extend(*iteration);
            current = Some(*parent);
        }
        found.reverse();
        found
    }

    fn end(&mut self, task: Sequence, at: Timestamp, status: TaskStatus) {
        self.on(task, |task| {
            if task.ended_at.is_none() {
                task.status = status;
                task.ended_at = Some(show(at));
            }
        });
    }

    /// What started at this entry or later is void; what had not ended then goes on again.
    fn rewind(&mut self, to: Sequence) {
        self.tasks.retain(|sequence, _| *sequence < to.0);
    }

    fn on(&mut self, task: Sequence, change: impl FnOnce(&mut TaskView)) {
        if let Some(task) = self.tasks.get_mut(&task.0) {
            change(task);
        }
    }
}

fn text(label: &Value) -> String {
    label.redacted().as_str().map_or_else(|| label.to_redacted_json(), str::to_owned)
}
