//! Diagnostics as workflow commands of GitHub Actions.

use std::fmt::Write as _;

use super::{Checked, Unread};
use crate::codes::UNREADABLE_FILE;

/// One line for each diagnostic, and for each file that could not be read.
pub(super) fn all(checked: &[Checked], unread: &[Unread]) -> String {
    let mut out = String::new();
    for document in checked {
        for found in &document.diagnostics {
            let message = with_hint(&found.message, found.hint.as_deref());
            writeln!(
                out,
                "::{} file={},line={},col={},title={}::{}",
                found.severity(),
                property(&document.name),
                found.span.line,
                found.span.column,
                found.code,
                data(&message),
            )
            .ok();
        }
    }
    for Unread { name, failure } in unread {
        let message = with_hint(&failure.message, failure.hint.as_deref());
        let (name, code) = (property(name), UNREADABLE_FILE.text);
        writeln!(out, "::error file={name},title={code}::{}", data(&message)).ok();
    }
    out
}

fn with_hint(message: &str, hint: Option<&str>) -> String {
    let hint = hint.map(|hint| format!("\nhint: {hint}"));
    format!("{message}{}", hint.unwrap_or_default())
}

/// A message, with what ends it escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which colons and commas would end too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(property("a:b,c%\n::error::x"), "a%3Ab%2Cc%25%0A%3A%3Aerror%3A%3Ax");
        assert_eq!(data("a: b\r\n::error::x"), "a: b%0D%0A::error::x");
    }
}
