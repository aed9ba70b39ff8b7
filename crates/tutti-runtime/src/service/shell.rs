//! Does what one loop wants done.

use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc},
    time::Duration,
};

use tokio::runtime::Handle as Tokio;
use tutti_connectors::{Call, CallContext, Canceller, Connector, Failure, Probe};
use tutti_engine::{CallOutcome, ProbeOutcome};
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::{Entry, ErrorType, EventPosition, Turn};
use tutti_store::Store;

use super::{
    Options, events,
    switchboard::{Message, Switchboard, tell},
};
use crate::{
    happening::{Happening, Output, Stored, Unread},
    library::Library,
    owner::Loop,
};

/// Lines of output a call may be ahead of whoever reads them.
const LOG_LINES_AHEAD: usize = 1_024;

/// What a loop's thread needs to do its outputs.
pub(super) struct Shell {
    pub(super) options: Arc<Options>,
    pub(super) tokio: Tokio,
    /// This loop's own inbox.
    pub(super) messages: mpsc::Sender<Message>,
    switchboard: Arc<Switchboard>,
    calls: BTreeMap<(ExecutionId, Sequence), Canceller>,
    /// Calls whose connectors may keep something for a crash until the outcome is durable.
    unsettled: BTreeMap<ExecutionId, BTreeMap<Sequence, Unsettled>>,
    /// Which loop it is.
    number: usize,
    /// What the observer was told last.
    events_behind: u64,
}

type Unsettled = (Arc<dyn Connector>, Call);

impl Shell {
    /// The shell of one loop. Must be called within tokio.
    pub(super) fn new(options: Arc<Options>, switchboard: Arc<Switchboard>, number: usize) -> Self {
        let messages = switchboard.inbox(number);
        Self {
            options,
            tokio: Tokio::current(),
            messages,
            switchboard,
            calls: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            number,
            events_behind: 0,
        }
    }

    /// Serves the loop until the runtime stops. Whatever ends one loop ends all: what one of them cannot do any more, its
    /// parents, children and callers would wait for in vain.
    pub(super) fn serve(mut self, mut owner: Loop, inbox: mpsc::Receiver<Message>) {
        let _stops_all = StopsAll(self.switchboard.clone());
        // Dropped before the line above: who asks from now on finds it closed.
        let inbox = inbox;
        match self.tokio.block_on(self.options.store.last_event_position()) {
            // Nothing is owned yet, so nothing comes of it.
            Ok(newest) => {
                drop(owner.on(Happening::EventsLogged { newest }, self.options.clock.now()));
            }
            Err(error) => return self.switchboard.halt(error),
        }
        loop {
            let happening = match self.receive(&owner, &inbox) {
                Some(Message::Happened(happening)) => *happening,
                Some(Message::Logged(line)) => {
                    self.options.observer.on_log(&line);
                    continue;
                }
                Some(Message::Stop) | None => return,
            };
            self.before(&happening);
            let outputs = owner.on(happening, self.options.clock.now());
            self.tell_how_far(&mut owner);
            if outputs.into_iter().any(|output| !self.carry_out(output)) {
                return;
            }
        }
    }

    /// Says how late timers fired, and how far the loop is behind the log of events, where that has changed.
    fn tell_how_far(&mut self, owner: &mut Loop) {
        if let Some(late) = owner.take_most_overdue() {
            self.options.observer.on_timers_due(Duration::from_millis(late));
        }
        let behind = owner.events_behind();
        if behind != self.events_behind {
            self.events_behind = behind;
            self.options.observer.on_events_behind(self.number, behind);
        }
    }

    /// The next message, or a tick when a timer is due before.
    fn receive(&self, owner: &Loop, inbox: &mpsc::Receiver<Message>) -> Option<Message> {
        let Some(due) = owner.next_due() else { return inbox.recv().ok() };
        let pause = Duration::from_millis(due.ms_since(self.options.clock.now()));
        match inbox.recv_timeout(pause) {
            Ok(message) => Some(message),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Some(Message::Happened(Box::new(Happening::Tick)))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
        }
    }

    fn before(&mut self, happening: &Happening) {
        if let Happening::CallFinished { execution, task, .. }
        | Happening::ProbeFinished { execution, task, .. } = happening
        {
            self.calls.remove(&(*execution, *task));
        }
    }

    /// Does one output; false where nothing more can be done.
    fn carry_out(&mut self, output: Output) -> bool {
        match output {
            Output::Commit(commit) => {
                let (store, messages) = (self.options.store.clone(), self.messages.clone());
                let switchboard = self.switchboard.clone();
                self.tokio.spawn(async move {
                    let has_events = !commit.events.is_empty();
                    let result = store.commit(commit).await;
                    let may_be_stored =
                        matches!(result, Ok(()) | Err(tutti_store::Error::Ambiguous { .. }));
                    if has_events && may_be_stored {
                        events::tell_newest(&*store, &switchboard).await;
                    }
                    tell(&messages, Happening::Committed { result });
                });
            }
            Output::ReadEvents { after, limit } => self.read_events(after, limit),
            Output::Load(execution) => self.load(execution, Extent::Tail),
            Output::LoadWhole(execution) => self.load(execution, Extent::Whole),
            Output::MakeCall(function, call) => self.make_call(&function, call),
            Output::CancelCall(execution, task) => {
                if let Some(canceller) = self.calls.get(&(execution, task)) {
                    canceller.cancel();
                }
            }
            Output::Probe(function, call) => self.probe(&function, call),
            Output::Publish(turn, workflow) => {
                self.settle_calls(&turn);
                self.options.observer.on_turn(&turn, &workflow);
            }
            Output::Tell { to, message } => {
                self.switchboard.tell(to, Happening::Told { to, message });
            }
            Output::Reply(request, result) => self.switchboard.reply(request, result),
            Output::Settled(request, settlement) => self.switchboard.settle(request, settlement),
            Output::SetAside(execution, reason) => {
                self.options.observer.on_unreadable(execution, &reason);
                self.switchboard.tell_all(|| Happening::SetAside);
            }
            Output::Halt(error) => {
                self.switchboard.halt(error);
                return false;
            }
        }
        true
    }

    fn read_events(&self, after: EventPosition, limit: usize) {
        let (store, sealer, messages) =
            (self.options.store.clone(), self.options.sealer.clone(), self.messages.clone());
        self.tokio.spawn(async move {
            let result = events::read(&*store, &*sealer, after, limit).await;
            tell(&messages, Happening::EventsRead { after, result });
        });
    }

    fn load(&self, execution: ExecutionId, extent: Extent) {
        let (store, library, messages) =
            (self.options.store.clone(), self.options.library.clone(), self.messages.clone());
        self.tokio.spawn(async move {
            let result = read(&*store, &library, execution, extent).await;
            tell(&messages, Happening::Loaded { execution, result });
        });
    }

    fn make_call(&mut self, function: &str, call: Call) {
        let (execution, task, attempt) = (call.execution, call.task, call.attempt);
        let Some(connector) = self.options.connectors.get(function).cloned() else {
            let outcome = CallOutcome::Failed(no_connector(function));
            return tell(
                &self.messages,
                Happening::CallFinished { execution, task, attempt, outcome },
            );
        };
        let (context, messages) = self.call_context(&call, &connector);
        self.tokio.spawn(async move {
            let outcome = outcome(connector.call(call, context).await);
            tell(&messages, Happening::CallFinished { execution, task, attempt, outcome });
        });
    }

    fn probe(&mut self, function: &str, call: Call) {
        let (execution, task) = (call.execution, call.task);
        let Some(connector) = self.options.connectors.get(function).cloned() else {
            let outcome = ProbeOutcome::Unknown;
            return tell(&self.messages, Happening::ProbeFinished { execution, task, outcome });
        };
        let (context, messages) = self.call_context(&call, &connector);
        self.tokio.spawn(async move {
            let outcome = match connector.probe(call, context).await {
                Probe::Finished(Ok(output)) => ProbeOutcome::Completed(output),
                Probe::Finished(Err(error)) => ProbeOutcome::Failed(error),
                Probe::NotMade => ProbeOutcome::NotMade,
                Probe::Unknown => ProbeOutcome::Unknown,
            };
            tell(&messages, Happening::ProbeFinished { execution, task, outcome });
        });
    }

    /// Lets connectors remove what they kept for calls whose outcomes are in this turn.
    fn settle_calls(&mut self, turn: &Turn) {
        let Some(scratch) = &self.options.scratch else { return };
        let Some(calls) = self.unsettled.get_mut(&turn.execution) else { return };
        for entry in &turn.entries {
            if let Entry::CallCompleted { task, .. } | Entry::CallFailed { task, .. } = entry
                && let Some((connector, call)) = calls.remove(task)
            {
                let scratch = scratch.join(turn.execution.to_string());
                // Files are removed; nobody waits for that.
                drop(self.tokio.spawn_blocking(move || connector.settled(&call, &scratch)));
            }
        }
        if calls.is_empty() || turn.entries.iter().any(Entry::is_end) {
            self.unsettled.remove(&turn.execution);
        }
    }

    fn call_context(
        &mut self,
        call: &Call,
        connector: &Arc<dyn Connector>,
    ) -> (CallContext, mpsc::Sender<Message>) {
        if self.options.scratch.is_some() {
            let calls = self.unsettled.entry(call.execution).or_default();
            calls.insert(call.task, (connector.clone(), call.clone()));
        }
        let (canceller, cancellation) = Canceller::new();
        self.calls.insert((call.execution, call.task), canceller);
        let (log, mut lines) = tokio::sync::mpsc::channel(LOG_LINES_AHEAD);
        let messages = self.messages.clone();
        self.tokio.spawn(async move {
            while let Some(line) = lines.recv().await {
                // The loop may have stopped.
                messages.send(Message::Logged(line)).ok();
            }
        });
        let scratch =
            self.options.scratch.as_ref().map(|scratch| scratch.join(call.execution.to_string()));
        (CallContext { cancellation, log, scratch }, self.messages.clone())
    }
}

/// How much of a journal is read.
#[derive(Debug, Clone, Copy)]
enum Extent {
    /// What follows the snapshot, and that.
    Tail,
    /// All of it.
    Whole,
}

/// Reads an execution and its definition.
async fn read(
    store: &dyn Store,
    library: &Library,
    execution: ExecutionId,
    extent: Extent,
) -> Result<Option<Stored>, Unread> {
    let history = match extent {
        Extent::Tail => store.load_tail(execution).await,
        Extent::Whole => store.load(execution).await,
    };
    let Some(history) = history.map_err(Unread::from)? else {
        return Ok(None);
    };
    let digest = history.projection.digest;
    let workflow = if let Some(workflow) = library.get(digest) {
        workflow
    } else {
        let text = store.definition(digest).await.map_err(Unread::from)?;
        let missing = || Unread::Damaged(format!("the store has no definition {digest}"));
        let text = text.ok_or_else(missing)?;
        library.adopt(&text).map_err(|error| Unread::Damaged(error.to_string()))?
    };
    Ok(Some((Box::new(history), workflow)))
}

fn outcome(result: Result<Value, Failure>) -> CallOutcome {
    match result {
        Ok(output) => CallOutcome::Completed(output),
        Err(Failure::Known(error)) => CallOutcome::Failed(error),
        Err(Failure::Cancelled) => CallOutcome::NotMade,
        Err(Failure::Unknown(error)) => CallOutcome::Unknown(error),
    }
}

fn no_connector(function: &str) -> tutti_journal::Error {
    tutti_journal::Error::new(ErrorType::Configuration, format!("no connector serves `{function}`"))
}

/// Stops every loop and fails every caller when it is dropped, however its thread ends.
struct StopsAll(Arc<Switchboard>);

impl Drop for StopsAll {
    fn drop(&mut self) {
        self.0.stop();
        self.0.forget();
    }
}
