//! The default store: one SQLite database in one data directory, used by one process.
//!
//! The database is in WAL mode and every transaction is synced before it is acknowledged. One thread writes: it takes
//! whatever commits are ready when it is free, so many of them share one transaction and one sync. A small pool of
//! threads reads. Start reading at [`SqliteStore::open`], then `writer` for what a commit does and `read` for what a
//! read checks.

mod append;
mod audits;
mod checksum;
mod columns;
mod commits;
mod directory;
mod erasing;
mod erasures;
mod events;
mod exporting;
mod failure;
mod high_water;
mod keys;
mod lists;
mod read;
mod readers;
mod records;
mod report;
mod rows;
mod schema;
mod scrubbing;
mod snapshots;
mod verify;
mod writer;

use std::{io::Write, path::Path};

use tutti_ids::{Digest, ExecutionId};
use tutti_journal::{EventPosition, Sealer};

pub use self::{
    report::{FoundDamage, Place, Report, VerifyReport},
    writer::Statistics,
};

use self::{
    directory::Directory,
    high_water::{HighWater, Mark},
    readers::Readers,
    writer::Writer,
};
use crate::{
    BoxFuture, ChainHead, Commit, DefinitionText, EraseRequest, Erased, Error, EventRetention,
    ExecutionQuery, History, Listed, LoggedEvent, Lookup, NewEvent, OpenExecution, Receipt, Record,
    RecordId, RecordRange, Store, StoredAudit, check, export,
};

/// How many threads read.
const READERS: usize = 2;

/// Keeps journals and definitions in a SQLite database.
///
/// Its futures need no particular runtime. Dropping the store ends its threads after the commits already asked for.
///
/// When SQLite cannot write (the disk fails, a sync fails), the commits under way end with [`Error::Ambiguous`] and the
/// store stays failed: every later commit ends with [`Error::Unavailable`], because a sync that failed once proves
/// nothing when it is repeated. Whether the process then ends is its caller's choice; opening again tells what is stored.
/// A full disk is different: what was under way is known not to be stored, and the store goes on.
#[derive(Debug)]
pub struct SqliteStore {
    // Dropped in this order: readers, the writer, and the lock on the directory last.
    readers: Readers,
    writing: Writing,
    directory: Directory,
}

/// Whether commits are taken.
#[derive(Debug)]
enum Writing {
    Taken(Writer),
    Refused,
}

impl SqliteStore {
    /// Opens the store in `directory`, which is made if it is missing. Blocks while it does.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if another process uses the directory, a newer version wrote it or it cannot be read or
    /// written; [`Error::Corrupt`] or [`Error::Damaged`] if the end of the journal is not what was acknowledged.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        schema::check_library()?;
        let directory = Directory::lock(directory)?;
        let mark = HighWater::open(&directory.high_water())?;
        let (connection, tail) = schema::open(&directory, mark.read()?)?;
        scrubbing::make_up(&connection)?;
        let readers = Readers::start(&directory.database(), READERS)?;
        let writer = Writer::start(connection, tail, mark)?;
        Ok(Self { readers, writing: Writing::Taken(writer), directory })
    }

    /// Opens the store in `directory` to look into it: nothing is made, repaired or written, and every commit is
    /// refused. Each read gives what was written or says that it is damaged, so what is whole can be read from a store
    /// that [`SqliteStore::open`] refuses. Blocks while it opens.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if there is no store, or another process uses it.
    pub fn open_read_only(directory: &Path) -> Result<Self, Error> {
        schema::check_library()?;
        let directory = Directory::lock_existing(directory)?;
        let readers = Readers::start(&directory.database(), READERS)?;
        Ok(Self { readers, writing: Writing::Refused, directory })
    }

    /// Whether a process uses the store in `directory` now; false where there is none. Does not wait.
    pub fn is_in_use(directory: &Path) -> bool {
        Directory::is_locked(directory)
    }

    fn writer(&self) -> Result<&Writer, Error> {
        match &self.writing {
            Writing::Taken(writer) => Ok(writer),
            Writing::Refused => Err(Error::Unavailable {
                attempt: "the store is open for reading only: it takes no commits".to_owned(),
                source: None,
            }),
        }
    }

    /// What the writer did since the store was opened.
    pub fn statistics(&self) -> Statistics {
        match &self.writing {
            Writing::Taken(writer) => writer.statistics(),
            Writing::Refused => Statistics { commits: 0, transactions: 0 },
        }
    }

    /// Checks everything that is stored: SQLite's own structure, every journal, the chain of commits, blobs,
    /// definitions and projections. Takes time in proportion to the size of the store; commits go on meanwhile.
    ///
    /// # Errors
    /// The first damage found.
    pub fn verify(&self) -> BoxFuture<'_, Result<VerifyReport, Error>> {
        let report = self.readers.read(|connection| verify::everything(connection, None));
        Box::pin(async move { report.await?.whole() })
    }

    /// Checks everything as [`SqliteStore::verify`] does, also that nothing that was acknowledged is missing at the end,
    /// and lists all that does not hold.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store cannot be read for another reason than damage.
    pub fn inspect(&self) -> BoxFuture<'_, Result<Report, Error>> {
        Box::pin(async move {
            // Before the commits are read: the mark may lag behind them, never lead.
            let mark = self.mark();
            let whole = mark.as_ref().ok().copied().flatten();
            let report =
                self.readers.read(move |connection| verify::everything(connection, whole)).await;
            let mut report = report.or_else(Report::of_unreadable)?;
            report.note(Place::HighWater, None, mark)?;
            Ok(report)
        })
    }

    fn mark(&self) -> Result<Option<Mark>, Error> {
        match HighWater::look(&self.directory.high_water())? {
            Some(file) => file.read(),
            None => Ok(None),
        }
    }

    /// Erases the values of an execution that has ended, and of all that it started, in the store in `directory`: of rows,
    /// with their salts, blobs that nothing else refers to, and snapshots. Journals still verify, without values, and the
    /// chain of commits says who erased, when and why. What the events said that the executions consumed or emitted is
    /// erased from the log of events as well, unless an execution that goes on may still receive them; which events were
    /// received stays known. `sealer` opens what came from a secret, to find what was emitted. Nobody else may use the store, which is written anew, in time and
    /// memory in proportion to its size, so that no file holds what was erased. Blocks.
    ///
    /// Asked again, it does the last part again: where it was interrupted, that ends it.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::NotEnded`], and what [`SqliteStore::open`] refuses.
    pub fn erase(
        directory: &Path,
        request: &EraseRequest,
        sealer: &dyn Sealer,
    ) -> Result<Erased, Error> {
        erasing::erase(directory, request, sealer)
    }

    /// Checks that nothing that was acknowledged is missing at the end, as [`SqliteStore::open`] does.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or [`Error::Damaged`] if the end of the journal is not what was acknowledged.
    pub fn check_end(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let mark = self.mark()?;
            let check = move |connection: &_| commits::check_tail(connection, mark).map(|_tail| ());
            self.readers.read(check).await
        })
    }

    /// Writes an export to `sink`, as of one moment and read row by row; all that is written was checked before, also that
    /// nothing that was acknowledged is missing at the end. Gives how much there is of what.
    ///
    /// # Errors
    /// What is damaged, an execution that is not there, or a `sink` that does not take the bytes.
    pub fn export(
        &self,
        request: export::ExportRequest,
        mut sink: Box<dyn Write + Send>,
    ) -> BoxFuture<'_, Result<export::Report, Error>> {
        Box::pin(async move {
            // Before the commits are read: the mark may lag behind them, never lead.
            let mark = self.mark()?;
            let write = move |connection: &_| {
                commits::check_tail(connection, mark)?;
                exporting::write(connection, &request, &mut *sink)
            };
            self.readers.read(write).await
        })
    }
}

impl Store for SqliteStore {
    /// # Cancel safety
    /// A future that is dropped after its first poll may still commit.
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            check::commit(&commit)?;
            self.writer()?.commit(commit).await.map(|_done| ())
        })
    }

    fn load(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        Box::pin(self.readers.read(move |connection| read::history(connection, execution)))
    }

    fn load_tail(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        Box::pin(self.readers.read(move |connection| read::tail(connection, execution)))
    }

    fn open_executions(
        &self,
        after: Option<ExecutionId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<OpenExecution>, Error>> {
        let read = move |connection: &_| read::open_executions(connection, after, limit);
        Box::pin(self.readers.read(read))
    }

    fn definition(&self, digest: Digest) -> BoxFuture<'_, Result<Option<DefinitionText>, Error>> {
        Box::pin(self.readers.read(move |connection| read::definition(connection, digest)))
    }

    fn publish(&self, events: Vec<NewEvent>) -> BoxFuture<'_, Result<Vec<Receipt>, Error>> {
        Box::pin(async move {
            let commit = Commit { events, ..Commit::default() };
            self.writer()?.commit(commit).await.map(|done| done.receipts)
        })
    }

    fn events_after(
        &self,
        after: EventPosition,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<LoggedEvent>, Error>> {
        Box::pin(self.readers.read(move |connection| events::after(connection, after, limit)))
    }

    fn last_event_position(&self) -> BoxFuture<'_, Result<EventPosition, Error>> {
        let fail = failure::of("cannot find the end of the log of events");
        Box::pin(self.readers.read(move |connection| events::last(connection).map_err(fail)))
    }

    fn drop_events(
        &self,
        retention: EventRetention,
        limit: usize,
    ) -> BoxFuture<'_, Result<u64, Error>> {
        Box::pin(async move { self.writer()?.drop_events(retention, limit).await })
    }
}

impl Lookup for SqliteStore {
    fn record(&self, id: RecordId) -> BoxFuture<'_, Result<Option<Vec<u8>>, Error>> {
        Box::pin(self.readers.read(move |connection| records::find(connection, &id)))
    }

    fn records(&self, range: RecordRange) -> BoxFuture<'_, Result<Vec<Record>, Error>> {
        Box::pin(self.readers.read(move |connection| records::page(connection, &range)))
    }

    fn executions(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<Listed>, Error>> {
        Box::pin(self.readers.read(move |connection| lists::executions(connection, &query)))
    }

    fn standing(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<Listed>, Error>> {
        Box::pin(self.readers.read(move |connection| lists::standing(connection, execution)))
    }

    fn audit_after(
        &self,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredAudit>, Error>> {
        Box::pin(self.readers.read(move |connection| audits::after(connection, after, limit)))
    }

    fn open_count(&self) -> BoxFuture<'_, Result<u64, Error>> {
        let count = |connection: &_| commits::totals(connection).map(|totals| totals.open);
        Box::pin(async move { Ok(u64::try_from(self.readers.read(count).await?).unwrap_or(0)) })
    }

    fn head(&self) -> BoxFuture<'_, Result<ChainHead, Error>> {
        Box::pin(self.readers.read(|connection| {
            let tail = commits::last(connection)?;
            Ok(ChainHead { number: tail.number, head: tail.head })
        }))
    }
}
