//! Documents that nobody wrote.
#![no_main]

#[path = "../../crates/tutti-dsl/tests/it/fuzzed/definitions.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::check(bytes));
