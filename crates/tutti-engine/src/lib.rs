//! The interpreter of workflows: what an input means, as facts; how facts change state; what state asks of the world.
//!
//! [`step`] decides entries, [`Execution::apply`] folds them into state, [`Execution::outstanding`] derives commands
//! from state. All three are pure. **Invariant:** `apply` and `outstanding` evaluate no expression: every evaluated value
//! that later state depends on stands in an entry, so any journal replays to the same state for ever.
//!
//! This crate must never do IO, read a clock, draw chance or wait. Start reading at [`Execution`], then `advance.rs` for
//! one turn, `decide/` for what each kind of task does and `apply.rs` for how state changes.

mod advance;
mod apply;
mod authorization;
mod chance;
mod child;
mod command;
mod cursor;
mod data_flow;
mod decide;
mod environment;
mod execution;
mod extension;
mod frame;
mod hold;
mod image;
mod input;
mod key_ring;
mod listening;
mod matching;
mod output;
mod places;
mod rewind;
mod sensitive;
mod surroundings;
mod undo;

pub use advance::step;
pub use child::ChildRequest;
pub use command::Command;
pub use execution::{Execution, Outcome, Status};
pub use hold::Hold;
pub use input::{CallOutcome, ChildOutcome, Control, Input, ProbeOutcome, Rejection, Start};
pub use matching::{EventCorrelation, EventInterest, correlation_of};
pub use sensitive::leads_nowhere;
pub use surroundings::{Definitions, Limits, Secrets, Surroundings};
