//! What a call does to the world.

use std::fmt;

use minicbor::{Decode, Encode};

/// What a call does to the world: decides what recovery may repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Effect {
    /// It changes nothing; it may be made again.
    #[n(0)]
    Read,
    /// Made again under the same key it changes nothing more.
    #[n(1)]
    Idempotent,
    /// It must never be repeated silently.
    #[n(2)]
    Once,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Idempotent => "idempotent",
            Self::Once => "once",
        })
    }
}
