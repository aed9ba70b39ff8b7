//! Regular expressions of one evaluation, each compiled once.

use std::{cell::RefCell, rc::Rc};

use regex::{Regex, RegexBuilder};

use crate::machine::{Flow, Stop};

/// What a compiled pattern may take, in bytes.
const SIZE: usize = 1 << 20;
/// How many patterns are kept.
const KEPT: usize = 8;

/// How a pattern matches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) global: bool,
    pub(crate) ignore_case: bool,
    pub(crate) extended: bool,
    pub(crate) dot_is_any: bool,
    pub(crate) skip_empty: bool,
}

/// The patterns used so far.
#[derive(Default)]
pub(crate) struct Regexes(RefCell<Vec<(String, Flags, Rc<Regex>)>>);

impl Regexes {
    pub(crate) fn get(&self, pattern: &str, flags: Flags, secret: bool) -> Flow<Rc<Regex>> {
        let mut known = self.0.borrow_mut();
        let same = |entry: &&(String, Flags, Rc<Regex>)| entry.0 == pattern && entry.1 == flags;
        if let Some((_, _, regex)) = known.iter().find(same) {
            return Ok(regex.clone());
        }
        let built = RegexBuilder::new(pattern)
            .case_insensitive(flags.ignore_case)
            .ignore_whitespace(flags.extended)
            .dot_matches_new_line(flags.dot_is_any)
            .multi_line(true)
            .size_limit(SIZE)
            .dfa_size_limit(SIZE)
            .nest_limit(50)
            .build();
        let regex = match built {
            Ok(regex) => Rc::new(regex),
            Err(_) if secret => return Stop::raise("Regex failure: the pattern does not compile"),
            Err(error) => return Stop::raise(format!("Regex failure: {error}")),
        };
        if known.len() == KEPT {
            known.remove(0);
        }
        known.push((pattern.to_owned(), flags, regex.clone()));
        Ok(regex)
    }
}
