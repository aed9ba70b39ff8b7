//! How many calls are out at once, and who is next.

use std::collections::{BTreeSet, VecDeque};

use tutti_ids::{ExecutionId, Sequence};

/// Hands out a bounded number of slots for calls, first come, first served.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    capacity: usize,
    held: BTreeSet<CallId>,
    waiting: VecDeque<CallId>,
}

/// One call of an execution.
pub(crate) type CallId = (ExecutionId, Sequence);

impl Dispatcher {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, held: BTreeSet::new(), waiting: VecDeque::new() }
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
        if !self.waiting.contains(&call) {
            self.waiting.push_back(call);
        }
        false
    }

    /// Takes a slot that was promised within a turn.
    pub(crate) fn take(&mut self, call: CallId) {
        self.held.insert(call);
    }

    /// Gives a slot back, or leaves the queue. Returns the call whose turn it is now, which then holds a slot.
    pub(crate) fn release(&mut self, call: CallId) -> Option<CallId> {
        self.waiting.retain(|waiting| *waiting != call);
        self.held.remove(&call);
        if self.held.len() >= self.capacity {
            return None;
        }
        let next = self.waiting.pop_front()?;
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
