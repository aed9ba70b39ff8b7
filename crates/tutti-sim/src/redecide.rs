//! Decides every turn of a journal again, from the state its earlier turns give.

use std::collections::BTreeMap;

use tutti_engine::{
    CallOutcome, ChildOutcome, Command, Control, Execution, Hold, Input, Limits, ProbeOutcome,
    Start, Surroundings,
};
use tutti_ids::{Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::{CloudEvent, Entry, Turn};

use crate::{Setting, invariants::Shadow, setting::PlainSealer};

/// Takes a journal back to every turn's beginning, feeds the input that turn was about at the time it was decided, and
/// compares what is decided now with what is on record. Returns what differs.
pub fn redecide(shadow: &Shadow, setting: &Setting, events: &[CloudEvent]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut again = Again::new(&shadow.execution, events);
    for turn in &shadow.turns {
        if let Err(problem) = again.turn(turn, setting) {
            problems.push(problem);
        }
    }
    let live = format!("{:?}", shadow.execution);
    for folded in [again.execution, shadow.restored()] {
        let folded = format!("{folded:?}");
        if folded != live {
            problems.push(format!("the fold of all turns differs: {folded} {live}"));
        }
    }
    problems
}

/// The execution as an image of it gives it.
fn through_image(execution: &Execution) -> Result<Execution, String> {
    let sealer = PlainSealer::default();
    let snapshot = execution.snapshot(Digest([1; 32]), [2; 16], &sealer);
    snapshot.verify().map_err(|damage| damage.to_string())?;
    let definition = execution.definition().clone();
    let (digest, workflow) = (execution.digest(), execution.workflow().clone());
    Execution::from_snapshot(&snapshot, definition, digest, workflow, &sealer)
        .map_err(|error| error.to_string())
}

struct Again<'e> {
    execution: Execution,
    events: &'e [CloudEvent],
    children: BTreeMap<Sequence, ExecutionId>,
    /// The turns so far.
    turns: Vec<Turn>,
}

impl<'e> Again<'e> {
    fn new(like: &Execution, events: &'e [CloudEvent]) -> Self {
        let execution = Execution::new(
            like.id(),
            like.definition().clone(),
            like.digest(),
            like.workflow().clone(),
        );
        Self { execution, events, children: BTreeMap::new(), turns: Vec::new() }
    }

    fn replay(&mut self, turn: &Turn) {
        self.turns.push(turn.clone());
        if let Some(Entry::Rewound { .. }) = turn.entries.first() {
            let like = &self.execution;
            let (definition, workflow) = (like.definition().clone(), like.workflow().clone());
            self.execution =
                Execution::restore(like.id(), definition, like.digest(), workflow, &self.turns);
        } else {
            turn.entries.iter().for_each(|entry| self.execution.apply(turn.at, entry));
        }
    }

    /// Goes on from an image of the state: nothing may be lost in it.
    fn pass_through_image(&mut self) -> Result<(), String> {
        let imaged = through_image(&self.execution)?;
        let (was, is) = (format!("{:?}", self.execution), format!("{imaged:?}"));
        if was != is {
            return Err(format!("an image before {} differs: {was} {is}", imaged.next_sequence()));
        }
        self.execution = imaged;
        Ok(())
    }

    fn turn(&mut self, turn: &Turn, setting: &Setting) -> Result<(), String> {
        self.pass_through_image()?;
        let decided = self.decisions(turn, setting);
        let same = decided.iter().find(|(entries, _)| *entries == turn.entries);
        let result = match (same, decided.first()) {
            (Some((_, live)), _) => {
                self.replay(turn);
                let (live, replayed) = (format!("{live:?}"), format!("{:?}", self.execution));
                if live == replayed {
                    Ok(())
                } else {
                    Err(format!("turn {} folds differently: {live} {replayed}", turn.first))
                }
            }
            (None, first) => {
                self.replay(turn);
                let now = first.map(|(entries, _)| entries);
                Err(format!(
                    "turn {} is decided differently:\n  then {:?}\n  now  {now:?}",
                    turn.first, turn.entries
                ))
            }
        };
        for (entry, number) in turn.entries.iter().zip(turn.first.0..) {
            if let Entry::ChildStarted { task, execution, .. } = entry {
                debug_assert!(number > 0, "invariant: a child is never the first entry");
                self.children.insert(*task, *execution);
            }
        }
        result
    }

    /// What each input that the turn may have been about leads to now.
    fn decisions(&self, turn: &Turn, setting: &Setting) -> Vec<(Vec<Entry>, Execution)> {
        let dispatched = |entry: &&Entry| matches!(entry, Entry::CallDispatched { .. });
        let surroundings = Surroundings {
            now: turn.at,
            secrets: &*setting.secrets,
            definitions: &*setting.library,
            free_slots: turn.entries.iter().skip(1).filter(dispatched).count(),
            limits: Limits { ..setting.limits },
        };
        if let Some(Entry::ExecutionStarted {
            definition,
            digest,
            seed,
            input,
            parent,
            events_after,
            key,
        }) = turn.entries.first()
        {
            let mut live = self.execution.clone();
            let start = Start {
                execution: turn.execution,
                definition: definition.clone(),
                digest: *digest,
                seed: *seed,
                input: Some(input.clone()),
                parent: *parent,
                events_after: events_after.unwrap_or_default(),
                key: key.clone(),
                hold: match turn.entries.get(1) {
                    Some(Entry::ExecutionHeld { group }) => Some(Hold { group: group.clone() }),
                    _ => None,
                },
            };
            return vec![(live.start(start, &surroundings), live)];
        }
        if let Some(Entry::Rewound { to }) = turn.entries.first() {
            let again = [self.task(*to), None]
                .into_iter()
                .filter_map(|from| self.execution.rewind(&self.turns, from, &surroundings).ok());
            return again.map(|(live, entries)| (entries, live)).collect();
        }
        let inputs = self.inputs(turn);
        let decide = |input| {
            let mut live = self.execution.clone();
            live.advance(input, &surroundings).ok().map(|entries| (entries, live))
        };
        inputs.into_iter().filter_map(decide).collect()
    }

    /// The task that began there.
    fn task(&self, start: Sequence) -> Option<&TaskRef> {
        let numbered = |turn: &'_ Turn| turn.first.0..;
        let mut entries =
            self.turns.iter().flat_map(|turn| turn.entries.iter().zip(numbered(turn)));
        entries.find_map(|(entry, number)| match entry {
            Entry::TaskStarted { reference, .. } if number == start.0 => Some(reference),
            _ => None,
        })
    }

    /// The inputs that a turn with this first entry may have been about.
    fn inputs(&self, turn: &Turn) -> Vec<Input> {
        let mut inputs = vec![Input::TimerFired, Input::Continue];
        let first = match turn.entries.first() {
            Some(Entry::CallDispatched { task }) => vec![Input::SlotGranted { task: *task }],
            Some(Entry::CallCompleted { task, output }) => self.ended(
                *task,
                &CallOutcome::Completed(output.clone()),
                ProbeOutcome::Completed(output.clone()),
                ChildOutcome::Completed(output.clone()),
            ),
            Some(Entry::CallFailed { task, error }) => self.ended(
                *task,
                &CallOutcome::Failed(error.clone()),
                ProbeOutcome::Failed(error.clone()),
                ChildOutcome::Faulted(error.clone()),
            ),
            Some(Entry::CallRescheduled { task }) => self.ended(
                *task,
                &CallOutcome::NotMade,
                ProbeOutcome::NotMade,
                ChildOutcome::Cancelled,
            ),
            Some(Entry::CallOutcomeUnknown { task, error, .. }) => self.ended(
                *task,
                &CallOutcome::Unknown(error.clone()),
                ProbeOutcome::Unknown,
                ChildOutcome::Cancelled,
            ),
            Some(Entry::ChildDetached { task }) => self
                .children
                .get(task)
                .map(|child| Input::ChildStarted { child: *child })
                .into_iter()
                .collect(),
            Some(Entry::EventConsumed { task, position, .. }) => {
                let at = usize::try_from(position.0).ok().and_then(|number| number.checked_sub(1));
                let event = at.and_then(|at| self.events.get(at)).cloned();
                event
                    .map(|event| Input::EventArrived { task: *task, position: *position, event })
                    .into_iter()
                    .collect()
            }
            Some(Entry::ExecutionSuspended { .. }) => vec![Input::Control(Control::Suspend)],
            Some(Entry::ExecutionResumed) => vec![Input::Control(Control::Resume)],
            Some(Entry::CallAdmitted { task }) => vec![Input::CallAdmitted { task: *task }],
            Some(Entry::ExecutionAdmitted) => vec![Input::Admitted],
            Some(Entry::CancelRequested { reason }) => {
                vec![Input::Control(Control::Cancel { reason: reason.clone() })]
            }
            Some(Entry::IncidentResolved { task, resolution }) => {
                vec![Input::Control(Control::Resolve {
                    task: *task,
                    resolution: resolution.clone(),
                })]
            }
            _ => Vec::new(),
        };
        inputs.splice(0..0, first);
        inputs
    }

    fn ended(
        &self,
        task: Sequence,
        call: &CallOutcome,
        probe: ProbeOutcome,
        child: ChildOutcome,
    ) -> Vec<Input> {
        let mut inputs = Vec::new();
        if let Some(id) = self.children.get(&task) {
            inputs.push(Input::ChildEnded { child: *id, outcome: child });
        }
        inputs.push(Input::ProbeFinished { task, outcome: probe });
        if let Some(attempt) = self.attempt(task) {
            inputs.push(Input::CallFinished { task, attempt, outcome: call.clone() });
            // What had not left and is given up fails.
            inputs.push(Input::CallFinished { task, attempt, outcome: CallOutcome::NotMade });
        }
        inputs
    }

    /// The latest attempt of a task's call, given up or not.
    fn attempt(&self, task: Sequence) -> Option<u32> {
        let owed = self.execution.outstanding().find_map(|command| match command {
            Command::Call { task: owed, call, .. } if owed == task => Some(call.attempt),
            Command::CancelCall { task: owed, attempt } if owed == task => Some(attempt),
            _ => None,
        });
        let entries = self.turns.iter().rev().flat_map(|turn| turn.entries.iter().rev());
        let mut scheduled = entries.filter_map(|entry| match entry {
            Entry::CallScheduled { task: of, call } if *of == task => Some(call.attempt),
            _ => None,
        });
        owed.or_else(|| scheduled.next())
    }
}
