//! One HTTP/1.1 connection, driven by whoever uses it.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;

use super::wire::{Departure, Wire};

/// The most headers in a response.
const MOST_HEADERS: usize = 128;

/// The longest head of a response, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// A connection. There is no task behind it: it moves only inside [`Link::send`] and [`Link::drive`], and dropping it
/// closes it at once.
pub(crate) struct Link {
    requests: http1::SendRequest<Full<Bytes>>,
    connection: Connection,
    departure: Departure,
}

impl Link {
    pub(super) async fn open(wire: Wire) -> hyper::Result<Self> {
        let departure = wire.departure();
        let (requests, connection) = http1::Builder::new()
            .max_headers(MOST_HEADERS)
            .max_buf_size(LONGEST_HEAD)
            .handshake(TokioIo::new(wire))
            .await?;
        Ok(Self { requests, connection: Some(Box::pin(connection)), departure })
    }

    /// Whether bytes of the request sent last may have left.
    pub(crate) fn departure(&self) -> Departure {
        self.departure.clone()
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        self.departure.reset();
        let response = self.requests.send_request(request);
        drive(&mut self.connection, response).await
    }

    /// Moves the connection on until `future`, which waits for something from it, is done.
    pub(crate) async fn drive<T>(&mut self, future: impl Future<Output = T>) -> T {
        drive(&mut self.connection, future).await
    }

    /// Whether another request can be sent, as far as can be seen without waiting.
    pub(super) fn is_usable(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        poll(&mut self.connection, &mut context);
        self.connection.is_some() && self.requests.is_ready()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("departure", &self.departure).finish_non_exhaustive()
    }
}

type Connection = Option<Pin<Box<http1::Connection<TokioIo<Wire>, Full<Bytes>>>>>;

async fn drive<T>(connection: &mut Connection, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|context| {
        poll(connection, context);
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(output),
            Poll::Pending => {
                // What the future asked of the connection just now is done at once.
                poll(connection, context);
                future.as_mut().poll(context)
            }
        }
    })
    .await
}

/// The connection's own error reaches the request that it breaks, so it is not needed here.
fn poll(connection: &mut Connection, context: &mut Context<'_>) {
    if let Some(running) = connection
        && running.as_mut().poll(context).is_ready()
    {
        *connection = None;
    }
}
