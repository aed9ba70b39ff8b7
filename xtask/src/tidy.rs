//! `cargo xtask tidy`: the house rules that no compiler knows.
//!
//! Each check is a pure function over [`House`], one subject a file, with a test that plants a violation and sees it
//! found. A new check is one line in [`CHECKS`].

mod codes;
mod cycles;
mod docs;
mod fences;
mod floors;
mod freshness;
mod graph;
mod manifests;
mod names;
mod words;

use std::fmt;

use anyhow::{Result, bail};

use self::graph::Graph;
use crate::{
    console::say,
    repository::{Repository, SourceFile},
    tally::Tally,
};

/// All that checks may look at.
#[derive(Debug)]
struct House {
    files: Vec<SourceFile>,
    graph: Graph,
    stale: Vec<&'static str>,
}

/// Where a rule is broken, and how.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    place: String,
    what: String,
}

impl Violation {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }

    fn at(file: &SourceFile, line: usize, what: impl Into<String>) -> Self {
        Self::new(format!("{}:{}", file.path, line + 1), what)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// What a check is called, and its function.
type Check = (&'static str, fn(&House) -> Vec<Violation>);

const CHECKS: &[Check] = &[
    ("crates import only what their floor allows", |house| floors::check(&house.graph)),
    ("outside crates stay behind their fences", |house| fences::check(&house.graph)),
    ("one SQLite binding", |house| fences::one_sqlite(&house.graph)),
    ("every crate takes the lints", |house| manifests::lints(&house.files)),
    ("dependencies are sorted", |house| manifests::order(&house.files)),
    ("clippy.toml files repeat the root's", |house| manifests::clippy(&house.files)),
    ("no banned module names, no mod.rs", |house| names::modules(&house.files)),
    ("no banned identifiers", |house| names::identifiers(&house.files)),
    ("every module opens with //!", |house| docs::module_heads(&house.files)),
    ("no import cycles among files", |house| cycles::check(&house.files)),
    ("every code has its page", |house| codes::check(&house.files)),
    ("links inside docs resolve", |house| docs::links(&house.files)),
    ("README.md is short", |house| docs::readme(&house.files)),
    ("no words of one machine", |house| words::check(&house.files)),
    ("generated files are fresh", |house| freshness::check(&house.stale)),
];

/// `cargo xtask tidy`.
pub(crate) fn command(repository: &Repository, arguments: &[String]) -> Result<()> {
    if !arguments.is_empty() {
        bail!("usage: cargo xtask tidy");
    }
    let tally = check(repository)?;
    say(&format!("tidy: {} of {} rules hold", tally.passed, CHECKS.len()));
    if tally.failed > 0 {
        bail!("{} house rules are broken", tally.failed);
    }
    Ok(())
}

/// Makes every check and tells each violation; a check counts as one.
pub(crate) fn check(repository: &Repository) -> Result<Tally> {
    let house = House {
        files: repository.files()?,
        graph: Graph::load(repository)?,
        stale: crate::generate::stale_paths(repository)?,
    };
    let mut tally = Tally::default();
    for (name, check) in CHECKS {
        let violations = check(&house);
        tally += Tally::one(violations.is_empty());
        if !violations.is_empty() {
            say(&format!("broken: {name}"));
        }
        for violation in violations {
            say(&format!("  {violation}"));
        }
    }
    Ok(tally)
}
