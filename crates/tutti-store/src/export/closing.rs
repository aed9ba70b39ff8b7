//! How a line closes: with a digest over its fields and all lines before.

use sha2::{Digest as _, Sha256};
use tutti_ids::Digest;

use super::record;

/// What stands between the fields of a line and its digest.
const DIGEST_FIELD: &str = ",\"line\":\"";
/// From there to the end: the digest as text, and what closes the line.
pub(super) const TAIL: usize = DIGEST_FIELD.len() + 64 + "\"}\n".len();

/// What follows the fields of a line.
pub(super) fn tail(digest: Digest) -> String {
    format!("{DIGEST_FIELD}{}\"}}\n", record::hex(&digest.0))
}

/// The digest that the end of a line gives, if it is the end of one.
pub(super) fn given(tail: &[u8]) -> Option<Digest> {
    let digest = tail.strip_prefix(DIGEST_FIELD.as_bytes())?.strip_suffix(b"\"}\n")?;
    record::from_hex(std::str::from_utf8(digest).ok()?).map(Digest)
}

/// Begins the digest of the line after the one with the digest `previous`; its fields follow.
pub(super) fn hasher(previous: Digest) -> Sha256 {
    Sha256::new().chain_update(b"tutti export line 1\0").chain_update(previous.0)
}
