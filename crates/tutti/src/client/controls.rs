//! The hands that people lay on executions: `suspend`, `resume`, `cancel`, `retry`, `resolve`.

use tutti_api::{
    ControlRequest, ExecutionView, Operation, Resolution, ResolveRequest, RetryRequest,
};

use super::ask::{Ask, Client};
use crate::{
    command_line::{
        CancelArguments, ControlArguments, ResolveArguments, ResumeArguments, RetryArguments,
        SuspendArguments,
    },
    console::{self, Console},
    exit::{Exit, Failure},
};

/// Pauses an execution.
pub(crate) fn suspend(arguments: &SuspendArguments, console: &Console) -> Result<Exit, Failure> {
    plain(Operation::SuspendExecution, &arguments.control, console)
}

/// Lets a paused execution go on.
pub(crate) fn resume(arguments: &ResumeArguments, console: &Console) -> Result<Exit, Failure> {
    plain(Operation::ResumeExecution, &arguments.control, console)
}

/// Gives an execution up.
pub(crate) fn cancel(arguments: &CancelArguments, console: &Console) -> Result<Exit, Failure> {
    plain(Operation::CancelExecution, &arguments.control, console)
}

/// Takes an execution back to the start of a task.
pub(crate) fn retry(arguments: &RetryArguments, console: &Console) -> Result<Exit, Failure> {
    let (from, reason) = (arguments.from.clone(), arguments.control.reason.clone());
    let ask = Ask::new(Operation::RetryExecution).json(&RetryRequest { from, reason });
    lay(ask, &arguments.control, console)
}

/// Settles an incident.
pub(crate) fn resolve(arguments: &ResolveArguments, console: &Console) -> Result<Exit, Failure> {
    let (resolution, output) = resolution(&arguments.resolution)?;
    let (task, reason) = (arguments.task, arguments.control.reason.clone());
    let request = ResolveRequest { task, resolution, output, reason };
    let ask = Ask::new(Operation::ResolveIncident).json(&request);
    let execution = arguments.control.execution;
    lay(ask, &arguments.control, console).map_err(|failure| match failure.hint {
        Some(_) if failure.exit == Exit::Invalid => failure
            .hint(format!("`tutti describe {execution}` lists incidents and what settles them")),
        _ => failure,
    })
}

fn plain(
    operation: Operation,
    arguments: &ControlArguments,
    console: &Console,
) -> Result<Exit, Failure> {
    let request = ControlRequest { reason: arguments.reason.clone() };
    lay(Ask::new(operation).json(&request), arguments, console)
}

/// Asks for it, and prints how the execution stands then.
fn lay(ask: Ask, arguments: &ControlArguments, console: &Console) -> Result<Exit, Failure> {
    let client = Client::new(&arguments.server, console)?;
    let view: ExecutionView = client.get(&ask.part("id", &arguments.execution))?;
    console::print(&format!("{} {}\n", view.id, view.status.as_str()))
}

fn resolution(text: &str) -> Result<(Resolution, Option<serde_json::Value>), Failure> {
    let unknown =
        |message: String| Failure::usage(message).hint("--as takes retry, fault or complete=JSON");
    match text.split_once('=') {
        Some(("complete", json)) => {
            let output = serde_json::from_str(json);
            let output = output.map_err(|_other| unknown(format!("`{json}` is not JSON")))?;
            Ok((Resolution::Complete, Some(output)))
        }
        None if text == "retry" => Ok((Resolution::Retry, None)),
        None if text == "fault" => Ok((Resolution::Fault, None)),
        _ => Err(unknown(format!("an incident is not settled as `{text}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incidents_are_settled_in_three_ways() {
        let check = |text: &str, expected: Option<(Resolution, Option<&str>)>| {
            let expected = expected.map(|(resolution, output)| {
                (resolution, output.map(|output| serde_json::Value::String(output.to_owned())))
            });
            assert_eq!(resolution(text).ok(), expected, "{text}");
        };
        check("retry", Some((Resolution::Retry, None)));
        check("fault", Some((Resolution::Fault, None)));
        check("complete=\"done\"", Some((Resolution::Complete, Some("done"))));
        check("complete", None);
        check("complete={", None);
        check("retry=1", None);
    }
}
