//! `run: shell`: one command, its whole tree under control, and a record that outlives this process.
//!
//! Start reading at `call.rs`; `record.rs` says how a command that outlived us is found again.

mod call;
mod capture;
mod config;
mod group;
mod outcome;
mod process;
mod record;
mod watch;

pub use call::Shell;
