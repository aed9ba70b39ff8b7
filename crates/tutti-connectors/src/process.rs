//! A program started for a call: its whole tree under control, and a record that outlives this process.
//!
//! `run: shell` and `run: script` share it; what differs is what is started ([`Program`]). Start reading at `attempt.rs`;
//! `record.rs` says how a program that outlived us is found again.

mod attempt;
mod capture;
mod group;
mod outcome;
mod program;
mod record;
mod start;
mod watch;

pub(crate) use {
    attempt::Attempt,
    program::{Bounds, Program, Return, Start, given, is_variable, output, variables},
};
