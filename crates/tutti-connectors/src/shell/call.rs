//! One `run: shell` as a program to start.

use std::path::Path;

use tutti_expr::Value;
use tutti_journal::Error;

use super::config::Arguments;
use crate::{
    BoxFuture, Call, CallContext, Connector, Failure, Probe,
    process::{Attempt, Bounds, Program, SHELL, SetBy, Start, discard_output},
    redact::Secrets,
};

/// Serves `run: shell`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shell;

impl Connector for Shell {
    fn function(&self) -> &'static str {
        "shell"
    }

    fn call(&self, call: Call, context: CallContext) -> BoxFuture<'_, Result<Value, Failure>> {
        Box::pin(async move { attempt(call, context).map_err(Failure::Known)?.call().await })
    }

    fn probe(&self, call: Call, context: CallContext) -> BoxFuture<'_, Probe> {
        Box::pin(async move {
            match attempt(call, context) {
                Ok(attempt) => attempt.probe().await,
                // Such arguments never got as far as a command.
                Err(_) => Probe::NotMade,
            }
        })
    }

    fn settled(&self, call: &Call, scratch: &Path) {
        discard_output(call, scratch);
    }
}

fn attempt(call: Call, context: CallContext) -> Result<Attempt, Error> {
    let secrets = Secrets::of(&call.arguments, &call.secrets);
    let arguments = Arguments::read(&call.arguments).map_err(|error| secrets.clean(error))?;
    Ok(Attempt::new(call, context, program(arguments), secrets))
}

fn program(arguments: Arguments) -> Program {
    let Arguments { command, positional, stdin, environment, output, awaits } = arguments;
    let shell = [SHELL, "-c", "--"].into_iter().map(Into::into);
    let words = shell.chain([command.into(), "sh".into()]);
    let words = words.chain(positional.into_iter().map(Into::into)).collect();
    Program {
        noun: "command",
        start: Ok(Start { words, stdin, notice: None }),
        environment,
        set_by: SetBy::Starter,
        output,
        awaits,
        bounds: Bounds::default(),
    }
}
