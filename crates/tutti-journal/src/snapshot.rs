//! A disposable image of an execution's state, kept so that not the whole journal has to be folded.

use minicbor::{Decode, Decoder, Encode, Encoder};
use sha2::{Digest as _, Sha256};
use tutti_ids::{Digest, ExecutionId, Sequence};

use crate::{
    CodecError, Damage, SaltedValues, Sealer,
    payload::{self, Payloads, Source},
};

/// An image of an execution's state after some row of its journal.
///
/// The journal stays the only truth: a snapshot may be thrown away at any time, and one whose fingerprint is not the
/// reader's is ignored. All its values stand in it, none in blobs, so that replacing it leaves nothing behind. Values
/// that are one in memory are written once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Where in the journal it was taken.
    pub place: SnapshotPlace,
    /// What wrote it: only a reader with the same fingerprint understands it.
    pub fingerprint: String,
    /// The image without its values.
    pub structure: Vec<u8>,
    /// The values, those that came from secrets sealed.
    pub values: SaltedValues,
    /// The digest of all of the above.
    pub digest: Digest,
}

/// A place between two rows of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotPlace {
    /// The execution.
    pub execution: ExecutionId,
    /// The sequence of the entry that comes next.
    pub next: Sequence,
    /// The digest of the row before.
    pub head: Digest,
}

impl Snapshot {
    /// Encodes an image.
    pub fn encode<T: Encode<Payloads>>(
        place: SnapshotPlace,
        fingerprint: String,
        image: &T,
        salt: [u8; 16],
        sealer: &dyn Sealer,
    ) -> Self {
        let mut payloads = Payloads::sharing();
        let mut encoder = Encoder::new(Vec::new());
        let written = encoder.encode_with(image, &mut payloads);
        debug_assert!(written.is_ok(), "invariant: encoding into memory cannot fail");
        let (bytes, _) = payload::write_values(&payloads.into_values(), usize::MAX, sealer);
        let mut snapshot = Self {
            place,
            fingerprint,
            structure: encoder.into_writer(),
            values: SaltedValues { salt, bytes },
            digest: Digest::ZERO,
        };
        snapshot.digest = snapshot.expected_digest();
        snapshot
    }

    /// How many bytes its structure and values take.
    pub fn size(&self) -> usize {
        self.structure.len() + self.values.bytes.len()
    }

    /// Checks that this snapshot is unaltered.
    ///
    /// # Errors
    /// If it was altered.
    pub fn verify(&self) -> Result<(), Damage> {
        if self.expected_digest() == self.digest {
            return Ok(());
        }
        let SnapshotPlace { execution, next, .. } = self.place;
        Err(Damage { execution, first: next, what: "the snapshot was altered" })
    }

    /// Decodes the image of a verified snapshot.
    ///
    /// # Errors
    /// If it was written by something with another fingerprint, does not decode, or a secret does not open. Then the
    /// whole journal has to be folded.
    pub fn decode<T: for<'b> Decode<'b, Payloads>>(
        &self,
        fingerprint: &str,
        sealer: &dyn Sealer,
    ) -> Result<T, CodecError> {
        let SnapshotPlace { execution, next: first, .. } = self.place;
        let fail = |reason: String| CodecError { execution, first, reason };
        if self.fingerprint != fingerprint {
            return Err(fail(format!("the snapshot is of {}", self.fingerprint)));
        }
        let source = Source { sealer, blob: &|_none_stand_in_blobs| None };
        let values = payload::read_values(&self.values.bytes, &source);
        let mut payloads = Payloads::new(values.map_err(|error| fail(error.to_string()))?);
        let mut decoder = Decoder::new(&self.structure);
        let image = decoder.decode_with(&mut payloads).map_err(|error| fail(error.to_string()))?;
        if decoder.position() < self.structure.len() {
            return Err(fail("more follows the image".to_owned()));
        }
        Ok(image)
    }

    fn expected_digest(&self) -> Digest {
        let length = |bytes: &[u8]| (bytes.len() as u64).to_be_bytes();
        let hash = Sha256::new()
            .chain_update(b"tutti snapshot 1\0")
            .chain_update(self.place.execution.to_bits().to_be_bytes())
            .chain_update(self.place.next.0.to_be_bytes())
            .chain_update(self.place.head.0)
            .chain_update(length(self.fingerprint.as_bytes()))
            .chain_update(self.fingerprint.as_bytes())
            .chain_update(length(&self.structure))
            .chain_update(&self.structure)
            .chain_update(self.values.digest().0);
        Digest(hash.finalize().into())
    }
}
