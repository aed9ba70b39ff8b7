//! Filters defined in jq that every program may call, by number.

use std::collections::BTreeMap;

use super::tree::{Function, Node};

/// The definitions read so far.
#[derive(Default)]
pub(crate) struct Definitions {
    numbers: BTreeMap<String, Vec<(usize, usize)>>,
    functions: Vec<Function>,
}

impl Definitions {
    /// Adds a definition under its name and number of parameters.
    pub(crate) fn add(&mut self, name: String, arity: usize, function: Function) {
        self.numbers.entry(name).or_default().push((arity, self.functions.len()));
        self.functions.push(function);
    }

    pub(crate) fn find(&self, name: &str, arity: usize) -> Option<usize> {
        let known = self.numbers.get(name)?;
        known.iter().find(|known| known.0 == arity).map(|known| known.1)
    }

    pub(crate) fn body(&self, number: usize) -> &Node {
        &self.functions[number].body
    }

    pub(crate) fn reach(&self, number: usize) -> u16 {
        self.functions[number].body.reach
    }

    /// The names and numbers of arguments of all definitions.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, usize)> {
        self.numbers
            .iter()
            .flat_map(|(name, known)| known.iter().map(|known| (name.as_str(), known.0)))
    }
}
