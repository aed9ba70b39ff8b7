//! Running and checking documents: `run`, `validate`, `explain`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::length_of_time;

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

/// `tutti explain`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tutti explain E0117\n  tutti explain")]
pub(crate) struct ExplainArguments {
    /// The code, such as E0117; without it all codes are listed
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
}

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
