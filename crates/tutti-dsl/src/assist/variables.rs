//! The variables of an expression: which there are at a place, what they hold, where they were named.

use std::ops::Range;

use super::{
    names, place,
    way::{Step, Way},
};
use crate::{
    compile::{jq_text, scope},
    shape::{Shape, calls, events::ITERATOR},
    tree::Node,
};

/// A variable that an expression may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    /// Without `$`.
    pub(super) name: String,
    pub(super) doc: &'static str,
    /// Where the document names it, if it does.
    pub(super) named_at: Option<Range<usize>>,
}

/// What the language's own variables hold.
const LANGUAGE: &[(&str, &str)] = &[
    ("context", "The workflow's context: what `export.as` of earlier tasks has put there."),
    ("input", "The task's input, after `input.from`."),
    ("output", "The task's output, after `output.as`."),
    ("secrets", "The secrets that `use.secrets` declares, by name."),
    (
        "task",
        "The task at hand: `name`, `reference`, `definition`, `input`, `output`, `startedAt`.",
    ),
    ("workflow", "The execution: `id`, `definition`, `input`, `startedAt`."),
    ("runtime", "What executes the workflow: `name`, `version`, `metadata`."),
    ("authorization", "How the call authenticated: `scheme` and `parameter`."),
];

/// The variables in scope at the end of a way; the innermost binding comes first and hides the others.
pub(super) fn in_scope(way: &Way<'_>) -> Vec<Variable> {
    let mut found: Vec<Variable> = Vec::new();
    for (outer, step) in way.steps.iter().zip(way.steps.iter().skip(1)).rev() {
        for variable in bound(outer, step) {
            if found.iter().all(|known| known.name != variable.name) {
                found.push(variable);
            }
        }
    }
    let known = language(way).iter().filter_map(|name| {
        let (name, doc) = LANGUAGE.iter().find(|(known, _)| known == name)?;
        Some(Variable { name: (*name).to_owned(), doc, named_at: None })
    });
    found.extend(known);
    found
}

/// The variable under a byte, if an expression stands there and knows it, with its bytes.
pub(super) fn under(text: &str, way: &Way<'_>, offset: usize) -> Option<(Variable, Range<usize>)> {
    let (start, source) = place::expression(text, way)?;
    let uses = jq_text::variables(source);
    let used = uses
        .iter()
        .find(|used| (start + used.range.start..=start + used.range.end).contains(&offset))?;
    let variable = in_scope(way).into_iter().find(|known| known.name == used.name)?;
    Some((variable, start + used.range.start..start + used.range.end))
}

/// Where the variable or secret under a byte was named.
pub(super) fn definition(
    text: &str,
    root: &Node,
    way: &Way<'_>,
    offset: usize,
) -> Option<Range<usize>> {
    if let Some((variable, _)) = under(text, way, offset) {
        return variable.named_at;
    }
    let (start, source) = place::expression(text, way)?;
    let name = member_of_secrets(source, offset.checked_sub(start)?)?;
    names::used(root, "secrets").into_iter().find(|(known, _)| *known == name).map(|(_, at)| at)
}

/// The name in `$secrets.NAME` around a byte of a source.
fn member_of_secrets(source: &str, at: usize) -> Option<&str> {
    jq_text::variables(source).iter().filter(|used| used.name == "secrets").find_map(|used| {
        let name = source[used.range.end..].strip_prefix('.')?;
        let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let name = &name[..end.unwrap_or(name.len())];
        let start = used.range.end + 1;
        (start..=start + name.len()).contains(&at).then_some(name)
    })
}

/// What a task or handler binds for what stands under `step`.
fn bound(outer: &Step<'_>, step: &Step<'_>) -> Vec<Variable> {
    match (outer.shape, step.name()) {
        (Shape::Task, "do" | "while") if outer.node.get("for").is_some() => {
            let head = outer.node.get("for");
            vec![item(head, "each", ITEM), item(head, "at", INDEX)]
        }
        (Shape::Object(object), "errors" | "as") if object.name == "catch" => Vec::new(),
        (Shape::Object(object), _) if object.name == "catch" => {
            vec![item(Some(outer.node), "as", ERROR)]
        }
        (Shape::Object(object), "do" | "with" | "workflow") if is_each(object.name) => {
            vec![item(Some(outer.node), "as", ITEM), item(Some(outer.node), "at", INDEX)]
        }
        (Shape::Object(object), _) if object.name == ITERATOR.name => {
            vec![item(Some(outer.node), "item", ITEM), item(Some(outer.node), "at", INDEX)]
        }
        _ => Vec::new(),
    }
}

fn is_each(object: &str) -> bool {
    calls::arguments("each").is_some_and(|each| each.name == object)
}

/// The name and meaning of a variable whose name may be left out.
type Default = (&'static str, &'static str);
const ITEM: Default = ("item", "The item at hand.");
const INDEX: Default = ("index", "The item's position, from 0.");
const ERROR: Default =
    ("error", "The error that was caught: `type`, `status`, `title`, `detail`, `instance`.");

fn item(head: Option<&Node>, key: &str, (default, doc): Default) -> Variable {
    let named = head.and_then(|head| head.get(key));
    let name = named.and_then(Node::as_str).filter(|name| jq_text::is_name(name));
    Variable {
        name: name.map_or(default, |name| &**name).to_owned(),
        doc,
        named_at: name.and(named).map(|node| node.span.clone()),
    }
}

/// The language's own variables at a place.
fn language(way: &Way<'_>) -> &'static [&'static str] {
    let Some(task) = way.steps.iter().rposition(|step| matches!(step.shape, Shape::Task)) else {
        return match way.steps.get(1).map(Step::name) {
            Some("output") => scope::WORKFLOW_OUTPUT,
            Some("document") => scope::ADMISSION,
            _ => scope::WORKFLOW,
        };
    };
    match way.steps.get(task + 1).map(Step::name) {
        Some("if" | "input" | "timeout") => scope::INPUT,
        Some("export") => scope::EXPORT,
        _ => scope::BODY,
    }
}
