//! A store that fails when told to: for simulation and for failing the n-th operation.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tutti_ids::{Digest, ExecutionId};
use tutti_journal::EventPosition;

use crate::{
    BoxFuture, Commit, DefinitionText, Error, EventRetention, History, LoggedEvent, NewEvent,
    OpenExecution, Receipt, Store,
};

/// Wraps a store and makes its operations fail by plan.
///
/// The plan is asked once per operation, in the order in which they are begun. After a crash every operation fails until
/// [`FaultyStore::restart`], as if the process had gone and come back on the same data.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    state: Mutex<State>,
}

struct State {
    plan: Box<dyn FnMut(Operation) -> Option<Fault> + Send>,
    begun: u64,
    crashed: bool,
}

/// An operation that is about to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// How many operations the store was asked for, this one included, crashed ones not.
    pub number: u64,
    /// What is asked for.
    pub kind: OperationKind,
}

/// What a store can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// [`Store::commit`]
    Commit,
    /// [`Store::load`] or [`Store::load_tail`]
    Load,
    /// [`Store::open_executions`]
    OpenExecutions,
    /// [`Store::definition`]
    Definition,
    /// [`Store::publish`]
    Publish,
    /// [`Store::events_after`] or [`Store::last_event_position`]
    ReadEvents,
    /// [`Store::drop_events`]
    DropEvents,
}

/// How an operation fails. The kinds that differ by what became of a commit act on reads as their name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done and the caller is told so; the store goes on.
    Refused,
    /// The process dies before anything is written.
    CrashBefore,
    /// The process dies after everything was written, before anybody was told.
    CrashAfter,
    /// Everything is written, the caller is told that it cannot be known; the store goes on.
    LostAcknowledgement,
    /// Nothing is written, the caller is told that it cannot be known; the store goes on.
    LostRequest,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Refused,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::LostAcknowledgement,
        Self::LostRequest,
    ];

    fn is_performed(self) -> bool {
        matches!(self, Self::CrashAfter | Self::LostAcknowledgement)
    }

    fn is_crash(self) -> bool {
        matches!(self, Self::CrashBefore | Self::CrashAfter)
    }

    fn error(self) -> Error {
        match self {
            Self::Refused => unavailable("the store refuses, as planned"),
            Self::CrashBefore | Self::CrashAfter => unavailable("the store crashed, as planned"),
            Self::LostAcknowledgement | Self::LostRequest => {
                Error::Ambiguous { source: "the answer was lost, as planned".into() }
            }
        }
    }
}

impl FaultyStore {
    /// Wraps `inner`; `plan` says for each operation whether and how it fails.
    pub fn new(
        inner: Arc<dyn Store>,
        plan: impl FnMut(Operation) -> Option<Fault> + Send + 'static,
    ) -> Self {
        let state = State { plan: Box::new(plan), begun: 0, crashed: false };
        Self { inner, state: Mutex::new(state) }
    }

    /// Wraps `inner` so that only operation `number` (from 1) fails.
    pub fn failing_nth(inner: Arc<dyn Store>, number: u64, fault: Fault) -> Self {
        Self::new(inner, move |operation| (operation.number == number).then_some(fault))
    }

    /// How many operations were begun.
    pub fn operations(&self) -> u64 {
        self.state().begun
    }

    /// Whether the store is down after a planned crash.
    pub fn is_crashed(&self) -> bool {
        self.state().crashed
    }

    /// Ends a planned crash.
    pub fn restart(&self) {
        self.state().crashed = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of the next operation.
    fn fate(&self, kind: OperationKind) -> Result<Option<Fault>, Error> {
        let mut state = self.state();
        if state.crashed {
            return Err(Fault::CrashBefore.error());
        }
        state.begun += 1;
        let operation = Operation { number: state.begun, kind };
        let fault = (state.plan)(operation);
        state.crashed = fault.is_some_and(Fault::is_crash);
        Ok(fault)
    }

    async fn perform<T>(
        &self,
        kind: OperationKind,
        operation: BoxFuture<'_, Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(fault) = self.fate(kind)? else { return operation.await };
        if fault.is_performed() {
            operation.await?;
        }
        Err(fault.error())
    }
}

impl Store for FaultyStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.perform(OperationKind::Commit, self.inner.commit(commit)))
    }

    fn load(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        Box::pin(self.perform(OperationKind::Load, self.inner.load(execution)))
    }

    fn load_tail(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        Box::pin(self.perform(OperationKind::Load, self.inner.load_tail(execution)))
    }

    fn open_executions(
        &self,
        after: Option<ExecutionId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<OpenExecution>, Error>> {
        let operation = self.inner.open_executions(after, limit);
        Box::pin(self.perform(OperationKind::OpenExecutions, operation))
    }

    fn definition(&self, digest: Digest) -> BoxFuture<'_, Result<Option<DefinitionText>, Error>> {
        Box::pin(self.perform(OperationKind::Definition, self.inner.definition(digest)))
    }

    fn publish(&self, events: Vec<NewEvent>) -> BoxFuture<'_, Result<Vec<Receipt>, Error>> {
        Box::pin(self.perform(OperationKind::Publish, self.inner.publish(events)))
    }

    fn events_after(
        &self,
        after: EventPosition,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<LoggedEvent>, Error>> {
        let operation = self.inner.events_after(after, limit);
        Box::pin(self.perform(OperationKind::ReadEvents, operation))
    }

    fn last_event_position(&self) -> BoxFuture<'_, Result<EventPosition, Error>> {
        let operation = self.inner.last_event_position();
        Box::pin(self.perform(OperationKind::ReadEvents, operation))
    }

    fn drop_events(
        &self,
        retention: EventRetention,
        limit: usize,
    ) -> BoxFuture<'_, Result<u64, Error>> {
        let operation = self.inner.drop_events(retention, limit);
        Box::pin(self.perform(OperationKind::DropEvents, operation))
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore").field("inner", &self.inner).finish_non_exhaustive()
    }
}

fn unavailable(attempt: &str) -> Error {
    Error::Unavailable { attempt: attempt.to_owned(), source: None }
}
