//! `cargo xtask sim …`: the deterministic simulation of runtime, engine and store. Arguments go to `tutti-sim` as they
//! are, so a failing seed's command can be pasted.

use anyhow::{Result, bail};

use crate::{
    process::{self, cargo},
    repository::Repository,
};

/// What the test command asks of the simulation: fresh seeds for this long, after the recorded ones.
pub(crate) const IN_TEST: &[&str] = &["--seconds", "60"];

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
