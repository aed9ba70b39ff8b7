//! `call: http`: one request to one endpoint, and honesty about what became of it.
//!
//! Start reading at `call.rs`; `exchange.rs` has the loop of redirects and challenges, `outcome.rs` decides what is
//! known.
//! Formats that are not this crate's to parse are read through [`ReadText`].

mod authentication;
mod call;
mod config;
mod content;
mod digest;
mod exchange;
mod fetch;
mod outcome;
mod outgoing;

pub use call::{Http, HttpOptions};
pub use content::{ReadText, Unreadable};
pub(crate) use {digest::hexadecimal, outcome::outcome_unknown};
