//! Timers as the journal tells of them: none fires early, each fires once, and one that is due fires.

use std::collections::{BTreeMap, BTreeSet};

use tutti_dsl::{Task, TaskKind, Workflow};
use tutti_ids::Sequence;
use tutti_journal::{Entry, Flow, Timestamp, Turn};

/// Whose time it is, and of what.
type Key = (Sequence, Kind);

/// What an execution waits for the time of, by task execution.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    /// All that were ever armed, the latest last.
    armed: BTreeMap<(Sequence, Kind), Vec<Timer>>,
    parents: BTreeMap<Sequence, Sequence>,
    suspended_since: Option<Timestamp>,
    /// What has ended, or may be about to: its timers mean nothing any more.
    ending: BTreeSet<Sequence>,
    /// What undoes is not given up with what it runs in.
    undoing: BTreeSet<Sequence>,
    /// Branches of which one may win.
    competing: BTreeSet<Sequence>,
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
    /// The entry that armed it.
    by: Sequence,
    /// As the entry says.
    recorded: Timestamp,
    /// Later by the time the execution was suspended.
    due: Timestamp,
    /// The entry that told of its firing.
    fired: Option<Sequence>,
    /// The entry that made it mean nothing any more.
    disarmed: Option<Sequence>,
    /// Whether going back may have moved it.
    is_vague: bool,
}

impl Timers {
    /// Reads a turn and says which timers fired early or again.
    pub(crate) fn on_turn(&mut self, turn: &Turn, workflow: &Workflow) -> Vec<String> {
        let mut problems = Vec::new();
        for (entry, sequence) in turn.entries.iter().zip(turn.first.0..) {
            if let Some(problem) = self.on_entry(turn.at, Sequence(sequence), entry) {
                problems.push(format!("{} {sequence}: {problem}", turn.execution));
            }
            self.note_ending(Sequence(sequence), entry, workflow);
        }
        problems
    }

    fn on_entry(&mut self, at: Timestamp, sequence: Sequence, entry: &Entry) -> Option<String> {
        match entry {
            Entry::InputAccepted { due, .. } => {
                self.arm((Sequence::FIRST, Kind::Timeout), *due, sequence);
            }
            Entry::TaskStarted { parent, due, .. } => {
                self.parents.insert(sequence, *parent);
                self.arm((sequence, Kind::Timeout), *due, sequence);
            }
            Entry::ItemStarted { task, .. } => _ = self.parents.insert(sequence, *task),
            Entry::WaitStarted { task, due } => self.arm((*task, Kind::Wait), Some(*due), sequence),
            Entry::RetryScheduled { task, due, .. } => {
                self.disarm((*task, Kind::Attempt), sequence);
                self.arm((*task, Kind::Delay), Some(*due), sequence);
            }
            Entry::RetryStarted { task, due } => {
                let early = self.fire((*task, Kind::Delay), at, sequence);
                self.arm((*task, Kind::Attempt), *due, sequence);
                return early;
            }
            Entry::ErrorCaught { task, .. } => self.disarm((*task, Kind::Attempt), sequence),
            Entry::TaskCompleted { task, .. } => {
                return self.fire((*task, Kind::Wait), at, sequence);
            }
            Entry::BodyCompleted { task, .. } => {
                let early = self.fire((*task, Kind::Wait), at, sequence);
                self.disarm((*task, Kind::Wait), sequence);
                return early;
            }
            Entry::TaskTimedOut { task, .. } => return self.time_out(*task, at, sequence),
            Entry::ExecutionSuspended { .. } => _ = self.suspended_since.get_or_insert(at),
            Entry::ExecutionResumed => self.resume(at),
            Entry::Rewound { to } => self.go_back(*to),
            _ => {}
        }
        None
    }

    /// The earliest time at which something is surely due; meant for an execution that is neither suspended nor over.
    pub(crate) fn next(&self) -> Option<(Timestamp, String)> {
        let armed = self.armed.iter().filter_map(|(key, timers)| Some((key, timers.last()?)));
        let live = armed.filter(|((task, _), timer)| {
            !timer.is_vague
                && timer.fired.is_none()
                && timer.disarmed.is_none()
                && self.is_alive(*task)
        });
        let next = live.min_by_key(|(_, timer)| timer.due);
        next.map(|((task, kind), timer)| (timer.due, format!("the {kind:?} of {task}")))
    }

    /// Whether nothing suggests that a task execution is over or given up.
    fn is_alive(&self, task: Sequence) -> bool {
        let parent = |task: &Sequence| {
            let parent = self.parents.get(task).copied();
            parent.filter(|_| !self.undoing.contains(task))
        };
        let mut around = std::iter::successors(Some(task), parent);
        around.all(|task| !self.ending.contains(&task))
    }

    /// Errors on the side of the end: what only may end counts as ending.
    fn note_ending(&mut self, sequence: Sequence, entry: &Entry, workflow: &Workflow) {
        match entry {
            Entry::TaskStarted { reference, .. } => {
                let task = workflow.find(reference.as_str()).map(|task| workflow.task(task));
                let competes = |task: &Task| matches!(&task.kind, TaskKind::Fork(it) if it.compete);
                self.competing.extend(task.filter(|task| competes(task)).map(|_| sequence));
            }
            Entry::TaskCompleted { task, then, .. } => {
                self.ending.insert(*task);
                if *then == Flow::End {
                    self.ending.extend(self.around(*task));
                }
                self.end_if_won(self.parents.get(task).copied());
            }
            Entry::TaskFaulted { task, .. } | Entry::TaskTimedOut { task, .. } => {
                let around = self.parents.get(task).copied();
                for failing in std::iter::once(*task).chain(around) {
                    self.may_fail(failing);
                }
            }
            Entry::ReversalStarted { task, .. } => self.may_fail(*task),
            Entry::TaskSkipped { parent, .. } => self.end_if_won(Some(*parent)),
            Entry::BodyCompleted { task, .. } => self.disarm((*task, Kind::Attempt), sequence),
            Entry::RetryScheduled { task, .. } | Entry::ErrorCaught { task, .. } => {
                self.ending.remove(task);
            }
            Entry::TaskCancelled { task } => _ = self.ending.insert(*task),
            Entry::CancelRequested { .. } => _ = self.ending.insert(Sequence::FIRST),
            Entry::UndoStarted { task, .. } => {
                self.parents.insert(sequence, *task);
                self.undoing.insert(sequence);
            }
            // A person may have let end what it was to undo.
            Entry::IncidentResolved { task, .. } if self.undoing.contains(task) => {
                self.ending.extend(self.parents.get(task));
            }
            Entry::Rewound { to } => {
                let around = self.around(*to);
                self.ending.retain(|task| !around.contains(task));
            }
            _ => {}
        }
    }

    /// What fails ends the attempt it runs in, if it is the task of one.
    fn may_fail(&mut self, task: Sequence) {
        self.ending.insert(task);
        let attempt = self.parents.get(&task).map(|around| (*around, Kind::Attempt));
        if let Some(timer) = attempt.and_then(|attempt| self.latest(attempt)) {
            timer.is_vague = true;
        }
    }

    /// A branch has ended well: where branches compete it may have won.
    fn end_if_won(&mut self, branches: Option<Sequence>) {
        self.ending.extend(branches.filter(|branches| self.competing.contains(branches)));
    }

    fn arm(&mut self, key: Key, due: Option<Timestamp>, by: Sequence) {
        self.disarm(key, by);
        let timer = due.map(|due| Timer {
            by,
            recorded: due,
            due,
            fired: None,
            disarmed: None,
            is_vague: false,
        });
        self.armed.entry(key).or_default().extend(timer);
    }

    fn disarm(&mut self, key: Key, by: Sequence) {
        if let Some(timer) = self.latest(key) {
            timer.disarmed = Some(by);
        }
    }

    fn latest(&mut self, key: Key) -> Option<&mut Timer> {
        let timer = self.armed.get_mut(&key)?.last_mut()?;
        Some(timer).filter(|timer| timer.disarmed.is_none())
    }

    fn is_due(&mut self, key: Key, at: Timestamp) -> bool {
        self.latest(key).is_some_and(|timer| timer.fired.is_none() && timer.due <= at)
    }

    /// A timer of which nothing is on record is not one that fired.
    fn fire(&mut self, key: Key, at: Timestamp, by: Sequence) -> Option<String> {
        let (task, kind) = key;
        let timer = self.latest(key)?;
        if timer.fired.replace(by).is_some() {
            return Some(format!("the {kind:?} of {task} fired twice"));
        }
        (at < timer.due)
            .then(|| format!("the {kind:?} of {task} fired {} ms early", timer.due.ms_since(at)))
    }

    /// A task is over its own time, or over that of the attempt it runs in.
    fn time_out(&mut self, task: Sequence, at: Timestamp, by: Sequence) -> Option<String> {
        let own = (task, Kind::Timeout);
        let attempt = self.parents.get(&task).map(|parent| (*parent, Kind::Attempt));
        let attempt = attempt.filter(|attempt| self.is_due(*attempt, at));
        if let Some(attempt) = attempt.filter(|_| !self.is_due(own, at)) {
            return self.fire(attempt, at, by);
        }
        if self.latest(own).is_none() {
            return Some(format!("{task} timed out before any time was up"));
        }
        self.fire(own, at, by)
    }

    /// What was left of each timer when the execution was suspended is left of it still.
    fn resume(&mut self, at: Timestamp) {
        let Some(since) = self.suspended_since.take() else { return };
        let pause = at.ms_since(since);
        for timer in self.armed.values_mut().flatten().filter(|timer| timer.fired.is_none()) {
            timer.due = timer.due.plus_ms(pause);
        }
    }

    /// What happened since the task began is void, pauses included, save in branches beside it: those timers are armed
    /// again, as they were recorded.
    fn go_back(&mut self, to: Sequence) {
        self.suspended_since = None;
        let around = self.around(to);
        for ((task, _), timers) in &mut self.armed {
            if around.contains(task) {
                timers.retain(|timer| timer.by < to);
            }
            for timer in timers {
                timer.is_vague = true;
                timer.due = timer.recorded;
                timer.fired = timer.fired.filter(|fired| *fired < to);
                timer.disarmed = timer.disarmed.filter(|by| *by < to || !around.contains(task));
            }
        }
    }

    /// The task executions around one, and itself.
    fn around(&self, task: Sequence) -> BTreeSet<Sequence> {
        let parent = |task: &Sequence| self.parents.get(task).copied();
        std::iter::successors(Some(task), parent).collect()
    }
}
