//! The world around the loops: does what they say, on one thread, under a clock of its own.

mod events;
mod outputs;
mod requests;
mod restart;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tutti_engine::Command;
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::Timestamp;
use tutti_runtime::{Happening, Loop, LoopOptions, Refusal, RequestId, Settlement};

use self::{outputs::Pending, requests::Request};
use crate::{
    Chance, Outside, Setting, effects::Effects, invariants::Shadows, setting::PlainSealer,
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
    /// How many events were published from outside.
    published: usize,
    /// Requests by id, until they are answered.
    requests: BTreeMap<RequestId, Request>,
    next_request: RequestId,
    settled: BTreeMap<ExecutionId, Settlement>,
    refused: Vec<(ExecutionId, Refusal)>,
    /// Executions that could not be read, once: nobody wakes for them.
    set_aside: BTreeSet<ExecutionId>,
    is_down: bool,
    restarts: u64,
    log: Vec<String>,
    problems: Vec<String>,
}

impl World {
    /// A world in which nothing has happened.
    pub fn new(setting: Setting, outside: Box<dyn Outside>) -> Self {
        let owners = owners(&setting, 0);
        let chance = Chance::new(setting.seed);
        let shadows = Shadows::new(setting.secrets.canaries());
        let mut world = Self {
            setting,
            now: BEGINNING,
            owners,
            outside,
            chance,
            pending: Vec::new(),
            shadows,
            effects: Effects::default(),
            published: 0,
            requests: BTreeMap::new(),
            next_request: 0,
            settled: BTreeMap::new(),
            refused: Vec::new(),
            set_aside: BTreeSet::new(),
            is_down: false,
            restarts: 0,
            log: Vec::new(),
            problems: Vec::new(),
        };
        world.tell_beginning();
        world
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

    /// How many executions each loop has in memory.
    pub fn residents(&self) -> Vec<usize> {
        self.owners.iter().map(|owner| owner.executions().count()).collect()
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
        let next_due = self.owners.iter().filter_map(Loop::next_due).min();
        self.problems.extend(self.shadows.slept_through(next_due, &self.set_aside));
        let answers = self.pending.iter().filter_map(|pending| match pending {
            Pending::Answer { due, .. } => *due,
            _ => None,
        });
        let next = answers.chain(next_due).min();
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
        self.problems.extend(self.unfed());
        self.problems.extend(self.crowded());
        if calls.is_empty() {
            let unanswered = self.requests.values();
            self.problems.extend(unanswered.map(|asked| format!("{asked:?} was never answered")));
        }
    }

    /// Loops that keep more in memory than they may, though some of it only waits.
    fn crowded(&self) -> Vec<String> {
        let bound = self.setting.max_residents;
        let crowded = self.owners.iter().filter(|owner| owner.executions().count() > bound);
        let parked = crowded.flat_map(Loop::executions).filter(|execution| {
            !self.pending.iter().any(|pending| pending.is_answer_for(execution.id()))
                && execution.outcome().is_none()
                && !execution.outstanding().any(|owed| owes_work(&owed))
        });
        parked.map(|execution| format!("{} only waits, in memory", execution.id())).collect()
    }

    fn say(&mut self, what: &str) {
        if self.setting.is_traced {
            self.log.push(format!("{:>8} ms  {what}", self.now.0 - BEGINNING.0));
        }
    }
}

/// Whether something is under way or queued, not only awaited.
fn owes_work(command: &Command) -> bool {
    match command {
        Command::AwaitAdmission
        | Command::AwaitCooldown { .. }
        | Command::Wake { .. }
        | Command::AwaitEvent { .. }
        | Command::StartChild(_)
        | Command::CancelChild { .. } => false,
        Command::Continue
        | Command::AwaitSlot { .. }
        | Command::Call { .. }
        | Command::CancelCall { .. }
        | Command::Probe { .. } => true,
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
