//! The log of the server on standard error: lines for people or of JSON, written by a thread of their own.
//!
//! Whoever logs never waits: where whoever reads is too slow, lines are dropped and counted.

use std::{
    fmt::Write as _,
    sync::mpsc::{self, Receiver, SyncSender},
    thread::{self, JoinHandle},
};

use serde_json::{Map, Value as Json};
use tutti_server::{Log, LogLevel, LogRecord, Metrics};

use crate::{
    command_line::LogFormat,
    console::{Console, Paint, Style},
    exit::Failure,
};

/// How many lines may wait to be written.
const LINES_AHEAD: usize = 4_096;

/// Writes lines to standard error.
#[derive(Debug)]
pub(super) struct Logger {
    level: LogLevel,
    form: Form,
    lines: SyncSender<Line>,
    metrics: Metrics,
}

/// How lines look.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    Text(Paint),
    Json,
}

#[derive(Debug)]
enum Line {
    Text(String),
    Last,
}

/// The thread that writes.
#[derive(Debug)]
pub(super) struct Writing {
    lines: SyncSender<Line>,
    thread: JoinHandle<()>,
}

impl Form {
    /// What a format means on this console.
    pub(super) fn of(format: LogFormat, console: &Console) -> Self {
        match format {
            LogFormat::Text => Self::Text(console.paint),
            LogFormat::Auto if console.is_terminal => Self::Text(console.paint),
            LogFormat::Auto | LogFormat::Json => Self::Json,
        }
    }
}

impl Logger {
    /// Starts the thread that writes.
    pub(super) fn start(
        level: LogLevel,
        form: Form,
        metrics: Metrics,
        console: &Console,
    ) -> Result<(Self, Writing), Failure> {
        let (lines, waiting) = mpsc::sync_channel(LINES_AHEAD);
        let console = console.clone();
        let thread = thread::Builder::new()
            .name("tutti-log".to_owned())
            .spawn(move || write_all(&waiting, &console))
            .map_err(|error| Failure::of("cannot start the log", &error))?;
        let writing = Writing { lines: lines.clone(), thread };
        Ok((Self { level, form, lines, metrics }, writing))
    }
}

fn write_all(waiting: &Receiver<Line>, console: &Console) {
    while let Ok(Line::Text(text)) = waiting.recv() {
        console.say(&text);
    }
}

impl Writing {
    /// Writes what waits, and no more.
    pub(super) fn finish(self) {
        // A thread that has ended has written what it could.
        self.lines.send(Line::Last).ok();
        self.thread.join().ok();
    }
}

impl Log for Logger {
    fn takes(&self, level: LogLevel) -> bool {
        level <= self.level
    }

    fn write(&self, record: LogRecord) {
        if !self.takes(record.level) {
            return;
        }
        let time = format!("{:.3}", jiff::Timestamp::now());
        let line = match self.form {
            Form::Json => as_json(time, record),
            Form::Text(paint) => as_text(&time, &record, paint),
        };
        if let Err(mpsc::TrySendError::Full(_)) = self.lines.try_send(Line::Text(line)) {
            self.metrics.log_line_dropped();
        }
    }
}

/// One object on one line; a field without a value is left out.
fn as_json(time: String, record: LogRecord) -> String {
    let mut members = Map::new();
    members.insert("time".to_owned(), time.into());
    members.insert("level".to_owned(), record.level.as_str().into());
    members.insert("message".to_owned(), record.message.into());
    for (name, value) in record.fields.into_iter().filter(|(_, value)| !value.is_null()) {
        members.insert(name.to_owned(), value);
    }
    format!("{}\n", Json::Object(members))
}

fn as_text(time: &str, record: &LogRecord, paint: Paint) -> String {
    let style = match record.level {
        LogLevel::Error => Style::Bad,
        LogLevel::Warn => Style::Doubtful,
        LogLevel::Info => Style::Good,
        LogLevel::Debug => Style::Dim,
    };
    let level = paint.paint(style, &format!("{:5}", record.level.as_str()));
    let mut line = format!("{} {level} {}", paint.paint(Style::Dim, time), record.message);
    for (name, value) in record.fields.iter().filter(|(_, value)| !value.is_null()) {
        write!(line, " {}", paint.paint(Style::Dim, &format!("{name}="))).ok();
        match value {
            Json::String(text) if is_plain(text) => line.push_str(text),
            value => write!(line, "{value}").unwrap_or_default(),
        }
    }
    line.push('\n');
    line
}

/// Whether a text can stand as it is: nothing in it could be taken for another field or another line.
fn is_plain(text: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '=' | '\\');
    !text.is_empty() && !text.contains(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> LogRecord {
        LogRecord::new(LogLevel::Warn, "request refused")
            .with("operation", "listAudit")
            .with("principal", None::<String>)
            .with("subject", "two words\nlevel=error")
            .with("passedOver", 3)
    }

    #[test]
    fn a_line_for_people_is_one_line_whatever_its_fields_hold() {
        let line = as_text("2026-01-02T03:04:05.006Z", &record(), Paint { color: false });
        let expected = "2026-01-02T03:04:05.006Z warn  request refused operation=listAudit subject=\"two words\\nlevel=error\" passedOver=3\n";
        assert_eq!(line, expected);
    }

    #[test]
    fn a_line_of_json_is_one_object_with_time_level_and_message_first() {
        let line = as_json("2026-01-02T03:04:05.006Z".to_owned(), record());
        let expected = "{\"time\":\"2026-01-02T03:04:05.006Z\",\"level\":\"warn\",\"message\":\"request refused\",\"operation\":\"listAudit\",\"subject\":\"two words\\nlevel=error\",\"passedOver\":3}\n";
        assert_eq!(line, expected);
    }

    #[test]
    fn whoever_logs_never_waits_and_what_is_dropped_is_counted() {
        let metrics = Metrics::new(tutti_server::MetricsOptions {
            version: "0",
            started_at_ms: 0,
            connectors: Vec::new(),
            max_calls: 1,
        });
        // Nobody takes anything out.
        let (lines, waiting) = mpsc::sync_channel(2);
        let logger = Logger { level: LogLevel::Info, form: Form::Json, lines, metrics };
        for _ in 0..5 {
            logger.write(record());
        }
        logger.write(LogRecord::new(LogLevel::Debug, "is not wanted"));
        assert_eq!(waiting.try_iter().count(), 2);
        assert_eq!(logger.metrics.log_lines_dropped(), 3);
    }
}
