//! What is asked of a child execution.

use tutti_expr::Value;
use tutti_ids::{DefinitionRef, Digest, ExecutionId};
use tutti_journal::Parent;

/// A child execution to start.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildRequest {
    /// Its id.
    pub execution: ExecutionId,
    /// Its definition's name.
    pub definition: DefinitionRef,
    /// Its definition's digest.
    pub digest: Digest,
    /// Its raw input.
    pub input: Value,
    /// Who asks.
    pub parent: Parent,
}
