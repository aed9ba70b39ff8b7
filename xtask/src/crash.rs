//! `cargo xtask crash [--rounds N]`: the real binary, killed at random moments and resumed, with an independent recorder
//! of its side effects. Nothing may be lost, nothing committed twice, no `once` call silently repeated. With `--damage`
//! the files of a store are damaged instead; with `--server` it is the server that dies, under load.

mod chance;
mod client;
mod damage;
mod recorder;
mod round;
mod server;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use self::{
    round::{Round, Tally},
    server::ServerRound,
};
use crate::{
    console::say,
    process::{self, cargo},
    repository::Repository,
};

/// Rounds in the test command; a release runs 2,000.
pub(crate) const ROUNDS_IN_TEST: u32 = 20;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// How many times the binary is started, killed and resumed.
    pub(crate) rounds: u32,
    /// What the first round's chance comes from; the next rounds count on from it.
    pub(crate) seed: u64,
}

/// Runs the harness.
pub(crate) fn command(repository: &Repository, arguments: &[String]) -> Result<()> {
    if let [flag, rest @ ..] = arguments
        && flag == "--damage"
    {
        let Options { rounds, seed } = parse(rest, damage::ROUNDS)?;
        return damage::everything(repository, rounds, seed);
    }
    if let [flag, rest @ ..] = arguments
        && flag == "--server"
    {
        return servers(repository, &parse(rest, ROUNDS_IN_TEST)?);
    }
    harness(repository, &parse(arguments, ROUNDS_IN_TEST)?)
}

/// Starts, kills and starts servers again, and compares what was acknowledged with what was recorded.
fn servers(repository: &Repository, options: &Options) -> Result<()> {
    let rounds = rounds(repository, options, "--server", |binary, folder, seed| {
        ServerRound::new(binary, folder, seed)?.run()
    })?;
    say(&format!(
        "{} rounds, {} kills of a server under load, {} unknown outcomes settled by a person; nothing acknowledged was lost, nothing made twice",
        options.rounds, rounds.kills, rounds.unknown
    ));
    Ok(())
}

/// Starts, kills and resumes, and compares what happened with what was recorded.
pub(crate) fn harness(repository: &Repository, options: &Options) -> Result<()> {
    let tally = rounds(repository, options, "", |binary, folder, seed| {
        Round::new(binary, folder, seed)?.run()
    })?;
    say(&format!(
        "{} rounds, {} kills, {} unknown outcomes settled by a person; nothing lost, nothing made twice",
        options.rounds, tally.kills, tally.unknown
    ));
    Ok(())
}

/// Runs rounds one after the other, each in a folder of its own, and adds up what they found.
fn rounds(
    repository: &Repository,
    options: &Options,
    flag: &str,
    run: impl Fn(&Path, PathBuf, u64) -> Result<Tally>,
) -> Result<Tally> {
    process::succeed(&mut cargo(repository, &["build", "--quiet", "--package", "tutti"]))?;
    let binary = repository.target().join("debug/tutti");
    let mut all = Tally::default();
    for round in 0..options.rounds {
        let seed = options.seed.wrapping_add(u64::from(round));
        let folder = repository.target().join("crash").join(format!("{seed}{flag}"));
        empty(&folder)?;
        let tally = run(&binary, folder, seed).with_context(|| {
            format!("round failed; again: cargo xtask crash {flag} --rounds 1 --seed {seed}")
        })?;
        all.kills += tally.kills;
        all.unknown += tally.unknown;
    }
    Ok(all)
}

/// Makes a folder, or empties it.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

fn parse(arguments: &[String], rounds: u32) -> Result<Options> {
    let mut options = Options { rounds, seed: 1 };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().with_context(|| format!("`{flag}` needs a number"))?;
        match flag.as_str() {
            "--rounds" => options.rounds = number(value)?,
            "--seed" => options.seed = number(value)?,
            _ => bail!("usage: cargo xtask crash [--damage | --server] [--rounds N] [--seed SEED]"),
        }
    }
    Ok(options)
}

fn number<T: std::str::FromStr<Err = std::num::ParseIntError>>(text: &str) -> Result<T> {
    text.parse().with_context(|| format!("`{text}` is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Options> {
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        parse(&arguments, ROUNDS_IN_TEST)
    }

    #[test]
    fn rounds_are_parsed_and_default_to_the_short_run() {
        assert_eq!(parsed(&[]).expect("no argument is needed").rounds, ROUNDS_IN_TEST);
        assert_eq!(parsed(&["--rounds", "7"]).expect("a number").rounds, 7);
        assert!(parsed(&["--rounds", "many"]).is_err());
        assert!(parsed(&["--round"]).is_err());
    }
}
