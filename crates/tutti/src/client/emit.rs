//! `tutti emit` to a server.

use tutti_api::{Operation, ReceivedEvents};
use tutti_expr::Value;
use tutti_journal::CloudEvent;

use super::{
    ask::{Ask, Client},
    settings,
    table::one_line,
};
use crate::{
    command_line::EmitArguments,
    console::Console,
    exit::{Exit, Failure},
    run::own_directories,
};

/// Whether a server is meant: not a directory, nor an execution that has its state in the usual place.
pub(crate) fn is_meant(arguments: &EmitArguments) -> bool {
    let Some(to) = arguments.to else { return true };
    if arguments.store.is_some() {
        return false;
    }
    let is_kept = |directory: std::path::PathBuf| directory.join(to.to_string()).is_dir();
    settings::names_a_server(&arguments.server)
        || (settings::is_configured() && !own_directories().is_ok_and(is_kept))
}

/// Hands events to a server.
pub(crate) fn emit(
    arguments: &EmitArguments,
    events: &[CloudEvent],
    console: &Console,
) -> Result<Exit, Failure> {
    let client = Client::new(&arguments.server, console)?;
    let batch = Value::array(events.iter().map(|event| event.envelope().clone()));
    let ask = Ask::new(Operation::PublishEvents)
        .body("application/cloudevents-batch+json", batch.to_json());
    let received: ReceivedEvents = client.get(&ask)?;
    for event in &received.events {
        let (id, source, position) = (&event.id, &event.source, event.position);
        console.line(&one_line(&if event.duplicate {
            format!(
                "known: event {id} of {source} was received before, at {position}; nothing changes"
            )
        } else {
            format!("received: event {id} of {source}, at {position}")
        }));
    }
    Ok(Exit::Completed)
}
