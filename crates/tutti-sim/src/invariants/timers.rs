//! Timers as the journal tells of them: none fires early, each fires once.

use std::collections::BTreeMap;

use tutti_ids::Sequence;
use tutti_journal::{Entry, Timestamp, Turn};

/// What an execution waits for the time of, by task execution.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    armed: BTreeMap<(Sequence, Kind), Timer>,
    parents: BTreeMap<Sequence, Sequence>,
    suspended_since: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A `wait`.
    Wait,
    /// The time before the next attempt of a `try`.
    Delay,
    /// The timeout of a task, or of the workflow.
    Timeout,
    /// The limit of one attempt of a `try`.
    Attempt,
}

#[derive(Debug)]
struct Timer {
    /// As the entry says.
    recorded: Timestamp,
    /// Later by the time the execution was suspended.
    due: Timestamp,
    /// The entry that told of its firing.
    fired: Option<Sequence>,
}

impl Timers {
    /// Reads a turn and says which timers fired early or again.
    pub(crate) fn on_turn(&mut self, turn: &Turn) -> Vec<String> {
        let mut problems = Vec::new();
        for (entry, sequence) in turn.entries.iter().zip(turn.first.0..) {
            if let Some(problem) = self.on_entry(turn.at, Sequence(sequence), entry) {
                problems.push(format!("{} {sequence}: {problem}", turn.execution));
            }
        }
        problems
    }

    fn on_entry(&mut self, at: Timestamp, sequence: Sequence, entry: &Entry) -> Option<String> {
        match entry {
            Entry::InputAccepted { due, .. } => self.arm(Sequence::FIRST, Kind::Timeout, *due),
            Entry::TaskStarted { parent, due, .. } => {
                self.parents.insert(sequence, *parent);
                self.arm(sequence, Kind::Timeout, *due);
            }
            Entry::ItemStarted { task, .. } => _ = self.parents.insert(sequence, *task),
            Entry::WaitStarted { task, due } => self.arm(*task, Kind::Wait, Some(*due)),
            Entry::RetryScheduled { task, due, .. } => {
                self.armed.remove(&(*task, Kind::Attempt));
                self.arm(*task, Kind::Delay, Some(*due));
            }
            Entry::RetryStarted { task, due } => {
                let early = self.fire((*task, Kind::Delay), at, sequence);
                self.arm(*task, Kind::Attempt, *due);
                return early;
            }
            Entry::ErrorCaught { task, .. } => _ = self.armed.remove(&(*task, Kind::Attempt)),
            Entry::TaskCompleted { task, .. } => {
                return self.fire((*task, Kind::Wait), at, sequence);
            }
            Entry::TaskTimedOut { task, .. } => return self.time_out(*task, at, sequence),
            Entry::ExecutionSuspended { .. } => _ = self.suspended_since.get_or_insert(at),
            Entry::ExecutionResumed => self.resume(at),
            Entry::Rewound { to } => self.go_back(*to),
            _ => {}
        }
        None
    }

    fn arm(&mut self, task: Sequence, kind: Kind, due: Option<Timestamp>) {
        match due {
            Some(due) => {
                self.armed.insert((task, kind), Timer { recorded: due, due, fired: None });
            }
            None => _ = self.armed.remove(&(task, kind)),
        }
    }

    /// A timer of which nothing is on record is not one that fired.
    fn fire(
        &mut self,
        (task, kind): (Sequence, Kind),
        at: Timestamp,
        by: Sequence,
    ) -> Option<String> {
        let timer = self.armed.get_mut(&(task, kind))?;
        if timer.fired.replace(by).is_some() {
            return Some(format!("the {kind:?} of {task} fired twice"));
        }
        (at < timer.due)
            .then(|| format!("the {kind:?} of {task} fired {} ms early", timer.due.ms_since(at)))
    }

    /// A task is over its own time, or over that of the attempt it runs in.
    fn time_out(&mut self, task: Sequence, at: Timestamp, by: Sequence) -> Option<String> {
        let own = (task, Kind::Timeout);
        let is_due = |timer: &Timer| timer.fired.is_none() && timer.due <= at;
        let around = self.parents.get(&task).map(|parent| (*parent, Kind::Attempt));
        let attempt = around.filter(|key| self.armed.get(key).is_some_and(is_due));
        if let (Some(attempt), false) = (attempt, self.armed.get(&own).is_some_and(is_due)) {
            return self.fire(attempt, at, by);
        }
        if !self.armed.contains_key(&own) {
            return Some(format!("{task} timed out before any time was up"));
        }
        self.fire(own, at, by)
    }

    /// What was left of each timer when the execution was suspended is left of it still.
    fn resume(&mut self, at: Timestamp) {
        let Some(since) = self.suspended_since.take() else { return };
        let pause = at.ms_since(since);
        for timer in self.armed.values_mut().filter(|timer| timer.fired.is_none()) {
            timer.due = timer.due.plus_ms(pause);
        }
    }

    /// What happened since the task began is void, pauses included, save in branches beside it: those timers are armed
    /// again, as they were recorded.
    fn go_back(&mut self, to: Sequence) {
        self.suspended_since = None;
        for timer in self.armed.values_mut() {
            timer.due = timer.recorded;
            timer.fired = timer.fired.filter(|fired| *fired < to);
        }
    }
}
