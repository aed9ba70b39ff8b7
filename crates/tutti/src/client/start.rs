//! `tutti start`

use std::time::Duration;

use tutti_api::{ExecutionView, IDEMPOTENCY_HEADER, Operation};
use tutti_ids::ExecutionId;
use tutti_runtime::{Clock as _, SystemClock};

use super::{
    ask::{Ask, Client},
    follow::{self, How},
};
use crate::{
    command_line::StartArguments,
    console::{self, Console},
    exit::{Exit, Failure},
    run::{Stdin, draw_id, read_input},
};

/// Starts an execution, and waits for its end where that is asked for.
pub(crate) fn start(arguments: &StartArguments, console: &Console) -> Result<Exit, Failure> {
    let mut stdin = Stdin::default();
    let input = read_input(arguments.input.as_deref(), &arguments.set, &mut stdin)?;
    let client = Client::new(&arguments.server, console)?;
    let mut ask = Ask::new(Operation::StartExecution)
        .part("name", &arguments.name)
        .query("version", arguments.version.as_ref())
        .query("key", arguments.key.as_ref())
        .header(IDEMPOTENCY_HEADER, &key(arguments)?);
    if let Some(input) = input {
        ask = ask.body("application/json", input.to_json());
    }
    let started: ExecutionView = client.get(&ask)?;
    let Some(limit) = &arguments.wait else {
        return console::print(&format!("{}\n", started.id));
    };
    let execution = id_of(&started)?;
    let limit = limit.map(|limit| {
        let now = SystemClock.now().0;
        Duration::from_millis(u64::try_from(limit.after(now).saturating_sub(now)).unwrap_or(0))
    });
    let how = How { limit, patient: false, quiet: true };
    let ended = client.block_on(follow::follow(&client, execution, how, console))?;
    follow::conclude(&client, execution, &ended, arguments.output, console)
}

/// Under which the request is carried out once, however often it arrives.
fn key(arguments: &StartArguments) -> Result<String, Failure> {
    match &arguments.idempotency_key {
        Some(key) => Ok(key.clone()),
        None => draw_id().map(|id| id.to_string()),
    }
}

fn id_of(view: &ExecutionView) -> Result<ExecutionId, Failure> {
    view.id.parse().map_err(|_odd| {
        Failure::usage("the server names the execution in a way this program does not know")
    })
}
