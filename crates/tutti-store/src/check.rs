//! What a commit must be before any store takes it, and where each journal goes on.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use tutti_ids::{Digest, Sequence};
use tutti_journal::{Row, Snapshot, SnapshotPlace};

use crate::{Commit, DefinitionText, Error, StoredTurn};

/// Checks that the parts of `commit` agree with themselves: digests fit what they are the digests of.
pub(crate) fn commit(commit: &Commit) -> Result<(), Error> {
    commit.definitions.iter().try_for_each(definition)?;
    if commit.records.iter().any(|change| change.id.key.is_empty()) {
        return Err(corrupt("a record has no key"));
    }
    if commit.audit.iter().any(|fact| fact.bytes.is_empty()) {
        return Err(corrupt("an audit fact says nothing"));
    }
    commit.turns.iter().try_for_each(turn)
}

/// Checks that the text of a definition has its digest.
pub(crate) fn definition(definition: &DefinitionText) -> Result<(), Error> {
    if sha256(definition.text.as_bytes()) == definition.digest {
        return Ok(());
    }
    Err(corrupt(format!("the text of definition {} does not have its digest", definition.name)))
}

/// Checks that `bytes` are the blob that `digest` names.
pub(crate) fn blob(digest: Digest, bytes: &[u8]) -> Result<(), Error> {
    if sha256(bytes) == digest {
        return Ok(());
    }
    Err(corrupt(format!("the bytes of blob {digest} do not have its digest")))
}

fn turn(turn: &StoredTurn) -> Result<(), Error> {
    let row = &turn.row;
    row.verify(row.previous, row.first)?;
    if row.count == 0 {
        return Err(corrupt(format!("a turn of {} has no entries", row.execution)));
    }
    turn.snapshot.as_ref().map_or(Ok(()), |snapshot| snapshot_of(snapshot, row))?;
    turn.blobs.iter().try_for_each(|each| blob(each.digest, &each.bytes))?;
    let brought: BTreeSet<Digest> = turn.blobs.iter().map(|blob| blob.digest).collect();
    if blob_digests(row)?.into_iter().collect::<BTreeSet<_>>() == brought {
        return Ok(());
    }
    Err(corrupt(format!("a turn of {} does not bring the blobs it refers to", row.execution)))
}

/// Checks that `snapshot` is whole and shows the execution as it is after `row`.
fn snapshot_of(snapshot: &Snapshot, row: &Row) -> Result<(), Error> {
    snapshot.verify()?;
    let SnapshotPlace { execution, next, head } = snapshot.place;
    if (execution, next, head) == (row.execution, row.next(), row.digest) {
        return Ok(());
    }
    Err(corrupt(format!("a snapshot of {} is not of the turn it comes with", row.execution)))
}

/// The digests of the blobs that a verified row refers to.
pub(crate) fn blob_digests(row: &Row) -> Result<Vec<Digest>, Error> {
    row.blob_digests().map_err(|error| corrupt(error.to_string()))
}

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

pub(crate) fn corrupt(what: impl Into<String>) -> Error {
    Error::Corrupt { what: what.into() }
}

/// Where the journal of an execution goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The sequence of the entry that comes next.
    pub(crate) next: Sequence,
    /// The digest of the last row.
    pub(crate) digest: Digest,
}

impl Head {
    /// Of a journal without rows.
    pub(crate) const START: Self = Self { next: Sequence::FIRST, digest: Digest::ZERO };

    /// Where the rows after a snapshot go on, or those of a whole journal.
    pub(crate) fn after(snapshot: Option<&Snapshot>) -> Self {
        snapshot.map_or(Self::START, |snapshot| {
            let SnapshotPlace { next, head, .. } = snapshot.place;
            Self { next, digest: head }
        })
    }

    /// The head after `row`, if it follows this one.
    pub(crate) fn advance(self, row: &Row) -> Result<Self, Error> {
        if row.first != self.next || row.previous != self.digest {
            return Err(Error::Conflict { execution: row.execution, stored: self.next });
        }
        Ok(Self { next: row.next(), digest: row.digest })
    }
}
