//! What somebody asks of the loops, until it is answered.

use tutti_engine::{Control, Rejection, Start};
use tutti_expr::Value;
use tutti_ids::{ExecutionId, TaskRef};
use tutti_runtime::{Beside, Happening, Refusal, RequestId};
use tutti_store::DefinitionText;

use super::World;

/// What somebody asked of the loops; asked again after a crash until it is answered.
#[derive(Debug, Clone)]
pub(super) enum Request {
    Start {
        execution: ExecutionId,
        definition: DefinitionText,
        input: Option<Value>,
        seed: u64,
    },
    Adopt(ExecutionId),
    Watch(ExecutionId),
    Control(ExecutionId, Control),
    /// From the task, or from where it failed.
    Retry(ExecutionId, Option<TaskRef>),
}

impl World {
    /// Asks for an execution of a published definition and watches it.
    pub fn start(&mut self, definition: DefinitionText, input: Option<Value>) -> ExecutionId {
        let execution = self.start_unwatched(definition, input);
        self.watch(execution);
        execution
    }

    /// Asks for an execution of a published definition that nobody watches.
    pub fn start_unwatched(
        &mut self,
        definition: DefinitionText,
        input: Option<Value>,
    ) -> ExecutionId {
        let chance = u128::from(self.chance.next_u64());
        let execution = ExecutionId::new(u64::try_from(self.now.0).unwrap_or(0), chance);
        let seed = self.chance.next_u64();
        self.request(Request::Start { execution, definition, input, seed });
        execution
    }

    /// Wants to know when an execution ends or only a person can move it.
    pub fn watch(&mut self, execution: ExecutionId) {
        self.settled.remove(&execution);
        self.request(Request::Watch(execution));
    }

    /// Lays an operator's hand on an execution.
    pub fn control(&mut self, execution: ExecutionId, control: Control) {
        self.request(Request::Control(execution, control));
    }

    /// Asks for an execution to go back to the start of a task, or to where it failed.
    pub fn retry(&mut self, execution: ExecutionId, from: Option<TaskRef>) {
        self.request(Request::Retry(execution, from));
    }

    pub(super) fn on_reply(&mut self, request: RequestId, result: Result<(), Refusal>) {
        let Some(asked) = self.requests.remove(&request) else {
            return self.problems.push(format!("request {request} was answered twice"));
        };
        self.say(&format!("reply {result:?}"));
        match (&asked, result) {
            (Request::Start { execution, .. }, Ok(())) => {
                if self.shadows.get(*execution).is_none() {
                    self.problems
                        .push(format!("the start of {execution} was acknowledged, not stored"));
                }
            }
            // What was told before may be over now.
            (Request::Control(execution, _) | Request::Retry(execution, _), Ok(())) => {
                self.watch(*execution);
            }
            (_, Ok(())) => {}
            // Whoever asks for a start again looks first whether it took place.
            (Request::Start { execution, .. }, Err(Refusal::Unreadable(_)))
                if self.shadows.get(*execution).is_some() => {}
            (_, Err(Refusal::Unreadable(_))) => _ = self.request(asked),
            (Request::Retry(execution, _), Err(refusal)) => {
                // Children and calls are under way, or the error is of no task.
                let fair = [Rejection::Busy, Rejection::NoSuchTask, Rejection::Undone]
                    .map(Refusal::Rejected);
                if !fair.contains(&refusal) {
                    self.problems.push(format!("going back was refused: {refusal}"));
                }
                self.refused.push((*execution, refusal));
            }
            (Request::Control(execution, _), Err(refusal)) => {
                let late = matches!(
                    refusal,
                    Refusal::Rejected(
                        Rejection::Nothing | Rejection::Ended | Rejection::Stale { .. }
                    )
                );
                if !late {
                    self.problems.push(format!("control was refused: {refusal}"));
                }
                self.refused.push((*execution, refusal));
            }
            (_, Err(refusal)) => self.problems.push(format!("{asked:?} was refused: {refusal}")),
        }
    }

    pub(super) fn request(&mut self, request: Request) -> RequestId {
        self.next_request += 1;
        let id = self.next_request;
        self.requests.insert(id, request.clone());
        if !self.is_down {
            self.ask(id, request);
        }
        id
    }

    fn ask(&mut self, id: RequestId, request: Request) {
        let execution = request.execution();
        let happening = match request {
            Request::Start { execution, definition, input, seed } => {
                let Some(workflow) = self.setting.library.get(definition.digest) else { return };
                let start = Start {
                    execution,
                    definition: definition.name,
                    digest: definition.digest,
                    seed,
                    input,
                    parent: None,
                    events_after: self.newest_event(),
                    key: None,
                    hold: None,
                };
                Happening::Start { start, workflow, beside: Beside::default(), request: id }
            }
            Request::Adopt(execution) => Happening::Adopt { execution, request: id },
            Request::Watch(execution) => Happening::Watch { execution, request: id },
            Request::Control(execution, control) => {
                self.say(&format!("control {control:?}"));
                Happening::Control { execution, control, beside: Beside::default(), request: id }
            }
            Request::Retry(execution, from) => {
                self.say(&format!("retry {execution} from {from:?}"));
                Happening::Retry { execution, from, beside: Beside::default(), request: id }
            }
        };
        self.tell(execution, happening);
    }
}

impl Request {
    fn execution(&self) -> ExecutionId {
        match self {
            Self::Start { execution, .. }
            | Self::Adopt(execution)
            | Self::Watch(execution)
            | Self::Control(execution, _)
            | Self::Retry(execution, _) => *execution,
        }
    }
}
