//! Checksums over the columns of rows that no chain of digests covers.

use sha2::{Digest as _, Sha256};

/// The first half of a SHA-256 over a table's name and a row's columns.
#[derive(Debug)]
pub(super) struct Checksum(Sha256);

impl Checksum {
    /// Begins the checksum of a row of `table`.
    pub(super) fn of(table: &str) -> Self {
        Self(Sha256::new()).bytes(table.as_bytes())
    }

    /// Adds a column.
    pub(super) fn bytes(self, column: &[u8]) -> Self {
        let length = (column.len() as u64).to_be_bytes();
        Self(self.0.chain_update(length).chain_update(column))
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
        let digest: [u8; 32] = self.0.finalize().into();
        std::array::from_fn(|index| digest[index])
    }
}
