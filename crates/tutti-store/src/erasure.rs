//! What an erasure leaves behind: the fact that it happened, chained with the commits.

use sha2::{Digest as _, Sha256};
use tutti_ids::{Digest, ExecutionId};
use tutti_journal::Timestamp;

/// Asks to erase what an execution worked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseRequest {
    /// The execution; all that it started goes with it.
    pub execution: ExecutionId,
    /// When.
    pub at: Timestamp,
    /// Who asks.
    pub by: String,
    /// Why; stays readable.
    pub reason: String,
}

/// That the values of an execution were erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The execution.
    pub execution: ExecutionId,
    /// The number of the commit that erased them.
    pub commit: i64,
    /// When.
    pub at: Timestamp,
    /// Who asked.
    pub by: String,
    /// Why.
    pub reason: String,
    /// How many rows lost their values: all that the execution had.
    pub rows: u64,
}

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Erased {
    /// The executions that had values and have none now.
    pub executions: Vec<ExecutionId>,
    /// How many rows lost their values.
    pub rows: u64,
    /// How many blobs went, because nothing else refers to them.
    pub blobs: u64,
    /// How many events of the log lost what they said: those that the executions consumed or emitted.
    pub events: u64,
    /// How many such events stay as they are, because an execution that goes on may still receive them.
    pub kept_events: u64,
}

impl Erasure {
    /// What the digest of its commit is made of.
    pub(crate) fn digest(&self) -> Digest {
        let mut hash = Sha256::new()
            .chain_update(b"tutti erasure 1\0")
            .chain_update(self.execution.to_bits().to_be_bytes())
            .chain_update(self.at.0.to_be_bytes())
            .chain_update(self.rows.to_be_bytes());
        for text in [&self.by, &self.reason] {
            hash = hash.chain_update((text.len() as u64).to_be_bytes()).chain_update(text);
        }
        Digest(hash.finalize().into())
    }
}
