//! `tutti run`: one workflow, an embedded store, to the end.
//!
//! Start reading at [`run`]; `begin.rs` starts or takes up the execution, `ending.rs` says how it ended.

mod begin;
mod definitions;
mod ending;
mod events;
mod input;
mod secrets;
mod state;
mod subject;
mod unknown;

pub(crate) use self::{
    events::read as read_events,
    input::{Stdin, input as read_input, read_file, value as read_value},
    state::{cannot_open, draw_id, own_directories},
};

use std::{
    future::Future,
    num::NonZeroUsize,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tutti_engine::{Limits, Outcome};
use tutti_ids::ExecutionId;
use tutti_runtime::{
    Awaited, Clock as _, DEFAULT_MAX_RESIDENTS, EventsKept, Handle, Incident, Observer, Options,
    RowSealer, Runtime, Settlement, SystemClock,
};
use tutti_store::Store;

use self::{
    events::{Intake, Source, Taken},
    state::State,
    subject::Subject,
};
use crate::{
    command_line::RunArguments,
    connectors,
    console::Console,
    exit::{Exit, Failure, causes},
    inbox::Inbox,
    progress::Progress,
};

/// How many calls may be out at once.
const MAX_CALLS: usize = 64;

/// How the waiting ended.
#[derive(Debug)]
enum Ended {
    /// The execution, and every other one in its store.
    Outcome(Outcome),
    /// Only a person can move it.
    Stuck(Vec<Incident>),
    /// Only an event can move it, and no more are given.
    Listening(Vec<Awaited>),
    /// It was not to take longer; these events it waits for.
    TimedOut(Vec<Awaited>),
    /// SIGINT or SIGTERM.
    Signal(Exit),
}

/// Runs a workflow, or goes on with an execution.
pub(crate) fn run(arguments: &RunArguments, console: &Console) -> Result<Exit, Failure> {
    let subject = begin::subject(arguments, console)?;
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::of("cannot start the runtime", &error))?;
    // What is still out when the waiting ends is given up when `tokio` is dropped, before anything is said about it.
    let (state, ended, progress) = {
        let _entered = tokio.enter();
        let (mut running, progress) = Running::start(arguments, subject, console)?;
        let ended = tokio.block_on(async {
            match running.wait(arguments, &progress, console).await {
                Err(failure) if failure.suspects_store => {
                    Err(running.state.damage().await.unwrap_or(failure))
                }
                ended => ended,
            }
        });
        (running.state, ended, progress)
    };
    tokio.shutdown_timeout(Duration::ZERO);
    progress.finish();
    ending::tell(&state, ended?, arguments, console)
}

/// An execution that goes on in this process.
struct Running {
    handle: Handle,
    store: Arc<dyn Store>,
    state: State,
    subject: Subject,
    /// What only an event can move, as long as events may come.
    awaited: Arc<Mutex<Vec<Awaited>>>,
}

impl Running {
    fn start(
        arguments: &RunArguments,
        subject: Subject,
        console: &Console,
    ) -> Result<(Self, Arc<Progress>), Failure> {
        let state = State::open(&subject)?;
        let progress = Arc::new(Progress::new(arguments.quiet, arguments.logs, console));
        let sealer = Arc::new(RowSealer::new(state.keyring(&subject.what)?));
        let options = Options {
            store: state.store.clone(),
            connectors: connectors::all(connectors::OWN_MACHINE),
            library: subject.library.clone(),
            secrets: Arc::new(subject.secrets.clone()),
            sealer: sealer.clone(),
            clock: Arc::new(SystemClock),
            observer: progress.clone() as Arc<dyn Observer>,
            limits: Limits::default(),
            max_calls: MAX_CALLS,
            // One execution and its children: the store is slower than a core that decides.
            max_residents: DEFAULT_MAX_RESIDENTS,
            loops: Some(NonZeroUsize::MIN),
            events_kept: EventsKept::default(),
            scratch: Some(state.scratch()),
        };
        let handle = Runtime::start(options)
            .map_err(|error| Failure::of("cannot start the runtime", &error))?;
        let store: Arc<dyn Store> = state.store.clone();
        progress.restore_with(sealer);
        Ok((Self { handle, store, state, subject, awaited: Arc::default() }, progress))
    }

    async fn wait(
        &mut self,
        arguments: &RunArguments,
        progress: &Arc<Progress>,
        console: &Console,
    ) -> Result<Ended, Failure> {
        let limit = arguments.timeout.map(|limit| {
            let now = SystemClock.now().0;
            Duration::from_millis(u64::try_from(limit.after(now).saturating_sub(now)).unwrap_or(0))
        });
        let signal = signals()?;
        let drawing = progress.clone().draw_repeatedly();
        let awaited = self.awaited.clone();
        let timed_out = || {
            let awaited = awaited.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Ok(Ended::TimedOut(awaited))
        };
        tokio::select! {
            biased;
            exit = signal => Ok(Ended::Signal(exit)),
            ended = self.follow(arguments, progress, console) => ended,
            () = elapsed(limit) => timed_out(),
            () = drawing => timed_out(),
        }
    }

    async fn follow(
        &mut self,
        arguments: &RunArguments,
        progress: &Progress,
        console: &Console,
    ) -> Result<Ended, Failure> {
        let root = begin::begin(&self.handle, &mut self.state, &self.subject, progress).await?;
        let source = Source {
            handle: self.handle.clone(),
            store: self.store.clone(),
            inbox: Inbox::of(&self.state.directory),
            console: console.clone(),
            quiet: arguments.quiet,
        };
        source.publish(&self.subject.events.events).await?;
        let mut intake = Intake::start(source, self.subject.events.streams);
        let patient = arguments.timeout.is_some();
        let mut resolution = unknown::resolution(arguments)?;
        let mut may_resume = arguments.resume.is_some();
        loop {
            let before = intake.progress()?;
            let settlement = self.settled(root, &mut intake).await?;
            if let Settlement::Suspended { incidents } = &settlement {
                let (resolution, may_resume) = (&mut resolution, &mut may_resume);
                if begin::move_on(&self.handle, root, incidents, resolution, may_resume).await? {
                    continue;
                }
            }
            // Children nobody waits for belong to the execution all the same, and what they emit may move it.
            let children = self.settle_children(&mut intake).await?;
            let has_ended = matches!(settlement, Settlement::Ended(_));
            if !has_ended && self.settled(root, &mut intake).await? != settlement {
                continue;
            }
            let ended = self.ended(settlement, children).await?;
            let Ended::Listening(awaited) = &ended else { return Ok(ended) };
            if !self.receives_more(awaited, before, &mut intake, patient).await? {
                return Ok(ended);
            }
        }
    }

    /// How the children stand that have not ended, once none of them moves any more.
    async fn settle_children(&self, intake: &mut Intake) -> Result<Vec<Settlement>, Failure> {
        let mut before = Vec::new();
        loop {
            let mut children = Vec::new();
            let mut after = None;
            while let Some(open) = self.open_after(after).await? {
                children.push(self.settled(open, intake).await?);
                after = Some(open);
            }
            children.retain(|child| !matches!(child, Settlement::Ended(_)));
            if children == before {
                return Ok(children);
            }
            before = children;
        }
    }

    /// An execution has not ended before its children have.
    async fn ended(
        &self,
        settlement: Settlement,
        children: Vec<Settlement>,
    ) -> Result<Ended, Failure> {
        match settlement {
            Settlement::Suspended { incidents } => Ok(Ended::Stuck(incidents)),
            Settlement::Listening { awaited } => Ok(Ended::Listening(awaited)),
            Settlement::Lost(reason) => Err(lost(&reason)),
            Settlement::Ended(outcome) => {
                for child in children {
                    match child {
                        Settlement::Ended(_) => {}
                        Settlement::Suspended { incidents } => return Ok(Ended::Stuck(incidents)),
                        Settlement::Listening { awaited } => return Ok(Ended::Listening(awaited)),
                        Settlement::Lost(reason) => return Err(lost(&reason)),
                    }
                }
                self.state.discard_scratch().await?;
                Ok(Ended::Outcome(outcome))
            }
        }
    }

    /// How an execution stands once it does not move by itself.
    async fn settled(
        &self,
        execution: ExecutionId,
        intake: &mut Intake,
    ) -> Result<Settlement, Failure> {
        let mut settled = pin!(self.handle.settled(execution));
        loop {
            tokio::select! {
                settlement = &mut settled => return settlement.map_err(|error| stopped(&error)),
                () = intake.changed() => intake.progress().map(|_further| ())?,
            }
        }
    }

    /// Waits until events were received that may move what awaits them; false where none can come. `before`: what had been
    /// received when it was found waiting. `patient`: whether others may bring events.
    async fn receives_more(
        &self,
        awaited: &[Awaited],
        before: Taken,
        intake: &mut Intake,
        patient: bool,
    ) -> Result<bool, Failure> {
        let mut now = intake.progress()?;
        self.awaits(awaited);
        while now.times == before.times {
            if !(now.streams || patient) {
                return Ok(false);
            }
            intake.changed().await;
            now = intake.progress()?;
        }
        self.awaits(&[]);
        Ok(true)
    }

    fn awaits(&self, awaited: &[Awaited]) {
        *self.awaited.lock().unwrap_or_else(PoisonError::into_inner) = awaited.to_vec();
    }

    /// The next execution of the store that belongs to this one and has not ended.
    async fn open_after(&self, after: Option<ExecutionId>) -> Result<Option<ExecutionId>, Failure> {
        let mut after = after;
        loop {
            let open = self.store.open_executions(after, 1).await;
            let open = open.map_err(|error| Failure::unread(&error))?;
            let Some(open) = open.into_iter().next() else { return Ok(None) };
            if open.projection.parent.is_some() {
                return Ok(Some(open.execution));
            }
            after = Some(open.execution);
        }
    }
}

fn stopped(error: &tutti_runtime::Error) -> Failure {
    Failure::usage(format!("the execution cannot go on: {}", causes(error)))
        .hint("what was acknowledged is stored: go on with --resume once the cause is gone")
        .exit(Exit::Unfinished)
        .suspecting_store()
}

fn lost(reason: &str) -> Failure {
    Failure::usage(format!("the execution cannot be read: {reason}"))
        .exit(Exit::Unfinished)
        .suspecting_store()
}

async fn elapsed(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// Ends when the process is told to.
#[cfg(unix)]
pub(crate) fn signals() -> Result<impl Future<Output = Exit>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|error| Failure::of("cannot await signals", &error));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Exit::Interrupted,
            _ = terminate.recv() => Exit::Terminated,
        }
    })
}

/// Ends when the process is told to.
#[cfg(not(unix))]
pub(crate) fn signals() -> Result<impl Future<Output = Exit>, Failure> {
    Ok(async {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Exit::Interrupted,
            Err(_no_console) => std::future::pending().await,
        }
    })
}
