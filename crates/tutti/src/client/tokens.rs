//! `tutti tokens`

use tutti_api::{CreatedToken, NewToken, Operation};

use super::{
    ask::{Ask, Client},
    grants,
    issued::{expiry, tell},
    list, moment, offline,
};
use crate::{
    command_line::{CreateTokenArguments, RevokeTokenArguments, TokensCommand},
    console::{self, Console},
    exit::{Exit, Failure},
};

/// Issues, lists and revokes tokens.
pub(crate) fn tokens(command: &TokensCommand, console: &Console) -> Result<Exit, Failure> {
    match command {
        TokensCommand::Create(arguments) => match &arguments.store {
            Some(directory) => offline::create(directory, arguments, console),
            None => create(arguments, console),
        },
        TokensCommand::List(arguments) => list::tokens(arguments, console),
        TokensCommand::Revoke(arguments) => revoke(arguments, console),
    }
}

fn create(arguments: &CreateTokenArguments, console: &Console) -> Result<Exit, Failure> {
    let grants = Some(grants::parsed(&arguments.grant)?).filter(|grants| !grants.is_empty());
    let request = NewToken {
        name: arguments.name.clone(),
        principal: arguments.principal.map(|id| id.to_string()),
        grants,
        expires_at: expiry(arguments).map(|at| moment::later(0, at)),
    };
    let client = Client::new(&arguments.server, console)?;
    let created: CreatedToken = client.get(&Ask::new(Operation::CreateToken).json(&request))?;
    tell(&created.token.id, &created.token.name, console);
    console::print(&format!("{}\n", created.text))
}

fn revoke(arguments: &RevokeTokenArguments, console: &Console) -> Result<Exit, Failure> {
    let client = Client::new(&arguments.server, console)?;
    let ask = Ask::new(Operation::RevokeToken).part("id", &arguments.token);
    client.block_on(client.reply(&ask))?;
    console.line(&format!("revoked: {}", arguments.token));
    Ok(Exit::Completed)
}
