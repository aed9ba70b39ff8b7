//! Facts of the audit trail: bytes, chained with the commits they were written with.

use sha2::{Digest as _, Sha256};
use tutti_ids::{Digest, ExecutionId};

/// A fact for the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFact {
    /// The execution it is about, where it is about one.
    pub execution: Option<ExecutionId>,
    /// The fact, encoded. Never empty.
    pub bytes: Vec<u8>,
}

/// A fact of the audit trail, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAudit {
    /// Where it stands in the trail, from 1 without gaps.
    pub number: u64,
    /// The number of the commit it was written with.
    pub commit: i64,
    /// The fact.
    pub fact: AuditFact,
}

impl AuditFact {
    /// What the digest of its commit is made of.
    pub(crate) fn digest(&self) -> Digest {
        let execution = self.execution.map_or(0, ExecutionId::to_bits);
        let hash = Sha256::new()
            .chain_update(b"tutti audit 1\0")
            .chain_update([u8::from(self.execution.is_some())])
            .chain_update(execution.to_be_bytes());
        Digest(hash.chain_update(&self.bytes).finalize().into())
    }
}
