//! Standard output and standard error: what is printed, in which colors, and how wide.

use std::{
    env,
    fmt::Write as _,
    io::{self, IsTerminal as _, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use tutti_expr::{Kind, Value};
use tutti_secrets::Redactor;

use crate::exit::{Exit, Failure};

/// Colors and weights, as ANSI escape sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// What went wrong.
    Bad,
    /// What may be wrong.
    Doubtful,
    /// What went well.
    Good,
    /// What goes on.
    Active,
    /// What is said beside.
    Dim,
    /// What stands out.
    Bold,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Bad => "\x1b[1;31m",
            Self::Doubtful => "\x1b[1;33m",
            Self::Good => "\x1b[32m",
            Self::Active => "\x1b[36m",
            Self::Dim => "\x1b[2m",
            Self::Bold => "\x1b[1m",
        }
    }
}

/// Puts styles around text, or leaves it plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    /// Whether styles are written.
    pub(crate) color: bool,
}

impl Paint {
    /// `text` in this style.
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        if self.color { format!("{}{text}\x1b[0m", style.code()) } else { text.to_owned() }
    }
}

/// Standard error. Cheap to clone; clones share the secrets that are kept out of it.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    /// Whether a person looks at it.
    pub(crate) is_terminal: bool,
    /// Its styles.
    pub(crate) paint: Paint,
    redactor: Arc<Mutex<Option<Redactor>>>,
}

impl Console {
    /// The standard error of this process.
    pub(crate) fn new(no_color: bool) -> Self {
        let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
        let is_terminal =
            io::stderr().is_terminal() && variable("TERM").is_none_or(|term| term != "dumb");
        let color = is_terminal && !no_color && variable("NO_COLOR").is_none();
        Self { is_terminal, paint: Paint { color }, redactor: Arc::default() }
    }

    /// From now on these secrets are kept out of what is said.
    pub(crate) fn keep_out(&self, redactor: Redactor) {
        *self.redactor.lock().unwrap_or_else(PoisonError::into_inner) = Some(redactor);
    }

    /// Says something, as it is but for secrets.
    pub(crate) fn say(&self, text: &str) {
        let redactor = self.redactor.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match &*redactor {
            Some(redactor) => redactor.redact(text),
            None => text.to_owned(),
        };
        // Where nobody listens, there is nobody to tell.
        io::stderr().lock().write_all(text.as_bytes()).ok();
    }

    /// `value` with every text that holds a secret redacted.
    pub(crate) fn redacted(&self, value: &Value) -> Value {
        let redactor = self.redactor.lock().unwrap_or_else(PoisonError::into_inner);
        match &*redactor {
            Some(redactor) => redact(redactor, value),
            None => value.clone(),
        }
    }

    /// Says one line.
    pub(crate) fn line(&self, text: &str) {
        self.say(&format!("{text}\n"));
    }

    /// Says what went wrong and what can be done.
    pub(crate) fn failure(&self, failure: &Failure) {
        let word = failure.code.map_or("error:".to_owned(), |code| format!("error[{code}]:"));
        let mut text = format!("{} {}\n", self.paint.paint(Style::Bad, &word), failure.message);
        if let Some(hint) = &failure.hint {
            writeln!(text, "{} {hint}", self.paint.paint(Style::Bold, "hint:")).ok();
        }
        self.say(&text);
    }

    /// Says what may be wrong.
    pub(crate) fn warning(&self, message: &str, hint: Option<&str>) {
        let mut text = format!("{} {message}\n", self.paint.paint(Style::Doubtful, "warning:"));
        if let Some(hint) = hint {
            writeln!(text, "{} {hint}", self.paint.paint(Style::Bold, "hint:")).ok();
        }
        self.say(&text);
    }
}

fn redact(redactor: &Redactor, value: &Value) -> Value {
    match value.kind() {
        Kind::String(text) => Value::from(redactor.redact(text)),
        Kind::Array(items) => Value::array(items.iter().map(|item| redact(redactor, item))),
        Kind::Object(members) => Value::object(
            members.iter().map(|(key, member)| (redactor.redact(key), redact(redactor, member))),
        ),
        Kind::Null | Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) => value.clone(),
    }
}

/// Prints what was asked for on standard output.
pub(crate) fn print(text: &str) -> Result<Exit, Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(Exit::Completed),
        // The reader has had enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Completed),
        Err(error) => Err(Failure::of("cannot write to standard output", &error)),
    }
}

/// Columns and rows of the terminal behind standard error.
#[cfg(unix)]
pub(crate) fn terminal_size() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => (80, 24),
    }
}

/// Columns and rows of the terminal behind standard error.
#[cfg(not(unix))]
pub(crate) fn terminal_size() -> (usize, usize) {
    (80, 24)
}
