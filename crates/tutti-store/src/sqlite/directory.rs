//! The data directory: where its files are, and the lock that keeps other processes out.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::Error;

/// A data directory that is locked for this process until it is dropped.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes the directory if it is missing and locks it.
    pub(super) fn lock(path: &Path) -> Result<Self, Error> {
        let fail = |source: io::Error| unusable(path, source);
        make(path).map_err(fail)?;
        Self::locked(path)
    }

    /// Locks a directory in which there is a store, or what is left of one.
    pub(super) fn lock_existing(path: &Path) -> Result<Self, Error> {
        let is_store = ["journal.sqlite", "high-water"].iter().any(|it| path.join(it).is_file());
        if !is_store {
            let attempt = format!("there is no store in {}", path.display());
            return Err(Error::Unavailable { attempt, source: None });
        }
        Self::locked(path)
    }

    fn locked(path: &Path) -> Result<Self, Error> {
        let fail = |source: io::Error| unusable(path, source);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(fail)?;
        match patiently(&lock) {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::Unavailable {
                attempt: format!(
                    "the data directory {} is in use by another process",
                    path.display()
                ),
                source: None,
            }),
            Err(TryLockError::Error(error)) => Err(fail(error)),
        }
    }

    /// Whether somebody has locked a directory.
    pub(super) fn is_locked(path: &Path) -> bool {
        let lock = File::options().write(true).open(path.join("lock"));
        lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// The database.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join("journal.sqlite")
    }

    /// What was written and not yet moved into the database.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("journal.sqlite-wal")
    }

    /// The high-water mark.
    pub(super) fn high_water(&self) -> PathBuf {
        self.path.join("high-water")
    }

    /// Makes sure that the files of the directory are found again after a loss of power.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(self.database())?.sync_all()?;
        sync_directory(&self.path)
    }
}

fn unusable(path: &Path, source: io::Error) -> Error {
    Error::Unavailable {
        attempt: format!("cannot use the data directory {}", path.display()),
        source: Some(source.into()),
    }
}

/// How long a process that was killed may take to let go of its lock.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);

/// Takes the lock. A process killed a moment ago holds it until the system has taken it apart, so its successor, which may
/// be started at once, waits a little.
fn patiently(lock: &File) -> Result<(), TryLockError> {
    let begun = Instant::now();
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => thread::sleep(PAUSE),
            ended => return ended,
        }
    }
}

/// Makes a directory that only its owner may read, and every directory above it that is missing.
fn make(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        fs::create_dir_all(parent)?;
    }
    private_directory().create(path)?;
    sync_directory(parent.unwrap_or(Path::new(".")))
}

#[cfg(unix)]
fn private_directory() -> fs::DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = fs::DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(not(unix))]
fn private_directory() -> fs::DirBuilder {
    fs::DirBuilder::new()
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Directories cannot be opened as files here, and their entries are durable with the files.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
