//! `tutti completions`

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{
    command_line::Arguments,
    console,
    exit::{Exit, Failure},
};

/// Prints the completion script of a shell.
pub(crate) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "tutti", &mut script);
    console::print(&String::from_utf8_lossy(&script))
}
