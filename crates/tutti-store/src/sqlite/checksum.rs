//! Checksums over the columns of rows that no chain of digests covers.

use sha2::{Digest as _, Sha256};

/// The first half of a SHA-256 over a table's name and a row's columns.
#[derive(Debug)]
pub(super) struct Checksum(Vec<u8>);

impl Checksum {
    /// Begins the checksum of a row of `table`.
    pub(super) fn of(table: &str) -> Self {
        Self(Vec::with_capacity(512)).bytes(table.as_bytes())
    }

    /// Adds a column.
    pub(super) fn bytes(mut self, column: &[u8]) -> Self {
        self.0.extend((column.len() as u64).to_be_bytes());
        self.0.extend(column);
        self
    }

    /// Adds a column that is a whole number.
    pub(super) fn integer(self, column: i64) -> Self {
        self.bytes(&column.to_be_bytes())
    }

    /// Adds a column that may be empty.
    pub(super) fn optional(self, column: Option<&[u8]>) -> Self {
        match column {
            Some(column) => self.integer(1).bytes(column),
            None => self.integer(0),
        }
    }

    pub(super) fn finish(self) -> [u8; 16] {
        let digest: [u8; 32] = Sha256::digest(&self.0).into();
        std::array::from_fn(|index| digest[index])
    }
}
