//! Diagnostics as text.

use super::Diagnostic;

/// Columns of source shown around the caret.
const MAX_WIDTH: usize = 160;

/// The line of source a diagnostic points at, ready to be shown above a row of carets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The line's number, from 1.
    pub line: usize,
    /// The line's text; tabs are single spaces, at most 160 characters around the place.
    pub source: String,
    /// How many characters of `source` stand before the place.
    pub before: usize,
    /// How many characters to underline; at least one.
    pub width: usize,
}

/// The excerpt of `text` that a diagnostic points at.
pub fn excerpt(diagnostic: &Diagnostic, text: &str) -> Excerpt {
    let line = diagnostic.span.line;
    let source = text.lines().nth(line.saturating_sub(1)).unwrap_or("");
    let characters: Vec<char> =
        source.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let before = diagnostic.span.column.saturating_sub(1).min(characters.len());
    let marked = text.get(diagnostic.span.bytes.clone()).unwrap_or("");
    let marked = marked.lines().next().unwrap_or("").chars().count();
    let width = marked.min(characters.len() - before).max(1);
    let from = before.saturating_sub(MAX_WIDTH / 2);
    let source: String = characters.iter().skip(from).take(MAX_WIDTH).collect();
    let before = before - from;
    Excerpt { line, source, before, width: width.min(MAX_WIDTH - before) }
}

/// A diagnostic as plain text: what, where with an excerpt, and the hint.
pub fn render(diagnostic: &Diagnostic, file_name: &str, text: &str) -> String {
    let shown = excerpt(diagnostic, text);
    let number = shown.line.to_string();
    let margin = " ".repeat(number.len());
    let mut lines = vec![
        format!("{}[{}]: {}", diagnostic.severity(), diagnostic.code, diagnostic.message),
        format!("{margin}--> {file_name}:{}:{}", diagnostic.span.line, diagnostic.span.column),
        format!("{margin} |"),
        format!("{number} | {}", shown.source),
        format!("{margin} | {}{}", " ".repeat(shown.before), "^".repeat(shown.width)),
    ];
    if let Some(hint) = &diagnostic.hint {
        lines.push(format!("hint: {hint}"));
    }
    let mut rendered = String::new();
    for line in lines {
        rendered.push_str(line.trim_end());
        rendered.push('\n');
    }
    rendered
}
