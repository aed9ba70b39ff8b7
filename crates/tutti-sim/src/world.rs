//! The world around the loops: does what they say, on one thread, under a clock of its own.

use std::{collections::BTreeMap, sync::Arc};

use tutti_connectors::Call;
use tutti_engine::{CallOutcome, Control, Rejection, Start};
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::Timestamp;
use tutti_runtime::{
    Happening, Loop, LoopOptions, Message, Output, Partition, Refusal, RequestId, Settlement,
    Stored, Unread,
};
use tutti_store::{Commit, DefinitionText};

use crate::{
    Chance, Outside, Reply, Setting, effects::Effects, invariants::Shadows, setting::PlainSealer,
    waiting::block_on,
};

/// When every world begins: 2026-01-01T00:00:00Z.
pub(crate) const BEGINNING: Timestamp = Timestamp(1_767_225_600_000);

/// Whether anything happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Something was done.
    Moved,
    /// Nothing can be done any more without a hand from outside.
    Stands,
}

/// The loops and everything around them.
#[derive(Debug)]
pub struct World {
    setting: Setting,
    now: Timestamp,
    owners: Vec<Loop>,
    outside: Box<dyn Outside>,
    chance: Chance,
    pending: Vec<Pending>,
    shadows: Shadows,
    effects: Effects,
    /// Requests by id, until they are answered.
    requests: BTreeMap<RequestId, Request>,
    next_request: RequestId,
    settled: BTreeMap<ExecutionId, Settlement>,
    refused: Vec<(ExecutionId, Refusal)>,
    is_down: bool,
    restarts: u64,
    log: Vec<String>,
    problems: Vec<String>,
}

/// What somebody asked of the loop; asked again after a crash until it is answered.
#[derive(Debug, Clone)]
enum Request {
    Start { execution: ExecutionId, definition: DefinitionText, input: Option<Value>, seed: u64 },
    Adopt(ExecutionId),
    Watch(ExecutionId),
    Control(ExecutionId, Control),
}

/// An output of a loop that is still to be done.
#[derive(Debug)]
enum Pending {
    /// Of this loop.
    Commit(usize, Commit),
    Load(ExecutionId),
    Answer {
        call: Call,
        due: Option<Timestamp>,
        outcome: CallOutcome,
    },
    Probe(Arc<str>, Call),
    /// This loop is to be told that an execution was set aside.
    SetAside(usize),
    /// Under way from this loop, behind what it told the same loop before.
    Tell {
        from: usize,
        to: ExecutionId,
        message: Message,
    },
}

impl World {
    /// A world in which nothing has happened.
    pub fn new(setting: Setting, outside: Box<dyn Outside>) -> Self {
        let owners = owners(&setting, 0);
        let chance = Chance::new(setting.seed);
        let shadows = Shadows::new(setting.secrets.canaries());
        Self {
            setting,
            now: BEGINNING,
            owners,
            outside,
            chance,
            pending: Vec::new(),
            shadows,
            effects: Effects::default(),
            requests: BTreeMap::new(),
            next_request: 0,
            settled: BTreeMap::new(),
            refused: Vec::new(),
            is_down: false,
            restarts: 0,
            log: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Asks for an execution of a published definition and watches it.
    pub fn start(&mut self, definition: DefinitionText, input: Option<Value>) -> ExecutionId {
        let chance = u128::from(self.chance.next_u64());
        let execution = ExecutionId::new(u64::try_from(self.now.0).unwrap_or(0), chance);
        let seed = self.chance.next_u64();
        self.request(Request::Start { execution, definition, input, seed });
        self.watch(execution);
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

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// How many times the process died and came back.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// How an execution settled for whoever watched it.
    pub fn settlement(&self, execution: ExecutionId) -> Option<&Settlement> {
        self.settled.get(&execution)
    }

    /// Controls that were refused.
    pub fn refusals(&self) -> &[(ExecutionId, Refusal)] {
        &self.refused
    }

    /// What was stored, folded beside the loop.
    pub fn shadows(&self) -> &Shadows {
        &self.shadows
    }

    /// The side effects of calls so far.
    pub fn effects(&self) -> &Effects {
        &self.effects
    }

    /// The outside.
    pub fn outside(&self) -> &dyn Outside {
        &*self.outside
    }

    /// What happened, for people; empty unless the setting asks for it.
    pub fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    /// The invariants that were broken so far.
    pub fn problems(&self) -> Vec<String> {
        let shadows = self.shadows.problems().iter();
        shadows.chain(&self.problems).chain(self.effects.problems()).cloned().collect()
    }

    /// Runs until nothing moves or `limit` steps were done; whether it stands still.
    pub fn run(&mut self, limit: usize) -> bool {
        for _ in 0..limit {
            if self.step(None) == Progress::Stands {
                return true;
            }
        }
        false
    }

    /// Does one thing that can be done; else lets time pass, though not beyond `until`, to the next thing that is due.
    pub fn step(&mut self, until: Option<Timestamp>) -> Progress {
        if self.is_down {
            self.restart();
            return Progress::Moved;
        }
        let ready: Vec<usize> = (0..self.pending.len()).filter(|at| self.is_ready(*at)).collect();
        let progress = if ready.is_empty() {
            self.let_time_pass(until)
        } else {
            let chosen = if self.setting.is_shuffled { self.chance.index(ready.len()) } else { 0 };
            let pending = self.pending.remove(ready[chosen]);
            self.perform(pending);
            Progress::Moved
        };
        if self.setting.faulty.as_ref().is_some_and(|faulty| faulty.is_crashed()) {
            self.crash();
        }
        self.take_written();
        self.compare();
        progress
    }

    /// Lets the process die and come back: all that is only in memory is gone.
    pub fn crash(&mut self) {
        self.say("crash");
        self.is_down = true;
    }

    /// Lets the clock go on to `then`, at most to the next thing that is due.
    fn let_time_pass(&mut self, until: Option<Timestamp>) -> Progress {
        let answers = self.pending.iter().filter_map(|pending| match pending {
            Pending::Answer { due, .. } => *due,
            _ => None,
        });
        let next = answers.chain(self.owners.iter().filter_map(Loop::next_due)).min();
        let next = match (next, until) {
            (Some(next), Some(until)) => next.min(until),
            (Some(next), None) => next,
            (None, _) => return Progress::Stands,
        };
        if next <= self.now && until.is_some_and(|until| until <= self.now) {
            return Progress::Stands;
        }
        self.now = self.now.max(next);
        self.say("tick");
        self.tick();
        Progress::Moved
    }

    /// Moves the clock, though nothing may be due.
    pub fn skip_to(&mut self, then: Timestamp) {
        self.now = self.now.max(then);
        self.tick();
        self.take_written();
    }

    fn tick(&mut self) {
        for number in 0..self.owners.len() {
            self.tell_loop(number, Happening::Tick);
        }
    }

    fn is_ready(&self, at: usize) -> bool {
        match &self.pending[at] {
            Pending::Answer { due, .. } => due.is_some_and(|due| due <= self.now),
            Pending::Commit(..) | Pending::Load(_) | Pending::Probe(..) => true,
            Pending::SetAside(_) => true,
            Pending::Tell { from, to, .. } => {
                let ahead = self.pending[..at].iter();
                let to = self.owner_of(*to);
                !ahead
                    .filter_map(Pending::way)
                    .any(|(other, whom)| other == *from && self.owner_of(whom) == to)
            }
        }
    }

    fn perform(&mut self, pending: Pending) {
        match pending {
            Pending::Commit(number, commit) => {
                let result = block_on(self.setting.store.commit(commit));
                self.say(&format!("commit {}", result_of(&result)));
                self.take_written();
                self.tell_loop(number, Happening::Committed { result });
            }
            Pending::Load(execution) => {
                let result = self.load(execution);
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
            Pending::SetAside(number) => self.tell_loop(number, Happening::SetAside),
            Pending::Tell { to, message, .. } => {
                self.say(&format!("tell {to} {message:?}"));
                self.tell(to, Happening::Told { to, message });
            }
        }
    }

    fn load(&self, execution: ExecutionId) -> Result<Option<Stored>, Unread> {
        let store = &self.setting.store;
        let history = block_on(store.load(execution)).map_err(Unread::Store)?;
        let Some(history) = history else { return Ok(None) };
        let digest = history.projection.digest;
        let workflow = self.setting.library.get(digest);
        let workflow = workflow.ok_or_else(|| Unread::Damaged(format!("nobody knows {digest}")))?;
        Ok(Some((Box::new(history), workflow)))
    }

    fn owner_of(&self, execution: ExecutionId) -> usize {
        Partition::of(execution).owner(self.setting.loops)
    }

    /// Hands what happened to the loop that owns the execution.
    fn tell(&mut self, execution: ExecutionId, happening: Happening) {
        self.tell_loop(self.owner_of(execution), happening);
    }

    fn tell_loop(&mut self, number: usize, happening: Happening) {
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
            Output::Load(execution) => self.pending.push(Pending::Load(execution)),
            Output::MakeCall(function, call) => self.make_call(&function, call),
            Output::CancelCall(execution, task) => self.cancel_call(execution, task),
            Output::Probe(function, call) => self.pending.push(Pending::Probe(function, call)),
            Output::Publish(turn, _) => {
                if self.setting.is_traced {
                    self.log.extend(self.shadows.lines(&turn, self.now.0 - BEGINNING.0));
                }
                self.problems.extend(self.shadows.on_published(&turn));
            }
            Output::Reply(request, result) => self.on_reply(request, result),
            Output::Settled(request, settlement) => {
                if let Some(Request::Watch(execution)) = self.requests.remove(&request) {
                    self.say(&format!("settled {settlement:?}"));
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

    fn on_reply(&mut self, request: RequestId, result: Result<(), Refusal>) {
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
            (Request::Control(execution, _), Ok(())) => self.watch(*execution),
            (_, Ok(())) => {}
            // Whoever asks for a start again looks first whether it took place.
            (Request::Start { execution, .. }, Err(Refusal::Unreadable(_)))
                if self.shadows.get(*execution).is_some() => {}
            (_, Err(Refusal::Unreadable(_))) => _ = self.request(asked),
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

    fn request(&mut self, request: Request) -> RequestId {
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
                };
                Happening::Start { start, workflow, request: id }
            }
            Request::Adopt(execution) => Happening::Adopt { execution, request: id },
            Request::Watch(execution) => Happening::Watch { execution, request: id },
            Request::Control(execution, control) => {
                self.say(&format!("control {control:?}"));
                Happening::Control { execution, control, request: id }
            }
        };
        self.tell(execution, happening);
    }

    /// The process comes back on the same store; whoever was not answered asks again.
    fn restart(&mut self) {
        self.take_written();
        self.is_down = false;
        self.restarts += 1;
        self.say("restart");
        if let Some(faulty) = &self.setting.faulty {
            faulty.restart();
        }
        self.pending.clear();
        self.owners = owners(&self.setting, self.restarts);
        let mut requests = std::mem::take(&mut self.requests);
        requests.retain(|_, request| !matches!(request, Request::Adopt(_)));
        requests.retain(|_, request| match request {
            Request::Start { execution, .. } => self.shadows.get(*execution).is_none(),
            _ => true,
        });
        let open = match block_on(self.setting.store.open_executions(None, usize::MAX)) {
            Ok(open) => open,
            Err(error) => {
                self.say(&format!("halt: {error}"));
                self.requests = requests;
                return self.is_down = true;
            }
        };
        self.problems.extend(self.shadows.compare_open(&open));
        let (starts, others): (Vec<_>, Vec<_>) =
            requests.into_iter().partition(|(_, request)| matches!(request, Request::Start { .. }));
        for (_, start) in starts {
            self.request(start);
        }
        for execution in open {
            self.request(Request::Adopt(execution.execution));
        }
        for (_, request) in others {
            self.request(request);
        }
        self.take_written();
    }

    /// Folds what was written into the shadows.
    fn take_written(&mut self) {
        for stored in self.setting.recorder.take() {
            let id = stored.row.execution;
            let workflow = self.setting.library.get(stored.projection.digest);
            self.problems.extend(self.shadows.on_written(&stored, workflow));
            self.effects.on_written(&self.shadows, id);
        }
    }

    fn compare(&mut self) {
        let settled = !self.is_down
            && !self.pending.iter().any(|pending| matches!(pending, Pending::Commit(..)));
        if settled {
            let problems = self.shadows.compare(self.owners.iter().flat_map(Loop::executions));
            self.problems.extend(problems);
        }
    }

    /// What must hold when nothing moves any more: nothing is stuck, and whoever watched was told.
    pub fn check_standstill(&mut self) {
        let calls: Vec<(ExecutionId, Sequence)> = self
            .pending
            .iter()
            .filter_map(|pending| match pending {
                Pending::Answer { call, .. } => Some((call.execution, call.task)),
                _ => None,
            })
            .collect();
        self.problems.extend(self.shadows.stuck(&calls));
        if calls.is_empty() {
            for request in self.requests.values() {
                self.problems.push(format!("{request:?} was never answered"));
            }
        }
    }

    fn say(&mut self, what: &str) {
        if self.setting.is_traced {
            self.log.push(format!("{:>8} ms  {what}", self.now.0 - BEGINNING.0));
        }
    }
}

fn result_of(result: &Result<(), tutti_store::Error>) -> String {
    match result {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("failed: {error}"),
    }
}

impl Request {
    fn execution(&self) -> ExecutionId {
        match self {
            Self::Start { execution, .. }
            | Self::Adopt(execution)
            | Self::Watch(execution)
            | Self::Control(execution, _) => *execution,
        }
    }
}

impl Pending {
    /// From which loop, and to whom, a message is under way.
    fn way(&self) -> Option<(usize, ExecutionId)> {
        match self {
            Self::Tell { from, to, .. } => Some((*from, *to)),
            _ => None,
        }
    }
}

fn owners(setting: &Setting, restarts: u64) -> Vec<Loop> {
    (0..setting.loops.get())
        .map(|number| Loop::new(loop_options(setting, restarts, number as u64)))
        .collect()
}

fn loop_options(setting: &Setting, restarts: u64, number: u64) -> LoopOptions {
    LoopOptions {
        library: setting.library.clone(),
        secrets: setting.secrets.clone(),
        sealer: Arc::new(PlainSealer::default()),
        limits: setting.limits,
        max_calls: setting.max_calls,
        max_residents: setting.max_residents,
        seed: u128::from(setting.seed) << 64 | u128::from(number) << 48 | u128::from(restarts),
    }
}
