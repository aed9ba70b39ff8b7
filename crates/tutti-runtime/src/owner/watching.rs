//! Who wants to know when an execution ends or needs a person or an event.
//!
//! That an execution has ended, its own loop sees. That only a person or an event can move it, is also about its children,
//! which other loops may own: it counts them. Each child answers how it stands, after counting its own; one that moves ends the count.
//! Whatever comes to a standstill says so upwards, and whoever is watched counts again.

use std::collections::BTreeSet;

use tutti_engine::{Execution, Input, Limits, Status};
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::{Error, ErrorType, SuspensionReason, Timestamp};

use super::{Loop, events::awaited, loading::Awaiting};
use crate::happening::{Incident, Message, Output, RequestId, Settlement, Standing};

/// A count under way: whether all children of an execution stand still.
#[derive(Debug)]
pub(super) struct Count {
    of: ExecutionId,
    asked_by: Asker,
    /// The children that have not answered.
    left: BTreeSet<ExecutionId>,
    standing: Standing,
    /// Something below came to a standstill meanwhile: a count that fails is made again.
    again: bool,
}

/// Who wants to know.
#[derive(Debug)]
enum Asker {
    Watchers(Vec<RequestId>),
    Parent(ExecutionId, u64),
}

impl Loop {
    /// Answers the watchers of an execution that has ended, and has its children counted where it stands still, as far as
    /// that is durable.
    pub(super) fn settle(&mut self, id: ExecutionId) {
        let Some(resident) = self.residents.get(&id).filter(|resident| resident.is_settled())
        else {
            return;
        };
        if let Some(outcome) = resident.execution.outcome() {
            let settlement = Settlement::Ended(outcome.clone());
            return self.answer(id, &settlement);
        }
        if self.watchers.contains_key(&id) && self.stands(id) {
            let watchers = self.watchers.remove(&id).unwrap_or_default();
            self.count(id, Asker::Watchers(watchers));
        }
    }

    /// There is news of an execution or of what is below it. Counts do not make news, so each ends.
    pub(super) fn settle_anew(&mut self, id: ExecutionId) {
        for count in self.counts.values_mut().filter(|count| count.of == id) {
            count.again = true;
        }
        self.settle(id);
        self.say_if_it_stands(id);
    }

    /// Tells the parent that an execution stands still: that may be what those above were waiting for.
    pub(super) fn say_if_it_stands(&mut self, id: ExecutionId) {
        let Some(resident) = self.residents.get(&id) else { return };
        let parent = resident.execution.parent().filter(|parent| parent.awaits);
        if let Some(parent) = parent.map(|parent| parent.execution)
            && self.stands(id)
        {
            self.tell(parent, Message::Stands);
        }
    }

    /// Whether only a person can move it, or a child, or an event that is not in the log yet.
    fn stands(&mut self, id: ExecutionId) -> bool {
        self.residents.get(&id).is_some_and(|resident| {
            let hears_nothing = resident.execution.status() == Status::Suspended;
            resident.stands() && (hears_nothing || self.feeder.has_fed(id))
        })
    }

    pub(super) fn answer(&mut self, id: ExecutionId, settlement: &Settlement) {
        self.give_up_counts(|of| of == id);
        for request in self.watchers.remove(&id).unwrap_or_default() {
            self.outputs.push(Output::Settled(request, settlement.clone()));
        }
    }

    /// Ends the counts that watchers of these executions asked for; they go on watching.
    pub(super) fn give_up_counts(&mut self, of: impl Fn(ExecutionId) -> bool) {
        let given_up = |_: &u64, count: &mut Count| {
            of(count.of) && matches!(count.asked_by, Asker::Watchers(_))
        };
        let given_up: Vec<Count> =
            self.counts.extract_if(.., given_up).map(|(_, count)| count).collect();
        for count in given_up {
            self.watch_on(count.of, count.asked_by);
        }
    }

    /// A parent counts: answers how this child stands.
    pub(super) fn be_counted(&mut self, child: ExecutionId, parent: ExecutionId, number: u64) {
        if self.stands(child) {
            self.count(child, Asker::Parent(parent, number));
        } else {
            self.tell(parent, Message::Counted { child, number, standing: None });
        }
    }

    fn count(&mut self, of: ExecutionId, asked_by: Asker) {
        let Some(resident) = self.residents.get(&of) else { return };
        let execution = &resident.execution;
        let incidents = execution.incidents().map(|(task, reference, error)| Incident {
            execution: of,
            task,
            reference,
            error: error.clone(),
        });
        let standing = Standing {
            is_suspended: execution.status() == Status::Suspended,
            incidents: incidents.chain(journal_limit(execution, &self.options.limits)).collect(),
            awaited: awaited(resident),
            lost: None,
        };
        let left: BTreeSet<ExecutionId> = resident.children().collect();
        let count = Count { of, asked_by, left, standing, again: false };
        if count.left.is_empty() {
            return self.conclude(count);
        }
        self.counted += 1;
        let number = self.counted;
        for child in &count.left {
            let message = Message::Count { parent: of, number };
            self.outputs.push(Output::Tell { to: *child, message });
        }
        self.counts.insert(number, count);
    }

    pub(super) fn on_counted(
        &mut self,
        child: ExecutionId,
        number: u64,
        standing: Option<Standing>,
        now: Timestamp,
    ) {
        // A count that has ended, or is of a time before the last restart, is nobody's any more.
        let Some(mut count) = self.counts.remove(&number) else { return };
        if !count.left.remove(&child) {
            self.counts.insert(number, count);
            return;
        }
        let Some(standing) = standing else { return self.on_count_failed(count, now) };
        count.standing.is_suspended |= standing.is_suspended;
        count.standing.incidents.extend(standing.incidents);
        count.standing.awaited.extend(standing.awaited);
        count.standing.lost = count.standing.lost.or(standing.lost);
        if count.left.is_empty() {
            self.conclude(count);
        } else {
            self.counts.insert(number, count);
        }
    }

    fn conclude(&mut self, count: Count) {
        let Count { of, asked_by, standing, .. } = count;
        match (asked_by, standing) {
            (Asker::Parent(parent, number), standing) => {
                let standing = Some(standing);
                self.tell(parent, Message::Counted { child: of, number, standing });
            }
            (Asker::Watchers(requests), standing) => match settlement(standing) {
                Some(settlement) => {
                    let settled = |request| Output::Settled(request, settlement.clone());
                    self.outputs.extend(requests.into_iter().map(settled));
                }
                None => self.watch_on(of, Asker::Watchers(requests)),
            },
        }
    }

    /// Something below moves.
    fn on_count_failed(&mut self, count: Count, now: Timestamp) {
        match count.asked_by {
            Asker::Parent(parent, number) => {
                self.tell(parent, Message::Counted { child: count.of, number, standing: None });
            }
            asked_by @ Asker::Watchers(_) => {
                self.watch_on(count.of, asked_by);
                if count.again && self.residents.contains_key(&count.of) {
                    self.settle(count.of);
                } else if count.again {
                    // Whatever loads it has it settled.
                    self.with(count.of, Awaiting::Fact(Input::Continue), now);
                }
            }
        }
    }

    fn watch_on(&mut self, id: ExecutionId, asked_by: Asker) {
        if let Asker::Watchers(requests) = asked_by {
            self.watchers.entry(id).or_default().extend(requests);
        }
    }

    /// Some execution was set aside: whoever is watched may wait for it in vain.
    pub(super) fn reconsider(&mut self, now: Timestamp) {
        let counted = self.counts.values().map(|count| count.of);
        let watched: BTreeSet<ExecutionId> = self.watchers.keys().copied().chain(counted).collect();
        for id in watched {
            self.with(id, Awaiting::Stands, now);
        }
    }
}

/// What is told of an execution that stands still like this; none where it only seems so.
fn settlement(standing: Standing) -> Option<Settlement> {
    match standing {
        Standing { is_suspended: true, incidents, .. } => Some(Settlement::Suspended { incidents }),
        Standing { lost: Some(reason), .. } => Some(Settlement::Lost(reason)),
        Standing { awaited, .. } if awaited.is_empty() => None,
        Standing { awaited, .. } => Some(Settlement::Listening { awaited }),
    }
}

/// The incident of an execution whose journal may grow only if a person says so.
fn journal_limit(execution: &Execution, limits: &Limits) -> Option<Incident> {
    let reason = execution.suspended()?;
    let detail = format!(
        "the journal has grown by {} entries; resume the execution to grant as many again, or cancel it",
        limits.journal_entries
    );
    (*reason == SuspensionReason::JournalLimit).then(|| Incident {
        execution: execution.id(),
        task: Sequence::FIRST,
        reference: TaskRef::root(),
        error: Error::new(ErrorType::Runtime, detail),
    })
}
