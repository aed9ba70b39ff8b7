//! One storage port, with memory and SQLite behind it and one contract suite for all.
//!
//! The store knows the journal, not the engine or the language: definitions are text and a digest to it.
//! **Invariant:** a commit is whole or not at all; no read returns altered data unreported.

mod port;

pub use port::{
    BoxFuture, Commit, DefinitionText, Error, History, OpenExecution, Projection, Status, Store,
    StoredTurn,
};
