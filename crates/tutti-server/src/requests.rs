//! Requests under an idempotency key: what each has done is known for a day.

use std::{sync::Arc, time::Duration};

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};
use tutti_ids::{Digest, ExecutionId, Name};
use tutti_journal::Timestamp;
use tutti_store::{Commit, Expected, Record, RecordChange, RecordId, RecordKind, RecordRange};

use crate::{asked::Asked, desk::Desk};

/// How long a key stands for its request, in milliseconds: a day.
const KNOWN_FOR_MS: i64 = 24 * 3_600 * 1_000;
/// How often those that are older are forgotten.
const PAUSE: Duration = Duration::from_mins(10);
/// How many records are looked at, and forgotten, at once.
const PAGE: usize = 500;

/// What a request under an idempotency key has done.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Done {
    /// The digest of what was asked.
    #[cbor(n(0), with = "minicbor::bytes")]
    asked: [u8; 32],
    /// The execution it started.
    #[cbor(n(1), with = "minicbor::bytes")]
    execution: [u8; 16],
    /// When, in milliseconds since the epoch.
    #[n(2)]
    at: i64,
}

impl Done {
    pub(crate) fn new(asked: [u8; 32], execution: ExecutionId, at: Timestamp) -> Self {
        Self { asked, execution: execution.to_bits().to_be_bytes(), at: at.0 }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("invariant: memory takes what is written")
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok()
    }

    pub(crate) fn asked_for(&self, digest: &[u8; 32]) -> bool {
        self.asked == *digest
    }

    pub(crate) fn execution(&self) -> ExecutionId {
        ExecutionId::from_bits(u128::from_be_bytes(self.execution))
    }
}

/// The name of the record of a request: of who asked, for which workflow, under which key.
pub(crate) fn record(asked: &Asked, namespace: &Name, key: &str) -> RecordId {
    let who = asked.who();
    let hash = hashed([who.as_str(), asked.part("name"), key]);
    let key = Digest(hash.finalize().into()).to_string();
    RecordId { kind: RecordKind::Request, namespace: Some(namespace.clone()), key }
}

/// What a repetition must ask as well: the same body and parameters. How long it waits is its own affair.
pub(crate) fn digest(asked: &Asked) -> [u8; 32] {
    let said = asked.query.iter().filter(|(name, _)| *name != "wait");
    let hash = hashed(said.flat_map(|(name, value)| [name.as_str(), value.as_str()]));
    hash.chain_update(&asked.body).finalize().into()
}

fn hashed<'a>(parts: impl IntoIterator<Item = &'a str>) -> Sha256 {
    parts.into_iter().fold(Sha256::new(), |hash, part| {
        hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
    })
}

/// Forgets requests that are older than a day, for ever.
///
/// # Cancel safety
/// Safe: what was not forgotten is forgotten later.
pub async fn forget_old_requests(desk: Arc<Desk>) {
    loop {
        // Where the store does not answer, it is tried again with the next pause.
        forget_once(&desk).await.ok();
        tokio::time::sleep(PAUSE).await;
    }
}

async fn forget_once(desk: &Desk) -> Result<(), tutti_store::Error> {
    let before = desk.clock.now().0.saturating_sub(KNOWN_FOR_MS);
    let mut after = None;
    loop {
        let (kind, namespace) = (RecordKind::Request, None);
        let page = desk.store.records(RecordRange { kind, namespace, after, limit: PAGE }).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id.clone());
        let records: Vec<RecordChange> =
            page.into_iter().filter(|record| is_old(record, before)).map(forgotten).collect();
        if !records.is_empty() {
            desk.store.commit(Commit { records, ..Commit::default() }).await?;
        }
    }
}

fn is_old(record: &Record, before: i64) -> bool {
    Done::decode(&record.value).is_none_or(|done| done.at < before)
}

fn forgotten(record: Record) -> RecordChange {
    RecordChange { id: record.id, expected: Expected::Anything, value: None }
}
