//! A shop made of small HTTP services on loopback ports: inventory, payment and shipping, and the machine room it runs in.
//!
//! It exists so that the examples have a world to act on, and so that anybody can check afterwards what was done to it:
//! every effect is one line of a ledger. It never forgets an `Idempotency-Key`, and a request can ask for the bad day it
//! is meant to show with the header `Shop-Fault` ([`service::Fault`]).

mod connection;
mod ledger;
mod machines;
mod options;
mod service;

use std::{
    io::{self, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::ExitCode,
    sync::Arc,
    thread,
};

use serde_json::json;

use crate::{ledger::Ledger, options::Options, service::Service};

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1))
        .map_err(io::Error::other)
        .and_then(|it| serve(&it))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "shop: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Opens the ports, says where they are as one line of JSON, and serves until it is ended.
fn serve(options: &Options) -> io::Result<()> {
    let ledger = Arc::new(Ledger::open(options.ledger.as_deref())?);
    let mut listeners = Vec::new();
    for (position, service) in (0_u16..).zip(Service::ALL) {
        let port = if options.port == 0 { 0 } else { options.port + position };
        listeners.push((service, TcpListener::bind((Ipv4Addr::LOCALHOST, port))?));
    }
    announce(&listeners)?;
    let serving: Vec<_> = listeners
        .into_iter()
        .map(|(service, listener)| {
            let ledger = Arc::clone(&ledger);
            thread::spawn(move || accept(service, &listener, &ledger))
        })
        .collect();
    for thread in serving {
        drop(thread.join());
    }
    Ok(())
}

fn announce(listeners: &[(Service, TcpListener)]) -> io::Result<()> {
    let mut places = serde_json::Map::new();
    for (service, listener) in listeners {
        let place = format!("http://{}", listener.local_addr()?);
        places.insert(service.name().to_owned(), json!(place));
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{}", serde_json::Value::from(places))?;
    out.flush()
}

fn accept(service: Service, listener: &TcpListener, ledger: &Arc<Ledger>) {
    for stream in listener.incoming().flatten() {
        let ledger = Arc::clone(ledger);
        thread::spawn(move || {
            // A client that goes away in the middle is what this shop is for.
            drop(converse(service, &stream, &ledger));
        });
    }
}

/// Answers request after request until the client leaves.
fn converse(service: Service, stream: &TcpStream, ledger: &Ledger) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = connection::Connection::new(stream)?;
    while let Some(request) = connection.receive()? {
        let (answer, fault) = service.answer(&request, ledger);
        match fault.filter(|_| answer.is_new) {
            Some(service::Fault::Hold) => return connection.wait_for_the_end(),
            Some(service::Fault::Drop) => return Ok(()),
            Some(service::Fault::Decline) | None => connection.send(answer.status, &answer.body)?,
        }
    }
    Ok(())
}
