//! `tutti lsp`: language help for editors, by the Language Server Protocol over standard input and output.
//!
//! Only the protocol is spoken here; what is known of a document comes from [`tutti_dsl`]. One thread reads messages,
//! this one answers them in order. Diagnostics wait until no message does, so the newest text wins without a clock.
//! Start reading at [`lsp`], then [`server::Server`].
//!
//! **Limits:** a message of 16 MiB, 256 documents, 256 messages that wait. **Invariant:** no message ends the server but
//! `exit`, the end of the input, and input that is no longer the protocol.

mod answers;
mod framing;
mod positions;
mod server;

use std::{
    collections::VecDeque,
    io,
    sync::mpsc::{self, Receiver, TryRecvError},
    thread,
};

use self::{framing::Incoming, server::Server};
use crate::exit::{Exit, Failure};

/// Messages that are read ahead.
const MAX_WAITING: usize = 256;
/// Messages answered before diagnostics are told even though more messages wait.
const MAX_BEFORE_DIAGNOSTICS: usize = 64;

/// Serves until the editor says `exit` or closes the input.
pub(crate) fn lsp() -> Result<Exit, Failure> {
    let (sender, receiver) = mpsc::sync_channel(MAX_WAITING);
    // Not joined: it ends with its input, which the editor may keep open after `exit`.
    let reader = thread::Builder::new().name("lsp reader".to_owned()).spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(incoming) = framing::read(&mut input).transpose() {
            let ends = incoming.is_err();
            if sender.send(incoming).is_err() || ends {
                break;
            }
        }
    });
    reader.map_err(|error| Failure::of("cannot start a thread", &error))?;
    serve(&receiver, &mut io::stdout().lock())
}

fn serve(
    receiver: &Receiver<io::Result<Incoming>>,
    output: &mut dyn io::Write,
) -> Result<Exit, Failure> {
    let mut server = Server::default();
    let mut waiting = VecDeque::new();
    let mut answered = 0;
    loop {
        read_ahead(receiver, &mut waiting);
        let idle = waiting.is_empty();
        let mut messages = Vec::new();
        if idle || answered >= MAX_BEFORE_DIAGNOSTICS {
            answered = 0;
            messages = server.diagnostics();
        }
        send(output, messages)?;
        let next = if idle { receiver.recv().ok() } else { waiting.pop_front() };
        let Some(next) = next else { return Ok(server.exit()) };
        let incoming = next.map_err(|error| Failure::of("cannot read a message", &error))?;
        if idle {
            read_ahead(receiver, &mut waiting);
        }
        answered += 1;
        let cancelled =
            |id: &serde_json::Value| waiting.iter().flatten().any(|later| later.cancels(id));
        send(output, server.on(incoming, &cancelled))?;
        if server.has_ended() {
            return Ok(server.exit());
        }
    }
}

/// Takes what has arrived, so that a cancellation is seen before what it cancels is answered.
fn read_ahead(
    receiver: &Receiver<io::Result<Incoming>>,
    waiting: &mut VecDeque<io::Result<Incoming>>,
) {
    while waiting.len() < MAX_WAITING {
        match receiver.try_recv() {
            Ok(incoming) => waiting.push_back(incoming),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
        }
    }
}

fn send(output: &mut dyn io::Write, messages: Vec<serde_json::Value>) -> Result<(), Failure> {
    for message in messages {
        framing::write(output, &message)
            .map_err(|error| Failure::of("cannot write to standard output", &error))?;
    }
    Ok(())
}
