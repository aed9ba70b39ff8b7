//! JSON text → tree. JSON is YAML, but YAML's reader words JSON's mistakes badly and knows no surrogate pairs.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Key, Node, NodeKind, Style,
    limits::{MAX_JSON_DEPTH, check_members, duplicate, too_deep},
};
use crate::{codes::Code, diagnostic::Problem};

/// Reads a JSON document; keys given twice come as problems.
pub(super) fn read(text: &str) -> Result<(Node, Vec<Problem>), Problem> {
    let mut reader = Reader { text, at: 0, problems: Vec::new() };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    let node = reader.value(0)?;
    reader.skip();
    if reader.at < text.len() {
        return Err(reader.expected("the end of the document"));
    }
    Ok((node, reader.problems))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn expected(&self, what: &str) -> Problem {
        let found = match self.text[self.at..].chars().next() {
            None => "the document ends".to_owned(),
            Some(character) => format!("there is `{}`", character.escape_debug()),
        };
        let end = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        let message = format!("the document is not JSON: {what} is expected, and {found}");
        Problem::new(Code::Syntax, self.at..self.at + end, "", message)
    }

    fn value(&mut self, depth: usize) -> Result<Node, Problem> {
        self.skip();
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.object(depth + 1)?,
            Some(b'[') => self.array(depth + 1)?,
            Some(b'"') => NodeKind::String(Arc::from(self.string()?), Style::Double),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", NodeKind::Bool(true))?,
            Some(b'f') => self.word("false", NodeKind::Bool(false))?,
            Some(b'n') => self.word("null", NodeKind::Null)?,
            _ => return Err(self.expected("a value")),
        };
        Ok(Node { kind, span: start..self.at })
    }

    fn word(&mut self, word: &str, kind: NodeKind) -> Result<NodeKind, Problem> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.expected("a value"));
        }
        self.at += word.len();
        Ok(kind)
    }

    fn enter(&mut self, depth: usize) -> Result<(), Problem> {
        if depth > MAX_JSON_DEPTH {
            return Err(too_deep(self.at..self.at + 1, MAX_JSON_DEPTH));
        }
        self.at += 1;
        self.skip();
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<NodeKind, Problem> {
        self.enter(depth)?;
        let mut members = Vec::new();
        let mut seen = BTreeSet::new();
        while self.peek() != Some(b'}') {
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key in quotes"));
            }
            let start = self.at;
            let key = Key { text: Arc::from(self.string()?), span: start..self.at };
            self.skip();
            if self.peek() != Some(b':') {
                return Err(self.expected("`:`"));
            }
            self.at += 1;
            let value = self.value(depth)?;
            if seen.insert(key.text.clone()) {
                check_members(members.len(), &key.span)?;
                members.push((key, value));
            } else {
                self.problems.push(duplicate(key));
            }
            self.separator(b'}')?;
        }
        self.at += 1;
        Ok(NodeKind::Map(members))
    }

    fn array(&mut self, depth: usize) -> Result<NodeKind, Problem> {
        self.enter(depth)?;
        let mut items = Vec::new();
        while self.peek() != Some(b']') {
            items.push(self.value(depth)?);
            self.separator(b']')?;
        }
        self.at += 1;
        Ok(NodeKind::List(items))
    }

    /// A comma and what follows it, or the end.
    fn separator(&mut self, end: u8) -> Result<(), Problem> {
        self.skip();
        match self.peek() {
            Some(b',') => {
                let comma = self.at;
                self.at += 1;
                self.skip();
                if self.peek() == Some(end) {
                    self.at = comma;
                    return Err(self.expected("no comma after the last entry"));
                }
                Ok(())
            }
            Some(byte) if byte == end => Ok(()),
            _ => Err(self.expected(&format!("`,` or `{}`", char::from(end)))),
        }
    }

    fn number(&mut self) -> Result<NodeKind, Problem> {
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
        self.at = start + length.unwrap_or(rest.len());
        let text = &self.text[start..self.at];
        let digits = text.strip_prefix('-').unwrap_or(text);
        let padded =
            digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
        let shaped = digits.starts_with(|c: char| c.is_ascii_digit())
            && !padded
            && !digits.ends_with('.')
            && !digits.contains(".e")
            && !digits.contains(".E");
        let integer = digits.bytes().all(|byte| byte.is_ascii_digit());
        if integer
            && shaped
            && let Ok(value) = text.parse()
        {
            return Ok(NodeKind::Integer(value));
        }
        match text.parse::<f64>() {
            Ok(value) if shaped && value.is_finite() => Ok(NodeKind::Float(value)),
            _ => {
                self.at = start;
                Err(self.expected("a number"))
            }
        }
    }

    fn string(&mut self) -> Result<String, Problem> {
        let start = self.at;
        let mut value = String::new();
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            let Some(character) = rest.chars().next() else {
                let range = start..start + 1;
                let message = "the document is not JSON: this text has no closing quote";
                return Err(Problem::new(Code::Syntax, range, "", message));
            };
            match character {
                '"' => {
                    self.at += 1;
                    return Ok(value);
                }
                '\\' => value.push(self.escape()?),
                control if control < ' ' => {
                    return Err(self.expected("an escape such as `\\n` for a control character"));
                }
                other => {
                    value.push(other);
                    self.at += other.len_utf8();
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let start = self.at;
        let simple = match self.text.as_bytes().get(start + 1) {
            Some(b'"') => Some('"'),
            Some(b'\\') => Some('\\'),
            Some(b'/') => Some('/'),
            Some(b'b') => Some('\u{8}'),
            Some(b'f') => Some('\u{c}'),
            Some(b'n') => Some('\n'),
            Some(b'r') => Some('\r'),
            Some(b't') => Some('\t'),
            _ => None,
        };
        if let Some(character) = simple {
            self.at += 2;
            return Ok(character);
        }
        let first = self.unit(start);
        let pair = first.filter(|unit| (0xD800..0xDC00).contains(unit)).and(self.unit(start + 6));
        let units: Vec<u16> = first.into_iter().chain(pair).collect();
        match char::decode_utf16(units.iter().copied()).next() {
            Some(Ok(character)) => {
                self.at += 6 * units.len();
                Ok(character)
            }
            _ => Err(self.expected("an escape that JSON has")),
        }
    }

    /// The number of the escape `\uXXXX` at a place.
    fn unit(&self, at: usize) -> Option<u16> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hex { u16::from_str_radix(digits, 16).ok() } else { None }
    }
}

/// Whether a text looks like JSON rather than YAML: a brace, then a quote or nothing more.
pub(super) fn looks_like(text: &str) -> bool {
    let trimmed = text.trim_start_matches('\u{feff}').trim_start();
    let inner = trimmed.strip_prefix('{').map(str::trim_start);
    inner.is_some_and(|inner| inner.starts_with(['"', '}']) || inner.is_empty())
}
