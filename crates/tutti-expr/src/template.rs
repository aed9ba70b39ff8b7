//! A value with expressions in it.

use std::sync::Arc;

use crate::{Environment, Error, Expression, Value};

/// A value whose parts may be expressions: what `set`, `with`, `input.from` and their like hold once compiled.
#[derive(Debug, Clone)]
pub enum Template {
    /// A value without any expression in it.
    Literal(Value),
    /// One expression.
    Expression(Expression),
    /// In `loose` mode, a text that is tried as an expression and stands for itself where that fails.
    Loose {
        /// The text as an expression.
        expression: Expression,
        /// The text itself.
        literal: Value,
    },
    /// An array with an expression somewhere in it.
    Array(Vec<Template>),
    /// An object with an expression somewhere in it.
    Object(Vec<(Arc<str>, Template)>),
}

impl Template {
    /// Evaluates every expression once, in the order they are written.
    ///
    /// # Errors
    /// The first error an expression raises.
    pub fn evaluate(&self, input: &Value, environment: &dyn Environment) -> Result<Value, Error> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Expression(expression) => expression.evaluate(input, environment),
            Self::Loose { expression, literal } => Ok(expression
                .evaluate(input, environment)
                .unwrap_or_else(|_not_an_expression| literal.clone())),
            Self::Array(items) => {
                let items: Result<Vec<_>, _> =
                    items.iter().map(|item| item.evaluate(input, environment)).collect();
                items.map(Value::array)
            }
            Self::Object(members) => {
                let members: Result<Vec<_>, Error> = members
                    .iter()
                    .map(|(key, member)| Ok((key.clone(), member.evaluate(input, environment)?)))
                    .collect();
                members.map(Value::object)
            }
        }
    }
}
