//! Keeping limits among executions: who was held is admitted when it is its turn.
//!
//! That an execution waits, and that it was admitted, stands in its journal. What is in memory is made of that, so nothing is
//! lost and nobody passes a limit, whatever dies in between. Where something cannot be read or is not known to have become
//! durable, all of it is made anew.

use std::{collections::VecDeque, future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    task::JoinSet,
};
use tutti_dsl::Workflow;
use tutti_engine::{Control, Hold};
use tutti_ids::{DefinitionRef, ExecutionId};
use tutti_journal::Timestamp;
use tutti_runtime::{
    Error, Refusal, Unread,
    admission::{Admitter, Input, KeyTerms, Output, Terms, waits_for_key},
};
use tutti_store::{ExecutionQuery, OpenExecution, Status};

use crate::{
    admissions::{are_held, terms},
    desk::Desk,
    feed::Notice,
};

/// How long is waited after something could not be read or committed.
const PAUSE: Duration = Duration::from_secs(1);
/// How many open executions are read at once.
const PAGE: usize = 1_000;
/// How many executions are admitted, or cancelled, at once.
const AT_ONCE: usize = 256;
/// How many of the newest executions under a key are looked at for one that has it.
const LOOKED_AT: usize = 100;

/// Admits executions that are held, for ever; whoever drops the future stops that, and they go on waiting.
///
/// # Cancel safety
/// Safe: who was admitted stands in the journals.
pub async fn keep_admissions(desk: Arc<Desk>) {
    loop {
        let mut usher = Usher { desk: desk.clone(), queue: VecDeque::new(), busy: JoinSet::new() };
        let lost = usher.run().await;
        // What is on its way is durable or not before everything is read again.
        while usher.busy.join_next().await.is_some() {}
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
    /// Something could not be read or committed. Told by whoever asks for it: a store that does not answer refuses
    /// everything else as well.
    Failed,
}

struct Usher {
    desk: Arc<Desk>,
    /// What is to be done when there is somebody to do it.
    queue: VecDeque<Output>,
    busy: JoinSet<Result<(), Refused>>,
}

/// Why an execution was neither admitted nor cancelled.
#[derive(Debug)]
enum Refused {
    /// It cannot be read: it is left alone, and takes no room.
    Unreadable(ExecutionId),
    /// It is not known what became of it.
    Unknown,
}

/// An execution that begins held, as it stands.
struct Entrant {
    execution: ExecutionId,
    definition: DefinitionRef,
    terms: Terms,
    held: Option<Timestamp>,
}

impl Usher {
    async fn run(&mut self) -> Result<(), Lost> {
        let mut notices = self.desk.feed.follow_admissions();
        self.make_anew().await?;
        loop {
            self.set_to_work();
            self.take_next(&mut notices).await?;
        }
    }

    async fn take_next(&mut self, notices: &mut Receiver<Notice>) -> Result<(), Lost> {
        let now = self.desk.clock.now();
        let pause = self.desk.admissions.next_due();
        let pause = pause.map(|due| Duration::from_millis(due.ms_since(now)));
        tokio::select! {
            notice = notices.recv() => match notice {
                Ok(notice) => self.on_notice(notice).await,
                Err(RecvError::Lagged(_)) => Err(Lost::Behind),
                Err(RecvError::Closed) => Err(Lost::Failed),
            },
            Some(done) = self.busy.join_next() => match done {
                Ok(Ok(())) => Ok(()),
                Ok(Err(Refused::Unreadable(execution))) => {
                    self.feed(Input::Ended { execution, at: now });
                    Ok(())
                }
                Ok(Err(Refused::Unknown)) | Err(_) => Err(Lost::Failed),
            },
            () = elapsed(pause) => {
                self.feed(Input::Tick);
                Ok(())
            }
        }
    }

    fn feed(&mut self, input: Input) {
        self.queue.extend(self.desk.admissions.on(input, self.desk.clock.now()));
    }

    async fn on_notice(&mut self, notice: Notice) -> Result<(), Lost> {
        let (execution, workflow, group, started, at) = match notice {
            Notice::Ended { execution, at } => {
                self.feed(Input::Ended { execution, at });
                return Ok(());
            }
            Notice::Held { execution, workflow, group, started, at } => {
                (execution, workflow, group, started, at)
            }
            Notice::CallHeld { .. } | Notice::Resumed { .. } => return Ok(()),
        };
        if self.desk.admissions.knows(execution) {
            return Ok(());
        }
        let is_new = started.is_some();
        let (definition, key) = if let Some(started) = started {
            started
        } else {
            let standing = self.desk.store.standing(execution).await;
            let listed = standing.map_err(|_unread| Lost::Failed)?.ok_or(Lost::Failed)?;
            (listed.projection.definition, listed.key.map(|key| key.to_string()))
        };
        let settings = &workflow.settings;
        let terms = terms(&definition, settings, &Hold { group }, (key.as_deref(), is_new));
        let entrant = Entrant { execution, definition, terms, held: Some(at) };
        for input in self.inputs(entrant).await? {
            self.feed(input);
        }
        Ok(())
    }

    /// Tells an admitter all that is stored: who was admitted first, then who waits, in the order of arrival.
    async fn make_anew(&mut self) -> Result<(), Lost> {
        let mut entrants = self.stored().await?;
        entrants.sort_by_key(|entrant| (entrant.held, entrant.execution));
        let (mut admitter, mut outputs) = (Admitter::default(), Vec::new());
        let now = self.desk.clock.now();
        for entrant in entrants {
            for input in self.inputs(entrant).await? {
                outputs.extend(admitter.on(input, now));
            }
        }
        self.desk.admissions.begin(admitter);
        self.queue = outputs.into();
        Ok(())
    }

    /// The executions that began held and have not ended.
    async fn stored(&self) -> Result<Vec<Entrant>, Lost> {
        let (mut after, mut found) = (None, Vec::new());
        loop {
            let page = self.desk.store.open_executions(after, PAGE).await;
            let page = page.map_err(|_unread| Lost::Failed)?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.execution);
            for open in page {
                found.extend(self.entrant(open).await?);
            }
        }
    }

    /// None for one that began at once, and for one that cannot be read: it is left alone.
    async fn entrant(&self, open: OpenExecution) -> Result<Option<Entrant>, Lost> {
        let OpenExecution { execution, projection } = open;
        let workflow = match self.desk.reader.workflow(projection.digest).await {
            Ok(workflow) => workflow,
            Err(Unread::Damaged(_)) => return Ok(None),
            Err(Unread::Store(_)) => return Err(Lost::Failed),
        };
        let settings = &workflow.settings;
        if !are_held(settings) {
            return Ok(None);
        }
        let standing = self.desk.store.standing(execution).await;
        let key = standing.map_err(|_unread| Lost::Failed)?.and_then(|listed| listed.key);
        let by = settings.concurrency.as_ref().and_then(|concurrency| concurrency.by.as_ref());
        // What a row does not tell stands in the journal.
        let is_told = by.is_none() && projection.status != Status::Suspended;
        let (hold, held) = if is_told {
            let is_held = projection.status == Status::Pending;
            (Some(Hold::default()), is_held.then_some(projection.updated_at))
        } else {
            match self.desk.reader.read(execution).await {
                Ok(Some(reading)) => (reading.execution.hold().cloned(), reading.execution.held()),
                Ok(None) | Err(Unread::Damaged(_)) => (None, None),
                Err(Unread::Store(_)) => return Err(Lost::Failed),
            }
        };
        // Since it was started, or was it taken back after its end?
        let is_new = held == Some(projection.started_at);
        let definition = projection.definition;
        Ok(hold.map(|hold| {
            let terms = terms(&definition, settings, &hold, (key.as_deref(), is_new));
            Entrant { execution, definition, terms, held }
        }))
    }

    /// What the admitter is told of an execution: before it those that have its key and began at once.
    async fn inputs(&self, entrant: Entrant) -> Result<Vec<Input>, Lost> {
        let Entrant { execution, definition, terms, held } = entrant;
        let (mut inputs, mut key_ended) = (Vec::new(), None);
        let key = terms.key.as_ref().filter(|key| held.is_some() && !key.has_it);
        if let Some(KeyTerms { lane, .. }) = key {
            let query = ExecutionQuery {
                namespace: definition.namespace.clone(),
                workflow: Some(definition.name.clone()),
                status: None,
                key: Some(lane.key.clone()),
                since: None,
                before: None,
                limit: LOOKED_AT,
            };
            let listed = self.desk.store.executions(query).await;
            for other in listed.map_err(|_unread| Lost::Failed)? {
                if other.projection.status.is_terminal() {
                    key_ended = key_ended.max(Some(other.projection.updated_at));
                    continue;
                }
                let workflow = self.desk.reader.workflow(other.projection.digest).await;
                let is_ours = |workflow: &Arc<Workflow>| waits_for_key(&workflow.settings);
                if other.execution == execution || workflow.as_ref().is_ok_and(is_ours) {
                    continue;
                }
                let key =
                    KeyTerms { lane: lane.clone(), has_it: true, replaces: false, held_for: None };
                let terms = Terms { priority: terms.priority, key: Some(key), room: None };
                let execution = other.execution;
                inputs.push(Input::Entered { execution, terms, held: None, key_ended: None });
            }
        }
        inputs.push(Input::Entered { execution, terms, held, key_ended });
        Ok(inputs)
    }

    fn set_to_work(&mut self) {
        while self.busy.len() < AT_ONCE
            && let Some(output) = self.queue.pop_front()
        {
            let handle = self.desk.handle.clone();
            self.busy.spawn(async move {
                match output {
                    Output::Admit(execution) => {
                        twice(execution, || Box::pin(handle.admit(execution))).await
                    }
                    Output::Replace { execution, by } => {
                        let cancel = || {
                            let reason = Some(format!("{by} replaces it"));
                            let cancel = Control::Cancel { reason };
                            let handle = handle.clone();
                            Box::pin(async move { handle.control(execution, cancel).await })
                                as Asked<'_>
                        };
                        twice(execution, cancel).await
                    }
                }
            });
        }
    }
}

type Asked<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// Asks a second time where it is not known what became of the first: only what is damaged stays unreadable.
async fn twice<'a>(
    execution: ExecutionId,
    ask: impl Fn() -> Asked<'a> + Send,
) -> Result<(), Refused> {
    for is_last in [false, true] {
        match ask().await {
            // Where it was refused it has ended, or was admitted before.
            Ok(()) | Err(Error::Refused(Refusal::Rejected(_) | Refusal::NotFound(_))) => {
                return Ok(());
            }
            Err(Error::Refused(Refusal::Unreadable(_))) if is_last => {
                return Err(Refused::Unreadable(execution));
            }
            Err(Error::Refused(Refusal::Unreadable(_))) => {}
            Err(Error::Stopped { .. } | Error::Start { .. }) => return Err(Refused::Unknown),
        }
    }
    Err(Refused::Unknown)
}

async fn elapsed(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}
