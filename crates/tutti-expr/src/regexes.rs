//! Regular expressions, each compiled once.

use std::{
    cell::RefCell,
    sync::{Mutex, PoisonError},
};

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::{
    budget::Budget,
    stop::{Flow, Stop},
};

/// What a compiled pattern may take, in bytes.
const SIZE: usize = 512 << 10;
/// What the first use of a pattern costs an evaluation, in ticks, compiled before or not.
const COMPILATION: u64 = 40_000;
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

/// How many states one tick moves on by one byte.
const STATES_PER_TICK: u64 = 6;
/// How deep a pattern may nest.
const NESTING: u32 = 50;

/// A pattern ready to match.
#[derive(Clone)]
pub(crate) struct Pattern {
    pub(crate) regex: Regex,
    /// About how many states it can be in at once, more where each has many groups to remember.
    weight: u64,
}

impl Pattern {
    /// What looking at so many bytes costs: each of them once per state, in the worst case.
    pub(crate) fn cost(&self, bytes: usize) -> u64 {
        (bytes as u64).saturating_mul(self.weight) / STATES_PER_TICK
    }
}

#[derive(Clone)]
struct Compiled {
    source: String,
    flags: Flags,
    pattern: Pattern,
}

impl Compiled {
    fn is(&self, source: &str, flags: Flags) -> bool {
        self.flags == flags && self.source == source
    }
}

/// The patterns a program keeps.
#[derive(Default)]
pub(crate) struct SharedRegexes(Mutex<Vec<Compiled>>);

impl SharedRegexes {
    fn get(&self, source: &str, flags: Flags) -> Option<Compiled> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|compiled| compiled.is(source, flags)).cloned()
    }

    fn keep(&self, compiled: &Compiled) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < SHARED && compiled.source.len() <= SHARED_LENGTH {
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
        source: &str,
        flags: Flags,
        secret: bool,
        budget: &Budget,
    ) -> Flow<Pattern> {
        let mut used = self.used.borrow_mut();
        if let Some(compiled) = used.iter().find(|compiled| compiled.is(source, flags)) {
            return Ok(compiled.pattern.clone());
        }
        budget.ticks(COMPILATION)?;
        let compiled = if let Some(compiled) = self.shared.get(source, flags) {
            compiled
        } else {
            let pattern = compile(source, flags, secret)?;
            let compiled = Compiled { source: source.to_owned(), flags, pattern };
            if !secret {
                self.shared.keep(&compiled);
            }
            compiled
        };
        if used.len() == KEPT {
            used.remove(0);
        }
        let pattern = compiled.pattern.clone();
        used.push(compiled);
        Ok(pattern)
    }
}

fn compile(source: &str, flags: Flags, secret: bool) -> Flow<Pattern> {
    let built = RegexBuilder::new(source)
        .case_insensitive(flags.ignore_case)
        .ignore_whitespace(flags.extended)
        .dot_matches_new_line(flags.dot_is_any)
        .multi_line(true)
        .size_limit(SIZE)
        .dfa_size_limit(SIZE)
        .nest_limit(NESTING)
        .build();
    match built {
        Ok(regex) => Ok(Pattern { weight: weight(source, flags, &regex), regex }),
        Err(_) if secret => Stop::raise("Regex failure: the pattern does not compile"),
        Err(error) => Stop::raise(format!("Regex failure: {}", reason(&error))),
    }
}

fn weight(source: &str, flags: Flags, regex: &Regex) -> u64 {
    let parsed = regex_syntax::ParserBuilder::new()
        .case_insensitive(flags.ignore_case)
        .ignore_whitespace(flags.extended)
        .dot_matches_new_line(flags.dot_is_any)
        .multi_line(true)
        .nest_limit(NESTING)
        .build()
        .parse(source);
    // What compiled also parses; were it not so, nothing could be matched with it.
    let states = parsed.map_or(u64::MAX, |parsed| states(&parsed));
    states.saturating_mul(1 + regex.captures_len() as u64 / 16)
}

/// A bound on the states that a pattern can be in at once.
fn states(pattern: &Hir) -> u64 {
    let sum = |parts: &[Hir]| parts.iter().map(states).fold(1, u64::saturating_add);
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(Class::Bytes(_)) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(Class::Unicode(class)) => {
            if class.is_ascii() {
                1
            } else {
                4
            }
        }
        HirKind::Capture(capture) => states(&capture.sub).saturating_add(1),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => sum(parts),
        HirKind::Repetition(repeated) => {
            let times = u64::from(repeated.max.unwrap_or(repeated.min.saturating_add(1)));
            states(&repeated.sub).saturating_add(1).saturating_mul(times.max(1))
        }
    }
}

/// The last line of what is wrong with a pattern; the lines before show the pattern.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}
