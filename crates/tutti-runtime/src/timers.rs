//! When executions have to be looked at.

use std::collections::{BTreeMap, BTreeSet};

use tutti_ids::ExecutionId;
use tutti_journal::Timestamp;

/// One due time per execution, found earliest first.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_time: BTreeSet<(Timestamp, ExecutionId)>,
    by_execution: BTreeMap<ExecutionId, Timestamp>,
}

impl Timers {
    /// Arms, moves or disarms an execution's timer.
    pub(crate) fn set(&mut self, execution: ExecutionId, due: Option<Timestamp>) {
        if let Some(before) = self.by_execution.remove(&execution) {
            self.by_time.remove(&(before, execution));
        }
        if let Some(due) = due {
            self.by_execution.insert(execution, due);
            self.by_time.insert((due, execution));
        }
    }

    /// The earliest due time.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(due, _)| *due)
    }

    /// Disarms and returns an execution whose time has come.
    pub(crate) fn fire(&mut self, now: Timestamp) -> Option<ExecutionId> {
        let (_, execution) = self.by_time.first().copied().filter(|(due, _)| *due <= now)?;
        self.set(execution, None);
        Some(execution)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_in_order_and_never_early() {
        let [first, second] = [1, 2].map(|chance| ExecutionId::new(0, chance));
        let mut timers = Timers::default();
        timers.set(first, Some(Timestamp(20)));
        timers.set(second, Some(Timestamp(10)));
        assert_eq!(timers.next(), Some(Timestamp(10)));
        assert_eq!(timers.fire(Timestamp(9)), None);
        timers.set(second, Some(Timestamp(30)));
        assert_eq!(timers.fire(Timestamp(25)), Some(first));
        assert_eq!(timers.fire(Timestamp(25)), None);
        timers.set(second, None);
        assert_eq!(timers.next(), None);
    }
}
