//! One `run: shell` from arguments to output.

use std::{
    io,
    path::Path,
    process::{Command, Stdio},
};

use tokio::{io::AsyncWriteExt, process::Child};
use tutti_expr::Value;
use tutti_journal::{Effect, Error, ErrorType};

use super::{
    capture::Capture,
    config::Arguments,
    group::Group,
    outcome::{cut_off, result},
    process::{self, KillOnDrop, Streams},
    record::{Record, State},
    watch::{End, Output, Process, Watch, claimed},
};
use crate::{
    BoxFuture, Call, CallContext, Connector, Failure, Probe, http::outcome_unknown, redact::Secrets,
};

/// Serves `run: shell`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shell;

/// One call being made.
struct Making {
    call: Call,
    context: CallContext,
    arguments: Arguments,
    secrets: Secrets,
}

impl Connector for Shell {
    fn function(&self) -> &'static str {
        "shell"
    }

    fn call(&self, call: Call, context: CallContext) -> BoxFuture<'_, Result<Value, Failure>> {
        Box::pin(async move {
            let making = Making::new(call, context).map_err(Failure::Known)?;
            let outcome = making.make().await;
            outcome.map_err(|failure| match failure {
                Failure::Known(error) => Failure::Known(making.secrets.clean(error)),
                Failure::Unknown(error) => Failure::Unknown(making.secrets.clean(error)),
                Failure::Cancelled => Failure::Cancelled,
            })
        })
    }

    fn probe(&self, call: Call, context: CallContext) -> BoxFuture<'_, Probe> {
        Box::pin(async move {
            match Making::new(call, context) {
                Ok(making) => making.probe().await,
                // Such arguments never got as far as a command.
                Err(_) => Probe::NotMade,
            }
        })
    }

    fn settled(&self, call: &Call, scratch: &Path) {
        if let Some(record) = Record::find(scratch, call, call.attempt) {
            record.discard_output();
        }
    }
}

impl Making {
    fn new(call: Call, context: CallContext) -> Result<Self, Error> {
        let secrets = Secrets::of(&call.arguments);
        let arguments = Arguments::read(&call.arguments).map_err(|error| secrets.clean(error))?;
        Ok(Self { call, context, arguments, secrets })
    }

    async fn make(&self) -> Result<Value, Failure> {
        if self.context.cancellation.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        let Some(scratch) = &self.context.scratch else {
            return if self.arguments.awaits {
                self.run_directly().await
            } else {
                self.start_directly()
            };
        };
        match self.left_from_before(scratch) {
            Some(record) => match self.resume(&record).await {
                Probe::Finished(result) => result.map_err(Failure::Known),
                Probe::Unknown if self.call.effect == Effect::Once => {
                    Err(self.unknown(&cut_off(false)))
                }
                Probe::NotMade | Probe::Unknown => self.run_recorded(scratch).await,
            },
            None => self.run_recorded(scratch).await,
        }
    }

    async fn probe(&self) -> Probe {
        let Some(scratch) = self.context.scratch.as_deref() else { return Probe::Unknown };
        match Record::find(scratch, &self.call, self.call.attempt) {
            Some(record) => self.resume(&record).await,
            None if Record::is_absence_telling(scratch) => Probe::NotMade,
            None => Probe::Unknown,
        }
    }

    /// The record of this very attempt, or of an earlier one that is still going on: there are never two at a time.
    fn left_from_before(&self, scratch: &Path) -> Option<Record> {
        let find = |attempt| Record::find(scratch, &self.call, attempt);
        find(self.call.attempt).or_else(|| {
            (1..self.call.attempt).rev().filter_map(find).find(|record| {
                matches!(record.state(), State::Running(_) | State::Remaining(_) | State::Beginning)
            })
        })
    }

    /// Finds out what became of a recorded command; waits for it while it is going on.
    async fn resume(&self, record: &Record) -> Probe {
        match record.state() {
            State::GivenUp => Probe::NotMade,
            State::NotBegun if record.give_up() => Probe::NotMade,
            State::Lost => Probe::Unknown,
            _ if !self.arguments.awaits => begun(record).await,
            State::NotBegun
            | State::Beginning
            | State::Running(_)
            | State::Remaining(_)
            | State::Ended { .. } => self.follow(record).await,
        }
    }

    async fn follow(&self, record: &Record) -> Probe {
        let (Ok(stdout), Ok(stderr)) = (record.read_output("stdout"), record.read_output("stderr"))
        else {
            return Probe::Unknown;
        };
        let output = Output::Files { stdout, stderr, record: record.clone() };
        let mut capture = Capture::new(&self.call, &self.context, &self.secrets);
        let watch = Watch { process: Process::Adopted(record.clone()), output };
        let mut cancellation = self.context.cancellation.clone();
        watch.until_the_end(&mut capture, &mut cancellation).await;
        match record.exit() {
            Some(code) => {
                let result = result(self.arguments.output, code, &capture, &self.secrets);
                Probe::Finished(result.map_err(|error| self.secrets.clean(error)))
            }
            None => Probe::Unknown,
        }
    }

    /// Runs the command so that its end is known even if we die.
    async fn run_recorded(&self, scratch: &Path) -> Result<Value, Failure> {
        let record = Record::create(scratch, &self.call).map_err(|error| not_started(&error))?;
        let (command, output) = self.prepare(&record).map_err(|error| not_started(&error))?;
        if !self.arguments.awaits {
            let started = start(command).inspect_err(|_failure| {
                record.give_up();
            });
            return started.map(|_left_alone| Value::NULL);
        }
        let end = self.watch(command, |_child| output).await;
        let (mut end, capture) = end.inspect_err(|_failure| {
            record.give_up();
        })?;
        if end.code == Some(i64::from(process::NOT_CLAIMED)) && record.exit().is_none() {
            let detail = "the command was not started: its record could not be written";
            return Err(Failure::Known(Error::new(ErrorType::Runtime, detail)));
        }
        end.code = record.exit();
        self.conclude(end, &capture)
    }

    fn prepare(&self, record: &Record) -> io::Result<(Command, Output)> {
        let stdin = match &self.arguments.stdin {
            Some(text) => Stdio::from(process::input(text, record.directory())?),
            None => Stdio::null(),
        };
        record.make_output("stdout")?;
        record.make_output("stderr")?;
        let streams = Streams {
            stdin,
            stdout: process::kept("stdout", record.directory())?,
            stderr: process::kept("stderr", record.directory())?,
        };
        let command = process::recorded(&self.arguments, &self.call, streams, record.directory());
        let stdout = record.read_output("stdout")?;
        let stderr = record.read_output("stderr")?;
        Ok((command, Output::Files { stdout, stderr, record: record.clone() }))
    }

    /// Runs the command as a child that ends with us.
    async fn run_directly(&self) -> Result<Value, Failure> {
        let stdin = if self.arguments.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let streams = Streams { stdin, stdout: Stdio::piped(), stderr: Stdio::piped() };
        let command = process::direct(&self.arguments, &self.call, streams);
        let input = self.arguments.stdin.clone();
        let (end, capture) = self.watch(command, |child| Output::pipes(child, input)).await?;
        self.conclude(end, &capture)
    }

    /// Starts the command, and leaves it to itself.
    fn start_directly(&self) -> Result<Value, Failure> {
        let stdin = if self.arguments.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let streams = Streams { stdin, stdout: Stdio::null(), stderr: Stdio::null() };
        let mut child = start(process::direct(&self.arguments, &self.call, streams))?;
        if let Some((mut pipe, text)) = child.stdin.take().zip(self.arguments.stdin.clone()) {
            // A command need not read it all, nor soon.
            tokio::spawn(async move { pipe.write_all(text.as_bytes()).await.ok() });
        }
        Ok(Value::NULL)
    }

    async fn watch(
        &self,
        command: Command,
        output: impl FnOnce(&mut Child) -> Output,
    ) -> Result<(End, Capture), Failure> {
        let mut child = start(command)?;
        let group = child.id().and_then(Group::led_by);
        let guard = KillOnDrop::new(group);
        let output = output(&mut child);
        let mut capture = Capture::new(&self.call, &self.context, &self.secrets);
        let watch = Watch { process: Process::Child(Box::new(child), group), output };
        let mut cancellation = self.context.cancellation.clone();
        let end = Box::pin(watch.until_the_end(&mut capture, &mut cancellation)).await;
        guard.ended();
        Ok((end, capture))
    }

    fn conclude(&self, end: End, capture: &Capture) -> Result<Value, Failure> {
        match end.code {
            Some(code) if !end.cancelled => {
                result(self.arguments.output, code, capture, &self.secrets).map_err(Failure::Known)
            }
            _ => Err(self.unknown(&cut_off(end.cancelled))),
        }
    }

    /// A `once` command that was cut off may have done anything; others can be made again.
    fn unknown(&self, error: &Error) -> Failure {
        match self.call.effect {
            Effect::Once => Failure::Unknown(outcome_unknown(error)),
            Effect::Read | Effect::Idempotent => Failure::Known(error.clone()),
        }
    }
}

/// What is known of a recorded command that nobody waits for: its start is all that counts.
async fn begun(record: &Record) -> Probe {
    match claimed(record).await {
        State::Running(_) | State::Remaining(_) | State::Ended { .. } => {
            Probe::Finished(Ok(Value::NULL))
        }
        State::NotBegun | State::GivenUp | State::Beginning | State::Lost => Probe::Unknown,
    }
}

fn start(command: Command) -> Result<Child, Failure> {
    tokio::process::Command::from(command).spawn().map_err(|error| not_started(&error))
}

fn not_started(error: &io::Error) -> Failure {
    let detail = format!("the command was not started: {error}");
    Failure::Known(Error::new(ErrorType::Runtime, detail))
}
