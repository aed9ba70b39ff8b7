//! A tree of a text that is no YAML yet: lines, their columns, and what can be made of them.
//!
//! What is half written costs the rest nothing: every line finds its place by its column, quotes end with their line,
//! braces with their indentation. Total on every text, in time linear in it.

mod build;
mod flow;
mod lines;
mod scalar;

use crate::tree::Node;

/// Bytes of a text that is sketched.
const MAX_SIZE: usize = 512 * 1024;
/// Nesting that is followed.
const MAX_DEPTH: usize = 64;

/// What can be made of a text; nothing of one that is too large or holds nothing.
pub(super) fn sketch(text: &str) -> Option<Node> {
    if text.len() > MAX_SIZE {
        return None;
    }
    build::build(text, &lines::parts(text))
}
