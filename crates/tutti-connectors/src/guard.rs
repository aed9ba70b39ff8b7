//! The one way out: resolve, check every address, connect to exactly that address.
//!
//! Nothing else in this crate opens a connection. A name is resolved once for each connection and the addresses that
//! were checked are the ones connected to, so an answer that changes between check and use gains nothing. A pooled
//! connection leads where it led when it was checked.

#[cfg(test)]
mod fuzzed;
mod link;
mod policy;
mod pool;
mod resolve;
mod target;
mod tls;
mod wire;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use tokio::{net::TcpStream, time::timeout};

pub(crate) use self::{
    link::Link,
    target::{Host, InvalidTarget, Origin, Target},
    wire::Departure,
};
pub use self::{
    policy::{Denied, Policy},
    resolve::{Resolve, SystemResolver},
};
use self::{pool::Pool, tls::Tls, wire::Wire};

/// Opens and keeps the connections of outbound calls. Cheap to clone; clones share the connections.
#[derive(Debug, Clone)]
pub struct Guard(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    policy: Policy,
    resolver: Arc<dyn Resolve>,
    connect_timeout: Duration,
    tls: Tls,
    pool: Pool,
}

/// How a [`Guard`] is set up.
#[derive(Debug, Clone)]
pub struct GuardOptions {
    /// Which addresses may be reached.
    pub policy: Policy,
    /// Who answers for names.
    pub resolver: Arc<dyn Resolve>,
    /// The longest time to resolve a name, to connect and to agree on TLS, each.
    pub connect_timeout: Duration,
    /// Which certificate authorities are believed.
    pub roots: Roots,
}

/// Which certificate authorities are believed.
#[derive(Debug, Clone)]
pub enum Roots {
    /// The operating system's; where it has none, Mozilla's as of this build.
    System,
    /// These and no others.
    These(Vec<CertificateDer<'static>>),
}

/// Why there is no connection. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("cannot resolve {host}")]
    Resolve { host: Host, source: io::Error },
    #[error("{host} has no address")]
    NoAddress { host: Host },
    #[error("{host} may not be called: {source}")]
    Denied { host: Host, source: Denied },
    #[error("cannot connect to {origin}")]
    Connect { origin: Origin, source: io::Error },
    #[error("cannot agree on TLS with {origin}")]
    Tls { origin: Origin, source: io::Error },
    #[error("{host} cannot be in a certificate")]
    Name { host: Host, source: InvalidDnsNameError },
}

impl Default for GuardOptions {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            resolver: Arc::new(SystemResolver),
            connect_timeout: Duration::from_secs(10),
            roots: Roots::System,
        }
    }
}

impl Guard {
    /// A guard without connections yet.
    pub fn new(options: GuardOptions) -> Self {
        Self(Arc::new(Inner {
            policy: options.policy,
            resolver: options.resolver,
            connect_timeout: options.connect_timeout,
            tls: Tls::new(options.roots),
            pool: Pool::default(),
        }))
    }

    /// A connection kept from before that was used less than `idle` ago, if there is one.
    pub(crate) fn pooled(&self, origin: &Origin, idle: Duration) -> Option<Link> {
        self.0.pool.take(origin, idle)
    }

    /// Keeps a connection for later.
    pub(crate) fn keep(&self, origin: &Origin, link: Link) {
        self.0.pool.put(origin, link);
    }

    /// Opens a connection to an address that was checked.
    pub(crate) async fn connect(&self, origin: &Origin) -> Result<Link, ConnectError> {
        let addresses = self.checked_addresses(origin).await?;
        let stream = self.connect_to_first(origin, &addresses).await?;
        let wire = if origin.secure {
            self.agree_on_tls(origin, stream).await?
        } else {
            Wire::plain(stream)
        };
        Link::open(wire).await.map_err(|source| ConnectError::Connect {
            origin: origin.clone(),
            source: io::Error::other(source),
        })
    }

    /// Every address of the host; one that is denied denies them all, so that a name cannot mix them.
    async fn checked_addresses(&self, origin: &Origin) -> Result<Vec<SocketAddr>, ConnectError> {
        let addresses = match &origin.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self.resolve(&origin.host, name).await?,
        };
        if addresses.is_empty() {
            return Err(ConnectError::NoAddress { host: origin.host.clone() });
        }
        for address in &addresses {
            self.0
                .policy
                .check(*address)
                .map_err(|source| ConnectError::Denied { host: origin.host.clone(), source })?;
        }
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, origin.port)).collect())
    }

    async fn resolve(
        &self,
        host: &Host,
        name: &str,
    ) -> Result<Vec<std::net::IpAddr>, ConnectError> {
        let answer = timeout(self.0.connect_timeout, self.0.resolver.resolve(name)).await;
        flatten(answer).map_err(|source| ConnectError::Resolve { host: host.clone(), source })
    }

    async fn connect_to_first(
        &self,
        origin: &Origin,
        addresses: &[SocketAddr],
    ) -> Result<TcpStream, ConnectError> {
        let share = self.0.connect_timeout / u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match flatten(timeout(share, TcpStream::connect(address)).await) {
                Ok(stream) => match stream.set_nodelay(true) {
                    Ok(()) => return Ok(stream),
                    Err(error) => last = error,
                },
                Err(error) => last = error,
            }
        }
        Err(ConnectError::Connect { origin: origin.clone(), source: last })
    }

    async fn agree_on_tls(&self, origin: &Origin, stream: TcpStream) -> Result<Wire, ConnectError> {
        let name = match &origin.host {
            Host::Address(address) => ServerName::from(*address),
            Host::Name(name) => ServerName::try_from(name.clone())
                .map_err(|source| ConnectError::Name { host: origin.host.clone(), source })?,
        };
        let failed = |source| ConnectError::Tls { origin: origin.clone(), source };
        let connector = self.0.tls.connector().map_err(failed)?;
        let stream =
            flatten(timeout(self.0.connect_timeout, connector.connect(name, stream)).await)
                .map_err(failed)?;
        Ok(Wire::secure(stream))
    }
}

fn flatten<T>(answer: Result<io::Result<T>, tokio::time::error::Elapsed>) -> io::Result<T> {
    answer.unwrap_or_else(|elapsed| Err(io::Error::new(io::ErrorKind::TimedOut, elapsed)))
}
