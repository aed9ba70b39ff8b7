//! The thin shell around the loop: a thread for it, tokio for store and connectors.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use tokio::{runtime::Handle as Tokio, sync::oneshot};
use tutti_connectors::{
    Call, CallContext, Canceller, Connector, Failure, LogLine, Probe, Registry,
};
use tutti_dsl::Workflow;
use tutti_engine::{CallOutcome, Control, Limits, ProbeOutcome, Secrets, Start};
use tutti_expr::Value;
use tutti_ids::{Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::{Entry, ErrorType, Sealer, Timestamp, Turn};
use tutti_store::Store;

use crate::{
    happening::{Happening, Output, Refusal, RequestId, Settlement, Stored},
    library::Library,
    owner::{Loop, LoopOptions},
};

/// The stack of the loop's thread: expressions are evaluated on it.
const STACK_BYTES: usize = 64 * 1024 * 1024;
/// Lines of output a call may be ahead of whoever reads them.
const LOG_LINES_AHEAD: usize = 1_024;

/// Tells the time.
pub trait Clock: Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Is told what has become durable, and what calls print. Called on the loop's thread: it must be quick.
pub trait Observer: Debug + Send + Sync {
    /// A turn is durable.
    fn on_turn(&self, turn: &Turn, workflow: &Arc<Workflow>);
    /// A call printed a line.
    fn on_log(&self, line: &LogLine);
}

/// What a runtime is made of.
#[derive(Debug)]
pub struct Options {
    /// Where journals are kept.
    pub store: Arc<dyn Store>,
    /// Who makes calls.
    pub connectors: Registry,
    /// The workflows that may be started.
    pub library: Arc<Library>,
    /// Where secrets come from.
    pub secrets: Arc<dyn Secrets + Send + Sync>,
    /// Seals what came from a secret.
    pub sealer: Arc<dyn Sealer>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Is told what happens.
    pub observer: Arc<dyn Observer>,
    /// The limits in force.
    pub limits: Limits,
    /// How many calls may be out at once.
    pub max_calls: usize,
    /// Where connectors may keep what has to survive a crash of this process.
    pub scratch: Option<PathBuf>,
}

/// Why the runtime did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed, and with it the runtime.
    #[error("the runtime has stopped")]
    Stopped {
        /// Why.
        #[source]
        source: Option<tutti_store::Error>,
    },
    /// The operating system did not give a thread or chance.
    #[error("cannot start the runtime")]
    Start {
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A running loop and its shell.
#[derive(Debug)]
pub struct Runtime;

/// Talks to a running runtime. Cheap to clone; the runtime stops when the last one is gone.
#[derive(Debug, Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    messages: mpsc::Sender<Message>,
    clock: Arc<dyn Clock>,
    next_request: AtomicU64,
    answers: Arc<Answers>,
}

#[derive(Debug)]
enum Message {
    Happened(Box<Happening>),
    Logged(LogLine),
    Stop,
}

/// Who waits for which answer.
#[derive(Debug, Default)]
struct Answers {
    replies: Mutex<BTreeMap<RequestId, oneshot::Sender<Result<(), Refusal>>>>,
    settlements: Mutex<BTreeMap<RequestId, oneshot::Sender<Settlement>>>,
    halted: Mutex<Option<tutti_store::Error>>,
}

impl Runtime {
    /// Starts a loop on a thread of its own. Must be called within tokio, which runs store and connectors.
    ///
    /// # Errors
    /// If the operating system gives no thread or no chance.
    pub fn start(options: Options) -> Result<Handle, Error> {
        let (messages, inbox) = mpsc::channel();
        let answers = Arc::new(Answers::default());
        let mut seed = [0; 16];
        getrandom::fill(&mut seed)
            .map_err(|error| Error::Start { source: std::io::Error::other(error.to_string()) })?;
        let clock = options.clock.clone();
        let owner = Loop::new(LoopOptions {
            library: options.library.clone(),
            secrets: options.secrets.clone(),
            sealer: options.sealer.clone(),
            limits: options.limits,
            max_calls: options.max_calls,
            seed: u128::from_be_bytes(seed),
        });
        let shell = Shell {
            options,
            tokio: Tokio::current(),
            messages: messages.clone(),
            answers: answers.clone(),
            calls: BTreeMap::new(),
            unsettled: BTreeMap::new(),
        };
        thread::Builder::new()
            .name("tutti-loop".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || shell.serve(owner, &inbox))
            .map_err(|source| Error::Start { source })?;
        Ok(Handle {
            inner: Arc::new(Inner { messages, clock, next_request: AtomicU64::new(1), answers }),
        })
    }
}

impl Handle {
    /// Starts an execution of a published workflow; it is durable when this returns.
    ///
    /// # Errors
    /// If the runtime has stopped.
    pub async fn start(
        &self,
        definition: tutti_ids::DefinitionRef,
        digest: Digest,
        workflow: Arc<Workflow>,
        input: Option<Value>,
    ) -> Result<ExecutionId, Error> {
        let execution = self.new_id()?;
        self.start_as(execution, definition, digest, workflow, input).await?;
        Ok(execution)
    }

    /// Draws the id of an execution that is going to be started.
    ///
    /// # Errors
    /// If the operating system gives no chance.
    pub fn new_id(&self) -> Result<ExecutionId, Error> {
        draw_id(self.inner.clock.now())
    }

    /// [`Handle::start`] under an id drawn before.
    ///
    /// # Errors
    /// If the runtime has stopped.
    pub async fn start_as(
        &self,
        execution: ExecutionId,
        definition: tutti_ids::DefinitionRef,
        digest: Digest,
        workflow: Arc<Workflow>,
        input: Option<Value>,
    ) -> Result<(), Error> {
        let seed = u64::try_from(draw()? & u128::from(u64::MAX)).unwrap_or(0);
        let start = Start {
            execution,
            definition,
            digest,
            seed,
            input,
            parent: None,
            events_after: tutti_journal::EventPosition::default(),
        };
        self.request(|request| Happening::Start { start, workflow, request }).await
    }

    /// Takes over an execution from the store and goes on with it.
    ///
    /// # Errors
    /// If the store does not know it, or it cannot be read.
    pub async fn adopt(&self, execution: ExecutionId) -> Result<(), Error> {
        self.request(|request| Happening::Adopt { execution, request }).await
    }

    /// Lays an operator's hand on an execution; the effect is durable when this returns.
    ///
    /// # Errors
    /// If the execution cannot do this as it stands.
    pub async fn control(&self, execution: ExecutionId, control: Control) -> Result<(), Error> {
        self.request(|request| Happening::Control { execution, control, request }).await
    }

    /// Takes an execution back to the start of a task, ended or not; `from` none is the task whose error ended it.
    ///
    /// # Errors
    /// If it has never passed the task, or has calls or children under way.
    pub async fn retry(&self, execution: ExecutionId, from: Option<TaskRef>) -> Result<(), Error> {
        self.request(|request| Happening::Retry { execution, from, request }).await
    }

    /// Waits until an execution has ended or only a person can move it.
    ///
    /// # Errors
    /// If the runtime has stopped.
    ///
    /// # Cancel safety
    /// Safe: the execution goes on.
    pub async fn settled(&self, execution: ExecutionId) -> Result<Settlement, Error> {
        let (sender, receiver) = oneshot::channel();
        let request = self.next_request();
        lock(&self.inner.answers.settlements).insert(request, sender);
        self.tell(Happening::Watch { execution, request });
        receiver.await.map_err(|_stopped| self.stopped())
    }

    async fn request(&self, happening: impl FnOnce(RequestId) -> Happening) -> Result<(), Error> {
        let (sender, receiver) = oneshot::channel();
        let request = self.next_request();
        lock(&self.inner.answers.replies).insert(request, sender);
        self.tell(happening(request));
        receiver.await.map_err(|_stopped| self.stopped())?.map_err(Error::from)
    }

    fn next_request(&self) -> RequestId {
        self.inner.next_request.fetch_add(1, Ordering::Relaxed)
    }

    fn tell(&self, happening: Happening) {
        if self.inner.messages.send(Message::Happened(Box::new(happening))).is_err() {
            self.inner.answers.forget();
        }
    }

    fn stopped(&self) -> Error {
        Error::Stopped { source: lock(&self.inner.answers.halted).take() }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The loop may have stopped before.
        self.messages.send(Message::Stop).ok();
    }
}

impl Answers {
    /// Nobody will answer any more.
    fn forget(&self) {
        lock(&self.replies).clear();
        lock(&self.settlements).clear();
    }
}

type Unsettled = (Arc<dyn Connector>, Call);

/// What the loop's thread needs to do its outputs.
struct Shell {
    options: Options,
    tokio: Tokio,
    messages: mpsc::Sender<Message>,
    answers: Arc<Answers>,
    calls: BTreeMap<(ExecutionId, Sequence), Canceller>,
    /// Calls whose connectors may keep something for a crash until the outcome is durable.
    unsettled: BTreeMap<ExecutionId, BTreeMap<Sequence, Unsettled>>,
}

impl Shell {
    fn serve(mut self, mut owner: Loop, inbox: &mpsc::Receiver<Message>) {
        loop {
            let happening = match self.receive(&owner, inbox) {
                Some(Message::Happened(happening)) => *happening,
                Some(Message::Logged(line)) => {
                    self.options.observer.on_log(&line);
                    continue;
                }
                Some(Message::Stop) | None => break,
            };
            self.before(&happening);
            let outputs = owner.on(happening, self.options.clock.now());
            if outputs.into_iter().any(|output| !self.carry_out(output)) {
                break;
            }
        }
        self.answers.forget();
    }

    /// The next message, or a tick when a timer is due before.
    fn receive(&self, owner: &Loop, inbox: &mpsc::Receiver<Message>) -> Option<Message> {
        let Some(due) = owner.next_due() else { return inbox.recv().ok() };
        let pause = Duration::from_millis(due.ms_since(self.options.clock.now()));
        match inbox.recv_timeout(pause) {
            Ok(message) => Some(message),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Some(Message::Happened(Box::new(Happening::Tick)))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
        }
    }

    fn before(&mut self, happening: &Happening) {
        if let Happening::CallFinished { execution, task, .. }
        | Happening::ProbeFinished { execution, task, .. } = happening
        {
            self.calls.remove(&(*execution, *task));
        }
    }

    /// Does one output; false where nothing more can be done.
    fn carry_out(&mut self, output: Output) -> bool {
        match output {
            Output::Commit(commit) => {
                let (store, messages) = (self.options.store.clone(), self.messages.clone());
                self.tokio.spawn(async move {
                    let result = store.commit(commit).await;
                    tell(&messages, Happening::Committed { result });
                });
            }
            Output::Load(execution) => self.load(execution, Extent::Tail),
            Output::LoadWhole(execution) => self.load(execution, Extent::Whole),
            Output::MakeCall(function, call) => self.make_call(&function, call),
            Output::CancelCall(execution, task) => {
                if let Some(canceller) = self.calls.get(&(execution, task)) {
                    canceller.cancel();
                }
            }
            Output::Probe(function, call) => self.probe(&function, call),
            Output::Publish(turn, workflow) => {
                self.settle_calls(&turn);
                self.options.observer.on_turn(&turn, &workflow);
            }
            Output::Reply(request, result) => {
                if let Some(reply) = lock(&self.answers.replies).remove(&request) {
                    // Who asked may have gone.
                    reply.send(result).ok();
                }
            }
            Output::Settled(request, settlement) => {
                if let Some(reply) = lock(&self.answers.settlements).remove(&request) {
                    reply.send(settlement).ok();
                }
            }
            Output::Halt(error) => {
                lock(&self.answers.halted).replace(error);
                return false;
            }
        }
        true
    }

    fn load(&self, execution: ExecutionId, extent: Extent) {
        let (store, library, messages) =
            (self.options.store.clone(), self.options.library.clone(), self.messages.clone());
        self.tokio.spawn(async move {
            let result = read(&*store, &library, execution, extent).await;
            tell(&messages, Happening::Loaded { execution, result });
        });
    }

    fn make_call(&mut self, function: &str, call: Call) {
        let (execution, task, attempt) = (call.execution, call.task, call.attempt);
        let Some(connector) = self.options.connectors.get(function).cloned() else {
            let outcome = CallOutcome::Failed(no_connector(function));
            return tell(
                &self.messages,
                Happening::CallFinished { execution, task, attempt, outcome },
            );
        };
        let (context, messages) = self.call_context(&call, &connector);
        self.tokio.spawn(async move {
            let outcome = outcome(connector.call(call, context).await);
            tell(&messages, Happening::CallFinished { execution, task, attempt, outcome });
        });
    }

    fn probe(&mut self, function: &str, call: Call) {
        let (execution, task) = (call.execution, call.task);
        let Some(connector) = self.options.connectors.get(function).cloned() else {
            let outcome = ProbeOutcome::Unknown;
            return tell(&self.messages, Happening::ProbeFinished { execution, task, outcome });
        };
        let (context, messages) = self.call_context(&call, &connector);
        self.tokio.spawn(async move {
            let outcome = match connector.probe(call, context).await {
                Probe::Finished(Ok(output)) => ProbeOutcome::Completed(output),
                Probe::Finished(Err(error)) => ProbeOutcome::Failed(error),
                Probe::NotMade => ProbeOutcome::NotMade,
                Probe::Unknown => ProbeOutcome::Unknown,
            };
            tell(&messages, Happening::ProbeFinished { execution, task, outcome });
        });
    }

    /// Lets connectors remove what they kept for calls whose outcomes are in this turn.
    fn settle_calls(&mut self, turn: &Turn) {
        let Some(scratch) = &self.options.scratch else { return };
        let Some(calls) = self.unsettled.get_mut(&turn.execution) else { return };
        for entry in &turn.entries {
            if let Entry::CallCompleted { task, .. } | Entry::CallFailed { task, .. } = entry
                && let Some((connector, call)) = calls.remove(task)
            {
                let scratch = scratch.join(turn.execution.to_string());
                // Files are removed; nobody waits for that.
                drop(self.tokio.spawn_blocking(move || connector.settled(&call, &scratch)));
            }
        }
        if calls.is_empty() || turn.entries.iter().any(is_end) {
            self.unsettled.remove(&turn.execution);
        }
    }

    fn call_context(
        &mut self,
        call: &Call,
        connector: &Arc<dyn Connector>,
    ) -> (CallContext, mpsc::Sender<Message>) {
        if self.options.scratch.is_some() {
            let calls = self.unsettled.entry(call.execution).or_default();
            calls.insert(call.task, (connector.clone(), call.clone()));
        }
        let (canceller, cancellation) = Canceller::new();
        self.calls.insert((call.execution, call.task), canceller);
        let (log, mut lines) = tokio::sync::mpsc::channel(LOG_LINES_AHEAD);
        let messages = self.messages.clone();
        self.tokio.spawn(async move {
            while let Some(line) = lines.recv().await {
                // The loop may have stopped.
                messages.send(Message::Logged(line)).ok();
            }
        });
        let scratch =
            self.options.scratch.as_ref().map(|scratch| scratch.join(call.execution.to_string()));
        (CallContext { cancellation, log, scratch }, self.messages.clone())
    }
}

/// How much of a journal is read.
#[derive(Debug, Clone, Copy)]
enum Extent {
    /// What follows the snapshot, and that.
    Tail,
    /// All of it.
    Whole,
}

/// Reads an execution and its definition.
async fn read(
    store: &dyn Store,
    library: &Library,
    execution: ExecutionId,
    extent: Extent,
) -> Result<Option<Stored>, String> {
    let history = match extent {
        Extent::Tail => store.load_tail(execution).await,
        Extent::Whole => store.load(execution).await,
    };
    let Some(history) = history.map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    let digest = history.projection.digest;
    let workflow = if let Some(workflow) = library.get(digest) {
        workflow
    } else {
        let text = store.definition(digest).await.map_err(|error| error.to_string())?;
        let text = text.ok_or_else(|| format!("the store has no definition {digest}"))?;
        library.adopt(&text).map_err(|error| error.to_string())?
    };
    Ok(Some((Box::new(history), workflow)))
}

fn is_end(entry: &Entry) -> bool {
    matches!(
        entry,
        Entry::ExecutionCompleted { .. }
            | Entry::ExecutionFaulted { .. }
            | Entry::ExecutionCancelled
    )
}

fn outcome(result: Result<Value, Failure>) -> CallOutcome {
    match result {
        Ok(output) => CallOutcome::Completed(output),
        Err(Failure::Known(error)) => CallOutcome::Failed(error),
        Err(Failure::Cancelled) => CallOutcome::NotMade,
        Err(Failure::Unknown(error)) => CallOutcome::Unknown(error),
    }
}

fn no_connector(function: &str) -> tutti_journal::Error {
    tutti_journal::Error::new(ErrorType::Configuration, format!("no connector serves `{function}`"))
}

fn tell(messages: &mpsc::Sender<Message>, happening: Happening) {
    // The loop may have stopped; then nobody needs to know.
    messages.send(Message::Happened(Box::new(happening))).ok();
}

/// Draws the id of an execution that is going to be started, made at `now`.
///
/// # Errors
/// If the operating system gives no chance.
pub fn draw_id(now: Timestamp) -> Result<ExecutionId, Error> {
    let created_at = u64::try_from(now.0).unwrap_or(0);
    Ok(ExecutionId::new(created_at, draw()?))
}

fn draw() -> Result<u128, Error> {
    let mut chance = [0; 16];
    getrandom::fill(&mut chance)
        .map_err(|error| Error::Start { source: std::io::Error::other(error.to_string()) })?;
    Ok(u128::from_be_bytes(chance))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
