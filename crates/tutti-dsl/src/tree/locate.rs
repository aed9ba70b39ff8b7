//! Finds a position inside a string's value in the text it was written as.

use std::ops::Range;

use super::Style;

/// The bytes of `text` that wrote the bytes `range` of `value`, a string that stands at `span`.
pub(super) fn span_within(
    text: &str,
    span: &Range<usize>,
    value: &str,
    style: Style,
    range: &Range<usize>,
) -> Range<usize> {
    let Some(raw) = text.get(span.clone()) else { return span.clone() };
    let start = offset(raw, value, style, range.start.min(value.len()));
    let end = offset(raw, value, style, range.end.min(value.len()));
    match (start, end) {
        (Some(start), Some(end)) if start <= end && end <= raw.len() => {
            span.start + start..span.start + end
        }
        _ => span.clone(),
    }
}

/// Walks the raw text and the value side by side until `wanted` bytes of the value are passed.
fn offset(raw: &str, value: &str, style: Style, wanted: usize) -> Option<usize> {
    let mut at = start(raw, style);
    let mut passed = 0;
    let mut characters = value.chars();
    while passed < wanted {
        let character = characters.next()?;
        at = match style {
            Style::Double => after_double(raw, at, character)?,
            Style::Single => after_single(raw, at, character)?,
            Style::Plain | Style::Literal | Style::Folded => after_literal(raw, at, character)?,
        };
        passed += character.len_utf8();
    }
    let skipped = if style == Style::Double { skip_continuations(raw, at) } else { at };
    Some(skip_indentation(raw, skipped, value[passed..].chars().next()))
}

fn start(raw: &str, style: Style) -> usize {
    match style {
        Style::Plain => 0,
        Style::Single | Style::Double => 1,
        // The header line (`|`, `>-`, …) belongs to the block's span.
        Style::Literal | Style::Folded if raw.starts_with(['|', '>']) => {
            raw.find('\n').map_or(raw.len(), |end| end + 1)
        }
        Style::Literal | Style::Folded => 0,
    }
}

/// A line of a block or of a folded scalar begins with indentation that is not part of the value.
fn skip_indentation(raw: &str, at: usize, next: Option<char>) -> usize {
    let line_start = at == 0 || raw.as_bytes().get(at - 1) == Some(&b'\n');
    if !line_start || matches!(next, None | Some(' ' | '\n')) {
        return at;
    }
    at + raw[at..].len() - raw[at..].trim_start_matches([' ', '\t']).len()
}

fn after_literal(raw: &str, at: usize, character: char) -> Option<usize> {
    let rest = raw.get(at..)?;
    match character {
        // A folded line break: the line's end, empty lines, the next line's indentation.
        ' ' if rest.trim_start_matches(' ').starts_with(['\n', '\r']) => {
            Some(raw.len() - rest.trim_start().len())
        }
        '\n' => Some(at + rest.find('\n')? + 1),
        _ if rest.starts_with(character) => Some(at + character.len_utf8()),
        // Indentation or a fold stands between.
        _ => {
            let trimmed = rest.trim_start();
            trimmed.starts_with(character).then(|| raw.len() - trimmed.len() + character.len_utf8())
        }
    }
}

fn after_single(raw: &str, at: usize, character: char) -> Option<usize> {
    let rest = raw.get(at..)?;
    if character == '\'' && rest.starts_with("''") {
        return Some(at + 2);
    }
    after_literal(raw, at, character)
}

fn after_double(raw: &str, at: usize, character: char) -> Option<usize> {
    let at = skip_continuations(raw, at);
    let rest = raw.get(at..)?;
    if !rest.starts_with('\\') {
        return after_literal(raw, at, character);
    }
    let length = match rest.as_bytes().get(1)? {
        b'x' => 4,
        b'u' => 6,
        b'U' => 10,
        _ => 2,
    };
    // A JSON surrogate pair is two escapes for one character.
    let surrogate = length == 6 && rest.as_bytes().get(2).is_some_and(|b| matches!(b, b'd' | b'D'));
    let pair = surrogate && rest.get(6..8) == Some("\\u");
    Some(at + if pair { 12 } else { length })
}

/// An escaped line break joins two lines without any character in the value.
fn skip_continuations(raw: &str, mut at: usize) -> usize {
    while let Some(rest) = raw.get(at..)
        && let Some(next) = rest.strip_prefix("\\\n").or_else(|| rest.strip_prefix("\\\r\n"))
    {
        at = raw.len() - next.trim_start_matches([' ', '\t']).len();
    }
    at
}
