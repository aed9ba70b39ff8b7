//! Who gets what: the inbox of every loop, and the callers that wait for an answer.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
};

use tokio::sync::{oneshot, watch};
use tutti_connectors::LogLine;
use tutti_ids::ExecutionId;

use crate::{
    happening::{Happening, Refusal, RequestId, Settlement},
    partition::Partition,
};

/// The inboxes of all loops, and who waits for which answer.
#[derive(Debug)]
pub(super) struct Switchboard {
    loops: NonZeroUsize,
    inboxes: Vec<mpsc::Sender<Message>>,
    replies: Mutex<BTreeMap<RequestId, oneshot::Sender<Result<(), Refusal>>>>,
    settlements: Mutex<BTreeMap<RequestId, oneshot::Sender<Settlement>>>,
    halted: Mutex<Option<tutti_store::Error>>,
    stopped: watch::Sender<bool>,
}

/// What a loop's thread is sent.
#[derive(Debug)]
pub(super) enum Message {
    /// For the loop.
    Happened(Box<Happening>),
    /// A call printed a line.
    Logged(LogLine),
    /// The runtime stops.
    Stop,
}

/// Hands what happened to the loop behind an inbox.
pub(super) fn tell(messages: &mpsc::Sender<Message>, happening: Happening) {
    // The loop may have stopped; then nobody needs to know.
    messages.send(Message::Happened(Box::new(happening))).ok();
}

impl Switchboard {
    /// A switchboard of so many loops, and what each of them receives from.
    pub(super) fn new(loops: NonZeroUsize) -> (Self, Vec<mpsc::Receiver<Message>>) {
        let (inboxes, receivers) = (0..loops.get()).map(|_| mpsc::channel()).unzip();
        let switchboard = Self {
            loops,
            inboxes,
            replies: Mutex::default(),
            settlements: Mutex::default(),
            halted: Mutex::default(),
            stopped: watch::Sender::new(false),
        };
        (switchboard, receivers)
    }

    /// The inbox of a loop.
    pub(super) fn inbox(&self, number: usize) -> mpsc::Sender<Message> {
        self.inboxes[number].clone()
    }

    /// Hands what happened to the loop that owns the execution.
    pub(super) fn tell(&self, execution: ExecutionId, happening: Happening) {
        let inbox = &self.inboxes[Partition::of(execution).owner(self.loops)];
        if inbox.send(Message::Happened(Box::new(happening))).is_err() {
            self.forget();
        }
    }

    /// Hands to every loop what concerns them all.
    pub(super) fn tell_all(&self, happening: impl Fn() -> Happening) {
        for inbox in &self.inboxes {
            // It may have stopped.
            inbox.send(Message::Happened(Box::new(happening()))).ok();
        }
    }

    pub(super) fn await_reply(
        &self,
        request: RequestId,
        sender: oneshot::Sender<Result<(), Refusal>>,
    ) {
        lock(&self.replies).insert(request, sender);
    }

    pub(super) fn await_settlement(&self, request: RequestId, sender: oneshot::Sender<Settlement>) {
        lock(&self.settlements).insert(request, sender);
    }

    pub(super) fn reply(&self, request: RequestId, result: Result<(), Refusal>) {
        let sender = lock(&self.replies).remove(&request);
        if let Some(sender) = sender {
            // Who asked may have gone.
            sender.send(result).ok();
        }
    }

    pub(super) fn settle(&self, request: RequestId, settlement: Settlement) {
        let sender = lock(&self.settlements).remove(&request);
        if let Some(sender) = sender {
            sender.send(settlement).ok();
        }
    }

    /// The store failed a loop. The first failure is the cause of the others.
    pub(super) fn halt(&self, error: tutti_store::Error) {
        lock(&self.halted).get_or_insert(error);
    }

    pub(super) fn why_halted(&self) -> Option<tutti_store::Error> {
        lock(&self.halted).take()
    }

    /// Tells when the loops have stopped, or are about to.
    pub(super) fn stopped(&self) -> watch::Receiver<bool> {
        self.stopped.subscribe()
    }

    /// Asks every loop to stop.
    pub(super) fn stop(&self) {
        self.stopped.send_replace(true);
        for inbox in &self.inboxes {
            // It may have stopped before.
            inbox.send(Message::Stop).ok();
        }
    }

    /// Nobody will answer any more.
    pub(super) fn forget(&self) {
        lock(&self.replies).clear();
        lock(&self.settlements).clear();
    }
}

/// Held for one look-up or insertion, never over anything that waits.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
