//! The loop that owns executions: takes what happened, returns what to do. Sans-IO.

mod calls;
mod children;
mod durable;
mod events;
mod loading;
mod parking;
mod watching;

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::Arc,
};

use sha2::{Digest as _, Sha256};
use tutti_dsl::Workflow;
use tutti_engine::{Control, Execution, Input, Limits, Rejection, Secrets, Start, Surroundings};
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::{Entry, EventPosition, Sealer, Timestamp, Turn};
use tutti_store::StoredTurn;

use self::{durable::Batch, events::Feeder, loading::Awaiting, parking::Parking, watching::Count};
use crate::{
    dispatch::Dispatcher,
    happening::{Happening, Output, RequestId},
    library::Library,
    resident::{Owed, Resident},
    timers::Timers,
};

/// Turns decided ahead of the commit that is under way; beyond this the loop waits for it.
const MAX_TURNS_AHEAD: usize = 1_000;
/// Entries decided ahead of the commit that is under way.
const MAX_ENTRIES_AHEAD: usize = 20_000;

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
    /// Beyond how many executions in memory those that only wait are dropped from it.
    pub max_residents: usize,
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
    /// Standstills being found out.
    counts: BTreeMap<u64, Count>,
    counted: u64,
    parking: Parking,
    /// Executions that cannot be read, and why.
    set_aside: BTreeMap<ExecutionId, String>,
    /// Decided, not yet handed to the store.
    pending: Batch,
    /// With the store.
    committing: Option<Batch>,
    /// The last event this loop has heard of: children see those after it.
    newest_event: EventPosition,
    feeder: Feeder,
    drawn: u64,
    /// The most overdue of the timers that fired since it was asked for, in milliseconds.
    most_overdue: Option<u64>,
    outputs: Vec<Output>,
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
            counts: BTreeMap::new(),
            counted: 0,
            parking: Parking::default(),
            set_aside: BTreeMap::new(),
            pending: Batch::default(),
            committing: None,
            newest_event: EventPosition::default(),
            feeder: Feeder::default(),
            drawn: 0,
            most_overdue: None,
            outputs: Vec::new(),
        }
    }

    /// Takes in what happened at `now` and says what to do, in order.
    pub fn on(&mut self, happening: Happening, now: Timestamp) -> Vec<Output> {
        match happening {
            Happening::Start { start, workflow, beside, request } => {
                if !self.residents.contains_key(&start.execution) {
                    self.pending.write_beside(beside);
                }
                self.on_start(start, workflow, Some(request), now);
            }
            Happening::Adopt { execution, request } => {
                self.with(execution, Awaiting::Adopt(request), now);
            }
            Happening::Watch { execution, request } => {
                self.with(execution, Awaiting::Watch(request), now);
            }
            Happening::Admit { execution, call, beside, request } => {
                self.with(execution, Awaiting::Admit(call, beside, request), now);
            }
            Happening::Control { execution, control, beside, request } => {
                self.with(execution, Awaiting::Control(control, beside, request), now);
            }
            Happening::Retry { execution, from, beside, request } => {
                self.on_retry(execution, from, beside, request);
            }
            Happening::CallFinished { execution, task, attempt, outcome } => {
                self.on_call_ended((execution, task), attempt, outcome, now);
            }
            Happening::ProbeFinished { execution, task, outcome } => {
                let fact = Awaiting::Fact(Input::ProbeFinished { task, outcome });
                self.with(execution, fact, now);
            }
            Happening::EventsLogged { newest } => self.on_events_logged(newest),
            Happening::EventsRead { after, result } => self.on_events_read(after, result),
            Happening::Loaded { execution, result } => self.on_loaded(execution, result, now),
            Happening::Told { to, message } => self.on_told(to, message, now),
            Happening::Committed { result } => self.on_committed(result, now),
            Happening::SetAside => self.reconsider(now),
            Happening::Tick => {}
        }
        self.fire_timers(now);
        self.go_on(now);
        self.feed_events(now);
        self.submit();
        self.make_room();
        mem::take(&mut self.outputs)
    }

    /// When the loop wants a [`Happening::Tick`].
    pub fn next_due(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// How late the most overdue timer was, in milliseconds, of those that fired since this was last asked; none where none did.
    pub fn take_most_overdue(&mut self) -> Option<u64> {
        self.most_overdue.take()
    }

    /// The execution, as far as its turns are decided.
    pub fn execution(&self, id: ExecutionId) -> Option<&Execution> {
        self.residents.get(&id).map(|resident| &resident.execution)
    }

    /// How many filters were evaluated to find out whom events may concern, since the loop began. It grows with the filters of
    /// definitions that listen for the type of an event, not with the number of listeners.
    pub fn filters_evaluated(&self) -> u64 {
        self.feeder.evaluated()
    }

    /// How many events of the log were not looked up yet for those who listen.
    pub fn events_behind(&self) -> u64 {
        self.feeder.behind()
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

    fn carry_out(&mut self, id: ExecutionId, awaiting: Awaiting, now: Timestamp) {
        self.parking.touch(id);
        match awaiting {
            Awaiting::Adopt(request) => self.outputs.push(Output::Reply(request, Ok(()))),
            Awaiting::Control(control, beside, request) => {
                match self.feed(id, Input::Control(control), now) {
                    Ok(()) => {
                        self.pending.write_beside(beside);
                        self.pending.replies.push(request);
                    }
                    Err(rejection) => {
                        self.outputs.push(Output::Reply(request, Err(rejection.into())));
                    }
                }
            }
            Awaiting::Admit(call, beside, request) => {
                let admitted = call.map_or(Input::Admitted, |task| Input::CallAdmitted { task });
                match self.feed(id, admitted, now) {
                    Ok(()) => {
                        self.pending.write_beside(beside);
                        self.pending.replies.push(request);
                    }
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
            Awaiting::Retry(from, beside, request) => self.on_retry(id, from, beside, request),
            Awaiting::Child(request) => self.report_to_parent(id, request.parent.execution),
            Awaiting::Cancel { parent } => {
                let cancel = Input::Control(Control::Cancel { reason: None });
                if self.feed(id, cancel, now).is_err() {
                    self.report_to_parent(id, parent);
                }
            }
            Awaiting::Stands => self.settle_anew(id),
            Awaiting::Count { parent, number } => self.be_counted(id, parent, number),
            Awaiting::AskAgain { child } => self.ask_again(id, child, now),
            Awaiting::Fact(input) => {
                // A fact that means nothing any more is late or repeated, and changes nothing.
                self.feed(id, input, now).ok();
            }
        }
    }

    /// What must follow every turn decided so far follows the last of their commits.
    fn owe_once_durable(&mut self, id: ExecutionId, owed: Owed, now: Timestamp) {
        if !self.pending.commit.turns.is_empty() {
            self.pending.owed.push((id, owed));
        } else if let Some(batch) = &mut self.committing {
            batch.owed.push((id, owed));
        } else {
            self.carry_out_owed(id, owed, now);
        }
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
        self.parking.touch(id);
        self.log_emitted(id, &entries, now);
        let (salt, image_salt) = (self.draw().to_be_bytes(), self.draw().to_be_bytes());
        let Some(resident) = self.residents.get_mut(&id) else { return };
        let turn = Turn { execution: id, first, at: now, entries };
        for entry in &turn.entries {
            if let Entry::CallDispatched { task } = entry {
                self.dispatcher.take((id, *task));
            }
        }
        let (limits, sealer) = (&self.options.limits, &*self.options.sealer);
        let (row, blobs) = turn.encode(resident.head, salt, sealer);
        let snapshot = resident.grow(&row, limits, image_salt, sealer);
        self.pending.entries += turn.entries.len();
        let key = match turn.entries.first() {
            Some(Entry::ExecutionStarted { key, .. }) => key.as_deref(),
            _ => None,
        };
        self.pending.commit.turns.push(StoredTurn {
            row,
            blobs,
            projection: resident.projection(),
            snapshot,
            key: key.map(Arc::from),
        });
        let owed = resident.newly_owed();
        self.pending.owed.push((id, owed));
        self.pending.published.push((turn, resident.execution.workflow().clone()));
        if resident.wants_turn() && !resident.queued {
            resident.queued = true;
            self.busy.push_back(id);
        }
        self.note_listeners(id);
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

    fn fire_timers(&mut self, now: Timestamp) {
        if let Some(due) = self.timers.next().filter(|due| *due <= now) {
            self.most_overdue = self.most_overdue.max(Some(now.ms_since(due)));
        }
        while let Some(id) = self.timers.fire(now) {
            self.with(id, Awaiting::Fact(Input::TimerFired), now);
            let later = self.residents.get(&id).and_then(Resident::wake).filter(|wake| *wake > now);
            self.timers.set(id, later);
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
