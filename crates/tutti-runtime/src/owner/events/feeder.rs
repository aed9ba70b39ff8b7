//! Who listens, how far each was fed, and the part of the log that is in memory.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    mem,
    ops::RangeInclusive,
    sync::Arc,
};

use tutti_dsl::Workflow;
use tutti_engine::{EventCorrelation, EventInterest, correlation_of};
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::{CloudEvent, EventPosition};

/// A task execution that listens.
pub(super) type Listener = (ExecutionId, Sequence);

/// What a listener asks for.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) task: Sequence,
    pub(super) reference: TaskRef,
    pub(super) workflow: Arc<Workflow>,
    pub(super) after: EventPosition,
    pub(super) interests: Vec<EventInterest>,
}

impl Asking {
    /// Whether an event may be what it asks for.
    pub(super) fn is_met_by(&self, event: &CloudEvent) -> bool {
        self.interests.iter().any(|interest| {
            let correlation = interest.filter.map_or(EventCorrelation::Anybody, |filter| {
                correlation_of(&self.workflow, &self.reference, filter, event)
            });
            interest.admits(event, correlation)
        })
    }
}

#[derive(Debug)]
struct Cursor {
    asking: Arc<Asking>,
    /// Everything up to here was looked at.
    fed: EventPosition,
}

/// Knows who is behind the end of the log, and reads it a page at a time.
#[derive(Debug, Default)]
pub(crate) struct Feeder {
    /// The end of the log, once it was told.
    newest: Option<EventPosition>,
    cursors: BTreeMap<Listener, Cursor>,
    /// The listeners that were not fed up to the end of the log, furthest behind first.
    behind: BTreeSet<(EventPosition, Listener)>,
    page: Page,
    /// The page that is being read begins after this.
    reading: Option<EventPosition>,
    /// Executions that are being loaded to be fed.
    held: BTreeSet<ExecutionId>,
    /// Executions a listener of which has been fed all there is since this was last taken.
    rested: BTreeSet<ExecutionId>,
}

/// Events after `from`, up to and with `to`.
#[derive(Debug, Default)]
struct Page {
    from: EventPosition,
    to: EventPosition,
    events: VecDeque<(EventPosition, Arc<CloudEvent>)>,
}

impl Feeder {
    pub(super) fn learn(&mut self, newest: EventPosition) {
        if self.newest.is_some_and(|known| known >= newest) {
            return;
        }
        let is_first = self.newest.replace(newest).is_none();
        for ((id, task), cursor) in &self.cursors {
            if cursor.fed < newest && !self.held.contains(id) {
                self.behind.insert((cursor.fed, (*id, *task)));
            } else if is_first {
                self.rested.insert(*id);
            }
        }
    }

    /// Takes a page that was read. Where it is empty there is nothing between `after` and the end of the log.
    pub(super) fn take_page(
        &mut self,
        after: EventPosition,
        events: Vec<(EventPosition, CloudEvent)>,
    ) {
        self.reading = None;
        let end = self.newest.unwrap_or_default();
        let to = events.last().map_or(end, |(position, _)| *position).max(after);
        let events = events.into_iter().map(|(position, event)| (position, Arc::new(event)));
        self.page = Page { from: after, to, events: events.collect() };
        self.learn(to);
    }

    /// An execution asks for this now, and for nothing else.
    pub(super) fn update(&mut self, id: ExecutionId, asking: Vec<Asking>) {
        self.held.remove(&id);
        let mut before = self.take_all(id);
        for asking in asking {
            let listener = (id, asking.task);
            let fed = before
                .remove(&asking.task)
                .map_or(asking.after, |cursor| cursor.fed.max(asking.after));
            self.put(listener, Cursor { asking: Arc::new(asking), fed });
        }
    }

    /// Drops what is known about an execution.
    pub(crate) fn forget(&mut self, id: ExecutionId) {
        self.held.remove(&id);
        self.take_all(id);
    }

    /// Feeds an execution no more until it says again what it asks for.
    pub(super) fn hold(&mut self, id: ExecutionId) {
        self.held.insert(id);
        for (task, cursor) in self.take_all(id) {
            self.cursors.insert((id, task), cursor);
        }
    }

    pub(super) fn drop_listener(&mut self, listener: Listener) {
        self.take(listener);
    }

    pub(super) fn asking(&self, listener: Listener) -> Option<Arc<Asking>> {
        self.cursors.get(&listener).map(|cursor| cursor.asking.clone())
    }

    /// A listener that was fed to a place within the page.
    pub(super) fn next_in_page(&self) -> Option<Listener> {
        let none = (ExecutionId::from_bits(0), Sequence(0));
        let in_page = self.behind.range((self.page.from, none)..(self.page.to, none)).next();
        in_page.map(|(_, listener)| *listener)
    }

    /// The next event of the page for a listener; where there is none it has been fed the page.
    pub(super) fn next_for(
        &mut self,
        listener: Listener,
    ) -> Option<(EventPosition, Arc<CloudEvent>)> {
        let fed = self.cursors.get(&listener)?.fed;
        if fed < self.page.from || fed >= self.page.to {
            return None;
        }
        let next = self.page.events.partition_point(|(position, _)| *position <= fed);
        if let Some((position, event)) = self.page.events.get(next) {
            return Some((*position, event.clone()));
        }
        self.advance(listener, self.page.to);
        None
    }

    /// A listener was fed up to here.
    pub(super) fn advance(&mut self, listener: Listener, to: EventPosition) {
        if let Some(mut cursor) = self.take(listener) {
            cursor.fed = cursor.fed.max(to);
            self.put(listener, cursor);
        }
    }

    /// After which position the log is to be read, if somebody is behind and nothing is read yet.
    pub(super) fn wanted_page(&mut self) -> Option<EventPosition> {
        if self.reading.is_some() || self.next_in_page().is_some() {
            return None;
        }
        self.reading = self.behind.first().map(|(fed, _)| *fed);
        self.reading
    }

    /// Whether an execution was fed up to the end of the log, which is known.
    pub(crate) fn has_fed(&self, id: ExecutionId) -> bool {
        let Some(newest) = self.newest else { return false };
        self.cursors.range(all_of(id)).all(|(_, cursor)| cursor.fed >= newest)
    }

    /// Executions that were fed up to the end of the log since this was last asked, or parts of them.
    pub(super) fn take_rested(&mut self) -> BTreeSet<ExecutionId> {
        mem::take(&mut self.rested)
    }

    fn put(&mut self, listener: Listener, cursor: Cursor) {
        match self.newest {
            Some(newest) if cursor.fed < newest => {
                self.behind.insert((cursor.fed, listener));
            }
            Some(_) => {
                self.rested.insert(listener.0);
            }
            None => {}
        }
        self.cursors.insert(listener, cursor);
    }

    fn take(&mut self, listener: Listener) -> Option<Cursor> {
        let cursor = self.cursors.remove(&listener)?;
        self.behind.remove(&(cursor.fed, listener));
        Some(cursor)
    }

    fn take_all(&mut self, id: ExecutionId) -> BTreeMap<Sequence, Cursor> {
        let listeners: Vec<Listener> =
            self.cursors.range(all_of(id)).map(|(listener, _)| *listener).collect();
        let taken = listeners.into_iter();
        taken.filter_map(|listener| Some((listener.1, self.take(listener)?))).collect()
    }
}

fn all_of(id: ExecutionId) -> RangeInclusive<Listener> {
    (id, Sequence(0))..=(id, Sequence(u64::MAX))
}
