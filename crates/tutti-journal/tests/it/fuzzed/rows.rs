//! Any bytes of a row are an error or entries that can be written again. The fuzz target of this name calls the same
//! function.

use std::{collections::BTreeMap, sync::Arc};

use tutti_ids::{Digest, ExecutionId, Sequence};
use tutti_journal::{Row, SaltedValues, SealError, Sealer, Timestamp};

/// Takes a row's number of entries, the length of its structure, structure and values out of `bytes`, decodes it, and
/// writes again what it holds.
pub(crate) fn check(bytes: &[u8]) {
    let [count, high, low, rest @ ..] = bytes else { return };
    let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
    let (structure, values) = rest.split_at(length);
    let row = Row {
        execution: ExecutionId::from_bits(7),
        first: Sequence::FIRST,
        count: u32::from(*count),
        at: Timestamp(1_700_000_000_000),
        structure: structure.to_vec(),
        values: Some(SaltedValues { salt: [1; 16], bytes: values.to_vec() }),
        values_digest: Digest::ZERO,
        previous: Digest::ZERO,
        digest: Digest::ZERO,
    };
    assert!(row.verify(Digest::ZERO, Sequence::FIRST).is_err());
    drop(row.blob_digests());
    drop(Row { values: None, ..row.clone() }.decode(&Plain, &|_| None));
    let Ok(turn) = row.decode(&Plain, &|_| Some(Arc::from(&b"\xf6"[..]))) else { return };
    assert_eq!(turn.entries.len(), usize::from(*count));
    let (written, blobs) = turn.encode(Digest::ZERO, [2; 16], &Plain);
    let blobs: BTreeMap<Digest, Arc<[u8]>> =
        blobs.into_iter().map(|blob| (blob.digest, blob.bytes)).collect();
    let again = written.decode(&Plain, &|digest| blobs.get(digest).cloned());
    let again = again.expect("what was written can be read");
    assert_eq!(format!("{again:?}"), format!("{turn:?}"));
}

/// Seals nothing.
#[derive(Debug)]
struct Plain;

impl Sealer for Plain {
    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        plain.to_vec()
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(sealed.to_vec())
    }
}
