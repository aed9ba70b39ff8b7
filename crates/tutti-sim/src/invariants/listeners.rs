//! What listeners hear: every event that matches and came after the execution began, in order, once on each line of flow.

use std::collections::BTreeMap;

use tutti_dsl::{Listen, TaskKind, Workflow};
use tutti_engine::{Command, Execution};
use tutti_ids::Sequence;
use tutti_journal::{CloudEvent, Entry, EventPosition};

use super::tree::Tree;

/// What the listeners of one execution heard.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    /// The last event before the execution began.
    begins_after: EventPosition,
    /// What each consumed, in order.
    heard: BTreeMap<Sequence, Vec<Heard>>,
}

#[derive(Debug)]
struct Heard {
    position: EventPosition,
    /// The filter, and the source and the id that the journal names.
    filter: Option<u32>,
    ends: bool,
    source: String,
    id: String,
}

impl Listeners {
    pub(super) fn on_entry(
        &mut self,
        entry: &Entry,
        tree: &Tree,
        workflow: &Workflow,
    ) -> Vec<String> {
        match entry {
            Entry::ExecutionStarted { events_after, .. } => {
                self.begins_after = events_after.unwrap_or_default();
            }
            Entry::ListenStarted { task, after, .. } if *after != self.begins_after => {
                return vec![format!("{task} listens after {after:?}, not from the beginning")];
            }
            Entry::EventConsumed { task, position, filter, ends, source, id, .. } => {
                let problems = self.problems_of(*task, *position, tree, workflow);
                self.heard.entry(*task).or_default().push(Heard {
                    position: *position,
                    filter: *filter,
                    ends: *ends,
                    source: source.to_string(),
                    id: id.to_string(),
                });
                return problems;
            }
            _ => {}
        }
        Vec::new()
    }

    fn problems_of(
        &self,
        task: Sequence,
        position: EventPosition,
        tree: &Tree,
        workflow: &Workflow,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        if position <= self.begins_after {
            problems.push(format!("{task} hears {position:?}, from before the execution"));
        }
        let before = self.heard.get(&task).and_then(|heard| heard.last());
        if before.is_some_and(|before| before.position >= position) {
            problems.push(format!("{task} hears {position:?} out of order or again"));
        }
        if self.is_used(task, position, tree, workflow) {
            problems.push(format!("{task} hears {position:?}, consumed on its line of flow"));
        }
        problems
    }

    /// Whether an event was consumed where the flow came from.
    fn is_used(
        &self,
        task: Sequence,
        position: EventPosition,
        tree: &Tree,
        workflow: &Workflow,
    ) -> bool {
        let mut others = self
            .heard
            .iter()
            .filter(|(_, heard)| heard.iter().any(|heard| heard.position == position));
        others.any(|(other, _)| !tree.are_beside(*other, task, workflow))
    }

    /// What was heard must be what was received and matches; and nothing that matches may be left unheard by a listener
    /// that still waits when nothing moves any more.
    pub(super) fn compare(
        &self,
        execution: &Execution,
        tree: &Tree,
        events: &[CloudEvent],
    ) -> Vec<String> {
        let workflow = execution.workflow();
        let mut problems = Vec::new();
        for (task, heard) in &self.heard {
            let Some(listen) = listen_of(*task, tree, workflow) else { continue };
            problems.extend(heard.iter().filter_map(|heard| heard.problem(listen, events)));
        }
        for command in execution.outstanding() {
            let Command::AwaitEvent { task, .. } = command else { continue };
            let Some(listen) = listen_of(task, tree, workflow) else { continue };
            let heard = self.heard.get(&task).map_or(&[][..], |heard| heard);
            let missed = (1..).map(EventPosition).zip(events).find(|(position, event)| {
                *position > heard.last().map_or(self.begins_after, |heard| heard.position)
                    && wants(listen, heard, event)
                    && !self.is_used(task, *position, tree, workflow)
            });
            problems.extend(missed.map(|(position, _)| format!("{task} missed {position:?}")));
        }
        let id = execution.id();
        problems.into_iter().map(|problem| format!("{id}: {problem}")).collect()
    }
}

impl Heard {
    fn problem(&self, listen: &Listen, events: &[CloudEvent]) -> Option<String> {
        let at = usize::try_from(self.position.0).ok()?.checked_sub(1)?;
        let Some(event) = events.get(at) else {
            return Some(format!("{:?} was heard and never received", self.position));
        };
        let attribute =
            |name| event.attribute(name).and_then(|value| value.as_str().map(str::to_owned));
        if attribute("source") != Some(self.source.clone())
            || attribute("id") != Some(self.id.clone())
        {
            return Some(format!("{:?} was heard as another event", self.position));
        }
        let filter = usize::try_from(self.filter?).ok()?;
        let own = listen.events.filters.len();
        let fits = listen.filters().nth(filter).is_some_and(|filter| matches(filter, event));
        (!fits || self.ends != (filter >= own)).then(|| {
            format!("{:?} was heard by filter {filter}, which it does not fit", self.position)
        })
    }
}

fn listen_of<'w>(task: Sequence, tree: &Tree, workflow: &'w Workflow) -> Option<&'w Listen> {
    match &tree.task(task, workflow)?.kind {
        TaskKind::Listen(listen) => Some(listen),
        _ => None,
    }
}

/// Whether an event is surely for a listener: one that asks for a correlation may have reasons of its own.
fn wants(listen: &Listen, heard: &[Heard], event: &CloudEvent) -> bool {
    let filters = (0_u32..).zip(listen.filters());
    filters
        .filter(|(number, _)| heard.iter().all(|heard| heard.filter != Some(*number)))
        .any(|(_, filter)| filter.correlations.is_empty() && matches(filter, event))
}

/// Whether the type of an event is as a generated filter wants it.
fn matches(filter: &tutti_dsl::EventFilter, event: &CloudEvent) -> bool {
    filter.attributes.iter().all(|(name, wanted)| {
        let wanted = format!("{wanted:?}");
        &**name != "type"
            || match event.kind() {
                "sim.a" => wanted.contains("sim.a") || wanted.contains("a|b"),
                "sim.b" => wanted.contains("sim.b") || wanted.contains("a|b"),
                _ => false,
            }
    })
}
