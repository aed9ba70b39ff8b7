//! How values, ids and names are encoded, for the `with` attribute of types that go into a [`Snapshot`](crate::Snapshot).
//!
//! A value is written as its position among the [`Payloads`](crate::Payloads), so structure and values stay apart.

pub use crate::{
    names::{definition, digest, execution, optional_sequence, sequence, task_ref, text},
    payload::{optional, result},
};

/// Encodes and decodes a value.
pub mod value {
    pub use crate::payload::{decode, encode};
}
