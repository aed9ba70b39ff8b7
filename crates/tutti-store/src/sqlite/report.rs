//! What a check of everything found: how much there is, and each thing that does not hold.

use std::fmt;

use tutti_ids::{ExecutionId, Sequence};

use crate::{Error, check};

/// How many damages are listed; more are counted.
pub(super) const LISTED: usize = 1000;

/// What is stored, and what of it does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What was read and found whole.
    pub counts: VerifyReport,
    /// What does not hold, in the order in which it was found; at most 1,000.
    pub damages: Vec<FoundDamage>,
    /// How many more were found than are listed.
    pub unlisted: u64,
}

/// What was checked and found whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VerifyReport {
    /// Executions, each with its whole journal.
    pub executions: u64,
    /// Entries of their journals.
    pub entries: u64,
    /// Rows of their journals.
    pub rows: u64,
    /// Rows whose values were erased lawfully.
    pub erased: u64,
    /// Commits.
    pub commits: u64,
    /// Blobs.
    pub blobs: u64,
    /// Definitions.
    pub definitions: u64,
    /// Snapshots.
    pub snapshots: u64,
    /// Events of the log.
    pub events: u64,
    /// Records.
    pub records: u64,
    /// Facts of the audit trail.
    pub audit: u64,
}

/// Something stored that was altered or lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDamage {
    /// Where.
    pub place: Place,
    /// The execution it is about, where it is about one.
    pub execution: Option<ExecutionId>,
    /// The first entry of the row that does not hold, where it is one.
    pub entry: Option<Sequence>,
    /// What does not hold.
    pub what: String,
}

/// A part of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The files, as SQLite sees them.
    Database,
    /// What the database says about itself, and its tables.
    Meta,
    /// The last commits, held against the high-water mark.
    HighWater,
    /// The chain of commits.
    Commits,
    /// The journals.
    Journal,
    /// How executions stand.
    Executions,
    /// Published definitions.
    Definitions,
    /// Large values.
    Blobs,
    /// Where executions stood, so that their journals need not be read from the start.
    Snapshots,
    /// The log of events.
    Events,
    /// What is kept beside the journals.
    Records,
    /// The audit trail.
    Audit,
    /// The keys that seal, which belong to whoever opens the store.
    Keys,
}

impl Place {
    /// The word for it, as reports have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Meta => "meta",
            Self::HighWater => "high-water",
            Self::Commits => "commits",
            Self::Journal => "journal",
            Self::Executions => "executions",
            Self::Definitions => "definitions",
            Self::Blobs => "blobs",
            Self::Snapshots => "snapshots",
            Self::Events => "events",
            Self::Records => "records",
            Self::Audit => "audit",
            Self::Keys => "keys",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Report {
    /// Whether nothing is damaged.
    pub fn is_whole(&self) -> bool {
        self.damages.is_empty()
    }

    /// Of a store of which nothing can be read, because of damage.
    pub(super) fn of_unreadable(error: Error) -> Result<Self, Error> {
        let mut report = Self::default();
        report.note::<()>(Place::Database, None, Err(error))?;
        Ok(report)
    }

    /// The counts, or the first damage.
    pub(super) fn whole(self) -> Result<VerifyReport, Error> {
        match self.damages.into_iter().next() {
            Some(first) => Err(check::corrupt(first.what)),
            None => Ok(self.counts),
        }
    }

    /// Takes down the damage that `result` says there is.
    ///
    /// # Errors
    /// If the store could not be read for another reason: that says nothing about what is stored.
    pub(super) fn note<T>(
        &mut self,
        place: Place,
        execution: Option<ExecutionId>,
        result: Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let damage = match result {
            Ok(value) => return Ok(Some(value)),
            Err(Error::Damaged(damage)) => FoundDamage {
                place: Place::Journal,
                execution: Some(damage.execution),
                entry: Some(damage.first),
                what: damage.to_string(),
            },
            Err(Error::Corrupt { what }) => FoundDamage { place, execution, entry: None, what },
            Err(other) => return Err(other),
        };
        if self.damages.len() < LISTED {
            self.damages.push(damage);
        } else {
            self.unlisted += 1;
        }
        Ok(None)
    }
}
