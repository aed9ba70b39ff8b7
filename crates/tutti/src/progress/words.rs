//! Texts of documents, calls and errors, fit for a line on a terminal.

use tutti_expr::Value;
use tutti_journal::Error;

/// The longest text of a document or a call that is kept, in characters.
const MAX_TEXT: usize = 400;

/// The author's label of a task.
pub(super) fn label_text(label: &Value) -> String {
    let label = label.redacted();
    plain(&label.as_str().map_or_else(|| label.to_json(), str::to_owned))
}

/// An error in one line: what happened, or else its kind.
pub(super) fn told(error: &Error) -> String {
    told_value(&error.to_value().redacted())
}

/// The same of an error that is data; behind it what a service said about it, and what it came from.
pub(crate) fn told_value(error: &Value) -> String {
    let mut parts = parts(error);
    // Some errors say the same as what they came from.
    let is_news = |cause: &Value| {
        let cause = what_happened(cause);
        cause.is_some() && cause != what_happened(error)
    };
    match error.get("cause") {
        // The child's task raised the same error.
        Some(cause) if cause.get("execution").is_some() => parts.push(place_in_child(cause)),
        Some(cause) if is_news(cause) => parts.extend(self::parts(cause)),
        _ => {}
    }
    plain(&parts.join(": "))
}

fn place_in_child(cause: &Value) -> String {
    let text = |key| cause.get(key).and_then(Value::as_str).unwrap_or_default();
    format!("in {} at {}", text("execution"), text("instance"))
}

fn parts(error: &Value) -> Vec<String> {
    let kind = error.get("type").and_then(Value::as_str).unwrap_or_default();
    let kind = kind.rsplit('/').next().filter(|kind| !kind.is_empty()).map(str::to_owned);
    let said = error.get("response").and_then(|response| what_happened(response.get("content")?));
    [kind, what_happened(error), said].into_iter().flatten().collect()
}

/// What problem details tell in words.
fn what_happened(problem: &Value) -> Option<String> {
    let text = |key| problem.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    text("detail").or_else(|| text("title")).map(str::to_owned)
}

/// A text that a terminal shows as one line: no escape sequences, no control characters, of limited length.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\x1b' => skip_escape(&mut characters),
            '\t' => shown.push(' '),
            '\n' => shown.push('␤'),
            // Marks that turn the direction of writing could show one text as another.
            '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            control if control.is_control() => {}
            other => shown.push(other),
        }
        if shown.len() > 4 * MAX_TEXT {
            break;
        }
    }
    match shown.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown,
    }
}

/// Skips the rest of an ANSI escape sequence.
fn skip_escape(characters: &mut std::str::Chars<'_>) {
    let mut ahead = characters.clone();
    match ahead.next() {
        Some('[') => {
            for character in ahead.by_ref() {
                if ('\x40'..='\x7e').contains(&character) {
                    break;
                }
            }
        }
        Some(']') => {
            for character in ahead.by_ref() {
                if matches!(character, '\x07' | '\x1b') {
                    break;
                }
            }
        }
        _ => {}
    }
    *characters = ahead;
}
