//! The language as tables: what keys every object has and what stands under them.
//!
//! One table per object serves three readers: the check of a document's shape (`check`), the JSON Schema for editors
//! (`json_schema`) and the check of expressions in what this version does not execute (`compile`). Start reading at
//! [`document::ROOT`].

pub(crate) mod authentication;
pub(crate) mod calls;
pub(crate) mod check;
pub(crate) mod data_flow;
pub(crate) mod document;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod fit;
pub(crate) mod json_schema;
pub(crate) mod processes;
pub(crate) mod resources;
pub(crate) mod settings;
pub(crate) mod tasks;

/// What may stand at a place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Anything; never evaluated.
    Any,
    /// A text that is never evaluated.
    Text,
    /// A text that is an expression, `${ }` or not.
    Expression,
    /// Anything; texts that are `${ … }` are evaluated.
    Value,
    /// A text, evaluated if it is `${ … }`.
    TextValue,
    /// A mapping of anything; texts in it that are `${ … }` are evaluated.
    MapValue,
    /// A text that is `${ … }` as a whole.
    Marked,
    /// A text that a shell or a script reads.
    Code,
    Bool,
    Integer {
        min: i64,
        max: i64,
    },
    Choice(&'static [&'static str]),
    Duration,
    /// A URI, a URI template or an expression.
    Uri,
    DnsLabel,
    Version,
    /// A semantic version, or `latest`.
    VersionOrLatest,
    /// A host name.
    Host,
    /// `continue`, `exit`, `end` or the name of a task.
    Directive,
    /// The name of a variable.
    Variable,
    /// A JSON Schema.
    JsonSchema,
    /// A setting that is known and not supported by this version.
    NotYet,
    List(&'static Shape),
    /// Names, each with the same shape.
    Map(&'static Shape),
    /// A list of mappings with one key each.
    Named(&'static Shape),
    /// The same, at least one.
    NonEmptyNamed(&'static Shape),
    Object(&'static Object),
    /// `{ use: NAME }`, or the object.
    UseOr(&'static Object),
    /// The first alternative of the node's own type.
    Either(&'static [Shape]),
    Task,
    Tasks,
}

/// A mapping with known keys.
#[derive(Debug)]
pub(crate) struct Object {
    /// What the JSON Schema calls it.
    pub(crate) name: &'static str,
    /// What it is, for people.
    pub(crate) doc: &'static str,
    pub(crate) keys: &'static [Key],
    pub(crate) rules: &'static [Rule],
    /// What stands under other keys; without it they are unknown.
    pub(crate) others: Option<Shape>,
}

/// A key of an object.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) shape: Shape,
    pub(crate) doc: &'static str,
}

/// What holds between the keys of one object.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    ExactlyOne(&'static [&'static str]),
    /// `key` has a meaning beside `other` only.
    Needs {
        key: &'static str,
        other: &'static str,
    },
    /// `key` is given if and only if `other` is `value`.
    OnlyWith {
        key: &'static str,
        other: &'static str,
        value: &'static str,
    },
    NotEmpty,
}

impl Object {
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// A key that may be left out.
pub(crate) const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, required: false, shape, doc }
}

/// A key that must be there.
pub(crate) const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, required: true, shape, doc }
}

/// An object of these keys and no others.
pub(crate) const fn object(
    name: &'static str,
    doc: &'static str,
    keys: &'static [Key],
    rules: &'static [Rule],
) -> Object {
    Object { name, doc, keys, rules, others: None }
}

/// `{ use: NAME }` of an authentication or of one of its schemes.
pub(crate) static USE: Object = object(
    "useReference",
    "Names a part declared elsewhere.",
    &[required(
        "use",
        Shape::Text,
        "The name of the declared policy, or of the secret that holds the values.",
    )],
    &[],
);
