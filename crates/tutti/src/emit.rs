//! `tutti emit`

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use tutti_expr::Value;
use tutti_ids::ExecutionId;
use tutti_journal::CloudEvent;
use tutti_runtime::{Clock as _, RowSealer, SystemClock};
use tutti_secrets::KeyFiles;
use tutti_store::{NewEvent, Receipt, SqliteStore, Store as _};

use crate::{
    client,
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

/// Hands events to a server; or to an execution: into the log of its store, or to the process that uses it.
pub(crate) fn emit(arguments: &EmitArguments, console: &Console) -> Result<Exit, Failure> {
    let events = given(arguments)?;
    let events = match arguments.to {
        Some(to) => addressed(&events, to)?,
        None => events,
    };
    match arguments.to.filter(|_| !client::is_meant(arguments)) {
        Some(to) => here(arguments, to, &events, console),
        None => client::emit(arguments, &events, console),
    }
}

fn here(
    arguments: &EmitArguments,
    to: ExecutionId,
    events: &[CloudEvent],
    console: &Console,
) -> Result<Exit, Failure> {
    let directory = place(arguments.store.as_deref(), Some(to))?;
    let receipts = if SqliteStore::is_in_use(&directory) {
        hand_over(&directory, to, events)?
    } else {
        log(&directory, to, events)?
    };
    for (event, receipt) in events.iter().zip(&receipts) {
        console.line(&told(event, *receipt));
    }
    Ok(Exit::Completed)
}

/// The events that are given.
fn given(arguments: &EmitArguments) -> Result<Vec<CloudEvent>, Failure> {
    let mut stdin = run::Stdin::default();
    if let [kind] = &arguments.events[..]
        && is_type(kind)
    {
        return event_of(kind, arguments, &mut stdin).map(|event| vec![event]);
    }
    if arguments.data.is_some() {
        return Err(Failure::usage("--data goes with the type of one event")
            .hint("for example: tutti emit order.paid --data '{\"order\": 7}'"));
    }
    let mut events = Vec::new();
    for given in arguments.events.iter().chain(&arguments.event) {
        events.extend(run::read_events(given, &mut stdin)?);
    }
    if events.is_empty() {
        return Err(Failure::usage("no event is given")
            .hint("give a CloudEvent, an array of them or one a line: JSON, @FILE or -"));
    }
    Ok(events)
}

/// Whether it is the type of an event, not an event.
fn is_type(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.contains(|c: char| c.is_whitespace() || "{}[]\"".contains(c))
        && !Path::new(text).is_file()
}

/// An event of this type, with a source and an id of its own unless they are given.
fn event_of(
    kind: &str,
    arguments: &EmitArguments,
    stdin: &mut run::Stdin,
) -> Result<CloudEvent, Failure> {
    let id = match &arguments.id {
        Some(id) => id.clone(),
        None => run::draw_id()?.to_string().replace("exec_", "emit_"),
    };
    let data = match &arguments.data {
        Some(data) => Some(run::read_value("--data", data, stdin)?),
        None => None,
    };
    let text = |name: &'static str, text: &str| Some((name, Value::from(text)));
    let members = [
        text("specversion", "1.0"),
        text("id", &id),
        text("source", &arguments.source),
        text("type", kind),
        arguments.subject.as_deref().and_then(|subject| text("subject", subject)),
        data.map(|data| ("data", data)),
    ];
    CloudEvent::from_value(&Value::object(members.into_iter().flatten()))
        .map_err(|error| Failure::usage(format!("this makes no event: {}", causes(&error))))
}

/// The events, addressed.
fn addressed(events: &[CloudEvent], to: ExecutionId) -> Result<Vec<CloudEvent>, Failure> {
    let to = to.to_string();
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
