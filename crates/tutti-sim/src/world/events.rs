//! Events: published into the log of the store, as a publisher outside and as a turn does, and read from there.
//!
//! Listeners are fed by the loops alone. What the world knows about events it reads at the bottom of the store, where
//! nothing fails.

use tutti_engine::{Command, Execution, Input, Surroundings};
use tutti_journal::{CloudEvent, EventPosition};
use tutti_runtime::{Happening, Settlement};
use tutti_store::{LoggedEvent, NewEvent, Receipt, Store as _};

use super::{
    World,
    outputs::{Pending, Sender},
};
use crate::{setting::PlainSealer, waiting::block_on};

/// How many events are read from the bottom of the store at once.
const PAGE: usize = 1_000;

impl World {
    /// Somebody outside publishes an event, again and again until it is received.
    pub fn receive(&mut self, event: CloudEvent) {
        self.published += 1;
        self.pending.push(Pending::Receive(event));
    }

    /// How many events were published from outside.
    pub fn published(&self) -> usize {
        self.published
    }

    /// All events received, in order; the first has position 1.
    pub fn events(&self) -> Vec<CloudEvent> {
        let mut events: Vec<(EventPosition, CloudEvent)> = Vec::new();
        loop {
            let after = events.last().map_or(EventPosition::default(), |(position, _)| *position);
            let page = block_on(self.setting.recorder.events_after(after, PAGE)).and_then(decode);
            match page {
                Ok(page) if !page.is_empty() => events.extend(page),
                Ok(_) | Err(_) => return events.into_iter().map(|(_, event)| event).collect(),
            }
        }
    }

    pub(super) fn newest_event(&self) -> EventPosition {
        block_on(self.setting.recorder.last_event_position()).unwrap_or_default()
    }

    /// A publisher tries: where it is not told that the event was received, it tries again.
    pub(super) fn publish(&mut self, event: CloudEvent) {
        let new = NewEvent::new(&event, self.now, &PlainSealer::default());
        let receipts = block_on(self.setting.store.publish(vec![new]));
        self.say(&format!("event {} {} {receipts:?}", event.id(), event.kind()));
        match receipts.as_deref() {
            Ok([Receipt::Logged(newest) | Receipt::Duplicate(newest), ..]) => {
                let newest = *newest;
                for number in 0..self.owners.len() {
                    self.pending.push(Pending::Logged {
                        from: Sender::Outside,
                        to: number,
                        newest,
                    });
                }
            }
            Ok([]) => self.problems.push("an event that was published has no receipt".to_owned()),
            Err(_) => self.pending.push(Pending::Receive(event)),
        }
    }

    /// Who was told that only an event could move an execution asks again.
    pub(super) fn watch_what_listens(&mut self) {
        let listening = self.settled.iter().filter_map(|(execution, settlement)| {
            matches!(settlement, Settlement::Listening { .. }).then_some(*execution)
        });
        for execution in listening.collect::<Vec<_>>() {
            self.watch(execution);
        }
    }

    /// A loop reads a page of the log.
    pub(super) fn read_events(&mut self, number: usize, after: EventPosition, limit: usize) {
        let result = block_on(self.setting.store.events_after(after, limit)).and_then(decode);
        self.tell_loop(number, Happening::EventsRead { after, result });
    }

    /// Every loop hears how far the log goes; false where the store does not say.
    pub(super) fn tell_newest(&mut self, from: usize) -> bool {
        let newest = match block_on(self.setting.store.last_event_position()) {
            Ok(newest) => newest,
            Err(error) => {
                self.say(&format!("halt: {error}"));
                self.is_down = true;
                return false;
            }
        };
        for number in (0..self.owners.len()).filter(|number| *number != from) {
            self.pending.push(Pending::Logged { from: Sender::Loop(from), to: number, newest });
        }
        self.tell_logged(from, newest);
        !self.is_down
    }

    /// A loop hears how far the log goes.
    pub(super) fn tell_logged(&mut self, number: usize, newest: EventPosition) {
        self.tell_loop(number, Happening::EventsLogged { newest });
        self.watch_what_listens();
    }

    /// Loops that begin learn how far the log goes; false where the store does not say.
    pub(super) fn tell_beginning(&mut self) -> bool {
        (0..self.owners.len()).all(|number| {
            let newest = match block_on(self.setting.store.last_event_position()) {
                Ok(newest) => newest,
                Err(error) => {
                    self.say(&format!("halt: {error}"));
                    self.is_down = true;
                    return false;
                }
            };
            self.tell_loop(number, Happening::EventsLogged { newest });
            true
        })
    }

    /// What must hold where nothing moves: no listener waits for an event that is in the log.
    pub(super) fn unfed(&self) -> Vec<String> {
        let events = self.events();
        let open = self.shadows.iter().map(|shadow| &shadow.execution);
        open.filter_map(|execution| self.unfed_event(execution, &events)).collect()
    }

    fn unfed_event(&self, execution: &Execution, events: &[CloudEvent]) -> Option<String> {
        execution.outstanding().find_map(|command| {
            let Command::AwaitEvent { task, after, .. } = command else { return None };
            let first = usize::try_from(after.0).unwrap_or(usize::MAX);
            let missed = events.iter().zip(1..).skip(first).find(|(event, position)| {
                let position = EventPosition(*position);
                let input = Input::EventArrived { task, position, event: (*event).clone() };
                execution.clone().advance(input, &self.surroundings()).is_ok()
            });
            let (event, position) = missed?;
            let id = execution.id();
            Some(format!("{id} {task} was not fed event {position}, {}", event.kind()))
        })
    }

    fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            now: self.now,
            secrets: &*self.setting.secrets,
            definitions: &*self.setting.library,
            free_slots: 0,
            limits: self.setting.limits,
        }
    }
}

fn decode(
    events: Vec<LoggedEvent>,
) -> Result<Vec<(EventPosition, CloudEvent)>, tutti_store::Error> {
    let decode = |logged: LoggedEvent| {
        let event = CloudEvent::decode(&logged.event.bytes, &PlainSealer::default());
        let what = format!("event {}", logged.position);
        let event = event.map_err(|_error| tutti_store::Error::Corrupt { what })?;
        Ok((logged.position, event))
    };
    events.into_iter().map(decode).collect()
}
