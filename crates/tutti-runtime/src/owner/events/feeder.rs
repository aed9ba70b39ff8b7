//! Who listens, how far each was fed, and the part of the log that is in memory.
//!
//! Two passages go through the log. The *front* feeds all who have seen everything before it: what comes in is looked up in
//! its index once. Whoever begins to listen further back takes part in the *rear*, which goes on until it meets the front;
//! who comes too late for it waits for the next one.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    mem,
    ops::RangeInclusive,
    sync::Arc,
};

use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::{CloudEvent, EventPosition};

use super::{
    asking::{Asking, Listener},
    sweep::{Placed, Sweep},
};

#[derive(Debug)]
struct Cursor {
    asking: Arc<Asking>,
    /// Everything up to here was looked at, and what the passage it takes part in has looked at.
    fed: EventPosition,
    place: Place,
}

/// Where a listener is fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Front,
    Rear,
    /// It waits for the next rear.
    Behind,
    /// Its execution is being loaded.
    Held,
}

/// Knows who is behind the end of the log, and reads it a page at a time.
#[derive(Debug, Default)]
pub(crate) struct Feeder {
    /// The end of the log, once it was told.
    newest: Option<EventPosition>,
    cursors: BTreeMap<Listener, Cursor>,
    front: Sweep,
    rear: Option<Sweep>,
    behind: BTreeSet<(EventPosition, Listener)>,
    page: Page,
    /// The page that is being read.
    reading: Option<Reading>,
    /// Whether the last page was read for the rear.
    rear_was_last: bool,
    /// Executions that may be at rest once the front is.
    restless: BTreeSet<ExecutionId>,
    /// Executions that were fed all there is since this was last taken.
    rested: BTreeSet<ExecutionId>,
    evaluated: u64,
}

/// Events after `from`, up to and with `to`.
#[derive(Debug, Default)]
struct Page {
    from: EventPosition,
    to: EventPosition,
    events: VecDeque<Placed>,
}

impl Page {
    fn has(&self, at: EventPosition) -> bool {
        self.from <= at && at < self.to
    }

    fn next_after(&self, at: EventPosition) -> Option<&Placed> {
        self.events.get(self.events.partition_point(|(position, _)| *position <= at))
    }
}

/// A page that was asked for.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// The end of the log when it was: what comes later may or may not be in it.
    end: EventPosition,
}

impl Feeder {
    pub(super) fn learn(&mut self, newest: EventPosition) {
        if self.newest.is_some_and(|known| known >= newest) {
            return;
        }
        self.newest = Some(newest);
        self.settle_front();
    }

    /// Takes a page that was read. Where it is empty there was nothing between `after` and the end of the log.
    pub(super) fn take_page(
        &mut self,
        after: EventPosition,
        events: Vec<(EventPosition, CloudEvent)>,
    ) {
        let end = self.reading.take().map_or(after, |reading| reading.end);
        let to = events.last().map_or(end, |(position, _)| *position).max(after);
        let events = events.into_iter().map(|(position, event)| (position, Arc::new(event)));
        self.page = Page { from: after, to, events: events.collect() };
        self.learn(to);
    }

    /// An execution asks for this now, and for nothing else.
    pub(super) fn update(&mut self, id: ExecutionId, asking: Vec<Asking>) {
        let mut before = self.take_all(id);
        for asking in asking {
            let listener = (id, asking.task);
            let fed = before
                .remove(&asking.task)
                .map_or(asking.after, |cursor| cursor.fed.max(asking.after));
            self.put(listener, Arc::new(asking), fed);
        }
    }

    /// Drops what is known about an execution.
    pub(crate) fn forget(&mut self, id: ExecutionId) {
        self.take_all(id);
    }

    /// Feeds an execution no more until it says again what it asks for.
    pub(super) fn hold(&mut self, id: ExecutionId) {
        for (task, cursor) in self.take_all(id) {
            self.cursors.insert((id, task), Cursor { place: Place::Held, ..cursor });
        }
    }

    pub(super) fn drop_listener(&mut self, listener: Listener) {
        self.take(listener);
    }

    pub(super) fn asking(&self, listener: Listener) -> Option<Arc<Asking>> {
        self.cursors.get(&listener).map(|cursor| cursor.asking.clone())
    }

    /// The next event of the page that may concern a listener, and whom; it stands until that was fed, dropped or held.
    pub(super) fn next_offer(&mut self) -> Option<(Listener, Placed)> {
        if let Some(offer) = self.next_of_front() {
            return Some(offer);
        }
        let offer = self.next_of_rear();
        if offer.is_none() {
            self.settle_front();
        }
        offer
    }

    /// A listener has looked at what it was offered.
    pub(super) fn advance(&mut self, listener: Listener, to: EventPosition) {
        let Some(cursor) = self.cursors.get_mut(&listener) else { return };
        cursor.fed = cursor.fed.max(to);
        match cursor.place {
            Place::Front => self.front.has_looked(listener),
            Place::Rear => {
                if let Some(rear) = &mut self.rear {
                    rear.has_looked(listener);
                }
            }
            Place::Behind | Place::Held => {}
        }
    }

    /// After which position the log is to be read, if somebody is behind and nothing is read yet.
    pub(super) fn wanted_page(&mut self) -> Option<EventPosition> {
        let newest = self.newest?;
        if self.reading.is_some() || self.next_offer().is_some() {
            return None;
        }
        let front = (self.front.at() < newest).then(|| self.front.at());
        let rear = self.rear.as_ref().map(Sweep::at);
        let wanted = match (front, rear) {
            (Some(front), Some(_)) if self.rear_was_last => front,
            (_, Some(rear)) => rear,
            (Some(front), None) => front,
            (None, None) => return None,
        };
        self.rear_was_last = rear == Some(wanted);
        self.reading = Some(Reading { end: newest });
        Some(wanted)
    }

    /// Whether an execution was fed up to the end of the log, which is known. Where it was not, it is told later.
    pub(crate) fn has_fed(&mut self, id: ExecutionId) -> bool {
        let mut cursors = self.cursors.range(all_of(id)).peekable();
        let has_ended = self.newest.is_some() && (cursors.peek().is_none() || self.is_at_end());
        let has_fed = has_ended && cursors.all(|(_, cursor)| cursor.place == Place::Front);
        if !has_fed {
            self.restless.insert(id);
        }
        has_fed
    }

    /// Executions that were fed up to the end of the log since this was last asked.
    pub(super) fn take_rested(&mut self) -> BTreeSet<ExecutionId> {
        mem::take(&mut self.rested)
    }

    /// How many events of the log the front has not come to.
    pub(crate) fn behind(&self) -> u64 {
        self.newest.map_or(0, |newest| newest.0.saturating_sub(self.front.at().0))
    }

    /// How many filters were evaluated to find out whom events may concern.
    pub(crate) fn evaluated(&self) -> u64 {
        self.evaluated
    }

    fn is_at_end(&self) -> bool {
        self.newest.is_some_and(|newest| self.front.at() >= newest) && !self.front.is_offering()
    }

    /// The front is where it can be without reading on: with nobody in it that is the end of the log.
    fn settle_front(&mut self) {
        if let Some(newest) = self.newest.filter(|_| self.front.is_empty()) {
            self.front.skip_to(newest);
        }
        if self.is_at_end() {
            // Those that are further back are told when they get there.
            let restless = mem::take(&mut self.restless);
            let rested = restless.into_iter().filter(|id| {
                let mut cursors = self.cursors.range(all_of(*id));
                cursors.all(|(_, cursor)| cursor.place == Place::Front)
            });
            self.rested.extend(rested.collect::<Vec<_>>());
        }
    }

    fn next_of_front(&mut self) -> Option<(Listener, Placed)> {
        while !self.front.is_offering() && self.page.has(self.front.at()) {
            match self.page.next_after(self.front.at()) {
                Some(next) => {
                    self.evaluated += take_up(&mut self.front, next.clone(), &self.cursors);
                }
                None => self.front.skip_to(self.page.to),
            }
        }
        self.front.offer()
    }

    fn next_of_rear(&mut self) -> Option<(Listener, Placed)> {
        loop {
            if self.rear.is_none() && !self.begin_rear() {
                return None;
            }
            let rear = self.rear.as_mut()?;
            if rear.is_offering() {
                return rear.offer();
            }
            if rear.at() >= self.front.at() || rear.is_empty() {
                self.end_rear();
                continue;
            }
            if !self.page.has(rear.at()) {
                return None;
            }
            match self.page.next_after(rear.at()).filter(|next| next.0 <= self.front.at()) {
                Some(next) => self.evaluated += take_up(rear, next.clone(), &self.cursors),
                None => rear.skip_to(self.page.to.min(self.front.at())),
            }
        }
    }

    /// All who wait begin together; false where nobody does.
    fn begin_rear(&mut self) -> bool {
        let Some((at, _)) = self.behind.first().copied() else { return false };
        let mut rear = Sweep::from(at);
        for (_, listener) in mem::take(&mut self.behind) {
            if let Some(cursor) = self.cursors.get_mut(&listener) {
                cursor.place = Place::Rear;
                rear.insert(listener, &cursor.asking);
            }
        }
        self.rear = Some(rear);
        true
    }

    /// Who took part in the rear has met the front.
    fn end_rear(&mut self) {
        let Some(rear) = self.rear.take() else { return };
        let at = rear.at();
        for listener in rear.into_members() {
            let Some(cursor) = self.cursors.remove(&listener) else { continue };
            self.put(listener, cursor.asking, cursor.fed.max(at));
        }
    }

    fn put(&mut self, listener: Listener, asking: Arc<Asking>, fed: EventPosition) {
        let joins = self.rear.as_mut().filter(|rear| fed >= rear.at());
        let place = if fed >= self.front.at() {
            self.front.insert(listener, &asking);
            let waiting = if self.is_at_end() { &mut self.rested } else { &mut self.restless };
            waiting.insert(listener.0);
            Place::Front
        } else if let Some(rear) = joins {
            rear.insert(listener, &asking);
            Place::Rear
        } else {
            self.behind.insert((fed, listener));
            Place::Behind
        };
        self.cursors.insert(listener, Cursor { asking, fed, place });
    }

    /// Takes a listener out, fed as far as it was.
    fn take(&mut self, listener: Listener) -> Option<Cursor> {
        let mut cursor = self.cursors.remove(&listener)?;
        let sweep = match cursor.place {
            Place::Front => Some(&mut self.front),
            Place::Rear => self.rear.as_mut(),
            Place::Behind => {
                self.behind.remove(&(cursor.fed, listener));
                None
            }
            Place::Held => None,
        };
        if let Some(sweep) = sweep {
            cursor.fed = cursor.fed.max(sweep.fed(listener));
            sweep.remove(listener, &cursor.asking);
        }
        Some(cursor)
    }

    fn take_all(&mut self, id: ExecutionId) -> BTreeMap<Sequence, Cursor> {
        let listeners: Vec<Listener> =
            self.cursors.range(all_of(id)).map(|(listener, _)| *listener).collect();
        let taken = listeners.into_iter();
        taken.filter_map(|listener| Some((listener.1, self.take(listener)?))).collect()
    }
}

fn take_up(sweep: &mut Sweep, next: Placed, cursors: &BTreeMap<Listener, Cursor>) -> u64 {
    let position = next.0;
    let is_behind = |listener| cursors.get(&listener).is_some_and(|cursor| cursor.fed < position);
    sweep.take_up(next, is_behind)
}

fn all_of(id: ExecutionId) -> RangeInclusive<Listener> {
    (id, Sequence(0))..=(id, Sequence(u64::MAX))
}
