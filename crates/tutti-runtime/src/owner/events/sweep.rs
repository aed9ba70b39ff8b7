//! Goes through the log once for many listeners.

use std::{collections::BTreeSet, sync::Arc};

use tutti_journal::{CloudEvent, EventPosition};

use super::{
    asking::{Asking, Listener},
    index::Index,
};

/// An event and where it stands.
pub(super) type Placed = (EventPosition, Arc<CloudEvent>);

/// One passage through the log, and who takes part in it.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// Every event up to here was looked up; the last one may still be offered.
    at: EventPosition,
    members: BTreeSet<Listener>,
    index: Index,
    event: Option<Arc<CloudEvent>>,
    /// Whom the event at `at` still has to be offered to.
    offered: BTreeSet<Listener>,
}

impl Sweep {
    pub(super) fn from(at: EventPosition) -> Self {
        Self { at, ..Self::default() }
    }

    /// Up to where the log was looked up.
    pub(super) fn at(&self) -> EventPosition {
        self.at
    }

    /// Whether nobody takes part.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether the event at its place still has to be offered to somebody.
    pub(super) fn is_offering(&self) -> bool {
        !self.offered.is_empty()
    }

    /// Up to where one that takes part was fed by this.
    pub(super) fn fed(&self, listener: Listener) -> EventPosition {
        if self.offered.contains(&listener) {
            EventPosition(self.at.0.saturating_sub(1))
        } else {
            self.at
        }
    }

    pub(super) fn insert(&mut self, listener: Listener, asking: &Asking) {
        self.members.insert(listener);
        self.index.insert(listener, asking);
    }

    pub(super) fn remove(&mut self, listener: Listener, asking: &Asking) {
        self.members.remove(&listener);
        self.index.remove(listener, asking);
        self.offered.remove(&listener);
    }

    /// All that take part, and take part no more.
    pub(super) fn into_members(self) -> BTreeSet<Listener> {
        self.members
    }

    /// One that was offered the event has looked at it.
    pub(super) fn has_looked(&mut self, listener: Listener) {
        self.offered.remove(&listener);
    }

    /// Goes on to a place where nothing has to be offered.
    pub(super) fn skip_to(&mut self, to: EventPosition) {
        self.at = self.at.max(to);
    }

    /// Goes on to the next event; `is_behind` says who has not seen it. Gives how many filters were evaluated.
    pub(super) fn take_up(
        &mut self,
        (position, event): Placed,
        is_behind: impl Fn(Listener) -> bool,
    ) -> u64 {
        self.at = position;
        let (concerned, evaluated) = self.index.concerned_by(&event);
        self.offered = concerned;
        self.offered.retain(|listener| is_behind(*listener));
        self.event = Some(event);
        evaluated
    }

    /// The event that is being offered, and to whom next.
    pub(super) fn offer(&self) -> Option<(Listener, Placed)> {
        let listener = self.offered.first()?;
        let event = self.event.clone()?;
        Some((*listener, (self.at, event)))
    }
}
