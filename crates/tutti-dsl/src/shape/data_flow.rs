//! What goes into a task, out of it and into the context.

use super::{
    Object, Rule,
    Shape::{self, Either, Expression, JsonSchema, MapValue, Text},
    object, optional,
    resources::RESOURCE,
};

pub(crate) static INPUT: Object = object(
    "input",
    "What comes in: its schema, and how it is transformed.",
    &[
        optional("schema", Shape::Object(&SCHEMA), "What the raw input must look like."),
        optional(
            "from",
            TRANSFORM,
            "An expression, or a mapping with expressions, that makes the input from the raw input.",
        ),
    ],
    &[],
);

pub(crate) static OUTPUT: Object = object(
    "output",
    "What goes out: how it is transformed, and its schema.",
    &[
        optional(
            "as",
            TRANSFORM,
            "An expression, or a mapping with expressions, that makes the output from the raw output.",
        ),
        optional("schema", Shape::Object(&SCHEMA), "What the output must look like."),
    ],
    &[],
);

pub(crate) static EXPORT: Object = object(
    "export",
    "What becomes the workflow's context.",
    &[
        optional(
            "as",
            TRANSFORM,
            "An expression, or a mapping with expressions, that yields the new `$context`.",
        ),
        optional("schema", Shape::Object(&SCHEMA), "What the context must look like."),
    ],
    &[],
);

/// One expression, or a mapping of values.
pub(crate) const TRANSFORM: Shape = Either(&[Expression, MapValue]);

static SCHEMA: Object = object(
    "schema",
    "A JSON Schema.",
    &[
        optional("format", Text, "The schema's format: `json`, or `json:` and a version."),
        optional("document", JsonSchema, "The schema itself: 2020-12, 2019-09 or 07."),
        optional("resource", Shape::Object(&RESOURCE), "Where the schema is loaded from."),
    ],
    &[Rule::ExactlyOne(&["document", "resource"])],
);
