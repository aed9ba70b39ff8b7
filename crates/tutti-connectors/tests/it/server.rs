//! A server on loopback that does what it is told, byte by byte.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What the server does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Answers with these bytes and waits for the next request on the connection.
    Answer(Vec<u8>),
    /// Answers with these bytes and closes the connection.
    AnswerAndClose(Vec<u8>),
    /// Answers with these bytes and then says nothing more.
    AnswerAndHang(Vec<u8>),
    /// Closes the connection when the head of the request was read, without reading the body.
    CloseAfterHead,
    /// Reads the whole request and closes the connection.
    CloseAfterRequest,
    /// Reads the whole request and never answers.
    Hang,
}

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    /// Which connection it came on, from 0.
    pub(crate) connection: usize,
    /// Such as `GET /path HTTP/1.1`.
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A running server; gone when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    acts: Mutex<VecDeque<Act>>,
    /// What to do when the list is used up.
    always: Option<Act>,
    received: watch::Sender<Vec<Received>>,
}

impl Server {
    /// A server that does one thing after another, over whatever connections.
    pub(crate) async fn scripted(acts: impl IntoIterator<Item = Act>) -> Self {
        Self::start(acts.into_iter().collect(), None).await
    }

    /// A server that always does the same.
    pub(crate) async fn always(act: Act) -> Self {
        Self::start(VecDeque::new(), Some(act)).await
    }

    async fn start(acts: VecDeque<Act>, always: Option<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (received, _) = watch::channel(Vec::new());
        let shared = Arc::new(Shared { acts: Mutex::new(acts), always, received });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, accepting }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.borrow().clone()
    }

    /// Waits until there were this many requests.
    pub(crate) async fn wait_for(&self, count: usize) {
        let mut received = self.shared.received.subscribe();
        let enough = received.wait_for(|received| received.len() >= count);
        tokio::time::timeout(crate::world::PATIENCE, enough)
            .await
            .expect("requests in time")
            .expect("a server");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A whole response.
pub(crate) fn response(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// An answer with a whole response.
pub(crate) fn answer(status: &str, headers: &[&str], body: &[u8]) -> Act {
    Act::Answer(response(status, headers, body))
}

/// An answer of JSON.
pub(crate) fn json(body: &str) -> Act {
    answer("200 OK", &["content-type: application/json"], body.as_bytes())
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    for number in 0.. {
        let Ok((stream, _)) = listener.accept().await else { return };
        connections.spawn(serve(stream, number, Arc::clone(&shared)));
    }
}

async fn serve(stream: TcpStream, connection: usize, shared: Arc<Shared>) {
    let mut stream = BufReader::new(stream);
    while let Some(mut request) = head(&mut stream).await {
        request.connection = connection;
        let act = shared.acts.lock().expect("a lock").pop_front().or(shared.always.clone());
        let act = act.unwrap_or(Act::CloseAfterRequest);
        if !matches!(act, Act::CloseAfterHead) {
            let length =
                request.header("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
            let mut body = vec![0; length];
            if stream.read_exact(&mut body).await.is_err() {
                return;
            }
            request.body = String::from_utf8_lossy(&body).into_owned();
        }
        shared.received.send_modify(|received| received.push(request));
        let (bytes, then) = match act {
            Act::Answer(bytes) => (bytes, Then::Next),
            Act::AnswerAndClose(bytes) => (bytes, Then::Close),
            Act::AnswerAndHang(bytes) => (bytes, Then::Hang),
            Act::CloseAfterHead | Act::CloseAfterRequest => (Vec::new(), Then::Close),
            Act::Hang => (Vec::new(), Then::Hang),
        };
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
        match then {
            Then::Next => {}
            Then::Close => return,
            Then::Hang => std::future::pending().await,
        }
    }
}

enum Then {
    Next,
    Close,
    Hang,
}

async fn head(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut request = Received { line: line(stream).await?, ..Received::default() };
    loop {
        let line = line(stream).await?;
        if line.is_empty() {
            return Some(request);
        }
        let (name, value) = line.split_once(':')?;
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let length = stream.read_line(&mut line).await.ok()?;
    (length > 0).then(|| line.trim_end().to_owned())
}
