//! Requests and responses until there is one to report: redirects, challenges, connections gone stale.

use std::{error::Error as _, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, StatusCode,
    header::{CONTENT_LENGTH, LOCATION},
};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tutti_expr::Value;
use tutti_journal::{Effect, Error, ErrorType};

use super::{
    authentication::Authenticator,
    outcome::{Progress, Trouble},
    outgoing::{Outgoing, header_object},
};
use crate::guard::{ConnectError, Guard, Link, Origin};

/// The most redirects that are followed.
const MOST_REDIRECTS: usize = 10;

/// A body nobody wants is read up to here to keep the connection.
const WORTH_READING: usize = 64 * 1024;

/// A kept connection is used for `once` calls only this soon after its last use: a server may close one that idles at
/// the very moment we write to it, and then nobody could tell whether the call was made.
const IDLE_FOR_ONCE: Duration = Duration::from_secs(2);

/// The same for calls that can be made again.
const IDLE: Duration = Duration::from_secs(25);

/// One call's way through the network.
pub(super) struct Exchange<'a> {
    pub(super) guard: &'a Guard,
    pub(super) effect: Effect,
    pub(super) redirect: bool,
    /// The largest body, in bytes, before and after decompression.
    pub(super) limit: usize,
    pub(super) progress: &'a Progress,
    /// Told about each response.
    pub(super) told: &'a (dyn Fn(String) + Sync),
}

/// The last response, read whole, and the request it answers.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// `method`, `uri` and `headers`.
    pub(super) request: Value,
    /// For messages: method and origin.
    pub(super) subject: String,
}

impl Exchange<'_> {
    /// Sends `outgoing` and what follows from it.
    pub(super) async fn run(
        &self,
        mut outgoing: Outgoing,
        mut authenticator: Authenticator<'_>,
    ) -> Result<Answer, Trouble> {
        let mut redirects = 0;
        loop {
            let (response, sent, mut link) = self.send(&outgoing, &mut authenticator).await?;
            let (head, body) = response.into_parts();
            let origin = outgoing.target.origin.clone();
            let subject = format!("{} {origin}", outgoing.method);
            (self.told)(format!("{subject} answered {}", head.status));
            if head.status == StatusCode::UNAUTHORIZED
                && authenticator.is_challenged(&origin, &head.headers)
            {
                self.discard(&origin, link, body).await;
                self.progress.begin_again();
                continue;
            }
            if let Some(location) = self.followed(head.status, &head.headers) {
                if redirects == MOST_REDIRECTS {
                    return Err(Trouble::known(broken(format!(
                        "{subject} redirected more than {MOST_REDIRECTS} times"
                    ))));
                }
                redirects += 1;
                self.discard(&origin, link, body).await;
                self.follow(&mut outgoing, head.status, location, &subject)?;
                continue;
            }
            let body = self.read(&mut link, body, &head.headers, &subject).await?;
            self.guard.keep(&origin, link);
            let request = Value::object([
                ("method", Value::from(outgoing.method.as_str())),
                ("uri", Value::from(outgoing.target.as_str())),
                ("headers", header_object(&sent)),
            ]);
            return Ok(Answer {
                status: head.status,
                headers: head.headers,
                body,
                request,
                subject,
            });
        }
    }

    /// Sends one request; again on a new connection if one from the pool turned out closed and nothing is at stake.
    async fn send(
        &self,
        outgoing: &Outgoing,
        authenticator: &mut Authenticator<'_>,
    ) -> Result<(http::Response<Incoming>, HeaderMap, Link), Trouble> {
        let origin = &outgoing.target.origin;
        let request = outgoing.request(authenticator).map_err(|error| {
            Trouble::unclear(Error::new(ErrorType::Validation, error.to_string()))
        })?;
        let sent = request.headers().clone();
        let idle = if self.effect == Effect::Once { IDLE_FOR_ONCE } else { IDLE };
        if let Some(mut link) = self.guard.pooled(origin, idle) {
            self.progress.watch(link.departure());
            match link.send(request.clone()).await {
                Ok(response) => return Ok((response, sent, link)),
                Err(error) => {
                    let repeatable = self.effect != Effect::Once || !link.departure().happened();
                    if error.is_parse() || !repeatable {
                        return Err(self.broke(outgoing, &error));
                    }
                    self.progress.begin_again();
                }
            }
        }
        let mut link = self.guard.connect(origin).await.map_err(|error| refused(&error))?;
        self.progress.watch(link.departure());
        match link.send(request).await {
            Ok(response) => Ok((response, sent, link)),
            Err(error) => Err(self.broke(outgoing, &error)),
        }
    }

    fn broke(&self, outgoing: &Outgoing, error: &hyper::Error) -> Trouble {
        let subject = format!("{} {}", outgoing.method, outgoing.target.origin);
        let when = if self.progress.has_left() { "after" } else { "before" };
        let what =
            if error.is_parse() { "the response is not HTTP" } else { "the connection broke" };
        Trouble::unclear(broken(format!("{subject}: {what} {when} the request was sent")))
    }

    /// Where a response sends us, if we go there.
    fn followed<'h>(&self, status: StatusCode, headers: &'h HeaderMap) -> Option<&'h [u8]> {
        let redirects = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
        if !self.redirect || !redirects {
            return None;
        }
        headers.get(LOCATION).map(http::HeaderValue::as_bytes)
    }

    fn follow(
        &self,
        outgoing: &mut Outgoing,
        status: StatusCode,
        location: &[u8],
        subject: &str,
    ) -> Result<(), Trouble> {
        let target = outgoing.join(&String::from_utf8_lossy(location)).map_err(|error| {
            Trouble::known(broken(format!("{subject} redirected to a place that {error}")))
        })?;
        match outgoing.redirect(status.as_u16(), target) {
            Ok(true) => self.progress.begin_again(),
            Ok(false) => self.progress.result_is_elsewhere(),
            Err(_secret) => {
                return Err(Trouble::known(broken(format!(
                    "{subject} redirected to another origin, which may not get the secret in the body"
                ))));
            }
        }
        Ok(())
    }

    /// Reads a whole body within the limit.
    async fn read(
        &self,
        link: &mut Link,
        mut body: Incoming,
        headers: &HeaderMap,
        subject: &str,
    ) -> Result<Bytes, Trouble> {
        let too_large = || {
            let limit = self.limit;
            Trouble::known(broken(format!("{subject}: the response is larger than {limit} bytes")))
        };
        if declared(headers).is_some_and(|length| length > self.limit) && !link_is_head(&body) {
            return Err(too_large());
        }
        let mut bytes = BytesMut::new();
        while let Some(frame) = link.drive(body.frame()).await {
            let frame = frame.map_err(|_error| {
                Trouble::unclear(broken(format!(
                    "{subject}: the connection broke within the response"
                )))
            })?;
            if let Ok(data) = frame.into_data() {
                if bytes.len() + data.len() > self.limit {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&data);
            }
        }
        Ok(bytes.freeze())
    }

    /// Reads a body nobody wants if that is short, so that the connection can be used again.
    async fn discard(&self, origin: &Origin, mut link: Link, mut body: Incoming) {
        let mut length = 0;
        while let Some(frame) = link.drive(body.frame()).await {
            let Ok(frame) = frame else { return };
            length += frame.data_ref().map_or(0, Bytes::len);
            if length > WORTH_READING {
                return;
            }
        }
        self.guard.keep(origin, link);
    }
}

/// A `communication` error.
pub(super) fn broken(detail: String) -> Error {
    Error::new(ErrorType::Communication, detail)
}

/// A response to HEAD declares a length and has no body.
fn link_is_head(body: &Incoming) -> bool {
    hyper::body::Body::is_end_stream(body)
}

fn declared(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn refused(error: &ConnectError) -> Trouble {
    let detail = match error.source() {
        Some(source) if !matches!(error, ConnectError::Denied { .. }) => {
            format!("{error}: {source}")
        }
        _ => error.to_string(),
    };
    Trouble::unclear(match error {
        ConnectError::Denied { .. } => Error::new(ErrorType::PolicyDenied, detail),
        _ => broken(detail),
    })
}
