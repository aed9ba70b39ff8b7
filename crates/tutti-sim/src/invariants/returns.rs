//! Going back to a task makes it start again: nothing is left out silently.

use std::collections::BTreeMap;

use tutti_dsl::{TaskKind, Workflow};
use tutti_ids::{Sequence, TaskRef};
use tutti_journal::{Entry, Turn};

/// The tasks of one execution that were gone back to.
#[derive(Debug, Default)]
pub(crate) struct Returns {
    /// Every task that started, with what it runs in.
    started: BTreeMap<Sequence, (TaskRef, Sequence)>,
    /// What has to start again, by what it runs in.
    owed: BTreeMap<Sequence, TaskRef>,
}

impl Returns {
    /// Reads a turn and says what ended well without a task that was gone back to.
    pub(crate) fn on_turn(&mut self, turn: &Turn, workflow: &Workflow) -> Vec<String> {
        let mut problems = Vec::new();
        for (entry, number) in turn.entries.iter().zip(turn.first.0..) {
            match entry {
                Entry::TaskStarted { reference, parent, .. } => {
                    self.started.insert(Sequence(number), (reference.clone(), *parent));
                    self.settle(*parent, reference);
                }
                Entry::TaskSkipped { reference, parent, .. } => self.settle(*parent, reference),
                Entry::Rewound { to } => {
                    self.owed.clear();
                    if let Some((reference, parent)) = self.started.get(to)
                        && !self.competes(*parent, workflow)
                    {
                        self.owed.insert(*parent, reference.clone());
                    }
                }
                Entry::TaskCompleted { task, .. } => {
                    problems.extend(self.owed.remove(task).map(|owed| {
                        format!("{} {task} ended well without {owed:?}", turn.execution)
                    }));
                }
                _ => {}
            }
        }
        problems
    }

    fn settle(&mut self, parent: Sequence, reference: &TaskRef) {
        if self.owed.get(&parent) == Some(reference) {
            self.owed.remove(&parent);
        }
    }

    /// Another branch may have won where the task runs.
    fn competes(&self, parent: Sequence, workflow: &Workflow) -> bool {
        let reference = self.started.get(&parent).map(|(reference, _)| reference.as_str());
        let task = reference.and_then(|reference| workflow.find(reference));
        task.is_some_and(
            |task| matches!(&workflow.task(task).kind, TaskKind::Fork(fork) if fork.compete),
        )
    }
}
