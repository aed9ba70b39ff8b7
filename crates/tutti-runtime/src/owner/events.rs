//! Listeners are fed from the log of events, each from a cursor of its own.
//!
//! The durable cursor is in the journal: the `after` of what a listener is owed. Cursors in memory say who listens, in
//! memory or not, and spare looking twice at what did not match. An execution that was dropped from memory comes back when
//! an event may concern it.

mod asking;
mod feeder;
mod index;
mod sweep;
#[cfg(test)]
mod tests;

pub(super) use self::feeder::Feeder;

use tutti_engine::{Command, Input, Rejection};
use tutti_ids::ExecutionId;
use tutti_journal::{CloudEvent, Entry, EventPosition, Timestamp};
use tutti_store::NewEvent;

use self::{
    asking::{Asking, Listener},
    sweep::Placed,
};
use super::{Loop, MAX_TURNS_AHEAD, loading::Awaiting};
use crate::{
    happening::{Awaited, Output},
    resident::Resident,
};

/// How many events are read from the log at once.
const PAGE: usize = 256;

impl Loop {
    /// The log of events goes up to here, durably.
    pub(super) fn on_events_logged(&mut self, newest: EventPosition) {
        self.newest_event = self.newest_event.max(newest);
        self.feeder.learn(newest);
    }

    pub(super) fn on_events_read(
        &mut self,
        after: EventPosition,
        result: Result<Vec<(EventPosition, CloudEvent)>, tutti_store::Error>,
    ) {
        match result {
            Ok(events) => self.feeder.take_page(after, events),
            Err(error) => self.outputs.push(Output::Halt(error)),
        }
    }

    /// What a turn emits enters the log in the commit of the turn.
    pub(super) fn log_emitted(&mut self, id: ExecutionId, entries: &[Entry], now: Timestamp) {
        let Some(resident) = self.residents.get(&id) else { return };
        let namespace = &*resident.execution.workflow().document.namespace;
        for entry in entries {
            if let Entry::EventEmitted { event, .. } = entry
                && let Ok(event) = CloudEvent::from_value(event)
            {
                let event = event.within(namespace);
                let event = NewEvent::new(&event, now, &*self.options.sealer);
                self.pending.commit.events.push(event);
            }
        }
    }

    /// Finds out who listens in an execution that has changed or was taken in.
    pub(super) fn note_listeners(&mut self, id: ExecutionId) {
        let Some(resident) = self.residents.get(&id) else { return self.feeder.forget(id) };
        self.feeder.update(id, asking(resident));
    }

    /// Feeds what is read to those that ask for it, and asks for more of the log where somebody is behind.
    pub(super) fn feed_events(&mut self, now: Timestamp) {
        while self.pending.commit.turns.len() < MAX_TURNS_AHEAD {
            let Some((listener, event)) = self.feeder.next_offer() else { break };
            self.offer(listener, event, now);
        }
        if let Some(after) = self.feeder.wanted_page() {
            self.outputs.push(Output::ReadEvents { after, limit: PAGE });
        }
        for id in self.feeder.take_rested() {
            self.parking.touch(id);
            self.settle_anew(id);
        }
    }

    /// Feeds a listener an event that may concern it.
    fn offer(&mut self, listener: Listener, (position, event): Placed, now: Timestamp) {
        let (id, task) = listener;
        if !self.is_addressed(listener, &event) {
            return self.feeder.advance(listener, position);
        }
        if !self.residents.contains_key(&id) {
            self.feeder.hold(id);
            // Taken in, it asks again.
            return self.with(id, Awaiting::Fact(Input::Continue), now);
        }
        let input = Input::EventArrived { task, position, event: (*event).clone() };
        // The turn asks who listens, so the cursor goes first.
        self.feeder.advance(listener, position);
        match self.feed(id, input, now) {
            Ok(()) | Err(Rejection::NotMatched) => {}
            // Until a turn of the execution says that it asks again.
            Err(_) => self.feeder.drop_listener(listener),
        }
    }

    /// Whether an event is for everybody, for the namespace of the execution that listens, for that itself, or for one that
    /// started it.
    fn is_addressed(&self, listener: Listener, event: &CloudEvent) -> bool {
        let asking = self.feeder.asking(listener);
        let home = asking.as_ref().map(|asking| &*asking.workflow.document.namespace);
        if event.namespace().is_some_and(|namespace| Some(namespace) != home) {
            return false;
        }
        let Some(address) = event.address() else { return true };
        let Ok(address) = address.parse::<ExecutionId>() else { return false };
        let parent = asking.and_then(|asking| asking.parent);
        let mut around = parent;
        while let Some(id) = around.filter(|id| *id != address) {
            let resident = self.residents.get(&id);
            around = resident.and_then(|it| it.execution.parent()).map(|it| it.execution);
        }
        listener.0 == address || around.is_some()
    }
}

/// What an execution awaits.
pub(super) fn awaited(resident: &Resident) -> Vec<Awaited> {
    let execution = resident.execution.id();
    let awaited = asking(resident).into_iter().map(|asking| Awaited {
        execution,
        task: asking.task,
        reference: asking.reference,
        kinds: asking.interests.into_iter().map(|interest| interest.kind).collect(),
    });
    awaited.collect()
}

fn asking(resident: &Resident) -> Vec<Asking> {
    let asking = resident.execution.outstanding().filter_map(|command| match command {
        Command::AwaitEvent { task, reference, after, interests } => {
            let workflow = resident.execution.workflow().clone();
            let parent = resident.execution.parent().map(|parent| parent.execution);
            let definition = resident.execution.digest();
            Some(Asking { task, reference, parent, definition, workflow, after, interests })
        }
        _ => None,
    });
    asking.collect()
}
