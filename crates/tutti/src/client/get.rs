//! `tutti get`

use tutti_api::{ExecutionView, Operation, WorkflowView};

use super::{
    ask::{Ask, Client},
    list, table,
};
use crate::{
    command_line::{GetCommand, GetExecutionArguments, GetWorkflowArguments},
    console::{self, Console},
    exit::{Exit, Failure},
};

/// Shows one thing that a server has.
pub(crate) fn get(command: &GetCommand, console: &Console) -> Result<Exit, Failure> {
    match command {
        GetCommand::Execution(arguments) => execution(arguments, console),
        GetCommand::Workflow(arguments) => workflow(arguments, console),
    }
}

fn execution(arguments: &GetExecutionArguments, console: &Console) -> Result<Exit, Failure> {
    let client = Client::new(&arguments.server, console)?;
    let ask = Ask::new(Operation::GetExecution).part("id", &arguments.execution);
    let view: ExecutionView = client.get(&ask)?;
    table::print(&view, arguments.output, || list::executions(std::slice::from_ref(&view)))
}

fn workflow(arguments: &GetWorkflowArguments, console: &Console) -> Result<Exit, Failure> {
    let client = Client::new(&arguments.server, console)?;
    let ask = match &arguments.version {
        Some(version) => Ask::new(Operation::GetWorkflowVersion).part("version", &version),
        None => Ask::new(Operation::GetWorkflow),
    };
    let view: WorkflowView = client.get(&ask.part("name", &arguments.name))?;
    if arguments.document {
        return console::print(&view.document);
    }
    let version = &view.version;
    table::print(&view, arguments.output, || list::workflows(std::slice::from_ref(version)))
}
