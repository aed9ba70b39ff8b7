//! Executions tell each other only what is stored.

use tutti_engine::{ChildOutcome, Command, Outcome};
use tutti_ids::ExecutionId;
use tutti_runtime::Message;

use super::Shadows;

impl Shadows {
    /// A message leaves: what is stored must say so.
    pub(crate) fn check_told(&self, to: ExecutionId, message: &Message) -> Option<String> {
        let is_stored = match message {
            Message::StartChild { request, .. } => {
                self.wants(request.parent.execution, request.execution)
            }
            Message::CancelChild { parent } => self.wants(*parent, to),
            Message::ChildStarted { child } => self.get(*child).is_some(),
            Message::ChildEnded { child, outcome } => self.has_ended(*child, outcome),
            Message::Stands
            | Message::Count { .. }
            | Message::Counted { .. }
            | Message::AskAgain { .. } => true,
        };
        (!is_stored).then(|| format!("{to} was told before it was stored: {message:?}"))
    }

    /// Whether an execution awaits a child; it may give it up within the commit in which it asked for it.
    fn wants(&self, parent: ExecutionId, child: ExecutionId) -> bool {
        let parent = self.get(parent).map(|shadow| &shadow.execution);
        parent.is_some_and(|parent| {
            parent.outstanding().any(|command| match command {
                Command::StartChild(request) => request.execution == child,
                Command::CancelChild { child: given_up } => given_up == child,
                _ => false,
            })
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
