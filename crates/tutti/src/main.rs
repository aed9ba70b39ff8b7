//! The one binary: runs workflows, checks them, and explains what is wrong with them.
//!
//! Everything a person sees is made here and nowhere else: styling, progress, help. Everything that is decided is
//! decided below. Start reading at [`command_line`], then [`run`].
//!
//! **Invariant:** standard output carries what was asked for and nothing else; everything said beside it goes to
//! standard error, redacted.

mod audit;
mod checkpoints;
mod client;
mod codes;
mod command_line;
mod completions;
mod connectors;
mod console;
mod emit;
mod erase;
mod event_text;
mod exit;
mod explain;
mod export;
mod inbox;
mod length_of_time;
mod lsp;
mod progress;
#[cfg(test)]
mod reference;
mod rekey;
mod resource_cache;
mod resources;
mod run;
mod server;
mod store;
mod text_of_value;
mod validate;

use std::{env, process::ExitCode};

use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _};
use tutti_connectors::script::{LAUNCHER, launch};

use crate::{
    command_line::{Arguments, AuditCommand, Command, StoreCommand},
    console::Console,
    exit::{Exit, Failure},
};

fn main() -> ExitCode {
    // The launcher of scripts is this program: it must do its work while there is but one thread.
    let mut words = env::args_os().skip(1).peekable();
    if words.next_if(|word| word == LAUNCHER).is_some() {
        return launch(words);
    }
    let arguments = match parsed() {
        Ok(arguments) => arguments,
        Err(error) => return shown(&error),
    };
    let console = Console::new(arguments.no_color);
    let exit = match dispatch(arguments.command, &console) {
        Ok(exit) => exit,
        Err(failure) => {
            console.failure(&failure);
            failure.exit
        }
    };
    ExitCode::from(exit)
}

/// The command line; help and refusals in no colors where it says so.
fn parsed() -> Result<Arguments, clap::Error> {
    let plain = env::args_os().any(|argument| argument == "--no-color");
    let color = if plain { ColorChoice::Never } else { ColorChoice::Auto };
    Arguments::from_arg_matches(&Arguments::command().color(color).try_get_matches()?)
}

fn dispatch(command: Command, console: &Console) -> Result<Exit, Failure> {
    match command {
        Command::Run(arguments) => run::run(&arguments, console),
        Command::Validate(arguments) => validate::validate(&arguments, console),
        Command::Server(arguments) => server::serve(&arguments, console),
        Command::Explain(arguments) => explain::explain(arguments.code.as_deref()),
        Command::Apply(arguments) => client::apply(&arguments, console),
        Command::Start(arguments) => client::start(&arguments, console),
        Command::List(command) => client::list(&command, console),
        Command::Get(command) => client::get(&command, console),
        Command::Describe(arguments) => client::describe(&arguments, console),
        Command::Watch(arguments) => client::watch(&arguments, console),
        Command::Suspend(arguments) => client::suspend(&arguments, console),
        Command::Resume(arguments) => client::resume(&arguments, console),
        Command::Cancel(arguments) => client::cancel(&arguments, console),
        Command::Retry(arguments) => client::retry(&arguments, console),
        Command::Resolve(arguments) => client::resolve(&arguments, console),
        Command::Secrets(command) => client::secrets(&command, console),
        Command::Tokens(command) => client::tokens(&command, console),
        Command::Principals(command) => client::principals(&command, console),
        Command::Emit(arguments) => emit::emit(&arguments, console),
        Command::Export(arguments) => export::export(&arguments, console),
        Command::Erase(arguments) => erase::erase(&arguments, console),
        Command::Store(StoreCommand::Rekey(arguments)) => rekey::rekey(&arguments, console),
        Command::Audit(AuditCommand::Verify(arguments)) => audit::verify(&arguments),
        Command::Store(StoreCommand::Verify(arguments)) => store::verify(&arguments),
        Command::Lsp(_) => lsp::lsp(),
        Command::Completions(arguments) => completions::completions(arguments.shell),
        Command::Version => console::print(&format!("{}\n", command_line::VERSION_LINE)),
    }
}

/// Help and version, which were asked for, or what is wrong with the command line.
fn shown(error: &clap::Error) -> ExitCode {
    // Where nobody reads, there is nobody to tell.
    error.print().ok();
    ExitCode::from(if error.use_stderr() { Exit::Invalid } else { Exit::Completed })
}
