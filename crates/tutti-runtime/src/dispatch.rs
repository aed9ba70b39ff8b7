//! How many calls are out at once, and who is next.

use std::collections::{BTreeMap, BTreeSet};

use tutti_ids::{ExecutionId, Sequence};

/// Hands out a bounded number of slots for calls, first come, first served.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    capacity: usize,
    held: BTreeSet<CallId>,
    /// Those that wait, in the order in which they came.
    waiting: BTreeMap<u64, CallId>,
    /// The places of those that wait.
    places: BTreeMap<CallId, u64>,
    /// The place of who comes next.
    next_place: u64,
}

/// One call of an execution.
pub(crate) type CallId = (ExecutionId, Sequence);

impl Dispatcher {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            held: BTreeSet::new(),
            waiting: BTreeMap::new(),
            places: BTreeMap::new(),
            next_place: 0,
        }
    }

    /// How many slots are free for calls that did not have to wait.
    pub(crate) fn free(&self) -> usize {
        if self.waiting.is_empty() { self.capacity.saturating_sub(self.held.len()) } else { 0 }
    }

    /// Takes a slot if one is free, or queues up. A call that holds one already keeps it.
    pub(crate) fn request(&mut self, call: CallId) -> bool {
        if self.held.contains(&call) {
            return true;
        }
        if self.free() > 0 {
            return self.held.insert(call);
        }
        if !self.places.contains_key(&call) {
            self.places.insert(call, self.next_place);
            self.waiting.insert(self.next_place, call);
            self.next_place += 1;
        }
        false
    }

    /// Takes a slot that was promised within a turn.
    pub(crate) fn take(&mut self, call: CallId) {
        self.held.insert(call);
    }

    /// Gives a slot back, or leaves the queue. Returns the call whose turn it is now, which then holds a slot.
    pub(crate) fn release(&mut self, call: CallId) -> Option<CallId> {
        if let Some(place) = self.places.remove(&call) {
            self.waiting.remove(&place);
        }
        self.held.remove(&call);
        if self.held.len() >= self.capacity {
            return None;
        }
        let (_, next) = self.waiting.pop_first()?;
        self.places.remove(&next);
        self.held.insert(next);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_bounded_and_go_to_who_waits_longest() {
        let [a, b, c] = [1, 2, 3].map(|number| (ExecutionId::new(0, 0), Sequence(number)));
        let mut dispatcher = Dispatcher::new(1);
        assert!(dispatcher.request(a));
        assert!(dispatcher.request(a), "a slot that is held stays held");
        assert!(!dispatcher.request(b));
        assert!(!dispatcher.request(c));
        assert_eq!(dispatcher.free(), 0);
        assert_eq!(dispatcher.release(b), None, "who leaves the queue frees nothing");
        assert_eq!(dispatcher.release(a), Some(c));
        assert_eq!(dispatcher.release(c), None);
        assert_eq!(dispatcher.free(), 1);
    }
}
