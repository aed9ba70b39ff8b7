//! Data directories and what is exported from them: `emit`, `export`, `erase`, `store`, `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::ConnectionArguments;

/// `tutti emit`
#[derive(Debug, Args)]
#[command(after_help = "\
An event is a CloudEvent in structured form, or a type with --data, whose source is `tutti-emit` and whose id is drawn unless
they are given. One whose source and id were received before is told as known, and changes nothing.

With --store no server is asked, nor with --to where neither flags nor the environment name one and the execution has its state
in the usual place: the event is received by that execution and by what it starts, by nobody else. While `tutti run` uses the directory, it is given the events and takes
them at once; otherwise they are in the log when the execution is gone on with. Everything else goes to a server, where --to
addresses an execution in the same way.

Examples:
  tutti emit @payment.json
  tutti emit order.paid --data '{\"order\": 7}' -n shop
  tutti emit @payment.json --to exec_01k3v9zrs6q5tt4q4mkb5e7kgr --store ./state
  tutti emit --to exec_01k3v9zrs6q5tt4q4mkb5e7kgr --event '{\"specversion\": \"1.0\", \"id\": \"7\", \"source\": \"shop\", \"type\": \"paid\"}'
  export-payments | tutti emit - --to exec_01k3v9zrs6q5tt4q4mkb5e7kgr

Exit codes: 0 received, or known already; 4 the store is damaged; 5 the server cannot be reached or denies access; 2 anything else,
such as an execution that has ended")]
pub(crate) struct EmitArguments {
    /// The events: a type, which --data goes with; or a CloudEvent, an array of them, or one a line; `-` reads stdin to its end
    #[arg(value_name = "TYPE|JSON|@FILE|-")]
    pub(crate) events: Vec<String>,
    /// The same, as `tutti run` takes it
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub(crate) event: Vec<String>,
    /// The data of the event of TYPE
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub(crate) data: Option<String>,
    /// The source of the event of TYPE
    #[arg(long, value_name = "URI", default_value = "tutti-emit")]
    pub(crate) source: String,
    /// The subject of the event of TYPE
    #[arg(long, value_name = "TEXT")]
    pub(crate) subject: Option<String>,
    /// The id of the event of TYPE
    #[arg(long, value_name = "TEXT")]
    pub(crate) id: Option<String>,
    /// The execution that is to receive them, and nobody else
    #[arg(long, value_name = "EXECUTION")]
    pub(crate) to: Option<tutti_ids::ExecutionId>,
    /// The data directory instead of a server; with --to
    #[arg(long, value_name = "DIR", requires = "to", conflicts_with_all = ["url", "token_file", "context", "namespace"])]
    pub(crate) store: Option<PathBuf>,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
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
  tutti audit verify all.jsonl --checkpoints /mnt/worm/tutti.checkpoints --checkpoint-key Kp5v…=

Exit codes: 0 everything holds, 4 something does not (stderr names the line, the byte and what), 2 the file cannot be read")]
pub(crate) struct AuditVerifyArguments {
    /// The export; `-` reads stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Signed checkpoints that a server wrote outside of its directory: the history must be the one that they tell
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoints: Option<PathBuf>,
    /// The key that must have signed them, as the server says it when it starts; by default that of the first one
    #[arg(long, value_name = "BASE64", requires = "checkpoints")]
    pub(crate) checkpoint_key: Option<String>,
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
