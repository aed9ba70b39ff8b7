//! One turn: what an input means, then everything that can be decided without the world.

use std::{collections::BTreeSet, sync::Arc};

use tutti_dsl::Workflow;
use tutti_expr::Value;
use tutti_ids::Sequence;
use tutti_journal::{
    CallRecord, Entry, Error, ErrorType, EventPosition, Resolution, SuspensionReason, Timestamp,
};

use crate::{
    Execution, Surroundings,
    frame::{Body, CallPhase, ChildPhase, Frame, TryPhase},
    hold::Hold,
    input::{CallOutcome, ChildOutcome, Control, Input, ProbeOutcome, Rejection, Start},
    surroundings::Outlook,
};

/// Decides what an input means. Pure: same execution, input and surroundings give the same entries.
///
/// # Errors
/// If the input means nothing to the execution as it stands.
pub fn step(
    execution: &Execution,
    input: Input,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<Entry>, Rejection> {
    execution.clone().advance(input, surroundings)
}

impl Execution {
    /// Begins an execution: its first turn.
    pub fn start(&mut self, start: Start, surroundings: &Surroundings<'_>) -> Vec<Entry> {
        let mut turn = Stepper::new(self, surroundings);
        turn.record(Entry::ExecutionStarted {
            definition: start.definition,
            digest: start.digest,
            seed: start.seed,
            input: start.input.unwrap_or_else(|| Value::object::<&str>([])),
            parent: start.parent,
            events_after: Some(start.events_after).filter(|after| *after != EventPosition(0)),
            key: start.key,
        });
        if let Some(Hold { group }) = start.hold {
            turn.record(Entry::ExecutionHeld { group });
        }
        turn.go_on();
        turn.entries
    }

    /// [`step`], and [`Execution::apply`] of every entry it decides, in one: what the runtime uses, as nothing has to be
    /// copied. If the entries cannot be committed, the execution must be dropped and loaded again.
    ///
    /// # Errors
    /// If the input means nothing to the execution as it stands, which is then unchanged.
    pub fn advance(
        &mut self,
        input: Input,
        surroundings: &Surroundings<'_>,
    ) -> Result<Vec<Entry>, Rejection> {
        if self.outcome.is_some() {
            return Err(Rejection::Ended);
        }
        let mut turn = Stepper::new(self, surroundings);
        turn.on_input(input)?;
        turn.go_on();
        Ok(turn.entries)
    }
}

/// One turn while it is being decided.
pub(crate) struct Stepper<'a> {
    pub(crate) execution: &'a mut Execution,
    pub(crate) surroundings: Outlook<'a>,
    pub(crate) workflow: Arc<Workflow>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) free_slots: usize,
    /// How many decisions it took.
    decisions: usize,
    /// How many bytes of values it recorded.
    bytes: u64,
}

impl<'a> Stepper<'a> {
    fn new(execution: &'a mut Execution, surroundings: &'a Surroundings<'a>) -> Self {
        let workflow = Arc::clone(&execution.workflow);
        let free_slots = surroundings.free_slots;
        Self {
            execution,
            surroundings: Outlook::new(surroundings),
            workflow,
            entries: Vec::new(),
            free_slots,
            decisions: 0,
            bytes: 0,
        }
    }

    /// Decides what an execution that was taken back does next. One that had ended has given its room away: it is
    /// `admitted_anew`.
    pub(crate) fn resume(
        execution: &'a mut Execution,
        surroundings: &'a Surroundings<'a>,
        admitted_anew: bool,
    ) -> Vec<Entry> {
        let mut turn = Self::new(execution, surroundings);
        if let (true, Some(Hold { group })) = (admitted_anew, turn.execution.hold.clone()) {
            turn.record(Entry::ExecutionHeld { group });
        }
        // The pause is void with what followed it; a branch that is kept may still need the person.
        if turn.execution.suspended.is_none() && turn.execution.incidents().next().is_some() {
            turn.record(Entry::ExecutionSuspended { reason: SuspensionReason::Incident });
        }
        turn.go_on();
        turn.entries
    }

    /// Adds a fact to the turn and to the state.
    pub(crate) fn record(&mut self, entry: Entry) {
        self.execution.apply(self.surroundings.now, &entry);
        self.bytes = self.bytes.saturating_add(entry.value_size());
        self.entries.push(entry);
    }

    /// Decides whatever can be decided, until the world is needed or the budget is used up.
    fn go_on(&mut self) {
        while !self.execution.is_still() && self.execution.outcome.is_none() && self.has_budget() {
            let Some(id) = self.execution.ready.front().copied() else { return };
            if self.is_journal_full() {
                let reason = SuspensionReason::JournalLimit;
                return self.record(Entry::ExecutionSuspended { reason });
            }
            self.decisions += 1;
            let before = self.entries.len();
            self.decide(id);
            debug_assert!(
                self.entries.len() > before,
                "invariant: every decision records an entry ({id})"
            );
            if self.entries.len() == before {
                return;
            }
        }
    }

    /// Whether the turn may decide more: it is to last some tens of milliseconds at most.
    fn has_budget(&self) -> bool {
        let limits = &self.surroundings.limits;
        // Whatever the limits, a turn gets somewhere.
        self.entries.is_empty()
            || self.decisions < limits.tasks_per_turn
                && self.bytes < limits.bytes_per_turn
                && self.surroundings.ticks.get() < limits.ticks_per_turn
    }

    /// Whether only a person may let the journal grow.
    fn is_journal_full(&self) -> bool {
        let Execution { next, granted_at, .. } = &*self.execution;
        next.0.saturating_sub(granted_at.0) >= self.surroundings.limits.journal_entries
    }

    fn on_input(&mut self, input: Input) -> Result<(), Rejection> {
        match input {
            Input::Continue if self.execution.has_ready() && !self.execution.is_still() => Ok(()),
            Input::SlotGranted { task } => self.on_slot_granted(task),
            Input::CallFinished { task, attempt, outcome } => {
                self.on_call_finished(task, attempt, outcome)
            }
            Input::CallLost { task } => self.on_call_lost(task),
            Input::ProbeFinished { task, outcome } => self.on_probe_finished(task, outcome),
            Input::TimerFired => self.on_timer_fired(),
            Input::ChildStarted { child } => {
                let task = self.child_frame(child)?;
                let detached = self.execution.frame(task).is_some_and(
                    |frame| matches!(&frame.body, Body::Child { request, .. } if !request.parent.awaits),
                );
                if !detached {
                    return Err(Rejection::Nothing);
                }
                self.record(Entry::ChildDetached { task });
                Ok(())
            }
            Input::ChildEnded { child, outcome } => {
                let task = self.child_frame(child)?;
                self.record(match outcome {
                    ChildOutcome::Completed(output) => self.completed(task, output),
                    ChildOutcome::Faulted(error) => Entry::CallFailed { task, error },
                    ChildOutcome::Cancelled => Entry::CallFailed { task, error: child_cancelled() },
                });
                Ok(())
            }
            Input::EventArrived { task, position, event } => self.on_event(task, position, &event),
            Input::Admitted if self.execution.held.is_some() => {
                self.record(Entry::ExecutionAdmitted);
                Ok(())
            }
            Input::Continue | Input::Admitted => Err(Rejection::Nothing),
            Input::CallAdmitted { task } => self.on_call_admitted(task),
            Input::Control(control) => self.on_control(control),
        }
    }

    fn on_slot_granted(&mut self, task: Sequence) -> Result<(), Rejection> {
        let frame = self.execution.frame(task).ok_or(Rejection::Stale { task })?;
        match (&frame.body, &frame.ending) {
            (Body::Call { phase: CallPhase::Scheduled, .. }, None)
                if !self.execution.is_still() =>
            {
                self.record(Entry::CallDispatched { task });
                Ok(())
            }
            _ => Err(Rejection::Stale { task }),
        }
    }

    fn on_call_admitted(&mut self, task: Sequence) -> Result<(), Rejection> {
        let frame = self.execution.frame(task).ok_or(Rejection::Stale { task })?;
        let (Body::Call { phase: CallPhase::Held { .. }, .. }, None) = (&frame.body, &frame.ending)
        else {
            return Err(Rejection::Stale { task });
        };
        if self.execution.is_still() {
            return Err(Rejection::Nothing);
        }
        self.record(Entry::CallAdmitted { task });
        self.redispatch(task);
        Ok(())
    }

    fn on_call_finished(
        &mut self,
        task: Sequence,
        attempt: u32,
        outcome: CallOutcome,
    ) -> Result<(), Rejection> {
        let frame = self.execution.frame(task).ok_or(Rejection::Stale { task })?;
        let Body::Call { record, phase: CallPhase::Scheduled | CallPhase::Dispatched } =
            &frame.body
        else {
            return Err(Rejection::Stale { task });
        };
        if record.attempt != attempt {
            return Err(Rejection::Stale { task });
        }
        let (call, ending) = (record.clone(), frame.ending.is_some());
        self.record(match outcome {
            CallOutcome::Completed(output) => self.completed(task, output),
            CallOutcome::Failed(error) => Entry::CallFailed { task, error },
            CallOutcome::NotMade if ending => Entry::CallFailed { task, error: not_made() },
            CallOutcome::NotMade => Entry::CallRescheduled { task },
            CallOutcome::Unknown(error) => Entry::CallOutcomeUnknown {
                task,
                error: unknown_outcome(&call, error),
                probed: false,
            },
        });
        self.redispatch(task);
        Ok(())
    }

    fn completed(&self, task: Sequence, output: Value) -> Entry {
        Entry::CallCompleted { task, output: self.execution.covered(task, output) }
    }

    /// A call that will be made again under its key gets its slot back in the same turn where one is free.
    fn redispatch(&mut self, task: Sequence) {
        let waits = self.execution.frame(task).is_some_and(|frame| match &frame.body {
            Body::Call { record, phase: CallPhase::Scheduled } => {
                record.effect == tutti_journal::Effect::Once
            }
            _ => false,
        });
        if waits && self.free_slots > 0 && !self.execution.is_still() {
            self.free_slots -= 1;
            self.record(Entry::CallDispatched { task });
        }
    }

    fn on_call_lost(&mut self, task: Sequence) -> Result<(), Rejection> {
        let frame = self.execution.frame(task).ok_or(Rejection::Stale { task })?;
        let Body::Call { record, phase: CallPhase::Dispatched } = &frame.body else {
            return Err(Rejection::Stale { task });
        };
        let cause = Error::new(
            ErrorType::Runtime,
            "the process that made the call died before it learned the outcome",
        );
        let error = unknown_outcome(record, cause);
        self.record(Entry::CallOutcomeUnknown { task, error, probed: false });
        Ok(())
    }

    fn on_probe_finished(
        &mut self,
        task: Sequence,
        outcome: ProbeOutcome,
    ) -> Result<(), Rejection> {
        let frame = self.execution.frame(task).ok_or(Rejection::Stale { task })?;
        let Body::Call { phase: CallPhase::Probing(error), .. } = &frame.body else {
            return Err(Rejection::Stale { task });
        };
        let (error, ending) = (error.clone(), frame.ending.is_some());
        self.record(match outcome {
            ProbeOutcome::Completed(output) => self.completed(task, output),
            ProbeOutcome::Failed(error) => Entry::CallFailed { task, error },
            ProbeOutcome::NotMade if ending => Entry::CallFailed { task, error: not_made() },
            ProbeOutcome::NotMade => Entry::CallRescheduled { task },
            ProbeOutcome::Unknown => Entry::CallOutcomeUnknown { task, error, probed: true },
        });
        self.redispatch(task);
        Ok(())
    }

    fn on_timer_fired(&mut self) -> Result<(), Rejection> {
        let now = self.surroundings.now;
        if self.execution.is_still() || self.execution.next_due().is_none_or(|due| due > now) {
            return Err(Rejection::Nothing);
        }
        // Those that a turn has no room for are still due after it.
        while self.has_budget()
            && let Some((due, id)) =
                self.execution.timers.first().copied().filter(|(due, _)| *due <= now)
        {
            self.decisions += 1;
            let before = self.entries.len();
            self.fire(id, due);
            if self.entries.len() == before {
                break;
            }
        }
        Ok(())
    }

    fn fire(&mut self, id: Sequence, due: Timestamp) {
        let Some(frame) = self.execution.frame(id) else { return };
        if frame.due.is_some_and(|timeout| timeout <= due) {
            let workflow = id == Sequence::FIRST;
            let what = if workflow { "workflow" } else { "task" };
            let error = timed_out(&format!("the {what} took longer than its timeout"))
                .at(self.execution.reference(frame).as_str());
            return self.record(Entry::TaskTimedOut { task: id, error });
        }
        match &frame.body {
            Body::Wait { .. } => self.complete(id, None),
            Body::Try(state) if matches!(state.phase, TryPhase::Delay { .. }) => {
                self.start_attempt(id);
            }
            Body::Try(_) => self.time_attempt_out(id),
            _ => {}
        }
    }

    /// The attempt's time is over: the task that runs in the `try` is interrupted, and its error may be caught.
    fn time_attempt_out(&mut self, id: Sequence) {
        let child = self.execution.frames.range(id..).find(|(_, frame)| frame.parent == Some(id));
        let Some((child, frame)) = child else { return };
        let error = timed_out("the attempt took longer than its limit")
            .at(self.execution.reference(frame).as_str());
        let child = *child;
        self.record(Entry::TaskTimedOut { task: child, error });
    }

    fn child_frame(&self, child: tutti_ids::ExecutionId) -> Result<Sequence, Rejection> {
        let waits = |frame: &&Frame| matches!(&frame.body, Body::Child { request, phase: ChildPhase::Requested } if request.execution == child);
        self.execution
            .external_frames()
            .find(waits)
            .map(|frame| frame.id)
            .ok_or(Rejection::UnknownChild)
    }

    fn on_control(&mut self, control: Control) -> Result<(), Rejection> {
        match control {
            Control::Suspend if self.execution.suspended.is_none() => {
                self.record(Entry::ExecutionSuspended { reason: SuspensionReason::Control });
            }
            Control::Resume if self.execution.suspended.is_some() => {
                if self.execution.incidents().next().is_some() {
                    return Err(Rejection::Nothing);
                }
                self.record(Entry::ExecutionResumed);
            }
            Control::Suspend | Control::Resume => return Err(Rejection::Nothing),
            Control::Cancel { reason } => self.cancel(reason),
            Control::Resolve { task, resolution } => self.resolve(task, resolution)?,
        }
        Ok(())
    }

    /// Cancelling settles open incidents: their outcome stays on record as unknown.
    fn cancel(&mut self, reason: Option<String>) {
        let open: Vec<Sequence> = self.execution.incidents().map(|(task, ..)| task).collect();
        self.record(Entry::CancelRequested { reason });
        for task in open {
            self.record(Entry::IncidentResolved { task, resolution: Resolution::Fault });
        }
        if self.execution.suspended.is_some() {
            self.record(Entry::ExecutionResumed);
        }
    }

    fn resolve(&mut self, task: Sequence, resolution: Resolution) -> Result<(), Rejection> {
        let open: BTreeSet<Sequence> = self.execution.incidents().map(|(task, ..)| task).collect();
        if !open.contains(&task) {
            return Err(Rejection::Stale { task });
        }
        let ending = self.execution.frame(task).is_some_and(|frame| frame.ending.is_some());
        let again = matches!(resolution, Resolution::Retry);
        let resolution = match resolution {
            Resolution::Complete { output } => {
                Resolution::Complete { output: self.execution.covered(task, output) }
            }
            Resolution::Retry | Resolution::Fault => resolution,
        };
        self.record(Entry::IncidentResolved { task, resolution });
        if again && ending {
            // What runs around it is being given up: the call is not made again.
            self.record(Entry::CallFailed { task, error: not_made() });
        }
        if open.len() == 1 {
            self.record(Entry::ExecutionResumed);
        }
        self.redispatch(task);
        Ok(())
    }
}

fn timed_out(detail: &str) -> Error {
    Error::new(ErrorType::Timeout, detail)
}

fn not_made() -> Error {
    Error::new(ErrorType::Runtime, "the call was given up before it was made")
}

fn child_cancelled() -> Error {
    Error::new(ErrorType::Runtime, "the child execution was cancelled")
}

/// The error for a call of which nobody knows whether it was made: by its key one may look it up; what went wrong is
/// its cause.
fn unknown_outcome(call: &CallRecord, cause: Error) -> Error {
    if cause.is(ErrorType::OutcomeUnknown) {
        return cause;
    }
    let detail = "nobody knows whether this call was made; it must not be repeated silently";
    Error::new(ErrorType::OutcomeUnknown, detail)
        .with("key", call.key.clone())
        .with("cause", cause.to_value())
}
