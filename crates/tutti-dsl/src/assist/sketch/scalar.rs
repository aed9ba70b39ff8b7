//! Texts on one line, and where lines end.

use std::{ops::Range, sync::Arc};

use crate::tree::{Node, NodeKind, Style};

/// A text on one line; the quotes of one that has them are not part of its value.
pub(super) fn scalar(text: &str, range: Range<usize>) -> Option<Node> {
    let line = &text[range.clone()];
    let (value, style, length) = if let quote @ ('\'' | '"') = line.chars().next()? {
        let style = if quote == '"' { Style::Double } else { Style::Single };
        let end = closing(line, quote);
        (&line[1..end.unwrap_or(line.len())], style, end.map_or(line.len(), |end| end + 1))
    } else {
        let end = line.find(" #").unwrap_or(line.len());
        let value = line[..end].trim_end();
        (value, Style::Plain, value.len())
    };
    let kind = match value {
        "" | "~" | "null" if style == Style::Plain => NodeKind::Null,
        "true" if style == Style::Plain => NodeKind::Bool(true),
        "false" if style == Style::Plain => NodeKind::Bool(false),
        _ => match value.parse() {
            Ok(number) if style == Style::Plain => NodeKind::Integer(number),
            _ => NodeKind::String(Arc::from(value), style),
        },
    };
    Some(Node { kind, span: range.start..range.start + length })
}

/// Where the quote that opens a text is closed.
pub(super) fn closing(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && quote == '"' {
            characters.next();
        } else if character == quote {
            if quote == '\'' && characters.peek().is_some_and(|(_, next)| *next == quote) {
                characters.next();
            } else {
                return Some(at);
            }
        }
    }
    None
}

/// Where the line that holds a byte ends, line break excluded.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find(['\n', '\r']).map_or(text.len(), |end| at + end)
}

/// Where the next line starts.
pub(super) fn after_line(text: &str, end: usize) -> usize {
    let rest = &text[end..];
    end + if rest.starts_with("\r\n") { 2 } else { usize::from(!rest.is_empty()) }
}

pub(super) fn spaces(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}
