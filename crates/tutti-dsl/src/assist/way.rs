//! The way from the document's root to a byte of its text, with what the tables say of every step.

use crate::{
    kinds::Keyword,
    shape::{self, Shape, USE, calls, document::ROOT, fit::fits, tasks},
    tree::{Key, Node},
};

/// One step down: a member of a mapping or an item of a list; the first is the document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'n> {
    /// The key it stands under, in the text.
    pub(super) key: Option<&'n Key>,
    /// The key in the tables.
    pub(super) entry: Option<&'static shape::Key>,
    pub(super) node: &'n Node,
    /// What the tables allow here.
    pub(super) declared: Shape,
    /// Of several alternatives the one that is meant.
    pub(super) shape: Shape,
}

/// The way to a place.
#[derive(Debug)]
pub(super) struct Way<'n> {
    /// Never empty.
    pub(super) steps: Vec<Step<'n>>,
    /// Whether the place is the key of the last step, not its value.
    pub(super) on_key: bool,
}

impl<'n> Way<'n> {
    /// The way to the innermost key or value that holds or touches a byte.
    pub(super) fn to(root: &'n Node, offset: usize) -> Self {
        let mut steps = vec![Step::new(None, None, root, Shape::Object(&ROOT))];
        let mut here = steps[0];
        while let Some((next, on_key)) = here.toward(offset) {
            steps.push(next);
            here = next;
            if on_key {
                return Self { steps, on_key };
            }
        }
        Self { steps, on_key: false }
    }

    pub(super) fn last(&self) -> &Step<'n> {
        self.steps.last().expect("invariant: a way has its first step")
    }

    /// The steps above the last one, nearest first.
    pub(super) fn above(&self) -> impl Iterator<Item = &Step<'n>> {
        self.steps.iter().rev().skip(1)
    }
}

impl<'n> Step<'n> {
    pub(super) fn new(
        key: Option<&'n Key>,
        entry: Option<&'static shape::Key>,
        node: &'n Node,
        declared: Shape,
    ) -> Self {
        Self { key, entry, node, declared, shape: meant(declared, node) }
    }

    /// The members and items below.
    pub(super) fn children(&self) -> Vec<Self> {
        if let Some(members) = self.node.as_map() {
            return members.iter().map(|(key, node)| self.member(key, node)).collect();
        }
        let items = self.node.as_list().unwrap_or_default();
        items.iter().map(|node| Self::new(None, None, node, self.item())).collect()
    }

    /// The name of the object that this is, as the tables call it.
    pub(super) fn object(&self) -> Option<&'static str> {
        if let Shape::Object(object) = self.shape { Some(object.name) } else { None }
    }

    /// The key this stands under; empty for items.
    pub(super) fn name(&self) -> &'n str {
        self.key.map_or("", |key| &key.text)
    }

    fn toward(&self, offset: usize) -> Option<(Self, bool)> {
        if let Some(members) = self.node.as_map() {
            let touched = |(key, _): &&(Key, Node)| touches(&key.span, offset);
            if let Some((key, node)) = members.iter().find(touched) {
                return Some((self.member(key, node), true));
            }
            let (key, node) = members.iter().find(|(_, node)| touches(&node.span, offset))?;
            return Some((self.member(key, node), false));
        }
        let node = self.node.as_list()?.iter().find(|node| touches(&node.span, offset))?;
        Some((Self::new(None, None, node, self.item()), false))
    }

    fn member(&self, key: &'n Key, node: &'n Node) -> Self {
        let entry = keys(self).into_iter().find(|known| known.name == &*key.text);
        let declared = match entry {
            Some(entry) if entry.name == "with" && matches!(self.shape, Shape::Task) => {
                arguments(self.node).unwrap_or(entry.shape)
            }
            Some(entry) => entry.shape,
            None => other(&self.shape),
        };
        Self::new(Some(key), entry, node, declared)
    }

    fn item(&self) -> Shape {
        match self.shape {
            Shape::List(inner) => *inner,
            // An entry of such a list is a mapping from its name.
            Shape::Named(inner) | Shape::NonEmptyNamed(inner) => Shape::Map(inner),
            Shape::Tasks => Shape::Map(&Shape::Task),
            Shape::Value => Shape::Value,
            _ => Shape::Any,
        }
    }
}

/// The keys the tables know at a place.
pub(super) fn keys(step: &Step<'_>) -> Vec<&'static shape::Key> {
    match step.shape {
        Shape::Object(object) => object.keys.iter().collect(),
        Shape::UseOr(object) => USE.keys.iter().chain(object.keys).collect(),
        Shape::Task => {
            let own: Vec<_> = match Keyword::of(step.node) {
                Some(keyword) => tasks::of(keyword).keys.iter().collect(),
                // Whichever it is going to be: its keyword comes first among its keys.
                None => Keyword::ALL.iter().filter_map(|it| tasks::of(*it).keys.first()).collect(),
            };
            own.into_iter().chain(tasks::COMMON).collect()
        }
        _ => Vec::new(),
    }
}

fn touches(span: &std::ops::Range<usize>, offset: usize) -> bool {
    (span.start..=span.end).contains(&offset)
}

/// The arguments of a call by the function's name.
fn arguments(task: &Node) -> Option<Shape> {
    let name = task.get("call")?.as_str()?;
    calls::arguments(name).map(Shape::Object)
}

/// What stands under keys that the tables do not name.
fn other(shape: &Shape) -> Shape {
    match shape {
        Shape::Object(object) | Shape::UseOr(object) => object.others.unwrap_or(Shape::Any),
        Shape::Map(inner) => **inner,
        Shape::Value | Shape::MapValue => Shape::Value,
        Shape::Duration => Shape::Integer { min: 0, max: i64::MAX },
        _ => Shape::Any,
    }
}

/// Of alternatives the one a node is of; where none fits, the first mapping, which is being written.
fn meant(shape: Shape, node: &Node) -> Shape {
    match shape {
        Shape::Either(shapes) => {
            let fitting = shapes.iter().find(|shape| fits(node, shape));
            let mapping = || shapes.iter().find(|shape| matches!(shape, Shape::Object(_)));
            fitting.or_else(mapping).map_or(Shape::Any, |shape| meant(*shape, node))
        }
        Shape::UseOr(_) if node.get("use").is_some() => Shape::Object(&USE),
        Shape::UseOr(object) if node.as_map().is_some_and(|members| members.len() > 1) => {
            Shape::Object(object)
        }
        shape => shape,
    }
}
