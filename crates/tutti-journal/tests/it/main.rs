//! Tests of the journal's encoding from outside.

mod chain;
mod container;
mod events;
mod fuzzed;
mod golden;
mod hostile;
mod round_trip;
mod samples;
