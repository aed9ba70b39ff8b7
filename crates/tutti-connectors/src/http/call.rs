//! One `call: http` from arguments to output.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::time::timeout;
use tutti_expr::Value;
use tutti_journal::{Effect, Error, ErrorType};

use super::{
    authentication::Authenticator,
    config::{Arguments, Credentials, Output},
    content::{ContentError, ReadText, content, decompressed, raw},
    digest::hexadecimal,
    exchange::{Answer, Exchange, broken},
    outcome::{Progress, Trouble, outcome_unknown},
    outgoing::{Outgoing, header_object},
};
use crate::{
    BoxFuture, Call, CallContext, Connector, Failure, Guard, LogLine, LogStream, Probe,
    redact::Secrets,
};

/// As much of a refusing response's content as its error carries, in bytes.
const MOST_IN_ERROR: usize = 16 * 1024;

/// How HTTP calls are bounded.
#[derive(Debug, Clone, Copy)]
pub struct HttpOptions {
    /// The longest a call may take, redirects included.
    pub timeout: Duration,
    /// The largest response, in bytes, before and after decompression.
    pub response_limit: usize,
    /// Who reads content that is YAML, with limits of its own; without one it stays text.
    pub read_yaml: Option<ReadText>,
}

impl Default for HttpOptions {
    /// 30 seconds, 8 MiB, and YAML stays text.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), response_limit: 8 * 1024 * 1024, read_yaml: None }
    }
}

/// Serves `call: http`.
#[derive(Debug)]
pub struct Http {
    guard: Guard,
    options: HttpOptions,
}

impl Http {
    /// A connector whose connections `guard` opens.
    pub fn new(guard: Guard, options: HttpOptions) -> Self {
        Self { guard, options }
    }

    async fn make(&self, call: Call, context: CallContext) -> Result<Value, Failure> {
        let secrets = Secrets::of(&call.arguments, &call.secrets);
        let arguments = Arguments::read(&call.arguments)
            .map_err(|error| Failure::Known(secrets.clean(error)))?;
        if context.cancellation.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        let secrets = with_credentials(secrets, arguments.credentials.as_ref());
        let host = arguments.target.origin.host.to_string();
        let uri = call.arguments.get("uri").unwrap_or(&Value::NULL);
        let secrets = secrets.and_host(uri, host);
        let progress = Progress::default();
        let mut cancellation = context.cancellation.clone();
        let exchange = self.exchange(&call, &context, &arguments, &secrets, &progress);
        let outcome = tokio::select! {
            biased;
            outcome = Box::pin(timeout(self.options.timeout, exchange)) => outcome,
            () = cancellation.cancelled() => {
                return Err(clean(cancelled(call.effect, &progress), &secrets));
            }
        };
        outcome
            .unwrap_or_else(|_elapsed| Err(self.timed_out()))
            .map(|output| secrets.mark(output))
            .map_err(|trouble| clean(trouble.settle(call.effect, &progress), &secrets))
    }

    async fn exchange(
        &self,
        call: &Call,
        context: &CallContext,
        arguments: &Arguments,
        secrets: &Secrets,
        progress: &Progress,
    ) -> Result<Value, Trouble> {
        let outgoing = Outgoing::new(arguments, call).map_err(Trouble::known)?;
        let credentials = arguments.credentials.as_ref();
        let origin = outgoing.target.origin.clone();
        let authenticator = Authenticator::new(credentials, origin, chance(&call.key));
        let told = |text: String| {
            let text = secrets.redact(&text);
            let line = LogLine {
                execution: call.execution,
                task: call.task,
                stream: LogStream::Connector,
                text,
            };
            // A full channel loses a line of progress rather than hold up the call.
            drop(context.log.try_send(line));
        };
        let exchange = Exchange {
            guard: &self.guard,
            effect: call.effect,
            redirect: arguments.redirect,
            limit: self.options.response_limit,
            progress,
            told: &told,
        };
        let answer = exchange.run(outgoing, authenticator).await?;
        self.output(answer, arguments, secrets)
    }

    /// The output of an answer, or the error it amounts to.
    fn output(
        &self,
        mut answer: Answer,
        arguments: &Arguments,
        secrets: &Secrets,
    ) -> Result<Value, Trouble> {
        let status = answer.status;
        let accepted = status.is_success() || (arguments.redirect && status.is_redirection());
        let decompressed =
            decompressed(&answer.headers, answer.body.clone(), self.options.response_limit);
        if !accepted {
            answer.body = decompressed.unwrap_or_default();
            let error = refusal(&answer, secrets, self.options.read_yaml);
            return Err(Trouble::status(status.as_u16(), error));
        }
        let unreadable = |error| {
            Trouble::known(broken(format!("{}: the response {}", answer.subject, told(&error))))
        };
        let body = decompressed.map_err(unreadable)?;
        let content = match arguments.output {
            Output::Raw => raw(&body),
            Output::Content | Output::Response => {
                content(&answer.headers, &body, self.options.read_yaml).map_err(unreadable)?
            }
        };
        let content = marked(content, &body, secrets);
        Ok(match arguments.output {
            Output::Raw | Output::Content => content,
            Output::Response => Value::object([
                ("request", answer.request),
                ("statusCode", Value::from(i64::from(status.as_u16()))),
                ("headers", header_object(&answer.headers)),
                ("content", content),
            ]),
        })
    }

    fn timed_out(&self) -> Trouble {
        let seconds = self.options.timeout.as_secs_f64();
        let detail = format!("no complete response within {seconds} s");
        Trouble::unclear(Error::new(ErrorType::Timeout, detail))
    }
}

impl Connector for Http {
    fn function(&self) -> &'static str {
        "http"
    }

    fn call(&self, call: Call, context: CallContext) -> BoxFuture<'_, Result<Value, Failure>> {
        Box::pin(self.make(call, context))
    }

    /// HTTP has no way to ask what became of a request.
    fn probe(&self, _call: Call, _context: CallContext) -> BoxFuture<'_, Probe> {
        Box::pin(async { Probe::Unknown })
    }
}

fn with_credentials(secrets: Secrets, credentials: Option<&Credentials>) -> Secrets {
    match credentials {
        Some(Credentials::Basic { username, password }) => {
            use base64::{Engine, engine::general_purpose::STANDARD};
            secrets.and(STANDARD.encode(format!("{username}:{password}")))
        }
        _ => secrets,
    }
}

fn cancelled(effect: Effect, progress: &Progress) -> Failure {
    if !progress.has_left() {
        return Failure::Cancelled;
    }
    let error = Error::new(ErrorType::Timeout, "cancelled before the response came");
    match effect {
        Effect::Once => Failure::Unknown(outcome_unknown(&error)),
        Effect::Read | Effect::Idempotent => Failure::Known(error),
    }
}

fn clean(failure: Failure, secrets: &Secrets) -> Failure {
    match failure {
        Failure::Known(error) => Failure::Known(secrets.clean(error)),
        Failure::Unknown(error) => Failure::Unknown(secrets.clean(error)),
        Failure::Cancelled => Failure::Cancelled,
    }
}

/// The error of a response outside the accepted range.
fn refusal(answer: &Answer, secrets: &Secrets, read_yaml: Option<ReadText>) -> Error {
    let response = Value::object([
        ("statusCode", Value::from(i64::from(answer.status.as_u16()))),
        ("headers", header_object(&answer.headers)),
        ("content", excerpt(answer, secrets, read_yaml)),
    ]);
    broken(format!("{} answered {}", answer.subject, answer.status))
        .with_status(answer.status.as_u16())
        .with("response", response)
}

/// The content if it is small, else the beginning of its text.
fn excerpt(answer: &Answer, secrets: &Secrets, read_yaml: Option<ReadText>) -> Value {
    let body = &answer.body;
    if let Some(start) = body.get(..MOST_IN_ERROR) {
        let text = String::from_utf8_lossy(start).into_owned();
        return marked(Value::from(text), body, secrets);
    }
    let content = content(&answer.headers, body, read_yaml)
        .unwrap_or_else(|_error| Value::from(String::from_utf8_lossy(body).into_owned()));
    marked(content, body, secrets)
}

/// Content in an encoded or shortened form is a secret if the bytes behind it hold one.
fn marked(content: Value, body: &[u8], secrets: &Secrets) -> Value {
    if content.as_str().is_some() && secrets.are_in(body) {
        content.tainted()
    } else {
        secrets.mark(content)
    }
}

/// What is wrong with content, and where.
fn told(error: &ContentError) -> String {
    match error {
        ContentError::Yaml { source } => format!("{error}: {source}"),
        _ => error.to_string(),
    }
}

/// Something nobody can foresee, for the client's part of a digest.
fn chance(key: &str) -> String {
    let random = RandomState::new().hash_one(key).to_le_bytes();
    let digest = Sha256::new().chain_update(random).chain_update(key).finalize();
    hexadecimal(digest.get(..16).unwrap_or_default())
}
