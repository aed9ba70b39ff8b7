//! Measures how soon an event moves the one execution that waits for it, of 10,000 that wait: 1,000 events a second,
//! each received durably. Prints lines for `cargo xtask bench`. Build it with `--release`.

#![expect(clippy::print_stdout, reason = "a measurement prints its figures")]

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tutti_connectors::{LogLine, Registry};
use tutti_dsl::Workflow;
use tutti_engine::{Limits, Secrets};
use tutti_expr::Value;
use tutti_ids::ExecutionId;
use tutti_journal::{CloudEvent, Entry, SealError, Sealer, Turn};
use tutti_runtime::{
    DEFAULT_MAX_RESIDENTS, EventsKept, Handle, Library, Observer, Options, Runtime, SystemClock,
};
use tutti_store::SqliteStore;

type Outcome<T> = Result<T, Box<dyn Error>>;

const LISTENERS: usize = 10_000;
const EVENTS: usize = 5_000;
/// Starts under way at a time.
const CLIENTS: usize = 64;
/// Between two events: 1,000 a second.
const PAUSE: Duration = Duration::from_millis(1);

const LISTEN: &str = "\
document: { dsl: '1.0.3', namespace: bench, name: listener, version: '1.0.0' }
do:
  - paid:
      listen:
        to:
          one:
            with: { type: com.example.paid }
            correlate: { order: { from: .data.order, expect: '${ .order }' } }
";

fn main() -> Outcome<()> {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
    tokio?.block_on(measure())
}

async fn measure() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let library = Arc::new(Library::default());
    let published = library.publish(LISTEN)?;
    let seen = Arc::new(Seen::default());
    let handle = Runtime::start(Options {
        store: Arc::new(SqliteStore::open(folder.path())?),
        connectors: Registry::builder().build(),
        library,
        secrets: Arc::new(Nothing),
        sealer: Arc::new(Nothing),
        clock: Arc::new(SystemClock),
        observer: seen.clone(),
        limits: Limits::default(),
        max_calls: 16,
        loops: None,
        max_residents: DEFAULT_MAX_RESIDENTS,
        events_kept: EventsKept::default(),
        scratch: None,
    })?;
    listen(&handle, &published).await?;
    let (begun, cpu) = (Instant::now(), processor_time());
    let sent = send(&handle).await?;
    let took = begun.elapsed();
    let cpu = processor_time().zip(cpu).map(|(after, before)| after.saturating_sub(before));
    let mut times = seen.wait(&sent).await;
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1_000.0;
    figure("events: 10,000 listeners, p50 to resumed", at(50), "ms");
    figure("events: 10,000 listeners, p99 to resumed", at(99), "ms");
    if let Some(cpu) = cpu {
        let share = cpu.as_secs_f64() / took.as_secs_f64() * 100.0;
        figure("events: 1,000/s, processor time of one core", share, "%");
    }
    Ok(())
}

/// Starts the executions, each of which listens for an order of its own.
async fn listen(
    handle: &Handle,
    (text, workflow): &(tutti_store::DefinitionText, Arc<Workflow>),
) -> Outcome<()> {
    let start = |client: usize| {
        let (handle, text, workflow) = (handle.clone(), text.clone(), workflow.clone());
        tokio::spawn(async move {
            for order in (client..LISTENERS).step_by(CLIENTS) {
                let order = i64::try_from(order).unwrap_or_default();
                let input = Value::object([("order", Value::from(order))]);
                handle.start(text.name.clone(), text.digest, workflow.clone(), Some(input)).await?;
            }
            Ok::<_, tutti_runtime::Error>(())
        })
    };
    for client in (0..CLIENTS).map(start).collect::<Vec<_>>() {
        client.await??;
    }
    Ok(())
}

/// Publishes the events, one after the other at their times; says when each was.
async fn send(handle: &Handle) -> Outcome<Vec<Instant>> {
    let mut clock = tokio::time::interval(PAUSE);
    let (mut sent, mut publishing) = (Vec::new(), Vec::new());
    for number in 0..EVENTS {
        clock.tick().await;
        // Every second execution has an event.
        let event = event(number * 2)?;
        sent.push(Instant::now());
        let handle = handle.clone();
        publishing.push(tokio::spawn(async move { handle.publish(&[event]).await.map(drop) }));
    }
    for published in publishing {
        published.await??;
    }
    Ok(sent)
}

fn event(order: usize) -> Outcome<CloudEvent> {
    let text = format!(
        r#"{{"specversion":"1.0","id":"{order}","source":"bench","type":"com.example.paid","data":{{"order":{order}}}}}"#
    );
    Ok(CloudEvent::from_value(&Value::from_json(&text).map_err(|error| error.message)?)?)
}

fn figure(name: &str, value: f64, unit: &str) {
    println!("{name}\t{value}\t{unit}");
}

/// The time processors have spent on this process; none where the system does not tell.
fn processor_time() -> Option<Duration> {
    /// How often a second Linux counts.
    const TICKS: u64 = 100;
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, after_name) = text.rsplit_once(')')?;
    let mut spent = after_name.split_whitespace().skip(11);
    let ticks = spent.next()?.parse::<u64>().ok()? + spent.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1_000 / TICKS))
}

/// When executions consumed their events, by the number of the event.
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<(usize, Instant)>>);

impl Seen {
    /// How long each event took.
    async fn wait(&self, sent: &[Instant]) -> Vec<Duration> {
        loop {
            let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if seen.len() == sent.len() {
                return seen.iter().map(|(number, at)| at.duration_since(sent[*number])).collect();
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Observer for Seen {
    fn on_turn(&self, turn: &Turn, _workflow: &Arc<Workflow>) {
        for entry in &turn.entries {
            if let Entry::EventConsumed { id, .. } = entry
                && let Ok(order) = id.parse::<usize>()
            {
                let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                seen.push((order / 2, Instant::now()));
            }
        }
    }

    fn on_log(&self, _line: &LogLine) {}

    fn on_unreadable(&self, _execution: ExecutionId, _reason: &str) {}
}

/// No secrets, no sealing.
#[derive(Debug)]
struct Nothing;

impl Secrets for Nothing {
    fn secret(&self, _namespace: &str, _name: &str) -> Option<Value> {
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
