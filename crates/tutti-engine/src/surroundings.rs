//! Everything outside an execution that a decision may look at.

use std::cell::Cell;

use tutti_expr::Value;
use tutti_ids::{DefinitionRef, Digest};
use tutti_journal::Timestamp;

/// Everything outside the execution that a decision may look at.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The turn's time.
    pub now: Timestamp,
    /// Where secrets come from.
    pub secrets: &'a dyn Secrets,
    /// Which workflows can be started as children.
    pub definitions: &'a dyn Definitions,
    /// How many calls may leave at once in this turn; the others wait for [`Input::SlotGranted`](crate::Input).
    pub free_slots: usize,
    /// The limits in force.
    pub limits: Limits,
}

/// What a turn looks at while it is decided, and what its expressions used of it.
#[derive(Debug)]
pub(crate) struct Outlook<'a> {
    surroundings: &'a Surroundings<'a>,
    /// Ticks its expressions used so far.
    pub(crate) ticks: Cell<u64>,
}

impl<'a> Outlook<'a> {
    pub(crate) fn new(surroundings: &'a Surroundings<'a>) -> Self {
        Self { surroundings, ticks: Cell::new(0) }
    }
}

impl<'a> std::ops::Deref for Outlook<'a> {
    type Target = Surroundings<'a>;

    fn deref(&self) -> &Surroundings<'a> {
        self.surroundings
    }
}

/// Gives the values of secrets.
pub trait Secrets: std::fmt::Debug {
    /// The secret's value, if there is one of that name for the executions of the namespace.
    fn secret(&self, namespace: &str, name: &str) -> Option<Value>;
}

/// Finds published workflows.
pub trait Definitions: std::fmt::Debug {
    /// The workflow of that name; version `latest` is the highest release.
    fn find(&self, namespace: &str, name: &str, version: &str) -> Option<(DefinitionRef, Digest)>;
}

/// The limits of executions: those a decision keeps, and how often their state is saved.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Decisions in one turn before it yields.
    pub tasks_per_turn: usize,
    /// Ticks of expressions in one turn before it yields; the decision that passes it is finished.
    pub ticks_per_turn: u64,
    /// Bytes of values recorded in one turn before it yields; the decision that passes it is finished.
    pub bytes_per_turn: u64,
    /// Entries of one journal before only a person lets it go on, as many again for each grant.
    pub journal_entries: u64,
    /// Entries after which a snapshot is taken.
    pub snapshot_entries: u64,
    /// Encoded bytes of a journal after which a snapshot is taken.
    pub snapshot_bytes: u64,
    /// Branches of a fork.
    pub fork_width: usize,
    /// Iterations of a `for` and items of an `each`.
    pub iterations: usize,
    /// Events one `listen` keeps.
    pub events_per_listen: usize,
    /// Children below each other.
    pub child_depth: u32,
    /// Size of a task's input or output in bytes.
    pub value_bytes: usize,
    /// Retries where the document sets no limit.
    pub retries: u64,
    /// The longest delay before a retry, in milliseconds.
    pub retry_delay_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tasks_per_turn: 1_000,
            ticks_per_turn: 200_000,
            bytes_per_turn: 4 * 1024 * 1024,
            journal_entries: 1_000_000,
            snapshot_entries: 50_000,
            snapshot_bytes: 64 * 1024 * 1024,
            fork_width: 1_000,
            iterations: 100_000,
            events_per_listen: 10_000,
            child_depth: 16,
            value_bytes: 8 * 1024 * 1024,
            retries: 100,
            retry_delay_ms: 3_600_000,
        }
    }
}
