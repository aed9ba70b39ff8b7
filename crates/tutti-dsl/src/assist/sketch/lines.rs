//! Text → dashes, keys and values, each with its column.

use std::{ops::Range, sync::Arc};

use super::{
    flow,
    scalar::{after_line, closing, line_end, scalar, spaces},
};
use crate::tree::{Key, Node, NodeKind, Style};

/// A part of a line.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) column: usize,
    pub(super) kind: PartKind,
}

#[derive(Debug)]
pub(super) enum PartKind {
    /// `- ` at this byte.
    Dash(usize),
    /// `key:`, perhaps with a value behind it.
    Pair(Key, Option<Node>),
    /// A value alone.
    Alone(Node),
}

/// All parts of a text.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut splitter = Splitter { text, at: 0, parts: Vec::new() };
    while splitter.at < text.len() {
        splitter.line();
    }
    splitter.parts
}

struct Splitter<'t> {
    text: &'t str,
    at: usize,
    parts: Vec<Part>,
}

impl Splitter<'_> {
    fn line(&mut self) {
        let start = self.at;
        let end = line_end(self.text, start);
        let mut at = start + spaces(&self.text[start..end]);
        self.at = after_line(self.text, end);
        let line = &self.text[at..end];
        if line.is_empty() || line.starts_with('#') || line == "---" || line == "..." {
            return;
        }
        let mut column = at - start;
        while let Some(rest) = self.text[at..end].strip_prefix('-')
            && (rest.is_empty() || rest.starts_with(' '))
        {
            self.parts.push(Part { column, kind: PartKind::Dash(at) });
            let skipped = 1 + spaces(rest);
            at += skipped;
            // The column of what follows; an empty item has none.
            if at < end {
                column += skipped;
            }
        }
        if at == end || self.text[at..end].starts_with('#') {
            return;
        }
        match key(self.text, at..end) {
            Some((key, after)) => {
                let from = after + spaces(&self.text[after..end]);
                let value = self.value(from..end, column);
                self.parts.push(Part { column, kind: PartKind::Pair(key, value) });
            }
            None => {
                if let Some(node) = self.value(at..end, column) {
                    self.parts.push(Part { column, kind: PartKind::Alone(node) });
                }
            }
        }
    }

    /// The value that starts in the rest of a line; it may go on in later lines.
    fn value(&mut self, rest: Range<usize>, column: usize) -> Option<Node> {
        let start = rest.start;
        match self.text[rest.clone()].chars().next()? {
            '#' => None,
            '|' | '>' => Some(self.block(rest, column)),
            '{' | '[' => {
                let (node, end) = flow::read(self.text, start, column);
                if end > rest.end {
                    self.at = after_line(self.text, line_end(self.text, end));
                }
                Some(node)
            }
            _ => scalar(self.text, rest),
        }
    }

    /// `|` or `>` with all lines that are indented further than `column`.
    fn block(&mut self, header: Range<usize>, column: usize) -> Node {
        let mut end = header.end;
        while self.at < self.text.len() {
            let line = self.at..line_end(self.text, self.at);
            let indentation = spaces(&self.text[line.clone()]);
            let is_blank = indentation == line.len();
            if !is_blank && indentation <= column {
                break;
            }
            if !is_blank {
                end = line.end;
            }
            self.at = after_line(self.text, line.end);
        }
        let text = self.text.get(header.end..end).unwrap_or("");
        Node { kind: NodeKind::String(Arc::from(text), Style::Literal), span: header.start..end }
    }
}

/// The key that a line begins with, and where what follows its colon starts.
fn key(text: &str, range: Range<usize>) -> Option<(Key, usize)> {
    let line = &text[range.clone()];
    let first = line.chars().next()?;
    let (name, length) = match first {
        '\'' | '"' => {
            let end = closing(line, first)?;
            (&line[1..end], end + 1)
        }
        '{' | '[' | '|' | '>' | '#' | '&' | '*' | '!' | '%' | '@' | '`' => return None,
        _ => {
            let colon = line.match_indices(':').map(|(at, _)| at);
            let end = colon.into_iter().find(|at| ends_key(&line[at + 1..]))?;
            let name = line[..end].trim_end();
            (name, name.len())
        }
    };
    let gap = spaces(&line[length..]);
    let rest = line[length + gap..].strip_prefix(':').filter(|rest| ends_key(rest))?;
    let span = range.start..range.start + length;
    Some((Key { text: Arc::from(name), span }, range.end - rest.len()))
}

fn ends_key(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(' ')
}
