//! The server, and what is neither about a document nor about an execution: `server`, `lsp`, `completions`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;

/// `tutti server`
#[derive(Debug, Args)]
#[command(after_help = "\
The first start prints a setup token, with which the first administrator is created; until there is one, the server listens on
loopback only. Where TUTTI_BOOTSTRAP_TOKEN_FILE names a file with a token, the first administrator is made with that, and nothing
is printed. SIGINT or SIGTERM stops the server in good order, a second one at once; any other end is as safe.

Settings are said by a file, TUTTI_SERVER__… variables and flags, each more than the one before: docs/reference/configuration.md.

Examples:
  tutti server
  tutti server --store /srv/tutti --listen 0.0.0.0:8420 --allow-private
  tutti server --store ./state --no-login
  TUTTI_SERVER__LOG__LEVEL=debug tutti server --config tutti.toml --log-format json
  tutti server --config tutti.toml --print-config

Exit codes: 0 stopped, 4 the store is damaged, 2 anything else; 130 or 143 where a second signal ended it at once")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct ServerArguments {
    /// The configuration file; /etc/tutti/server.toml where there is one, unless told
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print the settings as a file, with who said each, and start nothing
    #[arg(long)]
    pub(crate) print_config: bool,
    /// The data directory, used by one server only, DIR or sqlite:DIR; /var/lib/tutti unless told
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<String>,
    /// Where to listen, 127.0.0.1:8420 unless told; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// Let everybody in who reaches the server, as an administrator; on loopback only
    #[arg(long = "no-login")]
    pub(crate) insecure: bool,
    /// Let calls reach this machine
    #[arg(long)]
    pub(crate) allow_loopback: bool,
    /// Let calls reach private networks
    #[arg(long)]
    pub(crate) allow_private: bool,
    /// A file that signed heads of the history are added to, for `tutti audit verify --checkpoints`
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoints: Option<String>,
    /// How the log is written; auto unless told
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// What is logged, each with those before it; info unless told
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<LogDetail>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Text where standard error is a terminal, else JSON
    Auto,
    /// Lines for people
    Text,
    /// Lines of JSON
    Json,
}

impl LogFormat {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Text => "text",
            Self::Json => "json",
        }
    }

    /// The format of this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Auto, Self::Text, Self::Json].into_iter().find(|format| format.as_str() == word)
    }
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogDetail {
    /// What is broken
    Error,
    /// What did not go as somebody wanted
    Warn,
    /// What the server does
    Info,
    /// Every request
    Debug,
}

impl LogDetail {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
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
