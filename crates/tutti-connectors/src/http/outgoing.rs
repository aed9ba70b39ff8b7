//! The request as it goes out: its body and headers.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request,
    header::{
        ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT,
    },
};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tutti_expr::{Kind, Value};
use tutti_journal::Error;

use super::{
    authentication::Authenticator,
    config::{Arguments, Header, parameters},
};
use crate::{
    Call,
    arguments::invalid,
    guard::{InvalidTarget, Target},
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const ATTEMPT: HeaderName = HeaderName::from_static("tutti-attempt");

/// What may stand unescaped in a form or query.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request that can be sent more than once: to follow redirects and to answer challenges.
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) target: Target,
    headers: Vec<Header>,
    body: Option<Body>,
}

#[derive(Clone)]
struct Body {
    bytes: Bytes,
    secret: bool,
}

impl Outgoing {
    /// What `arguments` ask for.
    pub(super) fn new(arguments: &Arguments, call: &Call) -> Result<Self, Error> {
        let target = arguments
            .target
            .with_query(&encoded(&arguments.query))
            .map_err(|error| invalid(format!("the endpoint's URI with its query {error}")))?;
        let mut headers = arguments.headers.clone();
        let body = body(arguments, &mut headers)?;
        default(&mut headers, IDEMPOTENCY_KEY, key(&call.key)?);
        headers.retain(|header| header.name != ATTEMPT);
        default(&mut headers, ATTEMPT, HeaderValue::from(call.attempt));
        let agent = concat!("tutti/", env!("CARGO_PKG_VERSION"));
        default(&mut headers, USER_AGENT, HeaderValue::from_static(agent));
        default(&mut headers, ACCEPT, HeaderValue::from_static("*/*"));
        default(&mut headers, ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate"));
        Ok(Self { method: arguments.method.clone(), target, headers, body })
    }

    /// The request to send next.
    pub(super) fn request(
        &self,
        authenticator: &mut Authenticator<'_>,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let path = self.target.path_and_query();
        let body = self.body.as_ref().map(|body| body.bytes.clone()).unwrap_or_default();
        let expected = matches!(self.method, Method::POST | Method::PUT | Method::PATCH);
        let length = (expected || self.body.is_some()).then(|| HeaderValue::from(body.len()));
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(path.as_str())
            .body(Full::new(body))?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::try_from(self.target.origin.authority())?);
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, length);
        }
        for header in &self.headers {
            headers.append(header.name.clone(), header.value.clone());
        }
        let origin = &self.target.origin;
        if let Some(value) = authenticator.header(origin, self.method.as_str(), &path) {
            headers.insert(Authenticator::HEADER, value);
        }
        Ok(request)
    }

    /// Goes to `target` instead, as a redirect with `status` asks; whether the method stays, and so the effect is still
    /// to come.
    ///
    /// # Errors
    /// If that would send a secret in the body to another origin.
    pub(super) fn redirect(&mut self, status: u16, target: Target) -> Result<bool, CarriesSecret> {
        let rewritten = match status {
            301 | 302 => self.method == Method::POST,
            303 => self.method != Method::GET && self.method != Method::HEAD,
            _ => false,
        };
        if rewritten {
            self.method = Method::GET;
            self.body = None;
            self.headers
                .retain(|header| header.name != CONTENT_TYPE && header.name != CONTENT_ENCODING);
        }
        if target.origin != self.target.origin {
            if self.body.as_ref().is_some_and(|body| body.secret) {
                return Err(CarriesSecret);
            }
            self.headers.retain(|header| !header.secret);
        }
        self.target = target;
        Ok(!rewritten)
    }

    /// Where a `Location` leads from here.
    pub(super) fn join(&self, location: &str) -> Result<Target, InvalidTarget> {
        self.target.join(location)
    }
}

/// A redirect would pass a secret on to another origin.
#[derive(Debug, Clone, Copy)]
pub(super) struct CarriesSecret;

/// The headers as an object of strings: lower-case names, several values joined.
pub(super) fn header_object(headers: &HeaderMap) -> Value {
    Value::object(headers.keys().map(|name| {
        let values: Vec<_> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        let secret = headers.get_all(name).iter().any(HeaderValue::is_sensitive);
        let value = Value::from(values.join(", "));
        (name.as_str(), if secret { value.tainted() } else { value })
    }))
}

fn key(key: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(key).map_err(|_error| invalid("the idempotency key is no header".into()))
}

fn default(headers: &mut Vec<Header>, name: HeaderName, value: HeaderValue) {
    if !headers.iter().any(|header| header.name == name) {
        headers.push(Header { name, value, secret: false });
    }
}

/// A string goes as it is, a form as the author's content type asks, anything else as JSON.
fn body(arguments: &Arguments, headers: &mut Vec<Header>) -> Result<Option<Body>, Error> {
    let Some(value) = &arguments.body else { return Ok(None) };
    let asked = arguments.header(&CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = asked.is_some_and(|asked| {
        let essence = asked.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    let (text, media_type) = match value.kind() {
        Kind::String(text) => (text.to_string(), "text/plain; charset=utf-8"),
        Kind::Object(object) if is_form => (encoded(&parameters(object)?), ""),
        _ => (value.to_json(), "application/json"),
    };
    default(headers, CONTENT_TYPE, HeaderValue::from_static(media_type));
    Ok(Some(Body { bytes: Bytes::from(text), secret: value.is_tainted() }))
}

fn encoded(pairs: &[(String, String)]) -> String {
    let escape = |text| utf8_percent_encode(text, FORM);
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}
