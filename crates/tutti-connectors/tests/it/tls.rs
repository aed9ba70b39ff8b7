//! TLS with an authority of our own. Its key is not kept; the certificates are good for a hundred years.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use tutti_connectors::{
    BoxFuture, Connector, Guard, GuardOptions, Policy, Resolve, Roots,
    http::{Http, HttpOptions},
};

use crate::world::{World, call, shown};

#[derive(Debug)]
struct Loopback;

impl Resolve for Loopback {
    fn resolve<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(vec![Ipv4Addr::LOCALHOST.into()]) })
    }
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.expect("PEM")], key.expect("PEM"))
        .expect("a certificate");
    TlsAcceptor::from(Arc::new(config))
}

/// Answers the first request of each connection, or closes it unanswered.
async fn serve(listener: TcpListener, answered: bool) {
    let acceptor = acceptor();
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(mut stream) = acceptor.accept(stream).await else { continue };
        let mut request = [0; 4096];
        if stream.read(&mut request).await.is_ok() && answered {
            let answer =
                b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nhi";
            stream.write_all(answer).await.ok();
            stream.shutdown().await.ok();
        }
    }
}

async fn post(host: &str, trusted: bool, answered: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serving = tokio::spawn(serve(listener, answered));
    let authority = CertificateDer::from_pem_slice(include_bytes!("tls/ca.pem")).expect("PEM");
    let guard = Guard::new(GuardOptions {
        policy: Policy { allow_loopback: true, allow_private: false },
        resolver: Arc::new(Loopback),
        roots: if trusted { Roots::These(vec![authority]) } else { Roots::System },
        ..GuardOptions::default()
    });
    let (_world, context) = World::new(None);
    let arguments = format!(r#"{{"method":"post","uri":"https://{host}:{port}/"}}"#);
    let outcome = Http::new(guard, HttpOptions::default()).call(call(&arguments), context).await;
    serving.abort();
    shown(&outcome)
}

#[tokio::test]
async fn a_certificate_must_fit_the_host_and_come_from_a_believed_authority() {
    for (host, trusted, expected) in [
        ("name.example", true, "\"hi\""),
        ("127.0.0.1", true, "\"hi\""),
        ("other.example", true, "known communication 500: cannot agree on TLS with"),
        ("name.example", false, "known communication 500: cannot agree on TLS with"),
    ] {
        let shown = post(host, trusted, true).await;
        assert!(shown.starts_with(expected), "{host} {trusted}: {shown}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_unknown() {
    let shown = post("name.example", true, false).await;
    assert!(shown.starts_with("unknown outcome-unknown 500"), "{shown}");
}
