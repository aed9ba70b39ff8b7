//! What has become durable, told to whoever follows an execution.

use std::sync::Arc;

use tokio::sync::broadcast;
use tutti_dsl::Workflow;
use tutti_ids::ExecutionId;
use tutti_journal::Turn;
use tutti_runtime::{LogLine, Observer};

/// Turns that a follower may be behind; one that is further behind reads the journal again, so nothing is lost.
const TURNS_AHEAD: usize = 1_024;

/// Tells every follower of every turn. A follower that is slow holds nobody up.
#[derive(Debug, Clone)]
pub struct Feed {
    turns: broadcast::Sender<Arc<Turn>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { turns: broadcast::Sender::new(TURNS_AHEAD) }
    }
}

impl Feed {
    /// Follows all executions from now on.
    pub(crate) fn follow(&self) -> broadcast::Receiver<Arc<Turn>> {
        self.turns.subscribe()
    }
}

impl Observer for Feed {
    fn on_turn(&self, turn: &Turn, _workflow: &Arc<Workflow>) {
        if self.turns.receiver_count() > 0 {
            // Nobody may follow any more.
            self.turns.send(Arc::new(turn.clone())).ok();
        }
    }

    fn on_log(&self, _line: &LogLine) {}

    fn on_unreadable(&self, _execution: ExecutionId, _reason: &str) {}
}
