//! The way to the server: one HTTP/1.1 connection for a request, with TLS by rustls where the address says so.
//!
//! No redirect is followed: what is shown to one server is not carried to another.

use std::{
    future::Future,
    io,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::address::Address;

/// The longest time to resolve the name and connect, and to agree on TLS.
const CONNECTING: Duration = Duration::from_secs(10);
/// The longest time to wait for the head of an answer, and for more of its body.
const ANSWERING: Duration = Duration::from_mins(1);
/// The longest body that is read whole, in bytes.
const LONGEST_BODY: usize = 256 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unreached {
    /// Nothing was sent.
    Connect(io::Error),
    /// It is not known what the server took.
    Broken(String),
}

/// An answer whose body is still to come.
pub(super) struct Exchange {
    /// Its head.
    pub(super) head: http::response::Parts,
    body: Incoming,
    connection: Connection,
}

/// What drives the connection; nothing once it has ended.
type Connection = Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Sends a request and waits for the head of its answer.
pub(super) async fn send(
    address: &Address,
    request: Request<Full<Bytes>>,
) -> Result<Exchange, Unreached> {
    let stream = connect(address).await.map_err(Unreached::Connect)?;
    let opened = http1::handshake(TokioIo::new(stream)).await;
    let (mut requests, connection) = opened.map_err(|error| broken(&error))?;
    let mut connection: Connection = Some(Box::pin(connection));
    let answer = requests.send_request(request);
    let answer = timeout(ANSWERING, beside(&mut connection, answer)).await;
    let answer: Response<Incoming> =
        answer.map_err(|_late| too_long())?.map_err(|error| broken(&error))?;
    let (head, body) = answer.into_parts();
    Ok(Exchange { head, body, connection })
}

impl Exchange {
    /// The next part of the body; none at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Unreached> {
        loop {
            let frame = beside(&mut self.connection, self.body.frame());
            let frame = timeout(ANSWERING, frame).await.map_err(|_late| too_long())?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| broken(&error))?;
            // Trailers say nothing here.
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }

    /// All of the body.
    pub(super) async fn whole(&mut self) -> Result<Bytes, Unreached> {
        let mut all = BytesMut::new();
        while let Some(part) = self.next().await? {
            if all.len() + part.len() > LONGEST_BODY {
                let limit = format!("the answer is longer than {LONGEST_BODY} bytes");
                return Err(Unreached::Broken(limit));
            }
            all.extend_from_slice(&part);
        }
        Ok(all.freeze())
    }
}

/// Moves the connection on until `work`, which waits for something from it, is done.
async fn beside<T>(connection: &mut Connection, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        let Some(driving) = connection else { return work.await };
        tokio::select! {
            biased;
            done = &mut work => return done,
            // How it ended is told by what waits for it.
            _ended = driving => *connection = None,
        }
    }
}

async fn connect(address: &Address) -> io::Result<Box<dyn Stream>> {
    let place = (address.host.as_str(), address.port);
    let stream = within(CONNECTING, TcpStream::connect(place)).await?;
    stream.set_nodelay(true)?;
    if !address.secure {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
    let secure = within(CONNECTING, connector()?.connect(name, stream)).await?;
    Ok(Box::new(secure))
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let done = timeout(limit, work).await;
    done.unwrap_or_else(|_late| Err(io::Error::from(io::ErrorKind::TimedOut)))
}

/// Believes the certificate authorities of the operating system; where it has none, Mozilla's as of this build.
fn connector() -> io::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn too_long() -> Unreached {
    Unreached::Broken(format!("it said nothing for {} s", ANSWERING.as_secs()))
}

fn broken(error: &hyper::Error) -> Unreached {
    let what = if error.is_parse() { "it does not speak HTTP" } else { "the connection broke" };
    Unreached::Broken(what.to_owned())
}
