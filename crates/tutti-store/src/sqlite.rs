//! The default store: one SQLite database in one data directory, used by one process.
//!
//! The database is in WAL mode and every transaction is synced before it is acknowledged. One thread writes: it takes
//! whatever commits are ready when it is free, so many of them share one transaction and one sync. A small pool of
//! threads reads. Start reading at [`SqliteStore::open`], then `writer` for what a commit does and `read` for what a
//! read checks.

mod append;
mod checksum;
mod columns;
mod commits;
mod directory;
mod failure;
mod high_water;
mod read;
mod readers;
mod rows;
mod schema;
mod snapshots;
mod verify;
mod writer;

use std::path::Path;

use tutti_ids::{Digest, ExecutionId};

pub use self::{verify::VerifyReport, writer::Statistics};

use self::{directory::Directory, high_water::HighWater, readers::Readers, writer::Writer};
use crate::{BoxFuture, Commit, DefinitionText, Error, History, OpenExecution, Store, check};

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
    writer: Writer,
    _directory: Directory,
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
        let readers = Readers::start(&directory.database(), READERS)?;
        let writer = Writer::start(connection, tail, mark)?;
        Ok(Self { readers, writer, _directory: directory })
    }

    /// What the writer did since the store was opened.
    pub fn statistics(&self) -> Statistics {
        self.writer.statistics()
    }

    /// Checks everything that is stored: SQLite's own structure, every journal, the chain of commits, blobs,
    /// definitions and projections. Takes time in proportion to the size of the store; commits go on meanwhile.
    ///
    /// # Errors
    /// The first damage found.
    pub fn verify(&self) -> BoxFuture<'_, Result<VerifyReport, Error>> {
        Box::pin(self.readers.read(verify::everything))
    }
}

impl Store for SqliteStore {
    /// # Cancel safety
    /// A future that is dropped after its first poll may still commit.
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            check::commit(&commit)?;
            self.writer.commit(commit).await
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
}
