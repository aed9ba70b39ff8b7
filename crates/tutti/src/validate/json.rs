//! Diagnostics as a JSON array.

use serde_json::{Value, json};
use tutti_dsl::Diagnostic;

use super::{Checked, Unread};
use crate::codes::UNREADABLE_FILE;

/// All diagnostics of all documents, in order, then the files that could not be read, as one array and a newline.
pub(super) fn all(checked: &[Checked], unread: &[Unread]) -> String {
    let diagnostics = checked
        .iter()
        .flat_map(|document| document.diagnostics.iter().map(|found| one(&document.name, found)));
    format!("{:#}\n", Value::Array(diagnostics.chain(unread.iter().map(whole)).collect()))
}

fn one(name: &str, diagnostic: &Diagnostic) -> Value {
    json!({
        "file": name,
        "line": diagnostic.span.line,
        "column": diagnostic.span.column,
        "severity": diagnostic.severity().to_string(),
        "code": diagnostic.code.as_str(),
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "pointer": diagnostic.pointer,
    })
}

/// A file in which nothing could be checked.
fn whole(unread: &Unread) -> Value {
    json!({
        "file": unread.name,
        "line": 1,
        "column": 1,
        "severity": "error",
        "code": UNREADABLE_FILE.text,
        "message": unread.failure.message,
        "hint": unread.failure.hint,
        "pointer": "",
    })
}
