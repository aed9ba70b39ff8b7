//! The high-water mark: beside the database, how far the commits went that were acknowledged.
//!
//! A database that lost its end is still a good database to SQLite. The mark is written after each commit and before its
//! acknowledgement, unsynced: it survives the death of the process at once and the loss of power after the next
//! checkpoint, where it is synced. It may lag behind the database, never run ahead of it.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
};

use tutti_ids::Digest;

use super::checksum::Checksum;
use crate::{Error, check};

const MAGIC: &[u8; 8] = b"tuttihw1";
const LENGTH: usize = 8 + 8 + 32 + 16;

/// The file.
#[derive(Debug)]
pub(super) struct HighWater {
    file: File,
}

/// A commit that was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// The number of the commit.
    pub(super) number: i64,
    /// The head of the chain of commits after it.
    pub(super) head: Digest,
}

impl HighWater {
    /// Opens the file, which is made if it is missing.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let file = File::options().create(true).truncate(false).read(true).write(true).open(path);
        file.map(Self::of).map_err(|error| unavailable("open", error))
    }

    /// Opens the file for reading only; none if it is missing.
    pub(super) fn look(path: &Path) -> Result<Option<Self>, Error> {
        match File::open(path) {
            Ok(file) => Ok(Some(Self::of(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unavailable("open", error)),
        }
    }

    /// The mark in an open file.
    pub(super) fn of(file: File) -> Self {
        Self { file }
    }

    /// The mark; none if nothing was written since the directory was made, or nothing of it outlived a loss of power.
    pub(super) fn read(&self) -> Result<Option<Mark>, Error> {
        let mut bytes = Vec::new();
        (&self.file)
            .take(LENGTH as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| unavailable("read", error))?;
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        parse(&bytes).map(Some).ok_or_else(|| check::corrupt("the high-water mark was altered"))
    }

    /// Writes the mark, unsynced.
    pub(super) fn write(&mut self, mark: Mark) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(&format(mark))
    }

    /// Makes the mark durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn format(mark: Mark) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(mark.number.to_be_bytes());
    bytes.extend(mark.head.0);
    bytes.extend(checksum(mark));
    bytes
}

fn parse(bytes: &[u8]) -> Option<Mark> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let (head, rest) = rest.split_first_chunk::<32>()?;
    let mark = Mark { number: i64::from_be_bytes(*number), head: Digest(*head) };
    (rest == checksum(mark)).then_some(mark)
}

fn checksum(mark: Mark) -> [u8; 16] {
    Checksum::of("high-water").integer(mark.number).bytes(&mark.head.0).finish()
}

fn unavailable(what: &str, source: io::Error) -> Error {
    Error::Unavailable {
        attempt: format!("cannot {what} the high-water mark"),
        source: Some(source.into()),
    }
}
