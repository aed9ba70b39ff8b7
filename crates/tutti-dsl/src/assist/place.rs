//! Whether a byte stands inside an expression, and what of it stands before.

use super::way::Way;
use crate::{
    shape::Shape,
    tree::{Node, NodeKind},
};

/// The source of the expression around a byte, from its start to that byte; nothing where no expression stands.
pub(super) fn expression_before<'t>(
    text: &'t str,
    way: &Way<'_>,
    offset: usize,
) -> Option<&'t str> {
    let last = way.last();
    if way.on_key {
        return None;
    }
    let start = start(text, last.node, last.shape)?;
    text.get(start..offset)
}

/// The bytes of the whole expression that a node is.
pub(super) fn expression<'t>(text: &'t str, way: &Way<'_>) -> Option<(usize, &'t str)> {
    let last = way.last();
    let start = start(text, last.node, last.shape).filter(|_| !way.on_key)?;
    text.get(start..last.node.span.end).map(|source| (start, source))
}

/// Where the expression of a text begins, if the text is one.
fn start(text: &str, node: &Node, shape: Shape) -> Option<usize> {
    let NodeKind::String(..) = &node.kind else { return None };
    let raw = text.get(node.span.clone())?;
    let quotes =
        raw.len() - raw.trim_start_matches(['\'', '"', '|', '>', '-', '+', ' ', '\n', '\r']).len();
    let marked = raw[quotes..].starts_with("${");
    let always = matches!(shape, Shape::Expression);
    let may = matches!(
        shape,
        Shape::Value
            | Shape::TextValue
            | Shape::MapValue
            | Shape::Marked
            | Shape::Code
            | Shape::Uri
            | Shape::Duration
    );
    match (marked, always || may, always) {
        (true, true, _) => Some(node.span.start + quotes + 2),
        (false, _, true) => Some(node.span.start + quotes),
        _ => None,
    }
}
