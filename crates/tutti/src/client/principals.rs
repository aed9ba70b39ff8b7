//! `tutti principals`

use tutti_api::{NewPrincipal, Operation, PrincipalView};

use super::{
    ask::{Ask, Client},
    grants, list,
};
use crate::{
    command_line::{
        CreatePrincipalArguments, DeletePrincipalArguments, PrincipalKindName, PrincipalsCommand,
    },
    console::{self, Console},
    exit::{Exit, Failure},
};

/// Creates, lists and deletes who may ask.
pub(crate) fn principals(command: &PrincipalsCommand, console: &Console) -> Result<Exit, Failure> {
    match command {
        PrincipalsCommand::Create(arguments) => create(arguments, console),
        PrincipalsCommand::List(arguments) => list::principals(arguments, console),
        PrincipalsCommand::Delete(arguments) => delete(arguments, console),
    }
}

fn create(arguments: &CreatePrincipalArguments, console: &Console) -> Result<Exit, Failure> {
    let kind = match arguments.kind {
        PrincipalKindName::Service => "service",
        PrincipalKindName::User => "user",
    };
    let request = NewPrincipal {
        name: arguments.name.clone(),
        kind: Some(kind.to_owned()),
        grants: grants::parsed(&arguments.grant)?,
    };
    let client = Client::new(&arguments.server, console)?;
    let created: PrincipalView =
        client.get(&Ask::new(Operation::CreatePrincipal).json(&request))?;
    console::print(&format!("{}\n", created.id))
}

fn delete(arguments: &DeletePrincipalArguments, console: &Console) -> Result<Exit, Failure> {
    let client = Client::new(&arguments.server, console)?;
    let ask = Ask::new(Operation::DeletePrincipal).part("id", &arguments.principal);
    client.block_on(client.reply(&ask))?;
    console.line(&format!("deleted: {}", arguments.principal));
    Ok(Exit::Completed)
}
