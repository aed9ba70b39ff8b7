//! How much a document may hold, and the problems both readers tell.

use std::ops::Range;

use super::Key;
use crate::{codes::Code, diagnostic::Problem};

/// Bytes of a document.
pub(super) const MAX_SIZE: usize = 512 * 1024;
/// Nesting of a YAML document.
pub(super) const MAX_YAML_DEPTH: usize = 64;
/// Nesting of a JSON document.
pub(super) const MAX_JSON_DEPTH: usize = 128;
/// Nodes that aliases may add to a document.
pub(super) const MAX_ALIAS_NODES: usize = 10_000;
/// Keys of one mapping.
const MAX_MEMBERS: usize = 10_000;

/// What is nested deeper than `limit` levels.
pub(super) fn too_deep(span: Range<usize>, limit: usize) -> Problem {
    let message = format!("the document is nested deeper than {limit} levels");
    Problem::new(Code::LimitExceeded, span, "", message)
        .hint("move the inner part to `use.functions` or to a workflow of its own")
}

/// Refuses one more key in a mapping of as many as there may be.
pub(super) fn check_members(count: usize, span: &Range<usize>) -> Result<(), Problem> {
    if count < MAX_MEMBERS {
        return Ok(());
    }
    let message = "a mapping has more than 10,000 keys";
    Err(Problem::new(Code::LimitExceeded, span.clone(), "", message))
}

/// A key that its mapping has already.
pub(super) fn duplicate(key: Key) -> Problem {
    let message = format!("the key `{}` is given twice", key.text);
    Problem::new(Code::DuplicateKey, key.span, "", message).hint("remove one of them")
}
