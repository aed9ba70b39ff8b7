//! What a command's end means.

use tutti_expr::Value;
use tutti_journal::{Error, ErrorType};

use super::{
    capture::{Capture, Kept, MOST_KEPT},
    config::Return,
};
use crate::redact::Secrets;

/// The output or error of a command that ended by itself.
pub(super) fn result(
    output: Return,
    code: i64,
    capture: &Capture,
    secrets: &Secrets,
) -> Result<Value, Error> {
    let output = match output {
        Return::Stdout | Return::None if code != 0 => return Err(failed(code, capture)),
        Return::Stdout => text(&capture.stdout, "standard output")?,
        Return::Stderr => text(&capture.stderr, "standard error")?,
        Return::Code => Value::from(code),
        Return::All => Value::object([
            ("code", Value::from(code)),
            ("stdout", text(&capture.stdout, "standard output")?),
            ("stderr", text(&capture.stderr, "standard error")?),
        ]),
        Return::None => Value::NULL,
    };
    Ok(secrets.mark(output))
}

/// The error of a command that was cut off.
pub(super) fn cut_off(cancelled: bool) -> Error {
    if cancelled {
        Error::new(ErrorType::Timeout, "the command was cancelled and ended before it was done")
    } else {
        Error::new(ErrorType::Runtime, "the command was killed from outside")
    }
}

fn failed(code: i64, capture: &Capture) -> Error {
    let last = capture.last_lines();
    let detail = if last.is_empty() {
        format!("the command exited with code {code}")
    } else {
        format!("the command exited with code {code}:\n{last}")
    };
    Error::new(ErrorType::Runtime, detail).with("exitCode", code)
}

fn text(kept: &Kept, name: &str) -> Result<Value, Error> {
    if kept.overflowed() {
        let detail = format!("the command's {name} is larger than {MOST_KEPT} bytes");
        return Err(Error::new(ErrorType::Validation, detail));
    }
    Ok(Value::from(kept.text()))
}
