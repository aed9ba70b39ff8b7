//! The one thread that writes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tutti_journal::Snapshot;

use super::{
    append::{Added, control},
    commits::{self, Tail},
    events, failure,
    high_water::HighWater,
};
use crate::{Commit, Error, EventRetention, Receipt};

/// How many commits may wait for the writer; more callers wait for a place.
const QUEUE: usize = 1024;
/// How many rows one transaction takes, one commit more or less.
const GROUP_ROWS: usize = 1024;
/// How many bytes one transaction takes, one commit more or less.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// After how many bytes (estimated) the log is moved into the database.
const CHECKPOINT_BYTES: usize = 4 * 1024 * 1024;
/// What a transaction writes beyond the bytes of its rows: pages of tables and indexes.
const TRANSACTION_BYTES: usize = 6 * 4096;
/// What a row writes beyond its values.
const ROW_BYTES: usize = 1024;

/// The handle to the writing thread; dropping it waits until the thread has ended.
#[derive(Debug)]
pub(super) struct Writer {
    requests: Option<mpsc::Sender<Request>>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

/// What the writer did since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Commits that were stored.
    pub commits: u64,
    /// Transactions they were stored in; each is one sync.
    pub transactions: u64,
}

#[derive(Debug, Default)]
struct Counters {
    commits: AtomicU64,
    transactions: AtomicU64,
}

#[derive(Debug)]
struct Request {
    work: Work,
    reply: Reply,
}

#[derive(Debug)]
enum Work {
    Commit(Commit),
    DropEvents(EventRetention, usize),
}

/// What came of a request.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Where each event of a commit stands.
    pub(super) receipts: Vec<Receipt>,
    /// How many events were dropped.
    pub(super) dropped: u64,
}

type Reply = oneshot::Sender<Result<Done, Error>>;

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        connection: Connection,
        tail: Tail,
        mark: HighWater,
    ) -> Result<Self, Error> {
        let (requests, receiver) = mpsc::channel(QUEUE);
        let counters = Arc::new(Counters::default());
        let journal = Journal {
            connection,
            tail,
            mark,
            counters: counters.clone(),
            unmoved: 0,
            failed: None,
        };
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || journal.serve(receiver))
            .map_err(|error| Error::Unavailable {
                attempt: "cannot start the writing thread".to_owned(),
                source: Some(error.into()),
            })?;
        Ok(Self { requests: Some(requests), counters, thread: Some(thread) })
    }

    /// Hands a commit to the thread and waits for its end.
    pub(super) async fn commit(&self, commit: Commit) -> Result<Done, Error> {
        self.ask(Work::Commit(commit)).await
    }

    /// Has the thread drop old events; says how many it dropped.
    pub(super) async fn drop_events(
        &self,
        retention: EventRetention,
        limit: usize,
    ) -> Result<u64, Error> {
        self.ask(Work::DropEvents(retention, limit)).await.map(|done| done.dropped)
    }

    async fn ask(&self, work: Work) -> Result<Done, Error> {
        let (reply, answer) = oneshot::channel();
        let gone =
            || Error::Unavailable { attempt: "the store is closed".to_owned(), source: None };
        let requests = self.requests.as_ref().ok_or_else(gone)?;
        requests.send(Request { work, reply }).await.map_err(|_request| gone())?;
        answer.await.unwrap_or_else(|lost| Err(Error::Ambiguous { source: lost.into() }))
    }

    pub(super) fn statistics(&self) -> Statistics {
        Statistics {
            commits: self.counters.commits.load(Ordering::Relaxed),
            transactions: self.counters.transactions.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has nothing more to say: its callers were told that nothing can be told.
            drop(thread.join());
        }
    }
}

/// What the thread owns.
struct Journal {
    connection: Connection,
    tail: Tail,
    mark: HighWater,
    counters: Arc<Counters>,
    /// Bytes written since the log was last moved into the database, estimated.
    unmoved: usize,
    /// Why nothing is written any more.
    failed: Option<String>,
}

/// The answers of a group, told when its transaction has ended.
type Answers = Vec<(Reply, Result<Done, Error>)>;

impl Journal {
    fn serve(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let group = Group::collect(first, &mut requests);
            for (reply, answer) in self.write(group) {
                // Whoever does not wait any more does not need the answer.
                drop(reply.send(answer));
            }
            self.move_log();
        }
    }

    fn write(&mut self, group: Group) -> Answers {
        if let Some(reason) = &self.failed {
            let refused = |request: Request| (request.reply, Err(failed(reason)));
            return group.requests.into_iter().map(refused).collect();
        }
        self.unmoved += group.bytes + TRANSACTION_BYTES;
        let mut answers = Vec::with_capacity(group.requests.len());
        let ended = self.transact(group.requests, &mut answers);
        if let Err(end) = ended {
            self.give_up(&end, &mut answers);
        }
        answers
    }

    /// Writes all requests in one transaction. Each gets its answer; an error here overrides those that were good.
    fn transact(&mut self, requests: Vec<Request>, answers: &mut Answers) -> Result<(), End> {
        let mut end = control(&self.connection, "BEGIN IMMEDIATE").err();
        let mut added = Added::nothing(&self.tail);
        for Request { work, reply } in requests {
            let answer = match end {
                None => perform(&self.connection, &mut added, &work),
                Some(_) => Ok(Done::default()),
            };
            // That SQLite cannot write is not about this commit alone.
            if matches!(answer, Err(Error::Unavailable { .. })) {
                end = answer.err();
                answers.push((reply, Ok(Done::default())));
            } else {
                answers.push((reply, answer));
            }
        }
        match end {
            Some(error) => Err(End::NothingStored(error)),
            None => {
                self.finish(&added, answers.iter().filter(|(_, answer)| answer.is_ok()).count())
            }
        }
    }

    /// Adds the row of the commit, makes everything durable, and writes the mark.
    fn finish(&mut self, added: &Added, commits: usize) -> Result<(), End> {
        if commits == 0 {
            return control(&self.connection, "ROLLBACK").map_err(End::NothingStored);
        }
        let (row, tail) = self.tail.next(&added.digests(), added.totals);
        commits::insert(&self.connection, &row).map_err(End::NothingStored)?;
        control(&self.connection, "COMMIT").map_err(End::of_commit)?;
        self.tail = tail;
        self.mark.write(commits::mark(&tail)).map_err(|error| {
            let attempt = "cannot write the high-water mark".to_owned();
            End::Unknown(Error::Unavailable { attempt, source: Some(error.into()) })
        })?;
        self.counters.commits.fetch_add(commits as u64, Ordering::Relaxed);
        self.counters.transactions.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Undoes a transaction that could not be ended, and says so to those who were to be told otherwise.
    fn give_up(&mut self, end: &End, answers: &mut Answers) {
        let reason = describe(end.error());
        let undone =
            self.connection.is_autocommit() || control(&self.connection, "ROLLBACK").is_ok();
        if !(undone && end.is_harmless()) {
            self.failed = Some(reason.clone());
        }
        for (_, answer) in answers.iter_mut().filter(|(_, answer)| answer.is_ok()) {
            *answer = Err(match end {
                End::NothingStored(_) => failed(&reason),
                End::Unknown(_) => Error::Ambiguous { source: reason.clone().into() },
            });
        }
    }

    /// Moves the log into the database when it has grown. The mark is made durable first: it may lag, never lead.
    fn move_log(&mut self) {
        if self.unmoved < CHECKPOINT_BYTES || self.failed.is_some() {
            return;
        }
        self.unmoved = 0;
        let moved = self.mark.sync().map_err(|error| error.to_string()).and_then(|()| {
            let query = "PRAGMA wal_checkpoint(PASSIVE)";
            self.connection.query_row(query, (), |_| Ok(())).map_err(|error| error.to_string())
        });
        self.failed = moved.err();
    }
}

fn perform(connection: &Connection, added: &mut Added, work: &Work) -> Result<Done, Error> {
    match work {
        Work::Commit(commit) => {
            added.commit(connection, commit).map(|receipts| Done { receipts, dropped: 0 })
        }
        Work::DropEvents(retention, limit) => events::drop_old(connection, *retention, *limit)
            .map(|dropped| Done { receipts: Vec::new(), dropped })
            .map_err(failure::of("cannot drop old events")),
    }
}

/// Why a transaction did not end well.
enum End {
    /// Nothing of it is stored.
    NothingStored(Error),
    /// It cannot be told.
    Unknown(Error),
}

impl End {
    /// SQLite syncs after everything is written, so a lack of space comes before anything is stored.
    fn of_commit(error: Error) -> Self {
        if failure::is_disk_full(&error) {
            Self::NothingStored(error)
        } else {
            Self::Unknown(error)
        }
    }

    fn error(&self) -> &Error {
        let (Self::NothingStored(error) | Self::Unknown(error)) = self;
        error
    }

    /// Whether the store can go on once the transaction is undone.
    fn is_harmless(&self) -> bool {
        matches!(self, Self::NothingStored(error) if failure::is_disk_full(error))
    }
}

/// What one transaction will write.
#[derive(Debug)]
struct Group {
    requests: Vec<Request>,
    rows: usize,
    bytes: usize,
}

impl Group {
    /// Takes `first` and whatever else is ready, up to the bounds; never waits.
    fn collect(first: Request, ready: &mut mpsc::Receiver<Request>) -> Self {
        let mut group = Self { requests: Vec::new(), rows: 0, bytes: 0 };
        group.add(first);
        while group.rows < GROUP_ROWS && group.bytes < GROUP_BYTES {
            let Ok(request) = ready.try_recv() else { break };
            group.add(request);
        }
        group
    }

    fn add(&mut self, request: Request) {
        let Work::Commit(Commit { definitions, turns, events, records, audit }) = &request.work
        else {
            self.requests.push(request);
            return;
        };
        self.rows += turns.len() + definitions.len() + events.len() + records.len() + audit.len();
        let values = records.iter().filter_map(|change| change.value.as_ref()).map(Vec::len);
        let facts = audit.iter().map(|fact| fact.bytes.len());
        self.bytes += values.chain(facts).map(|bytes| ROW_BYTES + bytes).sum::<usize>();
        self.bytes += events.iter().map(|event| ROW_BYTES + event.bytes.len()).sum::<usize>();
        self.bytes += definitions.iter().map(|definition| definition.text.len()).sum::<usize>();
        for turn in turns {
            let values = turn.row.values.as_ref().map_or(0, |values| values.bytes.len());
            let blobs: usize = turn.blobs.iter().map(|blob| blob.bytes.len()).sum();
            let snapshot = turn.snapshot.as_ref().map_or(0, Snapshot::size);
            self.bytes += ROW_BYTES + turn.row.structure.len() + values + blobs + snapshot;
        }
        self.requests.push(request);
    }
}

fn failed(reason: &str) -> Error {
    Error::Unavailable { attempt: format!("the store failed: {reason}"), source: None }
}

/// An error with all its causes in one line.
fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
