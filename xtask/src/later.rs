//! Commands whose room is reserved: they say so instead of pretending.

use anyhow::{Result, bail};

use crate::repository::Repository;

/// Builds and tests the user interface; there is none yet.
pub(crate) fn ui(_repository: &Repository, _arguments: &[String]) -> Result<()> {
    bail!("there is no user interface in this version, so there is nothing to build")
}
