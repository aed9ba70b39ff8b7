//! Text → tree, within limits.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::{
    Key, Node, NodeKind, Style, json,
    limits::{MAX_ALIAS_NODES, MAX_SIZE, MAX_YAML_DEPTH, check_members, duplicate, too_deep},
    scalar, syntax,
};
use crate::{codes::Code, diagnostic::Problem};

/// Reads one YAML or JSON document. Problems that leave a usable tree (duplicate keys) come with it.
pub(crate) fn load(text: &str) -> (Option<Node>, Vec<Problem>) {
    if text.len() > MAX_SIZE {
        let message =
            format!("the document has {} bytes; at most {MAX_SIZE} are accepted", text.len());
        return (None, vec![Problem::new(Code::LimitExceeded, 0..0, "", message)]);
    }
    let looks_like_json = json::looks_like(text);
    let not_json = match json::read(text) {
        Ok((root, problems)) => return (Some(root), problems),
        Err(problem) => problem,
    };
    // Flow-style YAML such as `{ a: b }` begins like JSON; what is meant as JSON is told in JSON's words.
    if looks_like_json || not_json.code == Code::LimitExceeded {
        return (None, vec![not_json]);
    }
    let mut loader = Loader::new(text, MAX_YAML_DEPTH);
    match loader.run() {
        Ok(root) => (root, loader.problems),
        Err(problem) => {
            loader.problems.push(problem);
            (None, loader.problems)
        }
    }
}

struct Loader<'a> {
    text: &'a str,
    /// The byte at which each character of the text starts; empty where both are the same (ASCII).
    offsets: Vec<usize>,
    max_depth: usize,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    alias_nodes: usize,
    problems: Vec<Problem>,
}

/// A collection that has not ended.
struct Open {
    anchor: usize,
    start: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map { members: Vec<(Key, Node)>, seen: BTreeSet<Arc<str>>, key: Option<Key> },
}

/// A node that aliases may name.
struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

impl<'a> Loader<'a> {
    fn new(text: &'a str, max_depth: usize) -> Self {
        let offsets = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()
        };
        Self {
            text,
            offsets,
            max_depth,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            alias_nodes: 0,
            problems: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<Option<Node>, Problem> {
        let mut parser = Parser::new_from_str(self.text);
        let mut root = None;
        let mut documents = 0;
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let message =
                            "a file holds one workflow document, and this is a second one";
                        return Err(Problem::new(Code::Syntax, self.range(span), "", message)
                            .hint("put every workflow into a file of its own"));
                    }
                }
                event => {
                    if let Some(node) = self.on_event(event, span)? {
                        root = Some(node);
                    }
                }
            }
        }
        Ok(root)
    }

    fn syntax(&self, error: &saphyr_parser::ScanError) -> Problem {
        let at = self.offset(error.marker().index());
        if error.info().contains("recursion limit") {
            return too_deep(at..at, self.max_depth);
        }
        let before = self.text[..at].rsplit('\n').next().unwrap_or_default();
        let (what, hint) = syntax::told(error.info(), before);
        let message = format!("the document is not YAML: {what}{}", self.opened(at));
        Problem::new(Code::Syntax, at..at, "", message).hint(hint)
    }

    /// Where the bracket around `at` was opened, if that is on an earlier line.
    fn opened(&self, at: usize) -> String {
        let start = self.open.last().map_or(at, |open| open.start);
        let lines = |text: &str| text.matches('\n').count();
        match self.text[start..].chars().next() {
            Some(bracket @ ('{' | '[')) if lines(&self.text[start..at]) > 0 => {
                format!(", and `{bracket}` of line {} is open", lines(&self.text[..start]) + 1)
            }
            _ => String::new(),
        }
    }

    fn offset(&self, index: usize) -> usize {
        let offset = if self.offsets.is_empty() {
            index
        } else {
            self.offsets.get(index).copied().unwrap_or(self.text.len())
        };
        offset.min(self.text.len())
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.offset(span.start.index());
        start..self.offset(span.end.index()).max(start)
    }

    /// Takes one event; the root node when it is complete.
    fn on_event(&mut self, event: Event<'_>, span: Span) -> Result<Option<Node>, Problem> {
        let range = self.range(span);
        match event {
            Event::SequenceStart(anchor, tag) => {
                check_collection_tag(tag.as_deref(), "seq", &range)?;
                self.open(anchor, range, OpenKind::List(Vec::new()))?;
                Ok(None)
            }
            Event::MappingStart(anchor, tag) => {
                check_collection_tag(tag.as_deref(), "map", &range)?;
                self.open(
                    anchor,
                    range,
                    OpenKind::Map { members: Vec::new(), seen: BTreeSet::new(), key: None },
                )?;
                Ok(None)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(range.end),
            Event::Scalar(value, style, anchor, tag) => {
                let node = self.scalar(value, style, tag.as_deref(), range)?;
                self.anchor(anchor, &node);
                self.place(node)
            }
            Event::Alias(anchor) => {
                let node = self.alias(anchor, range)?;
                self.place(node)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(None),
        }
    }

    fn open(&mut self, anchor: usize, range: Range<usize>, kind: OpenKind) -> Result<(), Problem> {
        if self.open.len() >= self.max_depth {
            return Err(too_deep(range, self.max_depth));
        }
        if let Some(problem) = self.key_must_be_text(&range) {
            return Err(problem);
        }
        self.open.push(Open { anchor, start: range.start, kind });
        Ok(())
    }

    /// A collection where a key is due.
    fn key_must_be_text(&self, range: &Range<usize>) -> Option<Problem> {
        let due =
            matches!(self.open.last(), Some(Open { kind: OpenKind::Map { key: None, .. }, .. }));
        let first = |byte: Option<&u8>| matches!(byte, Some(b'{' | b'['));
        due.then(|| {
            let message = "a key must be text, not a list or mapping";
            let problem = Problem::new(Code::UnsupportedYaml, range.clone(), "", message);
            if first(self.text.as_bytes().get(range.start)) {
                problem.hint("quote the value if it should be text: braces open a mapping")
            } else {
                problem
            }
        })
    }

    fn close(&mut self, end: usize) -> Result<Option<Node>, Problem> {
        let Some(open) = self.open.pop() else { return Ok(None) };
        let kind = match open.kind {
            OpenKind::List(items) => NodeKind::List(items),
            OpenKind::Map { members, .. } => NodeKind::Map(members),
        };
        // A block collection's end event stands where the next token starts: white space and comments are not part of it.
        let end = trimmed_end(&kind).map_or(end, |last| {
            let flow = matches!(self.text.as_bytes().get(open.start), Some(b'{' | b'['));
            if flow { end } else { last }
        });
        let node = Node { kind, span: open.start..end.max(open.start) };
        self.anchor(open.anchor, &node);
        self.place(node)
    }

    fn place(&mut self, node: Node) -> Result<Option<Node>, Problem> {
        match self.open.last_mut() {
            None => return Ok(Some(node)),
            Some(Open { kind: OpenKind::List(items), .. }) => items.push(node),
            Some(Open { kind: OpenKind::Map { members, seen, key }, .. }) => match key.take() {
                Some(key) if seen.insert(key.text.clone()) => {
                    check_members(members.len(), &key.span)?;
                    members.push((key, node));
                }
                Some(key) => self.problems.push(duplicate(key)),
                None => *key = Some(as_key(self.text, node)?),
            },
        }
        Ok(None)
    }

    fn anchor(&mut self, anchor: usize, node: &Node) {
        if anchor > 0 {
            let (nodes, depth) = measure(node);
            // What is larger can never be expanded, so it is not kept either.
            let node = if nodes > MAX_ALIAS_NODES {
                Node { kind: NodeKind::Null, span: node.span.clone() }
            } else {
                node.clone()
            };
            self.anchors.insert(anchor, Anchored { node, nodes, depth });
        }
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>) -> Result<Node, Problem> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            let message = "this alias stands inside the value it names";
            return Err(Problem::new(Code::UnsupportedYaml, range, "", message));
        };
        self.alias_nodes += anchored.nodes;
        if self.alias_nodes > MAX_ALIAS_NODES {
            let message = "the document's aliases expand to more than 10,000 values";
            return Err(Problem::new(Code::LimitExceeded, range, "", message));
        }
        if self.open.len() + anchored.depth > self.max_depth {
            return Err(too_deep(range, self.max_depth));
        }
        let mut node = anchored.node.clone();
        if self.key_must_be_text(&range).is_some() {
            node.span = range;
        }
        Ok(node)
    }

    fn scalar(
        &self,
        value: Cow<'_, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Range<usize>,
    ) -> Result<Node, Problem> {
        let quoted = match style {
            ScalarStyle::Plain => None,
            ScalarStyle::SingleQuoted => Some(Style::Single),
            ScalarStyle::DoubleQuoted => Some(Style::Double),
            ScalarStyle::Literal => Some(Style::Literal),
            ScalarStyle::Folded => Some(Style::Folded),
        };
        let typed = |text: &str| {
            scalar::plain(text).map_err(|_not_finite| {
                let message = format!("`{text}` is not a number that JSON has");
                Problem::new(Code::UnsupportedYaml, span.clone(), "", message)
                    .hint("quote it if it should be text")
            })
        };
        let kind = match (tag, quoted) {
            (None, None) => typed(&value)?,
            (None, Some(style)) => NodeKind::String(Arc::from(value), style),
            (Some(tag), _) if tag.suffix == "str" && tag.is_yaml_core_schema() => {
                NodeKind::String(Arc::from(value), quoted.unwrap_or(Style::Plain))
            }
            (Some(tag), _) if tag.handle == "!" && tag.suffix.is_empty() => {
                NodeKind::String(Arc::from(value), quoted.unwrap_or(Style::Plain))
            }
            (Some(tag), _) if tag.is_yaml_core_schema() => {
                let kind = typed(&value)?;
                if fits_tag(&kind, &tag.suffix) {
                    kind
                } else {
                    return Err(unknown_tag(tag, span));
                }
            }
            (Some(tag), _) => return Err(unknown_tag(tag, span)),
        };
        let span = if let NodeKind::String(_, Style::Literal | Style::Folded) = kind {
            span.start..trim_block(self.text, &span)
        } else {
            span
        };
        Ok(Node { kind, span })
    }
}

fn check_collection_tag(
    tag: Option<&Tag>,
    expected: &str,
    range: &Range<usize>,
) -> Result<(), Problem> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == expected) => {
            Err(unknown_tag(tag, range.clone()))
        }
        _ => Ok(()),
    }
}

fn fits_tag(kind: &NodeKind, tag: &str) -> bool {
    matches!(
        (kind, tag),
        (NodeKind::Null, "null")
            | (NodeKind::Bool(_), "bool")
            | (NodeKind::Integer(_), "int" | "float")
            | (NodeKind::Float(_), "float")
    )
}

fn unknown_tag(tag: &Tag, range: Range<usize>) -> Problem {
    let message = format!("the tag `{tag}` has no meaning here");
    Problem::new(Code::UnsupportedYaml, range, "", message).hint("remove it")
}

fn trim_block(text: &str, span: &Range<usize>) -> usize {
    text.get(span.clone()).map_or(span.end, |raw| span.start + raw.trim_end().len())
}

fn trimmed_end(kind: &NodeKind) -> Option<usize> {
    match kind {
        NodeKind::List(items) => items.last().map(|item| item.span.end),
        NodeKind::Map(members) => members.last().map(|(_, value)| value.span.end),
        _ => None,
    }
}

fn as_key(text: &str, node: Node) -> Result<Key, Problem> {
    match node.kind {
        NodeKind::String(text, _) => Ok(Key { text, span: node.span }),
        NodeKind::List(_) | NodeKind::Map(_) => {
            let message = "a key must be text, not a list or mapping";
            Err(Problem::new(Code::UnsupportedYaml, node.span, "", message))
        }
        // JSON has only text keys: `200: ok` means the key `"200"`.
        _ => {
            Ok(Key { text: Arc::from(text.get(node.span.clone()).unwrap_or("")), span: node.span })
        }
    }
}

/// How many nodes there are in `node`, itself included, and how deep they are nested.
fn measure(node: &Node) -> (usize, usize) {
    let children: Box<dyn Iterator<Item = &Node>> = match &node.kind {
        NodeKind::List(items) => Box::new(items.iter()),
        NodeKind::Map(members) => Box::new(members.iter().map(|(_, value)| value)),
        _ => return (1, 0),
    };
    let (nodes, depth) = children
        .map(measure)
        .fold((1, 0), |(nodes, depth), (more, deeper)| (nodes + more, depth.max(deeper)));
    (nodes, depth + 1)
}
