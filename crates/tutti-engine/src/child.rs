//! What is asked of a child execution.

use minicbor::{Decode, Encode};
use tutti_expr::Value;
use tutti_ids::{DefinitionRef, Digest, ExecutionId};
use tutti_journal::{Parent, Payloads, codec};

/// A child execution to start.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub struct ChildRequest {
    /// Its id.
    #[cbor(n(0), with = "codec::execution")]
    pub execution: ExecutionId,
    /// Its definition's name.
    #[cbor(n(1), with = "codec::definition")]
    pub definition: DefinitionRef,
    /// Its definition's digest.
    #[cbor(n(2), with = "codec::digest")]
    pub digest: Digest,
    /// Its raw input.
    #[cbor(n(3), with = "codec::value")]
    pub input: Value,
    /// Who asks.
    #[n(4)]
    pub parent: Parent,
}
