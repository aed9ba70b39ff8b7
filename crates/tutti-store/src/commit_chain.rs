//! The chain of commits: what every transaction added, and how much there is in all.
//!
//! Pure: the tables of the chain are the store's, and an export carries the same rows.

use sha2::{Digest as _, Sha256};
use tutti_ids::Digest;

use crate::{Error, check};

/// Where the chain of commits ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tail {
    /// The number of the last commit; 0 before the first.
    pub(crate) number: i64,
    /// Its head.
    pub(crate) head: Digest,
    /// How much there is after it.
    pub(crate) totals: Totals,
}

/// How much the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Rows of all journals: the position of the last one.
    pub(crate) rows: i64,
    /// Executions.
    pub(crate) executions: i64,
    /// Executions that have not ended.
    pub(crate) open: i64,
    /// Definitions.
    pub(crate) definitions: i64,
}

/// What one transaction added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommitRow {
    /// Its number.
    pub(crate) number: i64,
    /// The position of the first row it added.
    pub(crate) first: i64,
    /// How many rows it added.
    pub(crate) count: i64,
    /// How much there is after it.
    pub(crate) totals: Totals,
    /// The digest of the digests of the rows it added.
    pub(crate) digest: Digest,
    /// The head of the chain after it.
    pub(crate) head: Digest,
}

impl Tail {
    /// Of a store without commits.
    pub(crate) const START: Self = Self {
        number: 0,
        head: Digest::ZERO,
        totals: Totals { rows: 0, executions: 0, open: 0, definitions: 0 },
    };

    /// The row of the commit that adds rows with these digests and leads to `totals`, and the tail after it.
    pub(crate) fn next(&self, digests: &[Digest], totals: Totals) -> (CommitRow, Self) {
        let mut row = CommitRow {
            number: self.number.saturating_add(1),
            first: self.totals.rows.saturating_add(1),
            count: totals.rows.saturating_sub(self.totals.rows),
            totals,
            digest: digest_of(digests),
            head: Digest::ZERO,
        };
        row.head = row.expected_head(self.head);
        let tail = Self { number: row.number, head: row.head, totals };
        (row, tail)
    }

    /// The tail after `row`, if it follows this one and the rows it added have these digests.
    pub(crate) fn follow(&self, row: &CommitRow, digests: &[Digest]) -> Result<Self, Error> {
        let (expected, tail) = self.next(digests, row.totals);
        let same = expected.number == row.number
            && expected.first == row.first
            && expected.count == row.count
            && expected.digest == row.digest
            && expected.head == row.head;
        if same { Ok(tail) } else { Err(altered(row.number)) }
    }

    /// The same where only the digest of those digests is known.
    pub(crate) fn follow_digest(&self, row: &CommitRow) -> Result<Self, Error> {
        let expected = [self.number.checked_add(1), self.totals.rows.checked_add(1)];
        let follows = expected == [Some(row.number), Some(row.first)];
        if follows && row.count >= 0 && row.expected_head(self.head) == row.head {
            return Ok(Self { number: row.number, head: row.head, totals: row.totals });
        }
        Err(altered(row.number))
    }
}

impl CommitRow {
    /// The positions of the rows it added, first and last.
    pub(crate) fn positions(&self) -> (i64, i64) {
        (self.first, self.first.saturating_add(self.count).saturating_sub(1))
    }

    /// The head this row must have after one with the head `previous`.
    pub(crate) fn expected_head(&self, previous: Digest) -> Digest {
        let totals = &self.totals;
        let numbers = [
            self.number,
            self.first,
            self.count,
            totals.rows,
            totals.executions,
            totals.open,
            totals.definitions,
        ];
        let hash = Sha256::new().chain_update(b"tutti commit 1\0").chain_update(previous.0);
        let hash =
            numbers.iter().fold(hash, |hash, number| hash.chain_update(number.to_be_bytes()));
        Digest(hash.chain_update(self.digest.0).finalize().into())
    }
}

/// The digest of these digests.
pub(crate) fn digest_of(digests: &[Digest]) -> Digest {
    let hash = digests.iter().fold(Sha256::new(), |hash, digest| hash.chain_update(digest.0));
    Digest(hash.finalize().into())
}

/// The error where a commit is not the one that was written.
pub(crate) fn altered(number: i64) -> Error {
    check::corrupt(format!("the row of commit {number} was altered or lost"))
}
