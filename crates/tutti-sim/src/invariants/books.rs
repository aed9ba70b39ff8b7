//! The books kept of one journal: what it says was completed, undone, heard and extended. Going back voids what they hold,
//! as the journal itself says, save what branches beside the task did.

use tutti_dsl::Workflow;
use tutti_ids::Sequence;
use tutti_journal::{Entry, Turn};

use super::{extensions::Extensions, listeners::Listeners, tree::Tree, undos::Undos};

/// What one journal says, read beside the engine.
#[derive(Debug, Default)]
pub(crate) struct Books {
    tree: Tree,
    /// The entries that count.
    counting: Vec<(Sequence, Entry)>,
    undos: Undos,
    listeners: Listeners,
    extensions: Extensions,
}

impl Books {
    /// Reads a turn and says what in it must not be.
    pub(crate) fn on_turn(&mut self, turn: &Turn, workflow: &Workflow) -> Vec<String> {
        let mut problems = Vec::new();
        for (entry, number) in turn.entries.iter().zip(turn.first.0..) {
            let sequence = Sequence(number);
            self.tree.note(sequence, entry);
            let found = if let Entry::Rewound { to } = entry {
                self.go_back(*to, workflow)
            } else {
                self.counting.push((sequence, entry.clone()));
                self.enter(sequence, entry, workflow)
            };
            let id = turn.execution;
            problems.extend(found.into_iter().map(|found| format!("{id} {sequence}: {found}")));
        }
        problems
    }

    /// What listeners heard.
    pub(super) fn listeners(&self) -> (&Listeners, &Tree) {
        (&self.listeners, &self.tree)
    }

    fn enter(&mut self, sequence: Sequence, entry: &Entry, workflow: &Workflow) -> Vec<String> {
        let mut problems = self.undos.on_entry(sequence, entry, &self.tree, workflow);
        problems.extend(self.listeners.on_entry(entry, &self.tree, workflow));
        problems.extend(self.extensions.on_entry(entry, &self.tree, workflow));
        problems
    }

    fn go_back(&mut self, to: Sequence, workflow: &Workflow) -> Vec<String> {
        let mut counting = std::mem::take(&mut self.counting);
        let before = counting.len();
        let mut void = Vec::new();
        counting.retain(|(sequence, entry)| {
            let counts = *sequence < to || self.is_beside(*sequence, entry, to, workflow);
            if let (false, Entry::UndoStarted { completed, .. }) = (counts, entry) {
                void.push(*completed);
            }
            counts
        });
        debug_assert!(counting.len() <= before, "invariant: going back adds nothing");
        let forgotten = counting.iter().find(|(sequence, _)| void.contains(sequence));
        let problem = forgotten.map(|(completed, _)| {
            format!("it went back to {to} though what completed at {completed} was undone since")
        });
        (self.undos, self.listeners, self.extensions) = Default::default();
        for (sequence, entry) in &counting {
            self.enter(*sequence, entry, workflow);
        }
        self.counting = counting;
        problem.into_iter().collect()
    }

    fn is_beside(
        &self,
        sequence: Sequence,
        entry: &Entry,
        to: Sequence,
        workflow: &Workflow,
    ) -> bool {
        let about = match entry {
            Entry::TaskStarted { .. } | Entry::ItemStarted { .. } | Entry::UndoStarted { .. } => {
                sequence
            }
            Entry::TaskSkipped { parent, .. } => *parent,
            entry => match subject(entry) {
                Some(task) => task,
                None => return false,
            },
        };
        self.tree.are_beside(to, about, workflow)
    }
}

/// The task execution an entry tells of, where that matters to the books.
fn subject(entry: &Entry) -> Option<Sequence> {
    match entry {
        Entry::TaskCompleted { task, .. }
        | Entry::BodyCompleted { task, .. }
        | Entry::TaskFaulted { task, .. }
        | Entry::TaskTimedOut { task, .. }
        | Entry::RetryScheduled { task, .. }
        | Entry::ErrorCaught { task, .. }
        | Entry::IncidentRaised { task, .. }
        | Entry::IncidentResolved { task, .. }
        | Entry::ReversalStarted { task, .. }
        | Entry::ListenStarted { task, .. }
        | Entry::EventConsumed { task, .. }
        | Entry::ExtensionsSelected { task, .. } => Some(*task),
        _ => None,
    }
}
