//! What people see of the schedules that are kept.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tutti_ids::{ExecutionId, Name};
use tutti_journal::Timestamp;
use tutti_runtime::schedule::{ScheduleId, Spec};

use crate::past::StoredPast;

/// How many nominal times are shown ahead.
const AHEAD: usize = 5;

/// The schedules that are kept, for whoever asks.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<BTreeMap<ScheduleId, (Spec, StoredPast)>>);

/// A schedule as it is shown.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) id: ScheduleId,
    /// The next nominal times.
    pub(crate) next: Vec<Timestamp>,
    /// The last nominal time that was started, queued or recorded as missed.
    pub(crate) decided: Option<Timestamp>,
    /// The executions that go on.
    pub(crate) running: Vec<ExecutionId>,
}

impl Board {
    pub(crate) fn show(&self, schedule: &ScheduleId, spec: &Spec, past: &StoredPast) {
        self.all().insert(schedule.clone(), (spec.clone(), past.clone()));
    }

    pub(crate) fn note(&self, schedule: &ScheduleId, past: &StoredPast) {
        if let Some((_, shown)) = self.all().get_mut(schedule) {
            *shown = past.clone();
        }
    }

    pub(crate) fn keep_only(&self, is_kept: impl Fn(&ScheduleId) -> bool) {
        self.all().retain(|schedule, _| is_kept(schedule));
    }

    /// The schedules of a namespace, as they stand at a moment.
    pub(crate) fn of(&self, namespace: &Name, now: Timestamp) -> Vec<Shown> {
        let shown = self.all();
        let of_it = shown.iter().filter(|(id, _)| id.namespace == *namespace);
        let of_it = of_it.map(|(id, (spec, past))| {
            let after = past.decided().map_or(now, |decided| decided.max(now));
            Shown {
                id: id.clone(),
                next: spec.timing.next_n(past.anchor(), after, AHEAD),
                decided: past.decided(),
                running: past.running().into_iter().map(|(_, execution)| execution).collect(),
            }
        });
        of_it.collect()
    }

    /// How many schedules are kept, and how many of their nominal times wait.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let shown = self.all();
        (shown.len(), shown.values().map(|(_, past)| past.queued()).sum())
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<ScheduleId, (Spec, StoredPast)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
