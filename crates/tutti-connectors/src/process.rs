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
mod tree;
mod watch;

use std::path::Path;

use self::record::State;
use crate::Call;

pub(crate) use {
    attempt::Attempt,
    program::{Bounds, Program, Return, SetBy, Start, given, is_variable, output, variables},
    start::{CARRIED, SHELL},
};

/// Removes from disk what an attempt printed, once its outcome needs no proof any more.
pub(crate) fn discard_output(call: &Call, scratch: &Path) {
    if let Some(record) = record::Record::find(scratch, call, call.attempt) {
        record.discard_output();
    }
}

/// The process groups of the programs that go on, of those that have their records in this directory.
///
/// Stopping leaves them alone: whoever makes their calls again recognises them.
#[must_use]
pub fn still_running(scratch: &Path) -> Vec<i32> {
    let records = record::Record::all_in(scratch);
    let groups = records.filter_map(|record| match record.state() {
        State::Running(group) | State::Remaining(group) => Some(group.id()),
        State::NotBegun | State::GivenUp | State::Beginning | State::Ended { .. } | State::Lost => {
            None
        }
    });
    groups.collect()
}
