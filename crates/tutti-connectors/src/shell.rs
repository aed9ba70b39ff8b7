//! `run: shell`: one command for `sh`.
//!
//! How it is started, watched and found again is in `process/`; this folder knows the arguments.

mod call;
mod config;

pub use call::Shell;
