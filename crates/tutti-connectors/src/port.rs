//! What every connector is to the runtime.

use std::{
    fmt::Debug,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use tokio::sync::{mpsc, watch};
use tutti_expr::Value;
use tutti_ids::{ExecutionId, Sequence, TaskRef};
use tutti_journal::{Effect, Error};

/// A future behind a pointer, as the port needs it to be chosen at run time.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Makes the calls of one function.
///
/// # Contract
/// - The same key may be seen again after a crash, for `read` and `idempotent` calls and for calls a probe found not to
///   have been made; the connector passes it on where its protocol has a place for it.
/// - `call` ends soon after [`CallContext::cancellation`] says so, leaving nothing running behind, and says what is known.
/// - Nothing it returns or logs repeats a secret from the arguments unmarked.
pub trait Connector: Debug + Send + Sync {
    /// The function it serves, as documents call it.
    fn function(&self) -> &'static str;

    /// Makes one call.
    ///
    /// # Cancel safety
    /// Dropping the future before it ends abandons the call. What was started and has a record in [`CallContext::scratch`] goes
    /// on, to be recognised by whoever makes the call again; anything else is killed where that is possible, and the
    /// outcome is unknown.
    fn call(&self, call: Call, context: CallContext) -> BoxFuture<'_, Result<Value, Failure>>;

    /// Finds out what became of an earlier attempt whose outcome is unknown. Waits for it if it is still going on.
    fn probe(&self, call: Call, context: CallContext) -> BoxFuture<'_, Probe>;

    /// The outcome of a call is durable: nobody will ask for it again. What was kept in `scratch` only to find it after a
    /// crash can go; it goes with the directory where it does not go here. Must be quick.
    fn settled(&self, call: &Call, scratch: &Path) {
        let _ = (call, scratch);
    }
}

/// One call to make.
#[derive(Debug, Clone)]
pub struct Call {
    /// The execution it belongs to.
    pub execution: ExecutionId,
    /// The task execution it belongs to.
    pub task: Sequence,
    /// The task in the document.
    pub reference: TaskRef,
    /// The function's arguments, evaluated.
    pub arguments: Value,
    /// What it does to the world.
    pub effect: Effect,
    /// The idempotency key.
    pub key: Arc<str>,
    /// Which attempt under this key, from 1.
    pub attempt: u32,
    /// Whether its output is a secret: no line of what a program writes is logged or put into an error.
    pub sensitive: bool,
    /// The secrets that were at hand where the arguments were put together: what comes back may hold one of them without
    /// what the arguments joined it with.
    pub secrets: Vec<Value>,
}

/// What a call may use of the world around it.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// Says when the call is no longer wanted.
    pub cancellation: Cancellation,
    /// Where lines of output go as they come.
    pub log: mpsc::Sender<LogLine>,
    /// A directory of this execution's own that survives a crash of this process, where the store has one. The connector
    /// makes it when it needs it.
    pub scratch: Option<PathBuf>,
}

/// Why a call gave no output.
#[derive(Debug, Clone)]
pub enum Failure {
    /// The call was made, or refused, and this is the error that came of it.
    Known(Error),
    /// The call was given up before anything left.
    Cancelled,
    /// Something left, and nobody knows what came of it.
    Unknown(Error),
}

/// What became of an earlier attempt.
#[derive(Debug, Clone)]
pub enum Probe {
    /// It was made and ended so.
    Finished(Result<Value, Error>),
    /// It was not made.
    NotMade,
    /// Nobody can tell.
    Unknown,
}

/// A line of output of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The execution.
    pub execution: ExecutionId,
    /// The task execution.
    pub task: Sequence,
    /// Where the line came from.
    pub stream: LogStream,
    /// The line without its end, secrets redacted.
    pub text: String,
}

/// Where a line of output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The connector itself.
    Connector,
}

/// Tells a call that it is no longer wanted. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cancellation(watch::Receiver<bool>);

/// The other end of a [`Cancellation`].
#[derive(Debug)]
pub struct Canceller(watch::Sender<bool>);

impl Canceller {
    /// A pair of ends.
    pub fn new() -> (Self, Cancellation) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Cancellation(receiver))
    }

    /// Says that the call is no longer wanted.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

impl Cancellation {
    /// Whether the call is no longer wanted.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when the call is no longer wanted; never if the other end is gone without saying so.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn cancelled(&mut self) {
        if self.0.wait_for(|cancelled| *cancelled).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
