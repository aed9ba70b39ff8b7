//! Typed, prefixed, sortable ids and names. Nothing else, for ever.
//!
//! An id is `<kind>_<ulid, lowercase>`: it says what it names, sorts by creation time and is parsed, never trusted.
//! Names and versions of workflows follow the Serverless Workflow DSL. This crate reads no clock and draws no chance:
//! whoever makes an id passes both in.
//!
//! Start reading at [`ExecutionId`], then [`TaskRef`] and [`DefinitionRef`].

mod definition;
mod digest;
mod id;
mod sequence;
mod task_ref;
mod ulid;

pub use definition::{DefinitionRef, InvalidName, Name, Version};
pub use digest::{Digest, InvalidDigest};
pub use id::{ExecutionId, InvalidId, PrincipalId, PrincipalKind, TokenId};
pub use sequence::Sequence;
pub use task_ref::TaskRef;
