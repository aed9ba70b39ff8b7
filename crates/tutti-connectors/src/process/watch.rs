//! Watching a program to its end: its output, its processes, and whether it is still wanted.

use std::{
    fs::File,
    future::pending,
    io::{self, Read},
    time::Duration,
};

use rustix::process::Signal;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
    time::{Instant, interval, sleep, sleep_until, timeout},
};

use super::{
    capture::Capture,
    group::Group,
    program::Bounds,
    record::{Record, State},
    tree::Tree,
};
use crate::{Cancellation, LogStream};

/// How long processes may take to end when asked to.
const GRACE: Duration = Duration::from_secs(2);

/// How often files and processes that are not our children are looked at.
const TICK: Duration = Duration::from_millis(20);

/// How long output may still come from processes that left the group.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How often it is looked at what the processes of a program with bounds use.
const LOOK: Duration = Duration::from_millis(200);

/// As much as is read at once.
const CHUNK: usize = 64 * 1024;

/// A command to watch.
pub(super) struct Watch {
    pub(super) process: Process,
    pub(super) output: Output,
    pub(super) tree: Tree,
    pub(super) bounds: Bounds,
}

/// Whose process it is.
pub(super) enum Process {
    /// Ours, and the group it leads.
    Child(Box<Child>, Option<Group>),
    /// That of an earlier life of ours.
    Adopted(Record),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// The exit code of the process watched, if it has one.
    pub(super) code: Option<i64>,
    /// Why we ended it, if we did.
    pub(super) cut: Option<Cut>,
}

/// Why a program was ended before it ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// It was no longer wanted.
    Cancelled,
    /// It had more processes than this.
    Processes(u64),
    /// Its processes held more memory than this, in bytes.
    Memory(u64),
}

/// Where the output comes from.
pub(super) enum Output {
    Pipes(Box<Pipes>),
    Files { stdout: File, stderr: File, record: Record },
}

/// The pipes of a child of ours.
pub(super) struct Pipes {
    stdin: Option<(ChildStdin, Vec<u8>)>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

impl Watch {
    /// Waits until no process of the command is left; takes the output on the way.
    pub(super) async fn until_the_end(
        mut self,
        capture: &mut Capture,
        cancellation: &mut Cancellation,
    ) -> End {
        let mut deadline: Option<Instant> = None;
        let mut cut = None;
        let bounded = self.bounds != Bounds::default();
        let mut look = interval(LOOK);
        let code = loop {
            tokio::select! {
                biased;
                code = self.process.ended() => break code,
                () = cancellation.cancelled(), if deadline.is_none() => {
                    self.signal(Signal::TERM);
                    cut = cut.or(Some(Cut::Cancelled));
                    deadline = Some(Instant::now() + GRACE);
                }
                () = until(deadline) => {
                    self.signal(Signal::KILL);
                    deadline = Some(Instant::now() + GRACE);
                }
                _ = look.tick(), if bounded && cut.is_none() => {
                    cut = self.excess();
                    if cut.is_some() {
                        // Whoever has too much of something is not asked.
                        self.signal(Signal::KILL);
                        deadline = Some(Instant::now() + GRACE);
                    }
                }
                (stream, bytes) = self.output.next() => capture.push(stream, &bytes).await,
            }
        };
        self.clear(deadline).await;
        self.output.rest(capture).await;
        capture.finish().await;
        End { code, cut }
    }

    /// What its processes have too much of.
    fn excess(&self) -> Option<Cut> {
        let usage = self.group()?.usage();
        let Bounds { processes, memory } = self.bounds;
        let too_many = processes.filter(|most| usage.processes > *most).map(Cut::Processes);
        too_many.or_else(|| memory.filter(|most| usage.memory > *most).map(Cut::Memory))
    }

    /// What the command left in its group ends with it; when asked to end, so does what left the group, and all have their
    /// time.
    async fn clear(&mut self, deadline: Option<Instant>) {
        let Some(deadline) = deadline else {
            if let (Process::Child(..), Some(group)) = (&self.process, self.group()) {
                group.kill();
            }
            return;
        };
        while self.is_left() && Instant::now() < deadline {
            sleep(TICK / 2).await;
        }
        // What is started while others are killed is found the next time.
        let last = Instant::now() + GRACE;
        while self.signal(Signal::KILL) && Instant::now() < last {
            sleep(TICK / 2).await;
        }
    }

    fn is_left(&mut self) -> bool {
        let group = self.group();
        group.is_some_and(Group::exists) || self.tree.is_left(group)
    }

    /// Signals its processes, wherever they are; gives whether any were found.
    fn signal(&mut self, signal: Signal) -> bool {
        let group = self.group();
        self.tree.signal(group, signal)
    }

    /// The processes to signal. Those of an adopted command are made sure of each time: the id may be another's by now.
    fn group(&self) -> Option<Group> {
        match &self.process {
            Process::Child(_, group) => *group,
            Process::Adopted(record) => match record.state() {
                State::Running(group) | State::Remaining(group) => Some(group),
                _ => None,
            },
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

impl Process {
    /// # Cancel safety
    /// Safe.
    async fn ended(&mut self) -> Option<i64> {
        match self {
            Self::Child(child, _) => code(child.wait().await),
            Self::Adopted(record) => {
                adopted_ended(record).await;
                record.exit()
            }
        }
    }
}

/// What a record says once a claim that is being made is made; it takes no time, unless its writer died over it.
pub(super) async fn claimed(record: &Record) -> State {
    let patience = Instant::now() + GRACE;
    loop {
        match record.state() {
            State::Beginning if Instant::now() < patience => sleep(TICK).await,
            state => return state,
        }
    }
}

async fn adopted_ended(record: &Record) {
    while let State::Running(_) | State::Remaining(_) = claimed(record).await {
        sleep(TICK).await;
    }
}

/// The code as a shell gives it: 128 and the signal for a process that one ended.
fn code(status: io::Result<std::process::ExitStatus>) -> Option<i64> {
    use std::os::unix::process::ExitStatusExt;
    let status = status.ok()?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal))?;
    Some(i64::from(code))
}

impl Output {
    /// The pipes of `child`, to which `stdin` is still to be written.
    pub(super) fn pipes(child: &mut Child, stdin: Option<String>) -> Self {
        Self::Pipes(Box::new(Pipes {
            stdin: child.stdin.take().zip(stdin.map(String::into_bytes)),
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
        }))
    }

    /// More output, once there is some; never ends where there will be none.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost.
    async fn next(&mut self) -> (LogStream, Vec<u8>) {
        match self {
            Self::Pipes(pipes) => match pipes.next().await {
                Some(chunk) => chunk,
                None => pending().await,
            },
            Self::Files { stdout, stderr, .. } => loop {
                if let Some(chunk) = chunk(stdout, stderr) {
                    return chunk;
                }
                sleep(TICK).await;
            },
        }
    }

    /// What is left when the command has ended.
    async fn rest(&mut self, capture: &mut Capture) {
        match self {
            Self::Pipes(pipes) => {
                pipes.stdin = None;
                while let Ok(Some((stream, bytes))) = timeout(LAST_WORDS, pipes.next()).await {
                    capture.push(stream, &bytes).await;
                }
            }
            Self::Files { stdout, stderr, record } => {
                let mut patience = Instant::now() + LAST_WORDS;
                loop {
                    let whole = record.is_output_whole();
                    while let Some((stream, bytes)) = chunk(stdout, stderr) {
                        capture.push(stream, &bytes).await;
                        patience = Instant::now() + LAST_WORDS;
                    }
                    if whole || Instant::now() >= patience {
                        break;
                    }
                    sleep(TICK / 20).await;
                }
            }
        }
    }
}

/// What was appended to either file. They are local and small reads do not block.
fn chunk(stdout: &mut File, stderr: &mut File) -> Option<(LogStream, Vec<u8>)> {
    for (stream, file) in [(LogStream::Stdout, stdout), (LogStream::Stderr, stderr)] {
        let mut bytes = vec![0; CHUNK];
        if let Ok(length @ 1..) = file.read(&mut bytes) {
            bytes.truncate(length);
            return Some((stream, bytes));
        }
    }
    None
}

impl Pipes {
    fn are_closed(&self) -> bool {
        self.stdout.is_none() && self.stderr.is_none()
    }

    /// More output; none once both pipes are closed.
    async fn next(&mut self) -> Option<(LogStream, Vec<u8>)> {
        while !self.are_closed() {
            let chunk = tokio::select! {
                bytes = read(&mut self.stdout) => (LogStream::Stdout, bytes),
                bytes = read(&mut self.stderr) => (LogStream::Stderr, bytes),
                () = write(&mut self.stdin) => continue,
            };
            match chunk {
                (LogStream::Stderr, bytes) if bytes.is_empty() => self.stderr = None,
                (_, bytes) if bytes.is_empty() => self.stdout = None,
                chunk => return Some(chunk),
            }
        }
        None
    }
}

/// Some bytes, or none where the other end has closed.
async fn read<R: AsyncRead + Unpin>(pipe: &mut Option<R>) -> Vec<u8> {
    let Some(pipe) = pipe else { return pending().await };
    let mut bytes = Vec::with_capacity(CHUNK);
    match pipe.read_buf(&mut bytes).await {
        Ok(_) => bytes,
        Err(_) => Vec::new(),
    }
}

/// Writes some of what is still to be written; a command need not read it all.
async fn write(stdin: &mut Option<(ChildStdin, Vec<u8>)>) {
    let Some((pipe, left)) = stdin else { return pending().await };
    match pipe.write(left).await {
        Ok(written) if written > 0 && written < left.len() => {
            left.drain(..written);
        }
        _ => *stdin = None,
    }
}
