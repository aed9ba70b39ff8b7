//! `tutti list`

use serde::{Serialize, de::DeserializeOwned};
use tutti_api::{
    AuditEntry, ExecutionView, Operation, PrincipalView, ScheduleView, SecretView, TokenView,
    WorkflowState, WorkflowVersion,
};

use super::{
    ask::{Ask, Client},
    grants, moment, pages,
    table::{self, Table, or_dash},
};
use crate::{
    command_line::{ListArguments, ListCommand, ListExecutionsArguments},
    console::Console,
    exit::{Exit, Failure},
};

/// Lists what a server has.
pub(crate) fn list(command: &ListCommand, console: &Console) -> Result<Exit, Failure> {
    match command {
        ListCommand::Workflows(arguments) => {
            listed(arguments, console, || Ask::new(Operation::ListWorkflows), workflows)
        }
        ListCommand::Executions(arguments) => {
            listed(&arguments.list, console, || asked(arguments), executions)
        }
        ListCommand::Schedules(arguments) => {
            listed(arguments, console, || Ask::new(Operation::ListSchedules), schedules)
        }
        ListCommand::Secrets(arguments) => secrets(arguments, console),
        ListCommand::Tokens(arguments) => tokens(arguments, console),
        ListCommand::Principals(arguments) => principals(arguments, console),
        ListCommand::Audit(arguments) => {
            listed(arguments, console, || Ask::new(Operation::ListAudit), audit)
        }
    }
}

/// Lists secrets.
pub(super) fn secrets(arguments: &ListArguments, console: &Console) -> Result<Exit, Failure> {
    listed(
        arguments,
        console,
        || Ask::new(Operation::ListSecrets),
        |items: &[SecretView]| {
            let row =
                |it: &SecretView| [it.name.clone(), it.written_at.clone(), it.written_by.clone()];
            Table::new(["NAME", "WRITTEN", "BY"], items.iter().map(row))
        },
    )
}

/// Lists tokens.
pub(super) fn tokens(arguments: &ListArguments, console: &Console) -> Result<Exit, Failure> {
    listed(
        arguments,
        console,
        || Ask::new(Operation::ListTokens),
        |items: &[TokenView]| {
            let now = moment::now();
            Table::new(
                ["ID", "NAME", "PRINCIPAL", "GRANTS", "EXPIRES", "STATE"],
                items.iter().map(|it| {
                    [
                        it.id.clone(),
                        it.name.clone(),
                        or_dash(it.principal.as_deref()),
                        it.grants.as_deref().map_or_else(|| "all".to_owned(), grants::words),
                        or_dash(it.expires_at.as_deref()),
                        state(it, &now).to_owned(),
                    ]
                }),
            )
        },
    )
}

/// Lists who may ask.
pub(super) fn principals(arguments: &ListArguments, console: &Console) -> Result<Exit, Failure> {
    let ask = || Ask::new(Operation::ListPrincipals);
    listed(arguments, console, ask, |items: &[PrincipalView]| {
        let row = |it: &PrincipalView| {
            [it.id.clone(), it.kind.clone(), it.name.clone(), grants::words(&it.grants)]
        };
        Table::new(["ID", "KIND", "NAME", "GRANTS"], items.iter().map(row))
    })
}

/// Gets a list, and prints it as it is wanted.
fn listed<T: Serialize + DeserializeOwned, const COLUMNS: usize>(
    arguments: &ListArguments,
    console: &Console,
    ask: impl Fn() -> Ask,
    shown: impl FnOnce(&[T]) -> Table<COLUMNS>,
) -> Result<Exit, Failure> {
    let client = Client::new(&arguments.server, console)?;
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let listed = client.block_on(pages::all::<T>(&client, limit, ask))?;
    let exit = table::print(&listed.items, arguments.output, || shown(&listed.items))?;
    if listed.has_more {
        console.line(&format!("there are more than these {limit}: give a higher --limit"));
    }
    Ok(exit)
}

fn asked(arguments: &ListExecutionsArguments) -> Ask {
    Ask::new(Operation::ListExecutions)
        .query("status", arguments.status.as_ref())
        .query("workflow", arguments.workflow.as_ref())
        .query("key", arguments.key.as_ref())
        .query("since", arguments.since.as_ref())
}

/// Versions of workflows as a table.
pub(super) fn workflows(items: &[WorkflowVersion]) -> Table<5> {
    let state = |state| match state {
        WorkflowState::Active => "active",
        WorkflowState::Deprecated => "deprecated",
    };
    Table::new(
        ["NAME", "VERSION", "STATE", "PUBLISHED", "BY"],
        items.iter().map(|it| {
            let (name, version) = (it.name.clone(), it.version.clone());
            let state = state(it.state).to_owned();
            [name, version, state, it.published_at.clone(), it.published_by.clone()]
        }),
    )
}

/// Executions as a table.
pub(super) fn executions(items: &[ExecutionView]) -> Table<6> {
    let now = moment::now();
    Table::new(
        ["EXECUTION", "WORKFLOW", "STATUS", "KEY", "STARTED", "TOOK"],
        items.iter().map(|it| {
            let until = it.ended_at.as_ref().unwrap_or(&now);
            [
                it.id.clone(),
                format!("{} {}", it.workflow, it.version),
                it.status.as_str().to_owned(),
                or_dash(it.key.as_deref()),
                it.started_at.clone(),
                or_dash(moment::between(&it.started_at, until).as_deref()),
            ]
        }),
    )
}

fn schedules(items: &[ScheduleView]) -> Table<5> {
    let row = |it: &ScheduleView| {
        [
            it.workflow.clone(),
            it.trigger.clone(),
            or_dash(it.next.first().map(String::as_str)),
            or_dash(it.last.as_deref()),
            it.running.len().to_string(),
        ]
    };
    Table::new(["WORKFLOW", "TRIGGER", "NEXT", "LAST", "RUNNING"], items.iter().map(row))
}

fn audit(items: &[AuditEntry]) -> Table<7> {
    Table::new(
        ["NUMBER", "AT", "ACTOR", "ACTION", "OUTCOME", "SUBJECT", "REASON"],
        items.iter().map(|it| {
            let subject = match &it.namespace {
                Some(namespace) => format!("{namespace}: {}", it.subject),
                None => it.subject.clone(),
            };
            [
                it.number.to_string(),
                it.at.clone(),
                it.actor_name.clone().unwrap_or_else(|| it.actor.clone()),
                it.action.clone(),
                it.outcome.clone(),
                subject,
                or_dash(it.reason.as_deref()),
            ]
        }),
    )
}

fn state(token: &TokenView, now: &str) -> &'static str {
    let is_past = |at: &str| {
        let (at, now): (jiff::Timestamp, jiff::Timestamp) =
            (at.parse().unwrap_or(jiff::Timestamp::MAX), now.parse().unwrap_or_default());
        at <= now
    };
    match (&token.revoked_at, &token.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(at)) if is_past(at) => "expired",
        _ => "good",
    }
}
