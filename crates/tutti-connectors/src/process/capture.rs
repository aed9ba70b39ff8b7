//! Output as it comes: kept for the result, cut into lines for people.

use std::{collections::VecDeque, time::Duration};

use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::{Instant, timeout},
};
use tutti_ids::{ExecutionId, Sequence};

use crate::{
    Call, CallContext, LogLine, LogStream,
    redact::{Redacting, Secrets},
};

/// The most of one stream that is kept for the result, in bytes.
pub(super) const MOST_KEPT: usize = 8 * 1024 * 1024;

/// The longest line shown to people, in bytes.
const LONGEST_LINE: usize = 16 * 1024;

/// The most shown to people for one call, in bytes.
const MOST_SHOWN: usize = 10 * 1024 * 1024;

/// The most shown to people in one second, in bytes.
const MOST_PER_SECOND: usize = 1024 * 1024;

/// How long we wait for somebody to take a line.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many last lines of standard error go into an error.
const LAST_LINES: usize = 5;

/// How much of each of those goes there, in bytes.
const LONGEST_LAST: usize = 500;

/// Takes the output of one call.
pub(super) struct Capture {
    pub(super) stdout: Kept,
    pub(super) stderr: Kept,
    /// Secrets are taken out before anything is cut, so that no half of one is left over.
    redacting: [Redacting; 2],
    lines: [Line; 2],
    last: VecDeque<String>,
    meter: Meter,
    sink: Sink,
}

/// What is kept of one stream.
#[derive(Debug, Default)]
pub(super) struct Kept {
    bytes: Vec<u8>,
    overflow: bool,
}

/// A line that has not ended yet.
#[derive(Debug, Default)]
struct Line {
    bytes: Vec<u8>,
    overflow: bool,
}

struct Sink {
    log: mpsc::Sender<LogLine>,
    /// Whether nobody took a line for so long that we do not wait for the next.
    stalled: bool,
    execution: ExecutionId,
    task: Sequence,
}

impl Capture {
    pub(super) fn new(call: &Call, context: &CallContext, secrets: &Secrets) -> Self {
        Self {
            stdout: Kept::default(),
            stderr: Kept::default(),
            redacting: [secrets.stream(), secrets.stream()],
            lines: [Line::default(), Line::default()],
            last: VecDeque::new(),
            meter: Meter::new(),
            sink: Sink {
                log: context.log.clone(),
                stalled: false,
                execution: call.execution,
                task: call.task,
            },
        }
    }

    /// Takes more of a stream. Waits while nobody takes the lines, as a terminal would.
    pub(super) async fn push(&mut self, stream: LogStream, bytes: &[u8]) {
        let (kept, index) = match stream {
            LogStream::Stderr => (&mut self.stderr, 1),
            LogStream::Stdout | LogStream::Connector => (&mut self.stdout, 0),
        };
        kept.push(bytes);
        let bytes = self.redacting[index].push(bytes);
        self.cut_into_lines(stream, index, &bytes).await;
    }

    async fn cut_into_lines(&mut self, stream: LogStream, index: usize, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            self.lines[index].push(text);
            if ended {
                let line = std::mem::take(&mut self.lines[index]);
                self.show(stream, &line).await;
            }
        }
    }

    /// Tells people something that the program did not.
    pub(super) async fn say(&mut self, text: String) {
        self.sink.send(LogStream::Connector, text).await;
    }

    /// Takes what is left as the last line.
    pub(super) async fn finish(&mut self) {
        for (index, stream) in [LogStream::Stdout, LogStream::Stderr].into_iter().enumerate() {
            let rest = self.redacting[index].finish();
            self.cut_into_lines(stream, index, &rest).await;
            let line = std::mem::take(&mut self.lines[index]);
            if !line.bytes.is_empty() {
                self.show(stream, &line).await;
            }
        }
        if let Some(marker) = self.meter.finish() {
            self.sink.send(LogStream::Connector, marker).await;
        }
    }

    /// The last lines of standard error, for people.
    pub(super) fn last_lines(&self) -> String {
        self.last.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    async fn show(&mut self, stream: LogStream, line: &Line) {
        let bytes = line.bytes.strip_suffix(b"\r").unwrap_or(&line.bytes);
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        if line.overflow || text.len() > LONGEST_LINE {
            cut(&mut text, LONGEST_LINE);
            text.push_str("… [line cut at 16 KiB]");
        }
        if stream == LogStream::Stderr && !text.trim().is_empty() {
            let mut last = text.clone();
            cut(&mut last, LONGEST_LAST);
            self.last.push_back(last);
            if self.last.len() > LAST_LINES {
                self.last.pop_front();
            }
        }
        let (marker, shown) = self.meter.admit(text.len() + 1);
        if let Some(marker) = marker {
            self.sink.send(LogStream::Connector, marker).await;
        }
        if shown && !self.sink.send(stream, text).await {
            self.meter.left_out += 1;
        }
    }
}

impl Sink {
    /// Waits a while for somebody to take lines, as a terminal would; whether this one was taken.
    async fn send(&mut self, stream: LogStream, text: String) -> bool {
        let line = LogLine { execution: self.execution, task: self.task, stream, text };
        let line = match self.log.try_send(line) {
            Err(TrySendError::Full(line)) if !self.stalled => line,
            sent => {
                self.stalled = matches!(sent, Err(TrySendError::Full(_)));
                // Nobody may be listening any more; the call goes on all the same.
                return !self.stalled;
            }
        };
        self.stalled = timeout(PATIENCE, self.log.send(line)).await.is_err();
        !self.stalled
    }
}

impl Kept {
    fn push(&mut self, bytes: &[u8]) {
        let room = MOST_KEPT - self.bytes.len();
        self.overflow |= bytes.len() > room;
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// Whether there was more than is kept.
    pub(super) fn overflowed(&self) -> bool {
        self.overflow
    }

    /// The text without one newline at its end; what is not UTF-8 is replaced.
    pub(super) fn text(&self) -> String {
        let bytes = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        String::from_utf8_lossy(bytes).into_owned()
    }
}

impl Line {
    fn push(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.bytes.len());
        self.overflow |= bytes.len() > room;
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }
}

/// Shortens `text` to at most `length` bytes at the border of a character.
fn cut(text: &mut String, length: usize) {
    text.truncate(text.floor_char_boundary(length));
}

/// Counts what is shown.
#[derive(Debug)]
struct Meter {
    total: usize,
    left_out: usize,
    allowance: usize,
    filled: Instant,
    closed: bool,
}

impl Meter {
    fn new() -> Self {
        Self {
            total: 0,
            left_out: 0,
            allowance: MOST_PER_SECOND,
            filled: Instant::now(),
            closed: false,
        }
    }

    /// Whether a line of `length` bytes is shown, and what to say about lines before it.
    fn admit(&mut self, length: usize) -> (Option<String>, bool) {
        if self.closed {
            return (None, false);
        }
        if self.total + length > MOST_SHOWN {
            self.closed = true;
            return (Some("[more than 10 MiB of output: the rest is left out]".to_owned()), false);
        }
        if !self.spend(length) {
            self.left_out += 1;
            return (None, false);
        }
        self.total += length;
        (self.finish(), true)
    }

    /// What to say about lines left out since the last time.
    fn finish(&mut self) -> Option<String> {
        let count = std::mem::take(&mut self.left_out);
        (count > 0).then(|| format!("[output came too fast: {count} lines left out]"))
    }

    fn spend(&mut self, length: usize) -> bool {
        let now = Instant::now();
        let passed = now.duration_since(self.filled).as_micros().min(1_000_000);
        let refill = usize::try_from(passed).unwrap_or(usize::MAX) * MOST_PER_SECOND / 1_000_000;
        if refill > 0 {
            self.allowance = (self.allowance + refill).min(MOST_PER_SECOND);
            self.filled = now;
        }
        let enough = self.allowance >= length;
        if enough {
            self.allowance -= length;
        }
        enough
    }
}
