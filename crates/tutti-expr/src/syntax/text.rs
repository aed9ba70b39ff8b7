//! Strings, what is interpolated in them, and their formats.

use std::sync::Arc;

use super::{
    lexer::Token,
    parser::{Parsed, Parser},
    tree::{Node, Op, Part},
};
use crate::{Value, natives};

impl Parser<'_> {
    pub(super) fn format(&mut self) -> Parsed {
        let name = &self.text()[1..];
        if natives::format(name).is_none() {
            let hint = format!(
                "formats: {}",
                natives::FORMATS.map(|format| format!("@{format}")).join(", ")
            );
            return self.refuse(&format!("unknown format `@{name}`"), Some(hint));
        }
        self.advance();
        if self.token == Token::Quote {
            self.string(name)
        } else {
            self.formatted(name, Node::identity())
        }
    }

    /// The text that a format makes of what `node` yields.
    fn formatted(&self, name: &str, node: Node) -> Parsed {
        let Some(native) = natives::format(name) else { return self.unexpected("a format") };
        let call = Node::new(Op::Native(native, Vec::new()));
        match node.op {
            Op::Identity => Ok(call),
            _ => self.node(Op::Pipe(Box::new(node), Box::new(call))),
        }
    }

    /// A string, whose interpolated parts go through `format`.
    pub(super) fn string(&mut self, format: &str) -> Parsed {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut at = self.range.end;
        loop {
            let rest = &self.source[at..];
            let Some(stop) = rest.find(['"', '\\']) else {
                return self
                    .refuse("the string does not end", Some("close it with `\"`".to_owned()));
            };
            literal.push_str(&rest[..stop]);
            at += stop;
            if rest[stop..].starts_with('"') {
                self.continue_at(at + 1);
                break;
            }
            if rest[stop..].starts_with("\\(") {
                if !literal.is_empty() {
                    parts.push(Part::Literal(Arc::from(std::mem::take(&mut literal))));
                }
                self.continue_at(at + 2);
                let hole = self.pipe()?;
                if !self.is(")") {
                    return self.unexpected("`)` that ends the interpolation");
                }
                at = self.range.end;
                parts.push(Part::Hole(self.formatted(format, hole)?));
            } else {
                let (character, length) = self.escape(at)?;
                literal.push(character);
                at += length;
            }
        }
        if parts.is_empty() {
            return Ok(Node::constant(Value::from(literal)));
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(Arc::from(literal)));
        }
        self.node(Op::Text(parts))
    }

    /// The character that the escape at `at` means, and the length of the escape.
    fn escape(&mut self, at: usize) -> Parsed<(char, usize)> {
        let rest = &self.source[at + 1..];
        let simple = match rest.bytes().next() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                if let Some(found) = unicode_escape(&self.source[at..]) {
                    return Ok(found);
                }
                self.range = at..self.source.len().min(at + 2);
                return self.refuse("expected four hexadecimal digits after `\\u`", None);
            }
            _ => {
                self.range = at..self.source.len().min(at + 1);
                return self.refuse(
                    "unknown escape in a string",
                    Some("write `\\\\` for a backslash".to_owned()),
                );
            }
        };
        Ok((simple, 2))
    }
}

/// The character of a `\u` escape or a pair of them, and its length; half a pair reads as the replacement character.
fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let unit = |from: usize| {
        let digits = text.get(from..from + 6)?.strip_prefix("\\u")?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let first = unit(0)?;
    if (0xd800..0xdc00).contains(&first)
        && let Some(second @ 0xdc00..0xe000) = unit(6)
    {
        let joined = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return Some((char::from_u32(joined)?, 12));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6))
}
