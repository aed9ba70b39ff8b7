//! Runs a scenario in every way that must not make a difference.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    path::Path,
    sync::Arc,
};

use tutti_connectors::Call;
use tutti_engine::{CallOutcome, Control, Limits, Outcome, ProbeOutcome};
use tutti_expr::Value;
use tutti_ids::ExecutionId;
use tutti_journal::{Effect, Entry, Error, ErrorType, Resolution, Timestamp};
use tutti_runtime::{DEFAULT_MAX_RESIDENTS, Library, PublishError, Settlement};
use tutti_store::{
    DefinitionText, Fault, FaultyStore, MemoryStore, OperationKind, SqliteStore, Store,
};

use crate::{
    FixedSecrets, Outside, Progress, Recorder, Reply, Scenario, Setting, Trace, World, redecide,
    scenario::CallScript, world::BEGINNING,
};

/// Steps after which a scenario is taken to run for ever.
const MAX_STEPS: usize = 10_000;
const ERRORS: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/";

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
}

impl Mode {
    fn is_blind(self) -> bool {
        matches!(self, Self::FailingBlindly(..))
    }

    fn is_failing(self) -> bool {
        matches!(self, Self::Failing(..) | Self::FailingBlindly(..))
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
}

impl<'s> Running<'s> {
    fn new(scenario: &'s Scenario, mode: Mode, directory: &Path) -> Result<Self, Vec<String>> {
        let expected = scenario.expect.get("invalid").and_then(Value::as_str);
        let library = Arc::new(Library::default());
        let mut first = None;
        for text in &scenario.workflows {
            match library.publish(text) {
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
        let execution = world.start(definition, scenario.input.clone());
        Ok(Self { scenario, mode, setting, world, execution, commits })
    }

    fn finish(mut self) -> Ran {
        let began = self.world.now();
        let mut steps = 0;
        for control in &self.scenario.controls {
            let until = control.at.map(|at| began.plus_ms(at));
            while self.world.step(until) == Progress::Moved && steps < MAX_STEPS {
                steps += 1;
            }
            if let Some(until) = until {
                self.world.skip_to(until);
            }
            self.control(&control.control);
        }
        while self.world.step(None) == Progress::Moved && steps < MAX_STEPS {
            steps += 1;
        }
        // A call that was lost in a crash may need a person once more.
        let last = self.scenario.controls.last().map(|last| last.control.clone());
        let last = last.filter(|last| last.get("resolve").is_some() && self.mode.is_failing());
        for last in std::iter::repeat_n(last, 3).flatten() {
            self.control(&last);
            while self.world.step(None) == Progress::Moved && steps < MAX_STEPS {
                steps += 1;
            }
        }
        let mut problems = Vec::new();
        if steps >= MAX_STEPS {
            problems.push("it runs for ever".to_owned());
        }
        self.world.check_standstill();
        problems.extend(self.world.problems());
        for shadow in self.world.shadows().iter() {
            problems.extend(redecide(shadow, &self.setting));
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

    /// The execution ended as expected, and whoever watched was told the same.
    fn check_end(&self) -> Vec<String> {
        let expect = &self.scenario.expect;
        let mut problems = Vec::new();
        let Some(shadow) = self.world.shadows().get(self.execution) else {
            return vec!["it was never stored".to_owned()];
        };
        let status = format!("{:?}", shadow.execution.status()).to_lowercase();
        let wanted = expect.get("status").and_then(Value::as_str).unwrap_or("completed");
        if status != wanted {
            problems.push(format!("it is {status}, not {wanted}"));
        }
        let outcome = shadow.execution.outcome();
        match (outcome, expect.get("output"), expect.get("error")) {
            (Some(Outcome::Completed(output)), Some(wanted), _) => {
                problems.extend(differs("output", wanted, output));
            }
            (Some(Outcome::Faulted(error)), _, Some(wanted)) => {
                problems.extend(differs("error", wanted, &error.to_value()));
            }
            (Some(Outcome::Faulted(error)), ..) if wanted != "faulted" => {
                problems.push(format!("it faulted: {error:?}"));
            }
            _ => {}
        }
        match (outcome, self.world.settlement(self.execution)) {
            (Some(outcome), Some(Settlement::Ended(told))) if outcome == told => {}
            (None, Some(Settlement::Suspended { .. })) => {}
            (_, told) => problems.push(format!("the watcher was told {told:?}")),
        }
        problems
    }

    /// Nobody could tell what became of lost calls: each has its unknown outcome on record.
    fn check_unknown(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for shadow in self.world.shadows().iter() {
            let mut open = BTreeSet::new();
            for entry in shadow.turns.iter().flat_map(|turn| &turn.entries) {
                match entry {
                    Entry::CallDispatched { task } => _ = open.insert(*task),
                    Entry::CallCompleted { task, .. }
                    | Entry::CallFailed { task, .. }
                    | Entry::CallRescheduled { task }
                    | Entry::CallOutcomeUnknown { task, .. } => _ = open.remove(task),
                    _ => {}
                }
            }
            if shadow.execution.outcome().is_some() && !open.is_empty() {
                problems.push(format!("it ended with calls whose end is not on record: {open:?}"));
            }
        }
        problems
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

    fn check_journal(&self) -> Vec<String> {
        let lines = self.lines();
        let mut left = lines.iter();
        let mut problems = Vec::new();
        let texts = |key: &str| {
            let found = self.scenario.expect.get(key).and_then(Value::as_array).unwrap_or(&[]);
            found.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        for wanted in texts("journal") {
            if !left.any(|line| line.contains(&wanted)) {
                problems.push(format!("the journal does not go on with `{wanted}`"));
                break;
            }
        }
        for unwanted in texts("never") {
            if lines.iter().any(|line| line.contains(&unwanted)) {
                problems.push(format!("the journal has `{unwanted}`"));
            }
        }
        problems
    }

    /// The calls that left: task, attempt, effect, arguments, and which keys are equal.
    fn check_calls(&self) -> Vec<String> {
        let Some(wanted) = self.scenario.expect.get("calls").and_then(Value::as_array) else {
            return Vec::new();
        };
        let made = self.world.effects().made();
        let mut problems = Vec::new();
        if made.len() != wanted.len() {
            problems.push(format!("{} calls left, not {}", made.len(), wanted.len()));
        }
        let mut keys: BTreeMap<String, Arc<str>> = BTreeMap::new();
        for (wanted, made) in wanted.iter().zip(made) {
            let call = &made.call;
            let found = Value::object([
                ("task", Value::from(call.reference.as_str())),
                ("at", Value::from(made.at.0 - BEGINNING.0)),
                ("attempt", Value::from(i64::from(call.attempt))),
                ("effect", Value::from(call.effect.to_string())),
                ("arguments", call.arguments.clone()),
                ("key", wanted.get("key").cloned().unwrap_or(Value::NULL)),
            ]);
            problems.extend(differs("call", wanted, &found));
            let Some(label) = wanted.get("key").and_then(Value::as_str) else { continue };
            let known = keys.entry(label.to_owned()).or_insert_with(|| call.key.clone()).clone();
            if known != call.key {
                problems.push(format!("a call of key {label} has another key"));
            }
        }
        let mut distinct: Vec<_> = keys.values().collect();
        distinct.sort();
        distinct.dedup();
        if distinct.len() != keys.len() {
            problems.push("two labels have one key".to_owned());
        }
        problems
    }

    fn story(&self) -> String {
        format!("journal:\n    {}", self.lines().join("\n    "))
    }
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
    let faulty = FaultyStore::new(recorder.clone(), move |operation| {
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
        value_bytes: number("valueBytes").unwrap_or(defaults.value_bytes),
        ..defaults
    };
    let secrets = scenario.secrets.as_object().into_iter().flat_map(tutti_expr::Object::iter);
    let secrets = secrets.map(|(name, value)| (name.to_string(), value.clone())).collect();
    let setting = Setting {
        library,
        secrets: Arc::new(FixedSecrets(secrets)),
        store: faulty.clone(),
        faulty: Some(faulty),
        recorder,
        limits,
        max_calls: number("maxCalls").unwrap_or(16),
        loops: NonZeroUsize::MIN,
        max_residents: DEFAULT_MAX_RESIDENTS,
        seed: 1,
        is_shuffled: false,
        is_traced: false,
    };
    Ok((setting, commits))
}

/// Answers calls as a scenario says.
#[derive(Debug)]
struct Script {
    calls: Vec<CallScript>,
    is_blind: bool,
    made: BTreeMap<usize, usize>,
    probed: BTreeMap<usize, usize>,
    /// What became of each attempt, for connectors that know.
    truth: BTreeMap<(ExecutionId, Arc<str>, u32), CallOutcome>,
}

impl Script {
    fn new(calls: Vec<CallScript>, is_blind: bool) -> Self {
        Self {
            calls,
            is_blind,
            made: BTreeMap::new(),
            probed: BTreeMap::new(),
            truth: BTreeMap::new(),
        }
    }

    fn find(&self, function: &str, call: &Call) -> Option<usize> {
        let uri = call.arguments.get("uri").and_then(Value::as_str).unwrap_or_default();
        self.calls.iter().position(|script| {
            script.on == function
                || script.on == call.reference.as_str()
                || (script.on.contains("://") && uri.starts_with(&script.on))
        })
    }
}

impl Outside for Script {
    fn call(&mut self, function: &str, call: &Call, _now: Timestamp) -> Reply {
        let Some(at) = self.find(function, call) else {
            let detail = format!("nobody scripted {function} {:?}", call.arguments);
            return Reply::In(0, CallOutcome::Failed(Error::new(ErrorType::Runtime, detail)));
        };
        let script = &self.calls[at];
        if let Some(wanted) = &script.arguments
            && let Some(difference) = differs("arguments", wanted, &call.arguments)
        {
            return Reply::In(0, CallOutcome::Failed(Error::new(ErrorType::Runtime, difference)));
        }
        // A call that is made again after a crash meets the same answer.
        let id = (call.execution, call.key.clone(), call.attempt);
        let known = self.truth.get(&id).cloned();
        let count = self.made.entry(at).or_default();
        let answer = &script.answers[(*count).min(script.answers.len() - 1)];
        if known.is_none() || call.effect == Effect::Once {
            *count += 1;
        }
        let delay = answer.get("after").and_then(Value::as_i64).unwrap_or(0);
        if answer.get("never").is_some() {
            return Reply::Never;
        }
        let outcome = known.unwrap_or_else(|| outcome(answer));
        self.truth.insert(id, outcome.clone());
        Reply::In(u64::try_from(delay).unwrap_or(0), outcome)
    }

    fn probe(&mut self, function: &str, call: &Call, _now: Timestamp) -> ProbeOutcome {
        let scripted = self.find(function, call).and_then(|at| {
            let probes = &self.calls[at].probes;
            let count = self.probed.entry(at).or_default();
            let probe = probes.get((*count).min(probes.len().saturating_sub(1)))?;
            *count += 1;
            Some(probe.clone())
        });
        if let Some(probe) = scripted {
            return match outcome(&probe) {
                CallOutcome::Completed(output) => ProbeOutcome::Completed(output),
                CallOutcome::Failed(error) => ProbeOutcome::Failed(error),
                CallOutcome::NotMade => ProbeOutcome::NotMade,
                CallOutcome::Unknown(_) => ProbeOutcome::Unknown,
            };
        }
        let id = (call.execution, call.key.clone(), call.attempt);
        match self.truth.get(&id) {
            _ if self.is_blind => ProbeOutcome::Unknown,
            Some(CallOutcome::Completed(output)) => ProbeOutcome::Completed(output.clone()),
            Some(CallOutcome::Failed(error)) => ProbeOutcome::Failed(error.clone()),
            Some(CallOutcome::Unknown(_)) => ProbeOutcome::Unknown,
            Some(CallOutcome::NotMade) | None => ProbeOutcome::NotMade,
        }
    }

    fn give_up(&mut self, call: &Call) -> CallOutcome {
        let wanted = self
            .find("", call)
            .or_else(|| self.calls.iter().position(|script| !script.on.starts_with('/')));
        let said = wanted.and_then(|at| self.calls[at].answers[0].get("cancelled").cloned());
        match said {
            Some(said) => outcome(&said),
            None if call.effect == Effect::Once => {
                CallOutcome::Unknown(Error::new(ErrorType::Runtime, "given up after it had left"))
            }
            None => CallOutcome::NotMade,
        }
    }
}

/// `{output}`, `{error}`, `unknown` or `notMade`.
fn outcome(answer: &Value) -> CallOutcome {
    if let Some(output) = answer.get("output") {
        return CallOutcome::Completed(output.clone());
    }
    if let Some(error) = answer.get("error") {
        return CallOutcome::Failed(scripted_error(error));
    }
    match answer.as_str() {
        Some("notMade") => CallOutcome::NotMade,
        _ => CallOutcome::Unknown(Error::new(ErrorType::Communication, "the connection broke")),
    }
}

fn scripted_error(value: &Value) -> Error {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or("communication");
    let status = value.get("status").and_then(Value::as_i64).unwrap_or(500);
    let mut error = Error::new(ErrorType::Communication, "as scripted")
        .with_status(u16::try_from(status).unwrap_or(500));
    error.kind = full_type(kind).into();
    error
}

fn full_type(kind: &str) -> String {
    if kind.contains(':') { kind.to_owned() } else { format!("{ERRORS}{kind}") }
}

/// What is not as wanted: objects may have more members, everything else must be equal; `«any»` fits everything, and an
/// error's type may be written without its namespace.
pub fn differs(what: &str, wanted: &Value, found: &Value) -> Option<String> {
    if wanted.as_str() == Some("«any»") {
        return None;
    }
    if let (Some(wanted), Some(found)) = (wanted.as_object(), found.as_object()) {
        return wanted.iter().find_map(|(key, wanted)| {
            let place = format!("{what}.{key}");
            match found.get(key) {
                None if wanted.as_str() == Some("«none»") => None,
                None => Some(format!("{place} is missing")),
                Some(found) => differs(&place, wanted, found),
            }
        });
    }
    if let (Some(wanted), Some(found)) = (wanted.as_array(), found.as_array())
        && wanted.len() == found.len()
    {
        let pairs = wanted.iter().zip(found).enumerate();
        return pairs
            .map(|(index, (wanted, found))| differs(&format!("{what}.{index}"), wanted, found))
            .find_map(|difference| difference);
    }
    if let (Some(wanted), Some(found)) = (wanted.as_str(), found.as_str())
        && what.rsplit('.').next() == Some("type")
        && full_type(wanted) == found
    {
        return None;
    }
    if let (Some(wanted), Some(found)) = (wanted.as_str(), found.as_str())
        && let Some(part) = wanted.strip_prefix("…")
    {
        return (!found.contains(part)).then(|| format!("{what} is {found:?}, without {part:?}"));
    }
    (wanted != found).then(|| format!("{what} is {found:?}, not {wanted:?}"))
}
