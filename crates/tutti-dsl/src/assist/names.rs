//! Names that stand for something given elsewhere in the document.

use super::way::{Step, Way};
use crate::{
    shape::Shape,
    tree::{Key, Node},
};

/// What a name at a place refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference {
    /// A task of the same list, by `then`.
    Task,
    /// Any function, by `call`.
    Function,
    /// A part of this section of `use`.
    Used(&'static str),
}

/// What the text at the end of a way refers to, if it is a name.
pub(super) fn reference(way: &Way<'_>) -> Option<Reference> {
    let last = way.last();
    let parent = way.above().next()?;
    if matches!(last.declared, Shape::Directive) {
        return Some(Reference::Task);
    }
    let section = match (parent.object(), last.name()) {
        (None, "call") if is_task(parent) => return Some(Reference::Function),
        (None, "timeout") if is_task(parent) => "timeouts",
        (Some("workflow"), "timeout") => "timeouts",
        (Some("catch"), "retry") => "retries",
        (Some("raise"), "error") => "errors",
        (Some("each"), "function") => "functions",
        (_, "use") => match parent.declared {
            Shape::UseOr(object) if object.name == "authentication" => "authentications",
            Shape::UseOr(_) => "secrets",
            _ => return None,
        },
        _ => return None,
    };
    Some(Reference::Used(section))
}

/// The parts of a section of `use`, with the keys that name them; secrets are texts of a list.
pub(super) fn used<'n>(root: &'n Node, section: &str) -> Vec<(&'n str, std::ops::Range<usize>)> {
    let Some(section) = root.get("use").and_then(|used| used.get(section)) else {
        return Vec::new();
    };
    let keys = section.as_map().unwrap_or_default().iter();
    let items = section.as_list().unwrap_or_default().iter();
    keys.map(|(key, _)| (&*key.text, key.span.clone()))
        .chain(items.filter_map(|item| Some((&**item.as_str()?, item.span.clone()))))
        .collect()
}

/// The tasks that `then` may name at the end of a way.
pub(super) fn siblings<'n>(way: &Way<'n>) -> Vec<(&'n Key, &'n Node)> {
    let list = way.above().find(|step| matches!(step.shape, Shape::Tasks));
    // The branches of a fork run beside each other: none goes to another.
    list.filter(|list| list.name() != "branches").map(tasks).unwrap_or_default()
}

/// The tasks of a list with their names.
pub(super) fn tasks<'n>(list: &Step<'n>) -> Vec<(&'n Key, &'n Node)> {
    let items = list.node.as_list().unwrap_or_default().iter();
    items.filter_map(|item| item.as_map()?.first()).map(|(key, task)| (key, task)).collect()
}

fn is_task(step: &Step<'_>) -> bool {
    matches!(step.shape, Shape::Task)
}
