//! The loop that owns executions: takes what happened, returns what to do. Sans-IO.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    mem,
    sync::Arc,
};

use sha2::{Digest as _, Sha256};
use tutti_connectors::Call;
use tutti_dsl::Workflow;
use tutti_engine::{
    CallOutcome, ChildOutcome, ChildRequest, Command, Control, Execution, Input, Limits, Outcome,
    ProbeOutcome, Rejection, Secrets, Start, Status, Surroundings,
};
use tutti_ids::{Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::{Entry, Error, Sealer, Timestamp, Turn};
use tutti_store::{Commit, History, StoredTurn};

use crate::{
    dispatch::{CallId, Dispatcher},
    library::Library,
    resident::{Journal, Owed, Resident},
    timers::Timers,
};

/// Turns decided ahead of the commit that is under way; beyond this the loop waits for it.
const MAX_TURNS_AHEAD: usize = 1_000;
/// Entries decided ahead of the commit that is under way.
const MAX_ENTRIES_AHEAD: usize = 20_000;

/// Names one request of a caller, so that the answer finds it.
pub type RequestId = u64;

/// Something that happened, for the loop to take in.
#[derive(Debug)]
pub enum Happening {
    /// An execution is to be started.
    Start {
        /// How.
        start: Start,
        /// Its definition, compiled.
        workflow: Arc<Workflow>,
        /// Who asks.
        request: RequestId,
    },
    /// An execution that the store knows is to be gone on with.
    Adopt {
        /// Which.
        execution: ExecutionId,
        /// Who asks.
        request: RequestId,
    },
    /// Somebody wants to know when an execution ends or needs a person.
    Watch {
        /// Which.
        execution: ExecutionId,
        /// Who asks.
        request: RequestId,
    },
    /// An operator's hand.
    Control {
        /// Which execution.
        execution: ExecutionId,
        /// What is wanted.
        control: Control,
        /// Who asks.
        request: RequestId,
    },
    /// An operator wants an execution taken back to the start of a task, ended or not.
    Retry {
        /// Which execution.
        execution: ExecutionId,
        /// The task whose latest passage is void; none for the one whose error ended the execution.
        from: Option<TaskRef>,
        /// Who asks.
        request: RequestId,
    },
    /// A call ended.
    CallFinished {
        /// Which.
        execution: ExecutionId,
        /// The task execution.
        task: Sequence,
        /// The attempt.
        attempt: u32,
        /// How.
        outcome: CallOutcome,
    },
    /// A connector said what became of a call.
    ProbeFinished {
        /// Which.
        execution: ExecutionId,
        /// The task execution.
        task: Sequence,
        /// What it said.
        outcome: ProbeOutcome,
    },
    /// An execution was read from the store.
    Loaded {
        /// Which.
        execution: ExecutionId,
        /// Its journal and definition; none where the store does not know it.
        result: Result<Option<Stored>, String>,
    },
    /// A commit ended.
    Committed {
        /// Whether all of it is durable.
        result: Result<(), tutti_store::Error>,
    },
    /// Time has passed.
    Tick,
}

/// A journal and the definition it is about, compiled.
pub type Stored = (Box<History>, Arc<Workflow>);

/// Something to do for the loop.
#[derive(Debug)]
pub enum Output {
    /// Write this, then tell [`Happening::Committed`]. There is one at a time.
    Commit(Commit),
    /// Read this execution, then tell [`Happening::Loaded`].
    Load(ExecutionId),
    /// Make this call of this function, then tell [`Happening::CallFinished`].
    MakeCall(Arc<str>, Call),
    /// Tell a call under way that it is no longer wanted.
    CancelCall(ExecutionId, Sequence),
    /// Ask the connector of this function what became of this call, then tell [`Happening::ProbeFinished`].
    Probe(Arc<str>, Call),
    /// A turn is durable.
    Publish(Turn, Arc<Workflow>),
    /// A request was carried out durably, or refused.
    Reply(RequestId, Result<(), Refusal>),
    /// What was watched for has come.
    Settled(RequestId, Settlement),
    /// Nothing more can be done: the store failed.
    Halt(tutti_store::Error),
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such execution.
    #[error("there is no execution {0}")]
    NotFound(ExecutionId),
    /// The execution cannot do this as it stands.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The execution cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

/// How an execution that was watched stands when it needs nothing more of us.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// It ended.
    Ended(Outcome),
    /// It is suspended; incidents say what needs a person.
    Suspended {
        /// Those of the execution and of its children.
        incidents: Vec<Incident>,
    },
    /// It cannot be read.
    Lost(String),
}

/// A call whose outcome only a person can settle.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// The execution it belongs to.
    pub execution: ExecutionId,
    /// The task execution.
    pub task: Sequence,
    /// The task in the document.
    pub reference: TaskRef,
    /// The error.
    pub error: Error,
}

/// What a loop is made of.
#[derive(Debug)]
pub struct LoopOptions {
    /// The workflows children may be started from.
    pub library: Arc<Library>,
    /// Where secrets come from.
    pub secrets: Arc<dyn Secrets + Send + Sync>,
    /// Seals what came from a secret.
    pub sealer: Arc<dyn Sealer>,
    /// The limits in force.
    pub limits: Limits,
    /// How many calls may be out at once.
    pub max_calls: usize,
    /// Drawn by the caller; salts and the seeds of children are derived from it.
    pub seed: u128,
}

/// Owns executions: decides their turns, commits them together, and says what to do once they are durable.
#[derive(Debug)]
pub struct Loop {
    options: LoopOptions,
    residents: BTreeMap<ExecutionId, Resident>,
    /// What waits for an execution that is being loaded.
    loading: BTreeMap<ExecutionId, Vec<Awaiting>>,
    /// Attempts under way of executions that are being read again.
    stranded: BTreeMap<ExecutionId, BTreeMap<Sequence, u32>>,
    timers: Timers,
    dispatcher: Dispatcher,
    /// Executions with more to decide, in the order they asked.
    busy: VecDeque<ExecutionId>,
    watchers: BTreeMap<ExecutionId, Vec<RequestId>>,
    /// Decided, not yet handed to the store.
    pending: Batch,
    /// With the store.
    committing: Option<Batch>,
    drawn: u64,
    outputs: Vec<Output>,
}

/// Turns that become durable together, and what follows once they are.
#[derive(Debug, Default)]
struct Batch {
    commit: Commit,
    entries: usize,
    published: Vec<(Turn, Arc<Workflow>)>,
    /// What each turn newly asks of the world.
    owed: Vec<(ExecutionId, Owed)>,
    replies: Vec<RequestId>,
}

/// What waits for an execution to be loaded.
#[derive(Debug)]
enum Awaiting {
    Adopt(RequestId),
    Control(Control, RequestId),
    Watch(RequestId),
    Retry(Option<TaskRef>, RequestId),
    /// Its parent wants it started, or to know how it ended.
    Child(Box<ChildRequest>),
    /// Its parent gives it up.
    Cancel {
        parent: ExecutionId,
    },
    Fact(Input),
}

impl Awaiting {
    /// The attempt whose end this tells.
    fn ended(&self) -> Option<(Sequence, u32)> {
        match self {
            Self::Fact(Input::CallFinished { task, attempt, .. }) => Some((*task, *attempt)),
            _ => None,
        }
    }
}

impl Loop {
    /// A loop that owns nothing yet.
    pub fn new(options: LoopOptions) -> Self {
        let dispatcher = Dispatcher::new(options.max_calls);
        Self {
            options,
            residents: BTreeMap::new(),
            loading: BTreeMap::new(),
            stranded: BTreeMap::new(),
            timers: Timers::default(),
            dispatcher,
            busy: VecDeque::new(),
            watchers: BTreeMap::new(),
            pending: Batch::default(),
            committing: None,
            drawn: 0,
            outputs: Vec::new(),
        }
    }

    /// Takes in what happened at `now` and says what to do, in order.
    pub fn on(&mut self, happening: Happening, now: Timestamp) -> Vec<Output> {
        match happening {
            Happening::Start { start, workflow, request } => {
                self.on_start(start, workflow, Some(request), now);
            }
            Happening::Adopt { execution, request } => {
                self.with(execution, Awaiting::Adopt(request), now);
            }
            Happening::Watch { execution, request } => {
                self.with(execution, Awaiting::Watch(request), now);
            }
            Happening::Control { execution, control, request } => {
                self.with(execution, Awaiting::Control(control, request), now);
            }
            Happening::Retry { execution, from, request } => {
                self.on_retry(execution, from, request);
            }
            Happening::CallFinished { execution, task, attempt, outcome } => {
                self.on_call_ended((execution, task), attempt, outcome, now);
            }
            Happening::ProbeFinished { execution, task, outcome } => {
                let fact = Awaiting::Fact(Input::ProbeFinished { task, outcome });
                self.with(execution, fact, now);
            }
            Happening::Loaded { execution, result } => self.on_loaded(execution, result, now),
            Happening::Committed { result } => self.on_committed(result, now),
            Happening::Tick => {}
        }
        self.fire_timers(now);
        self.go_on(now);
        self.submit();
        mem::take(&mut self.outputs)
    }

    /// When the loop wants a [`Happening::Tick`].
    pub fn next_due(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// The execution, as far as its turns are decided.
    pub fn execution(&self, id: ExecutionId) -> Option<&Execution> {
        self.residents.get(&id).map(|resident| &resident.execution)
    }

    /// The executions in memory.
    pub fn executions(&self) -> impl Iterator<Item = &Execution> {
        self.residents.values().map(|resident| &resident.execution)
    }

    fn on_start(
        &mut self,
        start: Start,
        workflow: Arc<Workflow>,
        request: Option<RequestId>,
        now: Timestamp,
    ) {
        let id = start.execution;
        if self.residents.contains_key(&id) {
            return self.reply_once_durable(id, request);
        }
        if let Some(text) = self.options.library.text(start.digest) {
            self.pending.commit.definitions.push(text);
        }
        let execution = Execution::new(id, start.definition.clone(), start.digest, workflow);
        let mut resident = Resident::new(execution);
        let options = &self.options;
        let surroundings = surroundings(options, &self.dispatcher, now);
        let entries = resident.execution.start(start, &surroundings);
        self.residents.insert(id, resident);
        self.finish_turn(id, Sequence::FIRST, entries, now);
        self.pending.replies.extend(request);
    }

    /// A start that was asked for before, under the same id, is not made again.
    fn reply_once_durable(&mut self, id: ExecutionId, request: Option<RequestId>) {
        let is_settled = self.residents.get(&id).is_some_and(Resident::is_settled);
        match (&mut self.committing, self.pending.commit.turns.is_empty()) {
            (_, false) if !is_settled => self.pending.replies.extend(request),
            (Some(batch), true) if !is_settled => batch.replies.extend(request),
            _ => self.outputs.extend(request.map(|request| Output::Reply(request, Ok(())))),
        }
    }

    /// Does something with an execution, loading it first where it is not in memory.
    fn with(&mut self, execution: ExecutionId, awaiting: Awaiting, now: Timestamp) {
        if self.residents.contains_key(&execution) {
            return self.carry_out(execution, awaiting, now);
        }
        let queue = self.loading.entry(execution).or_default();
        queue.push(awaiting);
        if queue.len() == 1 {
            self.outputs.push(Output::Load(execution));
        }
    }

    fn carry_out(&mut self, id: ExecutionId, awaiting: Awaiting, now: Timestamp) {
        match awaiting {
            Awaiting::Adopt(request) => self.outputs.push(Output::Reply(request, Ok(()))),
            Awaiting::Control(control, request) => {
                match self.feed(id, Input::Control(control), now) {
                    Ok(()) => self.pending.replies.push(request),
                    Err(rejection) => {
                        self.outputs.push(Output::Reply(request, Err(rejection.into())));
                    }
                }
            }
            Awaiting::Watch(request) => {
                self.watchers.entry(id).or_default().push(request);
                self.settle(id);
            }
            // Going back needs the journal: it is carried out while that is at hand, see `on_loaded`.
            Awaiting::Retry(from, request) => self.on_retry(id, from, request),
            Awaiting::Child(request) => self.report_to_parent(id, request.parent.execution, now),
            Awaiting::Cancel { parent } => {
                let cancel = Input::Control(Control::Cancel { reason: None });
                if self.feed(id, cancel, now).is_err() {
                    self.report_to_parent(id, parent, now);
                }
            }
            Awaiting::Fact(input) => {
                // A fact that means nothing any more is late or repeated, and changes nothing.
                self.feed(id, input, now).ok();
            }
        }
    }

    /// Feeds an input to an execution in memory: one turn.
    fn feed(&mut self, id: ExecutionId, input: Input, now: Timestamp) -> Result<(), Rejection> {
        let Some(resident) = self.residents.get_mut(&id) else { return Ok(()) };
        let first = resident.execution.next_sequence();
        let surroundings = surroundings(&self.options, &self.dispatcher, now);
        let entries = resident.execution.advance(input, &surroundings)?;
        self.finish_turn(id, first, entries, now);
        Ok(())
    }

    /// Encodes a turn into the batch and finds out what it newly asks of the world.
    fn finish_turn(
        &mut self,
        id: ExecutionId,
        first: Sequence,
        entries: Vec<Entry>,
        now: Timestamp,
    ) {
        if entries.is_empty() {
            return;
        }
        let salt = self.draw().to_be_bytes();
        let Some(resident) = self.residents.get_mut(&id) else { return };
        let turn = Turn { execution: id, first, at: now, entries };
        for entry in &turn.entries {
            if let Entry::CallDispatched { task } = entry {
                self.dispatcher.take((id, *task));
            }
        }
        let (row, blobs) = turn.encode(resident.head, salt, &*self.options.sealer);
        resident.head = row.digest;
        resident.turns_ahead += 1;
        self.pending.entries += turn.entries.len();
        self.pending.commit.turns.push(StoredTurn {
            row,
            blobs,
            projection: resident.projection(),
        });
        let owed = resident.newly_owed();
        self.pending.owed.push((id, owed));
        self.pending.published.push((turn, resident.execution.workflow().clone()));
        if resident.wants_turn() && !resident.queued {
            resident.queued = true;
            self.busy.push_back(id);
        }
    }

    /// Gives busy executions turns in turn, as far ahead of the store as is allowed.
    fn go_on(&mut self, now: Timestamp) {
        while self.pending.commit.turns.len() < MAX_TURNS_AHEAD
            && self.pending.entries < MAX_ENTRIES_AHEAD
        {
            let Some(id) = self.busy.pop_front() else { return };
            if let Some(resident) = self.residents.get_mut(&id) {
                resident.queued = false;
            }
            // Refused only where nothing was left to do.
            self.feed(id, Input::Continue, now).ok();
        }
    }

    fn submit(&mut self) {
        if self.committing.is_some() || self.pending.commit.turns.is_empty() {
            return;
        }
        let mut batch = mem::take(&mut self.pending);
        self.outputs.push(Output::Commit(mem::take(&mut batch.commit)));
        self.committing = Some(batch);
    }

    fn on_committed(&mut self, result: Result<(), tutti_store::Error>, now: Timestamp) {
        let Some(batch) = self.committing.take() else { return };
        match result {
            Ok(()) => self.on_durable(batch, now),
            Err(error) => self.on_commit_failed(batch, error),
        }
    }

    fn on_durable(&mut self, batch: Batch, now: Timestamp) {
        let turned: BTreeSet<ExecutionId> =
            batch.published.iter().map(|(turn, _)| turn.execution).collect();
        for (turn, workflow) in batch.published {
            if let Some(resident) = self.residents.get_mut(&turn.execution) {
                resident.turns_ahead = resident.turns_ahead.saturating_sub(1);
                resident.is_durable = true;
            }
            self.outputs.push(Output::Publish(turn, workflow));
        }
        self.outputs
            .extend(batch.replies.into_iter().map(|request| Output::Reply(request, Ok(()))));
        for (id, owed) in batch.owed {
            self.carry_out_owed(id, owed, now);
        }
        for id in turned {
            self.after_commit(id, now);
        }
    }

    /// What an execution newly asks of the world is durable: do it.
    fn carry_out_owed(&mut self, id: ExecutionId, owed: Owed, now: Timestamp) {
        for command in owed.commands {
            self.carry_out_command(id, command, now);
        }
        for task in owed.dropped {
            self.outputs.push(Output::CancelCall(id, task));
            self.leave_queue((id, task), now);
        }
        if let Some(resident) = self.residents.get(&id) {
            self.timers.set(id, resident.wake());
        }
    }

    fn carry_out_command(&mut self, id: ExecutionId, command: Command, now: Timestamp) {
        match command {
            Command::Continue | Command::Wake { .. } => {}
            Command::AwaitSlot { task } => {
                if self.dispatcher.request((id, task)) {
                    self.on_slot((id, task), now);
                }
            }
            Command::Call { task, .. } => {
                if self.dispatcher.request((id, task)) {
                    self.make_call((id, task));
                }
            }
            Command::CancelCall { task, attempt } => self.cancel_call((id, task), attempt, now),
            Command::Probe { task, reference, call } => {
                let function = call.function.clone();
                let call = to_connector(id, task, reference, call);
                self.outputs.push(Output::Probe(function, call));
            }
            Command::StartChild(request) => {
                self.with(request.execution, Awaiting::Child(Box::new(request)), now);
            }
            Command::CancelChild { child } => {
                self.with(child, Awaiting::Cancel { parent: id }, now);
            }
        }
    }

    /// A call that holds a slot: made if it may leave, else its dispatch is recorded first.
    fn on_slot(&mut self, call: CallId, now: Timestamp) {
        let (id, task) = call;
        let waits = self.residents.get(&id).is_some_and(|resident| resident.awaits_slot(task));
        if !waits {
            return self.make_call(call);
        }
        if self.feed(id, Input::SlotGranted { task }, now).is_err() {
            self.leave_queue(call, now);
        }
    }

    fn make_call(&mut self, (id, task): CallId) {
        let Some(resident) = self.residents.get_mut(&id) else { return };
        let Some(Command::Call { reference, call, .. }) = resident.call(task) else { return };
        if resident.in_flight.contains_key(&task) {
            return;
        }
        resident.in_flight.insert(task, call.attempt);
        let function = call.function.clone();
        self.outputs.push(Output::MakeCall(function, to_connector(id, task, reference, call)));
    }

    /// A call in flight is told to end; one that had not left yet never will.
    fn cancel_call(&mut self, (id, task): CallId, attempt: u32, now: Timestamp) {
        if self.residents.get(&id).is_some_and(|resident| resident.in_flight.contains_key(&task)) {
            self.outputs.push(Output::CancelCall(id, task));
        } else {
            self.on_call_ended((id, task), attempt, CallOutcome::NotMade, now);
        }
    }

    fn leave_queue(&mut self, call: CallId, now: Timestamp) {
        if self
            .residents
            .get(&call.0)
            .is_some_and(|resident| resident.in_flight.contains_key(&call.1))
        {
            // Its slot comes back when it ends.
            return;
        }
        if let Some(next) = self.dispatcher.release(call) {
            self.on_slot(next, now);
        }
    }

    fn on_call_ended(&mut self, call: CallId, attempt: u32, outcome: CallOutcome, now: Timestamp) {
        let (id, task) = call;
        let in_flight = match self.residents.get_mut(&id) {
            Some(resident) => Some(&mut resident.in_flight),
            None => self.stranded.get_mut(&id),
        };
        if let Some(in_flight) = in_flight
            && in_flight.get(&task) == Some(&attempt)
        {
            in_flight.remove(&task);
        }
        if let Some(next) = self.dispatcher.release(call) {
            self.on_slot(next, now);
        }
        let input = Input::CallFinished { task, attempt, outcome };
        if !self.residents.contains_key(&id) {
            self.with(id, Awaiting::Fact(input), now);
        } else if self.feed(id, input, now).is_err() {
            self.after_late_result(call, now);
        }
    }

    /// A result that came too late is refused and changes nothing; but the attempt it stood in the way of leaves, and
    /// whoever waits for a standstill may have it now.
    fn after_late_result(&mut self, call: CallId, now: Timestamp) {
        if self.is_call_owed(call) && self.dispatcher.request(call) {
            self.on_slot(call, now);
        }
        self.settle(call.0);
        self.forget_if_over(call.0);
    }

    fn is_call_owed(&self, (id, task): CallId) -> bool {
        self.residents.get(&id).is_some_and(|resident| {
            (resident.call(task).is_some() || resident.awaits_slot(task))
                && !resident.in_flight.contains_key(&task)
                && resident.is_settled()
        })
    }

    /// A turn of the execution is durable: whoever waits for its end is told.
    fn after_commit(&mut self, id: ExecutionId, now: Timestamp) {
        let Some(resident) = self.residents.get(&id) else { return };
        if resident.turns_ahead > 0 {
            return;
        }
        let parent = resident.execution.parent();
        self.settle(id);
        if let Some(parent) = parent {
            self.report_to_parent(id, parent.execution, now);
        }
        self.forget_if_over(id);
    }

    /// An execution that has ended need not be in memory, unless somebody watches or a call of it has not come back.
    fn forget_if_over(&mut self, id: ExecutionId) {
        let is_over = self.residents.get(&id).is_some_and(|resident| {
            resident.is_settled()
                && resident.execution.outcome().is_some()
                && resident.in_flight.is_empty()
        });
        if is_over && !self.watchers.contains_key(&id) {
            self.residents.remove(&id);
            self.timers.set(id, None);
        }
    }

    /// Tells the parent that a child is on its way or has ended, once that is durable.
    fn report_to_parent(&mut self, child: ExecutionId, parent: ExecutionId, now: Timestamp) {
        let Some(resident) = self.residents.get(&child) else { return };
        if !resident.is_durable || resident.turns_ahead > 0 {
            return;
        }
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

    /// Answers the watchers of an execution that has ended, and of those that only a person can move, as far as that is
    /// durable.
    fn settle(&mut self, id: ExecutionId) {
        let Some(resident) = self.residents.get(&id).filter(|resident| resident.is_settled())
        else {
            return;
        };
        if let Some(outcome) = resident.execution.outcome() {
            let settlement = Settlement::Ended(outcome.clone());
            for request in self.watchers.remove(&id).unwrap_or_default() {
                self.outputs.push(Output::Settled(request, settlement.clone()));
            }
        }
        // The end of a child may be what its parent's standstill was waiting for.
        if resident.execution.parent().is_some()
            || resident.execution.status() == Status::Suspended
            || self.watchers.contains_key(&id)
        {
            let watched: Vec<ExecutionId> = self.watchers.keys().copied().collect();
            for root in watched {
                if let Some(incidents) = self.standstill(root) {
                    self.answer(root, &Settlement::Suspended { incidents });
                }
            }
        }
    }

    fn answer(&mut self, id: ExecutionId, settlement: &Settlement) {
        for request in self.watchers.remove(&id).unwrap_or_default() {
            self.outputs.push(Output::Settled(request, settlement.clone()));
        }
    }

    /// The incidents of an execution and its children, if nothing moves in any of them and one is suspended.
    fn standstill(&self, root: ExecutionId) -> Option<Vec<Incident>> {
        let mut incidents = Vec::new();
        let mut suspended = false;
        for resident in self.residents.values().filter(|resident| self.descends(resident, root)) {
            let execution = &resident.execution;
            let stands =
                resident.is_settled() && resident.in_flight.is_empty() && resident.wake().is_none();
            if !stands || matches!(execution.status(), Status::Running | Status::Pending) {
                return None;
            }
            suspended |= execution.status() == Status::Suspended;
            incidents.extend(execution.incidents().map(|(task, reference, error)| Incident {
                execution: execution.id(),
                task,
                reference,
                error: error.clone(),
            }));
        }
        suspended.then_some(incidents)
    }

    fn descends(&self, resident: &Resident, root: ExecutionId) -> bool {
        let mut current = Some(resident);
        while let Some(resident) = current {
            if resident.execution.id() == root {
                return true;
            }
            current = resident
                .execution
                .parent()
                .and_then(|parent| self.residents.get(&parent.execution));
        }
        false
    }

    fn fire_timers(&mut self, now: Timestamp) {
        while let Some(id) = self.timers.fire(now) {
            self.with(id, Awaiting::Fact(Input::TimerFired), now);
            let later = self.residents.get(&id).and_then(Resident::wake).filter(|wake| *wake > now);
            self.timers.set(id, later);
        }
    }

    fn on_loaded(
        &mut self,
        id: ExecutionId,
        result: Result<Option<Stored>, String>,
        now: Timestamp,
    ) {
        let awaiting = self.loading.remove(&id).unwrap_or_default();
        if self.residents.contains_key(&id) {
            // It was started meanwhile: what was read is older than what is in memory.
            self.stranded.remove(&id);
            for awaiting in awaiting {
                self.carry_out(id, awaiting, now);
            }
            return;
        }
        let journal = match &result {
            Ok(Some((history, _))) => Journal::decode(history, &*self.options.sealer).map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error.clone()),
        };
        match (journal, result) {
            (Ok(Some(journal)), Ok(Some((history, workflow)))) => {
                let resident = Resident::restore(id, &journal, &history.projection, workflow);
                let (retries, others): (Vec<_>, Vec<_>) = awaiting
                    .into_iter()
                    .partition(|awaiting| matches!(awaiting, Awaiting::Retry(..)));
                self.take_in(id, resident, others, now);
                for retry in retries {
                    self.retry(id, &journal, retry, now);
                }
            }
            (Err(error), _) | (_, Err(error)) => self.on_unreadable(awaiting, &error),
            (Ok(_), Ok(_)) => self.on_missing(id, awaiting, now),
        }
    }

    /// Callers are refused. Work of ours that needs the execution would be lost silently: then the loop stops, and whoever
    /// starts it again goes on with everything.
    fn on_unreadable(&mut self, awaiting: Vec<Awaiting>, error: &str) {
        let is_ours = awaiting.iter().any(|awaiting| {
            matches!(awaiting, Awaiting::Child(_) | Awaiting::Cancel { .. } | Awaiting::Fact(_))
        });
        self.refuse_all(awaiting, &Refusal::Unreadable(error.to_owned()));
        if is_ours {
            let attempt = format!("cannot go on with an execution: {error}");
            self.outputs
                .push(Output::Halt(tutti_store::Error::Unavailable { attempt, source: None }));
        }
    }

    /// Reads the journal again, as going back needs it, unless turns are under way to it.
    fn on_retry(&mut self, id: ExecutionId, from: Option<TaskRef>, request: RequestId) {
        let busy = self
            .residents
            .get(&id)
            .is_some_and(|resident| !resident.is_settled() || !resident.in_flight.is_empty());
        if busy {
            return self.outputs.push(Output::Reply(request, Err(Rejection::Busy.into())));
        }
        self.residents.remove(&id);
        let queue = self.loading.entry(id).or_default();
        queue.push(Awaiting::Retry(from, request));
        if queue.len() == 1 {
            self.outputs.push(Output::Load(id));
        }
    }

    fn retry(&mut self, id: ExecutionId, journal: &Journal, retry: Awaiting, now: Timestamp) {
        let (Awaiting::Retry(from, request), Some(resident)) = (retry, self.residents.get_mut(&id))
        else {
            return;
        };
        let first = resident.execution.next_sequence();
        let surroundings = surroundings(&self.options, &self.dispatcher, now);
        match resident.execution.rewind(&journal.turns, from.as_ref(), &surroundings) {
            Ok((execution, entries)) => {
                resident.replace(execution);
                self.finish_turn(id, first, entries, now);
                self.pending.replies.push(request);
            }
            Err(rejection) => self.outputs.push(Output::Reply(request, Err(rejection.into()))),
        }
    }

    /// Takes over an execution from the store: calls whose dispatch was recorded are lost, everything else it is owed is
    /// done.
    fn take_in(
        &mut self,
        id: ExecutionId,
        mut resident: Resident,
        awaiting: Vec<Awaiting>,
        now: Timestamp,
    ) {
        let mut stranded = self.stranded.remove(&id).unwrap_or_default();
        stranded.retain(|task, attempt| {
            let wanted = resident.wants_end_of(*task, *attempt);
            if wanted {
                self.dispatcher.take((id, *task));
            } else {
                self.outputs.push(Output::CancelCall(id, *task));
            }
            wanted
        });
        let ended: BTreeMap<Sequence, u32> = awaiting.iter().filter_map(Awaiting::ended).collect();
        resident.in_flight = stranded.clone();
        let known = ended.iter().chain(&stranded).map(|(task, attempt)| (*task, *attempt));
        let lost = resident.lost_calls(&known.collect());
        let mut owed = resident.newly_owed();
        owed.commands.retain(|command| match command {
            Command::Call { task, call, .. } => {
                !lost.contains(task) && ended.get(task) != Some(&call.attempt)
            }
            Command::CancelCall { task, attempt } => {
                !lost.contains(task) && ended.get(task) != Some(attempt)
            }
            _ => true,
        });
        if resident.wants_turn() {
            resident.queued = true;
            self.busy.push_back(id);
        }
        self.residents.insert(id, resident);
        for task in lost {
            self.feed(id, Input::CallLost { task }, now).ok();
        }
        self.carry_out_owed(id, owed, now);
        for awaiting in awaiting {
            self.carry_out(id, awaiting, now);
        }
        self.settle(id);
    }

    /// The store does not know the execution: a child that was asked for is started now.
    fn on_missing(&mut self, id: ExecutionId, awaiting: Vec<Awaiting>, now: Timestamp) {
        let (mut children, others): (Vec<_>, Vec<_>) =
            awaiting.into_iter().partition(|awaiting| matches!(awaiting, Awaiting::Child(_)));
        if let Some(Awaiting::Child(request)) = children.pop() {
            self.start_child(*request, now);
        } else {
            for awaiting in &others {
                if let Awaiting::Cancel { parent } = awaiting {
                    let ended = Input::ChildEnded { child: id, outcome: ChildOutcome::Cancelled };
                    self.with(*parent, Awaiting::Fact(ended), now);
                }
            }
            return self.refuse_all(others, &Refusal::NotFound(id));
        }
        for awaiting in others {
            self.carry_out(id, awaiting, now);
        }
    }

    fn start_child(&mut self, request: ChildRequest, now: Timestamp) {
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
        };
        self.on_start(start, workflow, None, now);
    }

    fn refuse_all(&mut self, awaiting: Vec<Awaiting>, refusal: &Refusal) {
        for awaiting in awaiting {
            match awaiting {
                Awaiting::Adopt(request)
                | Awaiting::Control(_, request)
                | Awaiting::Retry(_, request) => {
                    self.outputs.push(Output::Reply(request, Err(refusal.clone())));
                }
                Awaiting::Watch(request) => {
                    self.outputs
                        .push(Output::Settled(request, Settlement::Lost(refusal.to_string())));
                }
                Awaiting::Child(_) | Awaiting::Cancel { .. } | Awaiting::Fact(_) => {}
            }
        }
    }

    /// Nobody may act on turns that are not durable: what is in memory is dropped and read again.
    fn on_commit_failed(&mut self, batch: Batch, error: tutti_store::Error) {
        let dropped = mem::take(&mut self.pending);
        let again = matches!(
            error,
            tutti_store::Error::Conflict { .. } | tutti_store::Error::Ambiguous { .. }
        );
        if !again {
            self.outputs.push(Output::Halt(error));
            return;
        }
        self.busy.clear();
        self.dispatcher = Dispatcher::new(self.options.max_calls);
        for (id, resident) in mem::take(&mut self.residents) {
            self.reload(id, &resident);
        }
        for request in batch.replies.into_iter().chain(dropped.replies) {
            let refusal = Refusal::Unreadable(
                "it cannot be told whether the request was carried out".to_owned(),
            );
            self.outputs.push(Output::Reply(request, Err(refusal)));
        }
    }

    fn reload(&mut self, id: ExecutionId, resident: &Resident) {
        self.timers.set(id, None);
        self.stranded.insert(id, resident.in_flight.clone());
        let watchers = self.watchers.remove(&id).unwrap_or_default();
        let queue = self.loading.entry(id).or_default();
        let idle = queue.is_empty();
        queue.extend(watchers.into_iter().map(Awaiting::Watch));
        if idle {
            // Something must wait for it, or nothing would notice that it came back.
            queue.push(Awaiting::Fact(Input::Continue));
            self.outputs.push(Output::Load(id));
        }
    }

    fn draw(&mut self) -> u128 {
        self.drawn += 1;
        let hash = Sha256::new()
            .chain_update(self.options.seed.to_be_bytes())
            .chain_update(self.drawn.to_be_bytes())
            .finalize();
        hash.iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte))
    }
}

fn surroundings<'a>(
    options: &'a LoopOptions,
    dispatcher: &Dispatcher,
    now: Timestamp,
) -> Surroundings<'a> {
    Surroundings {
        now,
        secrets: &*options.secrets,
        definitions: &*options.library,
        free_slots: dispatcher.free(),
        limits: options.limits,
    }
}

fn to_connector(
    execution: ExecutionId,
    task: Sequence,
    reference: TaskRef,
    call: tutti_journal::CallRecord,
) -> Call {
    Call {
        execution,
        task,
        reference,
        arguments: call.arguments,
        effect: call.effect,
        key: call.key,
        attempt: call.attempt,
    }
}

/// The low half of an id's chance.
fn fold(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0)
}

/// Digest of nothing: what the first row is chained to.
pub(crate) const NOTHING: Digest = Digest::ZERO;
