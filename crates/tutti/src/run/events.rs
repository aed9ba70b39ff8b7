//! `--event`: what is read before anything starts, and what is taken in while the execution goes on.

use std::{
    io::BufRead as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio::sync::{mpsc, watch};
use tutti_journal::CloudEvent;
use tutti_runtime::Handle;
use tutti_store::{Receipt, Store};

use super::{
    input::{Stdin, read_file},
    stopped,
};
use crate::{
    command_line::RunArguments,
    console::Console,
    event_text,
    exit::{Failure, causes},
    inbox::{Inbox, Letter, refusal_of_any},
};

const STDIN: &str = "standard input";
/// The longest line that is read, in bytes.
const MAX_LINE: u64 = 16 * 1024 * 1024;
/// Lines that are read ahead of the log.
const LINES_AHEAD: usize = 64;
/// How often the inbox is looked into.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// What `--event` gives.
#[derive(Debug)]
pub(super) struct Given {
    /// Those that are known before anything starts, in order.
    pub(super) events: Vec<CloudEvent>,
    /// Whether more come from standard input.
    pub(super) streams: bool,
}

/// The events the command line gives.
pub(super) fn given(arguments: &RunArguments, stdin: &mut Stdin) -> Result<Given, Failure> {
    let mut all = Given { events: Vec::new(), streams: false };
    for given in &arguments.event {
        if given == "-" {
            stdin.claim("--event")?;
            all.streams = true;
        } else {
            all.events.extend(read(given, stdin)?);
        }
    }
    Ok(all)
}

/// The events of one argument: JSON, `@FILE`, or `-` for all of standard input.
pub(crate) fn read(given: &str, stdin: &mut Stdin) -> Result<Vec<CloudEvent>, Failure> {
    match (given, given.strip_prefix('@')) {
        ("-", _) => event_text::events(&stdin.read("events")?, STDIN),
        (_, Some(path)) => event_text::events(&read_file(Path::new(path))?, path),
        (text, None) => event_text::events(text, "--event").map_err(|failure| {
            if Path::new(text).is_file() {
                failure.hint(format!("a file is given as @{text}"))
            } else {
                failure
            }
        }),
    }
}

/// How far the taking in has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// How many times events were received.
    pub(super) times: u64,
    /// Whether standard input may bring more.
    pub(super) streams: bool,
    /// Whether it went wrong.
    pub(super) failed: bool,
}

/// Takes in events while an execution goes on. Dropping it ends that.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) taken: watch::Receiver<Taken>,
    failure: Arc<Mutex<Option<Failure>>>,
}

impl Intake {
    /// Begins to take in what standard input and the inbox bring. Must be called within tokio.
    pub(super) fn start(source: Source, streams: bool) -> Self {
        let (sender, taken) = watch::channel(Taken { streams, ..Taken::default() });
        let failure = Arc::new(Mutex::new(None));
        let intake = Self { taken, failure: failure.clone() };
        let lines = streams.then(lines_of_stdin);
        tokio::spawn(async move {
            if let Err(why) = source.take_in(lines, &sender).await {
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
                sender.send_modify(|taken| taken.failed = true);
            }
        });
        intake
    }

    /// How far it has come.
    ///
    /// # Errors
    /// What went wrong.
    pub(super) fn progress(&mut self) -> Result<Taken, Failure> {
        let taken = *self.taken.borrow_and_update();
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map_or(Ok(taken), Err)
    }

    /// Waits until it has come further.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost.
    pub(super) async fn changed(&mut self) {
        if self.taken.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Where events come from and go to.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) handle: Handle,
    pub(super) store: Arc<dyn Store>,
    pub(super) inbox: Inbox,
    pub(super) console: Console,
    pub(super) quiet: bool,
}

impl Source {
    /// Hands events over; those that the execution's store knows already change nothing, and are told.
    pub(super) async fn publish(&self, events: &[CloudEvent]) -> Result<Vec<Receipt>, Failure> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let receipts = self.handle.publish(events).await.map_err(|error| stopped(&error))?;
        for (event, receipt) in events.iter().zip(&receipts) {
            if let (Receipt::Duplicate(position), false) = (receipt, self.quiet) {
                let (id, source) = (event.id(), event.source());
                self.console.line(&format!(
                    "known: event {id} of {source} was received before, at {position}; nothing changes"
                ));
            }
        }
        Ok(receipts)
    }

    async fn take_in(
        self,
        mut lines: Option<Lines>,
        taken: &watch::Sender<Taken>,
    ) -> Result<(), Failure> {
        self.inbox.clear();
        let mut look = tokio::time::interval(BETWEEN_LOOKS);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut closed = false;
        while !closed {
            tokio::select! {
                line = next_of(&mut lines) => {
                    if let Some(events) = line {
                        self.publish(&events?).await?;
                        taken.send_modify(|taken| taken.times += 1);
                    } else {
                        lines = None;
                        taken.send_modify(|taken| taken.streams = false);
                    }
                }
                _ = look.tick() => self.empty_inbox(taken).await?,
                () = taken.closed() => closed = true,
            }
        }
        Ok(())
    }

    /// Publishes what was left in the inbox, and answers.
    async fn empty_inbox(&self, taken: &watch::Sender<Taken>) -> Result<(), Failure> {
        for path in self.inbox.letters() {
            let letter = Letter::read(path);
            let answer = match &letter.events {
                Ok(events) => match refusal_of_any(&*self.store, events).await {
                    Ok(()) => Ok(self.publish(events).await?),
                    Err(refusal) => Err(refusal),
                },
                Err(failure) => Err(failure.message.clone()),
            };
            if let Err(error) = letter.answer(&answer) {
                // It is there still, and would be published for ever.
                let message = format!("cannot answer a letter of the inbox: {}", causes(&error));
                return Err(Failure::usage(message));
            }
            taken.send_modify(|taken| taken.times += 1);
        }
        Ok(())
    }
}

/// Events as they are read, a line or a whole text at a time.
type Lines = mpsc::Receiver<Result<Vec<CloudEvent>, Failure>>;

async fn next_of(lines: &mut Option<Lines>) -> Option<Result<Vec<CloudEvent>, Failure>> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

/// Reads standard input on a thread of its own, which ends with it or with the process.
fn lines_of_stdin() -> Lines {
    let (sender, lines) = mpsc::channel(LINES_AHEAD);
    thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut number = 0;
        loop {
            let events = match next_line(&mut stdin, number + 1) {
                Ok(Some(line)) => of_line(&line, number + 1, &mut stdin),
                Ok(None) => return,
                Err(failure) => Err(failure),
            };
            number += 1;
            let failed = events.is_err();
            if sender.blocking_send(events).is_err() || failed {
                return;
            }
        }
    });
    lines
}

fn next_line(stdin: &mut impl std::io::BufRead, number: u64) -> Result<Option<String>, Failure> {
    let mut bytes = Vec::new();
    let mut limited = std::io::Read::take(stdin, MAX_LINE + 1);
    let read = limited.read_until(b'\n', &mut bytes);
    read.map_err(|error| Failure::of("cannot read standard input", &error))?;
    if bytes.len() as u64 > MAX_LINE {
        return Err(Failure::usage(format!("line {number} of {STDIN} is larger than 16 MiB")));
    }
    let text = String::from_utf8(bytes);
    let text = text
        .map_err(|_error| Failure::usage(format!("line {number} of {STDIN} is not UTF-8 text")))?;
    Ok((!text.is_empty()).then_some(text))
}

/// The events of a line. A first line that is no JSON by itself begins a text that is read to its end.
fn of_line(
    line: &str,
    number: u64,
    stdin: &mut impl std::io::BufRead,
) -> Result<Vec<CloudEvent>, Failure> {
    let name = format!("line {number} of {STDIN}");
    if let Some(events) = event_text::line(line, &name)? {
        return Ok(events);
    }
    if number > 1 {
        return event_text::events(line, &name);
    }
    let mut rest = Vec::new();
    let mut limited = std::io::Read::take(stdin, MAX_LINE);
    let read = std::io::Read::read_to_end(&mut limited, &mut rest);
    read.map_err(|error| Failure::of("cannot read standard input", &error))?;
    let rest = String::from_utf8(rest)
        .map_err(|_error| Failure::usage(format!("{STDIN} is not UTF-8 text")))?;
    event_text::events(&format!("{line}{rest}"), STDIN)
}
