//! Following an execution: its facts as server-sent events, each with its sequence, so that a client goes on where it was.
//!
//! The journal is the source: the feed only says that there is more. A client that is slow reads the journal again, so little
//! is kept for it and nothing is lost.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, http::header};
use bytes::Bytes;
use hyper::body::Frame;
use tokio::{
    sync::{broadcast, mpsc},
    time::timeout,
};
use tutti_auth::Authorized;
use tutti_ids::{ExecutionId, Name};
use tutti_journal::{Entry, Turn};
use tutti_store::Listed;

use crate::{
    answer::{Answer, of_unread, raw, with_header},
    asked::Asked,
    desk::Desk,
    views::journal_entry,
};

/// Events that a client may be behind before it is waited for.
const AHEAD: usize = 64;
/// After this long without an event something is sent, so that nobody on the way thinks the connection is dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(crate) async fn follow(asked: Asked, _proof: Authorized<Name>, listed: Listed) -> Answer {
    let after = asked.header("last-event-id").and_then(|text| text.parse().ok()).unwrap_or(0);
    // Before the journal is read, so that nothing falls between the two.
    let turns = asked.desk.feed.follow();
    let (sender, receiver) = mpsc::channel(AHEAD);
    let follower = Follower {
        desk: asked.desk.clone(),
        execution: listed.execution,
        after,
        has_ended: false,
        sender,
    };
    let read = follower.desk.reader.turns(follower.execution).await;
    let read = read.map_err(|error| of_unread(&error))?;
    tokio::spawn(follower.run(read.unwrap_or_default(), turns));
    let answer = raw(200, "text/event-stream", Body::new(Lines(receiver)));
    Ok(with_header(answer, header::CACHE_CONTROL, "no-store"))
}

/// Sends what is new of one execution to one client.
struct Follower {
    desk: Arc<Desk>,
    execution: ExecutionId,
    /// The sequence of the last entry that was sent.
    after: u64,
    has_ended: bool,
    sender: mpsc::Sender<Bytes>,
}

/// The client has gone, or the execution has ended and all of it was sent.
struct Done;

impl Follower {
    async fn run(mut self, read: Vec<Turn>, turns: broadcast::Receiver<Arc<Turn>>) {
        // Either way there is nothing more to send.
        match self.follow(read, turns).await {
            Ok(()) | Err(Done) => {}
        }
    }

    async fn follow(
        &mut self,
        read: Vec<Turn>,
        mut turns: broadcast::Receiver<Arc<Turn>>,
    ) -> Result<(), Done> {
        for turn in &read {
            self.send(turn).await?;
        }
        while !self.has_ended {
            match timeout(KEEP_ALIVE, turns.recv()).await {
                Ok(Ok(turn)) if turn.execution != self.execution => {}
                Ok(Ok(turn)) if turn.first.0 <= self.after + 1 => self.send(&turn).await?,
                Ok(Ok(_) | Err(broadcast::error::RecvError::Lagged(_))) => self.catch_up().await?,
                Ok(Err(broadcast::error::RecvError::Closed)) => return Err(Done),
                Err(_quiet) => self.say(Bytes::from_static(b": still here\n\n")).await?,
            }
        }
        Ok(())
    }

    async fn catch_up(&mut self) -> Result<(), Done> {
        let read = self.desk.reader.turns(self.execution).await.map_err(|_unread| Done)?;
        for turn in read.iter().flatten() {
            self.send(turn).await?;
        }
        Ok(())
    }

    /// Sends the entries of a turn that were not sent before.
    async fn send(&mut self, turn: &Turn) -> Result<(), Done> {
        for (sequence, entry) in (turn.first.0..).zip(&turn.entries) {
            if sequence <= self.after {
                continue;
            }
            let told = journal_entry(sequence, turn.at, entry);
            let json = serde_json::to_string(&told).map_err(|_unwritable| Done)?;
            let text = format!("id: {sequence}\nevent: {}\ndata: {json}\n\n", told.kind);
            self.say(Bytes::from(text)).await?;
            self.after = sequence;
        }
        self.has_ended = turn.entries.last().is_some_and(Entry::is_end);
        Ok(())
    }

    async fn say(&self, text: Bytes) -> Result<(), Done> {
        self.sender.send(text).await.map_err(|_gone| Done)
    }
}

/// The body of an answer that comes bit by bit.
struct Lines(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}
