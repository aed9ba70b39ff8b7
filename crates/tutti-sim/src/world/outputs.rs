//! What the loop says is done: outputs are carried out, and what comes of them is told.

use std::sync::Arc;

use tutti_connectors::Call;
use tutti_engine::CallOutcome;
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::Timestamp;
use tutti_runtime::{Happening, Output, Settlement, Stored};
use tutti_store::Commit;

use super::{BEGINNING, World, requests::Request};
use crate::{Reply, waiting::block_on};

/// An output of the loop that is still to be done.
#[derive(Debug)]
pub(super) enum Pending {
    Commit(Commit),
    /// The whole journal, or a snapshot and what follows it.
    Load(ExecutionId, bool),
    Answer {
        call: Call,
        due: Option<Timestamp>,
        outcome: CallOutcome,
    },
    Probe(Arc<str>, Call),
    Event(ExecutionId, Sequence),
}

impl World {
    pub(super) fn is_ready(&self, at: usize) -> bool {
        match &self.pending[at] {
            Pending::Answer { due, .. } => due.is_some_and(|due| due <= self.now),
            Pending::Commit(_) | Pending::Load(..) | Pending::Probe(..) | Pending::Event(..) => {
                true
            }
        }
    }

    pub(super) fn perform(&mut self, pending: Pending) {
        match pending {
            Pending::Commit(commit) => {
                let result = block_on(self.setting.store.commit(commit));
                self.say(&format!("commit {}", result_of(&result)));
                self.take_written();
                if result.is_err() {
                    // What the loop had decided ahead is gone, and with it how far listeners had come.
                    self.fed.clear();
                }
                self.tell(Happening::Committed { result });
            }
            Pending::Load(execution, is_whole) => {
                let result = self.load(execution, is_whole);
                self.tell(Happening::Loaded { execution, result });
            }
            Pending::Answer { call, outcome, .. } => {
                self.say(&format!("answer {} {outcome:?}", call.reference.as_str()));
                let Call { execution, task, attempt, .. } = call;
                self.tell(Happening::CallFinished { execution, task, attempt, outcome });
            }
            Pending::Probe(function, call) => {
                let outcome = self.outside.probe(&function, &call, self.now);
                self.say(&format!("probe {} {outcome:?}", call.reference.as_str()));
                let Call { execution, task, .. } = call;
                self.tell(Happening::ProbeFinished { execution, task, outcome });
            }
            Pending::Event(execution, task) => self.feed(execution, task),
        }
    }

    fn load(&self, execution: ExecutionId, is_whole: bool) -> Result<Option<Stored>, String> {
        let store = &self.setting.store;
        let history = if is_whole { store.load(execution) } else { store.load_tail(execution) };
        let history = block_on(history).map_err(|error| error.to_string())?;
        let Some(history) = history else { return Ok(None) };
        let digest = history.projection.digest;
        let workflow = self.setting.library.get(digest);
        let workflow = workflow.ok_or_else(|| format!("nobody knows {digest}"))?;
        Ok(Some((Box::new(history), workflow)))
    }

    pub(super) fn tell(&mut self, happening: Happening) {
        let outputs = self.owner.on(happening, self.now);
        for output in outputs {
            if self.is_down {
                return;
            }
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Commit(commit) => self.pending.push(Pending::Commit(commit)),
            Output::Load(execution) => self.pending.push(Pending::Load(execution, false)),
            Output::LoadWhole(execution) => self.pending.push(Pending::Load(execution, true)),
            Output::MakeCall(function, call) => self.make_call(&function, call),
            Output::CancelCall(execution, task) => self.cancel_call(execution, task),
            Output::Probe(function, call) => self.pending.push(Pending::Probe(function, call)),
            Output::Publish(turn, _) => {
                let lines = self.shadows.lines(&turn, self.now.0 - BEGINNING.0);
                let shown = lines.iter().cloned().chain([format!("{turn:?}")]);
                self.problems.extend(shown.flat_map(|shown| self.shadows.check_shown(&shown)));
                if self.setting.is_traced {
                    self.log.extend(lines);
                }
                self.problems.extend(self.shadows.on_published(&turn));
            }
            Output::Reply(request, result) => self.on_reply(request, result),
            Output::Settled(request, settlement) => {
                if let Some(Request::Watch(execution)) = self.requests.remove(&request) {
                    let said = format!("settled {settlement:?}");
                    self.problems.extend(self.shadows.check_shown(&said));
                    self.say(&said);
                    let starting = self.requests.values().any(|request| {
                        matches!(request, Request::Start { execution: other, .. } if *other == execution)
                    });
                    if starting && matches!(settlement, Settlement::Lost(_)) {
                        self.request(Request::Watch(execution));
                    } else {
                        self.settled.insert(execution, settlement);
                    }
                }
            }
            Output::Halt(error) => {
                self.say(&format!("halt: {error}"));
                self.is_down = true;
            }
        }
    }

    fn make_call(&mut self, function: &str, call: Call) {
        self.say(&format!("make {function} {} attempt {}", call.reference.as_str(), call.attempt));
        self.problems.extend(self.shadows.on_call_made(&call));
        let reply = self.outside.call(function, &call, self.now);
        self.effects.on_made(&call, &reply, (self.restarts, self.now));
        let (due, outcome) = match reply {
            Reply::In(delay, outcome) => (Some(self.now.plus_ms(delay)), outcome),
            Reply::Never => (None, CallOutcome::NotMade),
        };
        self.pending.push(Pending::Answer { call, due, outcome });
    }

    fn cancel_call(&mut self, execution: ExecutionId, task: Sequence) {
        for at in 0..self.pending.len() {
            let Pending::Answer { call, due, outcome } = &mut self.pending[at] else { continue };
            if call.execution == execution && call.task == task {
                if due.is_none_or(|due| due > self.now) {
                    *outcome = self.outside.give_up(call);
                    *due = Some(self.now);
                }
                return;
            }
        }
    }
}

fn result_of(result: &Result<(), tutti_store::Error>) -> String {
    match result {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("failed: {error}"),
    }
}
