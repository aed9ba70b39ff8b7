//! `tutti emit`

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use tutti_ids::ExecutionId;
use tutti_journal::CloudEvent;
use tutti_runtime::{Clock as _, RowSealer, SystemClock};
use tutti_secrets::KeyFiles;
use tutti_store::{NewEvent, Receipt, SqliteStore, Store as _};

use crate::{
    command_line::EmitArguments,
    console::Console,
    exit::{Exit, Failure, causes},
    export::{block_on, place},
    inbox::{self, Inbox},
    run,
    store::without_keys,
};

/// How long the process that uses the store may take to take events over.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// Hands events to an execution: into the log of its store, or to the process that uses it.
pub(crate) fn emit(arguments: &EmitArguments, console: &Console) -> Result<Exit, Failure> {
    let directory = place(arguments.store.as_deref(), Some(arguments.to))?;
    let events = addressed(arguments)?;
    let receipts = if SqliteStore::is_in_use(&directory) {
        hand_over(&directory, arguments.to, &events)?
    } else {
        log(&directory, arguments.to, &events)?
    };
    for (event, receipt) in events.iter().zip(&receipts) {
        console.line(&told(event, *receipt));
    }
    Ok(Exit::Completed)
}

/// The events that are given, addressed.
fn addressed(arguments: &EmitArguments) -> Result<Vec<CloudEvent>, Failure> {
    let mut stdin = run::Stdin::default();
    let mut events = Vec::new();
    for given in arguments.events.iter().chain(&arguments.event) {
        events.extend(run::read_events(given, &mut stdin)?);
    }
    if events.is_empty() {
        return Err(Failure::usage("no event is given")
            .hint("give a CloudEvent, an array of them or one a line: JSON, @FILE or -"));
    }
    let to = arguments.to.to_string();
    let addressed = |event: &CloudEvent| match event.address() {
        Some(other) if other != to => Err(Failure::usage(format!(
            "event {} of {} is addressed to {other}",
            event.id(),
            event.source()
        ))),
        _ => event.addressed_to(&to).map_err(|error| Failure::usage(causes(&error))),
    };
    events.iter().map(addressed).collect()
}

/// Writes events into the log of a store that nobody uses.
fn log(directory: &Path, to: ExecutionId, events: &[CloudEvent]) -> Result<Vec<Receipt>, Failure> {
    let store =
        SqliteStore::open(directory).map_err(|error| run::cannot_open(directory, &error))?;
    let keys = KeyFiles::in_directory(directory).open();
    let sealer = RowSealer::new(keys.map_err(|error| without_keys(&error))?);
    block_on(async {
        inbox::refusal(&store, to).await?;
        let now = SystemClock.now();
        let new = events.iter().map(|event| NewEvent::new(event, now, &sealer)).collect();
        let receipts = store.publish(new).await;
        receipts.map_err(|error| Failure::of("cannot write into the log of events", &error))
    })?
}

/// Leaves events for the process that uses the store, and waits for its answer. Where it goes away instead, the store is
/// free for us.
fn hand_over(
    directory: &Path,
    to: ExecutionId,
    events: &[CloudEvent],
) -> Result<Vec<Receipt>, Failure> {
    let name = run::draw_id()?.to_string();
    let left = Inbox::of(directory).leave(&name, events);
    let letter = left.map_err(|error| inbox::cannot_leave(&error))?;
    let begun = Instant::now();
    loop {
        if let Some(answer) = inbox::answer_to(&letter) {
            return answer.map_err(Failure::usage);
        }
        if !SqliteStore::is_in_use(directory) {
            take_back(&letter);
            place(Some(directory), None).map_err(|_gone| ended(to))?;
            return log(directory, to, events);
        }
        if begun.elapsed() > PATIENCE {
            take_back(&letter);
            return Err(Failure::usage(format!(
                "the store in {} is in use by a process that takes no events",
                directory.display()
            ))
            .hint("nothing was left there: try again when it has ended"));
        }
        thread::sleep(PAUSE);
    }
}

fn take_back(letter: &Path) {
    // Where it was taken over in this moment, publishing it once more changes nothing.
    fs::remove_file(letter).ok();
}

fn ended(execution: ExecutionId) -> Failure {
    Failure::usage(format!("{execution} ended before it took the events"))
}

fn told(event: &CloudEvent, receipt: Receipt) -> String {
    let (id, source) = (event.id(), event.source());
    match receipt {
        Receipt::Logged(position) => format!("received: event {id} of {source}, at {position}"),
        Receipt::Duplicate(position) => {
            format!(
                "known: event {id} of {source} was received before, at {position}; nothing changes"
            )
        }
    }
}
