//! What a server is asked about secrets, tokens and principals.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use tutti_ids::{PrincipalId, TokenId};

use super::{ConnectionArguments, ListArguments};

/// `tutti secrets`
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tutti secrets set TOKEN @token.txt
  tutti secrets list
  tutti secrets delete TOKEN")]
pub(crate) enum SecretsCommand {
    /// Write a secret; its text is never an argument
    Set(SetSecretArguments),
    /// Delete a secret
    Delete(DeleteSecretArguments),
    /// List the names of secrets
    #[command(after_help = "Examples:\n  tutti secrets list -n ops -o json")]
    List(ListArguments),
}

/// `tutti secrets set`
#[derive(Debug, Args)]
#[command(after_help = "\
The line break at the end of a file or of stdin is no part of the secret. A secret whose text is a JSON object has members.

Examples:
  tutti secrets set TOKEN @token.txt
  pass show bank/api | tutti secrets set TOKEN
  tutti secrets set TOKEN --env BANK_TOKEN -n ops")]
pub(crate) struct SetSecretArguments {
    /// Its name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The file with its text; by default, or with `-`, it is read from stdin
    #[arg(value_name = "@FILE|-")]
    pub(crate) from: Option<String>,
    /// The environment variable with its text
    #[arg(long, value_name = "VARIABLE", conflicts_with = "from")]
    pub(crate) env: Option<String>,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}

/// `tutti secrets delete`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tutti secrets delete TOKEN -n ops")]
pub(crate) struct DeleteSecretArguments {
    /// Its name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}

/// `tutti tokens`
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tutti tokens create ci --grant operator@ops --expires 90d
  tutti tokens list
  tutti tokens revoke tok_01k3v9zrs6q5tt4q4mkb5e7kgr")]
pub(crate) enum TokensCommand {
    /// Issue a token; its text is printed this once
    Create(CreateTokenArguments),
    /// List tokens, without their texts
    #[command(after_help = "Examples:\n  tutti tokens list -o json")]
    List(ListArguments),
    /// Revoke a token
    Revoke(RevokeTokenArguments),
}

/// `tutti tokens create`
#[derive(Debug, Args)]
#[command(after_help = "\
The token alone goes to stdout. With --store no server is asked: the token is written into a data directory that no server
uses, for the principal named, else for its administrator, who is created if there is none.

Examples:
  tutti tokens create laptop > token.txt
  tutti tokens create ci --principal svc_01k3v9zrs6q5tt4q4mkb5e7kgr --grant operator@ops --expires 90d
  tutti tokens create rescue --store /var/lib/tutti

Exit codes: 0 issued, 2 refused, or a server uses the directory, 5 the server cannot be reached or denies access")]
pub(crate) struct CreateTokenArguments {
    /// What people call it
    #[arg(value_name = "NAME", default_value = "token")]
    pub(crate) name: String,
    /// Whose it is; by default one's own
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) principal: Option<PrincipalId>,
    /// What it may do at most: viewer, operator, author or admin, everywhere or in a namespace; by default all that its
    /// principal may
    #[arg(long, value_name = "ROLE|ROLE@NAMESPACE")]
    pub(crate) grant: Vec<String>,
    /// Refuse it after this long, such as 12h or 90d; by default never
    #[arg(long, value_name = "DURATION", value_parser = crate::length_of_time::parse)]
    pub(crate) expires: Option<tutti_dsl::Duration>,
    /// Write it into this data directory instead of asking a server
    #[arg(long, value_name = "DIR", conflicts_with_all = ["url", "token_file", "context", "namespace"])]
    pub(crate) store: Option<PathBuf>,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}

/// `tutti tokens revoke`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tutti tokens revoke tok_01k3v9zrs6q5tt4q4mkb5e7kgr")]
pub(crate) struct RevokeTokenArguments {
    /// The token's id
    #[arg(value_name = "TOKEN")]
    pub(crate) token: TokenId,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}

/// `tutti principals`
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tutti principals create ci --grant operator@ops
  tutti principals list
  tutti principals delete svc_01k3v9zrs6q5tt4q4mkb5e7kgr")]
pub(crate) enum PrincipalsCommand {
    /// Create somebody who may ask; the id is printed
    Create(CreatePrincipalArguments),
    /// List who may ask
    #[command(after_help = "Examples:\n  tutti principals list -o json")]
    List(ListArguments),
    /// Delete somebody who may ask; all of its tokens are refused from then on
    Delete(DeletePrincipalArguments),
}

/// `tutti principals create`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tutti principals create ci --grant operator@ops --grant viewer
  tutti principals create 'Ada Lovelace' --kind user --grant admin")]
pub(crate) struct CreatePrincipalArguments {
    /// What people call it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it is
    #[arg(long, value_name = "KIND", default_value = "service")]
    pub(crate) kind: PrincipalKindName,
    /// What it may do: viewer, operator, author or admin, everywhere or in a namespace
    #[arg(long, value_name = "ROLE|ROLE@NAMESPACE")]
    pub(crate) grant: Vec<String>,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrincipalKindName {
    /// A program
    Service,
    /// A person
    User,
}

/// `tutti principals delete`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tutti principals delete svc_01k3v9zrs6q5tt4q4mkb5e7kgr")]
pub(crate) struct DeletePrincipalArguments {
    /// The principal's id
    #[arg(value_name = "PRINCIPAL")]
    pub(crate) principal: PrincipalId,
    /// Which server.
    #[command(flatten)]
    pub(crate) server: ConnectionArguments,
}
