//! Built-in filters that are written in jq itself, read once.

use std::{collections::BTreeMap, sync::OnceLock};

use crate::{
    expression::Scope,
    syntax::{
        parser::Parser,
        tree::{Function, Node},
    },
};

/// The definitions; a later one may use the earlier ones and itself.
const DEFINITIONS: &str = include_str!("library.jq");

/// The definitions read so far.
#[derive(Default)]
pub(crate) struct Library {
    numbers: BTreeMap<String, Vec<(usize, usize)>>,
    functions: Vec<Function>,
}

impl Library {
    /// The one library.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Library> = OnceLock::new();
        SHARED.get_or_init(Self::read)
    }

    fn read() -> Self {
        let mut library = Self::default();
        for text in DEFINITIONS.split_inclusive(";\n") {
            if text.trim().is_empty() {
                continue;
            }
            let scope = Scope::default();
            let read = Parser::new(text, &scope, &library).function();
            debug_assert!(read.is_ok(), "the library does not compile at {text}");
            if let Ok((name, arity, function)) = read {
                let number = library.functions.len();
                library.numbers.entry(name).or_default().push((arity, number));
                library.functions.push(function);
            }
        }
        library
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
