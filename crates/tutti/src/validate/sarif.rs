//! Diagnostics as SARIF 2.1.0.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::{Value, json};
use tutti_dsl::{Code, Diagnostic, Severity};

use super::Checked;

/// One log with one run, rules included.
pub(super) fn all(checked: &[Checked]) -> String {
    let used: BTreeSet<Code> = checked
        .iter()
        .flat_map(|document| document.diagnostics.iter().map(|found| found.code))
        .collect();
    let rules: Vec<Value> = used.into_iter().map(rule).collect();
    let results: Vec<Value> = checked
        .iter()
        .flat_map(|document| document.diagnostics.iter().map(|found| result(document, found)))
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
