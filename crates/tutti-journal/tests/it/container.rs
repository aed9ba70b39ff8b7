//! How golden journals are filed: rows and blobs, one after another, every part with its length.

use std::sync::Arc;

use tutti_ids::{Digest, ExecutionId, Sequence};
use tutti_journal::{Blob, Row, SaltedValues, Timestamp};

/// The file of these rows and blobs.
pub(crate) fn write(rows: &[Row], blobs: &[Blob]) -> Vec<u8> {
    let mut parts: Vec<Vec<u8>> = vec![vec![u8::try_from(rows.len()).expect("a few rows")]];
    for row in rows {
        let values = row.values.as_ref().expect("golden rows are not erased");
        parts.push(row.execution.to_bits().to_be_bytes().to_vec());
        parts.push(row.first.0.to_be_bytes().to_vec());
        parts.push(row.count.to_be_bytes().to_vec());
        parts.push(row.at.0.to_be_bytes().to_vec());
        parts.push(row.structure.clone());
        parts.push(values.salt.to_vec());
        parts.push(values.bytes.clone());
        parts.extend([row.values_digest, row.previous, row.digest].map(|digest| digest.0.to_vec()));
    }
    for blob in blobs {
        parts.extend([blob.digest.0.to_vec(), blob.bytes.to_vec()]);
    }
    let length = |part: &[u8]| u32::try_from(part.len()).expect("a small part").to_be_bytes();
    parts.into_iter().flat_map(|part| [&length(&part)[..], &part].concat()).collect()
}

/// The rows and blobs of a file.
pub(crate) fn read(file: &[u8]) -> (Vec<Row>, Vec<Blob>) {
    let mut parts = Parts(file);
    let count = parts.bytes()[0];
    let rows = (0..count).map(|_| parts.row()).collect();
    let mut blobs = Vec::new();
    while !parts.0.is_empty() {
        blobs.push(Blob { digest: Digest(parts.array()), bytes: Arc::from(parts.bytes()) });
    }
    (rows, blobs)
}

struct Parts<'a>(&'a [u8]);

impl Parts<'_> {
    fn bytes(&mut self) -> Vec<u8> {
        let (length, rest) = self.0.split_first_chunk().expect("a length");
        let (part, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        self.0 = rest;
        part.to_vec()
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.bytes().try_into().expect("a part of the right length")
    }

    fn row(&mut self) -> Row {
        Row {
            execution: ExecutionId::from_bits(u128::from_be_bytes(self.array())),
            first: Sequence(u64::from_be_bytes(self.array())),
            count: u32::from_be_bytes(self.array()),
            at: Timestamp(i64::from_be_bytes(self.array())),
            structure: self.bytes(),
            values: Some(SaltedValues { salt: self.array(), bytes: self.bytes() }),
            values_digest: Digest(self.array()),
            previous: Digest(self.array()),
            digest: Digest(self.array()),
        }
    }
}
