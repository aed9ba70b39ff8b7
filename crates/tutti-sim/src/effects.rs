//! Counts the side effects of calls, independently of the journal.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tutti_connectors::Call;
use tutti_engine::CallOutcome;
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::{Effect, Entry, Error, Timestamp};

use crate::{Reply, invariants::Shadows};

/// What calls did to the world outside.
#[derive(Debug, Default)]
pub struct Effects {
    /// The calls that left, in order.
    made: Vec<Made>,
    /// Keys of `once` calls whose outcome was on record as unknown.
    unknown: BTreeSet<(ExecutionId, Arc<str>)>,
    /// Task executions whose latest call is on record as failed or not made: going back may make it again.
    ineffective: BTreeSet<(ExecutionId, Sequence)>,
    /// Keys of calls that are on record as ended well.
    completed: BTreeSet<(ExecutionId, Arc<str>)>,
    /// Task executions whose call or child is on record as ended well.
    ended_well: BTreeSet<(ExecutionId, Sequence)>,
    applied: BTreeMap<(ExecutionId, Arc<str>), u32>,
    seen: BTreeMap<ExecutionId, usize>,
    keys: BTreeMap<(ExecutionId, Sequence), Arc<str>>,
    problems: Vec<String>,
}

/// One call that left.
#[derive(Debug, Clone)]
pub struct Made {
    /// The call.
    pub call: Call,
    /// In which life of the process.
    pub restarts: u64,
    /// When.
    pub at: Timestamp,
}

impl Effects {
    /// The calls that left, in order.
    pub fn made(&self) -> &[Made] {
        &self.made
    }

    /// What must not have happened.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// A call leaves. A `once` call that will end well, or of which nobody knows, takes effect now.
    pub(crate) fn on_made(&mut self, call: &Call, reply: &Reply, (restarts, at): (u64, Timestamp)) {
        let again = self.made.iter().any(|made| {
            made.restarts == restarts
                && call.effect == Effect::Once
                && !self.ineffective.contains(&(call.execution, call.task))
                && (made.call.execution, made.call.task, made.call.attempt)
                    == (call.execution, call.task, call.attempt)
        });
        if again {
            self.problem(call, "the same attempt was made twice in one life of the process");
        }
        self.made.push(Made { call: call.clone(), restarts, at });
        let takes_effect = match reply {
            Reply::In(_, CallOutcome::Completed(_) | CallOutcome::Unknown(_)) | Reply::Never => {
                true
            }
            Reply::In(_, CallOutcome::Failed(_) | CallOutcome::NotMade) => false,
        };
        if call.effect != Effect::Once || !takes_effect {
            return;
        }
        let key = (call.execution, call.key.clone());
        let count = self.applied.entry(key.clone()).or_default();
        *count += 1;
        if *count > 1 && !self.unknown.contains(&key) {
            self.problem(
                call,
                "a once call took effect twice, and no unknown outcome is on record",
            );
        }
    }

    /// Entries were stored: learns which keys have an unknown outcome on record.
    pub(crate) fn on_written(&mut self, shadows: &Shadows, id: ExecutionId) {
        let Some(shadow) = shadows.get(id) else { return };
        let seen = self.seen.entry(id).or_default();
        for turn in &shadow.turns[*seen..] {
            for entry in &turn.entries {
                match entry {
                    Entry::CallScheduled { task, call } => {
                        self.keys.insert((id, *task), call.key.clone());
                        if self.completed.contains(&(id, call.key.clone())) {
                            self.problems.push(format!(
                                "{id} {task}: the key {} of a call that ended well is used again",
                                call.key
                            ));
                        }
                    }
                    Entry::CallCompleted { task, .. } => {
                        if !self.ended_well.insert((id, *task)) {
                            self.problems.push(format!("{id} {task}: its call ended well twice"));
                        }
                        if let Some(key) = self.keys.get(&(id, *task)) {
                            self.completed.insert((id, key.clone()));
                        }
                    }
                    Entry::CallDispatched { task } => _ = self.ineffective.remove(&(id, *task)),
                    Entry::CallFailed { task, error } if !is_unknown(error) => {
                        self.ineffective.insert((id, *task));
                    }
                    Entry::CallRescheduled { task } => _ = self.ineffective.insert((id, *task)),
                    Entry::CallOutcomeUnknown { task, .. } => {
                        if let Some(key) = self.keys.get(&(id, *task)) {
                            self.unknown.insert((id, key.clone()));
                        }
                    }
                    _ => {}
                }
            }
        }
        *seen = shadow.turns.len();
    }

    fn problem(&mut self, call: &Call, what: &str) {
        let Call { execution, reference, attempt, .. } = call;
        self.problems.push(format!(
            "{what}: {execution} {} attempt {attempt} key {}",
            reference.as_str(),
            call.key
        ));
    }
}

fn is_unknown(error: &Error) -> bool {
    error.kind.ends_with("outcome-unknown")
}
