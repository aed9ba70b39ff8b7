//! Who may do what, and the record of who did: principals, roles, the policy, API tokens, audit records.
//!
//! A request becomes a [`Caller`], by a verified [`Token`] or by signing in; [`authorize`] says whether the caller may,
//! and gives an [`Authorized`] that cannot be made otherwise, so what touches a namespace can demand it in its
//! signature. What is decided is written down as an [`AuditRecord`].
//!
//! **Invariant:** deny by default. A higher role or one more grant never takes a right away; a token never gives one
//! that its principal lacks. Persisted shapes only grow: every field and variant has a number that is never used again.
//!
//! This crate must never read a clock, chance, the environment or a file: whoever calls passes them in. It knows no
//! HTTP either; what a denial looks like there is the server's. Start reading at [`authorize`], then [`Permission`],
//! [`Token`] and [`AuditRecord`].

mod action;
mod audit;
mod caller;
mod codec;
mod grant;
mod permission;
mod policy;
mod principal;
mod refusal;
mod text;
mod timestamp;
mod token;
mod token_text;
mod words;

pub use action::Action;
pub use audit::{Actor, AuditRecord, Detail, Outcome, Reason};
pub use caller::Caller;
pub use codec::Damaged;
pub use grant::{Grant, Grants, Reach, Rights};
pub use permission::{Permission, Role};
pub use policy::{Authorized, Denied, Everywhere, authorize, authorize_everywhere};
pub use principal::Principal;
pub use refusal::Refusal;
pub use text::{Exceeded, InvalidLabel, Label, Text};
pub use timestamp::Timestamp;
pub use token::{Access, Purpose, Refused, Setup, Token, Verified};
pub use token_text::{InvalidToken, TokenText};
pub use words::UnknownWord;
