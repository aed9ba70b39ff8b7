//! An execution in memory, with what the loop knows about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tutti_dsl::Workflow;
use tutti_engine::{Command, Execution, Limits, Status};
use tutti_ids::{Digest, ExecutionId, Sequence};
use tutti_journal::{Entry, Row, Sealer, Snapshot, Timestamp, Turn};
use tutti_store::{History, Projection};

/// A larger image is not kept: reading it would cost more than the journal it spares.
const MAX_SNAPSHOT_BYTES: usize = 64 * 1024 * 1024;

/// An execution in memory.
#[derive(Debug)]
pub(crate) struct Resident {
    pub(crate) execution: Execution,
    /// The digest of its last row.
    pub(crate) head: Digest,
    /// How many of its turns are decided but not durable.
    pub(crate) turns_ahead: usize,
    /// Whether any of its turns is durable.
    pub(crate) is_durable: bool,
    /// Whether its parent was told that it is on its way; more need not be said where nobody awaits its end.
    pub(crate) parent_told: bool,
    /// Whether it stands in the queue for another turn.
    pub(crate) queued: bool,
    /// The attempts of calls that connectors are busy with.
    pub(crate) in_flight: BTreeMap<Sequence, u32>,
    /// How much its journal has grown since its last snapshot.
    growth: Growth,
    /// What it was owed after its last turn.
    owed: BTreeMap<Debt, Command>,
}

/// How much a journal has grown.
#[derive(Debug, Clone, Copy, Default)]
struct Growth {
    entries: u64,
    /// Encoded, blobs not counted: they are read only where they are needed.
    bytes: u64,
}

impl Growth {
    fn add(&mut self, row: &Row) {
        let values = row.values.as_ref().map_or(0, |values| values.bytes.len());
        self.entries += u64::from(row.count);
        self.bytes += (row.structure.len() + values) as u64;
    }
}

/// What tells one thing an execution is owed from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Debt {
    Slot(Sequence),
    Call(Sequence, u32),
    CancelCall(Sequence),
    Probe(Sequence, u32),
    StartChild(ExecutionId),
    CancelChild(ExecutionId),
}

/// What a turn newly asks of the world.
#[derive(Debug, Default)]
pub(crate) struct Owed {
    pub(crate) commands: Vec<Command>,
    /// Task executions whose call is no longer wanted.
    pub(crate) dropped: Vec<Sequence>,
}

/// The turns of an execution, or those after its snapshot, decoded.
#[derive(Debug)]
pub(crate) struct Journal {
    /// What the turns follow; none where they are all.
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) turns: Vec<Turn>,
    growth: Growth,
    /// The digest of the last row.
    pub(crate) head: Digest,
}

impl Journal {
    /// Decodes rows that were read and verified.
    pub(crate) fn decode(history: &History, sealer: &dyn Sealer) -> Result<Self, String> {
        let decode = |row: &Row| row.decode(sealer, &|digest| history.blobs.get(digest).cloned());
        let turns: Result<Vec<Turn>, _> = history.rows.iter().map(decode).collect();
        let before = history.snapshot.as_ref().map_or(Digest::ZERO, |snapshot| snapshot.place.head);
        let head = history.rows.last().map_or(before, |row| row.digest);
        let mut growth = Growth::default();
        history.rows.iter().for_each(|row| growth.add(row));
        let snapshot = history.snapshot.clone();
        turns.map(|turns| Self { snapshot, turns, growth, head }).map_err(|error| error.to_string())
    }

    /// Whether a turn takes the execution back: what is void then may lie before the snapshot.
    fn goes_back(&self) -> bool {
        let mut entries = self.turns.iter().flat_map(|turn| &turn.entries);
        entries.any(|entry| matches!(entry, Entry::Rewound { .. }))
    }
}

impl Resident {
    pub(crate) fn new(execution: Execution) -> Self {
        Self {
            execution,
            head: Digest::ZERO,
            turns_ahead: 0,
            is_durable: false,
            parent_told: false,
            queued: false,
            in_flight: BTreeMap::new(),
            growth: Growth::default(),
            owed: BTreeMap::new(),
        }
    }

    /// Folds a journal that was read and verified. None where the snapshot it begins with is of no use: then the whole
    /// journal has to be read.
    pub(crate) fn restore(
        id: ExecutionId,
        journal: &Journal,
        projection: &Projection,
        workflow: Arc<Workflow>,
        sealer: &dyn Sealer,
    ) -> Option<Self> {
        let (definition, digest) = (projection.definition.clone(), projection.digest);
        let execution = match &journal.snapshot {
            None => Execution::restore(id, definition, digest, workflow, &journal.turns),
            Some(_) if journal.goes_back() => return None,
            Some(snapshot) => {
                // Written by another version, most likely: it is only an image, nothing is lost.
                let image =
                    Execution::from_snapshot(snapshot, definition, digest, workflow, sealer);
                let mut execution = image.ok()?;
                journal.turns.iter().for_each(|turn| execution.fold_turn(turn));
                execution
            }
        };
        let (growth, head) = (journal.growth, journal.head);
        // Whether its parent was told is not known; a parent that was not asks.
        Some(Self { is_durable: true, parent_told: true, head, growth, ..Self::new(execution) })
    }

    /// Goes on after `row`, and gives the snapshot that is due, if one is.
    pub(crate) fn grow(
        &mut self,
        row: &Row,
        limits: &Limits,
        salt: [u8; 16],
        sealer: &dyn Sealer,
    ) -> Option<Snapshot> {
        self.head = row.digest;
        self.turns_ahead += 1;
        self.growth.add(row);
        let is_due = self.growth.entries >= limits.snapshot_entries
            || self.growth.bytes >= limits.snapshot_bytes;
        if !is_due || self.execution.outcome().is_some() {
            return None;
        }
        self.growth = Growth::default();
        let snapshot = self.execution.snapshot(self.head, salt, sealer);
        (snapshot.size() <= MAX_SNAPSHOT_BYTES).then_some(snapshot)
    }

    /// Goes on as an execution that was taken back: everything it was owed before is void.
    pub(crate) fn replace(&mut self, execution: Execution) {
        self.execution = execution;
        self.owed.clear();
        // A snapshot from before is of no more use, so what it spared counts again.
        self.growth.entries = self.execution.next_sequence().0;
    }

    /// Whether all that was decided is durable.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_durable && self.turns_ahead == 0
    }

    /// How the execution stands, for the store.
    pub(crate) fn projection(&self) -> Projection {
        let execution = &self.execution;
        Projection {
            definition: execution.definition().clone(),
            digest: execution.digest(),
            status: match execution.status() {
                Status::Pending => tutti_store::Status::Pending,
                Status::Running => tutti_store::Status::Running,
                Status::Waiting => tutti_store::Status::Waiting,
                Status::Suspended => tutti_store::Status::Suspended,
                Status::Cancelled => tutti_store::Status::Cancelled,
                Status::Faulted => tutti_store::Status::Faulted,
                Status::Completed => tutti_store::Status::Completed,
            },
            parent: execution.parent().map(|parent| parent.execution),
            started_at: execution.started_at(),
            updated_at: execution.updated_at(),
            due: self.wake(),
        }
    }

    /// When it has to be looked at next.
    pub(crate) fn wake(&self) -> Option<Timestamp> {
        self.execution.outstanding().find_map(|command| match command {
            Command::Wake { at } => Some(at),
            _ => None,
        })
    }

    /// Whether it is owed nothing but the ends of children, and nothing of it is under way.
    fn is_quiet(&self) -> bool {
        self.is_settled()
            && self.in_flight.is_empty()
            && !self.queued
            && self.owed.keys().all(|debt| debt.child().is_some())
    }

    /// Whether it only waits: for a time, an event, a child or a person.
    pub(crate) fn is_parked(&self) -> bool {
        self.is_quiet() && self.execution.outcome().is_none()
    }

    /// Whether only a person can move it, or a child, or an event.
    pub(crate) fn stands(&self) -> bool {
        let is_held = match self.execution.status() {
            Status::Suspended => true,
            Status::Waiting => self.children().next().is_some() || self.listens(),
            Status::Pending
            | Status::Running
            | Status::Cancelled
            | Status::Faulted
            | Status::Completed => false,
        };
        is_held && self.is_quiet() && self.wake().is_none()
    }

    /// Whether it awaits events.
    fn listens(&self) -> bool {
        self.execution.outstanding().any(|owed| matches!(owed, Command::AwaitEvent { .. }))
    }

    /// The children whose end it awaits.
    pub(crate) fn children(&self) -> impl Iterator<Item = ExecutionId> {
        self.owed.keys().filter_map(|debt| debt.child())
    }

    /// What its children were asked for.
    pub(crate) fn asked(&self) -> Asked {
        let debts = self.owed.keys().copied();
        Asked(debts.filter(|debt| debt.child().is_some()).collect())
    }

    /// Whether it has more to decide.
    pub(crate) fn wants_turn(&self) -> bool {
        self.execution.outstanding().next() == Some(Command::Continue)
    }

    /// Compares what it is owed now with what it was owed after the turn before.
    pub(crate) fn newly_owed(&mut self) -> Owed {
        let now: BTreeMap<Debt, Command> = self
            .execution
            .outstanding()
            .filter_map(|command| Some((debt(&command)?, command)))
            .collect();
        let commands = now
            .iter()
            .filter(|(debt, _)| !self.owed.contains_key(debt))
            .map(|(_, command)| command.clone());
        let commands = commands.collect();
        let gone = self.owed.keys().filter(|debt| !now.contains_key(debt));
        let gone: Vec<Sequence> = gone.filter_map(|debt| debt.task()).collect();
        let asked_about = now.keys().filter(|_| !gone.is_empty());
        let still: BTreeSet<Sequence> = asked_about.filter_map(|debt| debt.task()).collect();
        let dropped = gone.into_iter().filter(|task| !still.contains(task)).collect();
        self.owed = now;
        Owed { commands, dropped }
    }

    /// The call of a task execution, if it is to be made.
    pub(crate) fn call(&self, task: Sequence) -> Option<Command> {
        let attempts = Debt::Call(task, 0)..=Debt::Call(task, u32::MAX);
        self.owed.range(attempts).next().map(|(_, command)| command.clone())
    }

    /// What it is owed by this child of it.
    pub(crate) fn wanted_of(&self, child: ExecutionId) -> Vec<Command> {
        let debts = [Debt::StartChild(child), Debt::CancelChild(child)];
        debts.iter().filter_map(|debt| self.owed.get(debt)).cloned().collect()
    }

    pub(crate) fn awaits_slot(&self, task: Sequence) -> bool {
        self.owed.contains_key(&Debt::Slot(task))
    }

    /// Calls whose dispatch was recorded and that nobody is making: the process that made them is gone.
    ///
    /// `known` are attempts this process made itself, and whose end it knows or will know.
    pub(crate) fn lost_calls(&self, known: &BTreeMap<Sequence, u32>) -> Vec<Sequence> {
        self.execution
            .outstanding()
            .filter_map(|command| match command {
                Command::Call { task, call, dispatched: true, .. } => Some((task, call.attempt)),
                Command::CancelCall { task, attempt } => Some((task, attempt)),
                _ => None,
            })
            .filter(|(task, attempt)| known.get(task) != Some(attempt))
            .map(|(task, _)| task)
            .collect()
    }

    /// Whether a connector's end of this attempt still means something.
    pub(crate) fn wants_end_of(&self, wanted: Sequence, made: u32) -> bool {
        self.execution.outstanding().any(|command| match command {
            Command::Call { task, call, .. } => task == wanted && call.attempt == made,
            Command::CancelCall { task, attempt } => task == wanted && attempt == made,
            _ => false,
        })
    }
}

/// What the children of an execution were asked for.
#[derive(Debug, Default)]
pub(crate) struct Asked(BTreeSet<Debt>);

impl Asked {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a child was asked for this.
    pub(crate) fn has(&self, command: &Command) -> bool {
        debt(command).is_some_and(|debt| self.0.contains(&debt))
    }
}

impl Debt {
    fn child(self) -> Option<ExecutionId> {
        match self {
            Self::StartChild(child) | Self::CancelChild(child) => Some(child),
            Self::Slot(_) | Self::Call(..) | Self::CancelCall(_) | Self::Probe(..) => None,
        }
    }

    /// The task execution whose call this is about.
    fn task(self) -> Option<Sequence> {
        match self {
            Self::Slot(task)
            | Self::Call(task, _)
            | Self::CancelCall(task)
            | Self::Probe(task, _) => Some(task),
            Self::StartChild(_) | Self::CancelChild(_) => None,
        }
    }
}

fn debt(command: &Command) -> Option<Debt> {
    match command {
        Command::Continue
        | Command::AwaitAdmission
        | Command::AwaitCooldown { .. }
        | Command::Wake { .. }
        | Command::AwaitEvent { .. } => None,
        Command::AwaitSlot { task } => Some(Debt::Slot(*task)),
        Command::Call { task, call, .. } => Some(Debt::Call(*task, call.attempt)),
        Command::CancelCall { task, .. } => Some(Debt::CancelCall(*task)),
        Command::Probe { task, call, .. } => Some(Debt::Probe(*task, call.attempt)),
        Command::StartChild(request) => Some(Debt::StartChild(request.execution)),
        Command::CancelChild { child } => Some(Debt::CancelChild(*child)),
    }
}
