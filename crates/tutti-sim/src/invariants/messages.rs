//! Executions tell each other only what is stored.

use tutti_engine::{ChildOutcome, Command, Outcome};
use tutti_ids::ExecutionId;
use tutti_journal::Entry;
use tutti_runtime::Message;

use super::Shadows;

impl Shadows {
    /// A message leaves: what is stored must say so.
    pub(crate) fn check_told(&self, to: ExecutionId, message: &Message) -> Option<String> {
        let is_stored = match message {
            Message::StartChild { request, .. } => self.has_asked_for(request.parent.execution, to),
            Message::CancelChild { parent } => {
                self.has_asked_for(*parent, to) && !self.wants(*parent, to)
            }
            Message::ChildStarted { child } => self.get(*child).is_some(),
            Message::ChildEnded { child, outcome } => self.has_ended(*child, outcome),
            Message::Stands
            | Message::Count { .. }
            | Message::Counted { .. }
            | Message::AskAgain { .. } => true,
        };
        (!is_stored).then(|| format!("{to} was told before it was stored: {message:?}"))
    }

    /// Whether it is on record that an execution wants a child.
    fn has_asked_for(&self, parent: ExecutionId, child: ExecutionId) -> bool {
        let turns = self.get(parent).into_iter().flat_map(|shadow| &shadow.turns);
        turns.flat_map(|turn| &turn.entries).any(
            |entry| matches!(entry, Entry::ChildStarted { execution, .. } if *execution == child),
        )
    }

    /// Whether an execution still wants a child; it may have given it up, or have learned of its end, within one commit.
    fn wants(&self, parent: ExecutionId, child: ExecutionId) -> bool {
        self.get(parent).is_some_and(|shadow| {
            let mut owed = shadow.execution.outstanding();
            owed.any(|command| matches!(command, Command::StartChild(request) if request.execution == child))
        })
    }

    /// Whether an execution has ended so; one that never started is told to have been cancelled, or to have faulted.
    fn has_ended(&self, child: ExecutionId, told: &ChildOutcome) -> bool {
        let Some(shadow) = self.get(child) else {
            return !matches!(told, ChildOutcome::Completed(_));
        };
        match (shadow.execution.outcome(), told) {
            (Some(Outcome::Completed(stored)), ChildOutcome::Completed(told)) => stored == told,
            (Some(Outcome::Faulted(stored)), ChildOutcome::Faulted(told)) => stored == told,
            (Some(Outcome::Cancelled), ChildOutcome::Cancelled) => true,
            _ => false,
        }
    }
}
