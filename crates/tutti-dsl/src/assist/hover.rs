//! What a word means: the tables' own sentences.

use std::{ops::Range, ptr};

use super::{
    names::{self, Reference},
    variables,
    way::{Step, Way},
};
use crate::{
    kinds::Keyword,
    shape::{Shape, calls, fit::expected, tasks},
    tree::Node,
};

/// What is known of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// Markdown.
    pub text: String,
    /// The word: bytes of the text.
    pub span: Range<usize>,
}

/// What is known of the word at a byte.
pub(super) fn hover(text: &str, root: &Node, offset: usize) -> Option<Hover> {
    let way = Way::to(root, offset);
    let last = way.last();
    if way.on_key {
        let key = last.key?;
        return about_key(&way).map(|text| Hover { text, span: key.span.clone() });
    }
    if let Some((variable, span)) = variables::under(text, &way, offset) {
        let text = format!("`${}`\n\n{}", variable.name, variable.doc);
        return Some(Hover { text, span });
    }
    let text = about_name(&way, root)
        .or_else(|| last.entry.map(|_| about_entry(last)))
        .filter(|_| last.node.as_map().is_none() && last.node.as_list().is_none())?;
    Some(Hover { text, span: last.node.span.clone() })
}

fn about_key(way: &Way<'_>) -> Option<String> {
    let last = way.last();
    if last.entry.is_some() {
        return Some(about_entry(last));
    }
    match last.shape {
        Shape::Task => Some(about_task(last.name(), last.node)),
        Shape::Object(object) => Some(format!("`{}`\n\n{}", last.name(), object.doc)),
        _ => None,
    }
}

/// A key of the tables: what it is for, what may stand there, whether it must.
fn about_entry(step: &Step<'_>) -> String {
    let Some(entry) = step.entry else { return String::new() };
    let is_own = |kind: &&Keyword| tasks::of(**kind).keys.iter().any(|key| ptr::eq(key, entry));
    let kind = Keyword::ALL.iter().filter(|kind| kind.as_str() == entry.name).find(is_own);
    let task = kind.map_or(String::new(), |kind| format!("{} ", tasks::of(*kind).doc));
    let doc = described(entry.doc, &step.declared);
    let required = if entry.required { "Required" } else { "Optional" };
    let expected = expected(&step.declared);
    format!("`{}`\n\n{task}{doc}\n\n{required}: {expected}.", entry.name)
}

/// A key's sentence, and that it is not supported where that is so.
pub(super) fn described(doc: &str, shape: &Shape) -> String {
    if matches!(shape, Shape::NotYet) {
        format!("{doc} Not supported by this version.")
    } else {
        doc.to_owned()
    }
}

/// A task by its name: what kind it is.
pub(super) fn about_task(name: &str, task: &Node) -> String {
    let kind = Keyword::of(task);
    let doc = kind.map_or("A task.", |kind| tasks::of(kind).doc);
    let called = task.get("call").and_then(Node::as_str);
    let label = match (kind, called) {
        (Some(_), Some(function)) => format!("call: {function}"),
        (Some(kind), None) => kind.as_str().to_owned(),
        (None, _) => "task".to_owned(),
    };
    format!("`{name}` ({label})\n\n{doc}")
}

/// What a name at the end of a way stands for.
fn about_name(way: &Way<'_>, root: &Node) -> Option<String> {
    let last = way.last();
    let name = last.node.as_str()?;
    match names::reference(way)? {
        Reference::Task => {
            let directive = directive(name).map(|doc| format!("`{name}`\n\n{doc}"));
            let task = || names::siblings(way).into_iter().find(|(key, _)| key.text == *name);
            directive.or_else(|| task().map(|(key, task)| about_task(&key.text, task)))
        }
        Reference::Function => {
            let used = root.get("use").and_then(|used| used.get("functions"));
            let own = used.and_then(|functions| functions.get(name));
            let of_language =
                || calls::arguments(name).map(|call| format!("`{name}`\n\n{}", call.doc));
            own.map(|task| about_task(name, task)).or_else(of_language)
        }
        Reference::Used(section) => names::used(root, section)
            .iter()
            .any(|(known, _)| **known == **name)
            .then(|| format!("`{name}`\n\nGiven in `use.{section}`.")),
    }
}

/// Where a directive leads.
pub(super) fn directive(name: &str) -> Option<&'static str> {
    DIRECTIVES.iter().find(|(known, _)| *known == name).map(|(_, doc)| *doc)
}

/// The directives that are no task's name.
pub(super) const DIRECTIVES: &[(&str, &str)] = &[
    ("continue", "On with the next task of the list."),
    ("exit", "Out of this list of tasks."),
    ("end", "To the end of the workflow."),
];
