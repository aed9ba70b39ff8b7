//! Built-in filters that are written in jq itself, read once.

use std::sync::OnceLock;

use crate::{
    environment::Scope,
    syntax::{definitions::Definitions, parser::Parser},
};

/// The definitions; a later one may use the earlier ones and itself.
const SOURCE: &str = include_str!("library.jq");

/// The one library.
pub(crate) fn shared() -> &'static Definitions {
    static SHARED: OnceLock<Definitions> = OnceLock::new();
    SHARED.get_or_init(read)
}

fn read() -> Definitions {
    let mut library = Definitions::default();
    for text in SOURCE.split_inclusive(";\n") {
        if text.trim().is_empty() {
            continue;
        }
        let scope = Scope::default();
        let read = Parser::new(text, &scope, &library).function();
        debug_assert!(read.is_ok(), "the library does not compile at {text}");
        if let Ok((name, arity, function)) = read {
            library.add(name, arity, function);
        }
    }
    library
}
