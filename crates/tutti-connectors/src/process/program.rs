//! What is started for a call, and what of it becomes the call's output.

use std::ffi::OsString;

use tutti_expr::{Object, Value};
use tutti_journal::Error;

use crate::arguments::{invalid, text_or_json};

/// A program to start for a call.
#[derive(Debug)]
pub(crate) struct Program {
    /// What people call it in messages: `command`, `script`.
    pub(crate) noun: &'static str,
    /// How it is started, or why it cannot be. Looked at only where it has not been started before.
    pub(crate) start: Result<Start, Error>,
    /// Variables beside the base environment.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) set_by: SetBy,
    pub(crate) output: Return,
    /// Whether the call ends with the program, not with its start.
    pub(crate) awaits: bool,
    pub(crate) bounds: Bounds,
}

/// Who gives a program its own variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetBy {
    /// Whoever starts it.
    Starter,
    /// The program itself, before it becomes another: until then each has a name that does nothing.
    Program,
}

/// How a program is started.
#[derive(Debug)]
pub(crate) struct Start {
    /// The program's file or name, and its arguments.
    pub(crate) words: Vec<OsString>,
    /// What it reads from its standard input; nothing means an empty one.
    pub(crate) stdin: Option<String>,
    /// Something people should know about how it was started.
    pub(crate) notice: Option<String>,
}

/// What the processes of a program may be together; nothing means that it does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// How many processes its group has.
    pub(crate) processes: Option<u64>,
    /// The memory they hold, in bytes.
    pub(crate) memory: Option<u64>,
}

/// What the call's output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Return {
    Stdout,
    Stderr,
    Code,
    All,
    None,
}

/// Reads `return`.
pub(crate) fn output(text: Option<&str>) -> Result<Return, Error> {
    match text {
        None | Some("stdout") => Ok(Return::Stdout),
        Some("stderr") => Ok(Return::Stderr),
        Some("code") => Ok(Return::Code),
        Some("all") => Ok(Return::All),
        Some("none") => Ok(Return::None),
        Some(other) => {
            Err(invalid(format!("`return` is `{other}`, not stdout, stderr, code, all or none")))
        }
    }
}

/// The text of one argument of a list.
pub(crate) fn given(value: &Value) -> String {
    if value.is_null() { String::new() } else { text_or_json(value) }
}

/// Environment variables, those that are null left out.
pub(crate) fn variables(object: &Object) -> Result<Vec<(String, String)>, Error> {
    let given = object.iter().filter(|(_, value)| !value.is_null());
    given
        .map(|(name, value)| {
            if is_variable(name) {
                Ok((name.to_string(), text_or_json(value)))
            } else {
                Err(invalid(format!("`{name}` is not the name of a variable")))
            }
        })
        .collect()
}

/// Whether shells and scripts take `name` as that of a variable.
pub(crate) fn is_variable(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}
