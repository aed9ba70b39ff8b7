//! A place in a list of tasks.

use minicbor::{Decode, Encode};
use tutti_dsl::ListId;
use tutti_expr::Value;
use tutti_journal::{Payloads, codec};

use crate::places::list;

/// A place in a list of tasks.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) struct Cursor {
    #[cbor(n(0), with = "list")]
    pub(crate) list: ListId,
    /// Which task comes next, or runs.
    #[n(1)]
    pub(crate) position: usize,
    /// The output of the task before: the next one's raw input.
    #[cbor(n(2), with = "codec::value")]
    pub(crate) data: Value,
}

impl Cursor {
    pub(crate) fn new(list: ListId, data: Value) -> Self {
        Self { list, position: 0, data }
    }
}
