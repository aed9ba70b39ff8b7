//! The server, and what is neither about a document nor about an execution: `server`, `lsp`, `completions`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

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
