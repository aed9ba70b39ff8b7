//! Who listens, and for what.

use std::sync::Arc;

use tutti_dsl::Workflow;
use tutti_engine::EventInterest;
use tutti_ids::{Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::EventPosition;

/// A task execution that listens.
pub(super) type Listener = (ExecutionId, Sequence);

/// What a listener asks for.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) task: Sequence,
    pub(super) reference: TaskRef,
    /// The execution that started the one that listens.
    pub(super) parent: Option<ExecutionId>,
    pub(super) definition: Digest,
    pub(super) workflow: Arc<Workflow>,
    pub(super) after: EventPosition,
    pub(super) interests: Vec<EventInterest>,
}
