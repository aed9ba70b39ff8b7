//! What the server says of itself, for operators: lines with a level, a message and fields.
//!
//! How a line looks and where it goes is the binary's. **Invariant:** no line holds a value that an execution works with, a
//! token or a body: only ids, names, codes and counts, and words of ours.

use std::{borrow::Cow, fmt};

use serde_json::Value as Json;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Something is broken, and somebody has to look.
    Error,
    /// Something did not go as somebody wanted.
    Warn,
    /// What the server does.
    Info,
    /// Every request.
    Debug,
}

impl LogLevel {
    /// All of them, the gravest first.
    pub const ALL: [Self; 4] = [Self::Error, Self::Warn, Self::Info, Self::Debug];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRecord {
    /// How much it matters.
    pub level: LogLevel,
    /// What happened.
    pub message: Cow<'static, str>,
    /// To what, by whom, how much.
    pub fields: Vec<(&'static str, Json)>,
}

impl LogRecord {
    /// A line without fields.
    pub fn new(level: LogLevel, message: impl Into<Cow<'static, str>>) -> Self {
        Self { level, message: message.into(), fields: Vec::new() }
    }

    /// The same with a field more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Json>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// The same with a field that shows itself so.
    #[must_use]
    pub fn with_text(self, name: &'static str, value: &impl fmt::Display) -> Self {
        self.with(name, value.to_string())
    }
}

/// Where lines go. Called on the threads of the loops: it must be quick, and never waits.
pub trait Log: fmt::Debug + Send + Sync {
    /// Whether lines of this level are wanted.
    fn takes(&self, level: LogLevel) -> bool;

    /// Takes a line.
    fn write(&self, record: LogRecord);
}
