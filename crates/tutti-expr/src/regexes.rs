//! Regular expressions, each compiled once.

use std::{
    cell::RefCell,
    sync::{Mutex, PoisonError},
};

use regex::{Regex, RegexBuilder};

use crate::{
    budget::Budget,
    stop::{Flow, Stop},
};

/// What a compiled pattern may take, in bytes.
const SIZE: usize = 512 << 10;
/// What the first use of a pattern costs an evaluation, in ticks, compiled before or not.
const COMPILATION: u64 = 30_000;
/// How many patterns an evaluation keeps.
const KEPT: usize = 8;
/// How many patterns a program keeps from one evaluation to the next, and how long ones.
const SHARED: usize = 2;
const SHARED_LENGTH: usize = 256;

/// How a pattern matches.
#[expect(clippy::struct_excessive_bools, reason = "the flags of the language, each on its own")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) global: bool,
    pub(crate) ignore_case: bool,
    pub(crate) extended: bool,
    pub(crate) dot_is_any: bool,
    pub(crate) skip_empty: bool,
}

#[derive(Clone)]
struct Compiled {
    pattern: String,
    flags: Flags,
    regex: Regex,
}

impl Compiled {
    fn is(&self, pattern: &str, flags: Flags) -> bool {
        self.flags == flags && self.pattern == pattern
    }
}

/// The patterns a program keeps.
#[derive(Default)]
pub(crate) struct SharedRegexes(Mutex<Vec<Compiled>>);

impl SharedRegexes {
    fn get(&self, pattern: &str, flags: Flags) -> Option<Compiled> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|compiled| compiled.is(pattern, flags)).cloned()
    }

    fn keep(&self, compiled: &Compiled) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < SHARED && compiled.pattern.len() <= SHARED_LENGTH {
            known.push(compiled.clone());
        }
    }
}

/// The patterns one evaluation used so far.
pub(crate) struct Regexes<'p> {
    used: RefCell<Vec<Compiled>>,
    shared: &'p SharedRegexes,
}

impl<'p> Regexes<'p> {
    pub(crate) fn new(shared: &'p SharedRegexes) -> Self {
        Self { used: RefCell::default(), shared }
    }

    pub(crate) fn get(
        &self,
        pattern: &str,
        flags: Flags,
        secret: bool,
        budget: &Budget,
    ) -> Flow<Regex> {
        let mut used = self.used.borrow_mut();
        if let Some(compiled) = used.iter().find(|compiled| compiled.is(pattern, flags)) {
            return Ok(compiled.regex.clone());
        }
        budget.ticks(COMPILATION)?;
        let compiled = if let Some(compiled) = self.shared.get(pattern, flags) {
            compiled
        } else {
            let regex = compile(pattern, flags, secret)?;
            let compiled = Compiled { pattern: pattern.to_owned(), flags, regex };
            if !secret {
                self.shared.keep(&compiled);
            }
            compiled
        };
        if used.len() == KEPT {
            used.remove(0);
        }
        let regex = compiled.regex.clone();
        used.push(compiled);
        Ok(regex)
    }
}

fn compile(pattern: &str, flags: Flags, secret: bool) -> Flow<Regex> {
    let built = RegexBuilder::new(pattern)
        .case_insensitive(flags.ignore_case)
        .ignore_whitespace(flags.extended)
        .dot_matches_new_line(flags.dot_is_any)
        .multi_line(true)
        .size_limit(SIZE)
        .dfa_size_limit(SIZE)
        .nest_limit(50)
        .build();
    match built {
        Ok(regex) => Ok(regex),
        Err(_) if secret => Stop::raise("Regex failure: the pattern does not compile"),
        Err(error) => Stop::raise(format!("Regex failure: {}", reason(&error))),
    }
}

/// The last line of what is wrong with a pattern; the lines before show the pattern.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}
