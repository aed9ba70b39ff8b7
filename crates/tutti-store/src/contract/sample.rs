//! Turns to commit.

use std::sync::Arc;

use tutti_ids::{DefinitionRef, Digest, ExecutionId, Sequence};
use tutti_journal::{
    Entry, Error, ErrorType, SealError, Sealer, Snapshot, SnapshotPlace, Timestamp, Turn,
};

use crate::{DefinitionText, Projection, Status, StoredTurn, check};

/// An execution with a journal that grows by made-up turns.
#[derive(Debug, Clone)]
pub struct Sample {
    execution: ExecutionId,
    next: Sequence,
    previous: Digest,
}

impl Sample {
    /// An execution without entries; samples of different numbers have different ids, in the order of the numbers.
    pub fn new(number: u128) -> Self {
        let execution = ExecutionId::new(1_700_000_000_000, number);
        Self { execution, next: Sequence::FIRST, previous: Digest::ZERO }
    }

    /// Its id.
    pub fn execution(&self) -> ExecutionId {
        self.execution
    }

    /// The next turn: two entries, of which one carries `detail`, after which the execution has this status.
    pub fn turn(&mut self, detail: &str, status: Status) -> StoredTurn {
        let error = Error::new(ErrorType::Runtime, detail);
        let task = self.next;
        self.turn_of(vec![Entry::TaskFaulted { task, error }, Entry::ExecutionResumed], status)
    }

    /// The next turn, of these entries.
    pub fn turn_of(&mut self, entries: Vec<Entry>, status: Status) -> StoredTurn {
        let at = Timestamp(1_700_000_000_000).plus_ms(self.next.0);
        let turn = Turn { execution: self.execution, first: self.next, at, entries };
        let salt = std::array::from_fn(|index| self.next.0.to_be_bytes()[index % 8]);
        let (row, blobs) = turn.encode(self.previous, salt, &Plain);
        self.next = row.next();
        self.previous = row.digest;
        let projection = self.projection(at, status);
        StoredTurn { row, blobs, projection, snapshot: None, key: None }
    }

    /// The next turn with a made-up image after it, which holds `image`.
    pub fn turn_with_snapshot(&mut self, image: &str, status: Status) -> StoredTurn {
        let turn = self.turn("before a snapshot", status);
        let Self { execution, next, previous: head } = *self;
        let place = SnapshotPlace { execution, next, head };
        let error = Error::new(ErrorType::Runtime, image);
        let snapshot = Snapshot::encode(place, "a sample".to_owned(), &error, [7; 16], &Plain);
        StoredTurn { snapshot: Some(snapshot), ..turn }
    }

    /// A turn that follows one that is never given out.
    pub(crate) fn after_a_gap(mut self) -> StoredTurn {
        self.turn("skipped", Status::Running);
        self.turn("after a gap", Status::Running)
    }

    /// A turn that names `last` as the row before it, but has a later number.
    pub(crate) fn misnumbered(mut self, last: &StoredTurn) -> StoredTurn {
        self.previous = last.row.digest;
        self.turn("misnumbered", Status::Running)
    }

    fn projection(&self, at: Timestamp, status: Status) -> Projection {
        let text = definition("sample");
        Projection {
            definition: text.name,
            digest: text.digest,
            status,
            parent: (self.next.0 % 4 == 1).then(|| ExecutionId::from_bits(7)),
            started_at: Timestamp(1_700_000_000_000),
            updated_at: at,
            due: self.next.0.is_multiple_of(3).then(|| at.plus_ms(1000)),
        }
    }
}

/// A definition with this text.
pub fn definition(text: &str) -> DefinitionText {
    let label = |text: &str| text.parse().expect("invariant: a DNS label");
    let name = DefinitionRef {
        namespace: label("tests"),
        name: label("sample"),
        version: "1.0.0".parse().expect("invariant: a version"),
    };
    DefinitionText { name, digest: check::sha256(text.as_bytes()), text: Arc::from(text) }
}

/// Seals nothing: nothing of a sample came from a secret.
#[derive(Debug)]
pub struct Plain;

impl Sealer for Plain {
    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        plain.to_vec()
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(sealed.to_vec())
    }
}
