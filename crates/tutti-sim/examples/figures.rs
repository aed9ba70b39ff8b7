//! Measures what `cargo xtask bench` prints: one line a figure, `name<TAB>value<TAB>unit`. Build it with `--release`.

#![expect(clippy::print_stdout, reason = "a measurement prints its figures")]

use std::{
    error::Error,
    fmt::Write as _,
    num::NonZeroUsize,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use tutti_connectors::{LogLine, Registry};
use tutti_dsl::Workflow;
use tutti_engine::{Definitions, Execution, Input, Limits, Secrets, Start, Surroundings};
use tutti_expr::{Environment, Expression, Scope, Value};
use tutti_ids::{DefinitionRef, Digest, ExecutionId, Sequence};
use tutti_journal::{EventPosition, SealError, Sealer, Timestamp, Turn};
use tutti_runtime::{
    DEFAULT_MAX_RESIDENTS, EventsKept, Handle, Library, Observer, Options, Runtime, Settlement,
    SystemClock,
};
use tutti_store::{
    Commit, Projection, SqliteStore, Status, Store as _, StoredTurn, contract::wait,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Runs of each measurement; the median counts.
const WINDOWS: usize = 5;
const CLIENTS: usize = 64;

fn main() -> Outcome<()> {
    expressions()?;
    hostile()?;
    documents()?;
    pure_tasks()?;
    loops()?;
    reloading()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    runtime.block_on(durable_tasks())
}

fn figure(name: &str, value: f64, unit: &str) {
    println!("{name}\t{value}\t{unit}");
}

/// The median of several runs of a measurement.
fn median(mut measure: impl FnMut() -> Outcome<Duration>) -> Outcome<Duration> {
    let mut times = Vec::new();
    for _ in 0..WINDOWS {
        times.push(measure()?);
    }
    times.sort();
    Ok(times[WINDOWS / 2])
}

fn per_second(count: usize, time: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a measurement are small")]
    let count = count as f64;
    count / time.as_secs_f64()
}

fn expressions() -> Outcome<()> {
    const TIMES: usize = 100_000;
    let input = Value::from_json(
        r#"{"order":{"id":7,"lines":[{"price":3,"count":2},{"price":5,"count":1}]}}"#,
    )?;
    for (name, source) in [
        ("expression: path", ".order.id"),
        ("expression: arithmetic", ".order.id + 1"),
        ("expression: map and add", "[.order.lines[] | .price * .count] | add"),
    ] {
        let expression = Expression::compile(source, &Scope::default())?;
        let time = median(|| {
            let begun = Instant::now();
            for _ in 0..TIMES {
                expression.evaluate(&input, &Nothing)?;
            }
            Ok(begun.elapsed())
        })?;
        figure(name, per_second(TIMES, time), "/s");
    }
    Ok(())
}

/// The longest time any hostile expression takes to be ended, compilation included.
fn hostile() -> Outcome<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tutti-expr/corpus/hostile");
    let mut longest = Duration::ZERO;
    let mut files = Vec::new();
    for limit in std::fs::read_dir(folder)? {
        files.extend(std::fs::read_dir(limit?.path())?.collect::<Result<Vec<_>, _>>()?);
    }
    for file in files {
        let source = std::fs::read_to_string(file.path())?;
        let time = median(|| {
            let begun = Instant::now();
            if let Ok(expression) = Expression::compile(source.trim(), &Scope::default()) {
                // How it ends is the corpus test's business; here counts when.
                expression.evaluate(&Value::NULL, &Nothing).ok();
            }
            Ok(begun.elapsed())
        })?;
        longest = longest.max(time);
    }
    figure("expression: slowest hostile one", longest.as_secs_f64() * 1_000.0, "ms");
    Ok(())
}

fn documents() -> Outcome<()> {
    let text = thousand_tasks();
    let time = median(|| {
        let begun = Instant::now();
        compile(&text)?;
        Ok(begun.elapsed())
    })?;
    figure("document: 1,000 tasks checked", time.as_secs_f64() * 1_000.0, "ms");
    Ok(())
}

fn pure_tasks() -> Outcome<()> {
    let workflow = compile(&thousand_tasks())?;
    let time = median(|| run(&workflow))?;
    figure("engine: pure tasks, one core", per_second(1_000, time), "/s");
    Ok(())
}

/// A loop of 100,000 iterations, and its time against a tenth of it: 10 is linear.
fn loops() -> Outcome<()> {
    let looping = |count: usize| {
        compile(&format!(
            "{HEAD}  - loop:\n      for: {{ in: '[range({count})]' }}\n      do:\n        - add: {{ set: '${{ {{ n: ((.n // 0) + 1) }} }}' }}\n"
        ))
    };
    let (short, long) = (looping(10_000)?, looping(100_000)?);
    let short = median(|| run(&short))?;
    let long = median(|| run(&long))?;
    figure("engine: 100,000 iterations", long.as_secs_f64() * 1_000.0, "ms");
    figure(
        "engine: 100,000 against 10,000 iterations",
        long.as_secs_f64() / short.as_secs_f64(),
        "x",
    );
    Ok(())
}

/// How long a journal of 200,000 entries takes to come back from SQLite: whole, and from a snapshot with a tail of a
/// quarter of it, which is the longest there is.
fn reloading() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(folder.path())?;
    let execution = long_execution(&store)?;
    let id = execution.id();
    let restore = |whole: bool| {
        let begun = Instant::now();
        let history = wait(if whole { store.load(id) } else { store.load_tail(id) })?;
        let history = history.ok_or("it is not stored")?;
        let (name, workflow) = (execution.definition().clone(), execution.workflow().clone());
        let turns = history
            .rows
            .iter()
            .map(|row| row.decode(&Nothing, &|digest| history.blobs.get(digest).cloned()))
            .collect::<Result<Vec<_>, _>>()?;
        let restored = match &history.snapshot {
            None => Execution::restore(id, name, Digest::ZERO, workflow, &turns),
            Some(snapshot) => {
                let mut restored =
                    Execution::from_snapshot(snapshot, name, Digest::ZERO, workflow, &Nothing)?;
                for turn in &turns {
                    restored.fold_turn(turn);
                }
                restored
            }
        };
        debug_assert_eq!(restored.next_sequence(), execution.next_sequence());
        Ok(begun.elapsed())
    };
    for (name, whole) in [
        ("reload: 200,000 entries, whole journal", true),
        ("reload: 200,000 entries, snapshot and 50,000", false),
    ] {
        let time = median(|| restore(whole))?;
        figure(name, time.as_secs_f64() * 1_000.0, "ms");
    }
    let begun = Instant::now();
    let snapshot = execution.snapshot(Digest::ZERO, [0; 16], &Nothing);
    figure("snapshot: encoded", begun.elapsed().as_secs_f64() * 1_000.0, "ms");
    figure("snapshot: size", per_second(snapshot.size(), Duration::from_secs(1_000)), "kB");
    Ok(())
}

/// Stores an execution that has come through a loop to its 200,000th entry, with a snapshot at three quarters of it.
fn long_execution(store: &SqliteStore) -> Outcome<Execution> {
    let workflow = compile(&format!(
        "{HEAD}  - loop:\n      for: {{ in: '[range(100000)]' }}\n      do:\n        - add: {{ set: '${{ {{ n: ((.n // 0) + 1) }} }}' }}\n"
    ))?;
    let definition = name_of(&workflow)?;
    let mut execution =
        Execution::new(ExecutionId::new(0, 1), definition.clone(), Digest::ZERO, workflow);
    let start = Start {
        execution: execution.id(),
        definition: definition.clone(),
        digest: Digest::ZERO,
        seed: 1,
        input: None,
        parent: None,
        events_after: EventPosition::default(),
        key: None,
        hold: None,
    };
    let surroundings = surroundings();
    let mut entries = execution.start(start, &surroundings);
    let (mut head, mut first, mut snapshots) = (Digest::ZERO, Sequence::FIRST, 0);
    while first.0 < 200_000 {
        let turn = Turn { execution: execution.id(), first, at: Timestamp(0), entries };
        let (row, blobs) = turn.encode(head, [0; 16], &Nothing);
        (head, first) = (row.digest, row.next());
        let snapshot = (first.0 >= 150_000 && snapshots == 0)
            .then(|| execution.snapshot(head, [0; 16], &Nothing));
        snapshots += usize::from(snapshot.is_some());
        let projection = Projection {
            definition: definition.clone(),
            digest: Digest::ZERO,
            status: Status::Running,
            parent: None,
            started_at: Timestamp(0),
            updated_at: Timestamp(0),
            due: None,
        };
        let turns = vec![StoredTurn { row, blobs, projection, snapshot, key: None }];
        wait(store.commit(Commit { turns, ..Commit::default() }))?;
        entries = if first.0 < 200_000 {
            execution.advance(Input::Continue, &surroundings)?
        } else {
            Vec::new()
        };
    }
    Ok(execution)
}

fn surroundings() -> Surroundings<'static> {
    Surroundings {
        now: Timestamp(0),
        secrets: &Nothing,
        definitions: &Nothing,
        free_slots: 0,
        limits: Limits::default(),
    }
}

const HEAD: &str =
    "document: { dsl: '1.0.3', namespace: bench, name: bench, version: '1.0.0' }\ndo:\n";

fn thousand_tasks() -> String {
    let mut text = String::from(HEAD);
    for number in 0..1_000 {
        // Writing to a string cannot fail.
        writeln!(text, "  - task{number}:\n      set:\n        n: '${{ .n + 1 }}'").ok();
    }
    text
}

fn compile(text: &str) -> Outcome<Arc<Workflow>> {
    let parsed = tutti_dsl::parse(text);
    parsed.workflow.map(Arc::new).ok_or_else(|| format!("{:?}", parsed.diagnostics).into())
}

/// Runs a workflow of pure tasks to its end without a store.
fn run(workflow: &Arc<Workflow>) -> Outcome<Duration> {
    let id = ExecutionId::new(0, 1);
    let definition = name_of(workflow)?;
    let surroundings = surroundings();
    let start = Start {
        execution: id,
        definition: definition.clone(),
        digest: Digest::ZERO,
        seed: 1,
        input: None,
        parent: None,
        events_after: tutti_journal::EventPosition::default(),
        key: None,
        hold: None,
    };
    let begun = Instant::now();
    let mut execution = Execution::new(id, definition, Digest::ZERO, workflow.clone());
    execution.start(start, &surroundings);
    while execution.outcome().is_none() {
        execution.advance(Input::Continue, &surroundings)?;
    }
    Ok(begun.elapsed())
}

fn name_of(workflow: &Workflow) -> Outcome<DefinitionRef> {
    let document = &workflow.document;
    Ok(DefinitionRef {
        namespace: document.namespace.parse()?,
        name: document.name.parse()?,
        version: document.version.parse()?,
    })
}

/// Executions of five tasks, each durable before its client starts the next: 64 clients on one store.
async fn durable_tasks() -> Outcome<()> {
    let executions = durable_executions(None).await?;
    figure("runtime: durable executions of 5 tasks, 64 clients", executions, "/s");
    figure("runtime: durable tasks on SQLite", executions * 5.0, "/s");
    for (name, loops) in [("runtime: durable tasks, one loop", 1), ("runtime: two loops", 2)] {
        figure(name, durable_executions(NonZeroUsize::new(loops)).await? * 5.0, "/s");
    }
    Ok(())
}

/// How many executions of five tasks a second so many loops do.
async fn durable_executions(loops: Option<NonZeroUsize>) -> Outcome<f64> {
    const EACH: usize = 50;
    let folder = tempfile::tempdir()?;
    let library = Arc::new(Library::default());
    let mut text = String::from(HEAD);
    for number in 0..5 {
        writeln!(text, "  - task{number}: {{ set: {{ n: {number} }} }}")?;
    }
    let (published, workflow) = library.publish(&text)?;
    let handle = Runtime::start(Options {
        store: Arc::new(SqliteStore::open(folder.path())?),
        connectors: Registry::builder().build(),
        library,
        secrets: Arc::new(Nothing),
        sealer: Arc::new(Nothing),
        clock: Arc::new(SystemClock),
        observer: Arc::new(Nothing),
        limits: Limits::default(),
        max_calls: 16,
        loops,
        max_residents: DEFAULT_MAX_RESIDENTS,
        events_kept: EventsKept::default(),
        scratch: None,
    })?;
    let mut times = Vec::new();
    for _ in 0..WINDOWS {
        let begun = Instant::now();
        let start = |_| {
            let name = published.name.clone();
            tokio::spawn(client(handle.clone(), name, published.digest, workflow.clone(), EACH))
        };
        for client in (0..CLIENTS).map(start).collect::<Vec<_>>() {
            client.await??;
        }
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(per_second(CLIENTS * EACH, times[WINDOWS / 2]))
}

async fn client(
    handle: Handle,
    name: DefinitionRef,
    digest: Digest,
    workflow: Arc<Workflow>,
    count: usize,
) -> Result<(), tutti_runtime::Error> {
    for _ in 0..count {
        let execution = handle.start(name.clone(), digest, workflow.clone(), None).await?;
        let settlement = handle.settled(execution).await?;
        debug_assert!(matches!(settlement, Settlement::Ended(_)));
    }
    Ok(())
}

/// No secrets, no definitions, no sealing, nobody who watches.
#[derive(Debug)]
struct Nothing;

impl Environment for Nothing {
    fn variable(&self, _name: &str) -> Option<Value> {
        None
    }

    fn now_ms(&self) -> i64 {
        0
    }
}

impl Secrets for Nothing {
    fn secret(&self, _namespace: &str, _name: &str) -> Option<Value> {
        None
    }
}

impl Definitions for Nothing {
    fn find(
        &self,
        _namespace: &str,
        _name: &str,
        _version: &str,
    ) -> Option<(DefinitionRef, Digest)> {
        None
    }
}

impl Sealer for Nothing {
    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        plain.to_vec()
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(sealed.to_vec())
    }
}

impl Observer for Nothing {
    fn on_turn(&self, _turn: &Turn, _workflow: &Arc<Workflow>) {}

    fn on_log(&self, _line: &LogLine) {}

    fn on_unreadable(&self, _execution: ExecutionId, _reason: &str) {}
}
