//! Keeping cool-downs: calls of which only so many may be made in a time, by all executions together.
//!
//! That a call waits, and that it was let go, stands in its execution's journal; what was made lately is a record, written in
//! the same transaction. What is in memory is made of that, when the server starts and whenever it cannot be sure.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use minicbor::{Decode, Encode};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    task::JoinSet,
};
use tutti_dsl::Workflow;
use tutti_engine::Command;
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::Timestamp;
use tutti_runtime::{
    Beside, Error, Handle, Refusal, Unread,
    admission::{Ask, CooldownLane, Cooldowns, HeldCall, Made, PaceInput, PaceOutput},
};
use tutti_store::{Commit, Expected, Record, RecordChange, RecordId, RecordKind, RecordRange};

use crate::{admissions::has_cooldown, desk::Desk, feed::Notice};

/// How long is waited after something could not be read or committed.
const PAUSE: Duration = Duration::from_secs(1);
/// How many records or executions are read at once.
const PAGE: usize = 500;
/// How many calls are let go at once.
const AT_ONCE: usize = 256;

/// Lets calls be made that wait for that, for ever; whoever drops the future stops that, and they go on waiting.
///
/// # Cancel safety
/// Safe: what was let go stands in the journals, with what counts.
pub async fn keep_cooldowns(desk: Arc<Desk>) {
    loop {
        let mut pacer = Pacer { desk: desk.clone(), queue: VecDeque::new(), busy: JoinSet::new() };
        let lost = pacer.run().await;
        // What is on its way is durable or not before everything is read again.
        while pacer.busy.join_next().await.is_some() {}
        if !matches!(lost, Err(Lost::Behind)) {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// What is in memory may not be what is stored.
#[derive(Debug)]
enum Lost {
    /// More became durable than could be told.
    Behind,
    /// Something could not be read or committed.
    Failed,
}

struct Pacer {
    desk: Arc<Desk>,
    queue: VecDeque<PaceOutput>,
    /// What is being done; what became of it, if that is known.
    busy: JoinSet<Option<PaceInput>>,
}

impl Pacer {
    async fn run(&mut self) -> Result<(), Lost> {
        let mut notices = self.desk.feed.follow_admissions();
        self.make_anew().await?;
        loop {
            while self.busy.len() < AT_ONCE
                && let Some(output) = self.queue.pop_front()
            {
                self.busy.spawn(carry_out(self.desk.clone(), output));
            }
            self.take_next(&mut notices).await?;
        }
    }

    async fn take_next(&mut self, notices: &mut Receiver<Notice>) -> Result<(), Lost> {
        let (due, now) = (self.desk.pauses.next_due(), self.desk.clock.now());
        let pause = due.map(|due| Duration::from_millis(due.ms_since(now)));
        tokio::select! {
            notice = notices.recv() => match notice {
                Ok(Notice::CallHeld { call, workflow, reference, group, at }) => {
                    if let Some(asked) = ask(&workflow, call, &reference, (group, at)) {
                        self.feed(PaceInput::Asked(asked));
                    }
                    Ok(())
                }
                Ok(Notice::Resumed { execution }) => self.ask_again(execution).await,
                Ok(Notice::Ended { execution, .. }) => {
                    self.feed(PaceInput::Ended(execution));
                    Ok(())
                }
                Ok(Notice::Held { .. }) => Ok(()),
                Err(RecvError::Lagged(_)) => Err(Lost::Behind),
                Err(RecvError::Closed) => Err(Lost::Failed),
            },
            Some(done) = self.busy.join_next() => {
                self.feed(done.ok().flatten().ok_or(Lost::Failed)?);
                Ok(())
            }
            () = elapsed(pause) => {
                self.feed(PaceInput::Tick);
                Ok(())
            }
        }
    }

    fn feed(&mut self, input: PaceInput) {
        self.queue.extend(self.desk.pauses.on(input, self.desk.clock.now()));
    }

    /// Reads what was made lately, then which calls wait, in the order in which they came.
    async fn make_anew(&mut self) -> Result<(), Lost> {
        let (now, mut cooldowns) = (self.desk.clock.now(), Cooldowns::default());
        let mut outputs = Vec::new();
        for input in self.stored().await? {
            outputs.extend(cooldowns.on(input, now));
        }
        let mut asks = self.asks().await?;
        asks.sort_by_key(|ask| (ask.since, ask.call));
        for ask in asks {
            outputs.extend(cooldowns.on(PaceInput::Asked(ask), now));
        }
        self.desk.pauses.begin(cooldowns);
        self.queue = outputs.into();
        Ok(())
    }

    async fn stored(&self) -> Result<Vec<PaceInput>, Lost> {
        let (mut after, mut found) = (None, Vec::new());
        loop {
            let (kind, namespace) = (RecordKind::Cooldown, None);
            let range = RecordRange { kind, namespace, after, limit: PAGE };
            let page = self.desk.store.records(range).await.map_err(|_unread| Lost::Failed)?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.id.clone());
            for record in page {
                found.push(Stored::decode(record).ok_or(Lost::Failed)?);
            }
        }
    }

    /// The calls that wait, of all executions of workflows that have a cool-down.
    async fn asks(&self) -> Result<Vec<Ask>, Lost> {
        let (mut after, mut found) = (None, Vec::new());
        loop {
            let page = self.desk.store.open_executions(after, PAGE).await;
            let page = page.map_err(|_unread| Lost::Failed)?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.execution);
            for open in page {
                let has_one = match self.desk.reader.workflow(open.projection.digest).await {
                    Ok(workflow) => has_cooldown(&workflow),
                    // It is left alone.
                    Err(Unread::Damaged(_)) => false,
                    Err(Unread::Store(_)) => return Err(Lost::Failed),
                };
                if has_one {
                    found.extend(self.asks_of(open.execution).await?);
                }
            }
        }
    }

    async fn asks_of(&self, execution: ExecutionId) -> Result<Vec<Ask>, Lost> {
        let reading = match self.desk.reader.read(execution).await {
            Ok(Some(reading)) => reading,
            Ok(None) | Err(Unread::Damaged(_)) => return Ok(Vec::new()),
            Err(Unread::Store(_)) => return Err(Lost::Failed),
        };
        let workflow = reading.execution.workflow();
        let asks = reading.execution.outstanding().filter_map(|command| match command {
            Command::AwaitCooldown { task, reference, group, since } => {
                ask(workflow, (execution, task), reference.as_str(), (group, since))
            }
            _ => None,
        });
        Ok(asks.collect())
    }

    /// What waited while the execution was suspended was let go in vain, if it was its turn.
    async fn ask_again(&mut self, execution: ExecutionId) -> Result<(), Lost> {
        for ask in self.asks_of(execution).await? {
            self.feed(PaceInput::Asked(ask));
        }
        Ok(())
    }
}

fn ask(
    workflow: &Workflow,
    call: (ExecutionId, Sequence),
    reference: &str,
    (group, since): (Option<String>, Timestamp),
) -> Option<Ask> {
    let task = workflow.task(workflow.find(reference)?);
    let cooldown = task.settings.cooldown.as_ref()?;
    let lane = CooldownLane {
        namespace: workflow.document.namespace.parse().ok()?,
        workflow: workflow.document.name.parse().ok()?,
        task: CooldownLane::names(reference),
        group: group.map(Into::into),
    };
    let (limit, per, priority) = (cooldown.limit, cooldown.per, workflow.settings.priority);
    Some(Ask { call, lane, limit, per, priority, since })
}

/// Says what became of it; none where that is not known.
async fn carry_out(desk: Arc<Desk>, output: PaceOutput) -> Option<PaceInput> {
    match output {
        PaceOutput::Grant { call, lane, made } => {
            let is_made = grant(&desk.handle, call, &lane, &made).await?;
            Some(PaceInput::Answered { lane, is_made })
        }
        PaceOutput::Forget(lane) => {
            let (id, expected) = (record(&lane), Expected::Anything);
            let records = vec![RecordChange { id, expected, value: None }];
            let commit = Commit { records, ..Commit::default() };
            desk.store.commit(commit).await.ok()?;
            Some(PaceInput::Forgotten(lane))
        }
    }
}

/// Whether the call was let go.
async fn grant(
    handle: &Handle,
    (execution, task): HeldCall,
    lane: &CooldownLane,
    made: &[Made],
) -> Option<bool> {
    let value =
        minicbor::to_vec(Stored::new(lane, made)).expect("invariant: memory takes what is written");
    let beside = Beside { records: vec![(record(lane), Some(value))], audit: Vec::new() };
    match handle.admit_call(execution, task, beside).await {
        Ok(()) => Some(true),
        // It was given up, or its execution is suspended: whoever goes on asks again.
        Err(Error::Refused(Refusal::Rejected(_) | Refusal::NotFound(_))) => Some(false),
        // It may be made: everything is read again.
        Err(
            Error::Refused(Refusal::Unreadable(_)) | Error::Stopped { .. } | Error::Start { .. },
        ) => None,
    }
}

/// What is stored of a lane. Moments are milliseconds since the epoch.
#[derive(Debug, Encode, Decode)]
struct Stored {
    #[n(0)]
    workflow: String,
    #[n(1)]
    task: String,
    #[n(2)]
    group: Option<String>,
    /// When each call was made, and until when it counts.
    #[n(3)]
    made: Vec<(i64, i64)>,
}

impl Stored {
    fn new(lane: &CooldownLane, made: &[Made]) -> Self {
        Self {
            workflow: lane.workflow.to_string(),
            task: lane.task.to_string(),
            group: lane.group.as_ref().map(ToString::to_string),
            made: made.iter().map(|made| (made.at.0, made.until.0)).collect(),
        }
    }

    fn decode(record: Record) -> Option<PaceInput> {
        let Self { workflow, task, group, made } = minicbor::decode(&record.value).ok()?;
        let (namespace, workflow) = (record.id.namespace?, workflow.parse().ok()?);
        let (task, group) = (task.into(), group.map(Into::into));
        let lane = CooldownLane { namespace, workflow, task, group };
        let moments = |(at, until)| Made { at: Timestamp(at), until: Timestamp(until) };
        Some(PaceInput::Stored { lane, made: made.into_iter().map(moments).collect() })
    }
}

fn record(lane: &CooldownLane) -> RecordId {
    let CooldownLane { namespace, workflow, task, group } = lane;
    let group = group.as_deref().unwrap_or_default();
    // A name may have any character: its length says where it ends.
    let key = format!("{workflow}/{}/{task}#{group}", task.len());
    RecordId { kind: RecordKind::Cooldown, namespace: Some(namespace.clone()), key }
}

async fn elapsed(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}
