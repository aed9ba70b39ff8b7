//! The command line: every command with its flags, help and examples.
//!
//! Here is the program and the list of its commands; what each takes stands with its kind: [`documents`] run here,
//! [`serving`] and [`directories`] on this machine, [`asking`] and [`access`] ask a server.

mod access;
mod asking;
mod directories;
mod documents;
mod serving;

use clap::{Parser, Subcommand, builder::styling};

pub(crate) use self::{
    access::{
        CreatePrincipalArguments, CreateTokenArguments, DeletePrincipalArguments,
        DeleteSecretArguments, PrincipalKindName, PrincipalsCommand, RevokeTokenArguments,
        SecretsCommand, SetSecretArguments, TokensCommand,
    },
    asking::{
        ApplyArguments, Bump, CancelArguments, ConnectionArguments, ControlArguments,
        DescribeArguments, GetCommand, GetExecutionArguments, GetWorkflowArguments, ListArguments,
        ListCommand, ListExecutionsArguments, ListFormat, ResolveArguments, ResumeArguments,
        RetryArguments, StartArguments, SuspendArguments, WatchArguments,
    },
    directories::{
        AuditCommand, AuditVerifyArguments, EmitArguments, EraseArguments, ExportArguments,
        ReportFormat, StoreCommand, StoreRekeyArguments, StoreVerifyArguments,
    },
    documents::{
        DiagnosticFormat, ExplainArguments, Logs, OutputFormat, RunArguments, ValidateArguments,
    },
    serving::{CompletionsArguments, LogFormat, LspArguments, ServerArguments},
};

/// What `tutti version` prints.
pub(crate) const VERSION_LINE: &str = concat!(
    "tutti ",
    env!("CARGO_PKG_VERSION"),
    " (workflow language 1.0.3, ",
    env!("TUTTI_TARGET"),
    ", ",
    env!("TUTTI_PROFILE"),
    ")"
);
/// The same after the program's name.
pub(crate) const VERSION: &str = VERSION_LINE.split_at("tutti ".len()).1;

const STYLES: styling::Styles = styling::Styles::styled()
    .header(styling::AnsiColor::Green.on_default().bold())
    .usage(styling::AnsiColor::Green.on_default().bold())
    .literal(styling::AnsiColor::Cyan.on_default().bold())
    .placeholder(styling::AnsiColor::Cyan.on_default());

/// Runs workflows written in the Serverless Workflow DSL, durably.
#[derive(Debug, Parser)]
#[command(name = "tutti", version = VERSION, styles = STYLES, after_help = TUTTI_EXAMPLES)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print no colors
    #[arg(
        long,
        global = true,
        help = "Print no colors (so does the environment variable NO_COLOR)"
    )]
    pub(crate) no_color: bool,
}

const TUTTI_EXAMPLES: &str = "\
Examples:
  tutti run examples/host-report.yaml
  tutti run order.yaml shared/notify.yaml
  tutti validate workflows/*.yaml
  tutti explain E0117
  tutti server --store ./state --no-login
  tutti apply examples/host-report.yaml
  tutti start host-report --wait";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a workflow to its end and print its output
    Run(Box<RunArguments>),
    /// Check documents without running them
    Validate(ValidateArguments),
    /// Serve: take work over HTTP, durably, until told to stop
    Server(ServerArguments),
    /// Publish workflows on a server
    Apply(ApplyArguments),
    /// Start an execution on a server
    Start(StartArguments),
    /// List what a server has
    #[command(subcommand)]
    List(ListCommand),
    /// Show one thing that a server has
    #[command(subcommand)]
    Get(GetCommand),
    /// Tell all about an execution: its tasks, what it waits for, what needs a person
    Describe(DescribeArguments),
    /// Follow an execution to its end
    Watch(WatchArguments),
    /// Pause an execution
    Suspend(SuspendArguments),
    /// Let a paused execution go on
    Resume(ResumeArguments),
    /// Give an execution up
    Cancel(CancelArguments),
    /// Take an execution back to the start of a task
    Retry(RetryArguments),
    /// Settle what only a person can: a call whose outcome is unknown, an undo that failed
    Resolve(ResolveArguments),
    /// Hand events to a server, or to an execution that goes on here
    Emit(Box<EmitArguments>),
    /// Write, list and delete secrets, which nobody can read again
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Issue, list and revoke API tokens
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Create, list and delete who may ask
    #[command(subcommand)]
    Principals(PrincipalsCommand),
    /// Explain the code of a diagnostic, or list all codes
    Explain(ExplainArguments),
    /// Write journals with all that proves them into one file
    Export(ExportArguments),
    /// Erase what an execution that has ended worked with; its journal stays and verifies
    Erase(EraseArguments),
    /// Look after a data directory
    #[command(subcommand)]
    Store(StoreCommand),
    /// Check what proves what happened
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Help an editor with workflows, by the Language Server Protocol on stdin and stdout
    Lsp(LspArguments),
    /// Print the completion script of a shell
    Completions(CompletionsArguments),
    /// Print the version
    #[command(after_help = "Examples:\n  tutti version")]
    Version,
}
