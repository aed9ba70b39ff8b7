//! Exports: journals as a file that anybody can check, without the store and without its keys.
//!
//! An export is text: one JSON object a line, each in the one form it can have, each closed by a digest that covers it and
//! all lines before. Within, everything that the store's own chains cover stands as it is stored: rows with their salted
//! values, the chain of every journal, the chain of commits. What came from a secret stays sealed. `docs/reference/export.md`
//! says it byte by byte.
//!
//! Start reading at [`Record`], then [`verify`]. Nothing here must ever need a key or open a seal.

mod closing;
mod flaw;
mod lines;
mod record;
mod report;
mod trial;
mod verifier;

use tutti_ids::ExecutionId;
use tutti_journal::Timestamp;

pub use self::{
    flaw::{Flaw, Unverified},
    lines::LineWriter,
    record::{CommitRecord, ExecutionRecord, Header, Record, RowRecord},
    report::{Counts, ErasedRow, Report},
    verifier::{KnownHead, verify, verify_against},
};

/// What is exported, and what the header says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRequest {
    /// Which executions.
    pub scope: Scope,
    /// The version of the product.
    pub product: String,
    /// When it is made.
    pub at: Timestamp,
}

/// Which executions an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of the store.
    All,
    /// One, and all that it started.
    Execution(ExecutionId),
}
