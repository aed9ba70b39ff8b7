//! What does not hold in an export, and where.

use std::{fmt, io};

/// The first thing in an export that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, byte {offset}: {what}")]
pub struct Flaw {
    /// The line, counted from 1.
    pub line: u64,
    /// The byte in the file, counted from 0: the altered one, where one was; else the first of the line.
    pub offset: u64,
    /// What does not hold.
    pub what: String,
}

/// Why an export was not found whole.
#[derive(Debug, thiserror::Error)]
pub enum Unverified {
    /// It is not what was written.
    #[error(transparent)]
    Flaw(#[from] Flaw),
    /// It cannot be read to its end.
    #[error("cannot read the export")]
    Unreadable(#[from] io::Error),
}

/// What does not hold within one line.
#[derive(Debug)]
pub(super) struct Wrong {
    /// The byte of the line.
    pub(super) at: usize,
    pub(super) what: String,
}

impl Wrong {
    /// The line as a whole.
    pub(super) fn line(what: impl Into<String>) -> Self {
        Self { at: 0, what: what.into() }
    }

    /// A field of a line.
    pub(super) fn field(name: &str) -> Self {
        Self::line(format!("`{name}` is missing or is not what it must be"))
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}
