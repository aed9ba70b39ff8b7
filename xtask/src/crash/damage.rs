//! `cargo xtask crash --damage [--rounds N]`: the files of a small store, cut at every byte and corrupted N times at random.
//! The tests of the store do it; here they are told to try everything, where they else try a sample.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use crate::{
    process::{self, cargo},
    repository::Repository,
};

/// Random corruptions of each place of the data, in a release.
pub(super) const ROUNDS: u32 = 10_000;

/// Memory that looks like a disk, where there is such a thing: what is proved here does not depend on a sync.
const MEMORY: &str = "/dev/shm";

/// Tries everything.
pub(super) fn everything(repository: &Repository, rounds: u32, seed: u64) -> Result<()> {
    let arguments = ["test", "--release", "--package", "tutti-store", "--test", "it", "damage::"];
    let mut command = cargo(repository, &arguments);
    command.args(["--", "--nocapture"]);
    command.env("TUTTI_DAMAGE_ROUNDS", rounds.to_string());
    command.env("TUTTI_DAMAGE_SEED", seed.to_string());
    let folder = Path::new(MEMORY).join("tutti-damage");
    let in_memory = Path::new(MEMORY).is_dir();
    if in_memory {
        fs::create_dir_all(&folder).context("cannot make a directory in memory")?;
        command.env("TMPDIR", &folder);
    }
    let ended = process::succeed(&mut command);
    if in_memory {
        fs::remove_dir_all(&folder).context("cannot remove the directory in memory")?;
    }
    ended
}
