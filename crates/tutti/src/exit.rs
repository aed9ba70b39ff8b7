//! How the process ends: exit codes, and failures told to a person.

use std::{fmt, process::ExitCode};

/// The exit codes that scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for is done.
    Completed,
    /// The execution faulted.
    Faulted,
    /// The document or the command line is invalid, or nothing could be started.
    Invalid,
    /// The execution was cancelled.
    Cancelled,
    /// The execution has not ended and does not go on by itself.
    Unfinished,
    /// The server cannot be reached, or denies access.
    Unreachable,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Exit {
    /// The number a script sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Completed => 0,
            Self::Faulted => 1,
            Self::Invalid => 2,
            Self::Cancelled => 3,
            Self::Unfinished => 4,
            Self::Unreachable => 5,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Its stable code, where it has a page.
    pub(crate) code: Option<&'static str>,
    /// What happened, in one sentence.
    pub(crate) message: String,
    /// What can be done about it.
    pub(crate) hint: Option<String>,
    /// How the process ends.
    pub(crate) exit: Exit,
    /// Whether damage of the store may be what is behind it.
    pub(crate) suspects_store: bool,
}

impl Failure {
    /// Something about the command line or the files it names.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: None,
            message: message.into(),
            hint: None,
            exit: Exit::Invalid,
            suspects_store: false,
        }
    }

    /// Something that `tutti explain` tells more about.
    pub(crate) fn coded(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Some(code), ..Self::usage(message) }
    }

    /// An error from below, with all its causes.
    pub(crate) fn of(attempt: &str, error: &dyn std::error::Error) -> Self {
        Self::usage(format!("{attempt}: {}", causes(error)))
    }

    /// The store could not be read.
    pub(crate) fn unread(error: &tutti_store::Error) -> Self {
        Self::of("cannot read the store", error).suspecting_store()
    }

    /// What cannot be read may have been damaged: a look into the store tells.
    #[must_use]
    pub(crate) fn suspecting_store(mut self) -> Self {
        self.suspects_store = true;
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

/// An error and what caused it, in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = without_number(&error.to_string()).to_owned();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        let told = without_number(&told);
        if !text.contains(told) {
            text = format!("{text}: {told}");
        }
        cause = error.source();
    }
    text
}

/// The operating system's words without their number, which says nothing more.
fn without_number(text: &str) -> &str {
    match text.rsplit_once(" (os error ") {
        Some((words, number))
            if number.strip_suffix(')').is_some_and(|it| it.parse::<i32>().is_ok()) =>
        {
            words
        }
        _ => text,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
