//! Diagnostics as a JSON array.

use serde_json::{Value, json};
use tutti_dsl::Diagnostic;

use super::Checked;

/// All diagnostics of all documents, in order, as one array and a newline.
pub(super) fn all(checked: &[Checked]) -> String {
    let diagnostics = checked
        .iter()
        .flat_map(|document| document.diagnostics.iter().map(|found| one(&document.name, found)));
    format!("{:#}\n", Value::Array(diagnostics.collect()))
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
