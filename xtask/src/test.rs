//! `cargo xtask test`: everything the continuous integration checks, and the one line that sums it up.
//!
//! All stages share one development build: `build` makes every target of the workspace once, the tests use it, and the
//! simulation and the crash harness start the binaries that are already there.

use std::{fs, process::Command, time::Instant};

use anyhow::{Result, bail};

use crate::{
    console::say,
    crash,
    process::{DEVELOPMENT_BUILD, cargo, listen},
    provision,
    repository::Repository,
    sim,
    tally::{SKIP_MARK, Tally, skip_lines, skips_in_junit},
    tidy,
};

/// A stage's name, whether it needs the build, and what it does.
struct Stage {
    name: &'static str,
    needs_build: bool,
    execute: fn(&Repository) -> Result<Tally>,
}

const STAGES: &[Stage] = &[
    Stage { name: "machine", needs_build: false, execute: machine },
    Stage { name: "fmt", needs_build: false, execute: fmt },
    Stage { name: "tidy", needs_build: false, execute: tidy::check },
    Stage { name: "clippy", needs_build: false, execute: clippy },
    Stage { name: BUILD, needs_build: false, execute: build },
    Stage { name: "tests", needs_build: true, execute: tests },
    Stage { name: "doctests", needs_build: true, execute: doctests },
    Stage { name: "sim", needs_build: true, execute: simulation },
    Stage { name: "crash", needs_build: true, execute: crash_rounds },
    Stage { name: "deny", needs_build: false, execute: deny },
];

const BUILD: &str = "build";

/// `cargo xtask test`.
pub(crate) fn command(repository: &Repository, arguments: &[String]) -> Result<()> {
    if !arguments.is_empty() {
        bail!("usage: cargo xtask test\nhint: one test is `cargo nextest run -p CRATE NAME`");
    }
    let mut total = Tally::default();
    let mut built = true;
    for stage in STAGES {
        let tally =
            if stage.needs_build && !built { not_built(stage) } else { perform(stage, repository) };
        built &= stage.name != BUILD || tally.failed == 0;
        total += tally;
    }
    // The last line on stdout is this one, alone: scripts read it. The exit code says the rest.
    say(&total.to_string());
    if total.failed > 0 {
        return Err(Failed.into());
    }
    Ok(())
}

/// Some check failed, and everything there is to say has been said.
#[derive(Debug)]
pub(crate) struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("some checks failed")
    }
}

impl std::error::Error for Failed {}

fn perform(stage: &Stage, repository: &Repository) -> Tally {
    say(&format!("\n=== {}", stage.name));
    let start = Instant::now();
    let tally = (stage.execute)(repository).unwrap_or_else(|error| {
        say(&format!("error: {error:#}"));
        Tally::one(false)
    });
    say(&format!("=== {}: {tally} in {:.1} s", stage.name, start.elapsed().as_secs_f64()));
    tally
}

fn not_built(stage: &Stage) -> Tally {
    skip(&format!("{} needs a build that succeeds", stage.name))
}

fn skip(why: &str) -> Tally {
    say(&format!("{SKIP_MARK} {why}"));
    Tally::one_skipped()
}

/// A program whose whole verdict is its exit code.
fn verdict(command: &mut Command) -> Result<Tally> {
    Ok(Tally::one(listen(command)?.success))
}

/// What tests need of the machine: in continuous integration nothing may be missing, elsewhere it is said.
fn machine(_repository: &Repository) -> Result<Tally> {
    let missing = provision::missing()?;
    if missing.is_empty() {
        return Ok(Tally::one(true));
    }
    let what = format!("missing on this machine: {}", missing.join(", "));
    if provision::in_ci() {
        bail!("{what}");
    }
    Ok(skip(&what))
}

fn fmt(repository: &Repository) -> Result<Tally> {
    verdict(&mut cargo(repository, &["fmt", "--all", "--check"]))
}

fn clippy(repository: &Repository) -> Result<Tally> {
    let arguments =
        ["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    verdict(&mut cargo(repository, &arguments))
}

fn build(repository: &Repository) -> Result<Tally> {
    verdict(&mut cargo(repository, DEVELOPMENT_BUILD))
}

/// Every test but doctests, with nextest where it is installed.
fn tests(repository: &Repository) -> Result<Tally> {
    if provision::find("cargo-nextest").is_some() {
        nextest(repository)
    } else {
        libtest(repository)
    }
}

fn nextest(repository: &Repository) -> Result<Tally> {
    let junit = repository.target().join("nextest").join("default").join("junit.xml");
    if junit.is_file() {
        fs::remove_file(&junit)?;
    }
    let arguments =
        ["nextest", "run", "--locked", "--workspace", "--all-targets", "--status-level", "fail"];
    let finished = listen(cargo(repository, &arguments).args([
        "--final-status-level",
        "slow",
        "--no-tests",
        "pass",
    ]))?;
    let skipped =
        if junit.is_file() { skips_in_junit(&fs::read_to_string(&junit)?) } else { Vec::new() };
    for line in &skipped {
        say(line);
    }
    let tally =
        Tally::of_nextest(&finished.text).map(|tally| tally.with_passes_skipped(count(&skipped)));
    Ok(settled(tally, finished.success))
}

fn libtest(repository: &Repository) -> Result<Tally> {
    let arguments = [
        "test",
        "--locked",
        "--workspace",
        "--all-targets",
        "--no-fail-fast",
        "--",
        "--show-output",
    ];
    let finished = listen(&mut cargo(repository, &arguments))?;
    let skipped = skip_lines(&finished.text);
    let tally = Tally::of_libtest(&finished.text).map(|tally| tally.with_passes_skipped(skipped));
    Ok(settled(tally, finished.success))
}

fn doctests(repository: &Repository) -> Result<Tally> {
    let finished = listen(&mut cargo(
        repository,
        &["test", "--quiet", "--locked", "--workspace", "--doc", "--no-fail-fast"],
    ))?;
    Ok(settled(Tally::of_libtest(&finished.text), finished.success))
}

fn simulation(repository: &Repository) -> Result<Tally> {
    if !sim::is_present(repository) {
        return Ok(skip("there is no simulation in this version"));
    }
    let program = repository.target().join("debug").join("tutti-sim");
    verdict(Command::new(program).args(sim::in_test(repository)).current_dir(&repository.root))
}

fn crash_rounds(repository: &Repository) -> Result<Tally> {
    crash::command(repository, &[])?;
    crash::command(repository, &["--server".to_owned()])?;
    Ok(Tally { passed: 2, failed: 0, skipped: 0 })
}

fn deny(repository: &Repository) -> Result<Tally> {
    let program = match provision::cargo_deny(repository) {
        Ok(program) => program,
        Err(error) if provision::in_ci() => return Err(error),
        Err(error) => return Ok(skip(&format!("cargo-deny cannot be had: {error:#}"))),
    };
    let mut command = Command::new(program);
    command.args([
        "--color",
        "never",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]);
    verdict(command.current_dir(&repository.root))
}

/// A runner that failed without a failing test, or without a word, is itself a failure.
fn settled(tally: Option<Tally>, success: bool) -> Tally {
    let mut tally = tally.unwrap_or_default();
    if !success && tally.failed == 0 {
        tally += Tally::one(false);
    }
    tally
}

fn count(lines: &[String]) -> u64 {
    lines.iter().map(|_| 1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runner_that_breaks_off_counts_as_a_failure() {
        assert_eq!(settled(None, false), Tally::one(false));
        let tally = Tally { passed: 3, failed: 0, skipped: 0 };
        assert_eq!(settled(Some(tally), false).failed, 1);
        assert_eq!(settled(Some(tally), true), tally);
        assert_eq!(settled(Some(Tally { failed: 2, ..tally }), false).failed, 2);
    }
}
