//! One seed: workflows, outside facts, failures, crashes and operators drawn from chance; invariants after every turn.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tutti_connectors::Call;
use tutti_engine::{CallOutcome, Control, Limits, Outcome, ProbeOutcome, Status};
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::{CloudEvent, Effect, Entry, Error, ErrorType, Resolution, Timestamp};
use tutti_runtime::{Library, PublishError};
use tutti_store::{DefinitionText, Fault, FaultyStore, MemoryStore, OperationKind, Store};

use crate::{
    Chance, FixedSecrets, Outside, Progress, Recorder, ReopeningStore, Reply, Scenario, Setting,
    World, generate::Generator, invariants::Shadow, load_scenarios, redecide,
    run::check_scenario_seeded, setting::owners_of,
};

/// Steps with faults; then everything is brought to an end without.
const STEPS: u64 = 600;
/// Steps after which an execution is taken to run for ever.
const LONGEST: usize = 20_000;

/// Set chance for these apart: what a seed draws elsewhere does not depend on them.
const KINDS: u64 = 0x6B69_6E64;
const RETRIES: u64 = 0x7265_7472;
const MORE: u64 = 0x6D6F_7265;
const RACES: u64 = 0x7261_6365;

/// What became of a seed.
#[derive(Debug, Clone, Default)]
pub struct SeedReport {
    /// The invariants that were broken.
    pub problems: Vec<String>,
    /// What happened, where it was asked for.
    pub log: Vec<String>,
    /// Turns that were stored.
    pub turns: usize,
}

/// Runs one seed.
pub fn simulate(seed: u64, is_traced: bool) -> SeedReport {
    let kind = Kind::of(seed);
    if let Some(scenario) = kind.scenario() {
        let (problems, turns) = check_scenario_seeded(scenario, seed);
        return SeedReport { problems, log: vec![scenario.name.clone()], turns };
    }
    let mut chance = Chance::new(seed);
    let mut more = Chance::new(seed ^ MORE);
    let library = Arc::new(Library::default());
    let mut definitions = Vec::new();
    for name in ["child", "first", "second"] {
        let more = Chance::new(more.next_u64());
        let text = Generator::new(&mut chance, more).document(name);
        match library.publish(&text) {
            Ok((definition, _)) => definitions.push(definition),
            Err(PublishError::Invalid { diagnostics }) => {
                return refused(&format!("{text}\n{diagnostics:?}"));
            }
            Err(error) => return refused(&error.to_string()),
        }
    }
    match Simulation::new(kind, chance, library, is_traced) {
        Ok(simulation) => simulation.run(&definitions),
        Err(problem) => refused(&problem),
    }
}

/// What a seed is about.
#[derive(Debug, Clone, Copy)]
struct Kind {
    seed: u64,
    /// On `SQLite`, which is opened again after every crash; else in memory.
    is_on_file: bool,
    /// Which of the scenario files it runs, if it does not draw its workflows.
    scenario: Option<u64>,
    /// One in so many steps an operator takes an execution back.
    retries: u64,
}

impl Kind {
    fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ KINDS);
        let is_on_file = chance.one_in(20);
        let retries = *chance.pick(&[25, 60, 400]);
        let scenario = chance.one_in(8).then(|| chance.next_u64());
        Self { seed, is_on_file, scenario, retries }
    }

    fn scenario(self) -> Option<&'static Scenario> {
        static SCENARIOS: OnceLock<Vec<Scenario>> = OnceLock::new();
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let all = SCENARIOS.get_or_init(|| load_scenarios(&directory).unwrap_or_default());
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let chosen = self.scenario?.checked_rem(count)?;
        all.get(usize::try_from(chosen).ok()?)
    }
}

fn refused(problem: &str) -> SeedReport {
    SeedReport {
        problems: vec![format!("the generated document: {problem}")],
        ..SeedReport::default()
    }
}

struct Simulation {
    chance: Chance,
    setting: Setting,
    world: World,
    /// Decides about going back, apart from everything else.
    retries: Chance,
    /// One in so many steps.
    going_back: u64,
    /// Decides what happens when a listener begins to listen.
    races: Chance,
    /// How many listened after the step before.
    listening: usize,
    is_calm: Arc<AtomicBool>,
    started: Vec<ExecutionId>,
}

impl Simulation {
    fn new(
        kind: Kind,
        mut chance: Chance,
        library: Arc<Library>,
        is_traced: bool,
    ) -> Result<Self, String> {
        let file = kind.is_on_file.then(ReopeningStore::new).transpose()?.map(Arc::new);
        let bottom: Arc<dyn Store> = match &file {
            Some(file) => file.clone(),
            None => Arc::new(MemoryStore::new()),
        };
        let recorder = Arc::new(Recorder::new(bottom));
        let is_calm = Arc::new(AtomicBool::new(false));
        let calm = is_calm.clone();
        let plan = Mutex::new(Chance::new(chance.next_u64()));
        let odds = 10 + chance.below(60);
        let faulty = Arc::new(FaultyStore::new(recorder.clone(), move |operation| {
            let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
            let odds = if operation.kind == OperationKind::Commit { odds } else { odds * 4 };
            let fails = plan.one_in(odds) && !calm.load(Ordering::Relaxed);
            fails.then(|| *plan.pick(&Fault::ALL))
        }));
        let defaults = Limits::default();
        let limits = Limits {
            tasks_per_turn: *chance.pick(&[3, 20, defaults.tasks_per_turn]),
            ticks_per_turn: *chance.pick(&[10, defaults.ticks_per_turn]),
            bytes_per_turn: *chance.pick(&[200, defaults.bytes_per_turn]),
            snapshot_entries: *chance.pick(&[1, 7, 40]),
            snapshot_bytes: *chance.pick(&[500, defaults.snapshot_bytes]),
            ..defaults
        };
        // What every generated workflow may use and must never show.
        let token = ("token".to_owned(), Value::from(format!("CANARY-{:016x}", kind.seed)));
        let max_calls = *chance.pick(&[1, 2, 16]);
        let (loops, max_residents) = owners_of(&mut chance);
        let setting = Setting {
            library,
            secrets: Arc::new(FixedSecrets(BTreeMap::from([token]))),
            store: faulty.clone(),
            faulty: Some(faulty),
            file,
            recorder,
            limits,
            max_calls,
            max_residents,
            loops,
            seed: kind.seed,
            is_shuffled: true,
            is_traced,
        };
        let outside = Weather { chance: Chance::new(chance.next_u64()), truth: BTreeMap::new() };
        let world = World::new(setting.clone(), Box::new(outside));
        let retries = Chance::new(kind.seed ^ RETRIES);
        Ok(Self {
            chance,
            setting,
            world,
            retries,
            going_back: kind.retries,
            races: Chance::new(kind.seed ^ RACES),
            listening: 0,
            is_calm,
            started: Vec::new(),
        })
    }

    fn run(mut self, definitions: &[DefinitionText]) -> SeedReport {
        for _ in 0..=self.chance.below(3) {
            let definition = self.chance.pick(definitions).clone();
            let input = Value::object([("n", Value::from(1))]);
            self.started.push(self.world.start(definition, Some(input)));
        }
        let crashes = 20 + self.chance.below(200);
        for _ in 0..STEPS {
            if self.chance.one_in(crashes) {
                self.world.crash();
            }
            if self.chance.one_in(40) {
                self.lay_hand();
            }
            if self.chance.one_in(4) {
                self.publish();
            }
            if self.retries.one_in(self.going_back) {
                self.go_back();
            }
            if self.world.step(None) == Progress::Stands && !self.chance.one_in(3) {
                break;
            }
            self.race();
            if !self.world.problems().is_empty() {
                return self.report(Vec::new());
            }
        }
        self.is_calm.store(true, Ordering::Relaxed);
        let problems = self.bring_to_an_end();
        self.report(problems)
    }

    /// An operator does something to some open execution.
    fn lay_hand(&mut self) {
        let open: Vec<ExecutionId> = self.open(|_| true);
        if open.is_empty() {
            return;
        }
        let execution = *self.chance.pick(&open);
        let incident = self.incident(execution);
        let control = match (self.chance.below(8), incident) {
            (0..=1, _) => Control::Suspend,
            (2, _) => Control::Cancel { reason: None },
            (3..=5, Some(task)) => self.resolution(task),
            _ => Control::Resume,
        };
        self.world.control(execution, control);
    }

    /// Events come in, and the process dies, at the very moment at which a listener has become durable.
    fn race(&mut self) {
        let before = self.listening;
        self.listening = self.world.shadows().iter().map(Shadow::listening).sum();
        if self.listening <= before {
            return;
        }
        if self.races.one_in(3) {
            let kind = *self.races.pick(&["sim.a", "sim.b"]);
            self.receive(kind, "k1");
        }
        if self.races.one_in(4) {
            self.world.crash();
        }
        if self.races.one_in(3) {
            let kind = *self.races.pick(&["sim.a", "sim.b"]);
            self.receive(kind, "k1");
        }
    }

    /// Somebody outside publishes an event.
    fn publish(&mut self) {
        let kind = *self.chance.pick(&["sim.a", "sim.b", "sim.c"]);
        let subject = *self.chance.pick(&["k1", "k2"]);
        self.receive(kind, subject);
    }

    fn receive(&mut self, kind: &str, subject: &str) {
        let number = self.world.published();
        let event = Value::object([
            ("specversion", Value::from("1.0")),
            ("id", Value::from(number.to_string())),
            ("source", Value::from("/sim")),
            ("type", Value::from(kind)),
            ("subject", Value::from(subject)),
            ("data", Value::object([("n", Value::from(1))])),
        ]);
        let event = CloudEvent::from_value(&event);
        self.world.receive(event.expect("invariant: what is published is an event"));
    }

    /// An operator takes some execution back, ended or not: to where it failed, or to a task that its journal shows.
    fn go_back(&mut self) {
        let all: Vec<_> = self.world.shadows().iter().collect();
        if all.is_empty() {
            return;
        }
        let shadow = all[self.retries.index(all.len())];
        let entries = shadow.turns.iter().flat_map(|turn| &turn.entries);
        let tasks: Vec<&TaskRef> = entries
            .filter_map(|entry| match entry {
                Entry::TaskStarted { reference, .. } => Some(reference),
                _ => None,
            })
            .collect();
        let execution = shadow.execution.id();
        let from = if tasks.is_empty() || self.retries.one_in(3) {
            None
        } else {
            Some((*self.retries.pick(&tasks)).clone())
        };
        self.world.retry(execution, from);
    }

    fn resolution(&mut self, task: Sequence) -> Control {
        let resolution = match self.chance.below(3) {
            0 => Resolution::Retry,
            1 => Resolution::Complete { output: Value::object([("n", Value::from(9))]) },
            _ => Resolution::Fault,
        };
        Control::Resolve { task, resolution }
    }

    fn incident(&self, execution: ExecutionId) -> Option<Sequence> {
        let shadow = self.world.shadows().get(execution)?;
        shadow.execution.incidents().next().map(|(task, ..)| task)
    }

    fn open(&self, wanted: impl Fn(Status) -> bool) -> Vec<ExecutionId> {
        let open = self.world.shadows().iter().map(|shadow| &shadow.execution);
        open.filter(|execution| execution.outcome().is_none() && wanted(execution.status()))
            .map(tutti_engine::Execution::id)
            .collect()
    }

    /// Without faults everything moves on: to its end, to a person or to a call that never answers. Persons answer; then
    /// what is still open is cancelled, and must end.
    fn bring_to_an_end(&mut self) -> Vec<String> {
        let mut problems = Vec::new();
        for round in 0..60 {
            if !self.world.run(LONGEST) {
                return vec!["it runs for ever".to_owned()];
            }
            self.world.check_standstill();
            problems.extend(self.world.shadows().misheard(&self.world.events()));
            if !self.world.problems().is_empty() {
                return problems;
            }
            if !problems.is_empty() {
                return problems;
            }
            let open = self.open(|_| true);
            if open.is_empty() {
                break;
            }
            for execution in open {
                let status = self.world.shadows().get(execution).map(|s| s.execution.status());
                let control = match (self.incident(execution), status) {
                    (Some(task), _) if round < 20 => self.resolution(task),
                    (Some(task), _) => Control::Resolve { task, resolution: Resolution::Fault },
                    (None, Some(Status::Suspended)) => Control::Resume,
                    _ => Control::Cancel { reason: None },
                };
                self.world.control(execution, control);
            }
        }
        let awaits = |id: &ExecutionId| self.world.shadows().get(*id).map(Shadow::listening);
        // Nothing interrupts what undoes: an extension around it may listen for ever.
        for execution in self.open(|_| true).into_iter().filter(|id| awaits(id) == Some(0)) {
            problems.push(format!("{execution} does not end, not even cancelled"));
        }
        let events = self.world.events();
        problems.extend(self.world.shadows().iter().flat_map(|shadow| {
            let found = redecide(shadow, &self.setting, &events);
            found.into_iter().map(|problem| format!("{}: {problem}", shadow.execution.id()))
        }));
        let shadows = self.world.shadows();
        for shadow in shadows.iter() {
            let shown = match shadow.execution.outcome() {
                Some(Outcome::Completed(output)) => output.to_redacted_json(),
                Some(Outcome::Faulted(error)) => format!("{error:?}"),
                _ => continue,
            };
            problems.extend(shadows.check_shown(&shown));
        }
        for execution in &self.started {
            if self.world.shadows().get(*execution).is_none() {
                problems.push(format!("{execution} was asked for and is lost"));
            }
        }
        problems
    }

    fn report(mut self, mut problems: Vec<String>) -> SeedReport {
        let found = self.world.problems();
        problems.extend(found);
        let turns = self.world.shadows().iter().map(|shadow| shadow.turns.len()).sum();
        SeedReport { problems, log: self.world.take_log(), turns }
    }
}

/// The outside, as chance has it.
#[derive(Debug)]
struct Weather {
    chance: Chance,
    /// What became of each attempt.
    truth: BTreeMap<(ExecutionId, Arc<str>, u32), CallOutcome>,
}

impl Weather {
    fn outcome(&mut self) -> CallOutcome {
        let error = |status| Error::new(ErrorType::Communication, "weather").with_status(status);
        match self.chance.below(10) {
            0..=5 => CallOutcome::Completed(Value::object([("n", Value::from(5))])),
            6..=7 => CallOutcome::Failed(error(503)),
            8 => CallOutcome::Failed(error(404)),
            _ => CallOutcome::Unknown(error(504)),
        }
    }
}

impl Outside for Weather {
    fn call(&mut self, _function: &str, call: &Call, _now: Timestamp) -> Reply {
        let id = (call.execution, call.key.clone(), call.attempt);
        if self.chance.one_in(30) {
            let silence = CallOutcome::Unknown(Error::new(ErrorType::Runtime, "silence"));
            self.truth.insert(id, silence.clone());
            // Nothing interrupts what undoes, or runs around that: that its calls end is up to their connectors.
            let place = call.reference.as_str();
            let undoes = place.starts_with("/use/") || place.contains("/metadata/tutti/undo/");
            return if undoes { Reply::In(30_000, silence) } else { Reply::Never };
        }
        let outcome = match self.outcome() {
            CallOutcome::Unknown(error) if call.effect != Effect::Once => {
                CallOutcome::Failed(error)
            }
            outcome => outcome,
        };
        self.truth.insert(id, outcome.clone());
        let delay = if self.chance.one_in(2) { 0 } else { self.chance.below(2_000) };
        Reply::In(delay, outcome)
    }

    fn probe(&mut self, _function: &str, call: &Call, _now: Timestamp) -> ProbeOutcome {
        if self.chance.one_in(3) {
            return ProbeOutcome::Unknown;
        }
        let id = (call.execution, call.key.clone(), call.attempt);
        match self.truth.get(&id) {
            Some(CallOutcome::Completed(output)) => ProbeOutcome::Completed(output.clone()),
            Some(CallOutcome::Failed(error)) => ProbeOutcome::Failed(error.clone()),
            Some(CallOutcome::Unknown(_)) => ProbeOutcome::Unknown,
            Some(CallOutcome::NotMade) | None => ProbeOutcome::NotMade,
        }
    }

    fn give_up(&mut self, call: &Call) -> CallOutcome {
        let id = (call.execution, call.key.clone(), call.attempt);
        match self.truth.get(&id) {
            Some(CallOutcome::Failed(_)) if self.chance.one_in(2) => CallOutcome::NotMade,
            Some(outcome @ (CallOutcome::Completed(_) | CallOutcome::Failed(_)))
                if self.chance.one_in(2) =>
            {
                outcome.clone()
            }
            _ if call.effect != Effect::Once => CallOutcome::NotMade,
            _ => CallOutcome::Unknown(Error::new(ErrorType::Runtime, "given up")),
        }
    }
}
