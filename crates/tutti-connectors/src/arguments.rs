//! Reads evaluated arguments strictly.

use std::collections::BTreeSet;

use tutti_expr::{Kind, Object, Value};
use tutti_journal::{Error, ErrorType};

/// An object of arguments; every member must be asked for, or [`Members::finish`] refuses it.
pub(crate) struct Members<'a> {
    object: &'a Object,
    path: &'static str,
    known: BTreeSet<&'static str>,
}

impl<'a> Members<'a> {
    /// Reads `value`, called `path` in messages.
    pub(crate) fn of(value: &'a Value, path: &'static str) -> Result<Self, Error> {
        let object = value
            .as_object()
            .ok_or_else(|| invalid(format!("`{path}` must be an object, not {}", name(value))))?;
        Ok(Self { object, path, known: BTreeSet::new() })
    }

    /// The member called `name` unless it is absent or null.
    pub(crate) fn optional(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.insert(name);
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// The string called `name`, if any.
    pub(crate) fn optional_text(&mut self, name: &'static str) -> Result<Option<&'a str>, Error> {
        let path = self.path;
        self.optional(name)
            .map(|value| {
                value.as_str().ok_or_else(|| {
                    invalid(format!("`{path}.{name}` must be a string, not {}", self::name(value)))
                })
            })
            .transpose()
    }

    /// The string called `name`.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<&'a str, Error> {
        let path = self.path;
        self.optional_text(name)?.ok_or_else(|| invalid(format!("`{path}.{name}` is missing")))
    }

    /// The boolean called `name`, `false` where it is absent.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool, Error> {
        let path = self.path;
        self.optional(name).map_or(Ok(false), |value| {
            value.as_bool().ok_or_else(|| {
                invalid(format!("`{path}.{name}` must be a boolean, not {}", self::name(value)))
            })
        })
    }

    /// The object called `name`, if any.
    pub(crate) fn object(&mut self, name: &'static str) -> Result<Option<&'a Object>, Error> {
        let path = self.path;
        self.optional(name)
            .map(|value| {
                value.as_object().ok_or_else(|| {
                    invalid(format!("`{path}.{name}` must be an object, not {}", self::name(value)))
                })
            })
            .transpose()
    }

    /// Refuses members nobody asked for.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self.object.iter().find(|(name, _)| !self.known.contains(&***name)) {
            Some((name, _)) => Err(invalid(format!("`{}` has no member `{name}`", self.path))),
            None => Ok(()),
        }
    }
}

/// The text of a string, number or boolean; `None` for null.
pub(crate) fn scalar(value: &Value, path: &str) -> Result<Option<String>, Error> {
    match value.kind() {
        Kind::Null => Ok(None),
        Kind::String(text) => Ok(Some(text.to_string())),
        Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) => Ok(Some(value.to_json())),
        Kind::Array(_) | Kind::Object(_) => Err(invalid(format!(
            "`{path}` must be a string, number or boolean, not {}",
            name(value)
        ))),
    }
}

/// A string as it is, anything else as JSON.
pub(crate) fn text_or_json(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_json(), str::to_owned)
}

/// A `validation` error.
pub(crate) fn invalid(detail: String) -> Error {
    Error::new(ErrorType::Validation, detail)
}

fn name(value: &Value) -> &'static str {
    match value.kind() {
        Kind::Null => "null",
        Kind::Bool(_) => "a boolean",
        Kind::Integer(_) | Kind::Float(_) => "a number",
        Kind::String(_) => "a string",
        Kind::Array(_) => "an array",
        Kind::Object(_) => "an object",
    }
}
