//! Executions that only wait need not be in memory.
//!
//! One is *parked* when all it did is durable, nothing of it is under way or queued, it was fed the log of events, and it
//! waits for a time, an event, a child or a person. Beyond the bound the parked ones that were used longest ago are dropped.
//! Their timers stay armed, their listeners known, whoever watches them stays on the list, and whatever happens to one of
//! them loads it again.

use std::collections::{BTreeMap, BTreeSet};

use tutti_ids::ExecutionId;

use super::Loop;
use crate::resident::{Asked, Resident};

/// Which executions may be dropped, in the order of their last use.
#[derive(Debug, Default)]
pub(super) struct Parking {
    by_use: BTreeSet<(u64, ExecutionId)>,
    last_use: BTreeMap<ExecutionId, u64>,
    uses: u64,
    /// Looked at since the last time.
    touched: BTreeSet<ExecutionId>,
    /// What dropped executions have asked of their children: those that have any are small in number.
    asked: BTreeMap<ExecutionId, Asked>,
}

impl Parking {
    /// Something was done with the execution.
    pub(super) fn touch(&mut self, id: ExecutionId) {
        self.touched.insert(id);
    }

    /// What an execution that was dropped and comes back has asked of its children.
    pub(super) fn take_asked(&mut self, id: ExecutionId) -> Asked {
        self.asked.remove(&id).unwrap_or_default()
    }

    fn set(&mut self, id: ExecutionId, is_parked: bool) {
        if let Some(before) = self.last_use.remove(&id) {
            self.by_use.remove(&(before, id));
        }
        if is_parked {
            self.uses += 1;
            self.last_use.insert(id, self.uses);
            self.by_use.insert((self.uses, id));
        }
    }

    fn longest_unused(&mut self) -> Option<ExecutionId> {
        let (_, id) = self.by_use.first().copied()?;
        self.set(id, false);
        Some(id)
    }
}

impl Loop {
    /// Drops what has ended and, beyond the bound, what is parked.
    pub(super) fn make_room(&mut self) {
        for id in std::mem::take(&mut self.parking.touched) {
            self.forget_if_over(id);
            let is_parked =
                self.residents.get(&id).is_some_and(Resident::is_parked) && self.feeder.has_fed(id);
            self.parking.set(id, is_parked);
        }
        while self.residents.len() > self.options.max_residents {
            let Some(id) = self.parking.longest_unused() else { return };
            let Some(resident) = self.residents.remove(&id) else { continue };
            let asked = resident.asked();
            if !asked.is_empty() {
                self.parking.asked.insert(id, asked);
            }
        }
    }
}
