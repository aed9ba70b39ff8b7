//! What a server is asked about workflows and executions.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use tutti_ids::ExecutionId;

use crate::length_of_time;

/// What the exit codes of commands that ask a server mean.
const EXITS: &str =
    "0 done, 2 refused or no such thing, 5 the server cannot be reached or denies access";

/// Which server is asked, and as whom.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ConnectionArguments {
    /// The server.
    #[arg(
        long,
        value_name = "URL",
        help = "The server; else TUTTI_URL, else that of the context, else http://127.0.0.1:8420"
    )]
    pub(crate) url: Option<String>,
    /// The file with the token.
    #[arg(
        long,
        value_name = "FILE",
        help = "The file with the token to show; else the token in TUTTI_TOKEN, else that of the context"
    )]
    pub(crate) token_file: Option<PathBuf>,
    /// The namespace.
    #[arg(
        short,
        long,
        value_name = "NAMESPACE",
        help = "The namespace; else TUTTI_NAMESPACE, else that of the context, else `default`"
    )]
    pub(crate) namespace: Option<String>,
    /// The context.
    #[arg(
        long,
        value_name = "NAME",
        help = "The context of the configuration file that says all of this; else TUTTI_CONTEXT, else the file's `current`"
    )]
    pub(crate) context: Option<String>,
}

/// How what a server has is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// Aligned columns
    #[default]
    Table,
    /// JSON, as the server says it
    Json,
    /// The same as YAML
    Yaml,
}

/// What is listed, and how.
#[derive(Debug, Clone, Args)]
pub(crate) struct ListArguments {
    /// How it is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: ListFormat,
    /// How many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}

/// `tutti apply`
#[derive(Debug, Args)]
#[command(after_help = "\
A version never changes once it is published. --bump raises `document.version` until it is free, writes that into the file, and
publishes; the rest of the file stays as it is. The namespace is the document's.

Examples:
  tutti apply order.yaml
  tutti apply workflows --bump patch
  tutti apply order.yaml --url https://tutti.example.com --token-file token.txt

Exit codes: 0 published or unchanged, 2 invalid or refused, 5 the server cannot be reached or denies access")]
pub(crate) struct ApplyArguments {
    /// The documents, or directories whose `.yaml`, `.yml` and `.json` files are taken
    #[arg(value_name = "FILE|DIR", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Raise this part of the version where it is published with other content
    #[arg(long, value_name = "PART")]
    pub(crate) bump: Option<Bump>,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}

/// Which part of a version is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bump {
    /// 1.2.3 becomes 1.2.4
    Patch,
    /// 1.2.3 becomes 1.3.0
    Minor,
    /// 1.2.3 becomes 2.0.0
    Major,
}

/// `tutti start`
#[derive(Debug, Args)]
#[command(after_help = "\
Without --wait the execution's id is printed; with it the output, as `tutti run` prints it.

Examples:
  tutti start order --input @order.json
  tutti start order --set order.id:=7 --key order-7 --wait
  tutti start report -n ops --version 1.2.0 --wait 10m
  tutti start charge --input @charge.json --idempotency-key charge-4711

Exit codes: without --wait 0 started; with --wait
  0    completed
  1    faulted; the last line on stderr is the error as one line of JSON
  2    refused, or no such workflow
  3    cancelled
  4    not finished: it needs a person, or the time of --wait is up; stderr says how to go on
  5    the server cannot be reached or denies access")]
pub(crate) struct StartArguments {
    /// The name of the workflow
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Its version; by default the latest
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: Option<String>,
    /// The business key it is started under
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// The input: JSON, a file with JSON, or `-` for stdin
    #[arg(long, value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    pub(crate) input: Option<String>,
    /// Put one value into the input: `a.b=TEXT`, or `a.b:=JSON`
    #[arg(long, value_name = "PATH=TEXT|PATH:=JSON")]
    pub(crate) set: Vec<String>,
    /// Wait for the end and print the output; give up waiting after this long, such as 30s, 5m or PT1H
    #[arg(long, value_name = "DURATION", num_args = 0..=1, value_parser = length_of_time::parse)]
    #[expect(clippy::option_option, reason = "the shape that the derive macro asks for")]
    pub(crate) wait: Option<Option<tutti_dsl::Duration>>,
    /// Start it once however often this is asked under the same key
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
    /// How the output is printed; by default `pretty` on a terminal, `json` (one line) elsewhere
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<super::OutputFormat>,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}

/// `tutti list`
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tutti list workflows
  tutti list executions --status waiting -o json
  tutti list audit --limit 1000")]
pub(crate) enum ListCommand {
    /// The published versions of workflows
    #[command(
        after_help = "Examples:\n  tutti list workflows\n  tutti list workflows -n ops -o yaml"
    )]
    Workflows(ListArguments),
    /// Executions, newest first
    Executions(ListExecutionsArguments),
    /// Schedules with their next times
    #[command(
        after_help = "Examples:\n  tutti list schedules\n  tutti list schedules -n ops -o json"
    )]
    Schedules(ListArguments),
    /// The names of secrets
    #[command(after_help = "Examples:\n  tutti list secrets -n ops")]
    Secrets(ListArguments),
    /// API tokens, without their texts
    #[command(after_help = "Examples:\n  tutti list tokens")]
    Tokens(ListArguments),
    /// Who may ask
    #[command(after_help = "Examples:\n  tutti list principals -o json")]
    Principals(ListArguments),
    /// Who did what, in order
    #[command(
        after_help = "Examples:\n  tutti list audit\n  tutti list audit --limit 100000 -o json > audit.json"
    )]
    Audit(ListArguments),
}

/// `tutti list executions`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tutti list executions
  tutti list executions --status suspended --workflow order
  tutti list executions --since 2026-07-01T00:00:00Z --limit 1000 -o json")]
pub(crate) struct ListExecutionsArguments {
    /// Only those that stand so: pending, running, waiting, suspended, cancelled, faulted or completed
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<String>,
    /// Only those of this workflow
    #[arg(long, value_name = "NAME")]
    pub(crate) workflow: Option<String>,
    /// Only those under this business key
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Only those started at or after this moment, in RFC 3339
    #[arg(long, value_name = "MOMENT")]
    pub(crate) since: Option<String>,
    /// How.
    #[command(flatten)]
    pub(crate) list: ListArguments,
}

/// `tutti get`
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tutti get execution exec_01k3v9zrs6q5tt4q4mkb5e7kgr -o json
  tutti get workflow order --document > order.yaml")]
pub(crate) enum GetCommand {
    /// An execution, with its output or error where it has ended
    Execution(GetExecutionArguments),
    /// A version of a workflow
    Workflow(GetWorkflowArguments),
}

/// `tutti get execution`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tutti get execution exec_01k3v9zrs6q5tt4q4mkb5e7kgr
  tutti get execution exec_01k3v9zrs6q5tt4q4mkb5e7kgr -o json")]
pub(crate) struct GetExecutionArguments {
    /// The execution
    #[arg(value_name = "EXECUTION")]
    pub(crate) execution: ExecutionId,
    /// How it is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: ListFormat,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}

/// `tutti get workflow`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tutti get workflow order
  tutti get workflow order 1.2.0 -n ops -o yaml
  tutti get workflow order --document > order.yaml")]
pub(crate) struct GetWorkflowArguments {
    /// The name of the workflow
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Its version; by default the latest
    #[arg(value_name = "VERSION")]
    pub(crate) version: Option<String>,
    /// Print the document, as it was published
    #[arg(long, conflicts_with = "output")]
    pub(crate) document: bool,
    /// How it is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: ListFormat,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}

/// `tutti describe`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tutti describe exec_01k3v9zrs6q5tt4q4mkb5e7kgr
  tutti describe exec_01k3v9zrs6q5tt4q4mkb5e7kgr -o json")]
pub(crate) struct DescribeArguments {
    /// The execution
    #[arg(value_name = "EXECUTION")]
    pub(crate) execution: ExecutionId,
    /// How it is printed: for people, or all that the server says of it
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: ListFormat,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}

/// `tutti watch`
#[derive(Debug, Args)]
#[command(after_help = "\
What happens to tasks is told on stderr, a line each; where the connection breaks, it goes on where it was. The output is
printed at the end.

Examples:
  tutti watch exec_01k3v9zrs6q5tt4q4mkb5e7kgr
  tutti watch exec_01k3v9zrs6q5tt4q4mkb5e7kgr --quiet -o json

Exit codes: 0 completed, 1 faulted, 3 cancelled, 4 it needs a person, 2 no such execution, 5 the server cannot be reached or
denies access")]
pub(crate) struct WatchArguments {
    /// The execution
    #[arg(value_name = "EXECUTION")]
    pub(crate) execution: ExecutionId,
    /// Go on watching where it needs a person
    #[arg(long)]
    pub(crate) patient: bool,
    /// Tell nothing of tasks
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// How the output is printed; by default `pretty` on a terminal, `json` (one line) elsewhere
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<super::OutputFormat>,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}

/// A hand that is laid on an execution.
#[derive(Debug, Args)]
pub(crate) struct ControlArguments {
    /// The execution
    #[arg(value_name = "EXECUTION")]
    pub(crate) execution: ExecutionId,
    /// Why, in at most 1,000 bytes; it is audited
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}

/// `tutti suspend`
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:\n  tutti suspend exec_01k3v9zrs6q5tt4q4mkb5e7kgr --reason 'the database moves'\n\nExit codes: {EXITS}"))]
pub(crate) struct SuspendArguments {
    /// What every control takes.
    #[command(flatten)]
    pub(crate) control: ControlArguments,
}

/// `tutti resume`
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:\n  tutti resume exec_01k3v9zrs6q5tt4q4mkb5e7kgr --reason 'the database is back'\n\nExit codes: {EXITS}"))]
pub(crate) struct ResumeArguments {
    /// What every control takes.
    #[command(flatten)]
    pub(crate) control: ControlArguments,
}

/// `tutti cancel`
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:\n  tutti cancel exec_01k3v9zrs6q5tt4q4mkb5e7kgr --reason 'ordered twice'\n\nExit codes: {EXITS}"))]
pub(crate) struct CancelArguments {
    /// What every control takes.
    #[command(flatten)]
    pub(crate) control: ControlArguments,
}

/// `tutti retry`
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:\n  tutti retry exec_01k3v9zrs6q5tt4q4mkb5e7kgr\n  tutti retry exec_01k3v9zrs6q5tt4q4mkb5e7kgr --from /do/1/charge --reason 'the bank answers again'\n\nExit codes: {EXITS}"))]
pub(crate) struct RetryArguments {
    /// The task to go back to, a JSON Pointer such as /do/1/charge; by default the one whose error ended the execution
    #[arg(long, value_name = "TASK")]
    pub(crate) from: Option<String>,
    /// What every control takes.
    #[command(flatten)]
    pub(crate) control: ControlArguments,
}

/// `tutti resolve`
#[derive(Debug, Args)]
#[command(after_help = format!("`tutti describe` lists incidents with the commands that settle them.\n\nExamples:\n  tutti resolve exec_01k3v9zrs6q5tt4q4mkb5e7kgr --as retry\n  tutti resolve exec_01k3v9zrs6q5tt4q4mkb5e7kgr --task 12 --as fault --reason 'the bank says no'\n  tutti resolve exec_01k3v9zrs6q5tt4q4mkb5e7kgr --as 'complete={{\"charged\": true}}'\n\nExit codes: {EXITS}"))]
pub(crate) struct ResolveArguments {
    /// The task execution; may be left out where the execution has one incident
    #[arg(long, value_name = "NUMBER")]
    pub(crate) task: Option<u64>,
    /// Make the call again, let the task fault, or take this as its output
    #[arg(long = "as", value_name = "retry|fault|complete=JSON")]
    pub(crate) resolution: String,
    /// What every control takes.
    #[command(flatten)]
    pub(crate) control: ControlArguments,
}
