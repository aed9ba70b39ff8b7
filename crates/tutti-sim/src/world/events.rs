//! Events: what is received, and how listeners are fed with it.

use std::collections::BTreeSet;

use tutti_engine::{Command, EventCorrelation, Execution, Status, correlation_of};
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::{CloudEvent, Entry, EventPosition};
use tutti_runtime::Happening;

use super::{World, outputs::Pending};
use crate::invariants::Shadow;

impl World {
    /// An event is received, durably.
    pub fn receive(&mut self, event: CloudEvent) {
        self.say(&format!("event {} {}", self.events.len() + 1, event.kind()));
        self.events.push(event);
    }

    /// All events received, in order; the first has position 1.
    pub fn events(&self) -> &[CloudEvent] {
        &self.events
    }

    pub(super) fn newest_event(&self) -> EventPosition {
        EventPosition(self.events.len() as u64)
    }

    /// Listeners that ask for events and have not seen all are fed next.
    pub(super) fn offer_events(&mut self) {
        if self.events.is_empty() {
            return;
        }
        let offered: BTreeSet<(ExecutionId, Sequence)> = self
            .pending
            .iter()
            .filter_map(|pending| match pending {
                Pending::Event(execution, task) => Some((*execution, *task)),
                _ => None,
            })
            .collect();
        let asking = self.shadows.iter().flat_map(|shadow| asking(self.live(shadow)));
        let behind = asking.filter(|(listener, after)| {
            !offered.contains(listener) && self.fed_to(*listener, *after) < self.newest_event()
        });
        let behind: Vec<_> = behind.map(|((id, task), _)| Pending::Event(id, task)).collect();
        self.pending.extend(behind);
    }

    /// An execution as its loop has it; as it is stored where it is not in memory.
    fn live<'a>(&'a self, shadow: &'a Shadow) -> &'a Execution {
        let id = shadow.execution.id();
        self.owners[self.owner_of(id)].execution(id).unwrap_or(&shadow.execution)
    }

    fn fed_to(&self, listener: (ExecutionId, Sequence), after: EventPosition) -> EventPosition {
        self.fed.get(&listener).copied().unwrap_or_default().max(after)
    }

    /// Feeds the next event to a listener that still asks for it.
    pub(super) fn feed(&mut self, execution: ExecutionId, task: Sequence) {
        let listener = (execution, task);
        let Some(live) = self.shadows.get(execution).map(|shadow| self.live(shadow)) else {
            return;
        };
        let asked = live.outstanding().find(
            |owed| matches!(owed, Command::AwaitEvent { task: asking, .. } if *asking == task),
        );
        let Some(Command::AwaitEvent { after, reference, interests, .. }) = asked else { return };
        let position = EventPosition(self.fed_to(listener, after).0 + 1);
        let at = usize::try_from(position.0).unwrap_or(usize::MAX).saturating_sub(1);
        let Some(event) = self.events.get(at).cloned() else { return };
        let workflow = live.workflow().clone();
        self.fed.insert(listener, position);
        let concerns = interests.iter().any(|interest| {
            let correlation = interest.filter.map_or(EventCorrelation::Anybody, |filter| {
                correlation_of(&workflow, &reference, filter, &event)
            });
            interest.admits(&event, correlation)
        });
        if !concerns {
            return;
        }
        let event = Box::new(event);
        self.tell(execution, Happening::EventArrived { execution, task, position, event });
    }

    /// What a turn emitted is received in the same moment as the turn is stored.
    pub(super) fn receive_emitted(&mut self, id: ExecutionId) {
        let last = self.shadows.get(id).and_then(|shadow| shadow.turns.last());
        let emitted =
            last.into_iter().flat_map(|turn| &turn.entries).filter_map(|entry| match entry {
                Entry::EventEmitted { event, .. } => Some(CloudEvent::from_value(event)),
                _ => None,
            });
        for event in emitted.collect::<Vec<_>>() {
            match event {
                Ok(event) => self.receive(event),
                Err(error) => self.problems.push(format!("{id} emitted no event: {error}")),
            }
        }
    }

    pub(super) fn is_listening(&self, id: ExecutionId) -> bool {
        self.shadows.get(id).is_some_and(|shadow| {
            let execution = &shadow.execution;
            execution.status() == Status::Waiting
                && execution.outstanding().any(|owed| match owed {
                    Command::AwaitEvent { .. } => true,
                    Command::StartChild(request) => self.is_listening(request.execution),
                    _ => false,
                })
        })
    }
}

/// The listeners of an execution that ask for events, each with the position it wants more after.
fn asking(execution: &Execution) -> impl Iterator<Item = ((ExecutionId, Sequence), EventPosition)> {
    execution.outstanding().filter_map(|command| match command {
        Command::AwaitEvent { task, after, .. } => Some(((execution.id(), task), after)),
        _ => None,
    })
}
