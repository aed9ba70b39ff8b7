//! URIs that nobody wrote, and the policy on where they lead. The modules are private to their crate, so they are
//! compiled here as they stand.
#![no_main]
#![allow(dead_code, reason = "the crate uses more of them than the check does")]

#[path = "../../crates/tutti-connectors/src/guard/fuzzed.rs"]
mod fuzzed;
#[path = "../../crates/tutti-connectors/src/guard/policy.rs"]
mod policy;
#[path = "../../crates/tutti-connectors/src/guard/target.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::check(bytes));
