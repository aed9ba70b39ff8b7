//! A server on loopback that stands in for the two public services the conformance features call, and the names that lead
//! to it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tutti_connectors::{
    BoxFuture, Guard, GuardOptions, Policy, Registry, Resolve,
    http::{Http, HttpOptions},
};

/// The pet shop's host.
const PETS: &str = "petstore.swagger.io";
/// The host of requests that are answered as their path asks.
const REQUESTS: &str = "httpbin.org";

/// Both services on one port; gone when dropped.
pub(crate) struct PublicServices {
    port: u16,
    accepting: JoinHandle<()>,
}

impl PublicServices {
    /// Opens them. Must be called within tokio.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        Self { port, accepting: tokio::spawn(accept(listener)) }
    }

    /// The document with the services' own names, in the clear and on our port: nobody but them has their certificates.
    pub(crate) fn reachable(&self, document: &str) -> String {
        [PETS, REQUESTS].iter().fold(document.to_owned(), |document, host| {
            document.replace(&format!("https://{host}/"), &format!("http://{host}:{}/", self.port))
        })
    }

    /// The real connectors, behind a guard whose names lead to this machine.
    pub(crate) fn connectors() -> Registry {
        let policy = Policy { allow_loopback: true, allow_private: false };
        let resolver = Arc::new(OnLoopback);
        let guard = Guard::new(GuardOptions { policy, resolver, ..GuardOptions::default() });
        Registry::builder().with(Http::new(guard, HttpOptions::default())).build()
    }
}

impl Drop for PublicServices {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Leads the two names to loopback and no other name anywhere.
#[derive(Debug)]
struct OnLoopback;

impl Resolve for OnLoopback {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let known = host == PETS || host == REQUESTS;
        Box::pin(async move {
            let found = known.then(|| vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
            found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "nobody has this name"))
        })
    }
}

/// What of a request decides its answer.
#[derive(Debug, Default)]
struct Request {
    method: String,
    path: String,
    host: String,
    authorization: String,
}

async fn accept(listener: TcpListener) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream));
    }
}

async fn serve(stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let (status, body) = answer(&request);
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let first = line(stream).await?;
    let mut words = first.split(' ').map(str::to_owned);
    let mut request = Request { method: words.next()?, path: words.next()?, ..Request::default() };
    loop {
        let line = line(stream).await?;
        let Some((name, value)) = line.split_once(':') else { return Some(request) };
        match name.to_ascii_lowercase().as_str() {
            "host" => value.trim().clone_into(&mut request.host),
            "authorization" => value.trim().clone_into(&mut request.authorization),
            _ => {}
        }
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let length = stream.read_line(&mut line).await.ok()?;
    (length > 0).then(|| line.trim_end().to_owned())
}

fn answer(request: &Request) -> (&'static str, String) {
    if request.method != "GET" {
        return ("405 Method Not Allowed", String::new());
    }
    match request.host.split(':').next().unwrap_or_default() {
        PETS => pet(&request.path),
        REQUESTS => login(&request.path, &request.authorization),
        _ => ("421 Misdirected Request", String::new()),
    }
}

/// Pets have numbers, and one of them is for sale.
fn pet(path: &str) -> (&'static str, String) {
    let milou = r#"{"id":1,"name":"Milou","status":"available"}"#;
    match path.strip_prefix("/v2/pet/") {
        Some("findByStatus?status=available") => ("200 OK", format!("[{milou}]")),
        Some("1") => ("200 OK", milou.to_owned()),
        Some(number) if number.parse::<u32>().is_ok() => {
            ("200 OK", format!(r#"{{"id":{number}}}"#))
        }
        _ => ("404 Not Found", r#"{"message":"there is no such pet"}"#.to_owned()),
    }
}

/// `/basic-auth/{user}/{password}` lets in who shows just these.
fn login(path: &str, authorization: &str) -> (&'static str, String) {
    let wanted = path.strip_prefix("/basic-auth/").and_then(|rest| rest.split_once('/'));
    let wanted = wanted.map(|(user, password)| STANDARD.encode(format!("{user}:{password}")));
    match (wanted, authorization.strip_prefix("Basic ")) {
        (Some(wanted), Some(shown)) if wanted == shown => {
            ("200 OK", r#"{"authenticated":true}"#.to_owned())
        }
        _ => ("401 Unauthorized", String::new()),
    }
}

#[test]
fn the_services_tell_requests_apart() {
    let check = |host: &str, path: &str, authorization: &str, status: &str| {
        let request = Request {
            method: "GET".to_owned(),
            path: path.to_owned(),
            host: format!("{host}:80"),
            authorization: authorization.to_owned(),
        };
        assert!(answer(&request).0.starts_with(status), "{request:?}");
    };
    check(PETS, "/v2/pet/1", "", "200");
    check(PETS, "/v2/pet/getPetByName/Milou", "", "404");
    check(REQUESTS, "/v2/pet/1", "", "401");
    check(REQUESTS, "/basic-auth/a/b", "Basic YTpi", "200");
    check(REQUESTS, "/basic-auth/a/c", "Basic YTpi", "401");
    check("elsewhere.example", "/v2/pet/1", "", "421");
}
