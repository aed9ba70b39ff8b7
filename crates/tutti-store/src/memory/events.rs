//! The log of events in memory.

use std::{
    collections::{BTreeMap, btree_map},
    ops::Bound,
};

use tutti_ids::Digest;
use tutti_journal::EventPosition;

use crate::{EventRetention, LoggedEvent, NewEvent, Receipt};

#[derive(Debug, Default)]
pub(super) struct Events {
    by_position: BTreeMap<EventPosition, NewEvent>,
    by_key: BTreeMap<Digest, EventPosition>,
}

impl Events {
    pub(super) fn receive(&mut self, event: NewEvent) -> Receipt {
        let position = EventPosition(self.last().0.saturating_add(1));
        match self.by_key.entry(event.key) {
            btree_map::Entry::Occupied(known) => Receipt::Duplicate(*known.get()),
            btree_map::Entry::Vacant(slot) => {
                slot.insert(position);
                self.by_position.insert(position, event);
                Receipt::Logged(position)
            }
        }
    }

    pub(super) fn last(&self) -> EventPosition {
        self.by_position.last_key_value().map_or(EventPosition(0), |(last, _)| *last)
    }

    pub(super) fn after(&self, after: EventPosition, limit: usize) -> Vec<LoggedEvent> {
        self.by_position
            .range((Bound::Excluded(after), Bound::Unbounded))
            .map(|(position, event)| LoggedEvent { position: *position, event: event.clone() })
            .take(limit)
            .collect()
    }

    pub(super) fn drop(&mut self, retention: EventRetention, limit: usize) -> u64 {
        let mut dropped = 0;
        for _ in 0..limit {
            if self.by_position.len() <= 1 {
                break;
            }
            let Some((position, event)) = self.by_position.first_key_value() else { break };
            let exceeds = event.received_at < retention.before
                || self.by_position.len() as u64 > retention.count;
            if *position > retention.through || !exceeds {
                break;
            }
            let (position, key) = (*position, event.key);
            self.by_position.remove(&position);
            self.by_key.remove(&key);
            dropped += 1;
        }
        dropped
    }
}
