//! One storage port, with memory and SQLite behind it and one contract suite for all.
//!
//! The store knows the journal, not the engine or the language: definitions are text and a digest to it.
//! **Invariant:** a commit is whole or not at all; no read returns altered data unreported.
//!
//! Start reading at [`Store`] and [`Lookup`], then [`SqliteStore`]; [`contract`] says what every implementation must do, and
//! [`FaultyStore`] makes any of them fail when told to.

mod audit;
mod check;
mod commit_chain;
pub mod contract;
mod erasure;
mod event;
pub mod export;
mod faulty;
mod lookup;
mod memory;
mod port;
mod record;
mod sqlite;

pub use audit::{AuditFact, StoredAudit};
pub use erasure::{EraseRequest, Erased, Erasure};
pub use event::{LoggedEvent, NewEvent, Receipt, event_key};
pub use faulty::{Fault, FaultyStore, Operation, OperationKind};
pub use lookup::{ChainHead, ExecutionQuery, Listed, Lookup};
pub use memory::MemoryStore;
pub use port::{
    BoxFuture, Commit, DefinitionText, Error, EventRetention, History, OpenExecution, Projection,
    Status, Store, StoredTurn,
};
pub use record::{Expected, Record, RecordChange, RecordId, RecordKind, RecordRange};
pub use sqlite::{FoundDamage, Place, Report, SqliteStore, Statistics, VerifyReport};
