//! One call from starting its program to its output.

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
    group::Group,
    outcome::{cut_off, result},
    program::{Program, Start},
    record::{Record, State},
    start::{self, KillOnDrop, Streams},
    tree::{Mark, Tree, VARIABLE},
    watch::{End, Output, Process, Watch, claimed},
};
use crate::{Call, CallContext, Failure, Probe, http::outcome_unknown, redact::Secrets};

/// One call that starts a program.
pub(crate) struct Attempt {
    call: Call,
    context: CallContext,
    program: Program,
    secrets: Secrets,
    /// What its processes have in their environment.
    mark: Mark,
}

impl Attempt {
    /// What `program` gives for a call; `secrets` are those of the call's arguments.
    pub(crate) fn new(
        call: Call,
        context: CallContext,
        program: Program,
        secrets: Secrets,
    ) -> Self {
        let mark = Mark::of(&call);
        Self { call, context, program, secrets, mark }
    }

    /// Makes the call, or takes up what an earlier life of ours left going on.
    pub(crate) async fn call(&self) -> Result<Value, Failure> {
        self.make().await.map_err(|failure| match failure {
            Failure::Known(error) => Failure::Known(self.secrets.clean(error)),
            Failure::Unknown(error) => Failure::Unknown(self.secrets.clean(error)),
            Failure::Cancelled => Failure::Cancelled,
        })
    }

    async fn make(&self) -> Result<Value, Failure> {
        if self.context.cancellation.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        let Some(scratch) = &self.context.scratch else {
            return if self.program.awaits {
                self.run_directly().await
            } else {
                self.start_directly()
            };
        };
        match self.left_from_before(scratch) {
            Some(record) => match self.resume(&record).await {
                Probe::Finished(result) => result.map_err(Failure::Known),
                Probe::Unknown if self.call.effect == Effect::Once => {
                    Err(self.unknown(&cut_off(self.program.noun, None)))
                }
                Probe::NotMade | Probe::Unknown => self.run_recorded(scratch).await,
            },
            None => self.run_recorded(scratch).await,
        }
    }

    /// Finds out what became of this attempt, waiting for it while it is going on.
    pub(crate) async fn probe(&self) -> Probe {
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
            _ if !self.program.awaits => begun(record).await,
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
        let process = Process::Adopted(record.clone());
        let tree = Tree::of(record.mark().as_ref());
        let watch = Watch { process, output, tree, bounds: self.program.bounds };
        let mut cancellation = self.context.cancellation.clone();
        watch.until_the_end(&mut capture, &mut cancellation).await;
        match record.exit() {
            Some(code) => {
                let result = result(&self.program, code, &capture, &self.secrets);
                Probe::Finished(result.map_err(|error| self.secrets.clean(error)))
            }
            None => Probe::Unknown,
        }
    }

    /// Runs the program so that its end is known even if we die.
    async fn run_recorded(&self, scratch: &Path) -> Result<Value, Failure> {
        let start = self.start()?;
        let record = Record::create(scratch, &self.call).map_err(|error| self.failed(&error))?;
        let (command, output) =
            self.prepare(start, &record).map_err(|error| self.failed(&error))?;
        if !self.program.awaits {
            let started = self.spawn(command).inspect_err(|_failure| {
                record.give_up();
            });
            return started.map(|_left_alone| Value::NULL);
        }
        let end = self.watch(command, start, |_child| output).await;
        let (mut end, capture) = end.inspect_err(|_failure| {
            record.give_up();
        })?;
        if end.code == Some(i64::from(start::NOT_CLAIMED)) && record.exit().is_none() {
            let noun = self.program.noun;
            let detail = format!("the {noun} was not started: its record could not be written");
            return Err(Failure::Known(Error::new(ErrorType::Runtime, detail)));
        }
        end.code = record.exit();
        self.conclude(end, &capture)
    }

    fn prepare(&self, start: &Start, record: &Record) -> io::Result<(Command, Output)> {
        let stdin = match &start.stdin {
            Some(text) => Stdio::from(start::input(text, record.directory())?),
            None => Stdio::null(),
        };
        record.write_mark(&self.mark)?;
        record.make_output("stdout")?;
        record.make_output("stderr")?;
        let streams = Streams {
            stdin,
            stdout: start::kept("stdout", record.directory())?,
            stderr: start::kept("stderr", record.directory())?,
        };
        let command =
            start::recorded(&self.program, start, &self.call, streams, record.directory());
        let stdout = record.read_output("stdout")?;
        let stderr = record.read_output("stderr")?;
        Ok((command, Output::Files { stdout, stderr, record: record.clone() }))
    }

    /// Runs the program as a child that ends with us.
    async fn run_directly(&self) -> Result<Value, Failure> {
        let start = self.start()?;
        let stdin = if start.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let streams = Streams { stdin, stdout: Stdio::piped(), stderr: Stdio::piped() };
        let command = start::direct(&self.program, start, &self.call, streams);
        let input = start.stdin.clone();
        let (end, capture) =
            self.watch(command, start, |child| Output::pipes(child, input)).await?;
        self.conclude(end, &capture)
    }

    /// Starts the program, and leaves it to itself.
    fn start_directly(&self) -> Result<Value, Failure> {
        let start = self.start()?;
        let stdin = if start.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let streams = Streams { stdin, stdout: Stdio::null(), stderr: Stdio::null() };
        let command = start::direct(&self.program, start, &self.call, streams);
        let mut child = self.spawn(command)?;
        if let Some((mut pipe, text)) = child.stdin.take().zip(start.stdin.clone()) {
            // A program need not read it all, nor soon.
            tokio::spawn(async move { pipe.write_all(text.as_bytes()).await.ok() });
        }
        Ok(Value::NULL)
    }

    async fn watch(
        &self,
        mut command: Command,
        start: &Start,
        output: impl FnOnce(&mut Child) -> Output,
    ) -> Result<(End, Capture), Failure> {
        command.env(VARIABLE, &self.mark.0);
        let mut child = self.spawn(command)?;
        let group = child.id().and_then(Group::led_by);
        let output = output(&mut child);
        // A command that leaves its end in a record goes on without us, as it does when we are killed.
        let ends_with_us = matches!(output, Output::Pipes(_));
        let tree = Tree::of(Some(&self.mark));
        let guard = KillOnDrop::new(group.filter(|_| ends_with_us), tree);
        let mut capture = Capture::new(&self.call, &self.context, &self.secrets);
        if let Some(notice) = &start.notice {
            capture.say(notice.clone()).await;
        }
        let process = Process::Child(Box::new(child), group);
        let tree = Tree::of(Some(&self.mark));
        let watch = Watch { process, output, tree, bounds: self.program.bounds };
        let mut cancellation = self.context.cancellation.clone();
        let end = Box::pin(watch.until_the_end(&mut capture, &mut cancellation)).await;
        guard.ended();
        Ok((end, capture))
    }

    fn conclude(&self, end: End, capture: &Capture) -> Result<Value, Failure> {
        match end.code {
            Some(code) if end.cut.is_none() => {
                result(&self.program, code, capture, &self.secrets).map_err(Failure::Known)
            }
            _ => Err(self.unknown(&cut_off(self.program.noun, end.cut))),
        }
    }

    /// A `once` program that was cut off may have done anything; others can be started again.
    fn unknown(&self, error: &Error) -> Failure {
        match self.call.effect {
            Effect::Once => Failure::Unknown(outcome_unknown(error)),
            Effect::Read | Effect::Idempotent => Failure::Known(error.clone()),
        }
    }

    fn start(&self) -> Result<&Start, Failure> {
        self.program.start.as_ref().map_err(|error| Failure::Known(error.clone()))
    }

    fn spawn(&self, command: Command) -> Result<Child, Failure> {
        tokio::process::Command::from(command).spawn().map_err(|error| self.failed(&error))
    }

    /// The failure of a program that did not start.
    fn failed(&self, error: &io::Error) -> Failure {
        let detail = format!("the {} was not started: {error}", self.program.noun);
        Failure::Known(Error::new(ErrorType::Runtime, detail))
    }
}

/// What is known of a recorded program that nobody waits for: its start is all that counts.
async fn begun(record: &Record) -> Probe {
    match claimed(record).await {
        State::Running(_) | State::Remaining(_) | State::Ended { .. } => {
            Probe::Finished(Ok(Value::NULL))
        }
        State::NotBegun | State::GivenUp | State::Beginning | State::Lost => Probe::Unknown,
    }
}
