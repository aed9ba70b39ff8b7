//! `cargo xtask fuzz [TARGET] [--seconds N]`: the fuzz targets, one after the other, with `cargo-fuzz` on a nightly
//! compiler. What they find goes to `fuzz/seeds`, whose files are ordinary tests.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::{console::say, process, provision, repository::Repository};

/// How long each target is fuzzed unless it is said, in seconds.
const SECONDS: u64 = 60;

/// What to fuzz, and for how long.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    target: Option<String>,
    seconds: u64,
}

/// Fuzzes one target, or each.
pub(crate) fn command(repository: &Repository, arguments: &[String]) -> Result<()> {
    let Options { target, seconds } = parse(arguments)?;
    let all = targets(repository)?;
    let chosen: Vec<&String> = match &target {
        Some(target) => all.iter().filter(|name| *name == target).collect(),
        None => all.iter().collect(),
    };
    if chosen.is_empty() {
        bail!("there is no such target\nhint: the targets are {}", all.join(", "));
    }
    if provision::find("cargo-fuzz").is_none() {
        bail!(
            "cargo-fuzz is missing\nhint: cargo install cargo-fuzz; rustup toolchain install nightly"
        );
    }
    for name in chosen {
        say(&format!("=== {name}, {seconds} s"));
        // What is found new goes to the first folder; the seeds stay as they are. Slow inputs are tried less often, so that
        // the programs that reach a limit do not take all of the time.
        let mut command = std::process::Command::new("cargo");
        command.args(["+nightly", "fuzz", "run", name]);
        command.args([format!("fuzz/corpus/{name}"), format!("fuzz/seeds/{name}")]);
        command.args(["--", "-entropic_scale_per_exec_time=1", "-max_len=4096", "-timeout=20"]);
        command.arg(format!("-max_total_time={seconds}")).current_dir(&repository.root);
        // The compiler that started us is not to be the one that fuzzes.
        command.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
        fs::create_dir_all(repository.path(&format!("fuzz/corpus/{name}")))?;
        process::succeed(&mut command)?;
    }
    Ok(())
}

/// The targets' names, sorted.
fn targets(repository: &Repository) -> Result<Vec<String>> {
    let folder = repository.path("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).context("cannot read the fuzz targets")? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options = Options { target: None, seconds: SECONDS };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--seconds" => {
                let value = rest.next().context("`--seconds` needs a number")?;
                options.seconds = value.parse().context("`--seconds` needs a number")?;
            }
            name if !name.starts_with('-') && options.target.is_none() => {
                options.target = Some(name.to_owned());
            }
            _ => bail!("usage: cargo xtask fuzz [TARGET] [--seconds N]"),
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Option<Options> {
        parse(&arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>()).ok()
    }

    #[test]
    fn a_target_and_a_time_may_be_given() {
        let options = |target: Option<&str>, seconds| {
            Some(Options { target: target.map(str::to_owned), seconds })
        };
        assert_eq!(parsed(&[]), options(None, SECONDS));
        assert_eq!(parsed(&["rows", "--seconds", "5"]), options(Some("rows"), 5));
        assert_eq!(parsed(&["rows", "values"]), None);
        assert_eq!(parsed(&["--seconds"]), None);
    }
}
