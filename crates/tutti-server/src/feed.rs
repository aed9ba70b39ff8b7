//! What has become durable, told to whoever follows an execution.

use std::sync::Arc;

use tokio::sync::broadcast;
use tutti_dsl::Workflow;
use tutti_ids::{DefinitionRef, ExecutionId};
use tutti_journal::{Entry, Timestamp, Turn};
use tutti_runtime::{LogLine, Observer, admission::HeldCall};

use crate::admissions::has_cooldown;

/// Turns that a follower may be behind; one that is further behind reads the journal again, so nothing is lost.
const TURNS_AHEAD: usize = 1_024;

/// What is told of admissions that a follower may be behind.
const NOTICES_AHEAD: usize = 16_384;

/// What whoever keeps limits among executions has to know of what has become durable.
#[derive(Debug, Clone)]
pub(crate) enum Notice {
    /// An execution waits to be admitted.
    Held {
        execution: ExecutionId,
        workflow: Arc<Workflow>,
        /// What `concurrency.by` gave.
        group: Option<String>,
        /// Its definition and business key where it begins; none where it was taken back after its end.
        started: Option<(DefinitionRef, Option<String>)>,
        at: Timestamp,
    },
    /// A call waits until it may be made.
    CallHeld {
        call: HeldCall,
        workflow: Arc<Workflow>,
        /// The task in the document.
        reference: String,
        /// What `cooldown.by` gave.
        group: Option<String>,
        at: Timestamp,
    },
    /// An execution goes on of a workflow that has a cool-down.
    Resumed { execution: ExecutionId },
    /// An execution has ended.
    Ended { execution: ExecutionId, at: Timestamp },
}

/// Tells every follower of every turn. A follower that is slow holds nobody up.
#[derive(Debug, Clone)]
pub struct Feed {
    turns: broadcast::Sender<Arc<Turn>>,
    admissions: broadcast::Sender<Notice>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            turns: broadcast::Sender::new(TURNS_AHEAD),
            admissions: broadcast::Sender::new(NOTICES_AHEAD),
        }
    }
}

impl Feed {
    /// Follows all executions from now on.
    pub(crate) fn follow(&self) -> broadcast::Receiver<Arc<Turn>> {
        self.turns.subscribe()
    }

    /// Follows who is held and who ends from now on.
    pub(crate) fn follow_admissions(&self) -> broadcast::Receiver<Notice> {
        self.admissions.subscribe()
    }
}

impl Observer for Feed {
    fn on_turn(&self, turn: &Turn, workflow: &Arc<Workflow>) {
        if self.admissions.receiver_count() > 0 {
            for notice in notices(turn, workflow) {
                self.admissions.send(notice).ok();
            }
        }
        if self.turns.receiver_count() > 0 {
            // Nobody may follow any more.
            self.turns.send(Arc::new(turn.clone())).ok();
        }
    }

    fn on_log(&self, _line: &LogLine) {}

    fn on_unreadable(&self, _execution: ExecutionId, _reason: &str) {}
}

/// What a turn means for admissions.
fn notices<'a>(turn: &'a Turn, workflow: &'a Arc<Workflow>) -> impl Iterator<Item = Notice> + 'a {
    let (execution, at) = (turn.execution, turn.at);
    turn.entries.iter().filter_map(move |entry| match entry {
        Entry::ExecutionHeld { group } => {
            let started = turn.entries.first().and_then(|entry| match entry {
                Entry::ExecutionStarted { definition, key, .. } => {
                    Some((definition.clone(), key.clone()))
                }
                _ => None,
            });
            let (workflow, group) = (workflow.clone(), group.clone());
            Some(Notice::Held { execution, workflow, group, started, at })
        }
        Entry::CallHeld { task, reference, group } => Some(Notice::CallHeld {
            call: (execution, *task),
            workflow: workflow.clone(),
            reference: reference.as_str().to_owned(),
            group: group.clone(),
            at,
        }),
        Entry::ExecutionResumed | Entry::ExecutionAdmitted | Entry::Rewound { .. }
            if has_cooldown(workflow) =>
        {
            Some(Notice::Resumed { execution })
        }
        end if end.is_end() => Some(Notice::Ended { execution, at }),
        _ => None,
    })
}
