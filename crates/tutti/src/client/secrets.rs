//! `tutti secrets`

use std::{env, path::Path};

use tutti_api::{Operation, SecretText};
use tutti_secrets::Secret;

use super::{
    ask::{Ask, Client},
    list,
};
use crate::{
    command_line::{DeleteSecretArguments, SecretsCommand, SetSecretArguments},
    console::Console,
    exit::{Exit, Failure},
    run::{Stdin, read_file},
};

/// Writes, lists and deletes secrets.
pub(crate) fn secrets(command: &SecretsCommand, console: &Console) -> Result<Exit, Failure> {
    match command {
        SecretsCommand::Set(arguments) => set(arguments, console),
        SecretsCommand::Delete(arguments) => delete(arguments, console),
        SecretsCommand::List(arguments) => list::secrets(arguments, console),
    }
}

fn set(arguments: &SetSecretArguments, console: &Console) -> Result<Exit, Failure> {
    let text = text_of(arguments)?;
    let client = Client::new(&arguments.server, console)?;
    let ask = Ask::new(Operation::WriteSecret)
        .part("name", &arguments.name)
        .json(&SecretText { value: text.expose().clone() });
    client.block_on(client.reply(&ask))?;
    console.line(&format!("written: {} in {}", arguments.name, client.settings.namespace));
    Ok(Exit::Completed)
}

fn delete(arguments: &DeleteSecretArguments, console: &Console) -> Result<Exit, Failure> {
    let client = Client::new(&arguments.server, console)?;
    let ask = Ask::new(Operation::DeleteSecret).part("name", &arguments.name);
    client.block_on(client.reply(&ask))?;
    console.line(&format!("deleted: {} in {}", arguments.name, client.settings.namespace));
    Ok(Exit::Completed)
}

/// The text, from wherever it is; a command line is seen by everybody on a machine, so it is never there.
fn text_of(arguments: &SetSecretArguments) -> Result<Secret<String>, Failure> {
    let text = match (&arguments.env, arguments.from.as_deref()) {
        (Some(name), _) => env::var(name).map_err(|_unset| {
            Failure::usage(format!("there is no environment variable `{name}` with text"))
        })?,
        (None, None | Some("-")) => Stdin::default().read("the secret")?,
        (None, Some(from)) => match from.strip_prefix('@') {
            Some(file) => read_file(Path::new(file))?,
            None => {
                return Err(Failure::usage(
                    "the text of a secret is not taken from the command line",
                )
                .hint("give @FILE, --env VARIABLE, or write it to stdin"));
            }
        },
    };
    let text = Secret::new(text);
    let line = text.expose().strip_suffix('\n').unwrap_or(text.expose());
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(Failure::usage("the secret has no text"));
    }
    Ok(Secret::new(line.to_owned()))
}
