//! The effects recorder: an independent HTTP server that writes down every side effect that reaches it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};

/// One request that reached the recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The `Idempotency-Key` it came with.
    pub(crate) key: String,
}

/// A running recorder. It serves until the process ends.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    address: SocketAddr,
    effects: Arc<Mutex<Vec<Effect>>>,
}

impl Recorder {
    /// Starts a recorder on a free loopback port. Every answer is held back by `pause`, so that kills meet calls in
    /// flight.
    pub(crate) fn start(pause: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen on loopback")?;
        let address = listener.local_addr().context("the listener has no address")?;
        let effects = Arc::new(Mutex::new(Vec::new()));
        let recorded = effects.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let recorded = recorded.clone();
                // A connection that breaks is the killed process's; what it sent in whole stands recorded.
                thread::spawn(move || serve(&connection, &recorded, pause).ok());
            }
        });
        Ok(Self { address, effects })
    }

    /// Where it listens, as a URL without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that has reached it.
    pub(crate) fn effects(&self) -> Vec<Effect> {
        self.effects.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(
    connection: &TcpStream,
    effects: &Mutex<Vec<Effect>>,
    pause: Duration,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut writer = connection;
    while let Some(effect) = read_request(&mut reader)? {
        effects.lock().unwrap_or_else(PoisonError::into_inner).push(effect);
        thread::sleep(pause);
        writer.write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"ok\":true}",
        )?;
    }
    Ok(())
}

/// Reads one request; none where the connection ended.
fn read_request(reader: &mut BufReader<&TcpStream>) -> std::io::Result<Option<Effect>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, path) =
        (words.next().unwrap_or("").to_owned(), words.next().unwrap_or("").to_owned());
    let mut effect = Effect { method, path, key: String::new() };
    let mut length = 0_u64;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = header.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "idempotency-key" => value.trim().clone_into(&mut effect.key),
            "content-length" => length = value.trim().parse().unwrap_or(0),
            _ => {}
        }
    }
    let read = reader.take(length).read_to_end(&mut Vec::new())?;
    Ok((read as u64 == length).then_some(effect))
}
