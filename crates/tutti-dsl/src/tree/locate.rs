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
    let written = Written { raw, style, indentation: block_indentation(text, span, style) };
    let start = written.offset(value, range.start.min(value.len()));
    let end = written.offset(value, range.end.min(value.len()));
    match (start, end) {
        (Some(start), Some(end)) if written.is(start..end, value.get(range.clone())) => {
            span.start + start..span.start + end
        }
        _ => span.clone(),
    }
}

/// A string as it was written.
struct Written<'t> {
    raw: &'t str,
    style: Style,
    /// The spaces that every line of a block begins with.
    indentation: usize,
}

impl Written<'_> {
    /// Walks the raw text and the value side by side until `wanted` bytes of the value are passed.
    fn offset(&self, value: &str, wanted: usize) -> Option<usize> {
        let raw = self.raw;
        let mut at = start(raw, self.style);
        let mut passed = 0;
        let mut characters = value.chars();
        while passed < wanted {
            let character = characters.next()?;
            at = skip_block_indentation(raw, at, self.indentation);
            at = match self.style {
                Style::Double => after_double(raw, at, character)?,
                Style::Single => after_single(raw, at, character)?,
                Style::Plain | Style::Literal | Style::Folded => after_literal(raw, at, character)?,
            };
            passed += character.len_utf8();
        }
        let next = value[passed..].chars().next();
        Some(match self.style {
            Style::Literal | Style::Folded => skip_block_indentation(raw, at, self.indentation),
            Style::Double => skip_indentation(raw, skip_continuations(raw, at), next),
            Style::Plain | Style::Single => skip_indentation(raw, at, next),
        })
    }

    /// Whether the bytes `range` of the raw text can be what wrote `part`.
    fn is(&self, range: Range<usize>, part: Option<&str>) -> bool {
        let (Some(raw), Some(part)) = (self.raw.get(range), part) else { return false };
        let escaped = matches!(self.style, Style::Double | Style::Single);
        let visible = |text: &str| text.split_whitespace().collect::<String>();
        escaped || visible(raw) == visible(part)
    }
}

/// Whether the header line (`|`, `>-`, …) belongs to the block's span.
fn has_header(raw: &str) -> bool {
    let header = raw.lines().next().unwrap_or("");
    header.starts_with(['|', '>'])
        && header[1..]
            .trim_start_matches(|c: char| c == '+' || c == '-' || c.is_ascii_digit())
            .trim_start()
            .is_empty()
}

fn start(raw: &str, style: Style) -> usize {
    match style {
        Style::Single | Style::Double => 1,
        Style::Literal | Style::Folded if has_header(raw) => {
            raw.find('\n').map_or(raw.len(), |end| end + 1)
        }
        Style::Plain | Style::Literal | Style::Folded => 0,
    }
}

/// The column a block's text begins at: its span begins there as well, or at its header (`|`, `>-`).
fn block_indentation(text: &str, span: &Range<usize>, style: Style) -> usize {
    if !matches!(style, Style::Literal | Style::Folded) {
        return 0;
    }
    let raw = &text[span.clone()];
    let content = start(raw, style);
    if content == 0 {
        return span.start - text[..span.start].rfind('\n').map_or(0, |end| end + 1);
    }
    let lines = raw[content..].lines().map(|line| (line, line.trim_start_matches(' ')));
    let first = lines.into_iter().find(|(_, text)| !text.is_empty());
    first.map_or(0, |(line, text)| line.len() - text.len())
}

fn skip_block_indentation(raw: &str, at: usize, indentation: usize) -> usize {
    if indentation == 0 || at == 0 || raw.as_bytes().get(at - 1) != Some(&b'\n') {
        return at;
    }
    let spaces = raw[at..].len() - raw[at..].trim_start_matches(' ').len();
    at + spaces.min(indentation)
}

/// A line of a scalar over several lines begins with indentation that is not part of the value.
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
