//! Which types of values may stand at a place, and how to say so.

use super::Shape;
use crate::tree::Node;

/// Whether a node is of a type that may stand there.
pub(crate) fn fits(node: &Node, shape: &Shape) -> bool {
    match shape {
        Shape::Any | Shape::Value | Shape::NotYet => true,
        shape if fits_text(shape) && !matches!(shape, Shape::Either(_) | Shape::Duration) => {
            node.as_str().is_some()
        }
        Shape::Bool => node.as_bool().is_some(),
        Shape::Integer { .. } => node.as_integer().is_some(),
        Shape::Duration => node.as_str().is_some() || node.as_map().is_some(),
        Shape::JsonSchema => node.as_map().is_some() || node.as_bool().is_some(),
        Shape::List(_) | Shape::Named(_) | Shape::NonEmptyNamed(_) | Shape::Tasks => {
            node.as_list().is_some()
        }
        Shape::MapValue | Shape::Map(_) | Shape::Object(_) | Shape::UseOr(_) | Shape::Task => {
            node.as_map().is_some()
        }
        Shape::Either(shapes) => shapes.iter().any(|shape| fits(node, shape)),
        _ => false,
    }
}

/// Whether a text may stand there.
pub(super) fn fits_text(shape: &Shape) -> bool {
    match shape {
        Shape::Text
        | Shape::Expression
        | Shape::TextValue
        | Shape::Marked
        | Shape::Code
        | Shape::Choice(_)
        | Shape::Duration
        | Shape::Uri
        | Shape::DnsLabel
        | Shape::Version
        | Shape::VersionOrLatest
        | Shape::Host
        | Shape::Directive
        | Shape::Variable => true,
        Shape::Either(shapes) => shapes.iter().any(fits_text),
        _ => false,
    }
}

/// What may stand there, for a sentence.
pub(crate) fn expected(shape: &Shape) -> String {
    let text = match shape {
        Shape::Any | Shape::Value | Shape::NotYet => "a value",
        Shape::Expression => "an expression",
        Shape::Marked => "an expression `${ … }`",
        Shape::Uri => "a URI",
        Shape::Choice(choices) => return format!("one of {}", choices.join(", ")),
        Shape::Bool => "true or false",
        Shape::Integer { .. } => "a whole number",
        Shape::Duration => "a duration such as `PT15M` or `{ minutes: 15 }`",
        Shape::DnsLabel | Shape::Host => "a name",
        Shape::Version | Shape::VersionOrLatest => "a version in quotes",
        Shape::Directive => "`continue`, `exit`, `end` or the name of a task",
        Shape::Variable => "the name of a variable",
        Shape::JsonSchema => "a JSON Schema",
        Shape::List(_) => "a list",
        Shape::Named(_) | Shape::NonEmptyNamed(_) => "a list of named entries",
        Shape::Tasks => "a list of tasks",
        Shape::Task => "a task",
        Shape::MapValue | Shape::Map(_) | Shape::Object(_) | Shape::UseOr(_) => "a mapping",
        Shape::Either(shapes) => {
            let all: Vec<String> = shapes.iter().map(expected).collect();
            return all.join(" or ");
        }
        Shape::Text | Shape::TextValue | Shape::Code => "text",
    };
    text.to_owned()
}
