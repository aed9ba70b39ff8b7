//! The decider that owns schedules.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    num::NonZeroU32,
};

use tutti_journal::Timestamp;

use super::{
    entry::Entry,
    input::{CatchUp, Input},
    output::Output,
    pace::Pace,
    spec::ScheduleId,
};

/// Owns schedules: says which nominal time is started when, and which is not.
///
/// Whoever drives it commits outputs in their order, each with what it decides ([`Past::decided`](super::Past::decided) and the times that run
/// or wait), and shows or does nothing before that. Where a commit fails, the scheduler is dropped and a new one is told the past.
#[derive(Debug)]
pub struct Scheduler {
    entries: BTreeMap<ScheduleId, Entry>,
    due: BTreeSet<(Timestamp, ScheduleId)>,
    due_of: BTreeMap<ScheduleId, Timestamp>,
    /// Schedules with a start that makes up for a missed time: they take turns.
    backlog: VecDeque<ScheduleId>,
    pace: Pace,
    armed: Option<Timestamp>,
}

impl Scheduler {
    /// Starts that make up for missed times in a second, of all schedules together, where nothing else is asked for.
    pub const CATCH_UP_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

    /// A scheduler without schedules.
    pub fn new(catch_up_per_second: NonZeroU32) -> Self {
        Self {
            entries: BTreeMap::new(),
            due: BTreeSet::new(),
            due_of: BTreeMap::new(),
            backlog: VecDeque::new(),
            pace: Pace::new(catch_up_per_second),
            armed: None,
        }
    }

    /// Takes note of what happened, and says what is to be done.
    pub fn on(&mut self, input: Input, now: Timestamp) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Activated { schedule, spec, past, catch_up } => {
                let mut entry = Entry::new(schedule.clone(), *spec, past);
                if catch_up == CatchUp::WhenConfirmed
                    && let Some(first) = entry.first_missed(now)
                {
                    entry.rests = true;
                    out.push(Output::Ask { schedule: schedule.clone(), first });
                }
                self.entries.insert(schedule.clone(), entry);
                self.move_on(&schedule, now, &mut out);
            }
            Input::Deactivated { schedule } => {
                if let Some(entry) = self.entries.remove(&schedule) {
                    entry.deactivate(now, &mut out);
                }
                self.set_due(&schedule);
            }
            Input::ExecutionEnded { schedule, nominal } => {
                if let Some(entry) = self.entries.get_mut(&schedule) {
                    entry.ended(nominal, now);
                }
                self.move_on(&schedule, now, &mut out);
            }
            Input::CatchUpConfirmed { schedule, run } => {
                if let Some(entry) = self.entries.get_mut(&schedule) {
                    entry.confirm(run, now, &mut out);
                }
                self.move_on(&schedule, now, &mut out);
            }
            Input::Tick => {}
        }
        self.tick(now, &mut out);
        out
    }

    fn tick(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let due: Vec<ScheduleId> = self
            .due
            .iter()
            .take_while(|(due, _)| *due <= now)
            .map(|(_, schedule)| schedule.clone())
            .collect();
        for schedule in due {
            self.move_on(&schedule, now, out);
        }
        self.catch_up(now, out);
        self.arm(now, out);
    }

    /// Decides what a schedule can decide now, except what needs a pace.
    fn move_on(&mut self, schedule: &ScheduleId, now: Timestamp, out: &mut Vec<Output>) {
        if let Some(entry) = self.entries.get_mut(schedule) {
            entry.drain(out);
            entry.look(now);
            if entry.settle(out) && !std::mem::replace(&mut entry.takes_turns, true) {
                self.backlog.push_back(schedule.clone());
            }
        }
        self.set_due(schedule);
    }

    /// Starts what makes up for missed times, as many as the pace allows.
    fn catch_up(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        while let Some(schedule) = self.backlog.pop_front() {
            let Some(entry) = self.entries.get_mut(&schedule) else { continue };
            if !self.pace.take(now) {
                self.backlog.push_front(schedule);
                return;
            }
            entry.takes_turns = false;
            entry.catch_up(out);
            self.move_on(&schedule, now, out);
        }
    }

    fn set_due(&mut self, schedule: &ScheduleId) {
        if let Some(before) = self.due_of.remove(schedule) {
            self.due.remove(&(before, schedule.clone()));
        }
        if let Some(due) = self.entries.get(schedule).and_then(Entry::due) {
            self.due_of.insert(schedule.clone(), due);
            self.due.insert((due, schedule.clone()));
        }
    }

    fn arm(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let paced = (!self.backlog.is_empty()).then(|| Pace::next(now));
        let next = self.due.first().map(|(due, _)| *due);
        let due = match (paced, next) {
            (Some(paced), Some(next)) => Some(paced.min(next)),
            (paced, next) => paced.or(next),
        };
        if due != self.armed {
            self.armed = due;
            out.push(Output::Arm { due });
        }
    }
}

#[cfg(test)]
mod at_most_once;
#[cfg(test)]
mod tests;
