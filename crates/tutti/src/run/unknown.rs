//! `--unknown`: what is to become of calls whose outcome is unknown.

use tutti_expr::Value;
use tutti_journal::Resolution;

use crate::{command_line::RunArguments, exit::Failure};

/// What the command line says about unknown outcomes.
pub(super) fn resolution(arguments: &RunArguments) -> Result<Option<Resolution>, Failure> {
    let Some(text) = arguments.unknown.as_deref() else { return Ok(None) };
    match text {
        "retry" => Ok(Some(Resolution::Retry)),
        "fault" => Ok(Some(Resolution::Fault)),
        other => match other.strip_prefix("complete=").map(Value::from_json) {
            Some(Ok(output)) => Ok(Some(Resolution::Complete { output })),
            Some(Err(error)) => {
                Err(Failure::usage(format!("`--unknown complete=` is not followed by JSON: {error}"))
                    .hint("a text is written with quotes: --unknown 'complete=\"done\"'"))
            }
            None => Err(Failure::usage("`--unknown` takes retry, fault or complete=JSON")
                .hint("retry makes the call again, fault lets its task fault, complete=JSON says what it gave")),
        },
    }
}
