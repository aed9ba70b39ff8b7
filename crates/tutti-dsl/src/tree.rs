//! The document as a tree in which every value knows where it was written.

mod at;
mod json;
mod limits;
mod load;
mod locate;
mod scalar;
mod syntax;

use std::{ops::Range, sync::Arc};

use tutti_expr::Value;

pub(crate) use at::{At, child};
pub(crate) use load::load;

/// A value and where it stands in the text.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    /// Bytes of the text.
    pub(crate) span: Range<usize>,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(crate) enum NodeKind {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    String(Arc<str>, Style),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// How a string was written; decides how a position inside it is found in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
}

/// A key of a mapping.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) text: Arc<str>,
    pub(crate) span: Range<usize>,
}

impl Node {
    /// The member called `key`, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The member called `key` with the key itself.
    pub(crate) fn entry(&self, key: &str) -> Option<&(Key, Self)> {
        self.as_map()?.iter().find(|(name, _)| &*name.text == key)
    }

    pub(crate) fn as_str(&self) -> Option<&Arc<str>> {
        if let NodeKind::String(text, _) = &self.kind { Some(text) } else { None }
    }

    pub(crate) fn as_map(&self) -> Option<&[(Key, Self)]> {
        if let NodeKind::Map(members) = &self.kind { Some(members) } else { None }
    }

    pub(crate) fn as_list(&self) -> Option<&[Self]> {
        if let NodeKind::List(items) = &self.kind { Some(items) } else { None }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        if let NodeKind::Bool(value) = self.kind { Some(value) } else { None }
    }

    pub(crate) fn as_integer(&self) -> Option<i64> {
        match self.kind {
            NodeKind::Integer(value) => Some(value),
            // `5.0` is a whole number to JSON Schema.
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
            NodeKind::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
                Some(value as i64)
            }
            _ => None,
        }
    }

    /// What this is, in a sentence: "expected text, found …".
    pub(crate) fn describe(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "nothing (null)",
            NodeKind::Bool(_) => "a boolean",
            NodeKind::Integer(_) => "a whole number",
            NodeKind::Float(_) => "a number",
            NodeKind::String(..) => "text",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a mapping",
        }
    }

    /// The node as data.
    pub(crate) fn to_value(&self) -> Value {
        match &self.kind {
            NodeKind::Null => Value::NULL,
            NodeKind::Bool(value) => Value::from(*value),
            NodeKind::Integer(value) => Value::from(*value),
            NodeKind::Float(value) => Value::float(*value),
            NodeKind::String(text, _) => Value::from(text.clone()),
            NodeKind::List(items) => Value::array(items.iter().map(Self::to_value)),
            NodeKind::Map(members) => Value::object(
                members.iter().map(|(key, value)| (key.text.clone(), value.to_value())),
            ),
        }
    }

    /// Where the bytes `range` of this string stand in the text; the whole node where that can't be told.
    pub(crate) fn span_within(&self, text: &str, range: &Range<usize>) -> Range<usize> {
        let NodeKind::String(value, style) = &self.kind else { return self.span.clone() };
        locate::span_within(text, &self.span, value, *style, range)
    }
}
