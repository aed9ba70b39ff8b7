//! What is written down for ever: the facts of an execution, how they are encoded, and the digests that chain them.
//!
//! An [`Entry`] is a fact in the past tense. The entries of one turn are encoded into one [`Row`]: structure and values
//! apart, so that values can be sealed, moved into blobs or erased while the chain of digests stays verifiable.
//!
//! **Invariant:** persisted shapes only grow. Every field and variant has a number that is never used again.
//!
//! This crate must never read a clock, chance, the environment or a file. Start reading at [`Entry`], then [`Turn`].

pub mod codec;
mod effect;
mod entry;
mod error;
mod event;
mod names;
mod payload;
mod row;
mod sealer;
mod snapshot;
mod timestamp;

pub use effect::Effect;
pub use entry::{CallRecord, Entry, Flow, Parent, Resolution, SuspensionReason, Unanswered};
pub use error::{Error, ErrorType};
pub use event::{ADDRESS, CloudEvent, EventPosition, InvalidEvent, MAX_EVENT_BYTES};
pub use payload::{Blob, Payloads};
pub use row::{BLOB_THRESHOLD, CodecError, Damage, Row, SaltedValues, Turn};
pub use sealer::{SealError, Sealer};
pub use snapshot::{Snapshot, SnapshotPlace};
pub use timestamp::Timestamp;
