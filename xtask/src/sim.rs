//! `cargo xtask sim …`: the deterministic simulation of runtime, engine and store. Arguments go to `tutti-sim` as they
//! are, so a failing seed's command can be pasted.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{
    process::{self, cargo},
    repository::Repository,
};

/// What the test command asks of the simulation: seeds for a minute, after the recorded ones. Every commit tries others, and
/// the same commit the same ones everywhere, so that what fails in one place fails in all.
pub(crate) fn in_test(repository: &Repository) -> Vec<String> {
    let head =
        Command::new("git").args(["rev-parse", "HEAD"]).current_dir(&repository.root).output();
    let head =
        head.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let base = head.get(..10).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(1);
    ["--seconds", "60", "--from"].map(str::to_owned).into_iter().chain([base.to_string()]).collect()
}

/// Runs the simulation's binary.
pub(crate) fn command(repository: &Repository, arguments: &[String]) -> Result<()> {
    if !is_present(repository) {
        bail!("tutti-sim has no binary in this version, so there is nothing to simulate");
    }
    let mut command =
        cargo(repository, &["run", "--quiet", "--release", "--package", "tutti-sim", "--"]);
    process::succeed(command.args(arguments))
}

/// Whether the simulation has a binary.
pub(crate) fn is_present(repository: &Repository) -> bool {
    repository.path("crates/tutti-sim/src/main.rs").is_file()
}
