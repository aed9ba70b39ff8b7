//! Events as the log keeps them: bytes that were sealed, told apart by a digest of where they come from.

use sha2::{Digest as _, Sha256};
use tutti_ids::Digest;
use tutti_journal::{CloudEvent, EventPosition, Sealer, Timestamp};

/// An event to be written into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Tells it from all others: see [`event_key`].
    pub key: Digest,
    /// When it was received.
    pub received_at: Timestamp,
    /// The event, encoded; what came from a secret is sealed.
    pub bytes: Vec<u8>,
}

/// An event of the log, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Where it stands.
    pub position: EventPosition,
    /// The event.
    pub event: NewEvent,
}

/// What became of a published event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It is in the log now.
    Logged(EventPosition),
    /// One of the same source and id is in the log already, and stays as it is.
    Duplicate(EventPosition),
}

impl LoggedEvent {
    /// Whether what it said was erased: no event is without bytes.
    pub(crate) fn is_erased(&self) -> bool {
        self.event.bytes.is_empty()
    }
}

impl NewEvent {
    /// The event as it is written into the log.
    pub fn new(event: &CloudEvent, received_at: Timestamp, sealer: &dyn Sealer) -> Self {
        Self { key: event_key(event), received_at, bytes: event.encode(sealer) }
    }
}

/// What tells an event from all others: a digest of its source and id, which may have come from a secret, of the namespace
/// it is for, and of the execution it is addressed to, if it is.
pub fn event_key(event: &CloudEvent) -> Digest {
    let source = event.source().as_bytes();
    let length = (source.len() as u64).to_be_bytes();
    let hash = match (event.address(), event.namespace()) {
        (None, None) => Sha256::new().chain_update(b"tutti event 1\0"),
        (None, Some(namespace)) => {
            let length = (namespace.len() as u64).to_be_bytes();
            let hash = Sha256::new().chain_update(b"tutti event of a namespace 1\0");
            hash.chain_update(length).chain_update(namespace)
        }
        (Some(address), _) => {
            let length = (address.len() as u64).to_be_bytes();
            let hash = Sha256::new().chain_update(b"tutti addressed event 1\0");
            hash.chain_update(length).chain_update(address)
        }
    };
    let hash = hash.chain_update(length).chain_update(source);
    Digest(hash.chain_update(event.id()).finalize().into())
}
