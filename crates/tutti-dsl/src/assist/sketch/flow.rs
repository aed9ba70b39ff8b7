//! `{ … }` and `[ … ]`, closed or not.

use std::sync::Arc;

use super::{
    MAX_DEPTH,
    scalar::{closing, line_end, scalar, spaces},
};
use crate::tree::{Key, Node, NodeKind};

/// The collection that opens at a byte, and where it ends: at its brace, or before the first line that is indented no
/// further than `column`.
pub(super) fn read(text: &str, start: usize, column: usize) -> (Node, usize) {
    let end = limit(text, start, column);
    let mut reader = Reader { text: &text[..end], at: start };
    let node = reader.value(0);
    (node, reader.at)
}

/// Where what belongs to a collection ends at the latest.
fn limit(text: &str, start: usize, column: usize) -> usize {
    let mut end = line_end(text, start);
    while let Some(next) = text.get(end..).and_then(|rest| rest.chars().next()) {
        let begin = end + next.len_utf8();
        let line = &text[begin..line_end(text, begin)];
        let indentation = spaces(line);
        let closes = line[indentation..].starts_with(['}', ']']);
        if indentation < line.len() && indentation <= column && !closes {
            break;
        }
        end = begin + line.len();
    }
    end
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn value(&mut self, depth: usize) -> Node {
        self.skip();
        let start = self.at;
        match self.peek() {
            Some('{') if depth < MAX_DEPTH => self.map(depth),
            Some('[') if depth < MAX_DEPTH => self.list(depth),
            Some('{' | '[') => {
                self.at = self.text.len();
                Node { kind: NodeKind::Null, span: start..self.at }
            }
            _ => self.word(),
        }
    }

    fn list(&mut self, depth: usize) -> Node {
        let start = self.at;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip();
            match self.peek() {
                None => break,
                Some(']' | '}') => {
                    self.at += 1;
                    break;
                }
                Some(',') => self.at += 1,
                Some(_) => {
                    let before = self.at;
                    items.push(self.value(depth + 1));
                    self.go_on(before);
                }
            }
        }
        Node { kind: NodeKind::List(items), span: start..self.at }
    }

    fn map(&mut self, depth: usize) -> Node {
        let start = self.at;
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.skip();
            match self.peek() {
                None => break,
                Some(']' | '}') => {
                    self.at += 1;
                    break;
                }
                Some(',') => self.at += 1,
                Some(_) => {
                    let before = self.at;
                    members.push(self.member(depth));
                    self.go_on(before);
                }
            }
        }
        Node { kind: NodeKind::Map(members), span: start..self.at }
    }

    fn member(&mut self, depth: usize) -> (Key, Node) {
        let name = self.word();
        let text = match &name.kind {
            NodeKind::String(text, _) => text.clone(),
            _ => Arc::from(&self.text[name.span.clone()]),
        };
        let key = Key { text, span: name.span };
        self.skip();
        if self.peek() == Some(':') {
            self.at += 1;
            self.skip();
            if !matches!(self.peek(), None | Some(',' | '}' | ']')) {
                return (key, self.value(depth + 1));
            }
        }
        let end = self.at;
        (key, Node { kind: NodeKind::Null, span: end..end })
    }

    /// A text up to what ends it.
    fn word(&mut self) -> Node {
        let start = self.at;
        let line = line_end(self.text, start);
        let rest = &self.text[start..line];
        let length = match rest.chars().next() {
            Some(quote @ ('\'' | '"')) => closing(rest, quote).map_or(rest.len(), |end| end + 1),
            _ => plain(rest),
        };
        let end = start + length;
        self.at = end;
        let empty = Node { kind: NodeKind::Null, span: start..end };
        scalar(self.text, start..end).unwrap_or(empty)
    }

    /// No turn of a loop takes nothing.
    fn go_on(&mut self, before: usize) {
        if self.at == before {
            self.at += self.peek().map_or(0, char::len_utf8);
        }
    }
}

/// How long a text without quotes is.
fn plain(text: &str) -> usize {
    let ends = |(at, character): &(usize, char)| match character {
        ',' | '{' | '}' | '[' | ']' => true,
        ':' => text[at + 1..].chars().next().is_none_or(|next| " ,}]".contains(next)),
        _ => false,
    };
    text.char_indices().find(ends).map_or(text.len(), |(at, _)| at)
}
