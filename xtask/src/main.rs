//! House commands: `cargo xtask COMMAND`.
//!
//! Start reading at [`COMMANDS`]; each command is one file. `test` is what the continuous integration runs, and all it
//! runs. Nothing here is part of the product, and the product never depends on it.

mod bench;
mod console;
mod crash;
mod fuzz;
mod generate;
mod later;
mod mutants;
mod process;
mod provision;
mod repository;
mod sim;
mod tally;
mod test;
mod tidy;

use std::{env, process::ExitCode};

use anyhow::{Result, bail};

use crate::{console::say, repository::Repository};

/// A command's name, what it does, and the function that does it.
struct Command {
    name: &'static str,
    about: &'static str,
    execute: fn(&Repository, &[String]) -> Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        about: "everything the continuous integration checks, on one development build",
        execute: test::command,
    },
    Command {
        name: "tidy",
        about: "the house rules: floors, fences, names, docs, generated files",
        execute: tidy::command,
    },
    Command {
        name: "generate",
        about: "rewrite generated files [--check: only say which are stale]",
        execute: generate::command,
    },
    Command {
        name: "sim",
        about: "the deterministic simulation; arguments go to tutti-sim",
        execute: sim::command,
    },
    Command {
        name: "crash",
        about: "kill and resume the real binary [--rounds N], or damage a store [--damage]",
        execute: crash::command,
    },
    Command {
        name: "fuzz",
        about: "feed the readers of bytes what nobody wrote [TARGET] [--seconds N]",
        execute: fuzz::command,
    },
    Command {
        name: "bench",
        about: "measure, with this machine's own limits beside each figure",
        execute: bench::command,
    },
    Command { name: "ui", about: "build and test the user interface", execute: later::ui },
    Command {
        name: "mutants",
        about: "plant known bugs and require the tests to catch them [NAME]; for a release",
        execute: mutants::command,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Its last line is the tally; nothing may follow it.
        Err(error) if error.is::<test::Failed>() => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let Some((name, rest)) = arguments.split_first() else {
        bail!("no command given\n{}", usage());
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        say(&usage());
        return Ok(());
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        bail!("unknown command `{name}`\n{}", usage());
    };
    (command.execute)(&Repository::locate()?, rest)
}

fn usage() -> String {
    let lines = COMMANDS.iter().map(|command| format!("  {:<9} {}", command.name, command.about));
    format!("usage: cargo xtask COMMAND\n\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_command_is_refused_with_the_list_of_commands() {
        let error = dispatch(&["tast".to_owned()]).expect_err("there is no such command");
        assert!(error.to_string().contains("unknown command `tast`"), "{error}");
        assert!(error.to_string().contains("generate"), "{error}");
    }

    #[test]
    fn a_missing_command_is_refused() {
        let error = dispatch(&[]).expect_err("a command is needed");
        assert!(error.to_string().starts_with("no command given"), "{error}");
    }
}
