//! The one way in: who asks, whether they may, what they send within limits; then the handler, with the proof.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderName, Request, Response, header, request::Parts},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use tutti_api::{Code, Input, Operation, Problem};
use tutti_auth::{
    Action, Caller, Denied, Refusal, Timestamp, TokenText, authorize, authorize_everywhere,
};
use tutti_ids::{ExecutionId, Name};
use tutti_store::{Commit, Listed};

use crate::{
    answer::{self, Answer, not_found, of_denied, of_store},
    asked::{Asked, short},
    audit::Deed,
    desk::{Access, Desk, everybody},
    log::{LogLevel, LogRecord},
    roster::Shown,
    routes::{Route, route},
};

/// The largest body of a request, in bytes.
const MAX_BODY: usize = 1024 * 1024;
/// How long a client may take for the body of a request.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest document, in bytes.
const MAX_DOCUMENT: usize = 512 * 1024;

/// What came in by the network.
pub(crate) struct Arrival {
    pub(crate) request: Request<Body>,
    /// What stands for the parts of the path in braces.
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) address: Option<IpAddr>,
}

/// The header of every answer that has the id of the request.
const REQUEST: HeaderName = HeaderName::from_static("tutti-request");

/// Answers a request to an operation.
pub(crate) async fn enter(
    desk: Arc<Desk>,
    operation: Operation,
    arrival: Arrival,
) -> Response<Body> {
    let (log, request, address) = (desk.log.clone(), desk.request_ids.draw(), arrival.address);
    let answer = pass(desk, operation, arrival, &request).await;
    // What an execution ended with is an answer; a problem of the server's own is an error.
    let level = match &answer {
        Err(problem) if problem.status >= 500 => LogLevel::Error,
        _ => LogLevel::Debug,
    };
    let code = answer.as_ref().err().map(|problem| problem.code);
    let response = answer.unwrap_or_else(|problem| answer::problem(&problem));
    if log.takes(level) {
        let record = LogRecord::new(level, "request answered")
            .with("operation", operation.name())
            .with("status", response.status().as_u16())
            .with("code", code.map(Code::as_str))
            .with("request", request.as_str())
            .with("address", address.map(|address| address.to_string()));
        log.write(record);
    }
    answer::with_header(response, REQUEST, &request)
}

async fn pass(desk: Arc<Desk>, operation: Operation, arrival: Arrival, request_id: &str) -> Answer {
    let Arrival { request, path, address } = arrival;
    let (parts, body) = request.into_parts();
    let line = Line { parts, path, address, request: request_id.to_owned() };
    let route = route(operation);
    if let Route::Anybody(handler) = route {
        return handler(asked(desk, None, line, Bytes::new())).await;
    }
    let known = know(&desk, &line.parts);
    let (caller, setup) = match (known, &route) {
        (Ok(Shown::Setup(setup)), Route::Setup(_)) => (None, Some(setup)),
        (Ok(Shown::Caller(caller)), _) => (Some(caller), None),
        (Ok(Shown::Setup(_)), _) => {
            return Err(unknown("the setup token only creates the first administrator"));
        }
        (Err(Stranger::Anonymous), _) => {
            desk.metrics.refused(Refusal::Anonymous);
            return Err(unknown("no token was shown"));
        }
        (Err(Stranger::Refused(refusal)), _) => {
            let asked = asked(desk, None, line, Bytes::new());
            asked.write_down_refusal(Action::TokenUseFailed, operation, None, refusal).await;
            return Err(unknown("the token is not good"));
        }
    };
    // Nothing is read of what a stranger sends.
    let body = read(body, operation).await?;
    let asked = asked(desk, caller, line, body);
    match route {
        Route::Anybody(handler) => handler(asked).await,
        Route::Setup(handler) => match setup {
            Some(setup) => handler(asked, setup).await,
            None => Err(Problem::new(Code::NotNow, "there is an administrator already")),
        },
        Route::Known(handler) => {
            let caller = asked.caller()?;
            handler(asked, caller).await
        }
        Route::Within(permission, handler) => {
            let namespace = asked.name("namespace")?;
            match authorize(&asked.caller()?, permission, &namespace) {
                Ok(proof) => handler(asked, proof).await,
                Err(denied) => {
                    let what = format!("namespace {namespace}");
                    Err(asked.denied(operation, Some(&namespace), &denied, &what).await)
                }
            }
        }
        Route::Of(permission, handler) => {
            let listed = asked.execution().await?;
            let namespace = listed.projection.definition.namespace.clone();
            match authorize(&asked.caller()?, permission, &namespace) {
                Ok(proof) => handler(asked, proof, listed).await,
                Err(denied) => {
                    let what = format!("execution {}", listed.execution);
                    Err(asked.denied(operation, Some(&namespace), &denied, &what).await)
                }
            }
        }
        Route::Everywhere(permission, handler) => {
            match authorize_everywhere(&asked.caller()?, permission) {
                Ok(proof) => handler(asked, proof).await,
                Err(denied) => Err(asked.denied(operation, None, &denied, "such path").await),
            }
        }
    }
}

/// Who cannot be known.
enum Stranger {
    Anonymous,
    Refused(Refusal),
}

fn know(desk: &Desk, parts: &Parts) -> Result<Shown, Stranger> {
    if desk.access == Access::Everybody {
        return Ok(Shown::Caller(everybody()));
    }
    let header = parts.headers.get(header::AUTHORIZATION).ok_or(Stranger::Anonymous)?;
    let refused = Stranger::Refused(Refusal::TokenUnknown);
    let Some(text) = header.to_str().ok().and_then(|text| TokenText::from_header(text).ok()) else {
        return Err(refused);
    };
    let now = Timestamp(desk.clock.now().0);
    desk.roster.know(&text, now).map_err(|why| Stranger::Refused(why.into()))
}

fn unknown(why: &str) -> Problem {
    Problem::new(Code::Unauthenticated, why).hint("show one: `Authorization: Bearer TOKEN`")
}

/// Reads a body, as far as the operation takes one.
async fn read(body: Body, operation: Operation) -> Result<Bytes, Problem> {
    let limit = match operation.input() {
        Input::Nothing => 0,
        Input::Document => MAX_DOCUMENT,
        Input::Events | Input::Optional(_) | Input::Json(_) => MAX_BODY,
    };
    let too_large = || match limit {
        0 => Problem::new(Code::InvalidRequest, "this takes no body"),
        limit => Problem::new(Code::TooLarge, format!("the body is larger than {limit} bytes")),
    };
    let read = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, limit).collect());
    let Ok(read) = read.await else {
        return Err(Problem::new(Code::InvalidRequest, "the body took too long"));
    };
    match read {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Err(_broken_off) => Err(Problem::new(Code::InvalidRequest, "the body broke off")),
    }
}

/// A request without its body.
struct Line {
    parts: Parts,
    path: BTreeMap<String, String>,
    address: Option<IpAddr>,
    request: String,
}

fn asked(desk: Arc<Desk>, caller: Option<Caller>, line: Line, body: Bytes) -> Asked {
    let Line { parts, path, address, request } = line;
    let query = parts.uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty());
    let query = query.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    });
    let (query, headers) = (query.collect(), parts.headers);
    Asked { desk, caller, path, query, headers, body, address, request }
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

impl Asked {
    /// Who asks; the gate let nobody else in.
    fn caller(&self) -> Result<Caller, Problem> {
        self.caller.clone().ok_or_else(|| unknown("no token was shown"))
    }

    /// The execution of the path, as it stands.
    async fn execution(&self) -> Result<Listed, Problem> {
        let text = self.part("id");
        let missing = || not_found(&format!("execution `{}`", short(text)));
        let id: ExecutionId = text.parse().map_err(|_malformed| missing())?;
        let found = self.desk.store.standing(id).await.map_err(|error| of_store(&error))?;
        found.ok_or_else(missing)
    }

    /// Writes down that somebody asked for what it may not, and says what it is told.
    async fn denied(
        &self,
        operation: Operation,
        namespace: Option<&Name>,
        denied: &Denied,
        what: &str,
    ) -> Problem {
        let refusal = Refusal::from(denied);
        self.write_down_refusal(Action::AccessDeny, operation, namespace, refusal).await;
        of_denied(denied, what)
    }

    fn log_refusal(&self, operation: Operation, why: Refusal, passed_over: u64) {
        let record = LogRecord::new(LogLevel::Warn, "request refused")
            .with("operation", operation.name())
            .with("reason", why.as_str())
            .with("principal", self.caller.as_ref().map(|caller| caller.principal().to_string()))
            .with("address", self.address.map(|address| address.to_string()))
            .with("request", self.request.as_str())
            .with("passedOver", passed_over);
        self.desk.log.write(record);
    }

    async fn write_down_refusal(
        &self,
        action: Action,
        operation: Operation,
        namespace: Option<&Name>,
        refusal: Refusal,
    ) {
        self.desk.metrics.refused(refusal);
        let Some(passed_over) = self.desk.refusals.note(self.desk.clock.now()) else {
            return self.desk.metrics.refusal_passed_over();
        };
        self.log_refusal(operation, refusal, passed_over);
        let more = format!("{} ({passed_over} more refusals before)", operation.name());
        let subject = if passed_over > 0 { more.as_str() } else { operation.name() };
        let deed = Deed { action, namespace, subject, execution: None, reason: None };
        let audit = vec![self.refused(&deed, refusal)];
        // The refusal stands either way; where the store does not answer, it cannot be written down.
        self.desk.store.commit(Commit { audit, ..Commit::default() }).await.ok();
    }
}
