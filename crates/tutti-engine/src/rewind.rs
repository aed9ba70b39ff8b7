//! Going back: an execution taken to the start of one of its tasks, with sibling branches kept.
//!
//! A [`Entry::Rewound`] voids entries before it. Which ones follows from the journal alone: everything from the task's
//! start on, except what branches beside it did by themselves ([`path`]). State after it is the fold of the entries that
//! still count, with the keys that all calls before it leave ([`calls`]), so no entry has to repeat values that the journal
//! already holds. Entries after it fold onto that state as ever.

mod calls;
mod path;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tutti_dsl::Workflow;
use tutti_ids::{DefinitionRef, Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::{Entry, Timestamp, Turn};

use self::{calls::Calls, path::Path};
use crate::{Execution, Surroundings, advance::Stepper, execution::Outcome, input::Rejection};

/// An entry of the journal with its place and time.
#[derive(Clone, Copy)]
struct Recorded<'a> {
    sequence: Sequence,
    at: Timestamp,
    entry: &'a Entry,
}

impl Execution {
    /// Folds a whole journal.
    pub fn restore<'a>(
        id: ExecutionId,
        definition: DefinitionRef,
        digest: Digest,
        workflow: Arc<Workflow>,
        journal: impl IntoIterator<Item = &'a Turn>,
    ) -> Self {
        Past::of(Self::new(id, definition, digest, workflow), journal).state
    }

    /// Takes an execution back to the start of a task: the latest passage of `from`, or of the task whose error ended
    /// it. Decides the turn that says so and goes on from there.
    ///
    /// # Errors
    /// If no such passage counts, the execution still has calls or children under way, or what completed before that task
    /// has been undone since.
    pub fn rewind(
        &self,
        journal: &[Turn],
        from: Option<&TaskRef>,
        surroundings: &Surroundings<'_>,
    ) -> Result<(Self, Vec<Entry>), Rejection> {
        if self.has_ready() || self.external_frames().any(crate::frame::Frame::is_under_way) {
            return Err(Rejection::Busy);
        }
        let empty = Self::new(self.id, self.definition.clone(), self.digest, self.workflow.clone());
        let mut past = Past::of(empty, journal);
        // What was decided since the journal was read is not durable yet: it is work under way.
        if past.state.next != self.next {
            return Err(Rejection::Busy);
        }
        let to = past.passage(from).ok_or(Rejection::NoSuchTask)?;
        let void = Void::find(&past, to);
        if void.forgets_an_undo {
            return Err(Rejection::Undone);
        }
        past.go_back(void, self.next, surroundings.now);
        let mut entries = vec![Entry::Rewound { to }];
        let mut execution = past.state;
        let has_ended = self.outcome.is_some();
        entries.extend(Stepper::resume(&mut execution, surroundings, has_ended));
        Ok((execution, entries))
    }
}

/// A journal as far as it was read.
struct Past<'a> {
    empty: Execution,
    state: Execution,
    /// What still counts, in order.
    counting: Vec<Step<'a>>,
    calls: Calls,
}

/// Something that changes state.
#[derive(Clone)]
enum Step<'a> {
    /// An entry.
    Entry(Recorded<'a>),
    /// A call or child came to nothing because the branch it runs in was given up, and that is void.
    Again { sequence: Sequence, task: Sequence },
    /// Time stood still for these task executions, for so many milliseconds.
    Pause { sequence: Sequence, pauses: Vec<(Sequence, u64)> },
}

impl Step<'_> {
    fn sequence(&self) -> Sequence {
        match self {
            Self::Entry(recorded) => recorded.sequence,
            Self::Again { sequence, .. } | Self::Pause { sequence, .. } => *sequence,
        }
    }
}

impl<'a> Past<'a> {
    fn of(empty: Execution, journal: impl IntoIterator<Item = &'a Turn>) -> Self {
        let state = empty.clone();
        let mut past = Self { empty, state, counting: Vec::new(), calls: Calls::default() };
        for recorded in journal.into_iter().flat_map(recorded) {
            if let Entry::Rewound { to } = recorded.entry {
                past.go_back(Void::find(&past, *to), recorded.sequence, recorded.at);
            } else {
                let step = Step::Entry(recorded);
                past.state.fold(&step);
                past.calls.note(&past.state, recorded);
                past.counting.push(step);
            }
        }
        past
    }

    /// What the entry `sequence`, decided at `at`, does: state is the fold of what it leaves.
    fn go_back(&mut self, void: Void<'a>, sequence: Sequence, at: Timestamp) {
        let stopped = match (&self.state.outcome, &self.state.suspended) {
            (Some(_), _) => self.state.updated_at,
            (None, Some((_, since))) => *since,
            (None, None) => at,
        };
        for task in &void.again {
            self.calls.note_again(*task);
        }
        self.counting = void.kept;
        let mut state = self.empty.clone();
        for step in &self.counting {
            state.fold(step);
        }
        let since = |id| void.path.still_since(&state, id, (void.began, stopped));
        let pauses = state.timed().into_iter().map(|id| (id, at.ms_since(since(id)))).collect();
        let pause = Step::Pause { sequence, pauses };
        state.fold(&pause);
        self.counting.push(pause);
        let scheduled = self.entries().filter_map(|recorded| match recorded.entry {
            Entry::CallScheduled { .. } => Some(recorded.sequence),
            _ => None,
        });
        self.calls.hand_keys(&mut state, &scheduled.collect());
        state.drop_stale_ready();
        state.next = sequence.next();
        state.updated_at = at;
        self.state = state;
    }

    /// Where the passage of a task that counts began, the latest of them; of the task whose error ended the execution the
    /// one that raised it, or the one that it runs around: only the whole of a task can be started again.
    fn passage(&self, from: Option<&TaskRef>) -> Option<Sequence> {
        let starts = |wanted: &TaskRef| -> BTreeSet<Sequence> {
            let starts = self.entries().filter(|recorded| {
                matches!(recorded.entry, Entry::TaskStarted { reference, .. } if reference == wanted)
            });
            starts.map(|recorded| recorded.sequence).collect()
        };
        let places = self.places();
        let (Some(Outcome::Faulted(error)), None) = (&self.state.outcome, from) else {
            let mut latest = starts(from?).into_iter().rev();
            return latest.find(|start| places.extended(*start).is_none());
        };
        let starts = starts(&TaskRef::new(error.instance.clone()));
        let raised = self.entries().filter_map(|recorded| match recorded.entry {
            Entry::TaskFaulted { task, error: raised } if raised == error => Some(*task),
            _ => None,
        });
        let raised = raised
            .filter(|task| starts.contains(task))
            .last()
            .or_else(|| starts.last().copied())?;
        Some(places.extended(raised).unwrap_or(raised))
    }

    fn places(&self) -> Places<'a> {
        let place = |recorded: Recorded<'a>| {
            let (around, reference) = match recorded.entry {
                Entry::TaskStarted { parent, reference, .. } => (*parent, Some(reference)),
                Entry::ItemStarted { task, .. } | Entry::UndoStarted { task, .. } => (*task, None),
                _ => return None,
            };
            Some((recorded.sequence, (around, reference)))
        };
        Places(self.entries().filter_map(place).collect())
    }

    fn entries(&self) -> impl Iterator<Item = Recorded<'a>> {
        self.counting.iter().filter_map(|step| match step {
            Step::Entry(recorded) => Some(*recorded),
            Step::Again { .. } | Step::Pause { .. } => None,
        })
    }
}

/// What each task execution, item and undoing began in, and which task it is.
struct Places<'a>(BTreeMap<Sequence, (Sequence, Option<&'a TaskRef>)>);

impl Places<'_> {
    /// The task around which an extension runs this one, however deep inside it; none where it belongs to no extension.
    fn extended(&self, start: Sequence) -> Option<Sequence> {
        let own = |reference: &TaskRef| reference.as_str().starts_with("/use/extensions/");
        let outwards = std::iter::successors(self.0.get(&start), |(around, _)| self.0.get(around));
        let inside = outwards.filter(|(_, reference)| reference.is_some_and(own));
        inside.last().map(|(around, _)| *around)
    }
}

impl Execution {
    fn fold(&mut self, step: &Step<'_>) {
        match step {
            Step::Entry(recorded) => {
                self.next = recorded.sequence;
                self.apply(recorded.at, recorded.entry);
            }
            Step::Again { task, .. } => self.make_again(*task),
            Step::Pause { pauses, .. } => {
                for (id, pause) in pauses {
                    self.delay_timers(*id, *pause);
                }
            }
        }
    }
}

/// What a rewinding leaves of a journal.
struct Void<'a> {
    kept: Vec<Step<'a>>,
    path: Path,
    /// When the task began to which the execution goes back.
    began: Timestamp,
    /// Task executions whose call or child is made again though it stays.
    again: Vec<Sequence>,
    /// Whether a completed task would count again though it was undone.
    forgets_an_undo: bool,
}

impl<'a> Void<'a> {
    fn find(past: &Past<'a>, to: Sequence) -> Self {
        let split = past.counting.partition_point(|step| step.sequence() < to);
        let (before, after) = past.counting.split_at(split);
        let mut state = past.empty.clone();
        for step in before {
            state.fold(step);
        }
        let start = after.iter().find_map(|step| match step {
            Step::Entry(recorded) if recorded.sequence == to => Some(recorded),
            _ => None,
        });
        let mut void = Self {
            kept: before.to_vec(),
            path: Path::to(&state, to, start.map(|start| start.entry)),
            began: start.map_or(state.updated_at, |start| start.at),
            again: Vec::new(),
            forgets_an_undo: false,
        };
        let mut undone = BTreeSet::new();
        for step in after {
            let kept = void.path.kept(&state, step);
            match (&kept, step) {
                (Some(Step::Again { task, .. }), Step::Entry(_)) => void.again.push(*task),
                (
                    None,
                    Step::Entry(Recorded { entry: Entry::UndoStarted { completed, .. }, .. }),
                ) => {
                    undone.insert(*completed);
                }
                _ => {}
            }
            void.kept.extend(kept);
            state.fold(step);
            if let Step::Entry(recorded) = step {
                void.path.watch(&state, recorded.at);
            }
        }
        void.forgets_an_undo = void.kept.iter().any(|step| undone.contains(&step.sequence()));
        void
    }
}

fn recorded(turn: &Turn) -> impl Iterator<Item = Recorded<'_>> {
    let first = turn.first.0;
    turn.entries.iter().zip(first..).map(|(entry, sequence)| Recorded {
        sequence: Sequence(sequence),
        at: turn.at,
        entry,
    })
}
