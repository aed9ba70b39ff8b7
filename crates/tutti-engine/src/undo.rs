//! What is kept of a completed task that says how it is taken back, and how far taking it back has come.

use std::{collections::BTreeMap, sync::Arc};

use minicbor::{Decode, Encode};
use tutti_dsl::TaskId;
use tutti_expr::Value;
use tutti_ids::Sequence;
use tutti_journal::{Error, Payloads, codec};

use crate::{
    cursor::Cursor,
    key_ring::{self, KeyRing},
    places::{bindings, task},
};

/// A task that completed and says how it is taken back.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) struct Undo {
    #[cbor(n(0), with = "task")]
    pub(crate) task: TaskId,
    /// What it gave: the raw input of the first task that undoes it.
    #[cbor(n(1), with = "codec::value")]
    pub(crate) output: Value,
    /// The variables that loops and handlers around it had bound, innermost first.
    #[cbor(n(2), with = "bindings")]
    pub(crate) bound: Vec<(Arc<str>, Value)>,
}

/// What could be undone, by the entry with which it completed.
pub(crate) type Undos = BTreeMap<Sequence, Undo>;

/// How far the undoing of a task has come.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) struct UndoState {
    #[n(0)]
    pub(crate) undo: Undo,
    #[n(1)]
    pub(crate) cursor: Cursor,
    /// Why it could not go on; a person is asked.
    #[n(2)]
    pub(crate) incident: Option<Error>,
    /// The keys of calls that failed in it: when it begins again, their re-runs take them over.
    #[cbor(n(3), with = "key_ring")]
    pub(crate) keys: KeyRing,
}

/// How it is encoded.
pub(crate) mod by_entry {
    use minicbor::{Decoder, Encoder, decode::Error as DecodeError, encode::Write};

    use super::{Payloads, Sequence, Undos};
    use crate::places::{Encoded, length};

    pub(crate) fn encode<C: AsMut<Payloads>, W: Write>(
        value: &Undos,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Encoded<W> {
        encoder.map(value.len() as u64)?;
        for (completed, undo) in value {
            encoder.u64(completed.0)?.encode_with(undo, context)?;
        }
        Ok(())
    }

    pub(crate) fn decode<C: AsMut<Payloads>>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<Undos, DecodeError> {
        let length = length(decoder.map()?)?;
        let mut undos = Undos::new();
        for _ in 0..length {
            undos.insert(Sequence(decoder.u64()?), decoder.decode_with(context)?);
        }
        Ok(undos)
    }
}
