//! What computing works with, whoever asks for it: what is left to spend, the patterns, the time.

use crate::{
    Environment, Value,
    budget::Budget,
    regexes::{Regexes, SharedRegexes},
    stop::Flow,
    value::Array,
};

/// What one evaluation works with.
pub(crate) struct Context<'m> {
    pub(crate) budget: Budget,
    pub(crate) regexes: Regexes<'m>,
    pub(crate) environment: &'m dyn Environment,
}

impl<'m> Context<'m> {
    pub(crate) fn new(regexes: &'m SharedRegexes, environment: &'m dyn Environment) -> Self {
        Self { budget: Budget::new(), regexes: Regexes::new(regexes), environment }
    }

    /// An array of these values, if it is within the limits.
    pub(crate) fn array(&self, items: Vec<Value>) -> Flow<Value> {
        self.budget.copy(items.len())?;
        Budget::admit(Value::from(Array::new(items)))
    }
}
