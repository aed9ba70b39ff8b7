//! Any file is an export that holds, or has a first flaw that lies in it. The fuzz target of this name calls the same
//! function.

use sha2::{Digest as _, Sha256};
use tutti_store::export::{self, Unverified};

/// Checks the bytes as they are, and again with lines whose digests fit, so that more than the first line counts. Says
/// whether either holds.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let holds = check_one(bytes);
    check_one(&closed_again(bytes)) || holds
}

fn check_one(bytes: &[u8]) -> bool {
    match export::verify(bytes) {
        Ok(report) => {
            let counts = report.counts;
            assert!(counts.rows <= counts.entries && counts.erased <= counts.rows, "{counts:?}");
            // The last byte is no less bound than the others.
            assert!(export::verify(&bytes[..bytes.len() - 1]).is_err());
            true
        }
        Err(Unverified::Flaw(flaw)) => {
            let before = usize::try_from(flaw.offset).expect("a place in the file");
            assert!(before <= bytes.len(), "{flaw} in {} bytes", bytes.len());
            let lines = bytes[..before].split(|byte| *byte == b'\n').count() as u64 - 1;
            assert!(flaw.line == lines + 1 || flaw.line == lines, "{flaw}, after {lines} lines");
            assert!(!flaw.what.is_empty() && !flaw.what.contains('\n'), "{flaw}");
            false
        }
        Err(Unverified::Unreadable(error)) => unreachable!("memory can be read: {error}"),
    }
}

/// Each line with the digest it would have had; those that have none as they are.
fn closed_again(bytes: &[u8]) -> Vec<u8> {
    const FIELD: &[u8] = b",\"line\":\"";
    let mut previous = [0_u8; 32];
    let mut lines = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(end) = line.windows(FIELD.len()).rposition(|window| window == FIELD) else {
            lines.extend(line);
            continue;
        };
        let hash = Sha256::new().chain_update(b"tutti export line 1\0").chain_update(previous);
        previous = hash.chain_update(&line[..end]).finalize().into();
        lines.extend([&line[..end], FIELD].concat());
        lines.extend(previous.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()));
        lines.extend(b"\"}\n");
    }
    lines
}
