//! The thin shell around the loops: a thread for each, tokio for store and connectors.

mod events;
mod shell;
mod switchboard;

use std::{
    fmt::Debug,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{sync::oneshot, task::AbortHandle};
use tutti_connectors::{LogLine, Registry};
use tutti_dsl::Workflow;
use tutti_engine::{Control, Hold, Limits, Secrets, Start};
use tutti_expr::Value;
use tutti_ids::{DefinitionRef, Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::{Sealer, Timestamp, Turn};
use tutti_store::Store;

use self::{shell::Shell, switchboard::Switchboard};
use crate::{
    clock::Clock,
    happening::{Beside, Happening, Refusal, RequestId, Settlement},
    library::Library,
    owner::{Loop, LoopOptions},
    retention::{self, EventsKept},
};

/// The stack of a loop's thread: expressions are evaluated on it.
const STACK_BYTES: usize = 64 * 1024 * 1024;
/// How many executions of a loop are kept in memory though they only wait, unless told otherwise.
pub const DEFAULT_MAX_RESIDENTS: usize = 10_000;
/// More loops than this are not started.
const MAX_LOOPS: usize = 16;

/// Is told what has become durable, and what calls print. Called on the threads of the loops: it must be
/// quick.
pub trait Observer: Debug + Send + Sync {
    /// A turn is durable.
    fn on_turn(&self, turn: &Turn, workflow: &Arc<Workflow>);
    /// A call printed a line.
    fn on_log(&self, line: &LogLine);
    /// An execution cannot be read: it is left alone, and its parent waits for it, until somebody asks for it again.
    fn on_unreadable(&self, execution: ExecutionId, reason: &str);
    /// A loop came to timers that are due; the one that waited longest was so late.
    fn on_timers_due(&self, late: Duration) {
        let _ = late;
    }
    /// So many events of the log are still to be looked up by this loop for those who listen.
    fn on_events_behind(&self, number: usize, events: u64) {
        let _ = (number, events);
    }
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
    /// How many calls may be out at once. The loops share them out evenly: each has its part, and does not lend.
    pub max_calls: usize,
    /// Beyond how many executions in memory, of each loop, those that only wait are dropped from it;
    /// [`DEFAULT_MAX_RESIDENTS`] unless there is a reason.
    pub max_residents: usize,
    /// How many loops own the executions, each on a thread of its own: 16 and `max_calls` at most; none for one a core.
    pub loops: Option<NonZeroUsize>,
    /// How long received events are kept.
    pub events_kept: EventsKept,
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

/// An execution that is to be started.
#[derive(Debug)]
pub struct NewExecution {
    /// Its id, drawn before.
    pub execution: ExecutionId,
    /// Its definition: what it is called, the digest of its text, and the text compiled.
    pub definition: (DefinitionRef, Digest, Arc<Workflow>),
    /// The raw input; none where none was given.
    pub input: Option<Value>,
    /// The business key it is started under.
    pub key: Option<String>,
    /// What it is admitted by; none where it may begin at once. See [`admission`](crate::admission).
    pub hold: Option<Hold>,
    /// What becomes durable with it.
    pub beside: Beside,
}

/// Running loops and their shells.
#[derive(Debug)]
pub struct Runtime;

/// Talks to a running runtime. Cheap to clone; the runtime stops when the last one is gone.
#[derive(Debug, Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    switchboard: Arc<Switchboard>,
    clock: Arc<dyn Clock>,
    next_request: AtomicU64,
    store: Arc<dyn Store>,
    sealer: Arc<dyn Sealer>,
    tidying: AbortHandle,
}

impl Runtime {
    /// Starts the loops, each on a thread of its own. Must be called within tokio with its time, which runs
    /// store and connectors.
    ///
    /// # Errors
    /// If the operating system gives no thread or no chance.
    pub fn start(options: Options) -> Result<Handle, Error> {
        let loops = options.loops();
        let (switchboard, inboxes) = Switchboard::new(loops);
        let switchboard = Arc::new(switchboard);
        let clock = options.clock.clone();
        let options = Arc::new(options);
        let kept = (clock.clone(), options.events_kept);
        let tidying = retention::keep_tidy(Arc::downgrade(&options.store), kept.0, kept.1);
        let inner = Inner {
            switchboard: switchboard.clone(),
            clock,
            tidying: tokio::spawn(tidying).abort_handle(),
            next_request: AtomicU64::new(1),
            store: options.store.clone(),
            sealer: options.sealer.clone(),
        };
        // Dropping it stops those loops that were started, if not all can be.
        let handle = Handle { inner: Arc::new(inner) };
        for (number, inbox) in inboxes.into_iter().enumerate() {
            let owner = Loop::new(LoopOptions {
                library: options.library.clone(),
                secrets: options.secrets.clone(),
                sealer: options.sealer.clone(),
                limits: options.limits,
                max_residents: options.max_residents,
                max_calls: share(options.max_calls, number, loops),
                seed: draw()?,
            });
            let shell = Shell::new(options.clone(), switchboard.clone(), number);
            thread::Builder::new()
                .name(format!("tutti-loop-{number}"))
                .stack_size(STACK_BYTES)
                .spawn(move || shell.serve(owner, inbox))
                .map_err(|source| Error::Start { source })?;
        }
        Ok(handle)
    }
}

impl Options {
    /// How many loops these options ask for: at most one a core unless told otherwise, and no more than there are calls to
    /// share out.
    fn loops(&self) -> NonZeroUsize {
        let wanted = self.loops.or_else(|| thread::available_parallelism().ok());
        let most = MAX_LOOPS.min(self.max_calls.max(1));
        wanted
            .and_then(|wanted| NonZeroUsize::new(wanted.get().min(most)))
            .unwrap_or(NonZeroUsize::MIN)
    }
}

/// The part of `whole` that belongs to loop `number`: the parts differ by one at most, and add up to the whole.
fn share(whole: usize, number: usize, loops: NonZeroUsize) -> usize {
    whole / loops + usize::from(number < whole % loops)
}

impl Handle {
    /// Starts an execution of a published workflow; it is durable when this returns.
    ///
    /// # Errors
    /// If the runtime has stopped.
    pub async fn start(
        &self,
        definition: DefinitionRef,
        digest: Digest,
        workflow: Arc<Workflow>,
        input: Option<Value>,
    ) -> Result<ExecutionId, Error> {
        let execution = self.new_id()?;
        let definition = (definition, digest, workflow);
        let (key, hold, beside) = (None, None, Beside::default());
        let new = NewExecution { execution, definition, input, key, hold, beside };
        self.start_with(new).await?;
        Ok(execution)
    }

    /// Draws the id of an execution that is going to be started.
    ///
    /// # Errors
    /// If the operating system gives no chance.
    pub fn new_id(&self) -> Result<ExecutionId, Error> {
        draw_id(self.inner.clock.now())
    }

    /// [`Handle::start`] under an id drawn before, a business key, and with what becomes durable beside it.
    ///
    /// # Errors
    /// If the runtime has stopped.
    pub async fn start_with(&self, new: NewExecution) -> Result<(), Error> {
        let NewExecution { execution, definition: (definition, digest, workflow), .. } = new;
        let NewExecution { input, key, hold, beside, .. } = new;
        let seed = u64::try_from(draw()? & u128::from(u64::MAX)).unwrap_or(0);
        let events_after = self.last_event().await?;
        let parent = None;
        let start =
            Start { execution, definition, digest, seed, input, parent, events_after, key, hold };
        let start = |request| Happening::Start { start, workflow, beside, request };
        self.request(execution, start).await
    }

    /// Takes over an execution from the store and goes on with it.
    ///
    /// # Errors
    /// If the store does not know it, or it cannot be read.
    pub async fn adopt(&self, execution: ExecutionId) -> Result<(), Error> {
        self.request(execution, |request| Happening::Adopt { execution, request }).await
    }

    /// Admits an execution that waits for that; it is durable when this returns.
    ///
    /// # Errors
    /// If it does not wait to be admitted, or cannot be read.
    pub async fn admit(&self, execution: ExecutionId) -> Result<(), Error> {
        let (call, beside) = (None, Beside::default());
        let admit = |request| Happening::Admit { execution, call, beside, request };
        self.request(execution, admit).await
    }

    /// Lets a call be made that waits for that, with what becomes durable beside it.
    ///
    /// # Errors
    /// If it does not wait, or its execution is suspended or cannot be read; then nothing of it becomes durable.
    pub async fn admit_call(
        &self,
        execution: ExecutionId,
        task: Sequence,
        beside: Beside,
    ) -> Result<(), Error> {
        let call = Some(task);
        let admit = |request| Happening::Admit { execution, call, beside, request };
        self.request(execution, admit).await
    }

    /// Lays an operator's hand on an execution; the effect is durable when this returns.
    ///
    /// # Errors
    /// If the execution cannot do this as it stands.
    pub async fn control(&self, execution: ExecutionId, control: Control) -> Result<(), Error> {
        self.control_with(execution, control, Beside::default()).await
    }

    /// [`Handle::control`], with what becomes durable beside it.
    ///
    /// # Errors
    /// If the execution cannot do this as it stands; then nothing of it becomes durable.
    pub async fn control_with(
        &self,
        execution: ExecutionId,
        control: Control,
        beside: Beside,
    ) -> Result<(), Error> {
        let control = |request| Happening::Control { execution, control, beside, request };
        self.request(execution, control).await
    }

    /// Takes an execution back to the start of a task, ended or not; `from` none is the task whose error ended it.
    ///
    /// # Errors
    /// If it has never passed the task, or has calls or children under way.
    pub async fn retry(&self, execution: ExecutionId, from: Option<TaskRef>) -> Result<(), Error> {
        self.retry_with(execution, from, Beside::default()).await
    }

    /// [`Handle::retry`], with what becomes durable beside it.
    ///
    /// # Errors
    /// As [`Handle::retry`]; then nothing of it becomes durable.
    pub async fn retry_with(
        &self,
        execution: ExecutionId,
        from: Option<TaskRef>,
        beside: Beside,
    ) -> Result<(), Error> {
        let retry = |request| Happening::Retry { execution, from, beside, request };
        self.request(execution, retry).await
    }

    /// Waits until an execution has ended, or only a person or an event can move it.
    ///
    /// # Errors
    /// If the runtime has stopped.
    ///
    /// # Cancel safety
    /// Safe: the execution goes on.
    pub async fn settled(&self, execution: ExecutionId) -> Result<Settlement, Error> {
        let (sender, receiver) = oneshot::channel();
        let request = self.next_request();
        self.inner.switchboard.await_settlement(request, sender);
        self.inner.switchboard.tell(execution, Happening::Watch { execution, request });
        receiver.await.map_err(|_stopped| self.stopped())
    }

    async fn request(
        &self,
        execution: ExecutionId,
        happening: impl FnOnce(RequestId) -> Happening,
    ) -> Result<(), Error> {
        let (sender, receiver) = oneshot::channel();
        let request = self.next_request();
        self.inner.switchboard.await_reply(request, sender);
        self.inner.switchboard.tell(execution, happening(request));
        receiver.await.map_err(|_stopped| self.stopped())?.map_err(Error::from)
    }

    /// Ends when the runtime has stopped: the store has failed it, or the process is about to end.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn ended(&self) -> Error {
        let mut stopped = self.inner.switchboard.stopped();
        // Where nobody can tell any more, it has stopped as well.
        drop(stopped.wait_for(|stopped| *stopped).await);
        self.stopped()
    }

    fn next_request(&self) -> RequestId {
        self.inner.next_request.fetch_add(1, Ordering::Relaxed)
    }

    fn stopped(&self) -> Error {
        Error::Stopped { source: self.inner.switchboard.why_halted() }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.tidying.abort();
        self.switchboard.stop();
    }
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
