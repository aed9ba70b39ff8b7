//! Executions that started others.

use tutti_engine::{ChildOutcome, ChildRequest, Input, Outcome, Start};
use tutti_ids::ExecutionId;
use tutti_journal::{Error, Timestamp};

use super::{Loop, loading::Awaiting};

impl Loop {
    pub(super) fn start_child(&mut self, request: ChildRequest, now: Timestamp) {
        let Some(workflow) = self.options.library.get(request.digest) else {
            let error = Error::new(
                tutti_journal::ErrorType::Configuration,
                format!("the workflow {} is not available", request.definition),
            );
            let outcome = ChildOutcome::Faulted(error);
            let input = Input::ChildEnded { child: request.execution, outcome };
            return self.with(request.parent.execution, Awaiting::Fact(input), now);
        };
        let start = Start {
            execution: request.execution,
            definition: request.definition,
            digest: request.digest,
            seed: fold(request.execution.to_bits()),
            input: Some(request.input),
            parent: Some(request.parent),
            events_after: self.newest_event,
        };
        self.on_start(start, workflow, None, now);
    }

    /// Tells the parent that a child is on its way or has ended, once that is durable.
    pub(super) fn report_to_parent(
        &mut self,
        child: ExecutionId,
        parent: ExecutionId,
        now: Timestamp,
    ) {
        let Some(resident) = self.residents.get_mut(&child) else { return };
        if !resident.is_durable || resident.turns_ahead > 0 {
            return;
        }
        resident.parent_told = true;
        let awaited = resident.execution.parent().is_some_and(|parent| parent.awaits);
        let outcome = match resident.execution.outcome() {
            _ if !awaited => {
                return self.with(parent, Awaiting::Fact(Input::ChildStarted { child }), now);
            }
            Some(Outcome::Completed(output)) => ChildOutcome::Completed(output.clone()),
            Some(Outcome::Faulted(error)) => ChildOutcome::Faulted(error.clone()),
            Some(Outcome::Cancelled) => ChildOutcome::Cancelled,
            None => return,
        };
        self.with(parent, Awaiting::Fact(Input::ChildEnded { child, outcome }), now);
    }
}

/// The low half of an id's chance.
fn fold(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0)
}
