//! Events that nobody published.
#![no_main]

#[path = "../../crates/tutti-journal/tests/it/fuzzed/events.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::check(bytes));
