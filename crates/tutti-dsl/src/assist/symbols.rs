//! The document as a tree of tasks and reusable parts.

use std::ops::Range;

use super::way::Step;
use crate::{
    kinds::Keyword,
    shape::{Shape, document::ROOT},
    tree::Node,
};

/// Something with a name in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// What kind of task it is, such as `call` or `try`; the section of `use` otherwise.
    pub detail: Option<String>,
    /// All of it, name included: bytes of the text.
    pub span: Range<usize>,
    /// The name alone.
    pub name_span: Range<usize>,
    /// What stands in it.
    pub children: Vec<Symbol>,
}

/// What a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// A task.
    Task,
    /// A function of `use.functions`.
    Function,
    /// Another part under `use`: an authentication, an error, a retry policy, …
    Part,
}

/// The symbols of a document in the order of its text.
pub(super) fn symbols(root: &Node) -> Vec<Symbol> {
    below(&Step::new(None, None, root, Shape::Object(&ROOT)))
}

fn below(step: &Step<'_>) -> Vec<Symbol> {
    step.children().iter().flat_map(|child| at(step, child)).collect()
}

/// The child itself if it has a name of its own, or what stands in it.
fn at(parent: &Step<'_>, child: &Step<'_>) -> Vec<Symbol> {
    let kind = match (parent.shape, child.shape) {
        (Shape::Map(_), Shape::Task) if parent.name() == "functions" => SymbolKind::Function,
        (Shape::Map(_), Shape::Task) => SymbolKind::Task,
        (Shape::Map(_), Shape::Object(object)) if PARTS.contains(&object.name) => SymbolKind::Part,
        _ => return below(child),
    };
    let Some(key) = child.key else { return below(child) };
    let detail = match kind {
        SymbolKind::Part => child.object(),
        SymbolKind::Task | SymbolKind::Function => Keyword::of(child.node).map(Keyword::as_str),
    };
    vec![Symbol {
        name: key.text.to_string(),
        kind,
        detail: detail.map(str::to_owned),
        span: key.span.start..child.node.span.end.max(key.span.end),
        name_span: key.span.clone(),
        children: below(child),
    }]
}

/// What of `use` has a name.
const PARTS: &[&str] = &["authentication", "catalog", "error", "extension", "retry", "timeout"];
