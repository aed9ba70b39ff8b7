//! What is known of a document, in the protocol's words.

use serde_json::{Value, json};
use tutti_dsl::{
    Diagnostic, Severity,
    assist::{Candidate, CandidateKind, Reading, Symbol, SymbolKind},
};

use super::positions::Lines;

/// What this server can do.
pub(super) fn capabilities() -> Value {
    json!({
        "capabilities": {
            "positionEncoding": "utf-16",
            // Whole texts: documents are small, and nothing can drift apart.
            "textDocumentSync": { "openClose": true, "change": 1 },
            "hoverProvider": true,
            "completionProvider": { "triggerCharacters": ["$", ".", " "] },
            "definitionProvider": true,
            "documentSymbolProvider": true,
        },
        "serverInfo": { "name": "tutti", "version": env!("CARGO_PKG_VERSION") },
    })
}

/// The same as `tutti validate` tells; nothing of a file that is no workflow.
pub(super) fn diagnostics(text: &str) -> Vec<Value> {
    if !Reading::new(text).is_workflow() {
        return Vec::new();
    }
    let lines = Lines::new(text);
    tutti_dsl::parse(text).diagnostics.iter().map(|found| diagnostic(&lines, found)).collect()
}

fn diagnostic(lines: &Lines<'_>, found: &Diagnostic) -> Value {
    let hint = found.hint.as_ref().map(|hint| format!("\nhint: {hint}"));
    json!({
        "range": lines.range(&found.span.bytes),
        "severity": match found.severity() { Severity::Error => 1, Severity::Warning => 2 },
        "code": found.code.to_string(),
        "source": "tutti",
        "message": format!("{}{}", found.message, hint.unwrap_or_default()),
    })
}

/// `textDocument/hover`
pub(super) fn hover(_uri: &str, text: &str, params: &Value) -> Value {
    let lines = Lines::new(text);
    let hover = lines.offset(&params["position"]).and_then(|at| Reading::new(text).hover(at));
    hover.map_or(Value::Null, |hover| {
        json!({
            "contents": { "kind": "markdown", "value": hover.text },
            "range": lines.range(&hover.span),
        })
    })
}

/// `textDocument/definition`
pub(super) fn definition(uri: &str, text: &str, params: &Value) -> Value {
    let lines = Lines::new(text);
    let at = lines.offset(&params["position"]);
    let span = at.and_then(|at| Reading::new(text).definition(at));
    span.map_or(Value::Null, |span| json!({ "uri": uri, "range": lines.range(&span) }))
}

/// `textDocument/completion`
pub(super) fn completion(_uri: &str, text: &str, params: &Value) -> Value {
    let lines = Lines::new(text);
    let Some(at) = lines.offset(&params["position"]) else { return Value::Null };
    let candidates = Reading::new(text).candidates(at);
    let items = candidates.iter().enumerate().map(|(rank, found)| item(&lines, rank, found));
    json!({ "isIncomplete": false, "items": items.collect::<Vec<_>>() })
}

fn item(lines: &Lines<'_>, rank: usize, candidate: &Candidate) -> Value {
    let kind = match candidate.kind {
        CandidateKind::Function => 3,
        CandidateKind::Variable => 6,
        CandidateKind::Key => 10,
        CandidateKind::Value => 12,
        CandidateKind::Task | CandidateKind::Part => 18,
    };
    let mut item = json!({
        "label": candidate.label,
        "kind": kind,
        "sortText": format!("{rank:04}"),
        "textEdit": { "range": lines.range(&candidate.replace), "newText": candidate.insert },
    });
    if !candidate.doc.is_empty() {
        item["documentation"] = json!({ "kind": "markdown", "value": candidate.doc });
    }
    item
}

/// `textDocument/documentSymbol`
pub(super) fn symbols(_uri: &str, text: &str, _params: &Value) -> Value {
    let lines = Lines::new(text);
    Reading::new(text).symbols().iter().map(|found| symbol(&lines, found)).collect()
}

fn symbol(lines: &Lines<'_>, symbol: &Symbol) -> Value {
    let kind = match symbol.kind {
        SymbolKind::Task => 24,
        SymbolKind::Function => 12,
        SymbolKind::Part => 14,
    };
    let children: Value = symbol.children.iter().map(|child| self::symbol(lines, child)).collect();
    json!({
        "name": symbol.name,
        "detail": symbol.detail.as_deref().unwrap_or_default(),
        "kind": kind,
        "range": lines.range(&symbol.span),
        "selectionRange": lines.range(&symbol.name_span),
        "children": children,
    })
}
