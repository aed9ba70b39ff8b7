//! Long journals on the real runtime and SQLite: read back from a snapshot, and held at their limit.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use tutti_connectors::{LogLine, Registry};
use tutti_dsl::Workflow;
use tutti_engine::{Control, Limits, Outcome, Secrets};
use tutti_expr::Value;
use tutti_ids::{Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::{Entry, EventPosition, SealError, Sealer, SuspensionReason, Timestamp, Turn};
use tutti_runtime::{
    Clock, DEFAULT_MAX_RESIDENTS, EventsKept, Handle, Library, Observer, Options, Runtime,
    Settlement,
};
use tutti_store::{
    BoxFuture, Commit, DefinitionText, Error, EventRetention, History, LoggedEvent, NewEvent,
    OpenExecution, Receipt, SqliteStore, Status, Store,
};

/// A long loop, a pause, and what both gave.
const LOOP: &str = r"
document: { dsl: '1.0.3', namespace: test, name: loop, version: '1.0.0' }
do:
  - sum:
      for: { in: '[range(200)]' }
      do:
        - add: { set: '${ { n: ((.n // 0) + $item) } }' }
  - pause: { wait: { hours: 1 } }
  - twice: { set: '${ { n: (.n * 2) } }' }
";

const OUTPUT: &str = r#"{"n":39800}"#;

#[test]
fn an_execution_goes_on_from_its_snapshot_and_the_rows_after_it() {
    on_tokio(async {
        let place = Place::new();
        let (id, rows) = place.run_into_pause(limits(50)).await;
        let store = place.open(false);
        let tail = store.load_tail(id).await.expect("it is whole").expect("it is there");
        let next = tail.snapshot.as_ref().map(|snapshot| snapshot.place.next.0);
        assert!(next.is_some_and(|next| next > 350), "the snapshot is of entry {next:?}");
        assert!(tail.rows.len() < rows / 4, "{} of {rows} rows are after it", tail.rows.len());

        let handle = place.start(store.clone(), limits(50));
        handle.adopt(id).await.expect("it can be gone on with");
        assert_eq!(place.finish(&handle, id).await, OUTPUT);
        assert_eq!(store.whole_reads.load(Ordering::Relaxed), 0, "only the tail was read");
        let ended = store.load_tail(id).await.expect("it is whole").expect("it is there");
        assert!(ended.snapshot.is_none(), "what has ended keeps no snapshot");
    });
}

#[test]
fn a_snapshot_of_another_version_is_ignored() {
    on_tokio(async {
        let place = Place::new();
        let (id, _) = place.run_into_pause(limits(50)).await;
        let store = place.open(true);
        let handle = place.start(store.clone(), limits(50));
        handle.adopt(id).await.expect("it can be gone on with");
        assert_eq!(place.finish(&handle, id).await, OUTPUT);
        assert_eq!(store.whole_reads.load(Ordering::Relaxed), 1, "the whole journal was read");
    });
}

#[test]
fn going_back_reads_the_whole_journal_and_leaves_a_snapshot_of_its_own() {
    on_tokio(async {
        let place = Place::new();
        let (id, _) = place.run_into_pause(limits(50)).await;
        let store = place.open(false);
        let handle = place.start(store.clone(), limits(50));
        handle.adopt(id).await.expect("it can be gone on with");
        handle.control(id, Control::Suspend).await.expect("it can be suspended");
        handle.retry(id, Some(TaskRef::new("/do/1/pause"))).await.expect("it passed it");
        assert_eq!(store.whole_reads.load(Ordering::Relaxed), 1);
        let tail = store.load_tail(id).await.expect("it is whole").expect("it is there");
        assert!(
            tail.snapshot.is_some() && tail.rows.is_empty(),
            "it is of the turn that went back"
        );
        stop(handle, store);

        let store = place.open(false);
        let handle = place.start(store.clone(), limits(50));
        handle.adopt(id).await.expect("it can be gone on with");
        assert_eq!(place.finish(&handle, id).await, OUTPUT);
        assert_eq!(store.whole_reads.load(Ordering::Relaxed), 0, "only the tail was read");
    });
}

#[test]
fn a_journal_at_its_limit_needs_a_person_who_may_grant_as_much_again() {
    on_tokio(async {
        let place = Place::new();
        let store = place.open(false);
        let limits = Limits { journal_entries: 300, ..limits(50) };
        let handle = place.start(store.clone(), limits);
        let id = place.begin(&handle).await;
        check_at_limit(&handle, &store, id, 300).await;
        handle.control(id, Control::Resume).await.expect("more is granted");
        place.await_pause();
        assert_eq!(place.finish(&handle, id).await, OUTPUT);
    });
}

#[test]
fn an_execution_at_the_limit_of_its_journal_can_be_cancelled() {
    on_tokio(async {
        let place = Place::new();
        let store = place.open(false);
        let limits = Limits { journal_entries: 120, ..limits(50) };
        let handle = place.start(store.clone(), limits);
        let id = place.begin(&handle).await;
        check_at_limit(&handle, &store, id, 120).await;
        handle.control(id, Control::Resume).await.expect("more is granted");
        check_at_limit(&handle, &store, id, 242).await;
        handle.control(id, Control::Cancel { reason: None }).await.expect("it can be cancelled");
        let settled = handle.settled(id).await.expect("it settles");
        assert_eq!(settled, Settlement::Ended(Outcome::Cancelled));
    });
}

/// The execution stands still with an incident that says why, and its journal says so before entry `next`.
async fn check_at_limit(handle: &Handle, store: &Spy, id: ExecutionId, next: u64) {
    let settled = handle.settled(id).await.expect("it settles");
    let Settlement::Suspended { incidents } = settled else {
        return assert!(matches!(settled, Settlement::Suspended { .. }), "{settled:?}");
    };
    let told: Vec<_> = incidents.iter().map(tutti_runtime::Incident::is_journal_limit).collect();
    assert_eq!(told, [true], "{incidents:?}");
    let history = store.inner.load(id).await.expect("it is whole").expect("it is there");
    assert_eq!(history.projection.status, Status::Suspended);
    let last = history.rows.last().expect("it has rows");
    let turn = last.decode(&Plain, &|_| None).expect("it decodes");
    let reason = SuspensionReason::JournalLimit;
    assert_eq!(turn.entries.last(), Some(&Entry::ExecutionSuspended { reason }));
    assert_eq!(last.next().0, Sequence::FIRST.0 + next + 1);
}

fn limits(snapshot_entries: u64) -> Limits {
    Limits { tasks_per_turn: 20, snapshot_entries, ..Limits::default() }
}

/// A directory with a store, the time there, and what is shown of turns.
struct Place {
    directory: tempfile::TempDir,
    clock: Arc<TestClock>,
    library: Arc<Library>,
    shown: mpsc::Receiver<Turn>,
    show: Arc<Show>,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let (sender, shown) = mpsc::channel();
        let show = Arc::new(Show(sender));
        Self { directory, clock: Arc::default(), library: Arc::default(), shown, show }
    }

    fn open(&self, is_foreign: bool) -> Arc<Spy> {
        let inner = SqliteStore::open(self.directory.path()).expect("the store opens");
        Arc::new(Spy { inner, is_foreign, whole_reads: AtomicU64::new(0) })
    }

    fn start(&self, store: Arc<Spy>, limits: Limits) -> Handle {
        Runtime::start(Options {
            store,
            connectors: Registry::builder().build(),
            library: self.library.clone(),
            secrets: Arc::new(Plain),
            sealer: Arc::new(Plain),
            clock: self.clock.clone(),
            observer: self.show.clone(),
            limits,
            max_calls: 1,
            max_residents: DEFAULT_MAX_RESIDENTS,
            loops: None,
            events_kept: EventsKept::default(),
            scratch: None,
        })
        .expect("it starts")
    }

    async fn begin(&self, handle: &Handle) -> ExecutionId {
        let (text, workflow) = self.library.publish(LOOP).expect("a valid document");
        handle.start(text.name, text.digest, workflow, None).await.expect("it starts")
    }

    /// Until the pause has begun, durably.
    fn await_pause(&self) {
        let begun = |turn: &Turn| {
            turn.entries.iter().any(|entry| matches!(entry, Entry::WaitStarted { .. }))
        };
        while !begun(&self.shown.recv().expect("turns are shown")) {}
    }

    /// Runs the loop into the pause and stops there; gives the number of rows as well.
    async fn run_into_pause(&self, limits: Limits) -> (ExecutionId, usize) {
        let store = self.open(false);
        let handle = self.start(store.clone(), limits);
        let id = self.begin(&handle).await;
        self.await_pause();
        let history = store.load(id).await.expect("it is whole").expect("it is there");
        stop(handle, store);
        (id, history.rows.len())
    }

    /// Lets the pause end; gives the output.
    async fn finish(&self, handle: &Handle, id: ExecutionId) -> String {
        self.clock.0.fetch_add(7_200_000, Ordering::Relaxed);
        match handle.settled(id).await.expect("it settles") {
            Settlement::Ended(Outcome::Completed(output)) => output.to_json(),
            other => format!("{other:?}"),
        }
    }
}

/// Until nobody uses the store any more, so that it can be opened again.
fn stop(handle: Handle, store: Arc<Spy>) {
    drop(handle);
    while Arc::strong_count(&store) > 1 {
        thread::yield_now();
    }
    drop(store);
}

/// Counts the journals that are read whole; where it is foreign, snapshots look like another version's.
#[derive(Debug)]
struct Spy {
    inner: SqliteStore,
    is_foreign: bool,
    whole_reads: AtomicU64,
}

impl Store for Spy {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>> {
        self.inner.commit(commit)
    }

    fn load(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        self.whole_reads.fetch_add(1, Ordering::Relaxed);
        self.inner.load(execution)
    }

    fn load_tail(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        Box::pin(async move {
            let mut history = self.inner.load_tail(execution).await?;
            if let Some(snapshot) = history.as_mut().and_then(|found| found.snapshot.as_mut())
                && self.is_foreign
            {
                "of another version".clone_into(&mut snapshot.fingerprint);
            }
            Ok(history)
        })
    }

    fn open_executions(
        &self,
        after: Option<ExecutionId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<OpenExecution>, Error>> {
        self.inner.open_executions(after, limit)
    }

    fn definition(&self, digest: Digest) -> BoxFuture<'_, Result<Option<DefinitionText>, Error>> {
        self.inner.definition(digest)
    }

    fn publish(&self, events: Vec<NewEvent>) -> BoxFuture<'_, Result<Vec<Receipt>, Error>> {
        self.inner.publish(events)
    }

    fn events_after(
        &self,
        after: EventPosition,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<LoggedEvent>, Error>> {
        self.inner.events_after(after, limit)
    }

    fn last_event_position(&self) -> BoxFuture<'_, Result<EventPosition, Error>> {
        self.inner.last_event_position()
    }

    fn drop_events(
        &self,
        retention: EventRetention,
        limit: usize,
    ) -> BoxFuture<'_, Result<u64, Error>> {
        self.inner.drop_events(retention, limit)
    }
}

/// Stands still until it is moved.
#[derive(Debug, Default)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// Passes on what is shown.
#[derive(Debug)]
struct Show(mpsc::Sender<Turn>);

impl Observer for Show {
    fn on_turn(&self, turn: &Turn, _workflow: &Arc<Workflow>) {
        // Who watched may have gone.
        self.0.send(turn.clone()).ok();
    }

    fn on_log(&self, _line: &LogLine) {}

    fn on_unreadable(&self, _execution: ExecutionId, _reason: &str) {}
}

/// No secrets, no sealing.
#[derive(Debug)]
struct Plain;

impl Secrets for Plain {
    fn secret(&self, _namespace: &str, _name: &str) -> Option<Value> {
        None
    }
}

impl Sealer for Plain {
    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        plain.to_vec()
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(sealed.to_vec())
    }
}

fn on_tokio(test: impl Future<Output = ()>) {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build();
    tokio.expect("it can be made").block_on(test);
}
