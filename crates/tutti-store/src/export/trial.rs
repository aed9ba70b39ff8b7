//! Finds the one altered byte of a line by trying which change makes its digest right.

use sha2::{Digest as _, Sha256};
use tutti_ids::Digest;

use super::closing::{TAIL, given, hasher, tail};

/// Bytes hashed at most to find one: well under a second's work.
const WORK: usize = 1 << 28;
/// Places tried at most where a line may have ended.
const ENDS: usize = 16;

/// Where in `line` the one altered byte is; nothing if more than one was altered, or if trying took too long: a flipped bit is found
/// in lines of up to 8 KiB, any other change of a byte in lines of up to 1.4 KiB.
pub(super) fn altered_byte(previous: Digest, line: &[u8]) -> Option<usize> {
    let (fields, end) = line.split_at_checked(line.len().checked_sub(TAIL)?)?;
    in_tail(previous, fields, end)
        .map(|at| fields.len() + at)
        .or_else(|| in_fields(previous, fields, given(end)?))
}

/// Where `line` should have ended, had not one altered byte joined the next one to it.
pub(super) fn altered_end(previous: Digest, line: &[u8]) -> Option<usize> {
    let ends = (TAIL - 1..line.len()).filter(|end| line[..*end].ends_with(b"\"}"));
    ends.take(ENDS).find(|at| {
        let (fields, end) = line[..*at].split_at(at + 1 - TAIL);
        let tail = tail(finished(hasher(previous).chain_update(fields)));
        tail.as_bytes().strip_suffix(b"\n") == Some(end)
    })
}

fn in_tail(previous: Digest, fields: &[u8], end: &[u8]) -> Option<usize> {
    let tail = tail(finished(hasher(previous).chain_update(fields)));
    let pairs = end.iter().zip(tail.as_bytes());
    let mut wrong = pairs.enumerate().filter(|(_, (is, must))| is != must);
    let (first, _) = wrong.next()?;
    wrong.next().is_none().then_some(first)
}

fn in_fields(previous: Digest, fields: &[u8], given: Digest) -> Option<usize> {
    // Each try hashes what follows the byte: half of the line on average.
    let pass = fields.len().saturating_mul(fields.len()) / 2;
    let affordable = |changes: &&Vec<u8>| pass.saturating_mul(changes.len()) <= WORK;
    let (flips, others): (Vec<u8>, Vec<u8>) = (1..=u8::MAX).partition(|c| c.is_power_of_two());
    [flips, others].iter().filter(affordable).find_map(|changes| {
        let mut before = hasher(previous);
        fields.iter().enumerate().position(|(at, byte)| {
            let right = changes.iter().any(|change| {
                let tried = before.clone().chain_update([byte ^ change]);
                finished(tried.chain_update(&fields[at + 1..])) == given
            });
            before.update([*byte]);
            right
        })
    })
}

fn finished(hash: Sha256) -> Digest {
    Digest(hash.finalize().into())
}
