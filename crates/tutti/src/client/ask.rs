//! Asking: an operation of the contract with what it takes, and what became of it.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, de::DeserializeOwned};
use tutti_api::Operation;

use super::{
    problem,
    settings::Settings,
    transport::{self, Exchange},
};
use crate::{
    command_line::ConnectionArguments,
    console::Console,
    exit::{Exit, Failure},
};

/// What stands in a path or query as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Asks one server.
pub(super) struct Client {
    /// Which, and as whom.
    pub(super) settings: Settings,
    tokio: tokio::runtime::Runtime,
}

/// Something that is asked.
#[derive(Debug)]
pub(super) struct Ask {
    operation: Operation,
    parts: Vec<(&'static str, String)>,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<(&'static str, Bytes)>,
}

/// What the server answered.
#[derive(Debug)]
pub(super) struct Reply {
    /// The status.
    pub(super) status: StatusCode,
    /// The body.
    pub(super) body: Bytes,
}

impl Ask {
    /// Asks for this.
    pub(super) fn new(operation: Operation) -> Self {
        let (parts, query, headers) = (Vec::new(), Vec::new(), Vec::new());
        Self { operation, parts, query, headers, body: None }
    }

    /// Stands in the path for `{name}`.
    pub(super) fn part(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.parts.push((name, value.to_string()));
        self
    }

    /// A parameter of the query, where there is one.
    pub(super) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// A header.
    pub(super) fn header(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// A body of JSON.
    pub(super) fn json(self, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("invariant: the wire types are JSON");
        self.body("application/json", body)
    }

    /// A body.
    pub(super) fn body(mut self, kind: &'static str, body: impl Into<Bytes>) -> Self {
        self.body = Some((kind, body.into()));
        self
    }

    fn target(&self, settings: &Settings) -> String {
        let mut path = self.operation.path().replace("{namespace}", &encoded(&settings.namespace));
        for (name, value) in &self.parts {
            path = path.replace(&format!("{{{name}}}"), &encoded(value));
        }
        for (position, (name, value)) in self.query.iter().enumerate() {
            path.push(if position == 0 { '?' } else { '&' });
            write!(path, "{name}={}", encoded(value)).ok();
        }
        format!("{}{path}", settings.address.prefix)
    }

    fn request(&self, settings: &Settings) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::builder()
            .method(self.operation.method().as_str())
            .uri(self.target(settings))
            .header(header::HOST, settings.address.authority())
            .header(header::USER_AGENT, concat!("tutti/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = &settings.token {
            let value = http::HeaderValue::from_str(&format!("Bearer {}", token.expose()));
            let mut value =
                value.map_err(|_odd| Failure::usage("the token holds what no token does"))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        if let Some((kind, _)) = &self.body {
            request = request.header(header::CONTENT_TYPE, *kind);
        }
        let body = self.body.as_ref().map(|(_, body)| body.clone()).unwrap_or_default();
        request.body(Full::new(body)).map_err(|_odd| {
            Failure::usage(
                "what is given holds line breaks or other characters no request may hold",
            )
        })
    }
}

impl Client {
    /// Asks the server that the command line, the environment or the configuration names.
    pub(super) fn new(arguments: &ConnectionArguments, console: &Console) -> Result<Self, Failure> {
        let settings = Settings::of(arguments, console)?;
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let tokio = tokio.map_err(|error| Failure::of("cannot start the runtime", &error))?;
        Ok(Self { settings, tokio })
    }

    /// Waits for what asks.
    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.tokio.block_on(work)
    }

    /// What the server answers, whatever it is.
    pub(super) async fn answer(&self, ask: &Ask) -> Result<Reply, Failure> {
        let mut exchange = self.exchange(ask).await?;
        let address = &self.settings.address;
        let body = exchange.whole().await.map_err(|error| problem::unreached(address, &error))?;
        Ok(Reply { status: exchange.head.status, body })
    }

    /// The answer, where it is a good one.
    pub(super) async fn reply(&self, ask: &Ask) -> Result<Reply, Failure> {
        let reply = self.answer(ask).await?;
        if reply.status.is_success() { Ok(reply) } else { Err(self.refused(&reply)) }
    }

    /// The JSON of a good answer.
    pub(super) async fn json<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, Failure> {
        let reply = self.reply(ask).await?;
        self.read(&reply)
    }

    /// The same, for who asks nothing else meanwhile.
    pub(super) fn get<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, Failure> {
        self.block_on(self.json(ask))
    }

    /// The JSON of an answer.
    pub(super) fn read<T: DeserializeOwned>(&self, reply: &Reply) -> Result<T, Failure> {
        serde_json::from_slice(&reply.body).map_err(|_other| {
            let address = &self.settings.address;
            Failure::usage(format!("{address} answers with what this program does not know"))
                .hint("the server may be of another version: compare with `tutti version`")
                .exit(Exit::Unreachable)
        })
    }

    /// Why an answer is no good one.
    pub(super) fn refused(&self, reply: &Reply) -> Failure {
        problem::refused(&self.settings.address, reply.status, &reply.body)
    }

    /// An answer that comes bit by bit.
    pub(super) async fn exchange(&self, ask: &Ask) -> Result<Exchange, Failure> {
        let request = ask.request(&self.settings)?;
        let address = &self.settings.address;
        let sent = transport::send(address, request).await;
        sent.map_err(|error| problem::unreached(address, &error))
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::address::Address;

    #[test]
    fn what_is_given_stays_where_it_is_put() {
        let check = |url: &str, namespace: &str, name: &str, key: Option<&str>, expected: &str| {
            let address = Address::parse(url).expect("an address");
            let namespace = namespace.to_owned();
            let settings = Settings {
                address,
                token: None,
                namespace,
                is_namespace_given: false,
                flags: String::new(),
            };
            let ask = Ask::new(Operation::StartExecution).part("name", &name).query("key", key);
            assert_eq!(ask.target(&settings), expected);
        };
        let base = "/api/v1/namespaces";
        check("http://a", "n", "w", None, &format!("{base}/n/workflows/w/executions"));
        check(
            "http://a/ops",
            "n/../x",
            "w?key=1",
            Some("a&b=ä"),
            &format!("/ops{base}/n%2F..%2Fx/workflows/w%3Fkey%3D1/executions?key=a%26b%3D%C3%A4"),
        );
    }
}
