//! What calls meet: the world outside the process.

use std::fmt::Debug;

use tutti_connectors::Call;
use tutti_engine::{CallOutcome, ProbeOutcome};
use tutti_journal::Timestamp;

/// Answers the calls that the loop makes.
pub trait Outside: Debug {
    /// A call leaves.
    fn call(&mut self, function: &str, call: &Call, now: Timestamp) -> Reply;
    /// The connector is asked what became of an attempt.
    fn probe(&mut self, function: &str, call: &Call, now: Timestamp) -> ProbeOutcome;
    /// A call under way is given up; what it says then.
    fn give_up(&mut self, call: &Call) -> CallOutcome;
}

/// What becomes of a call.
#[derive(Debug, Clone)]
pub enum Reply {
    /// It ends so, after this many milliseconds.
    In(u64, CallOutcome),
    /// It does not end by itself.
    Never,
}
