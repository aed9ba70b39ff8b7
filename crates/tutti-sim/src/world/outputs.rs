//! What the loops say is done: outputs are carried out, and what comes of them is told.

use std::sync::Arc;

use tutti_connectors::Call;
use tutti_engine::CallOutcome;
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::{CloudEvent, EventPosition, Timestamp};
use tutti_runtime::{Happening, Message, Output, Partition, Settlement, Stored, Unread};
use tutti_store::Commit;

use super::{BEGINNING, World, requests::Request};
use crate::{Reply, waiting::block_on};

/// An output of a loop that is still to be done.
#[derive(Debug)]
pub(super) enum Pending {
    /// Of this loop.
    Commit(usize, Commit),
    /// The whole journal, or a snapshot and what follows it.
    Load(ExecutionId, bool),
    Answer {
        call: Call,
        due: Option<Timestamp>,
        outcome: CallOutcome,
    },
    Probe(Arc<str>, Call),
    /// Somebody outside publishes this, until it is received.
    Receive(CloudEvent),
    /// This loop reads so many events after this position.
    ReadEvents(usize, EventPosition, usize),
    /// A loop is to be told how far the log of events goes.
    Logged {
        from: Sender,
        to: usize,
        newest: EventPosition,
    },
    /// This loop is to be told that an execution was set aside.
    SetAside(usize),
    /// Under way from this loop, behind what it told the same loop before.
    Tell {
        from: usize,
        to: ExecutionId,
        message: Message,
    },
}

/// Who sends something to a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    Loop(usize),
    Outside,
}

impl Pending {
    /// Whether a call of this execution is under way.
    pub(super) fn is_answer_for(&self, execution: ExecutionId) -> bool {
        matches!(self, Self::Answer { call, .. } if call.execution == execution)
    }
}

impl World {
    pub(super) fn is_ready(&self, at: usize) -> bool {
        match &self.pending[at] {
            Pending::Answer { due, .. } => due.is_some_and(|due| due <= self.now),
            Pending::Commit(..)
            | Pending::Load(..)
            | Pending::Probe(..)
            | Pending::Receive(_)
            | Pending::ReadEvents(..)
            | Pending::SetAside(_) => true,
            pending @ (Pending::Tell { .. } | Pending::Logged { .. }) => {
                let way = self.way(pending);
                !self.pending[..at].iter().any(|ahead| self.way(ahead) == way)
            }
        }
    }

    /// From whom, and to which loop, something is under way in its order.
    fn way(&self, pending: &Pending) -> Option<(Sender, usize)> {
        match pending {
            Pending::Tell { from, to, .. } => Some((Sender::Loop(*from), self.owner_of(*to))),
            Pending::Logged { from, to, .. } => Some((*from, *to)),
            _ => None,
        }
    }

    pub(super) fn perform(&mut self, pending: Pending) {
        match pending {
            Pending::Commit(number, commit) => {
                let has_events = !commit.events.is_empty();
                let result = block_on(self.setting.store.commit(commit));
                self.say(&format!("commit {}", result_of(&result)));
                self.take_written();
                let may_be_stored =
                    matches!(result, Ok(()) | Err(tutti_store::Error::Ambiguous { .. }));
                if has_events && may_be_stored && !self.tell_newest(number) {
                    return;
                }
                self.tell_loop(number, Happening::Committed { result });
            }
            Pending::Load(execution, is_whole) => {
                let result = self.load(execution, is_whole);
                self.tell(execution, Happening::Loaded { execution, result });
            }
            Pending::Answer { call, outcome, .. } => {
                self.say(&format!("answer {} {outcome:?}", call.reference.as_str()));
                let Call { execution, task, attempt, .. } = call;
                self.tell(execution, Happening::CallFinished { execution, task, attempt, outcome });
            }
            Pending::Probe(function, call) => {
                let outcome = self.outside.probe(&function, &call, self.now);
                self.say(&format!("probe {} {outcome:?}", call.reference.as_str()));
                let Call { execution, task, .. } = call;
                self.tell(execution, Happening::ProbeFinished { execution, task, outcome });
            }
            Pending::Receive(event) => self.publish(event),
            Pending::ReadEvents(number, after, limit) => self.read_events(number, after, limit),
            Pending::Logged { to, newest, .. } => self.tell_logged(to, newest),
            Pending::SetAside(number) => self.tell_loop(number, Happening::SetAside),
            Pending::Tell { to, message, .. } => {
                self.say(&format!("tell {to} {message:?}"));
                self.tell(to, Happening::Told { to, message });
            }
        }
    }

    fn load(&self, execution: ExecutionId, is_whole: bool) -> Result<Option<Stored>, Unread> {
        let store = &self.setting.store;
        let history = if is_whole { store.load(execution) } else { store.load_tail(execution) };
        let history = block_on(history).map_err(Unread::Store)?;
        let Some(history) = history else { return Ok(None) };
        let digest = history.projection.digest;
        let workflow = self.setting.library.get(digest);
        let workflow = workflow.ok_or_else(|| Unread::Damaged(format!("nobody knows {digest}")))?;
        Ok(Some((Box::new(history), workflow)))
    }

    pub(super) fn owner_of(&self, execution: ExecutionId) -> usize {
        Partition::of(execution).owner(self.setting.loops)
    }

    /// Hands what happened to the loop that owns the execution.
    pub(super) fn tell(&mut self, execution: ExecutionId, happening: Happening) {
        self.tell_loop(self.owner_of(execution), happening);
    }

    pub(super) fn tell_loop(&mut self, number: usize, happening: Happening) {
        let outputs = self.owners[number].on(happening, self.now);
        for output in outputs {
            if self.is_down {
                return;
            }
            self.carry_out(number, output);
        }
    }

    fn carry_out(&mut self, number: usize, output: Output) {
        match output {
            Output::Commit(commit) => self.pending.push(Pending::Commit(number, commit)),
            Output::Tell { to, message } => {
                self.pending.push(Pending::Tell { from: number, to, message });
            }
            Output::Load(execution) => self.pending.push(Pending::Load(execution, false)),
            Output::ReadEvents { after, limit } => {
                self.pending.push(Pending::ReadEvents(number, after, limit));
            }
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
            Output::SetAside(execution, reason) => {
                self.say(&format!("set aside {execution}: {reason}"));
                let loops = 0..self.owners.len();
                self.pending.extend(loops.map(Pending::SetAside));
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
