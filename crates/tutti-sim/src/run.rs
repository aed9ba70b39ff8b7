//! Runs a scenario in every way that must not make a difference.

mod expectation;
mod script;

pub use self::expectation::differs;

use std::{
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use tutti_engine::{Control, Limits};
use tutti_expr::Value;
use tutti_ids::ExecutionId;
use tutti_journal::{CloudEvent, Entry, Resolution, Timestamp};
use tutti_runtime::{DEFAULT_MAX_RESIDENTS, Library, PublishError, Settlement};
use tutti_store::{
    DefinitionText, Fault, FaultyStore, MemoryStore, OperationKind, SqliteStore, Store,
};

pub(crate) use self::script::Script;
use crate::{
    Chance, FixedSecrets, Progress, Recorder, Scenario, Setting, Trace, World, redecide,
    setting::owners_of,
};

/// Steps after which a scenario is taken to run for ever.
const MAX_STEPS: usize = 10_000;

/// Set chance for these apart: what a seed draws elsewhere does not depend on them.
const CRASHES: u64 = 0x6372_6173;
const OWNERS: u64 = 0x6F77_6E65;
/// Crashes and failures of the store after which a seed leaves a scenario alone.
const MAX_CRASHES: u64 = 6;

/// How a scenario is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// On the store in memory.
    Memory,
    /// On `SQLite` in a directory that is thrown away.
    Sqlite,
    /// The store fails so at this commit; connectors know what became of every call.
    Failing(u64, Fault),
    /// Like [`Mode::Failing`], and connectors know nothing.
    FailingBlindly(u64, Fault),
    /// With failures, crashes and an order of things that this seed decides; connectors know what became of every call.
    Seeded(u64),
}

impl Mode {
    fn is_blind(self) -> bool {
        matches!(self, Self::FailingBlindly(..))
    }

    fn is_failing(self) -> bool {
        !matches!(self, Self::Memory | Self::Sqlite)
    }
}

/// Runs a scenario on both stores, and again with a crash and a lost answer at every commit. Returns all that is wrong.
pub fn check_scenario(scenario: &Scenario) -> Vec<String> {
    let (commits, journal, mut problems) = run(scenario, Mode::Memory);
    if !problems.is_empty() {
        return problems;
    }
    let (_, stored, others) = run(scenario, Mode::Sqlite);
    problems.extend(others.into_iter().map(|problem| format!("on SQLite: {problem}")));
    if stored != journal {
        problems.push(format!("SQLite keeps another journal:\n  {stored:?}\n  {journal:?}"));
    }
    for number in 1..=commits {
        for fault in Fault::ALL {
            for mode in [Mode::Failing(number, fault), Mode::FailingBlindly(number, fault)] {
                let (_, _, others) = run(scenario, mode);
                problems.extend(others.into_iter().map(|problem| format!("{mode:?}: {problem}")));
            }
        }
    }
    problems
}

/// Runs a scenario as a seed decides. Returns all that is wrong, and how many turns were stored.
pub(crate) fn check_scenario_seeded(scenario: &Scenario, seed: u64) -> (Vec<String>, usize) {
    let (_, journal, problems) = run(scenario, Mode::Seeded(seed));
    let name = |problem| format!("scenario {}: {problem}", scenario.name);
    (problems.into_iter().map(name).collect(), journal.len())
}

type Ran = (u64, Vec<Vec<Entry>>, Vec<String>);

fn run(scenario: &Scenario, mode: Mode) -> Ran {
    let directory = tempfile::tempdir();
    let directory = match &directory {
        Ok(directory) => directory.path(),
        Err(error) => return (0, Vec::new(), vec![error.to_string()]),
    };
    match Running::new(scenario, mode, directory) {
        Ok(running) => running.finish(),
        Err(problems) => (0, Vec::new(), problems),
    }
}

struct Running<'s> {
    scenario: &'s Scenario,
    mode: Mode,
    setting: Setting,
    world: World,
    execution: ExecutionId,
    commits: Arc<std::sync::atomic::AtomicU64>,
    /// What is wrong with the script.
    complaints: Vec<String>,
    /// Decides about crashes, where a seed does.
    crashes: Option<Chance>,
}

impl<'s> Running<'s> {
    fn new(scenario: &'s Scenario, mode: Mode, directory: &Path) -> Result<Self, Vec<String>> {
        let expected = scenario.expect.get("invalid").and_then(Value::as_str);
        let library = Arc::new(Library::default());
        let mut first = None;
        for text in &scenario.workflows {
            match library.publish_with(text, &scenario.resources()) {
                Ok((definition, _)) => first = first.or(Some(definition)),
                Err(PublishError::Invalid { diagnostics }) => {
                    let found = diagnostics.iter().any(|d| {
                        Some(format!("{:?}", d.code).as_str()) == expected
                            || Some(d.code.to_string().as_str()) == expected
                    });
                    let said: Vec<String> =
                        diagnostics.iter().map(|d| format!("{} {}", d.code, d.message)).collect();
                    return Err(if found { Vec::new() } else { said });
                }
                Err(error) => return Err(vec![error.to_string()]),
            }
        }
        let definition: DefinitionText = first.ok_or_else(|| vec!["no workflow".to_owned()])?;
        if let Some(expected) = expected {
            return Err(vec![format!("the document is valid, not {expected}")]);
        }
        let (setting, commits) = setting(scenario, mode, library, directory)?;
        let outside = Script::new(scenario.calls.clone(), mode.is_blind());
        let mut world = World::new(setting.clone(), Box::new(outside));
        for event in &scenario.events {
            receive(&mut world, event).map_err(|problem| vec![problem])?;
        }
        world.run(MAX_STEPS);
        let execution = world.start(definition, scenario.input.clone());
        let crashes = match mode {
            Mode::Seeded(seed) => Some(Chance::new(seed ^ CRASHES)),
            _ => None,
        };
        Ok(Self {
            scenario,
            mode,
            setting,
            world,
            execution,
            commits,
            crashes,
            complaints: Vec::new(),
        })
    }

    /// Lets something happen; where a seed decides, the process may die first.
    fn step(&mut self, until: Option<Timestamp>) -> Progress {
        if self.world.restarts() < MAX_CRASHES
            && self.crashes.as_mut().is_some_and(|crashes| crashes.one_in(40))
        {
            self.world.crash();
        }
        self.world.step(until)
    }

    fn finish(mut self) -> Ran {
        let began = self.world.now();
        let mut steps = 0;
        for control in &self.scenario.controls {
            let until = control.at.map(|at| began.plus_ms(at));
            while self.step(until) == Progress::Moved && steps < MAX_STEPS {
                steps += 1;
            }
            if let Some(until) = until {
                self.world.skip_to(until);
            }
            match &control.event {
                Some(event) => self.complaints.extend(receive(&mut self.world, event).err()),
                None => self.control(&control.control),
            }
        }
        while self.step(None) == Progress::Moved && steps < MAX_STEPS {
            steps += 1;
        }
        // A call that was lost in a crash may need a person once more.
        let last = self.scenario.controls.last().map(|last| last.control.clone());
        let last = last.filter(|last| last.get("resolve").is_some() && self.mode.is_failing());
        for last in std::iter::repeat_n(last, 3).flatten() {
            self.control(&last);
            while self.step(None) == Progress::Moved && steps < MAX_STEPS {
                steps += 1;
            }
        }
        // Who was told that nothing could be read asks again.
        for _ in 0..MAX_CRASHES {
            let Some(Settlement::Lost(_)) = self.world.settlement(self.execution) else { break };
            self.world.watch(self.execution);
            while self.step(None) == Progress::Moved && steps < MAX_STEPS {
                steps += 1;
            }
        }
        let mut problems = std::mem::take(&mut self.complaints);
        if steps >= MAX_STEPS {
            problems.push("it runs for ever".to_owned());
        }
        self.world.check_standstill();
        problems.extend(self.world.problems());
        let events = self.world.events();
        for shadow in self.world.shadows().iter() {
            problems.extend(redecide(shadow, &self.setting, &events));
        }
        if self.mode.is_blind() {
            problems.extend(self.check_unknown());
        } else {
            problems.extend(self.check_end());
        }
        if !self.mode.is_failing() {
            problems.extend(self.check_journal());
            problems.extend(self.check_calls());
        }
        if !problems.is_empty() {
            problems.push(self.story());
        }
        let turns = self.world.shadows().iter().flat_map(|shadow| shadow.turns.clone());
        let journal = turns.map(|turn| turn.entries).collect();
        (self.commits.load(std::sync::atomic::Ordering::Relaxed), journal, problems)
    }

    fn control(&mut self, control: &Value) {
        let resolve = control.get("resolve");
        let Some(wanted) = control.as_str().or(resolve.and(Some("resolve"))) else { return };
        let control = match wanted {
            "suspend" => Control::Suspend,
            "resume" => Control::Resume,
            "cancel" => Control::Cancel { reason: Some("as scripted".to_owned()) },
            _ => {
                let open = self.world.shadows().iter().find_map(|shadow| {
                    let (task, ..) = shadow.execution.incidents().next()?;
                    Some((shadow.execution.id(), task))
                });
                let Some((execution, task)) = open else { return };
                let how = resolve.cloned().unwrap_or(Value::NULL);
                let resolution = match (how.as_str(), how.get("complete")) {
                    (_, Some(output)) => Resolution::Complete { output: output.clone() },
                    (Some("retry"), _) => Resolution::Retry,
                    _ => Resolution::Fault,
                };
                self.world.control(execution, Control::Resolve { task, resolution });
                return self.world.watch(self.execution);
            }
        };
        self.world.control(self.execution, control);
        self.world.watch(self.execution);
    }

    fn lines(&self) -> Vec<String> {
        let shadows = self.world.shadows();
        let first = shadows.get(self.execution).into_iter();
        let others = shadows.iter().filter(|shadow| shadow.execution.id() != self.execution);
        let mut lines = Vec::new();
        for shadow in first.chain(others) {
            let mut trace = Trace::default();
            shadow.turns.iter().for_each(|turn| lines.extend(trace.lines(turn)));
        }
        lines
    }

    fn story(&self) -> String {
        format!("journal:\n    {}", self.lines().join("\n    "))
    }
}

/// An event is received; what a script leaves out is made up.
fn receive(world: &mut World, event: &Value) -> Result<(), String> {
    let defaults = [
        ("specversion", Value::from("1.0")),
        ("id", Value::from(format!("event-{}", world.published() + 1))),
        ("source", Value::from("/scenario")),
    ];
    let given = event.as_object().into_iter().flat_map(tutti_expr::Object::iter);
    let members = defaults
        .into_iter()
        .map(|(name, value)| (Arc::from(name), value))
        .chain(given.map(|(name, value)| (name.clone(), value.clone())));
    let event = CloudEvent::from_value(&Value::object::<Arc<str>>(members));
    world.receive(event.map_err(|error| format!("the scripted event is none: {error}"))?);
    Ok(())
}

fn setting(
    scenario: &Scenario,
    mode: Mode,
    library: Arc<Library>,
    directory: &Path,
) -> Result<(Setting, Arc<std::sync::atomic::AtomicU64>), Vec<String>> {
    let bottom: Arc<dyn Store> = match mode {
        Mode::Sqlite => {
            Arc::new(SqliteStore::open(directory).map_err(|error| vec![error.to_string()])?)
        }
        _ => Arc::new(MemoryStore::new()),
    };
    let recorder = Arc::new(Recorder::new(bottom));
    let commits = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counter = commits.clone();
    let plan = match mode {
        Mode::Seeded(seed) => Some(Mutex::new((Chance::new(seed), 0))),
        _ => None,
    };
    let faulty = FaultyStore::new(recorder.clone(), move |operation| {
        if let Some(plan) = &plan {
            let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
            let (chance, failures) = &mut *plan;
            let fails = *failures < MAX_CRASHES && chance.one_in(20);
            *failures += u64::from(fails);
            return fails.then(|| *chance.pick(&Fault::ALL));
        }
        if operation.kind != OperationKind::Commit {
            return None;
        }
        let number = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        match mode {
            Mode::Failing(at, fault) | Mode::FailingBlindly(at, fault) if at == number => {
                Some(fault)
            }
            _ => None,
        }
    });
    let faulty = Arc::new(faulty);
    let number = |key: &str| {
        scenario.settings.get(key).and_then(Value::as_i64).and_then(|n| usize::try_from(n).ok())
    };
    let defaults = Limits::default();
    let limits = Limits {
        tasks_per_turn: number("tasksPerTurn").unwrap_or(defaults.tasks_per_turn),
        fork_width: number("forkWidth").unwrap_or(defaults.fork_width),
        iterations: number("iterations").unwrap_or(defaults.iterations),
        events_per_listen: number("eventsPerListen").unwrap_or(defaults.events_per_listen),
        value_bytes: number("valueBytes").unwrap_or(defaults.value_bytes),
        journal_entries: number("journalEntries").map_or(defaults.journal_entries, |n| n as u64),
        ticks_per_turn: number("ticksPerTurn").map_or(defaults.ticks_per_turn, |n| n as u64),
        bytes_per_turn: number("bytesPerTurn").map_or(defaults.bytes_per_turn, |n| n as u64),
        // Small, so that every reload of a scenario is one from a snapshot.
        snapshot_entries: number("snapshotEntries").map_or(3, |n| n as u64),
        ..defaults
    };
    let secrets = scenario.secrets.as_object().into_iter().flat_map(tutti_expr::Object::iter);
    let secrets = secrets.map(|(name, value)| (name.to_string(), value.clone())).collect();
    let (loops, max_residents) = match mode {
        Mode::Seeded(seed) => owners_of(&mut Chance::new(seed ^ OWNERS)),
        _ => (NonZeroUsize::MIN, DEFAULT_MAX_RESIDENTS),
    };
    let setting = Setting {
        library,
        secrets: Arc::new(FixedSecrets(secrets)),
        store: faulty.clone(),
        faulty: Some(faulty),
        file: None,
        recorder,
        limits,
        max_calls: number("maxCalls").unwrap_or(16),
        loops,
        max_residents,
        seed: if let Mode::Seeded(seed) = mode { seed } else { 1 },
        is_shuffled: matches!(mode, Mode::Seeded(_)),
        is_traced: false,
    };
    Ok((setting, commits))
}
