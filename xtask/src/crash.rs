//! `cargo xtask crash [--rounds N]`: the real binary, killed at random moments and resumed, with an independent recorder
//! of its side effects. Nothing may be lost, nothing committed twice, no `once` call silently repeated.

use anyhow::{Context as _, Result, bail};

use crate::repository::Repository;

/// Rounds in the test command; a release runs 2,000.
pub(crate) const ROUNDS_IN_TEST: u32 = 20;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// How many times the binary is started, killed and resumed.
    pub(crate) rounds: u32,
}

/// Runs the harness.
pub(crate) fn command(repository: &Repository, arguments: &[String]) -> Result<()> {
    harness(repository, &parse(arguments)?)
}

/// Whether there is a harness; the test command leaves the stage out until there is.
pub(crate) fn is_present() -> bool {
    false
}

/// Starts, kills and resumes, and compares what happened with what was recorded.
pub(crate) fn harness(_repository: &Repository, options: &Options) -> Result<()> {
    bail!("the crash harness is missing in this version; {} rounds were asked for", options.rounds)
}

fn parse(arguments: &[String]) -> Result<Options> {
    match arguments {
        [] => Ok(Options { rounds: ROUNDS_IN_TEST }),
        [flag, rounds] if flag == "--rounds" => {
            let rounds =
                rounds.parse().with_context(|| format!("`{rounds}` is no number of rounds"))?;
            Ok(Options { rounds })
        }
        _ => bail!("usage: cargo xtask crash [--rounds N]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Options> {
        parse(&arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn rounds_are_parsed_and_default_to_the_short_run() {
        assert_eq!(parsed(&[]).expect("no argument is needed").rounds, ROUNDS_IN_TEST);
        assert_eq!(parsed(&["--rounds", "7"]).expect("a number").rounds, 7);
        assert!(parsed(&["--rounds", "many"]).is_err());
        assert!(parsed(&["--round"]).is_err());
    }
}
