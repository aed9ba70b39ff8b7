//! Files that are made from others: rewritten by `cargo xtask generate`, held fresh by `cargo xtask tidy`.
//!
//! A new one is one entry in [`GENERATORS`]: a path, and a program of the workspace that prints the whole file. So the file
//! and the product cannot differ. The programs come from the one development build that the tests use too.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{console::say, process, repository::Repository};

/// A file, and who prints it.
#[derive(Debug)]
struct Generator {
    /// Relative to the repository.
    path: &'static str,
    /// Relative to the development build: `tutti`, `examples/schema`.
    program: &'static str,
    /// The program's arguments.
    arguments: &'static [&'static str],
}

/// Every generator. Add yours here, sorted by the path it writes.
const GENERATORS: &[Generator] = &[
    Generator {
        path: "docs/reference/language.md",
        program: "tutti-sim",
        arguments: &["--language"],
    },
    Generator { path: "docs/reference/openapi.json", program: "examples/openapi", arguments: &[] },
];

/// `cargo xtask generate [--check]`.
pub(crate) fn command(repository: &Repository, arguments: &[String]) -> Result<()> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("usage: cargo xtask generate [--check]"),
    };
    let stale = stale_files(repository)?;
    if check && !stale.is_empty() {
        let paths: Vec<_> = stale.iter().map(|(path, _)| *path).collect();
        bail!("stale: {}\nhint: run `cargo xtask generate`", paths.join(", "));
    }
    for (path, text) in &stale {
        write(repository, path, text)?;
        say(&format!("wrote {path}"));
    }
    say(&format!("{} generated files, {} were stale", GENERATORS.len(), stale.len()));
    Ok(())
}

/// The paths of generated files that differ from what their generator prints now.
pub(crate) fn stale_paths(repository: &Repository) -> Result<Vec<&'static str>> {
    Ok(stale_files(repository)?.into_iter().map(|(path, _)| path).collect())
}

fn stale_files(repository: &Repository) -> Result<Vec<(&'static str, String)>> {
    if GENERATORS.is_empty() {
        return Ok(Vec::new());
    }
    process::succeed(&mut process::cargo(repository, process::DEVELOPMENT_BUILD))?;
    let mut made = Vec::new();
    for generator in GENERATORS {
        let program = repository.target().join("debug").join(generator.program);
        let mut command = Command::new(program);
        let text = process::output(command.args(generator.arguments).current_dir(&repository.root))
            .with_context(|| format!("cannot make {}", generator.path))?;
        made.push((generator.path, text));
    }
    Ok(differing(repository, made))
}

/// Those whose file says something else, or is not there.
fn differing(
    repository: &Repository,
    made: Vec<(&'static str, String)>,
) -> Vec<(&'static str, String)> {
    // An unreadable file is a stale one: writing it says why, if it must.
    let stale = made.into_iter().filter(|(path, text)| {
        fs::read_to_string(repository.path(path)).ok().as_deref() != Some(text.as_str())
    });
    stale.collect()
}

fn write(repository: &Repository, path: &str, text: &str) -> Result<()> {
    let path = repository.path(path);
    let directory = path.parent().context("a generated file lies in a directory")?;
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(&path, text))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_missing_file_is_stale_and_a_fresh_one_is_not() {
        let repository = Repository::locate().expect("the repository is here");
        let manifest =
            fs::read_to_string(repository.path("Cargo.toml")).expect("the manifest is text");
        let made = vec![
            ("Cargo.toml", manifest),
            ("LICENSE", "something else".to_owned()),
            ("docs/no-such-file.md", String::new()),
        ];
        let stale = differing(&repository, made);
        let paths: Vec<_> = stale.iter().map(|(path, _)| *path).collect();
        assert_eq!(paths, ["LICENSE", "docs/no-such-file.md"]);
    }
}
