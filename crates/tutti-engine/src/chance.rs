//! Chance and ids, derived from an execution's seed: the same journal position always draws the same.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tutti_ids::{ExecutionId, Sequence};
use tutti_journal::Timestamp;

/// Draws 128 bits for a purpose.
pub(crate) fn draw(seed: u64, sequence: Sequence, purpose: &str) -> u128 {
    let hash = Sha256::new()
        .chain_update(seed.to_be_bytes())
        .chain_update(sequence.0.to_be_bytes())
        .chain_update(purpose.as_bytes())
        .finalize();
    first_bits(&hash)
}

/// Draws a number from `from` to `to`, both included.
pub(crate) fn draw_between(seed: u64, sequence: Sequence, from: u64, to: u64) -> u64 {
    let width = u128::from(to.saturating_sub(from)) + 1;
    from + u64::try_from(draw(seed, sequence, "jitter") % width).unwrap_or(0)
}

/// The id of the child execution asked for at `sequence`.
pub(crate) fn child_id(seed: u64, sequence: Sequence, now: Timestamp) -> ExecutionId {
    ExecutionId::new(u64::try_from(now.0).unwrap_or(0), draw(seed, sequence, "child"))
}

/// The idempotency key of a task execution: (execution, task, iteration path, start sequence) hashed.
pub(crate) fn idempotency_key(
    execution: ExecutionId,
    reference: &str,
    path: &[u64],
    start: Sequence,
) -> Arc<str> {
    let mut hash = Sha256::new()
        .chain_update(execution.to_bits().to_be_bytes())
        .chain_update(reference.as_bytes())
        .chain_update([0])
        .chain_update(start.0.to_be_bytes());
    for index in path {
        hash.update(index.to_be_bytes());
    }
    let bits = first_bits(&hash.finalize());
    Arc::from(format!("{bits:032x}"))
}

/// The first 128 bits of a hash.
fn first_bits(hash: &[u8]) -> u128 {
    hash.iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}
