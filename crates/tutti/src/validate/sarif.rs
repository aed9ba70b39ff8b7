//! Diagnostics as SARIF 2.1.0.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::{Value, json};
use tutti_dsl::{Code, Diagnostic, Severity};

use super::{Checked, Unread};
use crate::codes::UNREADABLE_FILE;

/// One log with one run, rules included.
pub(super) fn all(checked: &[Checked], unread: &[Unread]) -> String {
    let used: BTreeSet<Code> = checked
        .iter()
        .flat_map(|document| document.diagnostics.iter().map(|found| found.code))
        .collect();
    let of_files = (!unread.is_empty()).then(rule_of_files);
    let rules: Vec<Value> = used.into_iter().map(rule).chain(of_files).collect();
    let results: Vec<Value> = checked
        .iter()
        .flat_map(|document| document.diagnostics.iter().map(|found| result(document, found)))
        .chain(unread.iter().map(result_of_file))
        .collect();
    let driver = json!({
        "name": "tutti",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    });
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "invocations": [{ "executionSuccessful": unread.is_empty() }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.summary() },
        "help": { "text": code.page(), "markdown": code.page() },
        "defaultConfiguration": { "level": level(code.severity()) },
    })
}

fn rule_of_files() -> Value {
    json!({
        "id": UNREADABLE_FILE.text,
        "shortDescription": { "text": UNREADABLE_FILE.summary },
        "help": { "text": UNREADABLE_FILE.page, "markdown": UNREADABLE_FILE.page },
        "defaultConfiguration": { "level": level(Severity::Error) },
    })
}

fn result_of_file(unread: &Unread) -> Value {
    let Unread { name, failure } = unread;
    let hint = failure.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    json!({
        "ruleId": UNREADABLE_FILE.text,
        "level": level(Severity::Error),
        "message": { "text": format!("{}{hint}", failure.message) },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(name) } } }],
    })
}

fn result(document: &Checked, found: &Diagnostic) -> Value {
    let hint = found.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    json!({
        "ruleId": found.code.as_str(),
        "level": level(found.severity()),
        "message": { "text": format!("{}{hint}", found.message) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&document.name) },
                "region": { "startLine": found.span.line, "startColumn": found.span.column },
            },
            "logicalLocations": [{ "fullyQualifiedName": found.pointer }],
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A path as a relative or absolute URI reference.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                uri.push(char::from(byte));
            }
            other => {
                write!(uri, "%{other:02X}").ok();
            }
        }
    }
    uri
}
