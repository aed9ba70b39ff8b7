//! What must hold after every turn, checked on what was really stored.

mod books;
mod extensions;
mod listeners;
mod returns;
mod timers;
mod tree;
mod undos;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tutti_connectors::Call;
use tutti_dsl::Workflow;
use tutti_engine::{Command, Execution, Status};
use tutti_ids::{Digest, ExecutionId, Sequence};
use tutti_journal::{CloudEvent, Effect, Entry, Snapshot, Timestamp, Turn};
use tutti_store::{OpenExecution, StoredTurn};

use self::{books::Books, returns::Returns, timers::Timers};
use crate::{Trace, setting::PlainSealer};

/// Executions folded from what was stored, beside the loop.
#[derive(Debug)]
pub struct Shadows {
    by_execution: BTreeMap<ExecutionId, Shadow>,
    canaries: Vec<String>,
    published: BTreeMap<ExecutionId, Sequence>,
    traces: BTreeMap<ExecutionId, Trace>,
    problems: Vec<String>,
}

/// One execution as stored.
#[derive(Debug)]
pub struct Shadow {
    /// The fold.
    pub execution: Execution,
    /// Its turns, decoded from their rows.
    pub turns: Vec<Turn>,
    head: Digest,
    next: Sequence,
    timers: Timers,
    returns: Returns,
    books: Books,
    /// Where the end of each task execution stands.
    ended: BTreeMap<Sequence, Sequence>,
}

impl Shadows {
    pub(crate) fn new(canaries: Vec<String>) -> Self {
        Self {
            by_execution: BTreeMap::new(),
            canaries,
            published: BTreeMap::new(),
            traces: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    /// The execution as stored.
    pub fn get(&self, execution: ExecutionId) -> Option<&Shadow> {
        self.by_execution.get(&execution)
    }

    /// All executions as stored.
    pub fn iter(&self) -> impl Iterator<Item = &Shadow> {
        self.by_execution.values()
    }

    pub(crate) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// A row was written: it follows the one before, its digests hold, and no secret shows in it.
    pub(crate) fn on_written(
        &mut self,
        stored: &StoredTurn,
        workflow: Option<Arc<Workflow>>,
    ) -> Vec<String> {
        let row = &stored.row;
        let mut problems = Vec::new();
        let Some(workflow) = workflow else {
            return vec![format!("nobody knows the definition of {}", row.execution)];
        };
        let shadow = self.by_execution.entry(row.execution).or_insert_with(|| {
            let projection = &stored.projection;
            let definition = projection.definition.clone();
            Shadow {
                execution: Execution::new(row.execution, definition, projection.digest, workflow),
                turns: Vec::new(),
                head: Digest::ZERO,
                next: Sequence::FIRST,
                timers: Timers::default(),
                returns: Returns::default(),
                books: Books::default(),
                ended: BTreeMap::new(),
            }
        });
        if let Err(damage) = row.verify(shadow.head, shadow.next) {
            problems.push(damage.to_string());
        }
        let blobs: BTreeMap<Digest, Arc<[u8]>> =
            stored.blobs.iter().map(|blob| (blob.digest, blob.bytes.clone())).collect();
        let bytes = row.values.iter().map(|values| &values.bytes[..]);
        let image = stored
            .snapshot
            .iter()
            .flat_map(|snapshot| [&snapshot.structure[..], &snapshot.values.bytes[..]]);
        let blobs_bytes = blobs.values().map(|blob| &blob[..]);
        for bytes in bytes.chain([&row.structure[..]]).chain(blobs_bytes).chain(image) {
            for canary in self.canaries.iter().filter(|canary| contains(bytes, canary)) {
                problems.push(format!("the secret {canary} stands in a row of {}", row.execution));
            }
        }
        match row.decode(&PlainSealer::default(), &|digest| blobs.get(digest).cloned()) {
            Ok(turn) => problems.extend(shadow.on_turn(turn)),
            Err(error) => problems.push(error.to_string()),
        }
        if let Some(snapshot) = &stored.snapshot {
            problems.extend(shadow.check_snapshot(snapshot));
        }
        shadow.head = row.digest;
        shadow.next = row.next();
        let status = shadow.execution.status();
        if format!("{status:?}").to_lowercase() != stored.projection.status.as_str() {
            problems.push(format!("{} is {status:?}, not {:?}", row.execution, stored.projection));
        }
        problems
    }

    /// A turn is shown: it must have been stored, and turns are shown in order.
    pub(crate) fn on_published(&mut self, turn: &Turn) -> Vec<String> {
        let stored = self.get(turn.execution).is_some_and(|shadow| {
            shadow.turns.iter().any(|stored| {
                stored.first == turn.first && stored.entries.len() == turn.entries.len()
            })
        });
        let last = self.published.insert(turn.execution, turn.first);
        let mut problems = Vec::new();
        if !stored {
            problems.push(format!("{} shows {:?} before it is stored", turn.execution, turn.first));
        }
        if last.is_some_and(|last| last >= turn.first) {
            problems.push(format!("{} shows {:?} again", turn.execution, turn.first));
        }
        problems
    }

    /// What people or programs are shown has no secret in it.
    pub(crate) fn check_shown(&self, shown: &str) -> Vec<String> {
        let found = self.canaries.iter().filter(|canary| shown.contains(*canary));
        found.map(|canary| format!("the secret {canary} shows: {shown}")).collect()
    }

    /// The turn's entries as lines.
    pub(crate) fn lines(&mut self, turn: &Turn, at: i64) -> Vec<String> {
        let id = turn.execution.to_string();
        let short = &id[id.len() - 4..];
        let stored: Vec<Turn> = self
            .get(turn.execution)
            .map(|shadow| shadow.turns.iter().take_while(|known| known.first < turn.first).cloned())
            .into_iter()
            .flatten()
            .collect();
        let trace = self.traces.entry(turn.execution).or_insert_with(|| {
            let mut trace = Trace::default();
            for turn in &stored {
                trace.lines(turn);
            }
            trace
        });
        let first = turn.first.0;
        let lines = trace.lines(turn).into_iter().zip(first..);
        lines.map(|(line, number)| format!("{at:>8} ms  {short} {number:>4}  {line}")).collect()
    }

    /// A call leaves: what is stored must ask for it, and say so of one that must not be repeated.
    pub(crate) fn on_call_made(&self, made: &Call) -> Vec<String> {
        let owed = self
            .get(made.execution)
            .into_iter()
            .flat_map(|shadow| shadow.execution.outstanding().collect::<Vec<_>>());
        let asked = owed.into_iter().any(|command| match command {
            Command::Call { task, call, dispatched, .. } => {
                task == made.task
                    && call.attempt == made.attempt
                    && call.key == made.key
                    && (dispatched || call.effect != Effect::Once)
            }
            // It was given up while it was about to leave; it is told so next.
            Command::CancelCall { task, attempt } => task == made.task && attempt == made.attempt,
            _ => false,
        });
        let place = made.reference.as_str();
        (!asked)
            .then(|| format!("{} {place} left before its turn was stored", made.execution))
            .into_iter()
            .collect()
    }

    /// The loop's executions must equal the fold of what is stored, as far as that is all there is.
    pub(crate) fn compare<'a>(&mut self, live: impl Iterator<Item = &'a Execution>) -> Vec<String> {
        let mut problems = Vec::new();
        for live in live {
            let Some(shadow) = self.by_execution.get(&live.id()) else { continue };
            if shadow.execution.next_sequence() != live.next_sequence() {
                problems.push(format!(
                    "{} is at {} in memory and at {} in the store",
                    live.id(),
                    live.next_sequence(),
                    shadow.execution.next_sequence()
                ));
                continue;
            }
            let (stored, live) = (format!("{:?}", shadow.execution), format!("{live:?}"));
            if stored != live {
                problems.push(format!("replay differs:\n  stored {stored}\n  live   {live}"));
            }
        }
        problems
    }

    /// The open executions a store names are those that have not ended.
    pub(crate) fn compare_open(&self, open: &[OpenExecution]) -> Vec<String> {
        let named: BTreeSet<ExecutionId> = open.iter().map(|open| open.execution).collect();
        let known: BTreeSet<ExecutionId> = self
            .iter()
            .filter(|shadow| shadow.execution.outcome().is_none())
            .map(|shadow| shadow.execution.id())
            .collect();
        (named != known)
            .then(|| format!("the store names {named:?} as open, not {known:?}"))
            .into_iter()
            .collect()
    }

    /// Timers that the loop will not be woken for: `next` is when it wants to be.
    pub(crate) fn slept_through(&self, next: Option<Timestamp>) -> Vec<String> {
        let open = self.iter().map(|shadow| &shadow.execution);
        let open = open.filter(|execution| execution.suspended().is_none());
        open.filter_map(|execution| {
            let due = execution.next_due()?;
            next.is_none_or(|next| next > due).then(|| {
                format!("{} is due at {due:?}, the loop wakes at {next:?}", execution.id())
            })
        })
        .collect()
    }

    /// What listeners heard that they should not have, or have not heard though they should; asked when nothing moves.
    pub(crate) fn misheard(&self, events: &[CloudEvent]) -> Vec<String> {
        let compare = |shadow: &Shadow| {
            let (listeners, tree) = shadow.books.listeners();
            listeners.compare(&shadow.execution, tree, events)
        };
        self.iter().flat_map(compare).collect()
    }

    /// Executions that have not ended, are not suspended, and wait for nothing that will come.
    pub(crate) fn stuck(&self, calls: &[(ExecutionId, Sequence)]) -> Vec<String> {
        let open = self.iter().filter(|shadow| shadow.execution.outcome().is_none());
        open.filter(|shadow| !self.is_excused(&shadow.execution, calls))
            .map(|shadow| format!("stuck: {:?}", shadow.execution))
            .collect()
    }

    fn is_excused(&self, execution: &Execution, calls: &[(ExecutionId, Sequence)]) -> bool {
        execution.status() == Status::Suspended
            || calls.iter().any(|(id, _)| *id == execution.id())
            || execution.outstanding().any(|command| match command {
                // The next event may come at any time.
                Command::AwaitEvent { .. } => true,
                // All slots may be held by calls that do not end.
                Command::AwaitSlot { .. } | Command::Call { .. } => !calls.is_empty(),
                Command::StartChild(request) => self.get(request.execution).is_some_and(|child| {
                    child.execution.outcome().is_none() && self.is_excused(&child.execution, calls)
                }),
                Command::CancelChild { child } => self.get(child).is_some_and(|child| {
                    child.execution.outcome().is_none() && self.is_excused(&child.execution, calls)
                }),
                _ => false,
            })
    }
}

impl Shadow {
    /// A snapshot shows the execution as the fold of its whole journal does.
    fn check_snapshot(&self, snapshot: &Snapshot) -> Option<String> {
        let live = &self.execution;
        let (definition, workflow) = (live.definition().clone(), live.workflow().clone());
        let sealer = PlainSealer::default();
        match Execution::from_snapshot(snapshot, definition, live.digest(), workflow, &sealer) {
            Ok(imaged) if format!("{imaged:?}") == format!("{live:?}") => None,
            Ok(imaged) => Some(format!("a snapshot of {} differs: {imaged:?}", live.id())),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Folds a turn; each task execution ends once, and timers fire once and in time.
    fn on_turn(&mut self, turn: Turn) -> Vec<String> {
        let mut problems = self.timers.on_turn(&turn);
        problems.extend(self.returns.on_turn(&turn, self.execution.workflow()));
        problems.extend(self.books.on_turn(&turn, self.execution.workflow()));
        for (entry, sequence) in turn.entries.iter().zip(turn.first.0..) {
            match entry {
                Entry::TaskCompleted { task, .. }
                | Entry::TaskFaulted { task, .. }
                | Entry::TaskCancelled { task }
                    if self.ended.insert(*task, Sequence(sequence)).is_some() =>
                {
                    problems.push(format!("{} {task} ended twice", turn.execution));
                }
                // Whatever ended since then may end again.
                Entry::Rewound { to } => self.ended.retain(|_, end| *end < *to),
                _ => {}
            }
        }
        let is_rewound = turn.entries.iter().any(|entry| matches!(entry, Entry::Rewound { .. }));
        if !is_rewound {
            turn.entries.iter().for_each(|entry| self.execution.apply(turn.at, entry));
        }
        self.turns.push(turn);
        if is_rewound {
            self.execution = self.restored();
        }
        problems
    }

    /// How many listeners await events.
    pub(crate) fn listening(&self) -> usize {
        let awaits = |command: &Command| matches!(command, Command::AwaitEvent { .. });
        self.execution.outstanding().filter(awaits).count()
    }

    /// The fold of all that is stored, from nothing.
    pub(crate) fn restored(&self) -> Execution {
        let like = &self.execution;
        let (definition, workflow) = (like.definition().clone(), like.workflow().clone());
        Execution::restore(like.id(), definition, like.digest(), workflow, &self.turns)
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    !text.is_empty() && bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
