//! What a program's end means.

use tutti_expr::Value;
use tutti_journal::{Error, ErrorType};

use super::{
    capture::{Capture, Kept, MOST_KEPT},
    program::{Program, Return},
    watch::Cut,
};
use crate::redact::Secrets;

/// The output or error of a program that ended by itself.
pub(super) fn result(
    program: &Program,
    code: i64,
    capture: &Capture,
    secrets: &Secrets,
) -> Result<Value, Error> {
    let noun = program.noun;
    let output = match program.output {
        Return::Stdout | Return::None if code != 0 => return Err(failed(noun, code, capture)),
        Return::Stdout => text(noun, &capture.stdout, "standard output")?,
        Return::Stderr => text(noun, &capture.stderr, "standard error")?,
        Return::Code => Value::from(code),
        Return::All => Value::object([
            ("code", Value::from(code)),
            ("stdout", text(noun, &capture.stdout, "standard output")?),
            ("stderr", text(noun, &capture.stderr, "standard error")?),
        ]),
        Return::None => Value::NULL,
    };
    Ok(secrets.mark(output))
}

/// The error of a program that was cut off, by us or by somebody else.
pub(super) fn cut_off(noun: &str, cut: Option<Cut>) -> Error {
    let (kind, how) = match cut {
        Some(Cut::Cancelled) => {
            (ErrorType::Timeout, "was cancelled and ended before it was done".to_owned())
        }
        Some(Cut::Processes(most)) => {
            (ErrorType::Runtime, format!("was ended: it had more than {most} processes"))
        }
        Some(Cut::Memory(most)) => (
            ErrorType::Runtime,
            format!("was ended: its processes held more than {} MiB together", most >> 20),
        ),
        None => (ErrorType::Runtime, "was killed from outside".to_owned()),
    };
    Error::new(kind, format!("the {noun} {how}"))
}

fn failed(noun: &str, code: i64, capture: &Capture) -> Error {
    let last = capture.last_lines();
    let detail = if last.is_empty() {
        format!("the {noun} exited with code {code}")
    } else {
        format!("the {noun} exited with code {code}:\n{last}")
    };
    Error::new(ErrorType::Runtime, detail).with("exitCode", code)
}

fn text(noun: &str, kept: &Kept, name: &str) -> Result<Value, Error> {
    if kept.overflowed() {
        let detail = format!("the {noun}'s {name} is larger than {MOST_KEPT} bytes");
        return Err(Error::new(ErrorType::Validation, detail));
    }
    Ok(Value::from(kept.text()))
}
