//! `tutti watch`

use super::{
    ask::Client,
    follow::{self, How},
};
use crate::{
    command_line::WatchArguments,
    console::Console,
    exit::{Exit, Failure},
};

/// Follows an execution to its end.
pub(crate) fn watch(arguments: &WatchArguments, console: &Console) -> Result<Exit, Failure> {
    let client = Client::new(&arguments.server, console)?;
    let how = How { limit: None, patient: arguments.patient, quiet: arguments.quiet };
    let execution = arguments.execution;
    let ended = client.block_on(follow::follow(&client, execution, how, console))?;
    follow::conclude(&client, execution, &ended, arguments.output, console)
}
