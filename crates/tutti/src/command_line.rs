//! The command line: every command with its flags, help and examples.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::styling};
use clap_complete::Shell;

use crate::length_of_time;

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
  tutti explain E0117";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a workflow to its end and print its output
    Run(Box<RunArguments>),
    /// Check documents without running them
    Validate(ValidateArguments),
    /// Serve: take work over HTTP, durably, until told to stop
    Server(ServerArguments),
    /// Explain the code of a diagnostic, or list all codes
    Explain(ExplainArguments),
    /// Hand events to an execution that goes on
    Emit(EmitArguments),
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

const RUN_EXAMPLES: &str = "\
Exit codes:
  0    completed
  1    faulted; the last line on stderr is the error as one line of JSON
  2    invalid document or usage
  3    cancelled
  4    not finished: it waits for an event or a person, or --timeout was reached; stderr says for what, and how to go on
  130  interrupted (SIGINT), 143 terminated (SIGTERM); the state is kept

Examples:
  tutti run examples/host-report.yaml
  tutti run order.yaml --input '{\"order\": {\"id\": 7}}' --set order.note=urgent
  tutti run order.yaml --input @order.json --set order.count:=3 -o yaml
  tutti run deploy.yaml --secret TOKEN --secret PASSWORD=@password.txt --timeout 10m
  tutti run order.yaml --event @payment.json
  watch-payments | tutti run order.yaml --event - --timeout 1h
  tutti run --resume exec_01k3v9zrs6q5tt4q4mkb5e7kgr --unknown retry
  tutti run charge.yaml --store ./state
  tutti run --store ./state --resume --unknown 'complete={\"charged\": true}'";

/// `tutti run`
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunArguments {
    /// The workflow, in YAML or JSON; `-` reads it from stdin. Workflows it runs as children are found in the same
    /// directory, or named behind it
    #[arg(value_name = "FILE", required_unless_present = "resume")]
    pub(crate) file: Option<PathBuf>,
    /// More workflows that it may run as children
    #[arg(value_name = "CHILD")]
    pub(crate) children: Vec<PathBuf>,
    /// The input: JSON, a file with JSON, or `-` for stdin
    #[arg(long, value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    pub(crate) input: Option<String>,
    /// Put one value into the input: `a.b=TEXT`, or `a.b:=JSON`
    #[arg(long, value_name = "PATH=TEXT|PATH:=JSON")]
    pub(crate) set: Vec<String>,
    /// Give a secret: from the environment, a file, stdin (`NAME=-`), or in the open (`NAME=VALUE`, which warns). A
    /// secret whose text is a JSON object has members
    #[arg(long, value_name = "NAME|NAME=@FILE|NAME=-")]
    pub(crate) secret: Vec<String>,
    /// Give the secrets in a file: lines of `NAME=VALUE`, or one JSON object
    #[arg(long, value_name = "FILE")]
    pub(crate) secrets_file: Vec<PathBuf>,
    /// Give every environment variable that begins so as a secret, called by the rest of its name
    #[arg(long, value_name = "PREFIX")]
    pub(crate) env_secrets: Vec<String>,
    /// Give events: a CloudEvent, an array of them, or one a line. `-` takes them from stdin as they come, a line at a time,
    /// while the execution goes on; where it waits for an event, it waits until stdin ends or --timeout passes. With
    /// --timeout it also waits for what `tutti emit` brings
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub(crate) event: Vec<String>,
    /// Keep the state in this directory, also after completion
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Stop waiting after this long, such as 30s, 5m or PT1H, and keep the state
    #[arg(long, value_name = "DURATION", value_parser = length_of_time::parse)]
    pub(crate) timeout: Option<tutti_dsl::Duration>,
    /// Go on with an execution that was interrupted: the one named, or the one in --store
    #[arg(long, value_name = "EXECUTION", num_args = 0..=1, value_parser = execution)]
    #[expect(clippy::option_option, reason = "the shape that the derive macro asks for")]
    pub(crate) resume: Option<Option<tutti_ids::ExecutionId>>,
    /// Settle calls whose outcome is unknown: make them again, let their task fault, or take this as their output
    #[arg(long, value_name = "retry|fault|complete=JSON", requires = "resume")]
    pub(crate) unknown: Option<String>,
    /// How the output is printed; by default `pretty` on a terminal, `json` (one line) elsewhere
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<OutputFormat>,
    /// Print no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Which lines that calls print are shown where stderr is no terminal; on a terminal the tree shows the last line of
    /// each call, or with `none` nothing
    #[arg(long, value_name = "WHICH", default_value = "first")]
    pub(crate) logs: Logs,
}

/// Which lines that calls print are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Logs {
    /// Every line
    All,
    /// The first 20 lines of each task
    #[default]
    First,
    /// No line
    None,
}

/// How a value is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// One line of JSON
    Json,
    /// JSON with indentation
    Pretty,
    /// YAML
    Yaml,
}

const VALIDATE_EXAMPLES: &str = "\
Examples:
  tutti validate order.yaml
  tutti validate workflows/*.yaml -o github
  tutti validate order.yaml -o sarif > order.sarif
  generate-workflow | tutti validate -

Exit codes: 0 all valid (warnings allowed), 2 not";

/// An execution's id; a workflow's file is what is taken for one most often.
fn execution(text: &str) -> Result<tutti_ids::ExecutionId, String> {
    text.parse().map_err(|error| {
        if text.starts_with("exec_") {
            format!("{error}")
        } else {
            format!("{error}; a workflow is started without --resume: tutti run {text}")
        }
    })
}

/// `tutti validate`
#[derive(Debug, Args)]
#[command(after_help = VALIDATE_EXAMPLES)]
pub(crate) struct ValidateArguments {
    /// The documents; `-` reads one from stdin
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// How diagnostics are printed
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: DiagnosticFormat,
}

/// How diagnostics are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiagnosticFormat {
    /// For people, with excerpts
    Text,
    /// A JSON array
    Json,
    /// SARIF 2.1.0, for code scanners
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
}

/// `tutti server`
#[derive(Debug, Args)]
#[command(after_help = "\
The first start prints a setup token, with which the first administrator is created; until there is one, the server listens on
loopback only. SIGINT or SIGTERM stops it in good order; any other end is as safe.

Examples:
  tutti server
  tutti server --store /srv/tutti --listen 0.0.0.0:8420 --allow-private
  tutti server --store ./state --no-login

Exit codes: 0 stopped, 4 the store is damaged, 2 anything else")]
pub(crate) struct ServerArguments {
    /// The data directory, used by one server only
    #[arg(long, value_name = "DIR", default_value = "/var/lib/tutti")]
    pub(crate) store: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8420")]
    pub(crate) listen: std::net::SocketAddr,
    /// Let everybody in who reaches the server, as an administrator; on loopback only
    #[arg(long = "no-login")]
    pub(crate) insecure: bool,
    /// Let calls reach this machine
    #[arg(long)]
    pub(crate) allow_loopback: bool,
    /// Let calls reach private networks
    #[arg(long)]
    pub(crate) allow_private: bool,
}

/// `tutti explain`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tutti explain E0117\n  tutti explain")]
pub(crate) struct ExplainArguments {
    /// The code, such as E0117; without it all codes are listed
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
}

/// `tutti emit`
#[derive(Debug, Args)]
#[command(after_help = "\
An event is a CloudEvent in structured form. It is received by the execution and by what that starts, by nobody else. One
whose source and id were received before is told as known, and changes nothing. While `tutti run` uses the store, it is given
the events and takes them at once; otherwise they are in the log when the execution is gone on with.

Examples:
  tutti emit @payment.json --to exec_01k3v9zrs6q5tt4q4mkb5e7kgr --store ./state
  tutti emit --to exec_01k3v9zrs6q5tt4q4mkb5e7kgr --event '{\"specversion\": \"1.0\", \"id\": \"7\", \"source\": \"shop\", \"type\": \"paid\"}'
  export-payments | tutti emit - --to exec_01k3v9zrs6q5tt4q4mkb5e7kgr

Exit codes: 0 received, or known already; 4 the store is damaged; 2 anything else, such as an execution that has ended")]
pub(crate) struct EmitArguments {
    /// The events: a CloudEvent, an array of them, or one a line; `-` reads stdin to its end
    #[arg(value_name = "JSON|@FILE|-")]
    pub(crate) events: Vec<String>,
    /// The same, as `tutti run` takes it
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub(crate) event: Vec<String>,
    /// The execution that is to receive them
    #[arg(long, value_name = "EXECUTION")]
    pub(crate) to: tutti_ids::ExecutionId,
    /// The data directory; by default that of the execution in the usual place
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
}

/// `tutti export`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tutti export exec_01k3v9zrs6q5tt4q4mkb5e7kgr -o order-7.jsonl
  tutti export exec_01k3v9zrs6q5tt4q4mkb5e7kgr --store ./state -o order-7.jsonl
  tutti export --store ./state -o everything.jsonl
  tutti export --store ./state -o - | tutti audit verify -

Exit codes: 0 written, 4 the store is damaged, 2 anything else")]
pub(crate) struct ExportArguments {
    /// The execution, with all that it started; without it the whole store
    #[arg(value_name = "EXECUTION", required_unless_present = "store")]
    pub(crate) execution: Option<tutti_ids::ExecutionId>,
    /// The data directory; by default that of the execution in the usual place
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// The file, which must not exist yet; `-` writes to stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// `tutti erase`
#[derive(Debug, Args)]
#[command(after_help = "\
Values, their salts, blobs and the output of calls are removed from all files of the store, which is written anew. That it
was done, by whom, when and why is chained with the commits: exports tell it, and verify as before.

Examples:
  tutti erase exec_01k3v9zrs6q5tt4q4mkb5e7kgr --reason 'request 4711 of the customer'
  tutti erase exec_01k3v9zrs6q5tt4q4mkb5e7kgr --store ./state --reason 'end of retention'

Exit codes: 0 erased, 4 the store is damaged, 2 anything else, such as an execution that goes on")]
pub(crate) struct EraseArguments {
    /// The execution; all that it started goes with it
    #[arg(value_name = "EXECUTION")]
    pub(crate) execution: tutti_ids::ExecutionId,
    /// The data directory; by default that of the execution in the usual place
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Why, in at most 1,000 bytes; it stays readable
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
}

/// `tutti store`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  tutti store verify ./state\n  tutti store rekey --store ./state"
)]
pub(crate) enum StoreCommand {
    /// Check everything in a store that nobody uses, and list all that does not hold
    Verify(StoreVerifyArguments),
    /// Change the key that secrets in a store that nobody uses are sealed under
    Rekey(StoreRekeyArguments),
}

/// `tutti store verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tutti store verify ./state
  tutti store verify ./state -o json

Exit codes: 0 whole, 4 damaged, 2 there is no store or it cannot be read")]
pub(crate) struct StoreVerifyArguments {
    /// The data directory
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// How the report is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: ReportFormat,
}

/// `tutti store rekey`
#[derive(Debug, Args)]
#[command(after_help = "\
A new master key is written to master.key, and the keys that seal are sealed anew under it; journals stay as they are. When it
is interrupted, everything still opens: do it again.

Examples:
  tutti store rekey --store ./state

Exit codes: 0 changed, 2 not")]
pub(crate) struct StoreRekeyArguments {
    /// The data directory
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
}

/// `tutti audit`
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:\n  tutti audit verify order-7.jsonl")]
pub(crate) enum AuditCommand {
    /// Check an export, offline and without keys
    Verify(AuditVerifyArguments),
}

/// `tutti audit verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tutti audit verify order-7.jsonl
  tutti audit verify order-7.jsonl -o json

Exit codes: 0 everything holds, 4 something does not (stderr names the line, the byte and what), 2 the file cannot be read")]
pub(crate) struct AuditVerifyArguments {
    /// The export; `-` reads stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// How the report is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: ReportFormat,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people
    Text,
    /// One line of JSON
    Json,
}

/// `tutti lsp`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tutti lsp

An editor starts it; docs/guides/editors.md says how to set up Neovim, Helix, VS Code and others.")]
pub(crate) struct LspArguments {
    /// Accepted because editors pass it; nothing else is spoken
    #[arg(long)]
    pub(crate) stdio: bool,
}

/// `tutti completions`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tutti completions bash > ~/.local/share/bash-completion/completions/tutti
  tutti completions zsh > ~/.zfunc/_tutti
  tutti completions fish > ~/.config/fish/completions/tutti.fish")]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}
