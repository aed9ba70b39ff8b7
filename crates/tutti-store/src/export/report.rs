//! What an export holds.

use tutti_ids::{Digest, ExecutionId, Sequence};

use super::Scope;
use crate::{Erasure, StoredAudit};

/// How many erased rows a report lists.
pub(crate) const LISTED: usize = 1000;

/// What an export was found to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The version of the product that made it.
    pub product: String,
    /// Which executions it is about.
    pub scope: Scope,
    /// The number of the commit before the first one it holds; 0 where it holds all.
    pub from: i64,
    /// The number of the last commit.
    pub commit: i64,
    /// The head of the chain of commits: the one digest that everything else follows from.
    pub head: Digest,
    /// How many lines of each kind.
    pub counts: Counts,
    /// Rows whose values were erased, in order; at most 1,000, `counts` has them all.
    pub erased: Vec<ErasedRow>,
    /// Who erased them, when and why; at most 1,000.
    pub erasures: Vec<Erasure>,
    /// What the audit trail says, in order; at most 1,000.
    pub audit: Vec<StoredAudit>,
}

/// How much there is of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Definitions.
    pub definitions: u64,
    /// Executions.
    pub executions: u64,
    /// Rows, one for each turn.
    pub rows: u64,
    /// Entries in those rows.
    pub entries: u64,
    /// Rows whose values were erased.
    pub erased: u64,
    /// Blobs.
    pub blobs: u64,
    /// Erasures that are recorded.
    pub erasures: u64,
    /// Facts of the audit trail.
    pub audit: u64,
    /// Commits.
    pub commits: u64,
}

/// A row whose values were erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasedRow {
    /// The execution.
    pub execution: ExecutionId,
    /// Its first entry.
    pub first: Sequence,
    /// How many entries.
    pub count: u32,
}
