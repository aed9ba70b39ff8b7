//! Bytes of a text and the protocol's positions: lines from 0, and UTF-16 units in them.

use std::ops::Range;

use serde_json::{Value, json};

/// The lines of a text.
pub(super) struct Lines<'t> {
    text: &'t str,
    /// Where each line starts; the first at 0.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Lines end with `\n`, `\r\n` or `\r`.
    pub(super) fn new(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| {
            **byte == b'\n' || (**byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
        });
        Self { text, starts: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect() }
    }

    /// The byte of a position; beyond a line its end, beyond the text the text's end.
    pub(super) fn offset(&self, position: &Value) -> Option<usize> {
        let line = usize::try_from(position["line"].as_u64()?).unwrap_or(usize::MAX);
        let wanted = usize::try_from(position["character"].as_u64()?).unwrap_or(usize::MAX);
        let Some(start) = self.starts.get(line).copied() else { return Some(self.text.len()) };
        let end = self.starts.get(line + 1).copied().unwrap_or(self.text.len());
        let line = self.text[start..end].trim_end_matches(['\n', '\r']);
        let mut units = 0;
        for (at, character) in line.char_indices() {
            // A position between the halves of a surrogate pair is the character's start.
            if units + character.len_utf16() > wanted {
                return Some(start + at);
            }
            units += character.len_utf16();
        }
        Some(start + line.len())
    }

    /// The position of a byte, which must not stand inside a character.
    fn position(&self, offset: usize) -> Value {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let before = self.text.get(self.starts[line]..offset).unwrap_or("");
        json!({ "line": line, "character": before.encode_utf16().count() })
    }

    pub(super) fn range(&self, span: &Range<usize>) -> Value {
        json!({ "start": self.position(span.start), "end": self.position(span.end) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_utf_16_units() {
        let text = "a: ü\r\nb: 🎉x\rc: 'ä🎉'\n";
        let lines = Lines::new(text);
        let check = |needle: &str, line: u64, character: u64| {
            let offset = text.find(needle).expect("it is there");
            let position = json!({ "line": line, "character": character });
            assert_eq!(lines.position(offset), position, "{needle}");
            assert_eq!(lines.offset(&position), Some(offset), "{needle}");
        };
        check("ü", 0, 3);
        check("🎉x", 1, 3);
        check("x\r", 1, 5);
        check("c:", 2, 0);
        check("'\n", 2, 7);
    }

    #[test]
    fn positions_beyond_the_text_are_its_edges() {
        let lines = Lines::new("ab🎉\ncd");
        let check = |line: u64, character: u64, expected: Option<usize>| {
            let position = json!({ "line": line, "character": character });
            assert_eq!(lines.offset(&position), expected, "{line}:{character}");
        };
        check(0, 3, Some(2));
        check(0, 99, Some(6));
        check(1, u64::MAX, Some(9));
        check(9, 0, Some(9));
        assert_eq!(lines.offset(&json!({ "line": -1, "character": 0 })), None);
        assert_eq!(lines.offset(&json!("nonsense")), None);
    }
}
