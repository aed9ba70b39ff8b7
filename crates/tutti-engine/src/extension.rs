//! How far a task has come with the tasks that extensions put around it.

use minicbor::{Decode, Encode};
use tutti_expr::Value;
use tutti_journal::{Flow, Payloads, codec};

use crate::cursor::Cursor;

/// The tasks of an extension run before what the extended task does.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) struct Before {
    /// Which of the extensions that apply.
    #[n(0)]
    pub(crate) place: usize,
    #[n(1)]
    pub(crate) cursor: Cursor,
}

/// The tasks of an extension run after what the extended task does, whose end waits for them.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(context_bound = "AsMut<Payloads>")]
pub(crate) struct After {
    /// Which of the extensions that apply.
    #[n(0)]
    pub(crate) place: usize,
    #[n(1)]
    pub(crate) cursor: Cursor,
    /// The extended task's raw output.
    #[cbor(n(2), with = "codec::value")]
    pub(crate) raw: Value,
    /// Its transformed output.
    #[cbor(n(3), with = "codec::value")]
    pub(crate) output: Value,
    /// Where the flow goes then.
    #[n(4)]
    pub(crate) then: Flow,
}
