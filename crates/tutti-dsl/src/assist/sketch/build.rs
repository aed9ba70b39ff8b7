//! Dashes, keys and values → tree, by their columns.

use std::sync::Arc;

use super::{
    MAX_DEPTH,
    lines::{Part, PartKind},
};
use crate::tree::{Key, Node, NodeKind};

/// The tree of all parts; nothing if there are none.
pub(super) fn build(text: &str, parts: &[Part]) -> Option<Node> {
    let mut builder = Builder { text, parts, at: 0 };
    let mut root = builder.node(0, 0)?;
    // What stands left of everything before belongs to the document as well.
    while builder.at < parts.len() {
        let Some(more) = builder.node(0, 0) else { break };
        if let (NodeKind::Map(members), NodeKind::Map(later)) = (&mut root.kind, more.kind) {
            members.extend(later);
            root.span.end = more.span.end;
        }
    }
    Some(root)
}

struct Builder<'p> {
    text: &'p str,
    parts: &'p [Part],
    at: usize,
}

impl<'p> Builder<'p> {
    /// The next part, if its column is `floor` or more.
    fn peek(&self, floor: usize) -> Option<&'p Part> {
        self.parts.get(self.at).filter(|part| part.column >= floor)
    }

    fn node(&mut self, floor: usize, depth: usize) -> Option<Node> {
        let part = self.peek(floor)?;
        if depth >= MAX_DEPTH {
            while self.peek(floor).is_some() {
                self.at += 1;
            }
            return None;
        }
        match &part.kind {
            PartKind::Dash(_) => Some(self.list(floor, depth)),
            PartKind::Pair(..) => Some(self.map(floor, depth)),
            PartKind::Alone(_) if self.is_key(floor) => Some(self.map(floor, depth)),
            PartKind::Alone(node) => {
                self.at += 1;
                Some(self.with_more(node.clone(), floor))
            }
        }
    }

    /// Whether a lone word stands among keys: the next one, at its column, is one.
    fn is_key(&self, floor: usize) -> bool {
        let Some(here) = self.peek(floor) else { return false };
        self.parts.get(self.at + 1).is_some_and(|next| {
            next.column == here.column && matches!(next.kind, PartKind::Pair(..))
        })
    }

    fn list(&mut self, floor: usize, depth: usize) -> Node {
        let mut items = Vec::new();
        let mut span = None;
        while let Some(Part { column, kind: PartKind::Dash(at) }) = self.peek(floor) {
            self.at += 1;
            let null = Node { kind: NodeKind::Null, span: at + 1..at + 1 };
            let item = self.node(column + 1, depth + 1).unwrap_or(null);
            let start = span.map_or(*at, |(start, _)| start);
            span = Some((start, item.span.end));
            items.push(item);
        }
        let (start, end) = span.unwrap_or_default();
        Node { kind: NodeKind::List(items), span: start..end }
    }

    fn map(&mut self, floor: usize, depth: usize) -> Node {
        let mut members: Vec<(Key, Node)> = Vec::new();
        while let Some(part) = self.peek(floor) {
            match &part.kind {
                PartKind::Pair(key, value) => {
                    self.at += 1;
                    let value = self.member(part.column, key, value.as_ref(), depth);
                    members.push((key.clone(), value));
                }
                PartKind::Alone(node) => {
                    self.at += 1;
                    members.push(half_written(self.text, node));
                }
                // A list where a key is due: the last key's, or nobody's.
                PartKind::Dash(_) => {
                    let list = self.list(floor, depth + 1);
                    if let Some((_, last)) = members.last_mut()
                        && matches!(last.kind, NodeKind::Null)
                    {
                        *last = list;
                    }
                }
            }
        }
        let start = members.first().map_or(0, |(key, _)| key.span.start);
        let end = members.last().map_or(start, |(key, node)| node.span.end.max(key.span.end));
        Node { kind: NodeKind::Map(members), span: start..end }
    }

    /// The value of a key: what stands behind it, what is indented below it, or a list at its own column.
    fn member(&mut self, column: usize, key: &Key, value: Option<&Node>, depth: usize) -> Node {
        let alone =
            self.peek(column + 1).is_none_or(|part| matches!(part.kind, PartKind::Alone(_)));
        if let Some(value) = value.filter(|_| alone) {
            return self.with_more(value.clone(), column + 1);
        }
        let dash = self.peek(column).is_some_and(|part| matches!(part.kind, PartKind::Dash(_)));
        let below = if dash && self.peek(column + 1).is_none() {
            Some(self.list(column, depth + 1))
        } else {
            self.node(column + 1, depth + 1)
        };
        let end = key.span.end + 1;
        below.unwrap_or(Node { kind: NodeKind::Null, span: end..end })
    }

    /// A text that goes on in the next lines.
    fn with_more(&mut self, mut node: Node, floor: usize) -> Node {
        while let Some(Part { kind: PartKind::Alone(more), .. }) = self.peek(floor) {
            self.at += 1;
            node.span.end = more.span.end;
        }
        node
    }
}

/// A word that is going to be a key.
fn half_written(text: &str, node: &Node) -> (Key, Node) {
    let written = || Arc::from(text.get(node.span.clone()).unwrap_or(""));
    let word = node.as_str().cloned().unwrap_or_else(written);
    let end = node.span.end;
    let key = Key { text: word, span: node.span.clone() };
    (key, Node { kind: NodeKind::Null, span: end..end })
}
