//! Who makes calls, and how far outward calls may go.

mod measured;

pub(crate) use self::measured::measured;

use tutti_connectors::{Guard, GuardOptions, Policy, Registry, http, script, shell};
use tutti_expr::Value;

/// For what a person runs on a machine of one's own: everything but what is never reached.
pub(crate) const OWN_MACHINE: Policy = Policy { allow_loopback: true, allow_private: true };

/// All connectors, behind one guard.
pub(crate) fn all(policy: Policy) -> Registry {
    Registry::builder()
        .with(web(policy))
        .with(script::Script::new(script::ScriptOptions {
            launcher: std::env::current_exe().ok(),
            limits: script::ScriptLimits::default(),
        }))
        .with(shell::Shell)
        .build()
}

/// HTTP, for calls and for what documents name elsewhere.
pub(crate) fn web(policy: Policy) -> http::Http {
    let guard = Guard::new(GuardOptions { policy, ..GuardOptions::default() });
    let options = http::HttpOptions { read_yaml: Some(read_yaml), ..http::HttpOptions::default() };
    http::Http::new(guard, options)
}

/// YAML that a service answers with, read as strictly and within the same limits as a document.
fn read_yaml(text: &str) -> Result<Value, http::Unreadable> {
    tutti_dsl::parse_value(text).map_err(|diagnostics| {
        let first = diagnostics.iter().find(|d| d.severity() == tutti_dsl::Severity::Error);
        let (line, column) = first.map_or((1, 1), |first| (first.span.line, first.span.column));
        let what =
            first.map_or("it cannot be read", |first| first.code.summary().trim_end_matches('.'));
        http::Unreadable { line, column, what }
    })
}
