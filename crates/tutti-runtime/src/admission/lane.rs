//! What executions pass one after another.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tutti_dsl::Priority;
use tutti_ids::{ExecutionId, Name};
use tutti_journal::Timestamp;

/// The executions of a workflow, of all its versions, that are limited together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoomLane {
    /// The workflow's namespace.
    pub namespace: Name,
    /// The workflow.
    pub workflow: Name,
    /// What `concurrency.by` gave, as JSON; none where all of the workflow count together.
    pub group: Option<Arc<str>>,
}

/// The executions of a workflow, of all its versions, under one business key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyLane {
    /// The workflow's namespace.
    pub namespace: Name,
    /// The workflow.
    pub workflow: Name,
    /// The key.
    pub key: Arc<str>,
}

/// Whose turn it is: by priority, then by arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    priority: Reverse<Priority>,
    arrival: u64,
    pub(super) execution: ExecutionId,
}

impl Ticket {
    pub(super) fn new(priority: Priority, arrival: u64, execution: ExecutionId) -> Self {
        Self { priority: Reverse(priority), arrival, execution }
    }

    pub(super) fn arrived_before(&self, other: &Self) -> bool {
        self.arrival < other.arrival
    }
}

/// Who has passed a lane and not ended, and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) inside: BTreeSet<ExecutionId>,
    pub(super) waiting: BTreeSet<Ticket>,
    /// When the last of those inside ended.
    pub(super) ended: Option<Timestamp>,
}

impl Lane {
    pub(super) fn first(&self) -> Option<Ticket> {
        self.waiting.first().copied()
    }

    /// From 1.
    pub(super) fn place(&self, ticket: &Ticket) -> usize {
        self.waiting.range(..ticket).count() + 1
    }

    fn is_empty(&self) -> bool {
        self.inside.is_empty() && self.waiting.is_empty()
    }
}

/// Lanes by name; one that nobody is in or waits for takes no memory.
#[derive(Debug)]
pub(super) struct Lanes<K>(BTreeMap<K, Lane>);

impl<K> Default for Lanes<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone> Lanes<K> {
    pub(super) fn get(&self, key: &K) -> Option<&Lane> {
        self.0.get(key)
    }

    pub(super) fn entry(&mut self, key: &K) -> &mut Lane {
        self.0.entry(key.clone()).or_default()
    }

    pub(super) fn tidy(&mut self, key: &K) {
        if self.0.get(key).is_some_and(Lane::is_empty) {
            self.0.remove(key);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
