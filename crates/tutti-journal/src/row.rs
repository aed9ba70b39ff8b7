//! One turn as one row: encoded, digested, chained.

use std::sync::Arc;

use minicbor::{Decoder, Encoder};
use sha2::{Digest as _, Sha256};
use tutti_expr::Value;
use tutti_ids::{Digest, ExecutionId, Sequence};

use crate::{
    Entry, Sealer, Timestamp,
    payload::{self, Blob, Payloads, Source},
};

/// Values whose encoded form is larger than this stand in blobs (bytes).
pub const BLOB_THRESHOLD: usize = 64 * 1024;
/// The version of the encoding, first byte of every row's structure.
const FORMAT: u8 = 1;

/// What one turn of an execution found out: consecutive entries, decided at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// The execution.
    pub execution: ExecutionId,
    /// The sequence of the first entry.
    pub first: Sequence,
    /// The turn's time.
    pub at: Timestamp,
    /// The entries; never empty.
    pub entries: Vec<Entry>,
}

/// A turn as it is stored.
///
/// The chain of [`Row::digest`]s covers the structure and the salted digest of the values, never the values: erasing a
/// row's values and salt leaves the chain verifiable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The execution.
    pub execution: ExecutionId,
    /// The sequence of the first entry.
    pub first: Sequence,
    /// How many entries the row holds.
    pub count: u32,
    /// The turn's time.
    pub at: Timestamp,
    /// The structure of the entries, without their values.
    pub structure: Vec<u8>,
    /// The values and their salt; none once they are erased.
    pub values: Option<SaltedValues>,
    /// The digest of salt and values.
    pub values_digest: Digest,
    /// The digest of the execution's previous row; [`Digest::ZERO`] for its first.
    pub previous: Digest,
    /// The digest of this row.
    pub digest: Digest,
}

/// The values of a row, with the salt that keeps their digest from telling what they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaltedValues {
    /// Chance, drawn for this row.
    pub salt: [u8; 16],
    /// The encoded values.
    pub bytes: Vec<u8>,
}

impl Turn {
    /// Encodes this turn as the row after `previous`; values above [`BLOB_THRESHOLD`] become blobs.
    pub fn encode(
        &self,
        previous: Digest,
        salt: [u8; 16],
        sealer: &dyn Sealer,
    ) -> (Row, Vec<Blob>) {
        let mut payloads = Payloads::new(Vec::new());
        let mut encoder = Encoder::new(vec![FORMAT]);
        let written = encoder.encode_with(&self.entries, &mut payloads);
        debug_assert!(written.is_ok(), "invariant: encoding into memory cannot fail");
        let (bytes, blobs) = payload::write_values(&payloads.into_values(), BLOB_THRESHOLD, sealer);
        let values = SaltedValues { salt, bytes };
        let mut row = Row {
            execution: self.execution,
            first: self.first,
            count: u32::try_from(self.entries.len()).unwrap_or(u32::MAX),
            at: self.at,
            structure: encoder.into_writer(),
            values_digest: values.digest(),
            values: Some(values),
            previous,
            digest: Digest::ZERO,
        };
        row.digest = row.expected_digest();
        (row, blobs)
    }
}

impl SaltedValues {
    pub(crate) fn digest(&self) -> Digest {
        Digest(Sha256::new().chain_update(self.salt).chain_update(&self.bytes).finalize().into())
    }
}

impl Row {
    /// The sequence after this row's last entry.
    pub fn next(&self) -> Sequence {
        Sequence(self.first.0.saturating_add(u64::from(self.count)))
    }

    /// Checks that this row is unaltered and follows the row whose digest is `previous` and whose next sequence is
    /// `first`.
    ///
    /// # Errors
    /// What does not hold.
    pub fn verify(&self, previous: Digest, first: Sequence) -> Result<(), Damage> {
        let damage = |what| Damage { execution: self.execution, first: self.first, what };
        if self.first != first {
            return Err(damage("rows are missing or out of order"));
        }
        if self.previous != previous {
            return Err(damage("the chain of digests is broken"));
        }
        if self.values.as_ref().is_some_and(|values| values.digest() != self.values_digest) {
            return Err(damage("the values were altered"));
        }
        if self.expected_digest() != self.digest {
            return Err(damage("the entries were altered"));
        }
        Ok(())
    }

    /// Decodes a verified row. `blob` finds the bytes of a blob. Erased values read as the string `«erased»`.
    ///
    /// # Errors
    /// If the bytes are of a newer version, are damaged, or a secret does not open.
    pub fn decode(
        &self,
        sealer: &dyn Sealer,
        blob: &dyn Fn(&Digest) -> Option<Arc<[u8]>>,
    ) -> Result<Turn, CodecError> {
        let fail =
            |reason: String| CodecError { execution: self.execution, first: self.first, reason };
        let [FORMAT, structure @ ..] = &self.structure[..] else {
            return Err(fail("the row was written by a newer version".to_owned()));
        };
        let values = match &self.values {
            Some(values) => payload::read_values(&values.bytes, &Source { sealer, blob }),
            None => Ok(vec![Value::from("«erased»"); structure.len()]),
        };
        let mut payloads = Payloads::new(values.map_err(|error| fail(error.to_string()))?);
        let mut decoder = Decoder::new(structure);
        let entries: Vec<Entry> =
            decoder.decode_with(&mut payloads).map_err(|error| fail(error.to_string()))?;
        if decoder.position() < structure.len() {
            return Err(fail("more follows the entries".to_owned()));
        }
        if entries.len() != self.count as usize {
            return Err(fail("the number of entries is wrong".to_owned()));
        }
        Ok(Turn { execution: self.execution, first: self.first, at: self.at, entries })
    }

    /// The digests of the blobs this row's values stand in.
    ///
    /// # Errors
    /// If the bytes are damaged.
    pub fn blob_digests(&self) -> Result<Vec<Digest>, CodecError> {
        let bytes = self.values.as_ref().map_or(&[][..], |values| &values.bytes);
        payload::blob_digests(bytes).map_err(|error| CodecError {
            execution: self.execution,
            first: self.first,
            reason: error.to_string(),
        })
    }

    fn expected_digest(&self) -> Digest {
        let length = (self.structure.len() as u64).to_be_bytes();
        let hash = Sha256::new()
            .chain_update(b"tutti row 1\0")
            .chain_update(self.previous.0)
            .chain_update(self.execution.to_bits().to_be_bytes())
            .chain_update(self.first.0.to_be_bytes())
            .chain_update(self.count.to_be_bytes())
            .chain_update(self.at.0.to_be_bytes())
            .chain_update(length)
            .chain_update(&self.structure)
            .chain_update(self.values_digest.0);
        Digest(hash.finalize().into())
    }
}

/// A row that was altered, or does not follow the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal of {execution} is damaged at entry {first}: {what}")]
pub struct Damage {
    /// The execution.
    pub execution: ExecutionId,
    /// The first entry of the row.
    pub first: Sequence,
    /// What does not hold.
    pub what: &'static str,
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal of {execution} cannot be read at entry {first}: {reason}")]
pub struct CodecError {
    /// The execution.
    pub execution: ExecutionId,
    /// The first entry of the row.
    pub first: Sequence,
    /// Why.
    pub reason: String,
}
