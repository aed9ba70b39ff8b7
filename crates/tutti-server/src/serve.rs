//! Listening, and stopping in good order.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::{Future, ready},
    io,
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{RawPathParams, Request, State},
    http::Response,
    routing::{MethodFilter, on},
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tutti_api::{Code, Method, Operation, Problem};

use crate::{
    answer,
    desk::Desk,
    gate::{Arrival, enter},
    log::{LogLevel, LogRecord},
    metrics::Metrics,
};

/// How long a client may take for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest head, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// How many connections are open at once; more wait.
const MAX_CONNECTIONS: usize = 10_000;
/// How long requests under way may take once the server stops.
const DRAIN: Duration = Duration::from_secs(30);

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

/// Why a server does not listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct ServeError {
    address: SocketAddr,
    #[source]
    source: io::Error,
}

impl Server {
    /// Listens on an address.
    ///
    /// # Errors
    /// If somebody else does, or the address is not this machine's.
    pub async fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        let fail = |source| ServeError { address, source };
        let listener = TcpListener::bind(address).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        Ok(Self { listener, address })
    }

    /// Where it listens: the port that was given out where none was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` ends; then takes no more, and ends when the requests under way have, or after 30 seconds.
    pub async fn run(self, desk: Arc<Desk>, shutdown: impl Future<Output = ()>) {
        let (log, metrics) = (desk.log.clone(), desk.metrics.clone());
        let router = router(desk);
        let (stopping, stops) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = self.listener.accept(), if connections.len() < MAX_CONNECTIONS => accepted,
                Some(_ended) = connections.join_next() => continue,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let serving = connection(stream, peer, router.clone(), stops.clone());
                    let metrics = metrics.clone();
                    connections.spawn(async move { metrics.connection(serving).await });
                }
                // Out of file descriptors, most likely: what is open goes on, and some of it will end.
                Err(_refused) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        drop((self.listener, stops));
        stopping.send(()).ok();
        let draining = LogRecord::new(LogLevel::Info, "draining: no more connections are taken");
        log.write(draining.with("connections", connections.len()));
        let ended = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, ended).await.is_err() {
            let cut_off = LogRecord::new(LogLevel::Warn, "requests took too long and are cut off");
            log.write(cut_off.with("connections", connections.len()));
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    mut stops: watch::Receiver<()>,
) {
    // It only costs time where it does not work.
    stream.set_nodelay(true).ok();
    let service = TowerToHyperService::new(router.layer(axum::Extension(peer)));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A client that breaks off is nobody's failure.
        _ended = &mut connection => return,
        _stopping = stops.changed() => connection.as_mut().graceful_shutdown(),
    }
    connection.await.ok();
}

fn router(desk: Arc<Desk>) -> Router {
    let (no_path, no_method) = (desk.metrics.clone(), desk.metrics.clone());
    let mut router = Router::new();
    for operation in Operation::ALL {
        let handler = move |State(desk): State<Arc<Desk>>,
                            path: RawPathParams,
                            request: Request| async move {
            let address = request.extensions().get::<SocketAddr>().map(SocketAddr::ip);
            let path: BTreeMap<String, String> =
                path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let metrics = desk.metrics.clone();
            let entering = enter(desk, *operation, Arrival { request, path, address });
            Ok::<_, Infallible>(metrics.request(*operation, entering).await)
        };
        router = router.route(operation.path(), on(filter(operation.method()), handler));
    }
    router
        .fallback(move |request: Request| {
            let detail = "there is no such path";
            ready(turned_away(&no_path, &request, Code::NotFound, detail))
        })
        .method_not_allowed_fallback(move |request: Request| {
            let detail = "the path does not take this method";
            ready(turned_away(&no_method, &request, Code::MethodNotAllowed, detail))
        })
        .with_state(desk)
}

fn turned_away(metrics: &Metrics, request: &Request, code: Code, detail: &str) -> Response<Body> {
    let problem = Problem::new(code, detail);
    metrics.turned_away(request.method().as_str(), problem.status);
    answer::problem(&problem)
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Delete => MethodFilter::DELETE,
    }
}
