//! Errors of workflows: problem details (RFC 9457) as data.

use std::{fmt, sync::Arc};

use minicbor::{Decode, Encode};
use tutti_expr::Value;

use crate::{
    names,
    payload::{self, Payloads},
};

/// An error raised in an execution: problem details as the DSL uses them. Cheap to clone.
#[derive(Clone, PartialEq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub struct Error {
    /// A URI that names the kind of error.
    #[cbor(n(0), with = "names::text")]
    pub kind: Arc<str>,
    /// A status code in HTTP's sense.
    #[n(1)]
    pub status: u16,
    /// A short text for the kind.
    #[cbor(n(2), with = "payload::optional", has_nil)]
    pub title: Option<Value>,
    /// What happened this time.
    #[cbor(n(3), with = "payload::optional", has_nil)]
    pub detail: Option<Value>,
    /// The RFC 6901 pointer to the task that raised it.
    #[cbor(n(4), with = "names::text")]
    pub instance: Arc<str>,
    /// More members, such as `cause` or `exitCode`; an object.
    #[cbor(n(5), with = "payload::optional", has_nil)]
    pub extra: Option<Value>,
}

/// The error types of the language and our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorType {
    /// The definition or the engine's configuration is at fault.
    Configuration,
    /// Data does not fit its schema or a limit.
    Validation,
    /// A runtime expression failed.
    Expression,
    /// We could not prove who we are.
    Authentication,
    /// We may not.
    Authorization,
    /// Time ran out.
    Timeout,
    /// The other side failed or said no.
    Communication,
    /// The task itself failed.
    Runtime,
    /// Nobody knows whether a call that must not be repeated was made.
    OutcomeUnknown,
    /// A policy of ours forbids it.
    PolicyDenied,
    /// What a task did could not be undone.
    CompensationFailed,
}

impl ErrorType {
    const STANDARD: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/";

    /// The type's URI.
    pub fn uri(self) -> Arc<str> {
        match self {
            Self::OutcomeUnknown | Self::PolicyDenied | Self::CompensationFailed => {
                Arc::from(format!("tutti://errors/{}", self.name()))
            }
            standard => Arc::from(format!("{}{}", Self::STANDARD, standard.name())),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Validation => "validation",
            Self::Expression => "expression",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Timeout => "timeout",
            Self::Communication => "communication",
            Self::Runtime => "runtime",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::PolicyDenied => "policy-denied",
            Self::CompensationFailed => "compensation-failed",
        }
    }

    /// The type's default status.
    pub fn status(self) -> u16 {
        match self {
            Self::Configuration | Self::Validation | Self::Expression => 400,
            Self::Authentication => 401,
            Self::Authorization | Self::PolicyDenied => 403,
            Self::Timeout => 408,
            Self::Communication
            | Self::Runtime
            | Self::OutcomeUnknown
            | Self::CompensationFailed => 500,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Configuration => "Configuration error",
            Self::Validation => "Validation error",
            Self::Expression => "Expression error",
            Self::Authentication => "Authentication error",
            Self::Authorization => "Authorization error",
            Self::Timeout => "Timeout",
            Self::Communication => "Communication error",
            Self::Runtime => "Runtime error",
            Self::OutcomeUnknown => "Outcome unknown",
            Self::PolicyDenied => "Denied by policy",
            Self::CompensationFailed => "Compensation failed",
        }
    }
}

impl Error {
    /// An error of a known type with its default status and title; the engine fills in the instance.
    pub fn new(kind: ErrorType, detail: impl Into<Value>) -> Self {
        Self {
            kind: kind.uri(),
            status: kind.status(),
            title: Some(Value::from(kind.title())),
            detail: Some(detail.into()),
            instance: Arc::from(""),
            extra: None,
        }
    }

    /// This error with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// This error, raised by the task at `instance`.
    #[must_use]
    pub fn at(mut self, instance: impl Into<Arc<str>>) -> Self {
        self.instance = instance.into();
        self
    }

    /// This error with one more member.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        let members = self.extra.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
        let members = members.iter().map(|(key, value)| (key.clone(), value.clone()));
        self.extra = Some(Value::object(members.chain([(Arc::from(key), value.into())])));
        self
    }

    /// Whether this error is of this type.
    pub fn is(&self, kind: ErrorType) -> bool {
        self.kind == kind.uri()
    }

    /// The error as problem details: `type`, `status`, `title`, `detail`, `instance` and its other members.
    pub fn to_value(&self) -> Value {
        let mut members: Vec<(Arc<str>, Value)> = vec![
            (Arc::from("type"), Value::from(self.kind.clone())),
            (Arc::from("status"), Value::from(i64::from(self.status))),
        ];
        members.extend(self.title.clone().map(|title| (Arc::from("title"), title)));
        members.extend(self.detail.clone().map(|detail| (Arc::from("detail"), detail)));
        members.push((Arc::from("instance"), Value::from(self.instance.clone())));
        if let Some(extra) = self.extra.as_ref().and_then(Value::as_object) {
            members.extend(extra.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        Value::object(members)
    }
}

impl fmt::Debug for Error {
    /// Problem details with secrets redacted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_value(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_a_uri_and_a_status() {
        let check = |kind: ErrorType, uri: &str, status: u16| {
            let error = Error::new(kind, "detail");
            assert_eq!((&*error.kind, error.status, error.is(kind)), (uri, status, true));
        };
        let timeout = "https://serverlessworkflow.io/spec/1.0.0/errors/timeout";
        check(ErrorType::Timeout, timeout, 408);
        check(ErrorType::OutcomeUnknown, "tutti://errors/outcome-unknown", 500);
        check(ErrorType::PolicyDenied, "tutti://errors/policy-denied", 403);
    }
}
