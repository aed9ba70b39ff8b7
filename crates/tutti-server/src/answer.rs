//! Answers: JSON, problems, and what errors from below are to a caller.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use serde::Serialize;
use tutti_api::{Code, DocumentDiagnostic, PROBLEM_JSON, Problem};
use tutti_auth::Denied;
use tutti_dsl::{Diagnostic, Severity};
use tutti_runtime::{Error, PublishError, Refusal, Unread};

/// What a handler gives.
pub(crate) type Answer = Result<Response<Body>, Problem>;

/// An answer in JSON.
pub(crate) fn json(status: u16, body: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(body) {
        Ok(bytes) => raw(status, "application/json", bytes),
        Err(_unwritable) => problem(&Problem::new(Code::Internal, "the answer cannot be written")),
    }
}

/// An answer of bytes.
pub(crate) fn raw(status: u16, kind: &'static str, bytes: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(bytes.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// An answer without a body.
pub(crate) fn nothing() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A problem as an answer.
pub(crate) fn problem(problem: &Problem) -> Response<Body> {
    let bytes = serde_json::to_vec(problem).unwrap_or_default();
    let mut response = raw(problem.status, PROBLEM_JSON, bytes);
    if problem.code == Code::Unauthenticated {
        let scheme = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    if matches!(problem.code, Code::TooMany | Code::Unavailable) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// The same answer with one more header; a value that is none is left out.
pub(crate) fn with_header(
    mut response: Response<Body>,
    name: HeaderName,
    value: &str,
) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// There is no such thing, or none that the caller may know of.
pub(crate) fn not_found(what: &str) -> Problem {
    Problem::new(Code::NotFound, format!("there is no {what}"))
}

/// The request is not what the operation takes.
pub(crate) fn invalid(detail: impl Into<Box<str>>) -> Problem {
    Problem::new(Code::InvalidRequest, detail)
}

/// What the store could not do.
pub(crate) fn of_store(error: &tutti_store::Error) -> Problem {
    use tutti_store::Error as Store;
    match error {
        Store::Stale { .. } => {
            Problem::new(Code::NotNow, "somebody else changed it at the same time")
                .hint("look at it as it is now, and ask again")
        }
        Store::Ambiguous { .. } => {
            Problem::new(Code::Internal, "it cannot be told whether this was stored")
        }
        Store::Unknown { execution } => not_found(&format!("execution {execution}")),
        Store::NotEnded { execution } => {
            Problem::new(Code::NotNow, format!("{execution} has not ended"))
        }
        Store::Erased { execution } => {
            Problem::new(Code::NotNow, format!("what {execution} worked with was erased"))
        }
        Store::Conflict { .. } | Store::Damaged(_) | Store::Corrupt { .. } => {
            Problem::new(Code::Internal, "what is stored cannot be read")
                .hint("`tutti store verify` lists what does not hold")
        }
        Store::Unavailable { .. } => Problem::new(Code::Unavailable, "the store does not answer"),
    }
}

/// What the runtime could not do.
pub(crate) fn of_runtime(error: &Error) -> Problem {
    match error {
        Error::Refused(Refusal::NotFound(execution)) => {
            not_found(&format!("execution {execution}"))
        }
        Error::Refused(Refusal::Rejected(rejection)) => {
            Problem::new(Code::NotNow, rejection.to_string())
        }
        Error::Refused(Refusal::Unreadable(reason)) => {
            Problem::new(Code::Internal, format!("the execution cannot be read: {reason}"))
        }
        Error::Stopped { .. } | Error::Start { .. } => {
            Problem::new(Code::Unavailable, "the runtime has stopped")
        }
    }
}

/// What could not be read.
pub(crate) fn of_unread(error: &Unread) -> Problem {
    match error {
        Unread::Store(error) => of_store(error),
        Unread::Damaged(reason) => {
            Problem::new(Code::Internal, format!("the execution cannot be read: {reason}"))
        }
    }
}

/// What may not be. What a caller may not know of is told as what is not there.
pub(crate) fn of_denied(denied: &Denied, what: &str) -> Problem {
    if denied.may_know_it_exists() {
        Problem::new(Code::Forbidden, denied.to_string())
    } else {
        not_found(what)
    }
}

/// What is wrong with a document.
pub(crate) fn of_publishing(error: &PublishError) -> Problem {
    match error {
        PublishError::Invalid { diagnostics } => {
            let errors = diagnostics.iter().filter(|it| it.severity() == Severity::Error).count();
            let detail = match errors {
                0 => "the document needs something from elsewhere that was not loaded".to_owned(),
                1 => "the document has an error".to_owned(),
                count => format!("the document has {count} errors"),
            };
            let mut problem = Problem::new(Code::InvalidWorkflow, detail);
            problem.diagnostics = diagnostics.iter().map(diagnostic).collect();
            problem
        }
        PublishError::Conflict { name, published } => {
            Problem::new(Code::VersionTaken, format!("{name} is published with digest {published}"))
                .hint("raise `document.version`: `tutti apply --bump patch` does")
        }
    }
}

/// A diagnostic on the wire.
pub(crate) fn diagnostic(diagnostic: &Diagnostic) -> DocumentDiagnostic {
    DocumentDiagnostic {
        severity: match diagnostic.severity() {
            Severity::Error => "error".to_owned(),
            Severity::Warning => "warning".to_owned(),
        },
        code: diagnostic.code.as_str().to_owned(),
        message: diagnostic.message.clone(),
        hint: diagnostic.hint.clone(),
        line: diagnostic.span.line,
        column: diagnostic.span.column,
        pointer: diagnostic.pointer.clone(),
    }
}
