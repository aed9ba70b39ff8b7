//! Where a name was given.

use std::ops::Range;

use super::{
    names::{self, Reference},
    variables,
    way::Way,
};
use crate::tree::Node;

/// The bytes of the name that the name at `offset` refers to.
pub(super) fn definition(text: &str, root: &Node, offset: usize) -> Option<Range<usize>> {
    let way = Way::to(root, offset);
    if way.on_key {
        return None;
    }
    if let Some(found) = variables::definition(text, root, &way, offset) {
        return Some(found);
    }
    let name = way.last().node.as_str()?;
    match names::reference(&way)? {
        Reference::Task => {
            let task = names::siblings(&way).into_iter().find(|(key, _)| key.text == *name);
            task.map(|(key, _)| key.span.clone())
        }
        Reference::Function => used(root, "functions", name),
        Reference::Used(section) => used(root, section, name),
    }
}

fn used(root: &Node, section: &str, name: &str) -> Option<Range<usize>> {
    names::used(root, section).into_iter().find(|(known, _)| *known == name).map(|(_, span)| span)
}
