//! The arguments of `call: http`, read strictly.

use http::{HeaderName, HeaderValue, Method};
use tutti_expr::{Kind, Object, Value};
use tutti_journal::{Error, ErrorType};

use crate::{
    arguments::{Members, invalid, scalar},
    guard::Target,
};

/// Headers that belong to the connection or the body's framing, not to the author.
const OURS: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What to call and how.
pub(super) struct Arguments {
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) headers: Vec<Header>,
    /// Parameters to add to the target's query.
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Option<Value>,
    pub(super) output: Output,
    pub(super) redirect: bool,
    pub(super) credentials: Option<Credentials>,
}

/// A header the author gave.
#[derive(Clone)]
pub(super) struct Header {
    pub(super) name: HeaderName,
    pub(super) value: HeaderValue,
    /// Whether it holds a secret, and so is bound to the origin it was meant for.
    pub(super) secret: bool,
}

/// What the call's output is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Raw,
    Content,
    Response,
}

/// How to say who we are.
pub(super) enum Credentials {
    Basic { username: String, password: String },
    Bearer { token: String },
    Digest { username: String, password: String },
}

impl Arguments {
    /// Reads evaluated arguments.
    pub(super) fn read(value: &Value) -> Result<Self, Error> {
        let mut members = Members::of(value, "with")?;
        let arguments = Self {
            method: method(members.text("method")?)?,
            target: target(members.text("uri")?)?,
            headers: members.object("headers")?.map_or(Ok(Vec::new()), headers)?,
            query: members.object("query")?.map_or(Ok(Vec::new()), parameters)?,
            body: members.optional("body").cloned(),
            output: output(members.optional_text("output")?)?,
            redirect: members.flag("redirect")?,
            credentials: members.optional("authentication").map(credentials).transpose()?,
        };
        members.finish()?;
        Ok(arguments)
    }

    /// The value of a header the author gave.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.headers.iter().find(|header| header.name == *name).map(|header| &header.value)
    }
}

/// Members of an object as pairs: scalars once, arrays once for each item, null not at all.
pub(super) fn parameters(object: &Object) -> Result<Vec<(String, String)>, Error> {
    let mut pairs = Vec::new();
    for (name, value) in object.iter() {
        for text in texts(value, name)? {
            pairs.push((name.to_string(), text));
        }
    }
    Ok(pairs)
}

fn method(text: &str) -> Result<Method, Error> {
    let method = Method::from_bytes(text.to_ascii_uppercase().as_bytes())
        .map_err(|_error| invalid(format!("`{text}` is not an HTTP method")))?;
    if method == Method::CONNECT {
        return Err(invalid("the method CONNECT cannot be called".to_owned()));
    }
    Ok(method)
}

fn target(uri: &str) -> Result<Target, Error> {
    Target::parse(uri).map_err(|error| invalid(format!("the endpoint's URI {error}")))
}

fn headers(object: &Object) -> Result<Vec<Header>, Error> {
    let mut headers = Vec::new();
    for (name, value) in object.iter() {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_error| invalid(format!("`{name}` is not the name of a header")))?;
        if OURS.contains(&header.as_str()) {
            return Err(invalid(format!("the header `{name}` is set by the connection itself")));
        }
        for text in texts(value, name)? {
            let mut encoded = HeaderValue::from_str(&text)
                .or_else(|_error| HeaderValue::from_bytes(text.as_bytes()))
                .map_err(|_error| invalid(format!("the header `{name}` has a line break in it")))?;
            encoded.set_sensitive(value.is_tainted());
            let secret = value.is_tainted() || is_credential(&header);
            headers.push(Header { name: header.clone(), value: encoded, secret });
        }
    }
    Ok(headers)
}

fn is_credential(name: &HeaderName) -> bool {
    *name == http::header::AUTHORIZATION
        || *name == http::header::COOKIE
        || *name == http::header::PROXY_AUTHORIZATION
}

fn texts(value: &Value, name: &str) -> Result<Vec<String>, Error> {
    match value.kind() {
        Kind::Array(items) => {
            items.iter().filter_map(|item| scalar(item, name).transpose()).collect()
        }
        _ => Ok(scalar(value, name)?.into_iter().collect()),
    }
}

fn output(text: Option<&str>) -> Result<Output, Error> {
    match text {
        None | Some("content") => Ok(Output::Content),
        Some("raw") => Ok(Output::Raw),
        Some("response") => Ok(Output::Response),
        Some(other) => {
            Err(invalid(format!("`with.output` is `{other}`, not raw, content or response")))
        }
    }
}

fn credentials(value: &Value) -> Result<Credentials, Error> {
    let mut members = Members::of(value, "authentication")?;
    let scheme = members.text("scheme")?.to_ascii_lowercase();
    let parameters = members.optional("parameters").unwrap_or(&Value::NULL);
    members.finish()?;
    match scheme.as_str() {
        "basic" => pair(parameters).and_then(|(username, password)| {
            if username.contains(':') {
                return Err(invalid("a user name for basic has no `:`".to_owned()));
            }
            Ok(Credentials::Basic { username, password })
        }),
        "digest" => {
            pair(parameters).map(|(username, password)| Credentials::Digest { username, password })
        }
        "bearer" => bearer(parameters),
        "oauth2" | "oidc" | "certificate" => Err(Error::new(
            ErrorType::Configuration,
            format!("the authentication scheme `{scheme}` is not supported in this version"),
        )),
        _ => Err(Error::new(
            ErrorType::Configuration,
            format!("there is no authentication scheme `{scheme}`"),
        )),
    }
}

fn pair(parameters: &Value) -> Result<(String, String), Error> {
    let mut members = Members::of(parameters, "authentication.parameters")?;
    let pair = (members.text("username")?.to_owned(), members.text("password")?.to_owned());
    members.finish()?;
    Ok(pair)
}

fn bearer(parameters: &Value) -> Result<Credentials, Error> {
    let token = if let Some(token) = parameters.as_str() {
        token
    } else {
        let mut members = Members::of(parameters, "authentication.parameters")?;
        let token = members.text("token")?;
        members.finish()?;
        token
    };
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(invalid("a bearer token has no spaces or line breaks".to_owned()));
    }
    Ok(Credentials::Bearer { token: token.to_owned() })
}
