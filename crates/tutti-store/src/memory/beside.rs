//! What is kept beside the journals: records, and the audit trail with the head of what it is chained with.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use tutti_ids::Digest;

use crate::{AuditFact, ChainHead, Error, RecordChange, RecordId, StoredAudit};

/// Records, and the audit trail with the commits it is chained with.
#[derive(Debug)]
pub(super) struct Beside {
    pub(super) records: BTreeMap<RecordId, Vec<u8>>,
    pub(super) audit: Vec<StoredAudit>,
    pub(super) head: ChainHead,
}

impl Default for Beside {
    fn default() -> Self {
        let head = ChainHead { number: 0, head: Digest::ZERO };
        Self { records: BTreeMap::new(), audit: Vec::new(), head }
    }
}

impl Beside {
    /// Checks that all changes can be made, one after the other, before any of them is.
    pub(super) fn check(&self, changes: &[RecordChange]) -> Result<(), Error> {
        let mut changed: BTreeMap<&RecordId, Option<&Vec<u8>>> = BTreeMap::new();
        for change in changes {
            let found = changed.get(&change.id).copied().unwrap_or(self.records.get(&change.id));
            if !change.expected.is_met_by(found.map(Vec::as_slice)) {
                return Err(Error::Stale { record: Box::new(change.id.clone()) });
            }
            changed.insert(&change.id, change.value.as_ref());
        }
        Ok(())
    }

    pub(super) fn write(&mut self, changes: Vec<RecordChange>, audit: Vec<AuditFact>) {
        self.head.number += 1;
        for change in changes {
            match change.value {
                Some(value) => self.records.insert(change.id, value),
                None => self.records.remove(&change.id),
            };
        }
        for fact in audit {
            let number = self.audit.len() as u64 + 1;
            let hash = Sha256::new().chain_update(self.head.head.0).chain_update(fact.digest().0);
            self.head.head = Digest(hash.finalize().into());
            self.audit.push(StoredAudit { number, commit: self.head.number, fact });
        }
    }
}
