//! The calls of a whole journal, void or not: which keys are spent, and which a re-run takes over.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tutti_ids::Sequence;
use tutti_journal::{Entry, Resolution};

use super::Recorded;
use crate::{Execution, frame::Place};

/// The calls of a journal.
#[derive(Default)]
pub(super) struct Calls {
    /// The latest call at each place: the entry that scheduled it, and its key.
    latest: BTreeMap<Place, (Sequence, Arc<str>)>,
    keys: BTreeMap<Arc<str>, Made>,
    by_task: BTreeMap<Sequence, Arc<str>>,
}

/// What became of the calls under one key.
#[derive(Default)]
struct Made {
    attempts: u32,
    ended_well: bool,
}

impl Calls {
    /// Takes note of an entry that was just folded into the state.
    pub(super) fn note(&mut self, state: &Execution, recorded: Recorded<'_>) {
        match recorded.entry {
            Entry::CallScheduled { task, call } => {
                let Some(frame) = state.frame(*task) else { return };
                let made = self.keys.entry(call.key.clone()).or_default();
                made.attempts = made.attempts.max(call.attempt);
                self.latest.insert(state.place(frame), (recorded.sequence, call.key.clone()));
                self.by_task.insert(*task, call.key.clone());
            }
            Entry::CallRescheduled { task }
            | Entry::IncidentResolved { task, resolution: Resolution::Retry } => {
                self.note_again(*task);
            }
            Entry::CallCompleted { task, .. }
            | Entry::IncidentResolved { task, resolution: Resolution::Complete { .. } } => {
                if let Some(made) = self.made(*task) {
                    made.ended_well = true;
                }
            }
            _ => {}
        }
    }

    /// The call of a task execution is made once more.
    pub(super) fn note_again(&mut self, task: Sequence) {
        if let Some(made) = self.made(task) {
            made.attempts += 1;
        }
    }

    /// Settles whose key goes where after going back. A call that is void and did not end well hands its key to its
    /// re-run; a key under which a call ended well is never used again, whoever held it before.
    pub(super) fn hand_keys(&self, state: &mut Execution, counting: &BTreeSet<Sequence>) {
        let void = self.latest.iter().filter(|(_, (scheduled, _))| !counting.contains(scheduled));
        state.handed_keys = void
            .filter_map(|(place, (_, key))| {
                let made = self.keys.get(key).filter(|made| !made.ended_well)?;
                Some((place.clone(), (key.clone(), made.attempts)))
            })
            .collect();
        for keys in state.frames.values_mut().filter_map(|frame| frame.body.keys_mut()) {
            keys.retain(|_, (key, attempts)| match self.keys.get(key) {
                Some(made) => {
                    *attempts = made.attempts;
                    !made.ended_well
                }
                None => true,
            });
        }
    }

    fn made(&mut self, task: Sequence) -> Option<&mut Made> {
        self.keys.get_mut(self.by_task.get(&task)?)
    }
}
